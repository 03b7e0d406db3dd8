"""The edges of a training set by their target, for sampling neighbours; memory-mapped.

Sorting the edges takes seconds where there are millions, so it is done once and kept beside the
training set, under a hash of its content.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ConfigError, ExportError
from tosg.export.format.manifest import naming_damage
from tosg.files import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.batches.graph_tensors import GraphTensors

    Int64s = NDArray[np.int64]

#: Label of the source, relationship type, label of the target.
Triple = tuple[str, str, str]

#: Raised where what is kept changes its form.
_VERSION = 1

_INDEX = "index.json"
_PARTS = ("row", "colptr", "edge")


@dataclass(frozen=True)
class TargetEdges:
    """Edges of one kind in CSC form.

    Attributes
    ----------
    row : (e,) int64
        Sources, by target: those of target ``v`` are ``row[colptr[v]:colptr[v + 1]]``.
    colptr : (n + 1,) int64
    edge : (e,) int64
        Number of each edge in `GraphTensors.edge_index`.
    n_sources, n_targets : int
        Nodes that there are at either end.
    """

    row: Int64s
    colptr: Int64s
    edge: Int64s
    n_sources: int
    n_targets: int


@dataclass(frozen=True)
class NodeGroups:
    """Nodes by their label, or all as one group called None.

    Attributes
    ----------
    members : dict
        Rows of ``nodes.parquet`` of each group, increasing, (n,) int64.
    """

    members: dict[str | None, Int64s]

    @classmethod
    def of(cls, graph: GraphTensors, labels: Sequence[str] | None) -> NodeGroups:
        """Group the nodes of a graph by label; one group where `labels` is None."""
        if labels is None:
            return cls({None: np.arange(graph.num_nodes)})
        kinds = graph.node_type.numpy()
        found = {label: np.flatnonzero(kinds == k) for k, label in enumerate(labels)}
        return cls({label: nodes for label, nodes in found.items() if len(nodes)})


def read_by_target(
    folder: Path, digest: str, graph: GraphTensors, groups: NodeGroups, edge_types: Sequence[str]
) -> dict[Triple | None, TargetEdges]:
    """Read the edges by target that are kept in a folder, or make and keep them.

    Parameters
    ----------
    folder : Path
        Where those of any training set are kept.
    digest : str
        Of the training set.
    graph : GraphTensors
    groups : NodeGroups
        By label, or one.
    edge_types : sequence of str
        Names of the relationship types.

    Returns
    -------
    dict
        By (label, relationship type, label), or one called None.

    Raises
    ------
    ConfigError
        The folder cannot be written.
    ExportError
        A file that was kept is damaged.
    """
    asked = [_VERSION, digest, graph.add_reverses, list(groups.members)]
    place = folder / hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]
    if not (place / _INDEX).is_file():
        _write(place, _sort_edges(graph, groups, edge_types))
    with naming_damage(place / _INDEX):
        index = json.loads((place / _INDEX).read_bytes())
    return {
        None if entry["triple"] is None else (*entry["triple"],): _load(place, k, entry)
        for k, entry in enumerate(index)
    }


def _load(place: Path, k: int, entry: dict[str, Any]) -> TargetEdges:
    arrays = {}
    for part in _PARTS:
        path = place / f"{k:03d}.{part}.npy"
        with naming_damage(path):
            arrays[part] = np.load(path, mmap_mode="r", allow_pickle=False)
    edges = TargetEdges(**arrays, n_sources=entry["n_sources"], n_targets=entry["n_targets"])
    if len(edges.colptr) != edges.n_targets + 1 or edges.colptr[-1] != len(edges.row):
        raise ExportError(
            "the stored order of edges does not fit the training set",
            where=place,
            hint="remove the folder",
        )
    return edges


def _sort_edges(
    graph: GraphTensors, groups: NodeGroups, edge_types: Sequence[str]
) -> dict[Triple | None, TargetEdges]:
    source, target = graph.edge_index.numpy()
    names = list(groups.members)
    local, group = (np.empty(graph.num_nodes, np.int64) for _ in range(2))
    for number, nodes in enumerate(groups.members.values()):
        local[nodes], group[nodes] = np.arange(len(nodes)), number
    if names == [None]:
        every = np.arange(len(source))
        return {None: _sort(source, target, every, graph.num_nodes, graph.num_nodes)}
    n_types = max(len(edge_types), 1)
    kind = (group[source] * n_types + graph.edge_type.numpy()) * len(names) + group[target]
    found: dict[Triple | None, TargetEdges] = {}
    for number in np.unique(kind).tolist():
        chosen = np.flatnonzero(kind == number)
        pair, end = divmod(number, len(names))
        start, relation = divmod(pair, n_types)
        ends = str(names[start]), str(names[end])
        found[ends[0], edge_types[relation], ends[1]] = _sort(
            local[source[chosen]],
            local[target[chosen]],
            chosen,
            *(len(groups.members[end]) for end in ends),
        )
    return found


def _sort(source: Int64s, target: Int64s, edge: Int64s, n: int, m: int) -> TargetEdges:
    order = np.argsort(target, kind="stable")
    counts = np.bincount(target, minlength=m)
    colptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return TargetEdges(source[order], colptr, edge[order], n, m)


def _write(place: Path, found: dict[Triple | None, TargetEdges]) -> None:
    """Write a folder whole or not at all; of several writers at once one wins."""
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        index = []
        for k, (triple, edges) in enumerate(found.items()):
            for part in _PARTS:
                np.save(temporary / f"{k:03d}.{part}.npy", getattr(edges, part))
            sizes = {"n_sources": edges.n_sources, "n_targets": edges.n_targets}
            index.append({"triple": None if triple is None else list(triple), **sizes})
        write_text(temporary / _INDEX, json.dumps(index))
        if not place.exists():
            temporary.rename(place)
    except OSError as error:
        if (place / _INDEX).is_file():  # another process was first
            return
        raise ConfigError(
            "the sorted edges cannot be written",
            where=place.parent,
            found=error.strerror or error,
            hint="name another folder with folder=...",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
