"""Samplers of `torch_geometric` over memory-mapped edges, compiled, without ``pyg-lib``.

Random numbers follow `torch.manual_seed`, so that a run can be repeated, and differ between the
workers of a loader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
    SamplerOutput,
)
from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

from tosg.errors import ConfigError, unknown
from tosg.export.batches.neighbor_kernels import number_nodes, pick_edges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.export.batches.by_target import TargetEdges, Triple

    Int64s = NDArray[np.int64]

#: Neighbours of a node that add to the budgets of a layer: hubs have many more.
_MOST_NEIGHBORS = 520


def _random_state() -> NDArray[np.uint64]:
    return np.array([int(torch.randint(2**62, (1,)))], np.uint64)


def pick(
    edges: TargetEdges, targets: Int64s, k: int, state: NDArray[np.uint64], *, replace: bool = False
) -> tuple[Int64s, Int64s]:
    """Pick edges that lead to some targets.

    Returns
    -------
    position : (m,) int64
        Of each edge in the arrays of `edges`.
    place : (m,) int64
        Of its target in `targets`.
    """
    degree = edges.colptr[targets + 1] - edges.colptr[targets]
    if k >= 0:
        degree = np.where(degree > 0, k, 0) if replace else np.minimum(degree, k)
    room = int(degree.sum())
    position, place = np.empty(room, np.int64), np.empty(room, np.int64)
    n = pick_edges(targets, np.asarray(edges.colptr), k, replace, state, position, place)
    return position[:n], place[:n]


class _Numbering:
    """Nodes of one group by number, in the order in which they came."""

    def __init__(self, size: int) -> None:
        self.nodes = np.empty(0, np.int64)
        self.place = np.full(size, -1, np.int64)
        self.per_hop: list[int] = []
        self.frontier = 0  # the first node of the latest hop

    def add(self, found: Int64s) -> Int64s:
        """Give nodes their numbers, (m,) int64; new ones are appended."""
        n = len(self.nodes)
        room = np.empty(n + len(found), np.int64)
        room[:n] = self.nodes
        numbers = np.array(found)
        count = number_nodes(numbers, self.place, room, n)
        self.nodes = room[:count]
        return numbers

    def end_hop(self) -> None:
        """Count what came since the last hop."""
        self.per_hop.append(len(self.nodes) - sum(self.per_hop))


class MappedNeighborSampler(BaseSampler):  # type: ignore[misc]  # untyped
    """Samples neighbours hop by hop, as PyG's own sampler does with ``subgraph_type=directional``.

    Parameters
    ----------
    edges : mapping
        Kinds of edges, by target.
    sizes : mapping
        Number of nodes per group.
    num_neighbors : sequence of int, or mapping of kinds to them
    replace : bool

    Raises
    ------
    ConfigError
        Kinds differ in their number of hops, or there is none.
    UsageError
        There is no such kind of edges.
    """

    def __init__(
        self,
        edges: Mapping[Triple | None, TargetEdges],
        sizes: Mapping[str | None, int],
        num_neighbors: Sequence[int] | Mapping[Triple, Sequence[int]],
        *,
        replace: bool = False,
    ) -> None:
        self.edges = dict(edges)
        self.sizes = dict(sizes)
        self.replace = replace
        self.by_type = list(self.sizes) != [None]
        given = num_neighbors
        self.num_neighbors: dict[Triple | None, list[int]] = (
            {kind: list(counts) for kind, counts in given.items()}
            if isinstance(given, dict)
            else {kind: list(given) for kind in self.edges}  # type: ignore[arg-type]
        )
        for kind in self.num_neighbors:
            if kind not in self.edges:
                names = ["__".join(k) for k in self.edges if k is not None]
                raise unknown("kind of edges", "__".join(kind or ()), names, where="num_neighbors")
        hops = {len(counts) for counts in self.num_neighbors.values()}
        if len(hops) > 1:
            raise ConfigError(
                "kinds of edges have different numbers of hops",
                where="num_neighbors",
                found=", ".join(map(str, sorted(hops))),
                expected="one number of hops",
            )
        self.hops = hops.pop() if hops else 0

    def sample_from_nodes(
        self, index: NodeSamplerInput, **_: Any
    ) -> SamplerOutput | HeteroSamplerOutput:
        """Sample around nodes; what `NodeLoader` calls."""
        return node_sample(index, self._sample)

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> SamplerOutput | HeteroSamplerOutput:
        """Sample around the ends of edges; what `LinkLoader` calls."""
        sizes = self.sizes if self.by_type else self.sizes[None]
        return edge_sample(index, self._sample, sizes, False, None, neg_sampling)

    @property
    def edge_permutation(self) -> Any:
        """Number of each edge in `GraphTensors.edge_index`, by kind."""
        numbers = {k: torch.from_numpy(np.array(e.edge)) for k, e in self.edges.items()}
        return numbers if self.by_type else numbers.get(None)

    def _sample(
        self, seed: Tensor | dict[str, Tensor], seed_time: Any = None
    ) -> SamplerOutput | HeteroSamplerOutput:
        if seed_time is not None and any(t is not None for t in _values(seed_time)):
            raise ConfigError("a training set has no times to sample by", where="time_attr")
        seeds: dict[str | None, Tensor] = seed if isinstance(seed, dict) else {None: seed}  # type: ignore[assignment]
        found = {group: _Numbering(size) for group, size in self.sizes.items()}
        for group, nodes in seeds.items():
            found[group].add(nodes.numpy().astype(np.int64))
        for numbering in found.values():
            numbering.end_hop()
        state = _random_state()
        rows, cols, picked, counts = (
            {kind: list[Any]() for kind in self.num_neighbors} for _ in range(4)
        )
        for hop in range(self.hops):
            fronts = {g: (n.frontier, n.nodes[n.frontier :]) for g, n in found.items()}
            for numbering in found.values():
                numbering.frontier = len(numbering.nodes)
            for kind, wanted in self.num_neighbors.items():
                source, target = (None, None) if kind is None else (kind[0], kind[2])
                first, targets = fronts[target]
                position, place = pick(
                    self.edges[kind], targets, wanted[hop], state, replace=self.replace
                )
                rows[kind].append(found[source].add(self.edges[kind].row[position]))
                cols[kind].append(first + place)
                picked[kind].append(position)
                counts[kind].append(len(position))
            for numbering in found.values():
                numbering.end_hop()
        return self._output(found, rows, cols, picked, counts)

    def _output(
        self,
        found: dict[str | None, _Numbering],
        rows: dict[Triple | None, list[Any]],
        cols: dict[Triple | None, list[Any]],
        picked: dict[Triple | None, list[Any]],
        counts: dict[Triple | None, list[Any]],
    ) -> SamplerOutput | HeteroSamplerOutput:
        node = {group: torch.from_numpy(n.nodes) for group, n in found.items()}
        row, col, edge = (
            {kind: _join(parts) for kind, parts in part.items()} for part in (rows, cols, picked)
        )
        per_hop = {group: n.per_hop for group, n in found.items()}
        if not self.by_type:
            return SamplerOutput(
                node=node[None],
                row=row[None],
                col=col[None],
                edge=edge[None],
                num_sampled_nodes=per_hop[None],
                num_sampled_edges=counts[None],
            )
        return HeteroSamplerOutput(
            node=node,
            row=row,
            col=col,
            edge=edge,
            num_sampled_nodes=per_hop,
            num_sampled_edges=counts,
        )


def _values(times: Any) -> list[Any]:
    return list(times.values()) if isinstance(times, dict) else [times]


def _join(parts: list[Int64s]) -> Tensor:
    return torch.from_numpy(np.concatenate([np.empty(0, np.int64), *parts]))


class LayerSampler(BaseSampler):  # type: ignore[misc]  # untyped
    """Samples layers by budgets, as the Heterogeneous Graph Transformer does.

    Each node that was taken gives its neighbours a share of one over its degree; the next layer is
    drawn from each label by the squares of what nodes were given (Hu et al. 2020, algorithms 1
    and 2). Then all edges between the nodes taken are kept. `HGTLoader` of `torch_geometric` does
    the same in memory and needs ``torch-sparse``.

    Parameters
    ----------
    edges, sizes
        As of `MappedNeighborSampler`; by type.
    num_samples : sequence of int
        Nodes of each label per hop.

    Raises
    ------
    ConfigError
        The stores are not by type.
    """

    def __init__(
        self,
        edges: Mapping[Triple | None, TargetEdges],
        sizes: Mapping[str | None, int],
        num_samples: Sequence[int],
    ) -> None:
        if list(sizes) == [None]:
            raise ConfigError(
                "layers are sampled by label",
                where="layer_sampler",
                hint="make the stores with by_type=True",
            )
        self.edges = {kind: e for kind, e in edges.items() if kind is not None}
        self.sizes: dict[str, int] = {str(group): size for group, size in sizes.items()}
        self.num_samples = list(num_samples)

    def sample_from_nodes(self, index: NodeSamplerInput, **_: Any) -> HeteroSamplerOutput:
        """Sample around nodes; what `NodeLoader` calls."""
        state = _random_state()
        random = np.random.default_rng(int(state[0]))
        taken = {group: _Numbering(size) for group, size in self.sizes.items()}
        budget = {group: np.zeros(size) for group, size in self.sizes.items()}
        fresh = {group: np.empty(0, np.int64) for group in self.sizes}
        fresh[index.input_type] = index.node.numpy().astype(np.int64)
        taken[index.input_type].add(fresh[index.input_type])
        for wanted in self.num_samples:
            self._give(budget, fresh, state)
            for group, numbering in taken.items():
                given = budget[group]
                given[numbering.nodes] = 0
                open_ = np.flatnonzero(given)
                n = min(wanted, len(open_))
                weight = given[open_] ** 2
                chosen = (
                    random.choice(open_, n, replace=False, p=weight / weight.sum())
                    if n
                    else (np.empty(0, np.int64))
                )
                fresh[group] = chosen
                numbering.add(chosen)
        return self._edges_between(taken, index)

    def _give(
        self,
        budget: dict[str, NDArray[np.float64]],
        fresh: dict[str, Int64s],
        state: NDArray[np.uint64],
    ) -> None:
        for (source, _, target), edges in self.edges.items():
            targets = fresh[target]
            position, place = pick(edges, targets, _MOST_NEIGHBORS, state)
            share = 1 / np.bincount(place, minlength=len(targets)).clip(1)
            np.add.at(budget[source], edges.row[position], share[place])

    def _edges_between(
        self, taken: dict[str, _Numbering], index: NodeSamplerInput
    ) -> HeteroSamplerOutput:
        row, col, edge = {}, {}, {}
        state = _random_state()
        for kind, edges in self.edges.items():
            source, _, target = kind
            position, place = pick(edges, taken[target].nodes, -1, state)
            numbers = taken[source].place[edges.row[position]]
            inside = numbers >= 0
            row[kind], col[kind], edge[kind] = (
                torch.from_numpy(a[inside]) for a in (numbers, place, position)
            )
        node = {group: torch.from_numpy(n.nodes) for group, n in taken.items()}
        return HeteroSamplerOutput(
            node=node, row=row, col=col, edge=edge, metadata=(index.input_id, index.time)
        )

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> HeteroSamplerOutput:
        """Refused: layers are sampled around nodes, in `torch_geometric` too."""
        raise ConfigError(
            "layers cannot be sampled around edges",
            where="layer_sampler",
            found=f"{index}, {neg_sampling}",
        )

    @property
    def edge_permutation(self) -> Any:
        """Number of each edge in `GraphTensors.edge_index`, by kind."""
        return {kind: torch.from_numpy(np.array(e.edge)) for kind, e in self.edges.items()}
