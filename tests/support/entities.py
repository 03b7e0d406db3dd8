"""Small graphs of entities by plain Cypher, and the offline model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from support.servers import missing
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database import indexes as ddl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.database.connection import Database
    from tosg.kg.embed.models import Model


def add_entities(db: Database, label: str, rows: Iterable[dict[str, Any]]) -> None:
    """Make entities of one type; ``idx`` is given in order, after those that are there."""
    meta.ensure_meta(db)
    listed = list(rows)
    with db.session(write=True) as session, session.begin_transaction() as tx:
        first = meta.reserve_idx(tx, len(listed))
        tx.run(
            f"CYPHER 5 UNWIND range(0, size($rows) - 1) AS i CREATE (n:Entity:{label}) "
            "SET n = $rows[i], n.idx = $first + i",
            rows=listed,
            first=first,
        ).consume()
        tx.commit()


def add_relationships(db: Database, type_: str, pairs: Iterable[tuple[Any, ...]]) -> None:
    """Make relationships from (start id, end id) or (start id, end id, score)."""
    rows = [(p[0], p[1], p[2] if len(p) > 2 else None) for p in pairs]
    db.write(
        "CYPHER 5 UNWIND $rows AS r MATCH (a:Entity {id: r[0]}), (b:Entity {id: r[1]}) "
        f"CREATE (a)-[x:{type_}]->(b) SET x.score = r[2]",
        rows=[list(r) for r in rows],
    )


def immune_graph(db: Database) -> None:
    """Two genes with a protein, what they do, a disease, a drug, a cell type."""
    ddl.ensure_schema(db)
    add_entities(
        db,
        "Gene",
        [
            {
                "id": "ncbigene:3559",
                "symbol": "IL2RA",
                "name": "interleukin 2 receptor subunit alpha",
                "synonyms": ["CD25", "il2ra", "TCGFR"],
                "description": "Makes the receptor sensitive. High on regulatory T cells.",
            },
            {"id": "ncbigene:6776", "symbol": "STAT5A", "name": "STAT factor 5A"},
        ],
    )
    add_entities(db, "Protein", [{"id": "uniprot:P01589", "symbol": "IL2RA", "name": "CD25"}])
    add_entities(
        db,
        "MolecularFunction",
        [
            {"id": "go:0004911", "name": "interleukin-2 receptor activity"},
            {"id": "go:0005515", "name": "protein binding"},
        ],
    )
    add_entities(db, "BiologicalProcess", [{"id": "go:0042110", "name": "T cell activation"}])
    add_entities(db, "CellularComponent", [{"id": "go:0005886", "name": "plasma membrane"}])
    add_entities(db, "Pathway", [{"id": "wikipathways:WP49", "name": "IL-2 signaling"}])
    add_entities(db, "Disease", [{"id": "mondo:0005301", "name": "multiple sclerosis"}])
    add_entities(db, "Drug", [{"id": "drugbank:DB00041", "name": "aldesleukin"}])
    add_entities(db, "CellType", [{"id": "cl:0000815", "name": "regulatory T cell"}])
    add_relationships(
        db,
        "HAS_FUNCTION",
        [("ncbigene:3559", "go:0005515"), ("uniprot:P01589", "go:0004911", 0.9)],
    )
    add_relationships(
        db,
        "PARTICIPATES_IN",
        [("ncbigene:3559", "go:0042110"), ("ncbigene:3559", "wikipathways:WP49")],
    )
    add_relationships(db, "LOCATED_IN", [("uniprot:P01589", "go:0005886")])
    add_relationships(db, "ASSOCIATED_WITH", [("ncbigene:3559", "mondo:0005301", 0.5)])
    add_relationships(db, "TARGETS", [("drugbank:DB00041", "uniprot:P01589")])
    add_relationships(db, "TREATS", [("drugbank:DB00041", "mondo:0005301")])
    add_relationships(db, "ENCODES", [("ncbigene:3559", "uniprot:P01589")])


def texts(db: Database) -> dict[str, str]:
    """Text of each entity by id."""
    rows = db.rows("CYPHER 5 MATCH (n:Entity) RETURN n.id AS id, n.text AS text")
    return {row["id"]: row["text"] for row in rows}


@functools.cache
def offline_model() -> Model:
    """The default model from its package; skips (fails in CI) where that is not installed."""
    from tosg.errors import ConfigError
    from tosg.kg.embed.models import load_model

    try:
        return load_model()
    except ConfigError as error:
        missing(f"no embedding model: {error}")
