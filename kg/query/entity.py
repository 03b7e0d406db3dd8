"""What the graph says of one entity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database


def read_entity(db: Database, id_: str) -> dict[str, Any] | None:
    """Read what is written at an entity, without its vector; None where there is none.

    Parameters
    ----------
    db : Database
    id_ : str
        Its id.

    Returns
    -------
    dict or None
        id, type, name, symbol, synonyms, xrefs, description, text, sources, licenses, releases,
        joined, and embedded (whether it has a text vector).
    """
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity {id: $id}) RETURN n {.id, .name, .symbol, .synonyms, .xrefs, "
        ".description, .text, .sources, .licenses, .releases, .joined, "
        "type: [l IN labels(n) WHERE l <> 'Entity'][0], embedded: n.embedding_key IS NOT NULL} "
        "AS n",
        id=id_,
    )
    return dict(rows[0]["n"]) if rows else None


def count_degrees(db: Database, id_: str, *, products: bool = True) -> dict[str, int]:
    """Count the relationships of each type at an entity, and at its proteins if `products`."""
    rows = db.rows(
        "CYPHER 5 MATCH (:Entity {id: $id})-[:ENCODES*0..1]->(x:Entity) "
        "WHERE $products OR x.id = $id MATCH (x)-[r]-(:Entity) "
        "RETURN type(r) AS type, count(DISTINCT r) AS n ORDER BY type",
        id=id_,
        products=products,
    )
    return {row["type"]: row["n"] for row in rows}
