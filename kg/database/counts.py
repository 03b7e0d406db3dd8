"""What is in the graph: counts per label and relationship type from the count store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote
from tosg.html_text import facts_html
from tosg.kg.schema.types import ENTITY, EXCERPT_OF, entity_types, relationship_types

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

_PER_SOURCE = ("nodes", "relationships", "from_excerpt")

#: Names that can stand between quotes as they are.
_PLAIN = re.compile(r"[\w .:-]+")


@dataclass(frozen=True)
class GraphCounts:
    """How many nodes and relationships there are.

    Attributes
    ----------
    nodes : dict of str to int
        Per label that has any. A knowledge node counts under ``Entity`` and under its type.
    relationships : dict of str to int
        Per type that has any.
    """

    nodes: dict[str, int] = field(default_factory=dict)
    relationships: dict[str, int] = field(default_factory=dict)

    @property
    def entities(self) -> dict[str, int]:
        """Knowledge nodes per type label."""
        return {k: v for k, v in self.nodes.items() if k in entity_types()}

    @property
    def knowledge(self) -> dict[str, int]:
        """Relationships between knowledge nodes, per type."""
        return {k: v for k, v in self.relationships.items() if k in relationship_types()}

    def _repr_html_(self) -> str:
        return facts_html(
            "What is in the graph",
            [*self.nodes.items(), *((f"-[{k}]-", n) for k, n in self.relationships.items())],
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"nodes": dict(self.nodes), "relationships": dict(self.relationships)}


def count(db: Database) -> GraphCounts:
    """Count all labels and relationship types; constant time in the size of the graph.

    Parameters
    ----------
    db : Database
        The graph.
    """
    labels = [r["label"] for r in db.rows("CALL db.labels() YIELD label RETURN label")]
    types = [
        r["relationshipType"]
        for r in db.rows("CALL db.relationshipTypes() YIELD relationshipType RETURN *")
    ]
    nodes = _count_each(db, labels, "MATCH (n:{}) RETURN '{}' AS name, count(n) AS n")
    relationships = _count_each(db, types, "MATCH ()-[r:{}]->() RETURN '{}' AS name, count(r) AS n")
    return GraphCounts(nodes, relationships)


def _count_each(db: Database, names: list[str], branch: str) -> dict[str, int]:
    """Fill in the branch for every name, and run all of them as one query."""
    safe = [name for name in sorted(names) if _PLAIN.fullmatch(name)]
    # Somebody else's odd names are not counted from the store, and matter to nobody here.
    if not safe:
        return {}
    union = " UNION ALL ".join(branch.format(quote(name, names), name) for name in safe)
    return {r["name"]: r["n"] for r in db.rows(f"CYPHER 5 {union}") if r["n"]}


def is_empty(db: Database) -> bool:
    """Whether the graph has no nodes but tosg's own `TosgMeta`."""
    rows = db.rows("CYPHER 5 MATCH (n) WHERE NOT n:TosgMeta RETURN 1 AS one LIMIT 1")
    return not rows


def by_source(db: Database) -> dict[str, dict[str, int]]:
    """Count per source the nodes and relationships that it claims; reads them all.

    Parameters
    ----------
    db : Database
        The graph.

    Returns
    -------
    dict
        Source to ``{"nodes": n, "relationships": n, "from_excerpt": n}``: the last counts those of
        both that an excerpt of the source claims.
    """
    found: dict[str, dict[str, int]] = {}
    for what, matched in (("nodes", f"(x:{ENTITY})"), ("relationships", "()-[x]->()")):
        rows = db.rows(
            f"CYPHER 5 MATCH {matched} WHERE x.sources IS NOT NULL "
            "UNWIND range(0, size(x.sources) - 1) AS i "
            "RETURN x.sources[i] AS source, count(*) AS n, "
            "sum(CASE WHEN x.releases[i] STARTS WITH $excerpt THEN 1 ELSE 0 END) AS partial",
            excerpt=EXCERPT_OF,
        )
        for r in rows:
            of = found.setdefault(r["source"], dict.fromkeys(_PER_SOURCE, 0))
            of[what] = r["n"]
            of["from_excerpt"] += r["partial"]
    return dict(sorted(found.items()))
