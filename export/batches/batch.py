"""A batch of cells over one shared topology: sparse rows in, tensors on a device out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.export.batches.graph_tensors import GraphTensors
    from tosg.export.batches.pyg import CellBatch, TopologyCache


class Topology:
    """The shared topology on one device, with what is expanded from it."""

    def __init__(self, graph: GraphTensors) -> None:
        self.graph = graph

    @cached_property
    def expanded(self) -> TopologyCache:
        """The topology repeated for batches of `torch_geometric` (extra ``pyg``)."""
        from tosg.export.batches.pyg import TopologyCache

        return TopologyCache(self.graph)


@dataclass
class Batch:
    """Cells of one batch, on one device; the topology is there once, shared by all of them.

    Attributes
    ----------
    indptr : (B + 1,) int64
    indices : (nnz,) int32
        Node of each stored value.
    values : (nnz,) float32
        Abundance, in `TrainingSet.unit` (after ``normalize``).
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

    indptr: Tensor
    indices: Tensor
    values: Tensor
    y: Tensor
    cell: Tensor
    dataset: Tensor
    measured_by_dataset: Tensor
    topology: Topology = field(repr=False)

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

    @cached_property
    def x(self) -> Tensor:
        """Dense abundances (B, N) float32; what was not measured or is zero is 0.

        Made on the batch's device from the sparse rows, at first use.
        """
        b, n = len(self), self.num_nodes
        if self.values.device.type == "cpu":
            return torch.from_numpy(_dense(b, n, self.indptr, self.indices, self.values))
        x = torch.zeros(b * n, dtype=torch.float32, device=self.values.device)
        start = torch.arange(b, device=self.values.device) * n
        flat = torch.repeat_interleave(start, self.indptr.diff(), output_size=len(self.values))
        # A node occurs once a row (the shards are merged over variables), so this writes, not adds.
        return x.scatter_(0, flat.add_(self.indices), self.values).view(b, n)

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

    def to_pyg(self) -> CellBatch:
        """Make a `torch_geometric` batch of B graphs with N nodes each.

        ``x`` (B * N, 1) float32 and ``node_id`` (B * N,) int64 into the shared
        ``graph.text_embedding``; ``to_data_list()`` works. The topology is expanded once per batch
        size and kept on the device.
        """
        shared = len(self.measured_by_dataset) == 1
        measured = self.measured_by_dataset if shared else self.measured
        return self.topology.expanded.batch(self.x, measured, self.y, self.cell)


def _dense(b: int, n: int, indptr: Tensor, indices: Tensor, values: Tensor) -> NDArray[np.float32]:
    """Make rows dense on the CPU by numpy, in this thread.

    `torch` would use all cores for each of these small steps, and its threads wait for each other:
    with other work on the machine that took 200 times as long.
    """
    x = np.zeros(b * n, dtype=np.float32)
    flat = np.repeat(np.arange(b) * n, np.diff(indptr.numpy()))
    flat += indices.numpy()
    x[flat] = values.numpy()
    return x.reshape(b, n)
