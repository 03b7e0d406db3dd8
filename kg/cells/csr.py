"""The record of sparse rows that passes between readers of files, values and the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import scipy.sparse as sp

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class CsrRows:
    """Sparse rows: row r is ``indices[indptr[r]:indptr[r + 1]]`` with the values beside it.

    Attributes
    ----------
    rows : (n,) int64
        What each row is: its row in the file, or its `Cell.idx`.
    indptr : (n + 1,) int64
    indices : (nnz,) int32 or int64
        Positions in the variables, strictly increasing within a row.
    values : (nnz,)
        In the unit of the matrix. A file's own numeric type, or float32.
    """

    rows: npt.NDArray[np.int64]
    indptr: npt.NDArray[np.int64]
    indices: _Array
    values: _Array

    @classmethod
    def of(cls, csr: sp.csr_matrix, rows: npt.NDArray[np.int64] | None = None) -> Self:
        """Take the arrays of a scipy matrix; rows are numbered from 0 unless given."""
        rows = np.arange(csr.shape[0], dtype=np.int64) if rows is None else rows
        return cls(rows, csr.indptr.astype(np.int64), csr.indices, csr.data)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of entries of each row: (n,) int64."""
        return np.diff(self.indptr)

    def row_sums(self, values: _Array | None = None) -> _Array:
        """Sum each row.

        Parameters
        ----------
        values : (nnz,), optional
            Sum these instead of `values`, as a transformation of them.

        Returns
        -------
        (n,) int64 where the values are whole by type, else float64
        """
        values = self.values if values is None else values
        before = np.zeros(len(values) + 1, np.int64 if values.dtype.kind in "iub" else np.float64)
        np.cumsum(values, dtype=before.dtype, out=before[1:])
        return np.diff(before[self.indptr])

    def spread(self, per_row: _Array) -> _Array:
        """Repeat one number per row for each entry of the row: (n,) to (nnz,)."""
        return np.repeat(per_row, self.lengths)

    def select(self, positions: npt.NDArray[np.int64]) -> Self:
        """Take the rows at these positions, in this order; a row may be taken twice."""
        lengths = self.lengths[positions]
        indptr = np.zeros(len(positions) + 1, np.int64)
        np.cumsum(lengths, out=indptr[1:])
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[positions] - indptr[:-1], lengths)
        return type(self)(self.rows[positions], indptr, self.indices[at], self.values[at])

    def keep(self, entries: npt.NDArray[np.bool_]) -> Self:
        """Leave out entries: (nnz,) bool is true for those that stay."""
        before = np.zeros(len(entries) + 1, np.int64)
        np.cumsum(entries, out=before[1:])
        return replace(
            self,
            indptr=before[self.indptr],
            indices=self.indices[entries],
            values=self.values[entries],
        )

    def without_zeros(self) -> Self:
        """Leave out entries whose stored value is zero."""
        return self if np.all(self.values) else self.keep(self.values != 0)

    def with_values(self, values: _Array) -> Self:
        """Put other values in place of these: (nnz,)."""
        return replace(self, values=values)

    def to_scipy(self, width: int) -> sp.csr_matrix:
        """Make a scipy matrix of ``width`` columns; float64 values."""
        import scipy.sparse as sp

        parts = (self.values.astype(np.float64), self.indices, self.indptr)
        return sp.csr_matrix(parts, shape=(len(self), width))
