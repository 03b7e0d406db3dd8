"""The map of anyone's own table: which columns are entities, relationships, signs and scores.

A map is a YAML file; ``docs/own-data.md`` has the whole of it. It is checked before a row is
read: unknown keys, types and columns are errors that name the nearest known ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from tosg.errors import DataError, TosgError, unknown
from tosg.kg.schema.curies import known_prefix
from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders.formats.opening import read_text
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = ("name", "symbol", "description")
_LISTS = ("synonyms", "xrefs")


@dataclass(frozen=True, slots=True)
class MappedField:
    """A column, and what separates the values in it ("" where there is one)."""

    column: str
    separator: str = ""


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
    """Columns of a relationship; ``signs`` are words and what they mean."""

    type: str
    start: EntityRef
    end: EntityRef
    sign: str = ""
    signs: dict[str, int] = field(default_factory=dict)
    score: Score | None = None
    action: str = ""
    evidence: dict[str, MappedField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowCondition:
    """Rows to keep: a column has, or has not, one of some values."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class TableMap:
    """What a map says; see the module."""

    source: str
    license: str
    release: str
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
            more = [link.sign, link.action, *(f.column for f in link.evidence.values())]
            if link.score is not None:
                more += [*link.score.numbers, *link.score.texts]
            found |= dict.fromkeys(column for column in more if column)
        found |= dict.fromkeys(c.column for c in self.where)
        return tuple(found)

    @property
    def refs(self) -> tuple[EntityRef, ...]:
        """All columns that name entities."""
        ends = (end for link in self.relationships for end in (link.start, link.end))
        return (*(e.id for e in self.entities), *ends)


def read_map(path: Path) -> TableMap:
    """Read and check a map.

    Raises
    ------
    DataError
        It is no YAML mapping, lacks a key, or has one that is not known.
    """
    document = read_yaml(path)
    try:
        return MapReader(str(path)).table(document)
    except DataError:
        raise
    except TosgError as error:
        raise DataError("the map is wrong", where=path, found=error) from error


def read_yaml(path: Path) -> object:
    """Document of a YAML file.

    Raises
    ------
    DataError
        It is no YAML.
    """
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError("the map is not YAML", where=path, found=error) from error


class MapReader:
    """Checks the parts of a map; an error names the file and what is known.

    Parameters
    ----------
    where : str
        The file, for errors.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    def mapping(self, value: object, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """A mapping with known keys only."""
        if not isinstance(value, Mapping):
            raise DataError(
                f"{what} is not a mapping",
                where=self.where,
                found=repr(value)[:120],
                expected="keys " + ", ".join(keys),
            )
        for key in value:
            if key not in keys:
                raise unknown(f"key of {what}", str(key), keys, where=self.where)
        return dict(value)

    def need(self, found: Mapping[str, Any], what: str, *keys: str) -> None:
        """Refuse a mapping that lacks a key."""
        for key in keys:
            if found.get(key) in (None, "", []):
                raise DataError(f"{what} lacks the key {key}", where=self.where, expected=key)

    def table(self, document: object) -> TableMap:
        """The whole map of a table."""
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
        names = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " "}
        delimiter = str(found.get("delimiter", "tab"))
        return TableMap(
            str(found["source"]),
            str(found.get("license") or ""),
            str(found.get("release") or ""),
            names.get(delimiter, delimiter),
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
        if found["type"] not in entity_types():
            raise unknown("type of entity", found["type"], entity_types(), where=self.where)
        prefix = known_prefix(str(found["prefix"])) if found.get("prefix") else ""
        return EntityRef(found["type"], str(found["column"]), prefix, bool(found.get("symbols")))

    def field(self, value: object, what: str) -> MappedField:
        """A column, with what separates its values."""
        if isinstance(value, str):
            return MappedField(value)
        found = self.mapping(value, what, ("column", "separator"))
        self.need(found, what, "column")
        return MappedField(str(found["column"]), str(found.get("separator") or ""))

    def entity(self, value: object) -> EntityMap:
        """Columns of an entity."""
        keys = ("type", "id", *_TEXTS, *_LISTS)
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
            {key: str(found[key]) for key in _TEXTS if found.get(key)},
            {key: self.field(found[key], key) for key in _LISTS if found.get(key)},
        )

    def relationship(self, value: object) -> RelationshipMap:
        """Columns of a relationship."""
        keys = ("type", "start", "end", "sign", "score", "action", "evidence")
        found = self.mapping(value, "a relationship", keys)
        self.need(found, "a relationship", "type", "start", "end")
        kind = relationship_types().get(str(found["type"]))
        if kind is None:
            raise unknown(
                "type of relationship", str(found["type"]), relationship_types(), where=self.where
            )
        start, end = self.ref(found["start"], "start"), self.ref(found["end"], "end")
        if (start.type, end.type) not in kind.pairs:
            raise DataError(
                f"the schema has no {kind.name} between these types",
                where=self.where,
                found=f"{start.type} to {end.type}",
                expected=", ".join(f"{a} to {b}" for a, b in kind.pairs),
            )
        column, words = self.sign(found.get("sign"))
        return RelationshipMap(
            kind.name,
            start,
            end,
            column,
            words,
            self.score(found.get("score")),
            str(found.get("action") or ""),
            self.evidence(found.get("evidence")),
        )

    def sign(self, value: object) -> tuple[str, dict[str, int]]:
        """Column of a sign ("" where there is none), and what its words mean."""
        found = self.mapping(value or {}, "sign", ("column", "words"))
        words = dict(found.get("words") or {})
        for word, sign in words.items():
            if sign not in (1, -1, 0) or isinstance(sign, bool):
                raise DataError(
                    "a word means no sign",
                    where=self.where,
                    found=f"{word}: {sign}",
                    expected="1, -1 or 0 (unknown)",
                )
        if words:
            self.need(found, "sign", "column")
        return str(found.get("column") or ""), {str(k): int(v) for k, v in words.items()}

    def score(self, value: object) -> Score | None:
        """The formula of a score."""
        if not value:
            return None
        found = self.mapping(value, "score", ("formula", "numbers", "texts"))
        self.need(found, "score", "formula")
        numbers, texts = (tuple(map(str, found.get(k) or ())) for k in ("numbers", "texts"))
        formula = str(found["formula"])
        try:
            named = pl.sql_expr(formula).meta.root_names()
        except pl.exceptions.PolarsError as error:
            raise DataError(
                "the formula of a score is not SQL",
                where=self.where,
                found=f"{formula}: {error}",
                expected="an expression over columns, as confidence / 1000",
            ) from error
        if missing := sorted(set(named) - {*numbers, *texts}):
            raise DataError(
                "the formula of a score has columns that are not listed",
                where=self.where,
                found=", ".join(missing),
                expected="each under numbers or texts",
            )
        return Score(formula, numbers, texts)

    def evidence(self, value: object) -> dict[str, MappedField]:
        """Columns that are kept as evidence, by the key that they get."""
        if not value:
            return {}
        if not isinstance(value, Mapping):
            raise DataError("evidence is not a mapping", where=self.where, found=repr(value)[:120])
        return {str(k): self.field(v, "evidence") for k, v in value.items()}

    def condition(self, value: object) -> RowCondition:
        """A condition on rows."""
        found = self.mapping(value, "a condition", ("column", "is", "not"))
        self.need(found, "a condition", "column")
        negated = "not" in found
        values = found["not"] if negated else found.get("is")
        listed = values if isinstance(values, list) else [values]
        return RowCondition(str(found["column"]), tuple(str(v) for v in listed), negated)
