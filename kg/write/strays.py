"""What stands among the graph's nodes and relationships and is no claim of a source.

Other programs write to the same database: relationships of a schema type without sources, copies
of nodes and relationships, properties removed. A load leaves these alone. It must not fail
because of them, and must not count them as its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.kg.claims.schemas import LIST_SEPARATOR
from tosg.kg.database import bookkeeping
from tosg.kg.schema.types import ENTITY

if TYPE_CHECKING:
    from collections.abc import Collection

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.schema.kinds import RelationshipType

#: What every stored claim about an entity looks like.
_CLAIM = r'^\{"id":".+\}$'

_LOST = (
    f"CYPHER 5 MATCH (n:{ENTITY}) WHERE (n.idx IS NULL OR n.id IS NULL) AND n.claims IS NOT NULL "
    "RETURN elementId(n) AS element, n.idx AS idx, n.id AS id, n.claims AS claims"
)
_GREATEST = (
    f"CYPHER 5 MATCH (n:{ENTITY}) WHERE n.idx IS NOT NULL RETURN n.idx AS idx "
    "ORDER BY idx DESC LIMIT 1"
)


def has_claims() -> pl.Expr:
    """Whether a row's ``claims`` are some, and have the form of stored claims."""
    readable = pl.col("claims").list.eval(pl.element().str.contains(_CLAIM)).list.all()
    return readable & (pl.col("claims").list.len() > 0)


def sound_entities(rows: pl.DataFrame, claimed: Collection[str]) -> pl.DataFrame:
    """Pick the stored nodes that a merge can work on: those with claims.

    A node that has lost its claims, and still says which sources it had, counts as stored where
    a load claims its id again: it is written again, and keeps its number.

    Parameters
    ----------
    rows : DataFrame
        ``idx`` and the columns of an entity.
    claimed : collection of str
        Ids that the load claims.
    """
    with_claims = has_claims()
    once_ours = (pl.col("sources").list.len() > 0) & pl.col("id").is_in(list(claimed))
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return rows.filter(pl.col("id").is_not_null() & (with_claims | once_ours)).with_columns(
        pl.when(with_claims).then("claims").otherwise(nothing).alias("claims")
    )


def sound_relationships(rtype: RelationshipType, rows: pl.DataFrame) -> pl.DataFrame:
    """Pick the stored relationships that are claims: sources, and arrays that are parallel to them.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    rows : DataFrame
        ``start_idx, end_idx``, then the type's properties.
    """
    n = pl.col("sources").list.len()
    parallel = [pl.col(name).list.len() == n for name in ("licenses", "releases")]
    parallel += [
        pl.col(name).is_null() | (pl.col(name).list.len() == n) for name in ("scores", "evidence")
    ]
    keyed = [pl.col("sign").is_in([-1, 0, 1])] if "sign" in rtype.keys else []
    sound = pl.all_horizontal(n > 0, *parallel, *keyed).fill_null(value=False)
    return rows.filter(sound)


def first_of_copies(rtype: RelationshipType, rows: pl.DataFrame) -> pl.DataFrame:
    """Keep one of the relationships that are stored several times, always the same one.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    rows : DataFrame
        ``start_idx, end_idx``, then the type's properties.
    """
    key = ["start_idx", "end_idx", *rtype.keys]
    repeated = rows.select(key).is_duplicated()
    if not repeated.any():
        return rows
    texts = [
        pl.col(c).list.join(LIST_SEPARATOR) for c in ("sources", "licenses", "releases", "evidence")
    ]
    copies = rows.filter(repeated).sort(
        -pl.col("sources").list.len().cast(pl.Int64), *texts, "score", nulls_last=True
    )
    first = copies.unique(key, keep="first", maintain_order=True)
    return pl.concat([rows.filter(~repeated), first])


def restore_nodes(db: Database, lease: Lease) -> int:
    """Give nodes of ours back the ``id`` or ``idx`` that another program has removed.

    Their claims say the id. Where that id is another node's by now, the node stays as it is. The
    next number to give is raised above every number in use.

    Returns
    -------
    int
        How many nodes were restored.
    """
    greatest = db.rows(_GREATEST)
    lost = [row for row in db.rows(_LOST) if row["idx"] is not None or _first_id(row)]
    above = greatest[0]["idx"] + 1 if greatest and isinstance(greatest[0]["idx"], int) else 0
    if not lost and above <= bookkeeping.read_meta(db).next_idx:
        return 0
    with lease.transaction() as tx:
        bookkeeping.raise_next_idx(tx, above)
        free = _free_ids(db, lost)
        mended = [row for row in lost if row["id"] is not None or _first_id(row) in free]
        first = bookkeeping.reserve_idx(tx, len(mended))
        for i, row in enumerate(mended):
            tx.run(
                f"CYPHER 5 MATCH (n:{ENTITY}) WHERE elementId(n) = $element "
                "SET n.idx = coalesce(n.idx, $idx), n.id = coalesce(n.id, $id)",
                element=row["element"],
                idx=first + i,
                id=_first_id(row),
            ).consume()
    return len(mended)


def _free_ids(db: Database, lost: list[dict[str, Any]]) -> set[str]:
    """Ids of claims of nodes without an id that no node has; each for one node."""
    wanted = [id_ for row in lost if row["id"] is None and (id_ := _first_id(row))]
    taken = {
        r["id"]
        for r in db.rows(
            f"CYPHER 5 UNWIND $ids AS id MATCH (n:{ENTITY} {{id: id}}) RETURN id", ids=wanted
        )
    }
    return {id_ for id_ in wanted if id_ not in taken and wanted.count(id_) == 1}


def _first_id(row: dict[str, Any]) -> str | None:
    """The id that the first claim of a node is about."""
    try:
        claim = json.loads(row["claims"][0])
    except (ValueError, TypeError, IndexError):
        return None
    id_ = claim.get("id") if isinstance(claim, dict) else None
    return id_ if isinstance(id_, str) else None
