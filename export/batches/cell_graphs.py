"""Cells as `torch_geometric` graphs, one at a time (extra ``pyg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from tosg.export.batches.pyg import EDGE_ATTRIBUTES
from tosg.export.format.manifest import take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.cell_reader import CellReader


class CellGraphs(Dataset):  # type: ignore[misc]  # untyped
    """One graph at a time, for code that wants a `torch_geometric` data set of `Data`.

    Item ``i`` is cell ``i`` of the split, in stored order, on the shared topology: ``x`` (N, 1)
    float32, ``edge_index`` (2, E), ``edge_type``, ``edge_score``, ``edge_sign``, ``measured`` (N,)
    bool, ``node_id`` (N,), ``cell`` (1,), ``y`` (1,). With ``own`` it is the cell's own graph
    instead, see `Batch.to_pyg`.

    As an `OnDiskDataset`, it keeps no graph in memory, reads several at once (`multi_get`, which
    loaders use by themselves), and slices, lists and masks give data sets of some of its cells.
    Pickles as the training set's folder.
    """

    def __init__(
        self,
        reader: CellReader,
        split: str,
        *,
        own: bool = False,
        threshold: float = 0.0,
        keep_unmeasured: bool = False,
    ) -> None:
        super().__init__()
        self.reader = reader
        self.split = split
        self.own = own
        self.threshold = threshold
        self.keep_unmeasured = keep_unmeasured
        self._rows = reader.manifest.rows(split)

    def len(self) -> int:
        """Number of cells of the split."""
        return len(self._rows)

    def get(self, idx: int) -> Data:
        """Graph of a cell of the split."""
        return self.multi_get([idx])[0]

    def multi_get(self, indices: Sequence[int]) -> list[Data]:
        """Graphs of several cells of the split, read at once."""
        if not len(indices):
            return []
        rows = np.asarray(indices, np.int64)
        if rows.min() < 0 or rows.max() >= self.len():
            raise IndexError(f"cells {rows.min()} to {rows.max()} of {self.len()}")
        batch = self.reader.read(take_rows(self._rows, rows))
        if self.own:
            cut = batch.to_pyg(
                own=True, threshold=self.threshold, keep_unmeasured=self.keep_unmeasured
            )
            return [cut.get_example(i) for i in range(len(rows))]
        return [_one(batch, i) for i in range(len(rows))]

    def __getitems__(self, indices: Sequence[int]) -> list[Data]:
        """Graphs of several cells of this data set; what a `DataLoader` calls."""
        chosen = self.indices()
        found = self.multi_get([chosen[i] for i in indices])
        return found if self.transform is None else [self.transform(one) for one in found]


def _one(batch: Batch, i: int) -> Data:
    graph = batch.graph
    one = Data(x=batch.x[i].view(-1, 1), edge_index=graph.edge_index, num_nodes=graph.num_nodes)
    one.node_id = torch.arange(graph.num_nodes)
    one.measured = batch.measured[i]
    for name in EDGE_ATTRIBUTES:
        one[name] = getattr(graph, name)
    one.cell = batch.cell[i : i + 1]
    if batch.y.ndim == 1:
        one.y = batch.y[i : i + 1]
    return one
