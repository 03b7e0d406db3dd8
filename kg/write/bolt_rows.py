"""Small batches as rows of maps: a server plans one text, whatever type and columns they have.

Columns (`tosg.kg.write.bolt_parameters`) are sent faster, but each type and each pattern of
constant columns is a text of its own, and planning one takes longer than a small batch itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.kg.schema.types import ENTITY

if TYPE_CHECKING:
    import polars as pl

#: Up to so many rows, a batch is sent as maps.
FEW_ROWS = 200

CREATE_NODES = (
    f"CYPHER 5 UNWIND $rows AS row CREATE (n:{ENTITY}:$(row.label)) SET n = row.properties"
)
SET_NODES = (
    f"CYPHER 5 UNWIND $rows AS row MATCH (n:{ENTITY} {{idx: row.idx}}) "
    "WHERE row.label IN labels(n) SET n += row.properties"
)
CREATE_RELATIONSHIPS = (
    f"CYPHER 5 UNWIND $rows AS row MATCH (a:{ENTITY}) WHERE id(a) = row.start "
    f"MATCH (b:{ENTITY}) WHERE id(b) = row.end "
    "CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties"
)


def node_rows(label: str, part: pl.DataFrame, properties: list[str]) -> list[dict[str, Any]]:
    """Rows for `CREATE_NODES` and `SET_NODES`: ``idx, label, properties``."""
    values = part.select(properties).to_dicts()
    return [
        {"idx": idx, "label": label, "properties": row}
        for idx, row in zip(part["idx"].to_list(), values, strict=True)
    ]


def relationship_rows(name: str, part: pl.DataFrame, properties: list[str]) -> list[dict[str, Any]]:
    """Rows for `CREATE_RELATIONSHIPS`; ``start, end`` are the database's ids."""
    ends = zip(part["start"].to_list(), part["end"].to_list(), strict=True)
    values = part.select(properties).to_dicts()
    return [
        {"start": start, "end": end, "type": name, "properties": row}
        for (start, end), row in zip(ends, values, strict=True)
    ]
