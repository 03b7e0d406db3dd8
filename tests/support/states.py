"""A merge, and a stored graph, in the form of the oracle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    from support.oracle import Graph
    from tosg.kg.database.connection import Database
    from tosg.kg.merge.merged import Merged

_TEXTS = ("name", "symbol", "description")
_LISTS = ("synonyms", "previous", "xrefs", "sources", "licenses", "releases")


def of_merged(merged: Merged) -> Graph:
    """What a merge says that the graph is."""
    nodes = {
        row["id"]: _node(label, row)
        for label in merged.entity_types
        for row in merged.entities(label).iter_rows(named=True)
    }
    edges = {
        _key(name, row["start"], row["end"], row): _edge(name, row)
        for name in merged.relationship_types
        for row in merged.relationships(name).iter_rows(named=True)
    }
    return {"nodes": nodes, "edges": edges}


def of_database(db: Database) -> Graph:
    """What is stored."""
    nodes = {}
    for row in db.rows("MATCH (n:Entity) RETURN labels(n) AS labels, properties(n) AS p"):
        (label,) = set(row["labels"]) - {"Entity"}
        assert row["p"]["id"] not in nodes
        nodes[row["p"]["id"]] = _node(label, row["p"])
    edges = {}
    for row in db.rows(
        "MATCH (a:Entity)-[r]->(b:Entity) "
        "RETURN type(r) AS t, a.id AS start, b.id AS end, properties(r) AS p"
    ):
        key = _key(row["t"], row["start"], row["end"], row["p"])
        assert key not in edges, f"stored twice: {key}"
        edges[key] = _edge(row["t"], row["p"])
    return {"nodes": nodes, "edges": edges}


def _node(label: str, row: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = {"label": label, **{k: row.get(k) for k in _TEXTS}}
    for name in _LISTS:
        node[name] = ["" if x == "unstated" else x for x in row.get(name) or []]
    return node


def _key(name: str, start: str, end: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return (name, start, end, *(row.get(k) for k in relationship_types()[name].keys))


def _edge(name: str, row: dict[str, Any]) -> dict[str, Any]:
    n = len(row["sources"])
    scores = row.get("scores") or [float("nan")] * n
    evidence = row.get("evidence") or [""] * n
    told = zip(
        row["sources"],
        ["" if x == "unstated" else x for x in row["licenses"]],
        ["" if x == "unstated" else x for x in row["releases"]],
        [None if s != s else s for s in scores],
        [json.dumps(json.loads(e or "{}"), sort_keys=True) for e in evidence],
        strict=True,
    )
    rows = list(told)
    assert [r[:2] for r in rows] == sorted(r[:2] for r in rows), "arrays sorted by source"
    edge: dict[str, Any] = {"claims": sorted(rows, key=str), "score": row.get("score")}
    if "sign" not in relationship_types()[name].keys:
        edge["sign"] = row.get("sign")
    return edge
