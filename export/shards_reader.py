"""Read rows of the expression shards: memory-mapped CSR, one copy from disk to batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.export.buffers import Buffers
from tosg.kg.errors import ExportError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PARTS = ("indptr", "indices", "values")


@dataclass(frozen=True, slots=True)
class SparseRows:
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

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class ShardReader:
    """The rows of all shards as one matrix. Opens its files at first use; pickles as paths.

    Parameters
    ----------
    folder : Path
        The folder ``expression`` of a training set.
    rows : sequence of int
        Rows of each shard, in order.
    """

    def __init__(self, folder: Path, rows: list[int]) -> None:
        self.folder = folder
        self.rows = list(rows)
        self._buffers = Buffers()
        self._starts = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)]).astype(np.int64)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.folder, self.rows))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def _shards(self) -> list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]]:
        opened = []
        for k, n in enumerate(self.rows):
            indptr, indices, values = (self._open(k, part) for part in PARTS)
            if len(indptr) != n + 1 or indptr[-1] != len(indices) or len(indices) != len(values):
                raise ExportError(
                    "an expression shard does not fit its manifest",
                    where=self.folder / f"{k:05d}",
                    found=f"{len(indptr) - 1} rows, {len(indices)} indices, {len(values)} values",
                    expected=f"{n} rows, {indptr[-1]} indices and values",
                    hint="export again; a part of the folder is missing or was changed",
                )
            opened.append((indptr, indices, values))
        return opened

    def _open(self, shard: int, part: str) -> NDArray[Any]:
        path = self.folder / f"{shard:05d}.{part}.npy"
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ExportError(
                "an expression shard cannot be read", where=path, found=error
            ) from error
        # The plain view: slicing a memmap object costs a microsecond more each time.
        plain: NDArray[Any] = mapped.view(np.ndarray)
        return plain

    def read(self, rows: NDArray[np.int64]) -> SparseRows:
        """Copy the given rows out, in their order.

        Parameters
        ----------
        rows : (b,) int64
            Row numbers, 0 <= row < len(self); repeats are allowed.
        """
        if not len(rows):
            return SparseRows(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
        places, indices, values = [], [], []
        for k, start, stop in self._runs(rows):
            indptr, shard_indices, shard_values = self._shards[k]
            run = indptr[start : stop + 1]
            part = slice(run[0], run[-1])
            places.append(run)
            indices.append(shard_indices[part])
            values.append(shard_values[part])
        # Between two runs stands the end of one and the begin of the next: no row.
        joined = np.concatenate(places)
        row = np.ones(len(joined) - 1, bool)
        row[list(accumulate(map(len, places[:-1]), initial=-1))[1:]] = False
        lengths = (joined[1:] - joined[:-1])[row]
        indptr_out = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr_out[1:])
        total = int(indptr_out[-1])
        return SparseRows(
            indptr_out,
            np.concatenate(indices, out=self._buffers.take(total, np.int32)),
            np.concatenate(values, out=self._buffers.take(total, np.float32)),
        )

    def _runs(self, rows: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """Neighbours within a shard, as (shard, first row, row after the last) within it."""
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        cut = np.empty(len(rows) + 1, bool)
        cut[0] = cut[-1] = True
        np.not_equal(rows[1:] - rows[:-1], 1, out=cut[1:-1])
        cut[1:-1] |= shard[1:] != shard[:-1]
        first, last = rows[cut[:-1]], rows[cut[1:]]
        shard = shard[cut[:-1]]
        start = self._starts[shard]
        return list(
            zip(shard.tolist(), (first - start).tolist(), (last - start + 1).tolist(), strict=True)
        )
