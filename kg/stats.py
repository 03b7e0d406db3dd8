"""What is in the graph: counts per label and relationship type from the count store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import UnknownNameError, quote
from tosg.kg.schema import ENTITY, entity_types, relationship_types

if TYPE_CHECKING:
    from tosg.kg.database import Database


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
    nodes = {name: _nodes(db, name, labels) for name in sorted(labels)}
    relationships = {name: _relationships(db, name, types) for name in sorted(types)}
    return GraphCounts(
        {k: v for k, v in nodes.items() if v}, {k: v for k, v in relationships.items() if v}
    )


def _nodes(db: Database, name: str, known: list[str]) -> int:
    try:
        query = f"CYPHER 5 MATCH (n:{quote(name, known)}) RETURN count(n) AS n"
    except UnknownNameError:  # somebody else's label, with a backtick in it
        query = "CYPHER 5 MATCH (n) WHERE $name IN labels(n) RETURN count(n) AS n"
    return int(db.rows(query, name=name)[0]["n"])


def _relationships(db: Database, name: str, known: list[str]) -> int:
    try:
        query = f"CYPHER 5 MATCH ()-[r:{quote(name, known)}]->() RETURN count(r) AS n"
    except UnknownNameError:
        query = "CYPHER 5 MATCH ()-[r]->() WHERE type(r) = $name RETURN count(r) AS n"
    return int(db.rows(query, name=name)[0]["n"])


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
        Source to ``{"nodes": n, "relationships": n}``.
    """
    nodes = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) UNWIND n.sources AS source "
        "RETURN source, count(*) AS n ORDER BY source"
    )
    relationships = db.rows(
        "CYPHER 5 MATCH ()-[r]->() WHERE r.sources IS NOT NULL UNWIND r.sources AS source "
        "RETURN source, count(*) AS n ORDER BY source"
    )
    found = {r["source"]: {"nodes": r["n"], "relationships": 0} for r in nodes}
    for r in relationships:
        found.setdefault(r["source"], {"nodes": 0, "relationships": 0})["relationships"] = r["n"]
    return dict(sorted(found.items()))
