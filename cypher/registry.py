"""The named statements: one file each, read once, checked as they are read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.cypher.header import Statement, parse_statement
from tosg.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent / "statements"
SUFFIX = ".cypher"


def read(path: Path, labels: frozenset[str] | None = None) -> Statement:
    """Read one statement's file.

    Parameters
    ----------
    path : Path
    labels : frozenset of str, optional
        Labels that may be types of parameters.

    Raises
    ------
    SchemaError
        The header is wrong, or its name is not that of the file.
    """
    statement = parse_statement(path.read_text(encoding="utf-8"), path.name, labels)
    if statement.name != path.stem:
        raise SchemaError(
            "the name in the header is not that of the file",
            where=path.name,
            found=statement.name,
            expected=path.stem,
        )
    return statement


def read_folder(folder: Path, labels: frozenset[str] | None = None) -> Mapping[str, Statement]:
    """Read every statement of a folder, by name in alphabetical order."""
    return {p.stem: read(p, labels) for p in sorted(folder.glob(f"*{SUFFIX}"))}


@cache
def read_statements(labels: frozenset[str]) -> Mapping[str, Statement]:
    """The statements that come with tosg, by name.

    Parameters
    ----------
    labels : frozenset of str
        Labels of the schema: the types that parameters may have besides scalars.
    """
    return read_folder(FOLDER, labels)
