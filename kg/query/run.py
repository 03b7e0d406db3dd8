"""Runs users' Cypher and returns its rows.

A query is the name of a statement, ``@file.cypher`` or Cypher itself. It never runs raw: it is
checked (`tosg.kg.query.guard`), wrapped in a subquery, and entities come back as id, type and name,
without their texts and vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.cypher.tokens import named
from tosg.errors import QueryError, at
from tosg.kg.cells.stored.staging import describe_partial
from tosg.kg.database.excerpts import describe_excerpts
from tosg.kg.query import finishing
from tosg.kg.query.guard import Checked, check_reads, pass_own, run_checked
from tosg.kg.query.parameters import bind
from tosg.kg.query.rows import loose_ends, result_table, shown
from tosg.kg.query.statements import find_statement, is_packaged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tosg.cypher.header import Statement
    from tosg.kg.database.connection import Database


def checked(
    db: Database,
    query: str,
    params: Mapping[str, Any],
    *,
    timeout: float | None,
    strict: bool,
    first: bool = False,
) -> tuple[Statement, Checked, dict[str, Any], list[str]]:
    """Resolve, bind and check a query; returns also its values and the warnings so far."""
    statement = find_statement(query)
    if statement.mode != "read":
        raise QueryError("the statement writes", where=statement.name, expected="mode: read")
    values, warnings = bind(db, statement, params, strict=strict, first=first)
    # A finishing step adds columns that the Cypher itself does not return.
    if is_packaged(statement) and not statement.after:
        return statement, pass_own(statement), values, warnings
    passed = check_reads(db, statement.text, values, timeout=timeout)
    if not statement.declared:  # a statement with a header is meant for graphs of any content
        warnings = [*warnings, *passed.warnings]
    return statement, passed, values, warnings


def run_query(
    db: Database,
    query: str,
    params: Mapping[str, Any],
    *,
    timeout: float | None,
    limit: int | None = None,
    first: bool = False,
    warnings: list[str] | None = None,
) -> pa.Table:
    """Run a query that reads and return its rows.

    Parameters
    ----------
    db : Database
    query : str
        Name of a statement, ``@file`` or Cypher.
    params : mapping
        Values of its parameters; entities by id, symbol or name where a statement says so.
    timeout : float or None
        Seconds it may take.
    limit : int, optional
        Rows to return at most.
    first : bool
        Whether the entity with most relationships is taken where a name has several; which one
        is a warning.
    warnings : list, optional
        Takes what the user should be told.

    Returns
    -------
    pa.Table
        One column per column of the query. An entity is a struct of id, type, name (and symbol);
        a relationship of type, start, end; a path of its nodes and relationships.

    Raises
    ------
    QueryError
        It does not parse, would write, reaches outside the graph, or runs past its time.
    """
    with at("the query"):
        statement, passed, values, told = checked(
            db, query, params, timeout=timeout, strict=True, first=first
        )
    if not statement.declared:
        told = [*told, *passed.misspelt]
    if warnings is not None:
        told = [*told, *describe_partial(db), *describe_excerpts(db, statement.text)]
    # One list of all columns: its members have no type that Neo4j could hold against `shown`.
    # The newline ends a comment in the query's last line.
    columns = ", ".join(named(name) for name in passed.columns)
    text = (
        f"CALL () {{ {passed.body}\n}} WITH [{columns}, 0, ''] AS row "
        f"RETURN [v IN row[0..{len(passed.columns)}] | {shown('v')}] AS row"
    )
    if limit is not None and not statement.after:
        text += f" LIMIT {int(limit)}"
    found = run_checked(db, passed, text, values, timeout=timeout)
    rows = [row for (row,) in found]
    declared = {c.name: c.type for c in statement.returns}
    table = result_table(passed.columns, rows, declared, _ends(db, rows))
    if statement.after:
        table = finishing.finish(statement.after, table, values)
        if limit is not None:
            table = table.slice(0, limit)
    if warnings is not None:
        warnings.extend(told)
    return table


def _ends(db: Database, rows: list[list[Any]]) -> dict[str, str]:
    """Ids of nodes that relationships in maps end at, by element id."""
    wanted = sorted(loose_ends(rows))
    if not wanted:
        return {}
    found = db.rows(
        "CYPHER 5 UNWIND $wanted AS e MATCH (n) WHERE elementId(n) = e RETURN e, n.id AS id",
        wanted=wanted,
    )
    return {row["e"]: row["id"] for row in found}
