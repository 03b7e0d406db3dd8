"""Constraints and indexes that the schema's tables ask for, as data and as Cypher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tosg.kg.schema.entities import ENTITY_TYPES
from tosg.kg.schema.support import SUPPORT_TYPES
from tosg.kg.schema.types import ENTITY, snake

#: No longer text fits the key of a range index of Neo4j.
LONGEST_INDEXED_BYTES = 8_164

#: Properties of every knowledge node that have a range index per type label.
ENTITY_INDEXED = ("name", "symbol")

#: The full-text index on :Entity, and what it covers.
FULLTEXT_INDEX = "entity_text"

FULLTEXT_PROPERTIES = ("name", "symbol", "synonyms", "description", "text")

#: The full-text index on :Entity in which accents do not matter, and what it covers.
NAMES_INDEX = "entity_names"

NAMES_PROPERTIES = ("name", "symbol", "synonyms")

NAMES_ANALYZER = "standard-folding"

IndexKind = Literal["UNIQUENESS", "RANGE", "FULLTEXT"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One constraint or index that the graph has.

    Attributes
    ----------
    name : str
        Its name in the database, made of label and properties.
    kind : str
        ``UNIQUENESS`` (a constraint with its range index), ``RANGE`` or ``FULLTEXT``.
    label : str
    properties : tuple of str
    analyzer : str
        How a full-text index cuts texts into words; "" for the database's own way.
    """

    name: str
    kind: IndexKind
    label: str
    properties: tuple[str, ...]
    analyzer: str = ""

    def statement(self) -> str:
        """Cypher that makes it where it is missing."""
        columns = ", ".join(f"n.{p}" for p in self.properties)
        if self.kind == "UNIQUENESS":
            return (
                f"CYPHER 5 CREATE CONSTRAINT {self.name} IF NOT EXISTS "
                f"FOR (n:{self.label}) REQUIRE {columns} IS UNIQUE"
            )
        if self.kind == "FULLTEXT":
            return (
                f"CYPHER 5 CREATE FULLTEXT INDEX {self.name} IF NOT EXISTS "
                f"FOR (n:{self.label}) ON EACH [{columns}]{self._options()}"
            )
        return (
            f"CYPHER 5 CREATE INDEX {self.name} IF NOT EXISTS FOR (n:{self.label}) ON ({columns})"
        )

    def _options(self) -> str:
        if not self.analyzer:
            return ""
        return f" OPTIONS {{indexConfig: {{`fulltext.analyzer`: '{self.analyzer}'}}}}"

    def drop_statement(self) -> str:
        """Cypher that takes it away."""
        what = "CONSTRAINT" if self.kind == "UNIQUENESS" else "INDEX"
        return f"CYPHER 5 DROP {what} {self.name} IF EXISTS"


def definitions() -> tuple[Definition, ...]:
    """Every constraint and index that the schema asks for, constraints first."""
    constraints = [_unique(ENTITY, p) for p in ("id", "idx")]
    constraints += [_unique(t.label, p) for t in SUPPORT_TYPES for p in t.unique]
    indexes = [_range(t.label, p) for t in ENTITY_TYPES for p in ENTITY_INDEXED]
    indexes += [_range(t.label, p) for t in SUPPORT_TYPES for p in t.indexed]
    fulltext = Definition(FULLTEXT_INDEX, "FULLTEXT", ENTITY, FULLTEXT_PROPERTIES)
    entity_names = Definition(NAMES_INDEX, "FULLTEXT", ENTITY, NAMES_PROPERTIES, NAMES_ANALYZER)
    return (*constraints, *indexes, fulltext, entity_names)


def _unique(label: str, key: str) -> Definition:
    return Definition(f"{snake(label)}_{key}", "UNIQUENESS", label, (key,))


def _range(label: str, key: str) -> Definition:
    return Definition(f"{snake(label)}_{key}", "RANGE", label, (key,))
