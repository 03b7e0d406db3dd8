"""Each cell's own graph: the nodes that it expresses and the edges between them (extra ``pyg``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch as PygBatch
from torch_geometric.data import Data

from tosg.export.batches.kernels import find_inner_edges
from tosg.export.batches.pyg import EDGE_ATTRIBUTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.export.batches.graph_tensors import GraphTensors

    Int64s = NDArray[np.int64]


class OwnGraphs:
    """Cuts the subgraphs of cells out of the shared topology.

    The edges are indexed by source once; a cell's graph costs what its own nodes' edges cost, not
    what all edges do.

    Parameters
    ----------
    graph : GraphTensors
        The shared topology.
    """

    def __init__(self, graph: GraphTensors) -> None:
        self._device = graph.device
        self._attributes = {name: getattr(graph, name) for name in EDGE_ATTRIBUTES}
        index = graph.edge_index.cpu().numpy()
        self._index = index
        self._order = np.argsort(index[0], kind="stable")
        self._target = index[1][self._order]
        counts = np.bincount(index[0], minlength=graph.num_nodes)
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def cut(self, inside: NDArray[np.bool_]) -> tuple[Int64s, Int64s, Int64s]:
        """Cut out the subgraph of some nodes.

        Parameters
        ----------
        inside : (N,) bool
            The nodes.

        Returns
        -------
        nodes : (n,) int64
            Their numbers in the shared topology, increasing.
        edges : (e,) int64
            Numbers of the edges between them, increasing.
        edge_index : (2, e) int64
            Ends of those as positions in `nodes`.
        """
        nodes = np.flatnonzero(inside)
        room = int((self._start[nodes + 1] - self._start[nodes]).sum())
        found = np.empty(room, np.int64)
        n = find_inner_edges(nodes, inside, self._start, self._order, self._target, found)
        edges = np.sort(found[:n])
        row = np.empty(len(inside), np.int64)
        row[nodes] = np.arange(len(nodes))
        return nodes, edges, row[self._index[:, edges]]

    def batch(
        self,
        x: Tensor,
        measured: Tensor,
        y: Tensor,
        cell: Tensor,
        *,
        threshold: float,
        keep_unmeasured: bool,
    ) -> OwnBatch:
        """Make a batch of the own graphs of cells.

        Parameters
        ----------
        x : (B, N) float32
        measured : (B, N) bool, or (1, N) where it is the same for every cell
        y, cell : (B,)
        threshold : float
            A node is expressed where its value is greater.
        keep_unmeasured : bool
            Whether nodes that were not measured (pathways too) belong to every cell's graph.
        """
        values, known = x.cpu().numpy(), np.broadcast_to(measured.cpu().numpy(), x.shape)
        inside = values > threshold
        if keep_unmeasured:
            inside |= ~known
        parts = [self.cut(row) for row in inside]
        sizes = np.array([len(nodes) for nodes, _, _ in parts], np.int64)
        edge_sizes = np.array([len(edges) for _, edges, _ in parts], np.int64)
        ptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        nodes = _join([nodes for nodes, _, _ in parts])
        edges = torch.from_numpy(_join([edges for _, edges, _ in parts])).to(self._device)
        shift = np.repeat(ptr[:-1], edge_sizes)
        batch = OwnBatch(_base_cls=Data)
        batch.x = torch.from_numpy(values[inside]).view(-1, 1).to(self._device)
        index = np.concatenate([np.empty((2, 0), np.int64), *(part[2] for part in parts)], axis=1)
        batch.edge_index = torch.from_numpy(index + shift).to(self._device)
        batch.node_id = torch.from_numpy(nodes).to(self._device)
        batch.edge_id = edges
        batch.measured = torch.from_numpy(known[inside]).to(self._device)
        for name, attribute in self._attributes.items():
            batch[name] = attribute[edges]
        batch.y, batch.cell = y, cell
        batch.batch = torch.from_numpy(np.repeat(np.arange(len(parts)), sizes)).to(self._device)
        batch.ptr = torch.from_numpy(ptr).to(self._device)
        batch.edge_ptr = torch.from_numpy(np.append(0, np.cumsum(edge_sizes))).to(self._device)
        return batch


def _join(parts: list[Int64s]) -> Int64s:
    return np.concatenate([np.empty(0, np.int64), *parts])


class OwnBatch(PygBatch):  # type: ignore[misc]  # torch_geometric's metaclass is untyped
    """A `torch_geometric` batch of graphs of different sizes, which takes its graphs apart itself.

    Besides the attributes of a batch: ``node_id`` and ``edge_id``, the numbers of nodes and edges
    in the shared topology, and ``edge_ptr`` (B + 1,), where the edges of each graph begin.
    """

    def get_example(self, idx: int) -> Data:
        """Graph ``idx`` as a `Data`."""
        n_graphs = self.num_graphs
        i = int(idx) + (n_graphs if idx < 0 else 0)
        if not 0 <= i < n_graphs:
            raise IndexError(f"graph {idx} of {n_graphs}")
        nodes = slice(int(self.ptr[i]), int(self.ptr[i + 1]))
        edges = slice(int(self.edge_ptr[i]), int(self.edge_ptr[i + 1]))
        one = Data(x=self.x[nodes], num_nodes=nodes.stop - nodes.start)
        one.edge_index = self.edge_index[:, edges] - nodes.start
        for name in ("node_id", "measured"):
            one[name] = self[name][nodes]
        for name in ("edge_id", *EDGE_ATTRIBUTES):
            one[name] = self[name][edges]
        one.cell = self.cell[i : i + 1]
        if self.y.ndim == 1:
            one.y = self.y[i : i + 1]
        return one
