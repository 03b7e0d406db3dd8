"""AnnData: h5ad files of every version, and zarr folders."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.source import (
    CSC_VALUES,
    CellSource,
    Matrix,
    check_indices,
    check_indptr,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

#: Layers in which counts are kept by custom; looked at first.
COUNT_LAYERS = ("counts", "raw_counts", "count", "raw", "umi", "umis")


def read_h5ad(path: Path, file: Any) -> CellSource:
    """Read an HDF5 file that is open; the source closes it."""
    import h5py

    old = isinstance(file["obs"], h5py.Dataset) or "raw.X" in file
    if not old:
        return read_anndata(path, file, "h5ad", close=file.close)
    # Before anndata 0.7, tables were compound arrays with categories elsewhere: the library knows.
    import anndata

    file.close()
    data = anndata.read_h5ad(path, backed="r")
    matrices = [_matrix("X", data.X, data.var, path)]
    if data.raw is not None:
        matrices.insert(0, _matrix("raw.X", data.raw.X, data.raw.var, path))
    return CellSource(path, [path], data.obs, data.var, matrices, "h5ad", "", data.file.close)


def read_anndata(
    path: Path, group: Any, layout: str, *, files: list[Path] | None = None, close: Any = None
) -> CellSource:
    """Read a group of HDF5 or zarr in the layout of AnnData.

    Parameters
    ----------
    path : Path
        What errors name.
    group : h5py.Group or zarr.Group
    layout : str
        Name of the layout; see `CellSource`.
    files : list of Path, optional
        Every file that the content depends on; by default ``path``.
    close : callable, optional
        Called when the source is closed.
    """
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
    return CellSource(
        path,
        files or [path],
        obs,
        var,
        matrices,
        layout,
        _said(group, "title"),
        close or (lambda: None),
        organism=_said(group, "organism_ontology_term_id") or _said(group, "organism"),
    )


def _said(group: Any, name: str) -> str:
    """Text that uns has under a name; "" where it has none."""
    from anndata.io import read_elem

    if "uns" not in group or name not in group["uns"]:
        return ""
    value = read_elem(group[f"uns/{name}"])
    return value.decode() if isinstance(value, bytes) else str(value)


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


class _ByRow:
    """Rows of a matrix that is stored by columns: transposed in memory at first use."""

    def __init__(self, name: str, data: Any, nnz: int, path: Path) -> None:
        self.name, self.data, self.nnz, self.path = name, data, nnz, path

    def __call__(self, rows: Any) -> Any:
        return self._csr[rows]

    @cached_property
    def _csr(self) -> Any:
        if self.nnz > CSC_VALUES:
            raise DataError(
                "the matrix is stored by columns and too large to transpose in memory",
                where=f"{self.path}: {self.name}",
                found=f"csc_matrix with {self.nnz:,} values",
                expected=f"csr_matrix, or at most {CSC_VALUES:,} values",
                hint="write it again after `adata.X = adata.X.tocsr()`",
            )
        columns = self.data.to_memory()
        check_indices(columns.indices, columns.shape[0], f"{self.path}: {self.name}")
        return columns.tocsr()
