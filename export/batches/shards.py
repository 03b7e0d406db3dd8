"""Read rows of the expression shards: memory-mapped CSR, one copy from disk to batch."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tosg.errors import ExportError
from tosg.export.batches.buffers import Buffers
from tosg.export.batches.kernels import copy_rows, fill_rows
from tosg.export.batches.pages import Spans
from tosg.export.format.manifest import format_error, naming_damage

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]
    Shard = tuple[Int64s, NDArray[np.int32], NDArray[np.float32]]

CSR_DTYPES = {"indptr": "int64", "indices": "int32", "values": "float32"}

#: Bytes of a stored value: its node and itself.
BYTES = 8


class SparseRows(NamedTuple):
    """Rows of a sparse matrix in CSR form.

    Attributes
    ----------
    indptr : (b + 1,) int64
        Row ``i`` is at ``indptr[i]:indptr[i + 1]``.
    indices : (nnz,) int32
        Node of each value.
    values : (nnz,) float32
        Abundance, in the training set's unit.
    """

    indptr: Int64s
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _OpenShards:
    """Mapped shards, and where their rows lie; the addresses hold while `shards` does."""

    shards: list[Shard]
    ends: Int64s
    index_base: Int64s
    value_base: Int64s

    @classmethod
    def of(cls, shards: list[Shard], ends: Int64s) -> _OpenShards:
        index_base, value_base = (
            np.array([shard[part].ctypes.data for shard in shards], np.int64) for part in (1, 2)
        )
        return cls(shards, ends, index_base, value_base)


class ShardReader:
    """The rows of all shards as one matrix. Opens its files at first use; pickles as paths.

    Parameters
    ----------
    folder : Path
        The folder ``expression`` of a training set.
    rows : sequence of int
        Rows of each shard, in order.
    n_nodes : int
        N; every index is below it.
    """

    def __init__(self, folder: Path, rows: list[int], n_nodes: int) -> None:
        self.folder = folder
        self.rows = list(rows)
        self.n_nodes = n_nodes
        self._buffers = Buffers()
        self._lock = threading.Lock()
        self._open_shards: _OpenShards | None = None
        self._starts = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)]).astype(np.int64)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.folder, self.rows, self.n_nodes))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of all stored values and their nodes."""
        return BYTES * int(self._ends[-1])

    @property
    def _shards(self) -> list[Shard]:
        return self._opened.shards

    @property
    def _ends(self) -> Int64s:
        return self._opened.ends

    @property
    def _opened(self) -> _OpenShards:
        # Kernels read by address: a second opening would unmap what they read.
        with self._lock:
            if self._open_shards is None:
                shards = [self._open_shard(k, n) for k, n in enumerate(self.rows)]
                self._open_shards = _OpenShards.of(shards, self._row_ends(shards))
            return self._open_shards

    def _open_shard(self, k: int, n: int) -> Shard:
        indptr, indices, values = (self._open(k, part) for part in CSR_DTYPES)
        if len(indptr) != n + 1 or indptr[-1] != len(indices) or len(indices) != len(values):
            raise ExportError(
                "an expression shard does not fit its manifest",
                where=self.folder / f"{k:05d}",
                found=f"{len(indptr) - 1} rows, {len(indices)} indices, {len(values)} values",
                expected=f"{n} rows, {indptr[-1]} indices and values",
                hint="export again; a part of the folder is missing or was changed",
            )
        return indptr, indices, values

    def _open(self, shard: int, part: str) -> NDArray[Any]:
        path = self._path(shard, part)
        with naming_damage(path):
            mapped = np.load(str(path), mmap_mode="r", allow_pickle=False)
        if mapped.dtype != np.dtype(CSR_DTYPES[part]).newbyteorder("<") or mapped.ndim != 1:
            found = f"{mapped.dtype} of shape {mapped.shape}"
            raise format_error(path, found, f"{CSR_DTYPES[part]}, one dimension")
        # The plain view: slicing a memmap object costs a microsecond more each time.
        plain: NDArray[Any] = mapped.view(np.ndarray)
        return plain

    def _path(self, shard: int, part: str) -> Path:
        return self.folder / f"{shard:05d}.{part}.npy"

    def _row_ends(self, shards: list[Shard]) -> Int64s:
        """Where the values of each row end in all shards together, (m + 1,): 8 bytes a row."""
        ends = np.zeros(len(self) + 1, np.int64)
        for k, (indptr, _, _) in enumerate(shards):
            if indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any():
                raise format_error(
                    self._path(k, "indptr"), "a decreasing indptr", "from 0 on, never decreasing"
                )
            part = slice(self._starts[k] + 1, self._starts[k + 1] + 1)
            np.add(indptr[1:], ends[part.start - 1], out=ends[part])
        return ends

    @property
    def _places(self) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """What the kernels need to find a row: `copy_rows` has their meaning."""
        opened = self._opened
        return opened.ends, self._starts, opened.index_base, opened.value_base

    def read(self, rows: Int64s) -> SparseRows:
        """Copy the given rows out, in their order.

        Parameters
        ----------
        rows : (b,) int64
            Row numbers, 0 <= row < len(self); repeats are allowed.

        Returns
        -------
        SparseRows
            Their memory is used again once no array or tensor refers to it.
        """
        rows = self._checked(rows)
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(self._ends[rows + 1] - self._ends[rows], out=indptr[1:])
        n = int(indptr[-1])
        memory = self._buffers.take(BYTES * n)
        indices, values = memory[: 4 * n].view(np.int32), memory[4 * n :].view(np.float32)
        greatest = copy_rows(rows, *self._places, indices, values)
        if n and greatest >= self.n_nodes:
            raise self._out_of_range(rows)
        return SparseRows(indptr, indices, values)

    def read_dense(self, rows: Int64s) -> NDArray[np.float32]:
        """Make the given rows dense, in their order.

        Parameters
        ----------
        rows : (b,) int64
            As of `read`.

        Returns
        -------
        (b, N) float32
            0 where nothing is stored. Its memory is used again once no array or tensor refers
            to it.
        """
        rows = self._checked(rows)
        out = self.take_dense(len(rows))
        if fill_rows(rows, *self._places, out) >= 0:
            raise self._out_of_range(rows)
        return out

    def make_dense(self, sparse: SparseRows) -> NDArray[np.float32]:
        """Make sparse rows in memory dense; see `read_dense`.

        Raises
        ------
        IndexError
            An index is no node.
        """
        out = self.take_dense(len(sparse.indptr) - 1)
        indices = np.ascontiguousarray(sparse.indices, np.int32)
        values = np.ascontiguousarray(sparse.values, np.float32)
        base = [np.array([array.ctypes.data], np.int64) for array in (indices, values)]
        rows, starts = np.arange(len(out)), np.array([0, len(out)])
        if fill_rows(rows, np.ascontiguousarray(sparse.indptr, np.int64), starts, *base, out) >= 0:
            raise IndexError(f"index out of range: 0 <= index < {self.n_nodes}")
        return out

    def find_spans(self, rows: Int64s) -> Spans:
        """Find the memory that rows lie in, as whole pages.

        Parameters
        ----------
        rows : (b,) int64
            Increasing.
        """
        ends, starts, *bases = self._places
        shard = np.searchsorted(starts, rows, side="right") - 1
        first = np.flatnonzero(np.append(True, (np.diff(rows) != 1) | (np.diff(shard) != 0)))
        last = np.append(first[1:], len(rows)) - 1
        before = ends[starts[shard[first]]]
        low, high = 4 * (ends[rows[first]] - before), 4 * (ends[rows[last] + 1] - before)
        return Spans.of(
            np.concatenate([base[shard[first]] + low for base in bases]),
            np.concatenate([base[shard[first]] + high for base in bases]),
        )

    def take_dense(self, n: int) -> NDArray[np.float32]:
        """Uninitialised memory for `n` dense rows, (n, N) float32."""
        size = n * self.n_nodes
        return self._buffers.take(4 * size).view(np.float32).reshape(n, self.n_nodes)

    def _checked(self, rows: Int64s) -> Int64s:
        """Rows as the kernels take them, which check no bounds."""
        rows = np.ascontiguousarray(rows, np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows from {rows.min()} to {rows.max()} of {len(self)}")
        return rows

    def _out_of_range(self, rows: Int64s) -> ExportError:
        """Build the error for an index that is no node, which would write outside its row."""
        for k in np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist():
            self._check_range(k)
        return format_error(self.folder, "an index out of range", f"0 <= index < {self.n_nodes}")

    def _check_range(self, shard: int) -> None:
        indices = self._shards[shard][1]
        if len(indices) and not 0 <= indices.min() <= indices.max() < self.n_nodes:
            found = f"indices from {indices.min()} to {indices.max()}"
            raise format_error(self._path(shard, "indices"), found, f"0 <= index < {self.n_nodes}")

    def verify(self) -> None:
        """Check every value of every shard, which `read` has no time for.

        Raises
        ------
        ExportError
            Indices do not increase within a row, or a value is NaN, infinite or 0.
        """
        for k, (indptr, indices, values) in enumerate(self._shards):
            self._check_range(k)
            rising = indices[1:] > indices[:-1]
            borders = indptr[(indptr > 0) & (indptr < len(indices))]
            rising[borders - 1] = True
            if not rising.all():
                raise format_error(
                    self._path(k, "indices"),
                    "indices that do not increase within a row",
                    "strictly increasing ones",
                )
            if not (np.isfinite(values) & (values != 0)).all():
                raise format_error(
                    self._path(k, "values"), "NaN, infinite or 0", "finite values other than 0"
                )
