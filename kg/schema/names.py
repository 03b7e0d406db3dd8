"""Names of the schema, quoted for Cypher text. See `tosg.cypher.quoting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.cypher.quoting import UnknownNameError, quote, quote_property
from tosg.errors import SchemaError, unknown
from tosg.kg.schema.types import ENTITY, all_relationship_types, entity_types, support_types

if TYPE_CHECKING:
    from collections.abc import Iterable


def labels() -> frozenset[str]:
    """Every label of the schema."""
    return frozenset({ENTITY, *entity_types(), *support_types()})


def label(name: str) -> str:
    """Quote a label of the schema.

    Raises
    ------
    UsageError
        The schema has no such label; the nearest ones are listed.
    """
    try:
        return quote(name, labels())
    except UnknownNameError as error:
        raise unknown("label", name, error.known) from error


def relationship_type(name: str) -> str:
    """Quote a relationship type of the schema.

    Raises
    ------
    UsageError
        The schema has no such type; the nearest ones are listed.
    """
    try:
        return quote(name, frozenset(all_relationship_types()))
    except UnknownNameError as error:
        raise unknown("relationship type", name, error.known) from error


def pattern_types(names: Iterable[str]) -> str:
    """Write relationship types as they stand in a pattern: ``:`A`|`B```; "" for none."""
    quoted = [relationship_type(name) for name in names]
    return ":" + "|".join(quoted) if quoted else ""


def property_name(name: str) -> str:
    """Quote a property name.

    Raises
    ------
    SchemaError
        The name cannot stand in Cypher.
    """
    try:
        return quote_property(name)
    except UnknownNameError as error:
        raise SchemaError(
            "a property name cannot stand in Cypher",
            found=repr(name),
            expected="no backtick, backslash or control character, and not empty",
        ) from error
