"""The plain script of a user without tosg: driver records to PyG tensors to ``torch.save``.

As the driver's manual and PyG's tutorial on loading graphs teach: one query for the nodes, one for
the relationships, a dictionary from the node's own id to its row, a `Data` object, one file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import neo4j
import torch
from torch_geometric.data import Data

if TYPE_CHECKING:
    from pathlib import Path

NODES = """
MATCH (n:Entity)
RETURN n.id AS id, labels(n) AS labels, n.name AS name, n.symbol AS symbol, n.text AS text,
       n.embedding AS embedding
ORDER BY n.idx
"""

EDGES = """
MATCH (a:Entity)-[r]->(b:Entity)
RETURN a.id AS source, b.id AS target, type(r) AS type, r.score AS score, r.sign AS sign
"""


def script(uri: str, auth: tuple[str, str], out: Path) -> Data:
    """Read the whole graph and save it as one PyG object."""
    with neo4j.GraphDatabase.driver(uri, auth=auth, notifications_min_severity="OFF") as driver:
        records, _, _ = driver.execute_query(NODES, routing_="r")
        row = {record["id"]: i for i, record in enumerate(records)}
        labels = [next(x for x in record["labels"] if x != "Entity") for record in records]
        node_types = {name: i for i, name in enumerate(sorted(set(labels)))}
        data = Data(
            x=torch.tensor([record["embedding"] for record in records], dtype=torch.float32),
            node_type=torch.tensor([node_types[name] for name in labels]),
            num_nodes=len(records),
        )
        data.ids = [record["id"] for record in records]
        data.names = [record["name"] for record in records]
        data.symbols = [record["symbol"] for record in records]
        data.texts = [record["text"] for record in records]
        del records
        records, _, _ = driver.execute_query(EDGES, routing_="r")
        edge_types = {name: i for i, name in enumerate(sorted({r["type"] for r in records}))}
        data.edge_index = torch.tensor(
            [
                [row[record["source"]] for record in records],
                [row[record["target"]] for record in records],
            ]
        )
        data.edge_type = torch.tensor([edge_types[record["type"]] for record in records])
        data.edge_score = torch.tensor(
            [float("nan") if r["score"] is None else r["score"] for r in records]
        )
        data.edge_sign = torch.tensor([0 if r["sign"] is None else r["sign"] for r in records])
    torch.save(data, out)
    return data
