"""Batches and the typed graph as `torch_geometric` objects (extra ``pyg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Batch as PygBatch
from torch_geometric.data import Data, HeteroData

from tosg.export.batches.device import check_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.export.batches.graph_tensors import GraphTensors

#: Edge attributes that a batch repeats for each cell.
EDGE_ATTRIBUTES = ("edge_type", "edge_score", "edge_sign")


class CellBatch(PygBatch):  # type: ignore[misc]  # torch_geometric's metaclass is untyped
    """A `torch_geometric` batch whose graphs share one topology.

    Made without a list of `Data`, so it takes its graphs apart by itself: graph ``i`` is row ``i``
    of ``x`` over the topology that is kept once.
    """

    def get_example(self, idx: int) -> Data:
        """Graph ``idx`` as a `Data` on the shared topology."""
        n_graphs = self.num_graphs
        i = int(idx) + (n_graphs if idx < 0 else 0)
        if not 0 <= i < n_graphs:
            raise IndexError(f"graph {idx} of {n_graphs}")
        n, e = int(self.ptr[1]), self.edge_index.shape[1] // n_graphs
        nodes, edges = slice(i * n, (i + 1) * n), slice(0, e)
        one = Data(x=self.x[nodes], edge_index=self.edge_index[:, edges], num_nodes=n)
        one.node_id = self.node_id[nodes]
        one.measured = self.measured[nodes]
        for name in EDGE_ATTRIBUTES:
            one[name] = self[name][edges]
        one.cell = self.cell[i : i + 1]
        if self.y.ndim == 1:
            one.y = self.y[i : i + 1]
        return one


class TopologyCache:
    """The topology repeated for B cells, made once per batch size and kept on the device.

    Holds at most ``keep`` sizes: an epoch has its batch size and that of its last batch.
    """

    def __init__(self, graph: GraphTensors, keep: int = 2) -> None:
        self.graph = graph
        self.keep = keep
        self._made: dict[int, dict[str, Tensor]] = {}

    def batch(self, x: Tensor, measured: Tensor, y: Tensor, cell: Tensor) -> CellBatch:
        """Make a batch of cells on this topology.

        Parameters
        ----------
        x : (B, N) float32
        measured : (B, N) bool, or (1, N) where it is the same for every cell of the training set
        y, cell : (B,)
        """
        b, n = len(cell), self.graph.num_nodes
        batch = CellBatch(_base_cls=Data)
        batch.x = x.view(b * n, 1)
        if len(measured) > 1:
            batch.measured = measured.view(b * n)
        batch.y = y
        batch.cell = cell
        for name, tensor in self.expanded(b, measured).items():
            batch[name] = tensor
        return batch

    def expanded(self, b: int, measured: Tensor) -> dict[str, Tensor]:
        """The topology of ``b`` cells: every tensor that does not depend on which cells."""
        if b not in self._made:
            if len(self._made) >= self.keep:
                self._made.pop(next(iter(self._made)))
            self._made[b] = self._expand(b, measured)
        return self._made[b]

    def _expand(self, b: int, measured: Tensor) -> dict[str, Tensor]:
        graph = self.graph
        n, e, device = graph.num_nodes, graph.edge_index.shape[1], graph.edge_index.device
        of_an_edge = sum(getattr(graph, name).itemsize for name in EDGE_ATTRIBUTES) + 16
        check_fits(b * (e * of_an_edge + n * 16), b, str(device), "the nodes and edges")
        shift = (torch.arange(b, device=device) * n).view(1, b, 1)
        made = {
            "edge_index": (graph.edge_index.view(2, 1, e) + shift).reshape(2, b * e),
            "node_id": torch.arange(n, device=device).repeat(b),
            "batch": torch.arange(b, device=device).repeat_interleave(n),
            "ptr": torch.arange(b + 1, device=device) * n,
        }
        for name in EDGE_ATTRIBUTES:
            made[name] = getattr(graph, name).repeat(b)
        if len(measured) == 1:
            made["measured"] = measured[0].repeat(b)
        return made


def to_hetero(
    graph: GraphTensors,
    node_types: Sequence[str],
    edge_types: Sequence[str],
    *,
    texts: bool = True,
) -> HeteroData:
    """The graph by type, with or without its text vectors: see `TrainingSet.to_hetero`."""
    hetero: Any = HeteroData()
    local = torch.empty(graph.num_nodes, dtype=torch.int64, device=graph.device)
    for number, label in enumerate(node_types):
        members = torch.nonzero(graph.node_type == number).flatten()
        if not len(members):
            continue
        local[members] = torch.arange(len(members), device=graph.device)
        hetero[label].num_nodes = len(members)
        hetero[label].node_id = members
        if texts:
            hetero[label].x = graph.text_embedding[members]
            hetero[label].has_text = graph.has_text[members]
    _add_edges(hetero, graph, node_types, edge_types, local)
    return hetero


def _add_edges(
    hetero: Any,
    graph: GraphTensors,
    node_types: Sequence[str],
    edge_types: Sequence[str],
    local: Tensor,
) -> None:
    source, target = graph.edge_index
    n_labels, n_types = len(node_types), max(len(edge_types), 1)
    # One number per (source type, edge type, target type).
    kind = (
        graph.node_type[source].long() * n_types + graph.edge_type.long()
    ) * n_labels + graph.node_type[target].long()
    for number in torch.unique(kind).tolist():
        chosen = kind == number
        pair, end = divmod(number, n_labels)
        start, relation = divmod(pair, n_types)
        store = hetero[node_types[start], edge_types[relation], node_types[end]]
        store.edge_index = local[graph.edge_index[:, chosen]]
        store.edge_score = graph.edge_score[chosen]
        store.edge_sign = graph.edge_sign[chosen]
        store.edge_lifted = graph.edge_lifted[chosen]
