"""Users' Cypher: what they asked for, with which values, and the rows it gives.

A query is the name of a statement, ``@file.cypher`` or Cypher itself. It never runs raw: it is
checked (`tosg.kg.query.guard`), wrapped in a subquery, and entities come back as id, type and name,
without their texts and vectors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import neo4j.spatial
import neo4j.time
import neo4j.vector
import numpy as np

from tosg.cypher.header import Parameter, Statement, StatementError, has_header, parse, plain
from tosg.cypher.registry import statements as read_statements
from tosg.cypher.tokens import named
from tosg.errors import ConfigError, QueryError, SchemaError, UsageError, at, unknown
from tosg.kg.cells.stored.staging import told_in_part
from tosg.kg.query import finishing
from tosg.kg.query.guard import Checked, check, run_checked
from tosg.kg.query.lookup import find_entities, find_entity
from tosg.kg.query.rows import result_table, shown
from tosg.kg.schema.types import ENTITY, entity_types

if TYPE_CHECKING:
    import pyarrow as pa

    from tosg.kg.database.connection import Database


def parameter_labels() -> frozenset[str]:
    """Labels that parameters of statements may have as their type."""
    return frozenset({ENTITY, *entity_types()})


def statements() -> Mapping[str, Statement]:
    """The statements that come with tosg, by name.

    Raises
    ------
    SchemaError
        One of their headers is wrong.
    """
    try:
        return read_statements(parameter_labels())
    except StatementError as error:
        raise _statement_error(error) from error


def resolve(query: str) -> Statement:
    """Find the statement that a query means.

    Parameters
    ----------
    query : str
        The name of a statement, ``@file``, or Cypher, with or without a header.

    Raises
    ------
    UsageError
        There is no statement of that name.
    ConfigError
        The file is not there, is empty or is no text; the query is no text.
    SchemaError
        The header does not fit.
    """
    text, where = query, "the query"
    if _SURROGATE.search(query):
        raise ConfigError("the query is not UTF-8 text", found=ascii(query)[:80])
    if query.startswith("@"):
        text, where = _read(Path(query[1:]).expanduser()), query[1:]
    elif re.fullmatch(r"\s*[A-Za-z_]\w*\s*", query):
        known = statements()
        if query.strip() not in known:
            raise unknown("statement", query.strip(), known, where="`tosg query --list`")
        return known[query.strip()]
    if not has_header(text):
        return plain(text, where)
    try:
        return parse(text, where, parameter_labels())
    except StatementError as error:
        raise _statement_error(error) from error


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the file with the query cannot be read",
            where=path,
            found=error.strerror if isinstance(error, OSError) else "not UTF-8 text",
        ) from error
    if not text.strip():
        raise ConfigError("the file with the query is empty", where=path)
    return text


def _statement_error(error: StatementError) -> SchemaError:
    return SchemaError(
        error.what, where=error.where, found=error.found or None, expected=error.expected or None
    )


def parse_params(pairs: Sequence[str], *queries: Statement) -> dict[str, Any]:
    """Read ``KEY=VALUE`` as the statements declare it, else as JSON, else as text.

    Parameters
    ----------
    pairs : sequence of str
        As on the command line. A list is JSON, or its parts with commas between them.
    *queries : Statement
        The statements that share the values.

    Raises
    ------
    ConfigError
        A pair without ``=``, a key given twice, or a value that is not of the declared type.
    UsageError
        None of the statements has such a parameter.
    """
    found: dict[str, Any] = {}
    known = {p.name: p for q in reversed(queries) for p in q.params if not q.declared}
    known |= {p.name: p for q in reversed(queries) for p in q.params if q.declared}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals:
            raise ConfigError(
                "a parameter has no value", where="--param", found=pair, expected="KEY=VALUE"
            )
        if key in found:
            raise ConfigError("a parameter is given twice", where="--param", found=key)
        if key not in known:
            raise unknown("parameter", key, known, where="--param")
        found[key] = _parse(known[key], value)
    return found


def _parse(param: Parameter, text: str) -> Any:
    """Read one value from text; types are checked by `bind`."""
    if param.many:
        value = _json(text)
        if value is None and text.strip() == "null":
            return None
        return value if isinstance(value, list) else _split(text, param.element)
    if param.element in ("INTEGER", "FLOAT", "BOOLEAN", "ANY"):
        value = _json(text.strip().lower() if param.element == "BOOLEAN" else text)
        return text if value is None and text.strip() != "null" else value
    return text


def _split(text: str, element: str) -> list[Any]:
    words = [w.strip() for w in re.split(r"[,\n]", text) if w.strip()]
    return [_json(w) if element in ("INTEGER", "FLOAT", "BOOLEAN") else w for w in words]


def _json(text: str) -> Any:
    """Value of a JSON text; None where it is none (JSON has no NaN and no Infinity)."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def bind(
    db: Database, statement: Statement, params: Mapping[str, Any], *, strict: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """Make the values that a statement runs with: defaults, types, entities as ids.

    Parameters
    ----------
    db : Database
        Where entities and the embedding model are looked up.
    statement : Statement
    params : mapping
        What the user gave.
    strict : bool
        Whether a value that the statement does not take is an error; else it is left out.

    Returns
    -------
    values : dict
    warnings : list of str
        Members of a list of entities that nothing is called.

    Raises
    ------
    ConfigError
        A value is missing or not of its type.
    UsageError
        A value that the statement does not take, an entity that is not in the graph.
    """
    known = {p.name for p in statement.params}
    if strict and (extra := set(params) - known):
        raise unknown("parameter", sorted(extra)[0], known, where=statement.name or "the query")
    missing = [
        p.name
        for p in statement.params
        if p.required and (p.name not in params or (params[p.name] is None and p.type != "ANY"))
    ]
    if missing:
        raise ConfigError(
            "a parameter has no value",
            where=statement.name or "the query",
            found=", ".join(missing),
            expected="; ".join(
                f"{p.name}: {p.type}" + (f" - {p.help}" if p.help else "")
                for p in statement.params
                if p.name in missing
            ),
            hint=" ".join(f"--param {name}=..." for name in missing),
        )
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for param in statement.params:
        given = _passable(param, params.get(param.name, param.default))
        if given is None and param.default is not None:
            raise _wrong_type(param, None)
        values[param.name] = None if given is None else _value(db, param, given, warnings)
    return values, warnings


#: Half of a character: what a command line or file has that is not UTF-8.
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_PYTHON: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "INTEGER": (int,),
    "FLOAT": (float, int),
    "BOOLEAN": (bool,),
    "LABEL": (str,),
}

#: What the driver takes as it is, besides numbers, texts, lists and mappings.
_TAKEN = (
    bool, float, bytes, bytearray, date, time, timedelta, np.datetime64, np.timedelta64,
    neo4j.time.Date, neo4j.time.Time, neo4j.time.DateTime, neo4j.time.Duration,
    neo4j.spatial.Point, neo4j.vector.Vector,
)  # fmt: skip


def _passable(param: Parameter, given: Any) -> Any:
    """Make a value that the database can take, or say what it cannot, at any depth."""
    if given is None or isinstance(given, _TAKEN):
        return given
    if hasattr(given, "tolist"):  # NumPy's and pandas'; of dates it would make numbers
        given = list(given) if given.ndim else given.item()
    if isinstance(given, int):
        if not -(2**63) <= given < 2**63:
            raise _not_passable(param, given, "a whole number of at most 64 bits")
        return given
    if isinstance(given, str):
        if _SURROGATE.search(given):
            raise _not_passable(param, given, "text that is valid Unicode")
        return given
    if isinstance(given, Mapping):
        if not all(isinstance(key, str) for key in given):
            raise _not_passable(param, given, "a mapping with texts as keys")
        return {_passable(param, key): _passable(param, value) for key, value in given.items()}
    if isinstance(given, Sequence):
        return [_passable(param, value) for value in given]
    raise _not_passable(param, given, "a number, text, date, list or mapping")


def _not_passable(param: Parameter, given: Any, expected: str) -> ConfigError:
    shown = ascii(given)
    return ConfigError(
        "a parameter cannot be passed to the database",
        where=param.name,
        found=shown if len(shown) <= 80 else f"{shown[:80]}...",
        expected=expected,
    )


def _value(db: Database, param: Parameter, given: Any, warnings: list[str]) -> Any:
    if param.many:
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise _wrong_type(param, given)
        if param.element in parameter_labels():
            return _entities(db, param, given, warnings)
        return [_scalar(param, v) for v in given]
    if param.element in parameter_labels():
        return find_entity(db, param.element, _scalar(param, given), param.name)
    if param.element == "TEXT VECTOR" and not isinstance(given, str):
        return _vector(param, given)
    if param.element == "TEXT VECTOR":
        from tosg.kg.search.hybrid import embed_text

        return embed_text(db, given)
    return _scalar(param, given)


def _vector(param: Parameter, given: Any) -> list[float]:
    """Take a vector as it is: from Python it may be given instead of a text."""
    if not isinstance(given, Sequence) or not given:
        raise _wrong_type(param, given)
    if not all(isinstance(v, float | int) and not isinstance(v, bool) for v in given):
        raise _wrong_type(param, given)
    return [float(v) for v in given]


def _entities(
    db: Database, param: Parameter, given: Sequence[Any], warnings: list[str]
) -> list[str]:
    texts = [str(_scalar(param, v)) for v in given]
    found = find_entities(db, param.element, texts)
    if not found.ids:
        raise UsageError(
            f"none of the names is a {param.element} of the graph",
            where=param.name,
            found=", ".join(texts[:10]) or "an empty list",
        )
    for what, names in (("not in the graph", found.missing), ("ambiguous", list(found.ambiguous))):
        if names:
            warnings.append(
                f"{param.name}: {len(names)} of {len(texts)} left out, {what}: "
                + ", ".join(names[:10])
                + (", ..." if len(names) > 10 else "")
            )
    return sorted(set(found.ids.values()))


def _scalar(param: Parameter, value: Any) -> Any:
    wanted = _PYTHON.get(param.element)
    if wanted is None:
        if param.element != "ANY" and not isinstance(value, str):
            raise _wrong_type(param, value)
        return value
    if isinstance(value, bool) and param.element != "BOOLEAN":
        raise _wrong_type(param, value)
    if not isinstance(value, wanted):
        raise _wrong_type(param, value)
    if param.element == "LABEL" and value not in parameter_labels():
        raise unknown("label", value, parameter_labels(), where=param.name)
    return float(value) if isinstance(value, int) and param.element == "FLOAT" else value


def _wrong_type(param: Parameter, value: Any) -> ConfigError:
    return ConfigError(
        "a parameter is not of its type",
        where=param.name,
        found=repr(value),
        expected=f"{param.type} - {param.help}",
    )


def checked(
    db: Database, query: str, params: Mapping[str, Any], *, timeout: float | None, strict: bool
) -> tuple[Statement, Checked, dict[str, Any], list[str]]:
    """Resolve, bind and check a query; returns also its values and the warnings so far."""
    statement = resolve(query)
    if statement.mode != "read":
        raise QueryError("the statement writes", where=statement.name, expected="mode: read")
    values, warnings = bind(db, statement, params, strict=strict)
    passed = check(db, statement.text, values, timeout=timeout)
    if not statement.declared:  # a statement with a header is meant for graphs of any content
        warnings = [*warnings, *passed.warnings]
    return statement, passed, values, warnings


def run(
    db: Database,
    query: str,
    params: Mapping[str, Any],
    *,
    timeout: float | None,
    limit: int | None = None,
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
        statement, passed, values, told = checked(db, query, params, timeout=timeout, strict=True)
    if not statement.declared:
        told = [*told, *passed.misspelt]
    if warnings is not None:
        told = [*told, *told_in_part(db)]
    # One list of all columns: its members have no type that Neo4j could hold against `shown`.
    # The newline ends a comment in the query's last line.
    columns = ", ".join(named(name) for name in passed.columns)
    text = (
        f"CALL () {{ {passed.body}\n}} WITH [{columns}, 0, ''] AS row "
        f"RETURN [v IN row[0..{len(passed.columns)}] | {shown('v')}] AS row"
    )
    if limit is not None and not statement.after:
        text += f" LIMIT {int(limit)}"
    found = run_checked(db, passed.prefix, text, values, timeout=timeout)
    rows = [row for (row,) in found]
    table = result_table(passed.columns, rows, {c.name: c.type for c in statement.returns})
    if statement.after:
        table = finishing.finish(statement.after, table, values)
        if limit is not None:
            table = table.slice(0, limit)
    if warnings is not None:
        warnings.extend(told)
    return table
