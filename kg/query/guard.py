"""What users' Cypher must pass before it runs: ``EXPLAIN`` says what it would do.

Read access alone is no sandbox (``LOAD CSV``, ``SHOW`` and procedures work in it), so the query
type must be "r", and the plan may have none of the operators and procedures that reach further.
The plan shows no subquery that stands in a list or a ``CASE``, so the text is looked through too,
and it is the very text that runs which is explained.

The server plans a query again for each ``EXPLAIN``, which can take a second. The results are
therefore cached in the process, by database, text and parameter types. They stay valid: a database
never forgets a label, type or property name, and a result with an unknown name is not cached.
tosg's own statements are explained by its tests, and not again for each question.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import neo4j
from neo4j import exceptions as ne

from tosg.cypher.tokens import (
    StatementParts,
    calls,
    commands,
    limit_without_order,
    misread_escape,
    parameters,
    parts,
    with_aliases,
    with_return,
)
from tosg.errors import QueryError
from tosg.kg.database.connection import is_of_the_query
from tosg.kg.schema.entities import ENTITY_PROPERTIES
from tosg.kg.schema.names import labels
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES
from tosg.kg.schema.support import CELL_PROPERTIES
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tosg.cypher.header import Statement
    from tosg.kg.database.connection import Database

# The driver logs what the server remarks on; we turn the remarks into warnings of our own.
logging.getLogger("neo4j.notifications").addHandler(logging.NullHandler())

#: Procedures that only read the graph. APOC's are here by their reading packages.
_ALLOWED = re.compile(
    r"db\.(labels|relationshipTypes|propertyKeys|info|ping"
    r"|index\.(fulltext|vector)\.query(Nodes|Relationships)"
    r"|index\.fulltext\.listAvailableAnalyzers"
    r"|schema\.(visualization|nodeTypeProperties|relTypeProperties))"
    r"|apoc\.(path|algo|neighbors|nodes|meta|search)\.\w+(\.\w+)*"
)

_REFUSED_OPERATORS = re.compile(r"LoadCSV|Show\w+|TerminateTransactions")

#: What was explained last, and how much of it is kept.
_explained: OrderedDict[tuple[Any, ...], tuple[list[str], neo4j.ResultSummary]] = OrderedDict()
_EXPLAINED_MOST = 256
_explained_lock = Lock()

#: GQL status of a name that the database does not have -> kind of name.
_UNKNOWN = {"01N50": "label", "01N51": "relationship type", "01N52": "property"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that may run.

    Attributes
    ----------
    prefix : str
        ``CYPHER 5`` or what the user gave.
    body : str
        The query, every returned item named, fit for ``CALL () { ... }``.
    columns : tuple of str
    warnings : tuple of str
        ``LIMIT`` without ``ORDER BY``, names that the graph does not have yet.
    misspelt : tuple of str
        Names that neither the graph nor the schema has, each with the nearest ones.
    own : bool
        It is a statement of tosg's own: it need not be explained.
    """

    prefix: str
    body: str
    columns: tuple[str, ...]
    warnings: tuple[str, ...]
    misspelt: tuple[str, ...]
    own: bool = False


def pass_own(statement: Statement) -> Checked:
    """Let a statement that comes with tosg run as it is: what `check_reads` would return."""
    taken = parts(statement.text)
    columns = tuple(column.name for column in statement.returns)
    return Checked(taken.prefix or "CYPHER 5", taken.body, columns, (), (), own=True)


def check_reads(
    db: Database, text: str, values: Mapping[str, Any], *, timeout: float | None = None
) -> Checked:
    """Have the database explain a query, and refuse it unless it only reads.

    Parameters
    ----------
    db : Database
    text : str
        Cypher as the user wrote it.
    values : mapping
        Its parameters.
    timeout : float, optional
        Seconds for the planning.

    Raises
    ------
    QueryError
        It is empty, is several statements, lacks a parameter, does not parse, writes, or
        reaches outside the graph.
    """
    if (escape := misread_escape(text)) is not None:
        where, shown = _place(text, escape)
        raise QueryError(
            "a \\u escape is outside a string, or encodes a quote or backslash",
            where=where,
            found=shown,
            expected="the character itself",
        )
    taken = parts(text)
    _one_plain_statement(taken, text)
    _stays_in_the_graph(taken.body)
    missing = sorted(set(parameters(taken.body)) - set(values))
    if missing:
        raise QueryError(
            "a parameter of the query has no value",
            found="$" + ", $".join(missing),
            hint=" ".join(f"--param {name}=..." for name in missing),
        )
    prefix = taken.prefix or "CYPHER 5"
    shift = taken.offset - len(f"{prefix} EXPLAIN ")
    columns, summary = _explain(
        db, prefix, taken.body, values, timeout, lambda error: _does_not_parse(error, text, shift)
    )
    _only_reads(summary, columns)
    warnings, misspelt = _unknown_names(db, summary)
    if limit_without_order(taken.body):
        warnings.append(
            "LIMIT (or SKIP) without ORDER BY: the database may choose other rows next time"
        )
    body = with_aliases(with_return(taken.body, columns))
    if body != taken.body:
        columns = _explain(db, prefix, body, values, timeout, _in_no_subquery)[0]
    return Checked(prefix, body, tuple(columns), tuple(warnings), tuple(misspelt))


def run_checked(
    db: Database, passed: Checked, text: str, values: Mapping[str, Any], *, timeout: float | None
) -> list[list[Any]]:
    """Run what was made of a checked query, if that too only reads; returns its rows.

    Parameters
    ----------
    db : Database
    passed : Checked
        The query.
    text : str
        Cypher with its body in it.
    values : mapping
    timeout : float or None
        Seconds for the planning and as many for the running.

    Raises
    ------
    QueryError
        As for `check_reads`, or it fails while it runs.
    """
    if not passed.own:
        columns, summary = _explain(db, passed.prefix, text, values, timeout, _in_no_subquery)
        _only_reads(summary, columns)
    with db.session() as session:
        found = session.run(neo4j.Query(f"{passed.prefix} {text}", timeout=timeout), dict(values))
        return [record.values() for record in found]


def _one_plain_statement(taken: StatementParts, text: str) -> None:
    if not taken.body:
        raise QueryError("the query is empty", found=text.strip()[:80] or None)
    if taken.several:
        raise QueryError(
            "the query is more than one statement", expected="one", hint="run them one by one"
        )
    if taken.verb in ("EXPLAIN", "PROFILE"):
        raise QueryError(
            f"{taken.verb} cannot be run here", hint="use it in cypher-shell or Neo4j Browser"
        )
    if taken.verb in ("SHOW", "TERMINATE", "USE", "LOAD"):
        raise _refused(taken.verb)


def _refused(what: str) -> QueryError:
    return QueryError(
        "the query does more than read the graph",
        found=what,
        expected="MATCH ... RETURN ..., and procedures that only read the graph (db.index.*, "
        "db.schema.*, db.labels, ...)",
    )


def _stays_in_the_graph(body: str) -> None:
    for command in commands(body):
        raise _refused(command)
    for procedure in calls(body):
        if not _ALLOWED.fullmatch(procedure):
            raise _refused(f"the procedure {procedure}")


def _explain(
    db: Database,
    prefix: str,
    body: str,
    values: Mapping[str, Any],
    timeout: float | None,
    wrong: Callable[[ne.ClientError], QueryError],
) -> tuple[list[str], neo4j.ResultSummary]:
    types = tuple(sorted((name, type(value).__name__) for name, value in values.items()))
    key = (_database_id(db), prefix, body, types)
    with _explained_lock:
        if key in _explained:
            _explained.move_to_end(key)
            return _explained[key]
    query = neo4j.Query(f"{prefix} EXPLAIN {body}", timeout=timeout)
    with db.session(notifications_min_severity="WARNING") as session:
        try:
            result = session.run(query, dict(values))
            found = list(result.keys()), result.consume()
        except ne.ClientError as error:
            if is_of_the_query(error):
                raise wrong(error) from error
            raise
    # A name that is not known yet may be known next time.
    if not any(remark.gql_status in _UNKNOWN for remark in found[1].gql_status_objects):
        with _explained_lock:
            _explained[key] = found
            if len(_explained) > _EXPLAINED_MOST:
                _explained.popitem(last=False)
    return found


def _database_id(db: Database) -> str:
    """Of the data, also after a load has replaced them."""
    return str(db.rows("CYPHER 5 CALL db.info() YIELD id RETURN id")[0]["id"])


def _does_not_parse(error: ne.ClientError, text: str, shift: int) -> QueryError:
    """Say where in the user's own text, not in what was sent."""
    message, at = _message(error)
    if at is None:
        return QueryError("the query is not valid Cypher", found=error.message)
    where, shown = _place(text, min(max(at + shift, 0), len(text)))
    return QueryError("the query is not valid Cypher", where=where, found=f"{message}\n{shown}")


def _in_no_subquery(error: ne.ClientError) -> QueryError:
    """Show nothing of what was put around the user's text."""
    return QueryError(
        "the query cannot run as a subquery, as tosg runs it",
        found=_message(error)[0],
        expected="MATCH ... RETURN ..., each item with a name (AS ...)",
    )


def _message(error: ne.ClientError) -> tuple[str, int | None]:
    """First line of what the database says, without the place, and the offset of the place."""
    message = (error.message or "").split("\n")[0]
    match = re.search(r"\s*\(line \d+, column \d+ \(offset: (\d+)\)\)", message)
    if match is None:
        return message, None
    return message[: match.start()] + message[match.end() :], int(match[1])


def _place(text: str, at: int) -> tuple[str, str]:
    """Line and column of an offset, and the line with a mark below."""
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1)
    shown = text.split("\n")[line - 1]
    start = max(0, column - 60)
    mark = " " * (column - start)
    return (
        f"line {line}, column {column + 1}",
        f"    {shown[start : start + 100]}\n    {mark}^",
    )


def _only_reads(summary: neo4j.ResultSummary, columns: list[str]) -> None:
    for operator, details in _operators(summary.plan or {}):
        if _REFUSED_OPERATORS.match(operator):
            raise _refused("LOAD CSV" if operator == "LoadCSV" else operator)
        procedure = details.split("(")[0].strip()
        if operator == "ProcedureCall" and not _ALLOWED.fullmatch(procedure):
            raise _refused(f"the procedure {procedure}")
    if summary.query_type != "r":
        raise QueryError(
            "the query would write",
            found={"rw": "reads and writes", "w": "writes"}.get(
                summary.query_type or "", "changes the schema or the server"
            ),
            expected="a query that only reads",
        )
    if any(operator.startswith("Transaction") for operator, _ in _operators(summary.plan or {})):
        raise QueryError(
            "the query runs in transactions of its own",
            found="IN TRANSACTIONS",
            expected="CALL (...) { ... } alone: what only reads needs no more",
        )
    if not columns:
        raise QueryError("the query returns nothing", expected="a RETURN at the end")


def _operators(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if plan:
        details = str(plan.get("args", {}).get("Details", ""))
        yield plan["operatorType"].split("@")[0], details
        for child in plan.get("children", ()):
            yield from _operators(child)


def _unknown_names(db: Database, summary: neo4j.ResultSummary) -> tuple[list[str], list[str]]:
    warnings, misspelt = [], []
    for remark in summary.gql_status_objects:
        kind = _UNKNOWN.get(remark.gql_status)
        name = re.search(r"`(.+?)`", remark.status_description)
        if kind is None or name is None:
            continue
        ours, present = _known(db, kind)
        if name[1] in ours:
            warnings.append(f"the graph has no {kind} {name[1]} yet")
            continue
        near = difflib.get_close_matches(name[1], sorted(ours | present), n=3, cutoff=0.5)
        misspelt.append(
            f"no {kind} {name[1]} in the graph"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    return sorted(set(warnings)), sorted(set(misspelt))


def _known(db: Database, kind: str) -> tuple[set[str], set[str]]:
    """Names of a kind that the schema has, and those that the graph has."""
    procedure, column = {
        "label": ("db.labels", "label"),
        "relationship type": ("db.relationshipTypes", "relationshipType"),
        "property": ("db.propertyKeys", "propertyKey"),
    }[kind]
    rows = db.rows(f"CYPHER 5 CALL {procedure}() YIELD {column} AS name RETURN name")
    ours = {
        "label": set(labels()),
        "relationship type": set(all_relationship_types()),
        "property": {*ENTITY_PROPERTIES, *RELATIONSHIP_PROPERTIES, *CELL_PROPERTIES},
    }[kind]
    return ours, {r["name"] for r in rows}
