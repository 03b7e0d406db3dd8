"""The layouts of files of cells that `tosg.kg.cells.files.source` opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.source import (
    CSC_VALUES,
    CellSource,
    Matrix,
    check_indices,
    check_indptr,
    reading,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

#: Layers in which counts are kept by custom; looked at first.
COUNT_LAYERS = ("counts", "raw_counts", "count", "raw", "umi", "umis")


def open_hdf5(path: Path) -> CellSource:
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
                return _h5ad(path, file)
            if "matrix" in file and "barcodes" in file["matrix"]:
                return _tenx_h5(path, file)
            raise DataError(
                "the HDF5 file does not hold cells",
                where=path,
                found=f"the groups {', '.join(sorted(file)) or '(none)'}",
                expected="obs, var and X (AnnData), or matrix (10x)",
            )
    except BaseException:
        file.close()
        raise


def open_folder(path: Path) -> CellSource:
    """Open a zarr folder of AnnData or a 10x mtx folder."""
    if any(path.glob("matrix.mtx*")):
        return _tenx_mtx(path)
    if (path / ".zgroup").is_file() or (path / "zarr.json").is_file():
        import zarr

        with reading(path):
            group = zarr.open_group(path, mode="r")
            files = sorted(f for f in path.rglob("*") if f.is_file())
            return _anndata(path, group, "zarr", files=files)
    raise DataError(
        "the folder does not hold cells",
        where=path,
        expected="a zarr folder of AnnData, or matrix.mtx with barcodes and features (10x)",
    )


def _h5ad(path: Path, file: Any) -> CellSource:
    import h5py

    old = isinstance(file["obs"], h5py.Dataset) or "raw.X" in file
    if not old:
        return _anndata(path, file, "h5ad", close=file.close)
    # Before anndata 0.7, tables were compound arrays with categories elsewhere: the library knows.
    import anndata

    file.close()
    data = anndata.read_h5ad(path, backed="r")
    matrices = [_matrix("X", data.X, data.var, path)]
    if data.raw is not None:
        matrices.insert(0, _matrix("raw.X", data.raw.X, data.raw.var, path))
    return CellSource(path, [path], data.obs, data.var, matrices, "h5ad", "", data.file.close)


def _anndata(
    path: Path, group: Any, layout: str, *, files: list[Path] | None = None, close: Any = None
) -> CellSource:
    from anndata.io import read_elem

    obs, var = _table(group, "obs"), _table(group, "var")
    layers = {n: group["layers"][n] for n in sorted(group["layers"])} if "layers" in group else {}
    matrices = _layers(layers, COUNT_LAYERS, var, path)
    if "raw" in group and _has(group["raw"], "X"):
        raw_var = _table(group, "raw/var")
        matrices.append(_matrix("raw.X", _backed(group["raw/X"]), raw_var, path))
    if _has(group, "X"):
        matrices.append(_matrix("X", _backed(group["X"]), var, path))
    others = sorted(name for name in layers if name.lower() not in COUNT_LAYERS)
    matrices += _layers(layers, others, var, path)
    title = str(read_elem(group["uns/title"])) if "uns" in group and "title" in group["uns"] else ""
    return CellSource(
        path, files or [path], obs, var, matrices, layout, title, close or (lambda: None)
    )


def _table(group: Any, name: str) -> pd.DataFrame:
    import pandas as pd
    from anndata.io import read_elem

    found = read_elem(group[name])
    if not isinstance(found, pd.DataFrame):
        raise TypeError(f"{name} is no table but {type(found).__name__}")
    return found


def _has(group: Any, name: str) -> bool:
    """Whether a group has an element that is not a written None."""
    element = group.get(name) if hasattr(group, "get") else None
    return element is not None and element.attrs.get("encoding-type") != "null"


def _layers(layers: Mapping[str, Any], names: Any, var: pd.DataFrame, path: Path) -> list[Matrix]:
    by_name = {name.lower(): name for name in layers}
    found = [by_name[n.lower()] for n in names if n.lower() in by_name]
    return [_matrix(f"layers/{n}", _backed(layers[n]), var, path) for n in found]


def _backed(element: Any) -> Any:
    from anndata.io import sparse_dataset

    if hasattr(element, "dtype"):  # a dense array
        return element
    if str(element.attrs.get("encoding-type", "")) in ("csr_matrix", "csc_matrix") or (
        "h5sparse_format" in element.attrs
    ):
        return sparse_dataset(element)
    raise DataError(
        "a matrix is of a kind that is not known",
        where=element.name,
        found=dict(element.attrs).get("encoding-type", "no encoding-type"),
        expected="a dense array, csr_matrix or csc_matrix",
    )


def _matrix(name: str, data: Any, var: pd.DataFrame, path: Path) -> Matrix:
    shape = (int(data.shape[0]), int(data.shape[1]) if len(data.shape) > 1 else 0)
    if len(data.shape) != 2 or shape[1] != len(var):
        raise DataError(
            "a matrix does not fit its variables",
            where=f"{path}: {name}",
            found=f"shape {tuple(data.shape)}",
            expected=f"{len(var)} columns",
        )
    if not hasattr(data, "format"):
        return Matrix(name, shape, var, shape[0] * shape[1], False, data.__getitem__, str(path))
    nnz = int(data.group["indices"].shape[0])
    lines = shape[0 if data.format == "csr" else 1]
    check_indptr(data.group["indptr"][:], lines, nnz, f"{path}: {name}")
    _check_chunks(data.group["data"], f"{path}: {name}")
    if data.format == "csr":
        return Matrix(name, shape, var, nnz, True, data.__getitem__, str(path))
    return Matrix(name, shape, var, nnz, True, _ByRow(name, data, nnz, path), str(path))


def _check_chunks(values: Any, where: str) -> None:
    """Refuse values of a sparse matrix of which a chunk is missing: zarr would read it as zeros."""
    missing = values.nchunks - values.nchunks_initialized if hasattr(values, "nchunks") else 0
    if missing:
        raise DataError(
            "values of a sparse matrix are missing",
            where=f"{where}, data",
            found=f"{values.nchunks - missing:,} chunks",
            expected=f"{values.nchunks:,}",
            hint="the folder is not whole: copy it again",
        )


# (file, size, modification time, matrix) -> rows: reads of a linked file open it many times, and
# turning it round each time would take most of the time. The last one only, for the memory's sake.
_turned: dict[tuple[str, int, int, str], Any] = {}


class _ByRow:
    """Rows of a matrix that is stored by columns: turned round in memory at first use."""

    def __init__(self, name: str, data: Any, nnz: int, path: Path) -> None:
        self.name, self.data, self.nnz, self.path = name, data, nnz, path

    def __call__(self, rows: Any) -> Any:
        state = self.path.stat()
        key = (str(self.path), state.st_size, state.st_mtime_ns, self.name)
        if key not in _turned:
            if self.nnz > CSC_VALUES:
                raise DataError(
                    "the matrix is stored by columns and too large to be turned round in memory",
                    where=f"{self.path}: {self.name}",
                    found=f"csc_matrix with {self.nnz:,} values",
                    expected=f"csr_matrix, or at most {CSC_VALUES:,} values",
                    hint="write it again after `adata.X = adata.X.tocsr()`",
                )
            _turned.clear()
            columns = self.data.to_memory()
            check_indices(columns.indices, columns.shape[0], f"{self.path}: {self.name}")
            _turned[key] = columns.tocsr()
        return _turned[key][rows]


def _tenx_h5(path: Path, file: Any) -> CellSource:
    import pandas as pd
    import scipy.sparse as sp

    group = file["matrix"]
    n_variables, n_cells = (int(n) for n in group["shape"][:])
    obs = pd.DataFrame(index=_texts(group["barcodes"]))
    features = group["features"]
    var = pd.DataFrame(
        {
            "gene_ids": _texts(features["id"]),
            "feature_types": _texts(features["feature_type"]),
            "genome": _texts(features["genome"]),
        },
        index=pd.Index(_texts(features["name"])),
    )
    # Features in rows, stored by columns: the same three arrays are cells in rows, by rows.
    arrays = (group["data"][:], group["indices"][:], group["indptr"][:])
    check_indptr(arrays[2], n_cells, len(arrays[1]), f"{path}: matrix")
    rows = sp.csr_matrix(arrays, shape=(n_cells, n_variables))
    if len(var) != n_variables:
        raise DataError(
            "the matrix does not fit its features",
            where=path,
            found=f"{n_variables:,} rows",
            expected=f"{len(var):,}, one per feature",
        )
    var = _unique_by_id(var)
    matrix = Matrix("matrix", rows.shape, var, rows.nnz, True, rows.__getitem__, str(path))
    return CellSource(path, [path], obs, var, [matrix], "10x-h5", "", file.close)


def _tenx_mtx(path: Path) -> CellSource:
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp

    def one(*names: str) -> Path:
        for name in names:
            for suffix in ("", ".gz"):
                if (path / f"{name}{suffix}").is_file():
                    return path / f"{name}{suffix}"
        raise DataError(
            "a file of the 10x folder is missing", where=path, expected=" or ".join(names)
        )

    files = [one("matrix.mtx"), one("features.tsv", "genes.tsv"), one("barcodes.tsv")]
    with reading(path):
        table = {"sep": "\t", "header": None, "dtype": str, "quoting": 3, "na_filter": False}
        features: pd.DataFrame = pd.read_csv(files[1], **table)  # type: ignore[call-overload]
        barcodes: pd.DataFrame = pd.read_csv(files[2], **table)  # type: ignore[call-overload]
        rows = sp.csr_matrix(scipy.io.mmread(files[0]).T)
    if features.shape[1] < 2:
        raise DataError(
            "the features of a 10x folder have no names",
            where=files[1],
            found="one column",
            expected="two or more, separated by tabs: identifier, name, type",
        )
    var = pd.DataFrame(
        {
            "gene_ids": features[0].to_numpy(),
            "feature_types": features[2].to_numpy() if 2 in features else "Gene Expression",
        },
        index=pd.Index(features[1].to_numpy()),
    )
    if rows.shape != (len(barcodes), len(var)):
        raise DataError(
            "the matrix does not fit its barcodes and features",
            where=path,
            found=f"{rows.shape[0]} x {rows.shape[1]}",
            expected=f"{len(barcodes)} barcodes x {len(var)} features",
        )
    var = _unique_by_id(var)
    matrix = Matrix("matrix", rows.shape, var, rows.nnz, True, rows.__getitem__, str(path))
    obs = pd.DataFrame(index=pd.Index(barcodes[0].to_numpy()))
    return CellSource(path, files, obs, var, [matrix], "10x-mtx")


def _unique_by_id(var: pd.DataFrame) -> pd.DataFrame:
    # 10x files name a feature by id and by symbol, and only the id is unique.
    if var.index.is_unique:
        return var
    var = var.assign(gene_symbols=var.index.to_numpy())
    return var.set_index("gene_ids", drop=False)


def _texts(dataset: Any) -> list[str]:
    return [v.decode() if isinstance(v, bytes) else str(v) for v in dataset[:]]
