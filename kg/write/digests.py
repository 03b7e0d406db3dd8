"""Digests of what the graph holds of each source, kept in ``(:TosgDigest)`` nodes.

See `tosg.kg.merge.digests` for what they are. They hold as long as only loads of tosg write
relationships: each load notes how many there are of each type afterwards, and where the database
has another number, somebody else has written, and everything is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.kg.merge.digests import MADE_BY, SourceDigests, from_bytes
from tosg.kg.write.stored import UNSTATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import neo4j

    from tosg.kg.database.connection import Database

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction

_LIST = (
    "CYPHER 5 MATCH (d:TosgDigest) RETURN d.id AS id, d.type AS type, d.source AS source, "
    "d.stored AS stored, d.made_by AS made_by, d.releases AS releases"
)
#: Deletes the nodes with these ``ids``, or all where that is null.
DROP = "CYPHER 5 MATCH (d:TosgDigest) WHERE $ids IS NULL OR d.id IN $ids DELETE d"


@dataclass(frozen=True, slots=True)
class KeptDigests:
    """What a ``TosgDigest`` node says but for the digests themselves.

    Attributes
    ----------
    id : str
        Of the node.
    type, source : str
        Relationship type and source.
    stored : int
        Relationships of the type, of whatever source, after the last load.
    releases : tuple of str
        See `SourceDigests`.
    """

    id: str
    type: str
    source: str
    stored: int
    releases: tuple[str, ...]


def read_kept(db: Database, counts: Mapping[str, int]) -> tuple[list[KeptDigests], list[str]]:
    """Read which digests the graph keeps that hold, and the ids of those that do not.

    Parameters
    ----------
    db : Database
        The graph.
    counts : mapping of str to int
        How many relationships there are of each type.
    """
    kept, stale = [], []
    for row in db.rows(_LIST):
        if row["made_by"] == MADE_BY and row["stored"] == counts.get(row["type"], 0):
            releases = tuple("" if r == UNSTATED else r for r in row["releases"])
            kept.append(KeptDigests(row["id"], row["type"], row["source"], row["stored"], releases))
        else:
            stale.append(row["id"])
    return kept, stale


def read_digests(db: Database, kept: Iterable[KeptDigests]) -> dict[str, SourceDigests]:
    """Read the digests of one type, by source."""
    found = {}
    for one in kept:
        rows = db.rows("CYPHER 5 MATCH (d:TosgDigest {id: $id}) RETURN d.digests AS x", id=one.id)
        values = from_bytes(rows[0]["x"])
        found[one.source] = SourceDigests(one.type, one.source, values, one.releases)
    return found


def import_frame(digests: Iterable[SourceDigests], stored: Mapping[str, int]) -> pl.DataFrame:
    """Nodes for the import, of a graph with so many relationships of each type."""
    return pl.DataFrame([node_of(d, stored[d.type]) for d in digests])


def node_of(digests: SourceDigests, stored: int) -> dict[str, Any]:
    """Properties of the node that keeps digests, where so many of the type are stored."""
    return {
        "id": digest_id(digests.type, digests.source),
        "type": digests.type,
        "source": digests.source,
        "stored": stored,
        "made_by": MADE_BY,
        "releases": stored_releases(digests.releases),
        "digests": digests.to_bytes(),
    }


def stored_releases(releases: Iterable[str]) -> list[str]:
    """Releases as the node has them: no stored list has an empty text."""
    return sorted(r or UNSTATED for r in releases)


def digest_id(type_: str, source: str) -> str:
    """Id of the node that keeps the digests of one type and source."""
    return f"{type_} {source}"


def drop_digests(tx: Transaction) -> None:
    """Forget all digests: everything is compared with the stored graph by the next loads."""
    tx.run(DROP, ids=None).consume()
