"""Names of the schema, quoted for Cypher text. See `tosg.cypher.quoting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.cypher.quoting import quote
from tosg.errors import unknown
from tosg.kg.schema.types import ENTITY, all_relationship_types, entity_types, support_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


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
    return quote(name, labels(), "label")


def choose_types(types: Collection[str] | None) -> list[str]:
    """Check types of entities that a user chose; all where none are given, in the schema's order.

    Raises
    ------
    UsageError
        The schema has no such type; the nearest ones are listed.
    """
    known = entity_types()
    for name in types or ():
        if name not in known:
            raise unknown("type", name, known)
    return [name for name in known if not types or name in types]


def relationship_type(name: str) -> str:
    """Quote a relationship type of the schema.

    Raises
    ------
    UsageError
        The schema has no such type; the nearest ones are listed.
    """
    return quote(name, frozenset(all_relationship_types()), "relationship type")


def pattern_types(names: Iterable[str]) -> str:
    """Write relationship types as they stand in a pattern: ``:`A`|`B```; "" for none."""
    quoted = [relationship_type(name) for name in names]
    return ":" + "|".join(quoted) if quoted else ""
