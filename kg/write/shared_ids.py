"""One id, one node: refuse a merge that would give an id to nodes of two types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.errors import SchemaError
from tosg.kg.schema.types import ENTITY

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.merge.merged import Merged

#: Ids looked up at once.
_IDS = 20_000


def refuse_shared_ids(merged: Merged, db: Database | None = None) -> None:
    """Check that each id of a merge stands under one label, before anything is written.

    Parameters
    ----------
    merged : Merged
        What the graph is to hold.
    db : Database, optional
        The stored graph; of it, the types that the merge did not have to read are looked at too.

    Raises
    ------
    SchemaError
        One id stands for nodes of two types.
    """
    ids = merged.nodes["id"]
    twice = set(ids.filter(ids.is_duplicated()))
    if db is not None:
        twice |= _stored_under_others(merged, db)
    if twice:
        raise SchemaError(
            "one identifier is used for nodes of two types",
            found=f"{len(twice)} of them, as {', '.join(sorted(twice)[:5])}",
            expected="each id under one label",
            hint="leave out one of the sources, or correct their type; what a source said before "
            "goes with --prune",
        )


def _stored_under_others(merged: Merged, db: Database) -> set[str]:
    """Ids that are new to the types of the merge, and stored under a type it did not read."""
    others = set(merged.ledger.entity_types if merged.ledger else ()) - set(merged.entity_types)
    if not others:
        return set()
    ids = merged.nodes.join(merged.stored_ids(), on="id", how="anti")["id"]
    rows = (
        row
        for start in range(0, len(ids), _IDS)
        for row in db.rows(
            f"CYPHER 5 UNWIND $ids AS id MATCH (n:{ENTITY} {{id: id}}) "
            "WHERE any(label IN labels(n) WHERE label IN $others) RETURN id",
            ids=ids[start : start + _IDS].to_list(),
            others=sorted(others),
        )
    )
    return {str(row["id"]) for row in rows}
