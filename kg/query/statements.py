"""Statements by name, from a file, or as plain Cypher."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.cypher.header import Statement, has_header, make_plain_statement, parse_statement
from tosg.cypher.registry import read_statements as read_statements
from tosg.errors import ConfigError, unknown
from tosg.kg.schema.types import ENTITY, entity_types

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Half of a character: what a command line or file has that is not UTF-8.
SURROGATE = re.compile(r"[\ud800-\udfff]")


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
    return read_statements(parameter_labels())


def is_packaged(statement: Statement) -> bool:
    """Whether it is one of those that come with tosg."""
    return statements().get(statement.name) is statement


def find_statement(query: str) -> Statement:
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
    if SURROGATE.search(query):
        raise ConfigError("the query is not UTF-8 text", found=ascii(query)[:80])
    if query.startswith("@"):
        text, where = _read(Path(query[1:]).expanduser()), query[1:]
    elif re.fullmatch(r"\s*[A-Za-z_]\w*\s*", query):
        known = statements()
        if query.strip() not in known:
            raise unknown("statement", query.strip(), known, where="`tosg query --list`")
        return known[query.strip()]
    if not has_header(text):
        return make_plain_statement(text, where)
    return parse_statement(text, where, parameter_labels())


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
