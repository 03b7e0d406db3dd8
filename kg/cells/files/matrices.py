"""Matrices of HDF5 and zarr as `Matrix`: sparse by rows or columns, or dense; any numeric type."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.files.source import Matrix, check_indices, check_indptr, native

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

#: Stored values of the largest matrix by columns (CSC) that is transposed in memory.
CSC_VALUES = 150_000_000

_Array = npt.NDArray[Any]


def dense_matrix(name: str, data: Any, var: pd.DataFrame, path: Path) -> Matrix:
    """Make a `Matrix` of a two-dimensional array with cells in rows."""
    shape = (int(data.shape[0]), int(data.shape[1]) if len(data.shape) > 1 else 0)
    _check_width(name, tuple(data.shape), var, path)
    return Matrix(name, shape, var, shape[0] * shape[1], False, data.__getitem__, str(path))


def sparse_matrix(
    name: str, group: Any, shape: tuple[int, int], var: pd.DataFrame, path: Path, *, by_row: bool
) -> Matrix:
    """Make a `Matrix` of a group with data, indices and indptr.

    Parameters
    ----------
    name : str
    group : h5py.Group or zarr.Group
    shape : (int, int)
        Cells, variables.
    var : DataFrame
    path : Path
        What errors name.
    by_row : bool
        Whether the pointers divide cells (CSR); else variables (CSC).

    Raises
    ------
    DataError
        The arrays do not fit each other or the variables; chunks are missing.
    """
    where = f"{path}: {name}"
    _check_width(name, shape, var, path)
    nnz = int(group["indices"].shape[0])
    indptr = np.asarray(group["indptr"][:], np.int64)
    check_indptr(indptr, shape[0 if by_row else 1], nnz, where)
    _check_chunks(group["data"], where)
    kind = _CsrReader if by_row else _CscReader
    return Matrix(name, shape, var, nnz, True, kind(group, indptr, shape, where), str(path))


def _check_width(name: str, shape: tuple[int, ...], var: pd.DataFrame, path: Path) -> None:
    if len(shape) != 2 or shape[1] != len(var):
        raise DataError(
            "a matrix does not fit its variables",
            where=f"{path}: {name}",
            found=f"shape {shape}",
            expected=f"{len(var)} columns",
        )


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


class _CsrReader:
    """Reads rows of a matrix that is stored by rows.

    anndata's own reader does the same, but only for the types that scipy has: no float16, and
    nothing big-endian.
    """

    def __init__(
        self, group: Any, indptr: npt.NDArray[np.int64], shape: tuple[int, int], where: str
    ) -> None:
        self.group, self.indptr, self.shape, self.where = group, indptr, shape, where

    def __call__(self, rows: slice | _Array) -> Any:
        import scipy.sparse as sp

        spans = list(_spans(rows))
        parts = [self._read(start, stop) for start, stop in spans]
        lengths = [np.diff(self.indptr[start : stop + 1]) for start, stop in spans]
        indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        data, indices = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        return sp.csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, self.shape[1]))

    def _read(self, start: int, stop: int) -> tuple[_Array, _Array]:
        entries = slice(int(self.indptr[start]), int(self.indptr[stop]))
        data, indices = self.group["data"][entries], self.group["indices"][entries]
        check_indices(indices, self.shape[1], f"{self.where}, rows {start} to {stop - 1}")
        return native(data), indices.astype(np.int64)


def _spans(rows: slice | _Array) -> Iterator[tuple[int, int]]:
    """Runs of consecutive rows as (start, stop)."""
    if isinstance(rows, slice):
        yield rows.start, rows.stop
        return
    for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
        yield int(run[0]), int(run[-1]) + 1


class _CscReader:
    """Reads rows of a matrix that is stored by columns: transposed in memory at first use."""

    def __init__(
        self, group: Any, indptr: npt.NDArray[np.int64], shape: tuple[int, int], where: str
    ) -> None:
        self.group, self.indptr, self.shape, self.where = group, indptr, shape, where

    def __call__(self, rows: Any) -> Any:
        return self.by_row[rows]

    @cached_property
    def by_row(self) -> Any:
        """The whole matrix by rows."""
        import scipy.sparse as sp

        data, indices = self.group["data"], self.group["indices"]
        if len(indices) > CSC_VALUES:
            raise DataError(
                "the matrix is stored by columns and too large to transpose in memory",
                where=self.where,
                found=f"csc_matrix with {len(indices):,} values",
                expected=f"csr_matrix, or at most {CSC_VALUES:,} values",
                hint="write it again after `adata.X = adata.X.tocsr()`",
            )
        rows = np.asarray(indices[:])
        check_indices(rows, self.shape[0], self.where)
        parts = (native(data[:]), rows.astype(np.int64), self.indptr)
        return sp.csc_matrix(parts, shape=self.shape).tocsr()
