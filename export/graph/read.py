"""The edges of a selection: induced or given, lifted to the level, merged and sorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import ExportError
from tosg.export.graph.edge_columns import (
    GROUPED,
    NUMBER_PROPERTIES,
    EdgeColumns,
    list_key_properties,
)
from tosg.export.graph.edges import Claimant, Edges, Ids, finish_edges, name_sources, place_edges
from tosg.export.graph.level import lift
from tosg.kg.reader.bulk import read_relationships
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from tosg.export.graph.nodes import Nodes
    from tosg.export.selection import Selection
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class Graph:
    """The graph of an export.

    Attributes
    ----------
    nodes : Nodes
        N of them.
    edges : Edges
        Over rows of the nodes, merged and sorted.
    claimants : frozenset
        Distinct (source, license, release) of the edges.
    isolated : int
        Number of nodes without an edge to another node.
    warnings : tuple of str
        What the user should know of nodes and edges.
    """

    nodes: Nodes
    edges: Edges
    claimants: frozenset[Claimant]
    isolated: int
    warnings: tuple[str, ...]


class StoppedError(ExportError):
    """Reading edges was called off because something else failed."""


def read_graph(
    db: Database,
    selection: Selection,
    nodes: Nodes,
    *,
    stop: Event | None = None,
    received: Event | None = None,
) -> Graph:
    """Read the edges between the nodes of a selection.

    Parameters
    ----------
    db : Database
    selection : Selection
    nodes : Nodes
        Of the same selection.
    stop : threading.Event, optional
        Called off when it is set.
    received : threading.Event, optional
        Set when the server has sent all.
    """
    columns = EdgeColumns()
    for batch in _batches(db, selection, nodes):
        if stop is not None and stop.is_set():
            raise StoppedError("stopped")
        columns.add(batch)
    if received is not None:
        received.set()
    edges = columns.edges()
    del columns
    if nodes.fold is not None:
        edges = lift(edges, nodes.fold)
    directed = {name: t.directed for name, t in all_relationship_types().items()}
    signed = frozenset(n for n, t in all_relationship_types().items() if "sign" in t.keys)
    edges = finish_edges(place_edges(edges, nodes.idx), nodes.n, directed, signed)
    edges, claimants = name_sources(edges)
    isolated = _isolated(edges, nodes.n)
    warnings = [*nodes.warnings, *_warnings(nodes, edges, isolated)]
    return Graph(nodes, edges, claimants, isolated, tuple(warnings))


def _batches(
    db: Database, selection: Selection, nodes: Nodes
) -> Iterator[pa.RecordBatch | pa.Table]:
    types, given = selection.edge_types, nodes.given
    if given is not None:
        if types is not None:
            kind = given.column("type").cast(pa.string())
            given = given.filter(pc.is_in(kind, pa.array(types)))
        yield given
        return
    grouped = (*GROUPED, *list_key_properties(types))
    inside: Ids | None = None if selection.nodes is None else nodes.idx
    if inside is not None and nodes.fold is not None:
        inside = np.union1d(inside, nodes.fold.folded_of(inside))
    yield from read_relationships(db, types, NUMBER_PROPERTIES, grouped=grouped, idx=inside)


def _isolated(edges: Edges, n: int) -> int:
    start, end = edges.start, edges.end
    if (loops := start == end).any():
        start, end = start[~loops], end[~loops]
    joined = np.zeros(n, dtype=bool)
    joined[start] = True
    joined[end] = True
    return int(n - joined.sum())


def _warnings(nodes: Nodes, edges: Edges, isolated: int) -> Iterator[str]:
    given = nodes.given
    if given is not None and len(edges) < given.num_rows and nodes.fold is None:
        yield (
            f"{given.num_rows - len(edges):,} of {given.num_rows:,} given relationships are left "
            "out: the same one twice, an end outside the selection, or a type not asked for"
        )
    if isolated:
        more = "; --level gene or protein may join them" if nodes.fold is None else ""
        yield f"{isolated:,} of {nodes.n:,} nodes have no edge{more}"
