"""The map of anyone's own table: which columns are entities, relationships, signs and scores.

Its keys are in ``docs/own-data.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.reference.map_reader import (
    LIST_KEYS,
    SEPARATORS,
    TEXT_KEYS,
    VALUE_KEYS,
    Described,
    LinkValues,
    MappedField,
    MapReader,
    open_map,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class EntityRef:
    """How a column names an entity: by identifiers of a prefix, or by symbols of genes.

    Attributes
    ----------
    type, column : str
    prefix : str
        "" where each value names its own.
    symbols : bool
        Whether the values are symbols of human genes.
    """

    type: str
    column: str
    prefix: str = ""
    symbols: bool = False


@dataclass(frozen=True, slots=True)
class EntityMap:
    """Columns of an entity."""

    id: EntityRef
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, MappedField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RelationshipMap:
    """Columns of a relationship."""

    type: str
    start: EntityRef
    end: EntityRef
    values: LinkValues


@dataclass(frozen=True, slots=True)
class RowCondition:
    """Rows to keep: a column has, or has not, one of some values."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class TableMap:
    """What a map says; see the module."""

    about: Described
    delimiter: str
    quoted: bool
    comment: str
    columns: tuple[str, ...]
    entities: tuple[EntityMap, ...]
    relationships: tuple[RelationshipMap, ...]
    where: tuple[RowCondition, ...]

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that are read."""
        found: dict[str, None] = {}
        for ref in self.refs:
            found[ref.column] = None
        for entity in self.entities:
            found |= dict.fromkeys(entity.texts.values())
            found |= dict.fromkeys(f.column for f in entity.lists.values())
        for link in self.relationships:
            found |= dict.fromkeys(link.values.columns)
        found |= dict.fromkeys(c.column for c in self.where)
        return tuple(found)

    @property
    def refs(self) -> tuple[EntityRef, ...]:
        """All columns that name entities."""
        ends = (end for link in self.relationships for end in (link.start, link.end))
        return (*(e.id for e in self.entities), *ends)


def read_map(path: Path) -> TableMap:
    """Read and check a map; see `tosg.loaders.reference.map_reader.open_map`."""
    return open_map(path, lambda where, document: _Reader(where).table(document))


class _Reader(MapReader):
    def table(self, document: object) -> TableMap:
        keys = (
            "source", "license", "release", "delimiter", "quoted", "comment", "columns",
            "entities", "relationships", "where",
        )  # fmt: skip
        found = self.mapping(document, "the map", keys)
        self.need(found, "the map", "source")
        entities = tuple(self.entity(e) for e in found.get("entities") or ())
        links = tuple(self.relationship(r) for r in found.get("relationships") or ())
        if not entities and not links:
            raise DataError(
                "the map names no entities and no relationships",
                where=self.where,
                expected="a list under entities or relationships",
            )
        delimiter = str(found.get("delimiter", "tab"))
        return TableMap(
            self.about(found),
            SEPARATORS.get(delimiter, delimiter),
            bool(found.get("quoted", delimiter == "comma")),
            str(found.get("comment") or ""),
            tuple(str(c) for c in found.get("columns") or ()),
            entities,
            links,
            tuple(self.condition(c) for c in found.get("where") or ()),
        )

    def ref(self, value: object, what: str) -> EntityRef:
        """How a column names an entity."""
        found = self.mapping(value, what, ("type", "column", "prefix", "symbols"))
        self.need(found, what, "type", "column")
        type_ = self.entity_type(found["type"])
        symbols = bool(found.get("symbols"))
        return EntityRef(type_, str(found["column"]), self.prefix(found), symbols)

    def entity(self, value: object) -> EntityMap:
        keys = ("type", "id", *TEXT_KEYS, *LIST_KEYS)
        found = self.mapping(value, "an entity", keys)
        self.need(found, "an entity", "type", "id")
        given = found["id"]
        if not isinstance(given, str | Mapping):
            raise DataError(
                "the id of an entity is not a column",
                where=self.where,
                found=repr(given)[:120],
                expected="a column, or column with prefix or symbols",
            )
        named = {"column": given} if isinstance(given, str) else dict(given)
        return EntityMap(
            self.ref({"type": found["type"], **named}, "the id of an entity"),
            self.texts(found),
            {key: self.field(found[key], key) for key in LIST_KEYS if found.get(key)},
        )

    def relationship(self, value: object) -> RelationshipMap:
        found = self.mapping(value, "a relationship", ("type", "start", "end", *VALUE_KEYS))
        self.need(found, "a relationship", "type", "start", "end")
        kind = self.relationship_type(found["type"])
        start, end = self.ref(found["start"], "start"), self.ref(found["end"], "end")
        if (start.type, end.type) not in kind.pairs:
            raise DataError(
                f"the schema has no {kind.name} between these types",
                where=self.where,
                found=f"{start.type} to {end.type}",
                expected=", ".join(f"{a} to {b}" for a, b in kind.pairs),
            )
        return RelationshipMap(kind.name, start, end, self.values(found))

    def condition(self, value: object) -> RowCondition:
        """A condition on rows."""
        found = self.mapping(value, "a condition", ("column", "is", "not"))
        self.need(found, "a condition", "column")
        negated = "not" in found
        values = found["not"] if negated else found.get("is")
        listed = values if isinstance(values, list) else [values]
        return RowCondition(str(found["column"]), tuple(str(v) for v in listed), negated)
