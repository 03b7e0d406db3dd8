"""Reading as the driver's manual shows it: one record per relationship or node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import neo4j


EDGES = "MATCH (a)-[r]->(b) RETURN a.idx AS start, b.idx AS end"

#: All that an export reads of an edge.
WHOLE_EDGES = (
    "MATCH (a)-[r]->(b) RETURN a.idx AS start, b.idx AS end, type(r) AS type, r.score AS score, "
    "r.sign AS sign, r.sources AS sources, r.licenses AS licenses, r.releases AS releases"
)


def edges(driver: neo4j.Driver, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read the ends of all (or some) relationships: two (E,) int64 arrays."""
    query = EDGES if limit is None else f"{EDGES} LIMIT {limit:d}"
    records, _, _ = driver.execute_query(query, routing_="r")
    both = np.array([record.values() for record in records], np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def embeddings(driver: neo4j.Driver) -> tuple[np.ndarray, np.ndarray]:
    """Read all vectors: (n,) int64 idx and (n, D) float32."""
    records, _, _ = driver.execute_query(
        "MATCH (n) WHERE n.embedding IS NOT NULL RETURN n.idx AS idx, n.embedding AS embedding",
        routing_="r",
    )
    idx = np.array([record["idx"] for record in records], np.int64)
    return idx, np.array([record["embedding"] for record in records], np.float32)


def py2neo_edges(uri: str, username: str, password: str, limit: int) -> np.ndarray:
    """Read the ends of some relationships with py2neo: (limit, 2) int64."""
    from py2neo import Graph

    graph = Graph(uri, auth=(username, password))
    cursor = graph.run("MATCH (a)-[r]->(b) RETURN a.idx, b.idx LIMIT $limit", limit=limit)
    return np.array([record.values() for record in cursor], np.int64).reshape(-1, 2)
