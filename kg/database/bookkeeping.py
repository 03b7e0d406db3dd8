"""The bookkeeping node ``(:TosgMeta {key: 'graph'})``: version, revision, next idx, who writes.

No other module writes Cypher on this node, but `tosg.kg.database.lease` for its own properties.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import SchemaError
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    import neo4j

    from tosg.kg.database.connection import Database

#: Start of every statement on the node.
MATCH_META = "CYPHER 5 MATCH (m:TosgMeta {key: 'graph'}) "


@dataclass(frozen=True, slots=True)
class Meta:
    """What the bookkeeping node says.

    Attributes
    ----------
    schema_version, revision, next_idx : int
        Of the graph; a new graph has revision 0.
    writer : str or None
        Who holds the lease, if it has not expired.
    loading : str or None
        What a load that has not finished was loading.
    unsettled : bool
        Whether a load has changed the graph, and texts and the mapping of cells have not followed.
    """

    schema_version: int
    revision: int
    next_idx: int
    writer: str | None = None
    loading: str | None = None
    unsettled: bool = False


def read_meta(db: Database) -> Meta:
    """Read the bookkeeping node; a graph without one is new.

    Raises
    ------
    SchemaError
        The graph was written by a newer tosg.
    """
    rows = db.rows(
        MATCH_META + "RETURN m.schema_version AS schema_version, m.revision AS revision, "
        "m.next_idx AS next_idx, m.loading AS loading, "
        "coalesce(m.unsettled, false) AS unsettled, "
        "CASE WHEN m.writer_until > timestamp() THEN m.writer END AS writer"
    )
    if not rows:
        return Meta(SCHEMA_VERSION, 0, 0)
    row = {**rows[0]}
    _check_version(row["schema_version"])
    return Meta(
        schema_version=row["schema_version"] or SCHEMA_VERSION,
        revision=row["revision"] or 0,
        next_idx=row["next_idx"] or 0,
        writer=row["writer"],
        loading=row["loading"],
        unsettled=row["unsettled"],
    )


def read_properties(db: Database) -> dict[str, Any]:
    """Read all properties of the bookkeeping node; empty where there is none."""
    rows = db.rows(MATCH_META + "RETURN m {.*} AS meta")
    return dict(rows[0]["meta"]) if rows else {}


def write_embedding(
    tx: neo4j.Transaction, name: str | None, revision: str | None, dim: int | None
) -> None:
    """Note the model that the vectors come from, and their length; None takes it away."""
    tx.run(
        MATCH_META + "SET m.embedding_model = $name, m.embedding_revision = $revision, "
        "m.embedding_dim = $dim",
        name=name,
        revision=revision,
        dim=dim,
    ).consume()


def write_nothing(db: Database) -> None:
    """Find out whether the database takes writes: after a full disk it only reads."""
    db.write(MATCH_META + "WITH m LIMIT 0 SET m.lock = true")


def _check_version(version: int | None) -> None:
    if version is not None and version > SCHEMA_VERSION:
        raise SchemaError(
            "the graph was written by a newer tosg",
            where="TosgMeta.schema_version",
            found=version,
            expected=f"{SCHEMA_VERSION} or less",
            hint="upgrade tosg",
        )


def ensure_meta(db: Database) -> None:
    """Make the bookkeeping node, and the constraint that keeps it the only one."""
    for definition in definitions():
        if definition.label == "TosgMeta":
            db.write(definition.statement())
    db.write(
        "CYPHER 5 MERGE (m:TosgMeta {key: 'graph'}) "
        "ON CREATE SET m.schema_version = $version, m.revision = 0, m.next_idx = 0",
        version=SCHEMA_VERSION,
    )


def merge_meta(db: Database) -> None:
    """Make one node of several bookkeeping nodes: the greatest numbers count.

    There can be several only where somebody has dropped their constraint.
    """
    db.write(
        MATCH_META + "WITH m ORDER BY m.revision DESC WITH collect(m) AS nodes, "
        "max(m.next_idx) AS next_idx WHERE size(nodes) > 1 "
        "FOREACH (m IN nodes[..1] | SET m.next_idx = next_idx) "
        "FOREACH (m IN nodes[1..] | DETACH DELETE m)"
    )


def reserve_idx(tx: neo4j.ManagedTransaction | neo4j.Transaction, n: int) -> int:
    """Take the next `n` row numbers; returns the first. They are never given again."""
    record = tx.run(
        # Setting the property first takes the node's lock, so the number read is the last one.
        MATCH_META
        + "SET m.next_idx = coalesce(m.next_idx, 0) + $n RETURN m.next_idx - $n AS first",
        n=n,
    ).single(strict=True)
    return int(record["first"])


def raise_next_idx(tx: neo4j.ManagedTransaction | neo4j.Transaction, least: int) -> None:
    """Make sure that the next row number to give is at least `least`."""
    tx.run(
        MATCH_META + "SET m.lock = true REMOVE m.lock "
        "WITH m WHERE coalesce(m.next_idx, 0) < $least SET m.next_idx = $least",
        least=least,
    ).consume()


def bump_revision(tx: neo4j.ManagedTransaction | neo4j.Transaction) -> int:
    """Raise the revision by one, for a load that changed something; returns the new one."""
    record = tx.run(
        MATCH_META + "SET m.revision = coalesce(m.revision, 0) + 1, m.schema_version = $version "
        "RETURN m.revision AS revision",
        version=SCHEMA_VERSION,
    ).single(strict=True)
    return int(record["revision"])


def mark_loading(tx: neo4j.ManagedTransaction | neo4j.Transaction, holder: str) -> None:
    """Note that a load has begun to write; `finish_load` takes the mark away."""
    tx.run(MATCH_META + "SET m.loading = $holder", holder=holder).consume()


def finish_load(tx: neo4j.ManagedTransaction | neo4j.Transaction) -> int:
    """Note that a load is whole, and that texts and cells must follow; returns the new revision."""
    tx.run(MATCH_META + "SET m.unsettled = true REMOVE m.loading").consume()
    return bump_revision(tx)


def mark_settled(tx: neo4j.ManagedTransaction | neo4j.Transaction) -> None:
    """Note that texts and the mapping of cells have followed what was loaded."""
    tx.run(MATCH_META + "REMOVE m.unsettled").consume()


def read_excerpts(db: Database) -> dict[str, list[str]]:
    """Read which sources were loaded from an excerpt, and the types that these claim."""
    rows = db.rows(MATCH_META + "RETURN m.excerpts AS excerpts")
    kept = rows[0]["excerpts"] if rows else None
    return dict(json.loads(kept)) if kept else {}


def write_excerpts(tx: neo4j.Transaction, excerpts: Mapping[str, list[str]]) -> None:
    """Keep what `read_excerpts` reads."""
    text = json.dumps(dict(excerpts), sort_keys=True) if excerpts else None
    tx.run(MATCH_META + "SET m.excerpts = $text", text=text).consume()
