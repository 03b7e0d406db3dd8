"""Opens a file or folder of cells: looks at what it is and chooses the reader."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.files.celltosg import is_celltosg, read_celltosg
from tosg.kg.cells.files.foreign import (
    READABLE,
    foreign_error,
    foreign_folder,
    foreign_hdf5,
    is_foreign_folder,
)
from tosg.kg.cells.files.h5ad import read_anndata, read_h5ad
from tosg.kg.cells.files.h5mu import read_h5mu
from tosg.kg.cells.files.loom import is_loom, read_loom
from tosg.kg.cells.files.source import CellSource, reading
from tosg.kg.cells.files.tables import SUFFIXES, read_cell_table
from tosg.kg.cells.files.tenx import matrix_files, read_tenx_h5, read_tenx_mtx, tenx_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_HDF5 = b"\x89HDF\r\n\x1a\n"
_GZIP = b"\x1f\x8b"
_ZARR = (".zgroup", "zarr.json")


class _Kept:
    """Sources that stay open between two uses, while anybody wants that."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted = 0
        self._sources: dict[tuple[object, ...], CellSource] = {}

    @contextmanager
    def wanted(self) -> Iterator[None]:
        with self._lock:
            self._wanted += 1
        try:
            yield
        finally:
            with self._lock:
                self._wanted -= 1
                unused = [] if self._wanted else list(self._sources.values())
                if unused:
                    self._sources = {}
            for source in unused:
                source.close()

    def take(self, key: tuple[object, ...]) -> CellSource | None:
        with self._lock:
            return self._sources.pop(key, None)

    def give(self, key: tuple[object, ...], source: CellSource) -> None:
        with self._lock:
            keep = self._wanted > 0 and key not in self._sources
            if keep:
                self._sources[key] = source
        if not keep:
            source.close()


_kept = _Kept()


def keep_open() -> AbstractContextManager[None]:
    """Keep what `lend_source` opens in this process, for the length of the context.

    Opening a source reads its table of cells, a million rows where a small range of them is wanted.
    """
    return _kept.wanted()


@contextmanager
def lend_source(path: Path) -> Iterator[CellSource]:
    """Open a source for a ``with`` block, or take one that was kept and whose file is the same.

    Raises
    ------
    DataError, ConfigError
        As of `open_source`.
    """
    state = path.stat()
    key = (path, state.st_size, state.st_mtime_ns, state.st_ino)
    kept = _kept.take(key)
    source = open_source(path) if kept is None else kept
    try:
        yield source
    except BaseException:
        source.close()
        raise
    _kept.give(key, source)


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
        raise DataError("there is no such file of cells", where=path, expected=READABLE)
    if path.stat().st_size == 0:
        raise DataError("the file of cells is empty", where=path, found="0 bytes")
    return _fitting(_open_file(path))


def _fitting(source: CellSource) -> CellSource:
    """Close and refuse a file whose matrices do not have one row per cell."""
    for matrix in source.matrices:
        if matrix.shape[0] != len(source.obs):
            source.close()
            raise DataError(
                "a matrix does not fit its cells",
                where=f"{source.path}: {matrix.name}",
                found=f"{matrix.shape[0]:,} rows",
                expected=f"{len(source.obs):,}, one per cell",
            )
    return source


def _open_file(path: Path) -> CellSource:
    import h5py

    with path.open("rb") as stream:
        first = stream.read(len(_HDF5))
    # MuData writes its name before the HDF5 signature.
    if first == _HDF5 or h5py.is_hdf5(path):
        return _open_hdf5(path, path)
    name = path.name.lower()
    if name.endswith((".mtx", ".mtx.gz")) and path in matrix_files(path.parent):
        return read_tenx_mtx(path, path)
    if name.endswith(SUFFIXES):
        return read_cell_table(path)
    if first.startswith(_GZIP) and name.endswith((".h5ad.gz", ".h5.gz", ".h5mu.gz", ".loom.gz")):
        return _open_gzip(path)
    if zipfile.is_zipfile(path) and (root := _zarr_in_zip(path)) is not None:
        return _open_zarr_zip(path, root)
    raise foreign_error(path)


def _open_hdf5(path: Path, shown: Path) -> CellSource:
    """Open an HDF5 file, which errors call ``shown``."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        truncated = "truncated file" in str(error)
        raise DataError(
            f"the file of cells is {'truncated' if truncated else 'damaged'}",
            where=shown,
            found=str(error).splitlines()[0],
            expected="a whole HDF5 file",
            hint="compare its size with the original, or copy it again"
            if truncated
            else "copy it again from the original",
        ) from error
    try:
        with reading(shown):
            return _read_hdf5(shown, file)
    except BaseException:
        file.close()
        raise


def _read_hdf5(path: Path, file: Any) -> CellSource:
    if "obs" in file and "mod" in file:
        return read_h5mu(path, file)
    if "obs" in file and ("X" in file or "raw" in file or "raw.X" in file or "layers" in file):
        return read_h5ad(path, file)
    if is_loom(file):
        return read_loom(path, file)
    if groups := tenx_groups(file):
        return read_tenx_h5(path, file, groups)
    raise foreign_hdf5(path, file)


def _open_gzip(path: Path) -> CellSource:
    """Open a compressed HDF5 file: it is unpacked to a temporary folder until it is closed."""
    folder = Path(tempfile.mkdtemp(prefix="tosg-cells-"))

    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    try:
        unpacked = folder / path.name[: -len(".gz")]
        with reading(path), gzip.open(path) as packed, unpacked.open("wb") as out:
            shutil.copyfileobj(packed, out)
        source = _open_hdf5(unpacked, path)
    except BaseException:
        remove()
        raise
    return _closing(source, remove)


def _closing(source: CellSource, also: Callable[[], None]) -> CellSource:
    """Do something more when a source is closed."""
    close = source.close

    def both() -> None:
        close()
        also()

    return replace(source, _close=both)


def _zarr_in_zip(path: Path) -> str | None:
    """Folder inside a zip that is a zarr group, "" for its top; None if there is none."""
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
    for name in sorted(names, key=lambda n: n.count("/")):
        folder, _, file = name.rpartition("/")
        if file in _ZARR and folder.count("/") == 0:
            return folder
    return None


def _open_zarr_zip(path: Path, root: str) -> CellSource:
    import zarr

    with reading(path):
        store = zarr.storage.ZipStore(path, mode="r")
        group = zarr.open_group(store, path=root, mode="r")
        return read_anndata(path, group, "zarr", close=store.close)


def _open_folder(path: Path) -> CellSource:
    """Open a zarr folder of AnnData, a 10x mtx folder or one of the OmniCellTOSG layout."""
    if is_celltosg(path):
        return read_celltosg(path)
    if is_foreign_folder(path):
        raise foreign_folder(path)
    matrices = matrix_files(path)
    if len(matrices) == 1:
        return read_tenx_mtx(path, matrices[0])
    if matrices:
        raise DataError(
            "the folder has the matrices of several samples",
            where=path,
            found=", ".join(f.name for f in matrices[:10]),
            expected="one",
            hint=f"give one of the files: {path / matrices[0].name}",
        )
    if any((path / name).is_file() for name in _ZARR):
        import zarr

        with reading(path):
            group = zarr.open_group(path, mode="r")
            if "obs" in group:
                files = sorted(f for f in path.rglob("*") if f.is_file())
                return read_anndata(path, group, "zarr", files=files)
    raise foreign_folder(path)
