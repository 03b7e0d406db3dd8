"""The nodes of a selection: which, at which level, and their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.errors import ExportError, QueryError, SchemaError, at
from tosg.export.graph.level import FOLDS, Fold, choose_final_nodes
from tosg.kg.reader.bulk import read_nodes, read_relationships
from tosg.kg.schema.types import ENTITY, entity_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tosg.export.graph.edges import Claimant, Ids
    from tosg.export.selection import Selection
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class Nodes:
    """The nodes of an export.

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
    fold : Fold or None
        Of the level; None as stored.
    level : str
        Of the selection.
    given : pa.Table or None
        The relationships that the queries returned; None takes those induced.
    warnings : tuple of str
        What the user should know.
    """

    idx: Ids
    ids: pa.StringArray
    type: Ids
    types: tuple[str, ...]
    fold: Fold | None
    level: str
    given: pa.Table | None
    warnings: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of nodes, N."""
        return len(self.idx)


def choose_nodes(db: Database, selection: Selection, *, timeout: float | None = None) -> Nodes:
    """Choose the nodes of a selection at its level, without their texts and vectors.

    Raises
    ------
    ExportError
        The selection has no nodes.
    QueryError
        A query fails, runs past `timeout` seconds, or returns what is not asked.
    """
    from tosg.kg.query.select import select_graph

    with at("nodes"):
        chosen = select_graph(db, selection.nodes, selection.params, timeout=timeout)
    warnings = list(chosen.warnings)
    given = chosen.relationships
    if selection.edges is not None:
        with at("edges"):
            by_edges = select_graph(db, selection.edges, selection.params, timeout=timeout)
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
    fold, idx = _fold(db, selection.level, chosen.nodes, warnings)
    ids, kinds, types = _names(db, idx, whole=selection.nodes is None and fold is None)
    return Nodes(idx, ids, kinds, types, fold, selection.level, given, tuple(warnings))


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
    kept, lost = choose_final_nodes(nodes, folded, fold)
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


def _idx_of(batches: Iterable[pa.RecordBatch]) -> Ids:
    return np.concatenate([np.empty(0, np.int64), *(b.column("idx").to_numpy() for b in batches)])


def _names(db: Database, nodes: Ids, *, whole: bool) -> tuple[pa.StringArray, Ids, tuple[str, ...]]:
    """Ids and types of the nodes."""
    batches = list(read_nodes(db, ENTITY, ["id", "type"], idx=None if whole else nodes))
    found = _idx_of(batches)
    if not np.array_equal(found, nodes):
        raise ExportError(
            "nodes of the selection are missing from the graph",
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


def node_tables(db: Database, nodes: Nodes, claimants: set[Claimant]) -> Iterator[pa.Table]:
    """Read the columns of ``nodes.parquet`` in bounded batches; adds to `claimants`."""
    from tosg.export.graph.edge_columns import join_claims, list_claimants

    done = 0
    columns = ["id", "name", "symbol", "text", "sources", "licenses", "releases"]
    for batch in read_nodes(db, ENTITY, columns, idx=nodes.idx):
        by_name: dict[str, Any] = {n: batch.column(n) for n in batch.schema.names}
        claimants |= list_claimants(join_claims(by_name))
        codes = nodes.type[done : done + batch.num_rows]
        types = pa.array(nodes.types, pa.string()).take(pa.array(codes))
        done += batch.num_rows
        yield pa.table(
            [by_name["idx"], by_name["id"], types, *(by_name[n] for n in columns[1:4])],
            schema=NODE_COLUMNS,
        )


NODE_COLUMNS = pa.schema(
    [
        pa.field("idx", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("text", pa.string()),
    ]
)
