"""Cells as `torch_geometric` graphs, one at a time (extra ``pyg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.data import Dataset
from torch_geometric.data import Data

from tosg.export.batches.pyg import EDGE_ATTRIBUTES

if TYPE_CHECKING:
    from tosg.export.batches.cell_reader import CellReader


class CellGraphs(Dataset[Data]):
    """One graph at a time, for code that wants a `torch` data set of `Data`.

    Item ``i`` is cell ``i`` of the split, in stored order, on the shared topology: ``x`` (N, 1)
    float32, ``edge_index`` (2, E), ``edge_type``, ``edge_score``, ``edge_sign``, ``measured`` (N,)
    bool, ``node_id`` (N,), ``cell`` (1,), ``y`` (1,). With ``own`` it is the cell's own graph
    instead, see `Batch.to_pyg`. Pickles as the training set's folder.
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
        self.reader = reader
        self.split = split
        self.own = own
        self.threshold = threshold
        self.keep_unmeasured = keep_unmeasured
        self._rows = reader.manifest.rows(split)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> Data:
        if not -len(self) <= i < len(self):
            raise IndexError(f"cell {i} of {len(self)}")
        row = self._rows[i : i + 1 or None] if i != -1 else self._rows[-1:]
        batch = self.reader.read(row)
        if self.own:
            cut = batch.to_pyg(
                own=True, threshold=self.threshold, keep_unmeasured=self.keep_unmeasured
            )
            return cut.get_example(0)
        graph = batch.graph
        one = Data(x=batch.x.view(-1, 1), edge_index=graph.edge_index, num_nodes=graph.num_nodes)
        one.node_id = torch.arange(graph.num_nodes)
        one.measured = batch.measured[0]
        for name in EDGE_ATTRIBUTES:
            one[name] = getattr(graph, name)
        one.cell = batch.cell
        if batch.y.ndim == 1:
            one.y = batch.y
        return one
