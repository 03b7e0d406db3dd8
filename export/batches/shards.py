"""Read rows of the expression shards: memory-mapped CSR, one copy from disk to batch."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tosg.errors import ExportError
from tosg.export.batches.buffers import Buffers
from tosg.export.format.manifest import broken, naming_damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

CSR_PARTS = ("indptr", "indices", "values")

#: Of a stored value: its node and itself.
BYTES = 8

#: Bytes that are copied at once, for as many batches as they make up: little enough to stay in the
#: processor's cache, enough that numpy's calls do not count.
ONE_COPY = 1 << 21


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
    n_nodes : int
        N; every index is below it.
    """

    def __init__(self, folder: Path, rows: list[int], n_nodes: int) -> None:
        self.folder = folder
        self.rows = list(rows)
        self.n_nodes = n_nodes
        self._buffers = Buffers()
        self._starts = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)]).astype(np.int64)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.folder, self.rows, self.n_nodes))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def _shards(self) -> list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]]:
        opened = []
        for k, n in enumerate(self.rows):
            indptr, indices, values = (self._open(k, part) for part in CSR_PARTS)
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
        path = self._path(shard, part)
        with naming_damage(path):
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        # The plain view: slicing a memmap object costs a microsecond more each time.
        plain: NDArray[Any] = mapped.view(np.ndarray)
        return plain

    def _path(self, shard: int, part: str) -> Path:
        return self.folder / f"{shard:05d}.{part}.npy"

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Where the values of each row lie in all shards together, (m + 1,): 8 bytes a row."""
        ends = np.zeros(len(self) + 1, np.int64)
        for k, (indptr, _, _) in enumerate(self._shards):
            if indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any():
                raise broken(
                    self._path(k, "indptr"), "an indptr that falls", "from 0 on, never falling"
                )
            part = slice(self._starts[k] + 1, self._starts[k + 1] + 1)
            np.add(indptr[1:], ends[part.start - 1], out=ends[part])
        return ends

    def read(self, rows: NDArray[np.int64], cuts: Sequence[int] = ()) -> Iterator[SparseRows]:
        """Copy the given rows out, in their order.

        Where to copy from is worked out for all of them at once, for numpy's calls cost more than
        their work on a few rows.

        Parameters
        ----------
        rows : (b,) int64
            Row numbers, 0 <= row < len(self); repeats are allowed.
        cuts : sequence of int
            Places in `rows`, ascending, where a new batch begins.

        Yields
        ------
        SparseRows
            For each batch. Its memory is used again once nothing refers to it.
        """
        first, last = self._ends[rows], self._ends[rows + 1]
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(last - first, out=indptr[1:])
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        # A run of neighbours within a shard and a batch is one copy.
        begins = np.ones(len(rows), bool)
        np.not_equal(rows[1:] - rows[:-1], 1, out=begins[1:])
        begins[1:] |= shard[1:] != shard[:-1]
        begins[[*cuts]] = True
        at = np.flatnonzero(begins)
        ends = np.append(at[1:], len(rows))[: len(at)]  # none where there are no rows
        base = self._ends[self._starts[shard[at]]]
        runs = list(
            zip(
                shard[at].tolist(),
                (first[at] - base).tolist(),
                (last[ends - 1] - base).tolist(),
                strict=True,
            )
        )
        # Of every batch: its first row, its first run, its first value.
        borders = np.array([0, *cuts, len(rows)])
        row, run = borders.tolist(), np.searchsorted(at, borders).tolist()
        value = indptr[borders].tolist()
        batches = len(cuts) + 1
        step = max(1, batches * ONE_COPY // max(1, BYTES * value[-1]))
        for g in range(0, batches, step):
            h = min(g + step, batches)
            indices, values = self._copy(runs[run[g] : run[h]], value[h] - value[g])
            for i in range(g, h):
                part = slice(value[i] - value[g], value[i + 1] - value[g])
                places = indptr[row[i] : row[i + 1] + 1] - value[i]
                yield SparseRows(places, indices[part], values[part])

    def _copy(
        self, runs: list[tuple[int, int, int]], n: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        memory = self._buffers.take(BYTES * n)
        indices, values = memory[: 4 * n].view(np.int32), memory[4 * n :].view(np.float32)
        if runs:
            shards = self._shards
            np.concatenate([shards[k][1][start:stop] for k, start, stop in runs], out=indices)
            np.concatenate([shards[k][2][start:stop] for k, start, stop in runs], out=values)
        if n and self._exceeds(indices):
            for k, start, stop in runs:
                self._check_range(k, self._shards[k][1][start:stop])
        return indices, values

    def _exceeds(self, indices: NDArray[np.int32]) -> bool:
        """Whether an index is no node's: it would put its value into another cell.

        One look at what was just copied costs a twentieth of the copy; as unsigned numbers,
        those below 0 are large.
        """
        return int(indices.view(np.uint32).max(initial=0)) >= self.n_nodes

    def _check_range(self, shard: int, indices: NDArray[np.int32]) -> None:
        if self._exceeds(indices):
            found = f"indices from {indices.min()} to {indices.max()}"
            raise broken(self._path(shard, "indices"), found, f"0 <= index < {self.n_nodes}")

    def verify(self) -> None:
        """Check every value of every shard, which `read` has no time for.

        Raises
        ------
        ExportError
            Indices do not increase within a row, or a value is NaN, infinite or 0.
        """
        _ = self._ends  # checks where rows begin and end
        for k, (indptr, indices, values) in enumerate(self._shards):
            self._check_range(k, indices)
            rising = indices[1:] > indices[:-1]
            borders = indptr[(indptr > 0) & (indptr < len(indices))]
            rising[borders - 1] = True
            if not rising.all():
                raise broken(
                    self._path(k, "indices"),
                    "indices that do not increase within a row",
                    "strictly increasing ones",
                )
            if not (np.isfinite(values) & (values != 0)).all():
                raise broken(
                    self._path(k, "values"), "NaN, infinite or 0", "finite values other than 0"
                )
