"""The schema as documents: one for programs, one for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.kg.schema.entities import ENTITY_PROPERTIES, ENTITY_TYPES
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES, RELATIONSHIP_TYPES
from tosg.kg.schema.support import CELL_RELATIONSHIP_TYPES, SUPPORT_TYPES
from tosg.kg.schema.types import SCHEMA_VERSION, SOURCE_RANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tosg.kg.schema.kinds import RelationshipType


def as_dict() -> dict[str, Any]:
    """Describe the schema as plain values for JSON."""
    return {
        "version": SCHEMA_VERSION,
        "entity_types": [
            {
                "label": t.label,
                "prefixes": list(t.prefixes),
                "merge_by_name": t.merge_by_name,
                "help": t.help,
            }
            for t in ENTITY_TYPES
        ],
        "relationship_types": [_relationship(t) for t in RELATIONSHIP_TYPES],
        "cell_relationship_types": [_relationship(t) for t in CELL_RELATIONSHIP_TYPES],
        "support_types": [
            {
                "label": t.label,
                "unique": list(t.unique),
                "indexed": list(t.indexed),
                "help": t.help,
            }
            for t in SUPPORT_TYPES
        ],
        "entity_properties": _properties(ENTITY_PROPERTIES),
        "relationship_properties": _properties(RELATIONSHIP_PROPERTIES),
        "indexes": [
            {"name": d.name, "kind": d.kind, "label": d.label, "properties": list(d.properties)}
            for d in definitions()
        ],
        "source_rank": list(SOURCE_RANK),
    }


def _relationship(t: RelationshipType) -> dict[str, Any]:
    return {
        "type": t.name,
        "pairs": [list(pair) for pair in t.pairs],
        "ends": pairs_text(t),
        "directed": t.directed,
        "keys": list(t.keys),
        "help": t.help,
    }


def _properties(properties: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": n, "type": t, "help": h} for n, (t, h) in properties.items()]


def pairs_text(t: RelationshipType) -> str:
    """Write the pairs of a type short: ends that allow the same other ends stand together."""
    ends: dict[tuple[str, ...], list[str]] = {}
    for start in dict.fromkeys(a for a, _ in t.pairs):
        ends.setdefault(tuple(b for a, b in t.pairs if a == start), []).append(start)
    arrow = "→" if t.directed else "-"
    return "; ".join(f"{', '.join(a)} {arrow} {', '.join(b)}" for b, a in ends.items())


def markdown() -> str:
    """Describe the schema as the page ``docs/schema.md``."""
    parts = [
        "# The graph's schema",
        (
            "Written by `tosg schema --markdown` from the tables in `kg/schema/`; do not edit. "
            f"Schema version {SCHEMA_VERSION}."
        ),
        "## Entities",
        (
            "Every knowledge node has the label `Entity` and one of these. Its id is a CURIE; of "
            "several equivalent ids the one whose prefix stands first is the node's, the others "
            "are in `xrefs`."
        ),
        _table(
            ("label", "prefixes, best first", "joined by name", "what it is"),
            (
                (f"`{t.label}`", ", ".join(t.prefixes), "yes" if t.merge_by_name else "", t.help)
                for t in ENTITY_TYPES
            ),
        ),
        "### Properties of entities",
        _property_table(ENTITY_PROPERTIES),
        "## Relationships between entities",
        "An undirected relationship is stored once, its ends in the order of their ids.",
        _relationship_table(RELATIONSHIP_TYPES),
        "### Properties of relationships",
        _property_table(RELATIONSHIP_PROPERTIES),
        "## Cells and bookkeeping",
        _table(
            ("label", "unique", "indexed", "what it is"),
            (
                (f"`{t.label}`", ", ".join(t.unique), ", ".join(t.indexed), t.help)
                for t in SUPPORT_TYPES
            ),
        ),
        "### Relationships of cells",
        _relationship_table(CELL_RELATIONSHIP_TYPES),
        "## Constraints and indexes",
        "Made by every load; vector indexes (`<label>_embedding`) are made by `tosg embed`.",
        _table(
            ("name", "kind", "on"),
            (
                (f"`{d.name}`", d.kind.lower(), f"`:{d.label}({', '.join(d.properties)})`")
                for d in definitions()
            ),
        ),
        "## Rank of sources",
        (
            "Where several sources give a name, symbol or description, the first of these that "
            f"gives one wins; others follow in alphabetical order: {', '.join(SOURCE_RANK)}. Of a "
            "source whose files have releases of their own, the main file wins."
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _relationship_table(types: Iterable[RelationshipType]) -> str:
    return _table(
        ("type", "from and to", "directed", "key", "reads"),
        (
            (
                f"`{t.name}`",
                pairs_text(t),
                "yes" if t.directed else "no",
                ", ".join(t.keys),
                t.help,
            )
            for t in types
        ),
    )


def _property_table(properties: dict[str, tuple[str, str]]) -> str:
    rows = ((f"`{n}`", t, h) for n, (t, h) in properties.items())
    return _table(("property", "type", "meaning"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines)
