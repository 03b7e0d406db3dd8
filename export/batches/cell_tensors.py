"""Cells as they come from the files, before they go to a device: many at once, cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import torch

from tosg.export.batches.batch import SparseTensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(slots=True)
class Forms:
    """Which forms of a batch's values are made, or were asked for."""

    sparse: bool = False
    dense: bool = False


SPARSE_FORM = Forms(sparse=True)


class CellTensors(NamedTuple):
    """Cells on the CPU.

    Attributes
    ----------
    cell, dataset : (b,) int64
        Rows of ``cells.parquet``, positions of their data sets.
    y : (b,) int64 or float32, or (b, 0)
        Targets.
    sparse : SparseTensors or None
        Values, in `TrainingSet.unit`.
    dense : (b, N) float32 or None
        The same values.
    """

    cell: Tensor
    dataset: Tensor
    y: Tensor
    sparse: SparseTensors | None
    dense: Tensor | None

    def pin(self) -> Self:
        """Copy what goes to a GPU into page-locked memory, from where copies do not wait."""
        sparse = self.sparse and SparseTensors(*(part.pin_memory() for part in self.sparse))
        per_cell = {name: getattr(self, name).pin_memory() for name in ("cell", "dataset", "y")}
        return self._replace(**per_cell, sparse=sparse)

    def split(self, sizes: Sequence[int]) -> list[CellTensors]:
        """Cut into batches of some sizes, which sum to b."""
        if len(sizes) == 1:
            return [self]
        n = len(sizes)
        columns = (
            self.cell.split_with_sizes(sizes),
            self.dataset.split_with_sizes(sizes),
            _cut(self.y, sizes),
            [None] * n if self.sparse is None else _split_rows(self.sparse, sizes),
            [None] * n if self.dense is None else _cut(self.dense, sizes),
        )
        return [*map(CellTensors, *columns)]


def _split_rows(rows: SparseTensors, sizes: Sequence[int]) -> list[SparseTensors]:
    """Cut sparse rows into parts, each with an ``indptr`` that begins at 0."""
    indptr = rows.indptr.numpy()
    lengths = np.array(sizes) + 1
    first = indptr[np.cumsum([0, *sizes])]
    # One after the other: the last place of each part is the first of the next one.
    places = np.arange(lengths.sum()) - np.repeat(np.arange(len(sizes)), lengths)
    indptrs = torch.from_numpy(indptr[places] - np.repeat(first[:-1], lengths))
    values = np.diff(first).tolist()
    parts = (
        indptrs.split_with_sizes(lengths.tolist()),
        _cut(rows.indices, values),
        _cut(rows.values, values),
    )
    return [*map(SparseTensors, *parts)]


def _cut(tensor: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """Cut into parts that look into its memory, but that PyTorch takes for tensors of their own.

    Parts made by one split count changes in place together: a batch that is changed would spoil the
    gradients of another one; and `torch.save` writes all of them with each. It is the quicker way
    for the few numbers of cells, which nobody changes.
    """
    array = tensor.numpy()
    borders = pairwise(accumulate(sizes, initial=0))
    return [torch.from_numpy(array[start:stop]) for start, stop in borders]
