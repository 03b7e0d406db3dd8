"""Selections: which entities, relationships and cells a user's query chooses, as ``idx``.

The query may return nodes, relationships, paths, or lists and maps of them, under any column
name. It is wrapped so that what comes back are a few lists of ``idx``, whatever it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.cypher.tokens import named
from tosg.errors import QueryError
from tosg.kg.query.guard import run_checked
from tosg.kg.query.run import checked
from tosg.kg.reader.bulk import read_nodes
from tosg.kg.reader.columns import column, known_type
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.query.guard import Checked

    Int64s = NDArray[np.int64]

#: Properties of selected relationships; those that only some types have are null elsewhere.
RELATIONSHIP_VALUES = ("score", "sign", "action", "sources", "licenses", "releases")

#: Lists and maps are looked into so deep.
DEPTH = 5


@dataclass(frozen=True)
class GraphSelection:
    """Entities, and relationships where the query returned any.

    Attributes
    ----------
    nodes : (n,) int64
        ``idx``, ascending, each once; includes the ends of the relationships.
    relationships : pa.Table or None
        ``type`` string, ``start_idx``, ``end_idx`` int64 and `RELATIONSHIP_VALUES`; each
        relationship once, by (start_idx, end_idx, type). None where the query returned none.
    warnings : list of str
    """

    nodes: Int64s
    relationships: pa.Table | None
    warnings: list[str]


@dataclass(frozen=True)
class CellSelection:
    """Cells by their ``idx``, ascending, each once."""

    idx: Int64s
    warnings: list[str]


@dataclass(frozen=True)
class _Elements:
    """What a query returned, by kind; ``others`` are nodes of other labels."""

    entities: Int64s
    cells: Int64s
    others: int
    relationships: pa.Table | None
    loose: int  # relationships with an end that is no entity


def select_graph(
    db: Database, query: str | None, params: Mapping[str, Any], *, timeout: float | None = None
) -> GraphSelection:
    """Choose entities and relationships.

    Parameters
    ----------
    db : Database
    query : str or None
        Name of a statement, ``@file`` or Cypher; None is every entity.
    params : mapping
        Values of parameters; those that the query does not have are passed over.
    timeout : float, optional
        Seconds the query may take.

    Raises
    ------
    QueryError
        It does not parse, writes, names what the graph does not know, runs past its time,
        returns nothing, or returns no entity.
    """
    if query is None:
        return GraphSelection(_all(db, "Entity"), None, [])
    found, passed, warnings = _select(db, query, params, timeout)
    nodes = [found.entities]
    if found.relationships is not None:
        nodes += [found.relationships[n].to_numpy() for n in ("start_idx", "end_idx")]
    entities = np.unique(np.concatenate(nodes))
    if not len(entities):
        raise _nothing(db, passed, params, "entity", found, timeout)
    if len(found.cells) or found.others:
        warnings.append(
            f"{len(found.cells) + found.others:,} nodes that are no entities (cells, groups, "
            "data sets) are left out"
        )
    if found.loose:
        warnings.append(f"{found.loose:,} relationships with an end that is no entity are left out")
    return GraphSelection(entities, found.relationships, warnings)


def select_cells(
    db: Database, query: str | None, params: Mapping[str, Any], *, timeout: float | None = None
) -> CellSelection:
    """Choose cells; see `select_graph`. None is every cell.

    Raises
    ------
    QueryError
        As for `select_graph`, or it returns no cell.
    """
    if query is None:
        return CellSelection(_all(db, "Cell"), [])
    found, passed, warnings = _select(db, query, params, timeout)
    if not len(found.cells):
        raise _nothing(db, passed, params, "cell", found, timeout)
    if len(found.entities) or found.others:
        warnings.append(
            f"{len(found.entities) + found.others:,} nodes that are no cells are left out"
        )
    return CellSelection(found.cells, warnings)


def _all(db: Database, label: str) -> Int64s:
    parts = [batch.column("idx").to_numpy() for batch in read_nodes(db, label, [])]
    return np.concatenate(parts)


def _select(
    db: Database, query: str, params: Mapping[str, Any], timeout: float | None
) -> tuple[_Elements, tuple[Checked, dict[str, Any]], list[str]]:
    statement, passed, values, warnings = checked(db, query, params, timeout=timeout, strict=False)
    if passed.misspelt and not statement.declared:
        raise QueryError(
            "the query uses names that the graph does not have", found="; ".join(passed.misspelt)
        )
    records = run_checked(db, passed, wrapped(passed), values, timeout=timeout)
    return _elements(records), (passed, values), warnings


def wrapped(passed: Checked) -> str:
    """Cypher that returns what a checked query chooses as lists of ``idx``.

    Each record has the kind (``entity``, ``cell``, ``other``, ``deeper`` for what is not looked
    into, or the relationship's type, after ``:``), which of the properties are missing, how many
    there are, the ``idx`` of nodes or starts, those of ends, and the properties.
    """
    columns = ", ".join(named(c) for c in passed.columns)
    # `[x][0]` hides the type of x: Neo4j types a variable by the first function it sees it in,
    # and fails at run time where a value is of another type.
    levels = "".join(
        f"UNWIND CASE WHEN v{i} IS :: LIST<ANY> NOT NULL THEN v{i} "
        f"WHEN v{i} IS :: MAP NOT NULL THEN [k IN keys([v{i}][0]) | [v{i}][0][k]] "
        f"ELSE [v{i}] END AS v{i + 1}\n"
        for i in range(DEPTH)
    )
    missing = ", ".join(f"r.{p} IS NULL AS m{i}" for i, p in enumerate(RELATIONSHIP_VALUES))
    collected = ", ".join(f"collect(r.{p}) AS p{i}" for i, p in enumerate(RELATIONSHIP_VALUES))
    return (
        f"CALL () {{ {passed.body}\n}}\n"
        f"UNWIND [{columns}, null] AS v0\n{levels}"
        f"WITH v{DEPTH} AS v\n"
        "WITH v, v IS :: LIST<ANY> NOT NULL OR v IS :: MAP NOT NULL AS deeper\n"
        "WHERE deeper OR v IS :: NODE NOT NULL OR v IS :: RELATIONSHIP NOT NULL "
        "OR v IS :: PATH NOT NULL\n"
        "UNWIND CASE WHEN v IS :: PATH NOT NULL "
        "THEN nodes([v][0]) + relationships([v][0]) WHEN deeper THEN [null] ELSE [v] END AS e\n"
        "WITH DISTINCT e\n"
        "WITH e, CASE WHEN e IS :: RELATIONSHIP NOT NULL THEN e END AS r\n"
        "WITH r, CASE WHEN r IS NOT NULL THEN ':' + type([r][0]) "
        "WHEN e IS NULL THEN 'deeper' WHEN [e][0]:Entity THEN 'entity' "
        "WHEN [e][0]:Cell THEN 'cell' ELSE 'other' END AS kind,\n"
        "CASE WHEN r IS NULL THEN e.idx WHEN startNode([r][0]):Entity "
        "THEN startNode([r][0]).idx END AS start,\n"
        "CASE WHEN r IS NOT NULL AND endNode([r][0]):Entity THEN endNode([r][0]).idx END AS end\n"
        f"RETURN kind, r IS NOT NULL AND (start IS NULL OR end IS NULL) AS loose, {missing}, "
        f"count(*) AS n, collect(start) AS starts, collect(end) AS ends, {collected}"
    )


def _elements(records: list[list[Any]]) -> _Elements:
    none = np.empty(0, np.int64)
    nodes: dict[str, list[Int64s]] = {"entity": [none], "cell": [none]}
    tables: list[pa.Table] = []
    others = loose = 0
    width = len(RELATIONSHIP_VALUES)
    for kind, is_loose, *rest in records:
        missing, n, starts, ends = rest[:width], rest[width], rest[width + 1], rest[width + 2]
        if kind == "deeper":
            raise QueryError(
                f"the query returns lists or maps more than {DEPTH} deep inside each other",
                expected=f"nodes, relationships and paths at most {DEPTH} deep",
            )
        if kind in nodes:
            nodes[kind].append(np.array(starts, np.int64))
        elif kind == "other":
            others += n
        elif is_loose or kind[1:] not in all_relationship_types():
            loose += n
        else:
            tables.append(_relationships(kind[1:], n, starts, ends, missing, rest[width + 3 :]))
    relationships = None
    if tables:
        order = [(name, "ascending") for name in ("start_idx", "end_idx", "type")]
        relationships = pa.concat_tables(tables).sort_by(order).combine_chunks()
    return _Elements(
        np.unique(np.concatenate(nodes["entity"])),
        np.unique(np.concatenate(nodes["cell"])),
        others,
        relationships,
        loose,
    )


def _relationships(
    kind: str, n: int, starts: list[int], ends: list[int], missing: list[bool], values: list[Any]
) -> pa.Table:
    columns = {
        "type": pa.array([kind] * n, pa.string()),
        "start_idx": pa.array(starts, pa.int64()),
        "end_idx": pa.array(ends, pa.int64()),
    }
    for name, absent, found in zip(RELATIONSHIP_VALUES, missing, values, strict=True):
        arrow = known_type(name)
        columns[name] = pa.nulls(n, arrow) if absent else column(found, arrow, name)
    return pa.table(columns)


def _nothing(
    db: Database,
    passed: tuple[Checked, dict[str, Any]],
    params: Mapping[str, Any],
    wanted: str,
    found: _Elements,
    timeout: float | None,
) -> QueryError:
    """Tell a query without rows from one whose rows hold something else."""
    taken, values = passed
    text = f"CALL () {{ {taken.body}\n}} RETURN count(*)"
    ((rows,),) = run_checked(db, taken, text, values, timeout=timeout)
    shown_values = {name: params[name] for name in values if name in params}
    if not rows:
        return QueryError(
            "the query returns nothing",
            found=f"no row, with {shown_values}" if shown_values else "no row",
            hint="run it with `tosg query` and loosen what it asks for",
        )
    other = {
        "entities": len(found.entities),
        "cells": len(found.cells),
        "other nodes": found.others,
    }
    kinds = ", ".join(f"{n:,} {name}" for name, n in other.items() if n) or "no node at all"
    return QueryError(
        f"the query returns no {wanted}",
        found=f"{rows:,} rows of {', '.join(taken.columns)} with {kinds}",
        expected="nodes, relationships, paths or lists of them, as in MATCH (g:Gene) RETURN g"
        if wanted == "entity"
        else "cells, as in MATCH (c:Cell) WHERE c.tissue = 'blood' RETURN c",
    )
