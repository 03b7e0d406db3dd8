"""Scores of edges in groups of cells at nodes that a load merges or removes.

A score starts at the edge's source and names its target by ``idx``; see `tosg.kg.cells.signals`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg.schema.types import ENTITY, relationship_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tosg.kg.database.connection import Database
    from tosg.kg.write.bolt_session import WriteSession

#: Nodes in one transaction.
_NODES = 4_000

_MOVE_SOURCE = (
    "CYPHER 5 UNWIND range(0, size($idx) - 1) AS i "
    f"MATCH (n:{ENTITY} {{idx: $idx[i]}})-[r:SIGNALS_IN]->(g) "
    f"MATCH (m:{ENTITY} {{idx: $into[i]}}) "
    "CREATE (m)-[s:SIGNALS_IN]->(g) SET s = properties(r) DELETE r"
)
# No index has the targets: one pass over all scores, whatever the number of nodes.
_MOVE_TARGET = (
    "CYPHER 5 MATCH ()-[r:SIGNALS_IN]->() WITH r, $homes[toString(r.target_idx)] AS home "
    "WHERE home IS NOT NULL SET r.target_idx = home"
)
# The greatest size is kept, whatever the order in which nodes were merged.
_KEEP_ONE = (
    f"CYPHER 5 MATCH (n:{ENTITY})-[r:SIGNALS_IN]->(g) "
    "WHERE n.idx IN $into OR r.target_idx IN $into "
    "WITH n, g, r ORDER BY abs(r.score) DESC, r.score DESC, r.sd, r.seeds DESC "
    "WITH n, g, r.target_idx AS target, r.type AS type, r.sign AS sign, r.method AS method, "
    "collect(r) AS scores "
    "UNWIND CASE WHEN n.idx = target AND NOT coalesce(type, '') IN $loops THEN scores "
    "ELSE scores[1..] END AS r DELETE r"
)
_DROP_TARGET = "CYPHER 5 MATCH ()-[r:SIGNALS_IN]->() WHERE r.target_idx IN $idx DELETE r"


def _has_signals(db: Database) -> bool:
    # From the store's own counts: no pass over the relationships.
    return bool(db.rows("CYPHER 5 MATCH ()-[r:SIGNALS_IN]->() RETURN count(r) AS n")[0]["n"])


def move_signals(session: WriteSession, db: Database, absorbed: pl.DataFrame) -> None:
    """Move scores from absorbed nodes to those that stay; of two of one edge, the greater stays.

    An edge between two nodes that became one keeps its scores only where its type allows an edge
    from a node to itself.

    The parameters are those of `tosg.kg.write.foreign.move_foreign`.
    """
    if not absorbed.height or not _has_signals(db):
        return
    loops = sorted(t.name for t in relationship_types().values() if t.self_loops)
    for part in absorbed.iter_slices(_NODES):
        idx, into = part["idx"].to_list(), part["into"].to_list()
        session.run(_MOVE_SOURCE, {"idx": idx, "into": into})
        homes = {str(old): new for old, new in zip(idx, into, strict=True)}
        session.run(_MOVE_TARGET, {"homes": homes})
        session.run(_KEEP_ONE, {"into": sorted(set(into)), "loops": loops})


def drop_signals(session: WriteSession, db: Database, idx: Sequence[int]) -> None:
    """Remove the scores of edges to the nodes ``idx``, which go and take those from them along."""
    if not idx or not _has_signals(db):
        return
    for start in range(0, len(idx), _NODES):
        session.run(_DROP_TARGET, {"idx": list(idx[start : start + _NODES])})
