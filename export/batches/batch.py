"""A batch of cells over one shared topology: sparse rows in, tensors on a device out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.export.batches.graph_tensors import GraphTensors
    from tosg.export.batches.own_graphs import OwnBatch, OwnGraphs
    from tosg.export.batches.pyg import CellBatch, TopologyCache
    from tosg.export.batches.pyg_hetero import HeteroCellBatch, HeteroTopology


class Topology:
    """The shared topology on one device, with what is expanded from it."""

    def __init__(
        self, graph: GraphTensors, node_types: Sequence[str] = (), edge_types: Sequence[str] = ()
    ) -> None:
        self.graph = graph
        self.node_types = list(node_types)
        self.edge_types = list(edge_types)

    @cached_property
    def expanded(self) -> TopologyCache:
        """The topology repeated for batches of `torch_geometric` (extra ``pyg``)."""
        from tosg.export.batches.pyg import TopologyCache

        return TopologyCache(self.graph)

    @cached_property
    def typed(self) -> HeteroTopology:
        """The topology by type, repeated for batches of `HeteroData` (extra ``pyg``)."""
        from tosg.export.batches.pyg_hetero import HeteroTopology

        return HeteroTopology(self.graph, self.node_types, self.edge_types)

    @cached_property
    def own(self) -> OwnGraphs:
        """The topology indexed for cutting out the graphs of cells (extra ``pyg``)."""
        from tosg.export.batches.own_graphs import OwnGraphs

        return OwnGraphs(self.graph)


class SparseTensors(NamedTuple):
    """Rows of a sparse matrix in CSR form, on one device.

    Attributes
    ----------
    indptr : (B + 1,) int64
    indices : (nnz,) int32
    values : (nnz,) float32
    """

    indptr: Tensor
    indices: Tensor
    values: Tensor


class Values(Protocol):
    """The abundances of a batch, sparse and dense; each is made when it is asked for."""

    def sparse(self) -> SparseTensors:
        """Sparse rows on the batch's device."""
        ...

    def dense(self) -> Tensor:
        """Dense rows (B, N) float32 on the batch's device."""
        ...


class Batch:
    """Cells of one batch, on one device; the topology is there once, shared by all of them.

    Attributes
    ----------
    y : (B,) int64 or float32
        Target: class number for a categorical target, the number itself for a numeric one; (B, 0)
        where the training set has no target.
    cell : (B,) int64
        Row in ``cells.parquet``.
    dataset : (B,) int64
        Row in `measured_by_dataset`.
    measured_by_dataset : (datasets, N) bool
    topology : Topology
        The shared topology, on the batch's device.
    """

    def __init__(
        self,
        *,
        y: Tensor,
        cell: Tensor,
        dataset: Tensor,
        values: Values,
        measured_by_dataset: Tensor,
        topology: Topology,
    ) -> None:
        self.y = y
        self.cell = cell
        self.dataset = dataset
        self.measured_by_dataset = measured_by_dataset
        self.topology = topology
        self._values = values

    def __repr__(self) -> str:
        return f"Batch({len(self)} cells, {self.num_nodes} nodes, {self.y.device})"

    def __len__(self) -> int:
        return len(self.cell)

    @property
    def graph(self) -> GraphTensors:
        """The shared topology."""
        return self.topology.graph

    @property
    def num_nodes(self) -> int:
        """Nodes of the topology, N."""
        return self.graph.num_nodes

    @property
    def indptr(self) -> Tensor:
        """(B + 1,) int64: cell ``i`` has the stored values ``indptr[i]:indptr[i + 1]``."""
        return self._sparse.indptr

    @property
    def indices(self) -> Tensor:
        """(nnz,) int32: node of each stored value."""
        return self._sparse.indices

    @property
    def values(self) -> Tensor:
        """(nnz,) float32: abundances in `TrainingSet.unit` (after ``normalize``)."""
        return self._sparse.values

    @property
    def _sparse(self) -> SparseTensors:
        return self._values.sparse()

    @cached_property
    def x(self) -> Tensor:
        """Dense abundances (B, N) float32; what was not measured or is zero is 0.

        The tensor is the batch's own: it may be changed in place.
        """
        return self._values.dense()

    @cached_property
    def measured(self) -> Tensor:
        """Whether the cell's data set measured the node (B, N) bool. Unmeasured is not zero."""
        if len(self.measured_by_dataset) == 1:
            return self.measured_by_dataset.expand(len(self), -1)
        return self.measured_by_dataset[self.dataset]

    @property
    def edge_index(self) -> Tensor:
        """(2, E) int64, shared by every cell; E may be 0."""
        return self.graph.edge_index

    @property
    def edge_type(self) -> Tensor:
        """(E,) int64, number of the relationship type."""
        return self.graph.edge_type

    @property
    def edge_score(self) -> Tensor:
        """(E,) float32 in 0..1, NaN where no source gives one."""
        return self.graph.edge_score

    @property
    def edge_sign(self) -> Tensor:
        """(E,) int8: 1 raises, -1 lowers, 0 unknown or without sign."""
        return self.graph.edge_sign

    @property
    def edge_lifted(self) -> Tensor:
        """(E,) bool: whether the edge was lifted from another level."""
        return self.graph.edge_lifted

    def to_pyg(
        self, *, own: bool = False, threshold: float = 0.0, keep_unmeasured: bool = False
    ) -> CellBatch | OwnBatch:
        """Make a `torch_geometric` batch of B graphs (extra ``pyg``).

        Each graph has all N nodes, on the shared topology: ``x`` (B * N, 1) float32 and ``node_id``
        (B * N,) int64 into the shared ``graph.text_embedding``; ``to_data_list()`` works. The
        topology is expanded once per batch size and kept on the device.

        Parameters
        ----------
        own : bool
            Give each cell a graph of its own instead: the nodes that it expresses and the edges
            between them, with ``node_id`` and ``edge_id`` as the map back to the shared topology.
        threshold : float
            With `own`, a node is expressed where its value is greater.
        keep_unmeasured : bool
            With `own`, whether nodes that were not measured (pathways too) belong to every graph.
            Their ``x`` is 0 and their ``measured`` false.
        """
        shared = len(self.measured_by_dataset) == 1
        measured = self.measured_by_dataset if shared else self.measured
        if not own:
            return self.topology.expanded.batch(self.x, measured, self.y, self.cell)
        return self.topology.own.batch(
            self.x,
            measured,
            self.y,
            self.cell,
            threshold=threshold,
            keep_unmeasured=keep_unmeasured,
        )

    def to_hetero(self) -> HeteroCellBatch:
        """The batch as `HeteroData`: the typed graph once per cell (extra ``pyg``).

        For each label ``x`` (B * n, 1) float32, ``measured`` (B * n,) bool, ``node_id`` (B * n,)
        into the rows of ``nodes.parquet``, ``batch`` and ``ptr``; for each (label, relationship
        type, label) ``edge_index`` (2, B * e), ``edge_score``, ``edge_sign``; ``y`` and ``cell``
        (B,). ``to_data_list()`` works; the topology is expanded once per batch size.
        """
        return self.topology.typed.batch(self.x, self.measured, self.y, self.cell)


def scatter_rows(sparse: SparseTensors, n_nodes: int) -> Tensor:
    """Make rows dense on their device: (B, N) float32."""
    b, device = len(sparse.indptr) - 1, sparse.values.device
    x = torch.zeros(b * n_nodes, dtype=torch.float32, device=device)
    start = torch.arange(b, device=device) * n_nodes
    flat = torch.repeat_interleave(start, sparse.indptr.diff(), output_size=len(sparse.values))
    # A node occurs once a row (the shards are merged over variables), so this writes, not adds.
    return x.scatter_(0, flat.add_(sparse.indices), sparse.values).view(b, n_nodes)
