"""Opens a file or folder of cells: looks at what it is and chooses the reader."""

from __future__ import annotations

from pathlib import Path

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.files.h5ad import read_anndata, read_h5ad
from tosg.kg.cells.files.source import CellSource, reading
from tosg.kg.cells.files.tenx import read_tenx_h5, read_tenx_mtx


def open_source(path: Path) -> CellSource:
    """Open a file or folder of cells.

    Raises
    ------
    DataError
        It is missing, empty, truncated or not a format that is known.
    ConfigError
        The extra ``cells`` is not installed.
    """
    try:
        import anndata  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "reading files of cells needs anndata",
            found=error,
            hint='pip install "tosg[cells]"',
        ) from error
    path = Path(path).absolute()
    if path.is_dir():
        return _fitting(_open_folder(path))
    if not path.is_file():
        raise DataError(
            "there is no such file of cells",
            where=path,
            expected="an h5ad file, a zarr folder, a 10x .h5 file or a 10x mtx folder",
        )
    if path.stat().st_size == 0:
        raise DataError("the file of cells is empty", where=path, found="0 bytes")
    return _fitting(_open_hdf5(path))


def _fitting(source: CellSource) -> CellSource:
    """Close and refuse a file whose matrices do not have one row per cell."""
    for matrix in source.matrices:
        if matrix.shape[0] != len(source.obs):
            source._close()
            raise DataError(
                "a matrix does not fit its cells",
                where=f"{source.path}: {matrix.name}",
                found=f"{matrix.shape[0]:,} rows",
                expected=f"{len(source.obs):,}, one per cell",
            )
    return source


def _open_hdf5(path: Path) -> CellSource:
    """Open an h5ad file or a 10x HDF5 file."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        with path.open("rb") as stream:
            hdf5 = stream.read(8) == b"\x89HDF\r\n\x1a\n"
        raise DataError(
            "the file of cells is truncated or damaged" if hdf5 else "the file is not an h5ad file",
            where=path,
            found=str(error).splitlines()[0],
            expected="an HDF5 file in the layout of AnnData or 10x",
            hint="compare its size with the original, or copy it again" if hdf5 else None,
        ) from error
    try:
        with reading(path):
            if "obs" in file and ("X" in file or "raw" in file or "layers" in file):
                return read_h5ad(path, file)
            if "matrix" in file and "barcodes" in file["matrix"]:
                return read_tenx_h5(path, file)
            raise DataError(
                "the HDF5 file does not hold cells",
                where=path,
                found=f"the groups {', '.join(sorted(file)) or '(none)'}",
                expected="obs, var and X (AnnData), or matrix (10x)",
            )
    except BaseException:
        file.close()
        raise


def _open_folder(path: Path) -> CellSource:
    """Open a zarr folder of AnnData or a 10x mtx folder."""
    if any(path.glob("matrix.mtx*")):
        return read_tenx_mtx(path)
    if (path / ".zgroup").is_file() or (path / "zarr.json").is_file():
        import zarr

        with reading(path):
            group = zarr.open_group(path, mode="r")
            files = sorted(f for f in path.rglob("*") if f.is_file())
            return read_anndata(path, group, "zarr", files=files)
    raise DataError(
        "the folder does not hold cells",
        where=path,
        expected="a zarr folder of AnnData, or matrix.mtx with barcodes and features (10x)",
    )
