"""Relationships of other programs at nodes that a load removes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote
from tosg.kg.schema.support import CELL_RELATIONSHIP_TYPES
from tosg.kg.schema.types import ENTITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tosg.kg.database.connection import Database
    from tosg.kg.write.bolt_session import WriteSession

#: Nodes looked at once.
_NODES = 20_000

#: What makes a relationship another program's: no sources, and not one of attached cells.
_OF_OTHERS = "r.sources IS NULL AND NOT type(r) IN $cells"
_CELLS = [t.name for t in CELL_RELATIONSHIP_TYPES]


def find_foreign_ends(db: Database, idx: Sequence[int]) -> set[int]:
    """Find those of some nodes that relationships of other programs end at.

    Parameters
    ----------
    db : Database
        The graph.
    idx : sequence of int
        The nodes.
    """
    found: set[int] = set()
    for start in range(0, len(idx), _NODES):
        rows = db.rows(
            f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}})-[r]-() "
            f"WHERE {_OF_OTHERS} RETURN collect(DISTINCT idx) AS found",
            idx=list(idx[start : start + _NODES]),
            cells=_CELLS,
        )
        found.update(rows[0]["found"])
    return found


def move_foreign(session: WriteSession, db: Database, absorbed: pl.DataFrame) -> None:
    """Move relationships of other programs from absorbed nodes to those that stay.

    Parameters
    ----------
    session : WriteSession
        Under the lease.
    db : Database
        The graph.
    absorbed : DataFrame
        ``idx, into``.
    """
    some = find_foreign_ends(db, absorbed["idx"].to_list())
    if not some:
        return
    rows = absorbed.filter(absorbed["idx"].is_in(list(some)))
    ends: dict[str, Any] = {"idx": rows["idx"].to_list(), "into": rows["into"].to_list()}
    ends["cells"] = _CELLS
    match = (
        "CYPHER 5 UNWIND range(0, size($idx) - 1) AS i "
        f"MATCH (n:{ENTITY} {{idx: $idx[i]}}) MATCH (m:{ENTITY} {{idx: $into[i]}}) "
    )
    types = db.rows(
        f"{match} MATCH (n)-[r]-() WHERE {_OF_OTHERS} RETURN DISTINCT type(r) AS name", **ends
    )
    known = [str(row["name"]) for row in types]
    for name in known:
        kind = quote(name, known, "relationship type")
        for old, new in (
            (f"(n)-[r:{kind}]->(x)", f"(m)-[s:{kind}]->(x)"),
            (f"(x)-[r:{kind}]->(n)", f"(x)-[s:{kind}]->(m)"),
        ):
            session.run(
                f"{match} MATCH {old} WHERE {_OF_OTHERS} "
                f"CREATE {new} SET s = properties(r) DELETE r",
                ends,
            )
