"""Batches of cells as `HeteroData`, by type, on a topology that is kept (extra ``pyg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Batch as PygBatch
from torch_geometric.data import HeteroData

from tosg.export.batches.pyg import to_hetero

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.export.batches.graph_tensors import GraphTensors

#: Attributes of edges that a batch repeats for each cell.
_EDGE_ATTRIBUTES = ("edge_score", "edge_sign")


class HeteroCellBatch(PygBatch):  # type: ignore[misc]  # torch_geometric's metaclass is untyped
    """A batch of typed graphs that share one topology; it takes its graphs apart itself."""

    def get_example(self, idx: int) -> HeteroData:
        """Graph ``idx`` as `HeteroData`."""
        n_graphs = len(self.cell)
        i = int(idx) + (n_graphs if idx < 0 else 0)
        if not 0 <= i < n_graphs:
            raise IndexError(f"graph {idx} of {n_graphs}")
        one: Any = HeteroData()
        for label in self.node_types:
            store, n = self[label], int(self[label].ptr[1])
            nodes = slice(i * n, (i + 1) * n)
            for name in ("x", "node_id", "measured"):
                one[label][name] = store[name][nodes]
            one[label].num_nodes = n
        for kind in self.edge_types:
            store, e = self[kind], self[kind].edge_index.shape[1] // n_graphs
            one[kind].edge_index = store.edge_index[:, :e]
            for name in _EDGE_ATTRIBUTES:
                one[kind][name] = store[name][:e]
        one.cell = self.cell[i : i + 1]
        if self.y.ndim == 1:
            one.y = self.y[i : i + 1]
        return one

    @property
    def num_graphs(self) -> int:
        """Number of cells."""
        return len(self.cell)


class HeteroTopology:
    """The topology by type, repeated for B cells and kept for at most ``keep`` sizes of batches."""

    def __init__(
        self,
        graph: GraphTensors,
        node_types: Sequence[str],
        edge_types: Sequence[str],
        keep: int = 2,
    ) -> None:
        self.typed = to_hetero(graph, node_types, edge_types, texts=False)
        self.keep = keep
        self._made: dict[int, dict[Any, dict[str, Tensor]]] = {}

    def batch(self, x: Tensor, measured: Tensor, y: Tensor, cell: Tensor) -> HeteroCellBatch:
        """Make a batch of cells on this topology.

        Parameters
        ----------
        x : (B, N) float32
        measured : (B, N) bool
        y, cell : (B,)
        """
        b = len(cell)
        batch = HeteroCellBatch(_base_cls=HeteroData)
        if b not in self._made:
            if len(self._made) >= self.keep:
                self._made.pop(next(iter(self._made)))
            self._made[b] = self._expand(b)
        for key, tensors in self._made[b].items():
            for name, tensor in tensors.items():
                batch[key][name] = tensor
        for label in self.typed.node_types:
            members = self.typed[label].node_id
            batch[label].x = x[:, members].reshape(-1, 1)
            batch[label].measured = measured[:, members].reshape(-1)
            batch[label].num_nodes = b * len(members)
        batch.y, batch.cell = y, cell
        return batch

    def _expand(self, b: int) -> dict[Any, dict[str, Tensor]]:
        made: dict[Any, dict[str, Tensor]] = {}
        for label in self.typed.node_types:
            members = self.typed[label].node_id
            n, device = len(members), members.device
            made[label] = {
                "node_id": members.repeat(b),
                "batch": torch.arange(b, device=device).repeat_interleave(n),
                "ptr": torch.arange(b + 1, device=device) * n,
            }
        for kind in self.typed.edge_types:
            store = self.typed[kind]
            sizes = [self.typed[kind[end]].num_nodes for end in (0, 2)]
            device, e = store.edge_index.device, store.edge_index.shape[1]
            shift = torch.arange(b, device=device).view(1, b) * torch.tensor(
                sizes, device=device
            ).view(2, 1)
            index = store.edge_index.view(2, 1, e) + shift.view(2, b, 1)
            made[kind] = {"edge_index": index.reshape(2, b * e)}
            for name in _EDGE_ATTRIBUTES:
                made[kind][name] = store[name].repeat(b)
        return made
