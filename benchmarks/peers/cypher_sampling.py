"""Sample neighbours in the database by Cypher, hop by hop, and fetch the vectors of what came.

As proposals for a database backend of `torch_geometric` do (pull requests 10673 and 10690): each
batch is a few queries, and the server draws the neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import neo4j

_HOP = """CYPHER 5
UNWIND $nodes AS node
MATCH (a:Entity {idx: node})
CALL (a) {
  MATCH (a)-[r]-(b:Entity)
  WHERE endNode(r) = a OR type(r) IN $undirected
  WITH b ORDER BY rand() LIMIT $k
  RETURN collect(b.idx) AS found
}
RETURN node, found"""

_VECTORS = """CYPHER 5
UNWIND $nodes AS node
MATCH (a:Entity {idx: node})
RETURN node, a.embedding_f32 AS vector"""


def sample(
    driver: neo4j.Driver, seeds: Sequence[int], hops: Sequence[int], undirected: Sequence[str]
) -> tuple[list[int], list[tuple[int, int]], np.ndarray[Any, Any]]:
    """Sample around some nodes.

    Returns
    -------
    nodes : list of int
        ``idx`` of every node, seeds first.
    edges : list of (int, int)
        Positions in `nodes`: neighbour, node.
    vectors : (n, D) float32
    """
    place = {node: i for i, node in enumerate(seeds)}
    edges: list[tuple[int, int]] = []
    front = list(seeds)
    for k in hops:
        rows = driver.execute_query(
            _HOP, nodes=front, k=k, undirected=list(undirected), routing_="r"
        ).records
        front = []
        for row in rows:
            for other in row["found"]:
                if other not in place:
                    place[other] = len(place)
                    front.append(other)
                edges.append((place[other], place[row["node"]]))
    nodes = list(place)
    records = driver.execute_query(_VECTORS, nodes=nodes, routing_="r").records
    stored = {r["node"]: r["vector"] for r in records}
    width = max((len(v) // 4 for v in stored.values() if v), default=0)
    vectors = np.zeros((len(nodes), width), np.float32)
    for i, node in enumerate(nodes):
        if stored.get(node):
            vectors[i] = np.frombuffer(stored[node], "<f4")
    return nodes, edges, vectors
