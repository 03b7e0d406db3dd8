"""The graph side of a selection: which nodes, which edges, at which level."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.export.arrays import Edges, Ids, finished, placed
from tosg.export.edge_columns import GROUPED, PROPERTIES, Claimant, EdgeColumns, key_properties
from tosg.export.level import FOLDS, Fold, final_nodes, lift
from tosg.kg.errors import ExportError, QueryError, SchemaError
from tosg.kg.reader import read_nodes, read_relationships
from tosg.kg.schema import ENTITY, all_relationship_types, entity_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tosg.export.selection import Selection
    from tosg.kg.database import Database


@dataclass(frozen=True)
class Graph:
    """The graph of an export.

    Attributes
    ----------
    idx : (N,) int64
        Strictly increasing; row i is node i.
    ids : pa.StringArray
        (N,) CURIEs.
    type : (N,) int64
        Position in `types`.
    types : tuple of str
        Labels that occur, sorted.
    edges : Edges
        Over rows of the nodes, merged and sorted.
    fold : Fold or None
        Of the level; None as stored.
    level : str
        Of the selection.
    claimants : frozenset
        Distinct (source, license, release) of the edges.
    warnings : tuple of str
        What the user should know.
    """

    idx: Ids
    ids: pa.StringArray
    type: Ids
    types: tuple[str, ...]
    edges: Edges
    fold: Fold | None
    level: str
    claimants: frozenset[Claimant]
    warnings: tuple[str, ...] = field(default=())

    @property
    def n(self) -> int:
        """Number of nodes, N."""
        return len(self.idx)

    @cached_property
    def isolated(self) -> int:
        """Number of nodes without an edge to another node."""
        other = self.edges.start != self.edges.end
        joined = np.zeros(self.n, dtype=bool)
        joined[self.edges.start[other]] = True
        joined[self.edges.end[other]] = True
        return int(self.n - joined.sum())


def read_graph(db: Database, selection: Selection, *, timeout: float | None = None) -> Graph:
    """Read the nodes (without texts and vectors) and edges of a selection.

    Raises
    ------
    ExportError
        The selection has no nodes.
    QueryError
        A query fails, runs past `timeout` seconds, or returns what is not asked.
    """
    from tosg.kg.selecting import select_graph

    chosen = select_graph(db, selection.nodes, dict(selection.params), timeout=timeout)
    warnings = list(chosen.warnings)
    given = chosen.relationships
    if selection.edges is not None:
        by_edges = select_graph(db, selection.edges, dict(selection.params), timeout=timeout)
        warnings += by_edges.warnings
        given = by_edges.relationships
        if given is None:
            raise QueryError(
                "the query for the edges returns no relationship",
                where="edges",
                expected="relationships or paths, as in MATCH (a)-[r]->(b) RETURN r",
            )
    if len(chosen.nodes) == 0:
        raise ExportError(
            "the selection has no nodes",
            where="nodes",
            found=selection.nodes or "the whole graph",
            hint="run the query with `tosg query`; load a graph with `tosg build`",
        )
    fold, nodes = _fold(db, selection.level, chosen.nodes, warnings)
    columns = EdgeColumns()
    for batch in _edge_batches(db, selection, nodes, fold, given):
        columns.add(batch)
    edges = columns.edges()
    if fold is not None:
        edges = lift(edges, fold)
    directed = {name: t.directed for name, t in all_relationship_types().items()}
    signed = frozenset(n for n, t in all_relationship_types().items() if "sign" in t.keys)
    edges = finished(placed(edges, nodes), len(nodes), directed, signed)
    ids, kinds, types = _names(db, nodes, whole=selection.nodes is None and fold is None)
    graph = Graph(
        nodes, ids, kinds, types, edges, fold, selection.level, frozenset(columns.claimants)
    )
    if given is not None and len(edges) < given.num_rows and fold is None:
        warnings.append(
            f"{given.num_rows - len(edges):,} of {given.num_rows:,} given relationships are left "
            "out: the same one twice, an end outside the selection, or a type not asked for"
        )
    if graph.isolated:
        warnings.append(
            f"{graph.isolated:,} of {graph.n:,} nodes have no edge"
            + ("; --level gene or protein may join them" if fold is None else "")
        )
    return replace(graph, warnings=tuple(warnings))


def _fold(db: Database, level: str, nodes: Ids, warnings: list[str]) -> tuple[Fold | None, Ids]:
    if level not in FOLDS:
        return None, nodes
    _, folded_label = FOLDS[level]
    ends = [
        (b.column("start_idx").to_numpy(), b.column("end_idx").to_numpy())
        for b in read_relationships(db, ["ENCODES"])
    ]
    genes, proteins = (
        np.concatenate([np.empty(0, np.int64), *(pair[side] for pair in ends)]) for side in (0, 1)
    )
    fold = Fold.of(level, genes, proteins)
    folded = _idx_of(read_nodes(db, folded_label, [], idx=nodes))
    kept, lost = final_nodes(nodes, folded, fold)
    if len(lost):
        which = "encoded by no gene" if level == "gene" else "that encode no protein"
        warnings.append(
            f"{len(lost):,} nodes of type {folded_label} {which} in the graph are left out "
            f"at level {level}"
        )
    if len(kept) == 0:
        raise ExportError(
            f"the selection has no nodes at level {level}",
            where="level",
            found=f"{len(nodes):,} nodes, none with ENCODES",
            hint="load a source that brings ENCODES (hgnc), or use --level as-stored",
        )
    return fold, kept


def _edge_batches(
    db: Database, selection: Selection, nodes: Ids, fold: Fold | None, given: pa.Table | None
) -> Iterator[pa.RecordBatch | pa.Table]:
    types = selection.edge_types
    if given is not None:
        if types is not None:
            kind = given.column("type").cast(pa.string())
            given = given.filter(pa.compute.is_in(kind, pa.array(types)))
        yield given
        return
    grouped = (*GROUPED, *key_properties(types))
    inside: Ids | None = None if selection.nodes is None else nodes
    if inside is not None and fold is not None:
        inside = np.union1d(nodes, fold.folded_of(nodes))
    yield from read_relationships(db, types, PROPERTIES, grouped=grouped, idx=inside)


def _idx_of(batches: Iterable[pa.RecordBatch]) -> Ids:
    return np.concatenate([np.empty(0, np.int64), *(b.column("idx").to_numpy() for b in batches)])


def _names(db: Database, nodes: Ids, *, whole: bool) -> tuple[pa.StringArray, Ids, tuple[str, ...]]:
    """Ids and types of the nodes."""
    batches = list(read_nodes(db, ENTITY, ["id", "type"], idx=None if whole else nodes))
    found = _idx_of(batches)
    if not np.array_equal(found, nodes):
        raise ExportError(
            "nodes of the selection are not in the graph (any more)",
            where="nodes",
            found=f"{len(found):,} nodes",
            expected=f"{len(nodes):,}",
        )
    ids = pa.concat_arrays([b.column("id").cast(pa.string()) for b in batches])
    labels = np.concatenate(
        [b.column("type").cast(pa.string()).to_numpy(zero_copy_only=False) for b in batches]
    )
    types, codes = np.unique(labels.astype(str), return_inverse=True)
    check_types(types.tolist())
    return ids, codes.astype(np.int64), tuple(types.tolist())


def check_types(types: Sequence[str]) -> None:
    """Check that labels are of the schema.

    Raises
    ------
    SchemaError
        A node has a label that the schema does not know.
    """
    strange = sorted(set(types) - set(entity_types()))
    if strange:
        raise SchemaError(
            "a node has a type that the schema does not know",
            found=", ".join(strange),
            expected=", ".join(entity_types()),
            hint="`tosg check` lists what does not fit the schema",
        )


def node_tables(db: Database, graph: Graph, claimants: set[Claimant]) -> Iterator[pa.Table]:
    """Read the columns of ``nodes.parquet`` in bounded batches; adds to `claimants`."""
    from tosg.export.edge_columns import claimants_in, joined_claims

    done = 0
    columns = ["id", "name", "symbol", "text", "sources", "licenses", "releases"]
    for batch in read_nodes(db, ENTITY, columns, idx=graph.idx):
        by_name: dict[str, Any] = {n: batch.column(n) for n in batch.schema.names}
        claimants |= claimants_in(joined_claims(by_name))
        codes = graph.type[done : done + batch.num_rows]
        types = pa.array(graph.types, pa.string()).take(pa.array(codes))
        done += batch.num_rows
        yield pa.table(
            [by_name["idx"], by_name["id"], types, *(by_name[n] for n in columns[1:4])],
            schema=NODES,
        )


NODES = pa.schema(
    [
        pa.field("idx", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("text", pa.string()),
    ]
)
