"""A training set as `FeatureStore` and `GraphStore` of `torch_geometric`, read from its files.

Nodes, texts and edges stay memory-mapped: a loader reads the rows that it has sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import EdgeAttr, FeatureStore, GraphStore, TensorAttr

from tosg.errors import ConfigError
from tosg.export.batches.neighbor_samplers import LayerSampler, MappedNeighborSampler
from tosg.export.batches.pyg import EDGE_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.export.batches.by_target import NodeGroups, TargetEdges, Triple
    from tosg.export.batches.graph_tensors import GraphTensors

    Int64s = NDArray[np.int64]


def _refuse(what: str) -> ConfigError:
    return ConfigError(
        f"a training set does not take {what}",
        where="stores",
        hint="add tensors to the batches, as in a transform of the loader",
    )


class NodeFeatures(FeatureStore):  # type: ignore[misc]  # untyped
    """Features of the nodes by group (a label, or None for all).

    ``x`` (n, D) float32 or float16 the text vectors, zeros without text; ``has_text`` (n,) bool;
    ``node_id`` (n,) int64, rows of ``nodes.parquet``; and, where cells were named, ``abundance``
    (n, B) float32 and ``measured`` (n, B) bool.

    Parameters
    ----------
    graph : GraphTensors
    groups : NodeGroups
    abundance, measured : (N, B) tensors, optional
        Of the cells that were named.
    """

    def __init__(
        self,
        graph: GraphTensors,
        groups: NodeGroups,
        abundance: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.graph = graph
        self.groups = groups
        self._of_cells = {} if abundance is None else {"abundance": abundance, "measured": measured}

    @cached_property
    def _vector_row(self) -> Tensor:
        """Row of each node in the vectors of nodes with text; -1 without."""
        has = self.graph.has_text
        return torch.where(has, torch.cumsum(has, 0) - 1, -1)

    def _names(self) -> list[str]:
        return ["x", "has_text", "node_id", *self._of_cells]

    def _get_tensor(self, attr: TensorAttr) -> Tensor | None:
        if attr.group_name not in self.groups.members or attr.attr_name not in self._names():
            return None
        rows = torch.from_numpy(self.groups.members[attr.group_name])
        if attr.index is not None:
            index = attr.index
            rows = rows[torch.as_tensor(index) if isinstance(index, np.ndarray) else index]
            rows = rows.reshape(-1)
        if attr.attr_name == "node_id":
            return rows
        if attr.attr_name == "has_text":
            return self.graph.has_text[rows]
        if attr.attr_name in self._of_cells:
            chosen: Tensor = self._of_cells[attr.attr_name][rows]  # type: ignore[index]
            return chosen
        return self._vectors(rows)

    def _vectors(self, rows: Tensor) -> Tensor:
        vectors, places = self.graph.text_vectors, self._vector_row[rows]
        found = vectors.new_zeros(len(rows), vectors.shape[1])
        has = places >= 0
        found[has] = vectors[places[has]]
        return found

    def _get_tensor_size(self, attr: TensorAttr) -> tuple[int, ...]:
        n = len(self.groups.members[attr.group_name])
        if attr.attr_name == "x":
            return (n, self.graph.text_vectors.shape[1])
        if attr.attr_name in self._of_cells:
            return (n, self._of_cells[attr.attr_name].shape[1])  # type: ignore[union-attr]
        return (n,)

    def get_all_tensor_attrs(self) -> list[TensorAttr]:
        """List what there is, by group and name."""
        return [
            TensorAttr(group_name=group, attr_name=name)
            for group in self.groups.members
            for name in self._names()
        ]

    def _put_tensor(self, tensor: Any, attr: TensorAttr) -> bool:  # noqa: ARG002
        raise _refuse("other features")

    def _remove_tensor(self, attr: TensorAttr) -> bool:  # noqa: ARG002
        raise _refuse("the removal of features")


class StoredTopology(GraphStore):  # type: ignore[misc]  # untyped
    """Edges by (label, relationship type, label), or one kind called None; in CSC form."""

    def __init__(self, edges: Mapping[Triple | None, TargetEdges]) -> None:
        super().__init__()
        self.edges = dict(edges)

    def _get_edge_index(self, edge_attr: EdgeAttr) -> tuple[Tensor, Tensor] | None:
        found = self.edges.get(edge_attr.edge_type)
        if found is None or edge_attr.layout.value != "csc":
            return None
        return _mapped(found.row), _mapped(found.colptr)

    def get_all_edge_attrs(self) -> list[EdgeAttr]:
        """List the kinds of edges, with the numbers of nodes at their ends."""
        return [
            EdgeAttr(edge_type=t, layout="csc", size=(e.n_sources, e.n_targets))
            for t, e in self.edges.items()
        ]

    def _put_edge_index(self, edge_index: Any, edge_attr: EdgeAttr) -> bool:  # noqa: ARG002
        raise _refuse("other edges")

    def _remove_edge_index(self, edge_attr: EdgeAttr) -> bool:  # noqa: ARG002
        raise _refuse("the removal of edges")


def _mapped(array: NDArray[Any]) -> Tensor:
    """A tensor over a mapped file; it is never written to."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array.view(np.ndarray))


@dataclass(frozen=True)
class PygStores:
    """Both stores of a training set, and samplers that read them without ``pyg-lib``.

    Attributes
    ----------
    features : NodeFeatures
    topology : StoredTopology
    """

    features: NodeFeatures
    topology: StoredTopology

    @property
    def pair(self) -> tuple[NodeFeatures, StoredTopology]:
        """What loaders of `torch_geometric` take as ``data``."""
        return self.features, self.topology

    def sampler(
        self,
        num_neighbors: Sequence[int] | Mapping[Triple, Sequence[int]],
        *,
        replace: bool = False,
    ) -> MappedNeighborSampler:
        """Sample neighbours for `NeighborLoader` and `LinkNeighborLoader` (``neighbor_sampler``).

        Parameters
        ----------
        num_neighbors : sequence of int, or mapping of kinds of edges to them
            Per hop; -1 takes all.
        replace : bool
            Whether a neighbour may be taken more than once.
        """
        return MappedNeighborSampler(
            self.topology.edges, self._sizes(), num_neighbors, replace=replace
        )

    def layer_sampler(self, num_samples: Sequence[int]) -> LayerSampler:
        """Sample layers as `HGTLoader` does, for `NodeLoader` (``node_sampler``).

        Parameters
        ----------
        num_samples : sequence of int
            Nodes of each label per hop.
        """
        return LayerSampler(self.topology.edges, self._sizes(), num_samples)

    def _sizes(self) -> dict[str | None, int]:
        return {group: len(nodes) for group, nodes in self.features.groups.members.items()}

    def add_edge_attributes(self, data: Any) -> Any:
        """Add type, score and sign of the edges by ``e_id``; a ``transform`` of loaders."""
        graph = self.features.graph
        stores = getattr(data, "edge_stores", [data])
        for store in stores:
            for name in EDGE_ATTRIBUTES:
                if "e_id" in store:
                    store[name] = getattr(graph, name)[store.e_id]
        return data
