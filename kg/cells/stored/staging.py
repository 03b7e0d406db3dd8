"""Nodes of a data set while it is written: under labels that no query asks for, without links.

A data set is written as ``TosgStagedCell``, ``TosgStagedGroup`` and one ``TosgStagedDataset``;
the nodes that a group will be linked to are listed in its properties (`WAITING`). The ``state`` of
the data set's node says how far the writer came:

``writing``
    Not complete. The next writer removes it.
``ready``
    Complete, or empty where a data set is removed. The next writer makes it visible
    (`tosg.kg.cells.stored.switch`).
``switching``
    Becoming visible in several transactions: readers see a part (`in_part`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import TTL, Lease

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import neo4j

    from tosg.kg.database.connection import Database

CELL, GROUP, DATASET = "TosgStagedCell", "TosgStagedGroup", "TosgStagedDataset"

#: Seconds to wait for another writer: that of a killed process expires in that time.
WAIT = TTL + 5

#: Properties of a staged group that will be its EXPRESSES: entities' ids and their two numbers.
WAITING = ("staged_entities", "staged_mean", "staged_fraction")

#: Nodes per transaction where a change takes several.
STEP = 20_000


def run(transaction: neo4j.Transaction, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run a statement of ours in a transaction."""
    return [dict(row) for row in transaction.run(f"CYPHER 5 {query}", parameters)]


def in_part(db: Database) -> str | None:
    """Find the id of the data set of which readers see only a part now."""
    query = f"CYPHER 5 MATCH (d:{DATASET} {{state: 'switching'}}) RETURN d.id AS id"
    return next((str(row["id"]) for row in db.rows(query)), None)


def describe_partial(db: Database) -> list[str]:
    """Describe, for a warning, the data set of which readers see only a part."""
    dataset = in_part(db)
    told = (
        f"only a part of data set {dataset} is visible: it is being attached or removed, or that "
        "was interrupted and the next attach, detach, remap or load completes it"
    )
    return [told] if dataset else []


class Stage:
    """Writes staged nodes; every transaction checks the lease.

    Parameters
    ----------
    db : Database
    lease : Lease
        Held for as long as this is used.
    """

    def __init__(self, db: Database, lease: Lease) -> None:
        self.db, self.lease = db, lease

    def transaction(self) -> AbstractContextManager[neo4j.Transaction]:
        """Open a transaction that commits at the end of the block, if the lease is still ours."""
        return self.lease.transaction()

    def write(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement in its own transaction."""
        with self.transaction() as transaction:
            return run(transaction, query, **parameters)

    def drain(self, query: str, n: int, **parameters: Any) -> None:
        """Run a statement that changes at most ``$n`` again until nothing is left."""
        while self.write(f"{query} RETURN count(*) AS n", n=n, **parameters)[0]["n"]:
            pass

    def begin(self, dataset: str, key: str) -> None:
        """Start a data set."""
        self._open(dataset, "writing", key=key)

    def begin_removal(self, dataset: str) -> None:
        """Start to remove a data set."""
        self._open(dataset, "ready", key=None)

    def _open(self, dataset: str, state: str, *, key: str | None) -> None:
        # Cells of an old data set of the same id have lower numbers than all that follow.
        self.write(
            f"CREATE (:{DATASET} {{id: $id, key: $key, state: $state, first_idx: $first}})",
            id=dataset,
            key=key,
            state=state,
            first=meta.read_meta(self.db).next_idx,
        )

    def discard(self) -> None:
        """Remove everything that is staged."""
        # If this is interrupted, the rest must not be mistaken for a whole.
        self.write(f"MATCH (d:{DATASET}) SET d.state = 'writing'")
        self.drain(f"MATCH (c:{CELL}) WITH c LIMIT $n DETACH DELETE c", STEP)
        self.write(f"MATCH (n:{GROUP}|{DATASET}) DETACH DELETE n")

    def ready(self) -> None:
        """Mark the staged data set as complete."""
        self.write(f"MATCH (d:{DATASET}) SET d.state = 'ready'")

    def drop_property(self, name: str) -> None:
        """Remove a property from all staged cells."""
        key = quote_property(name)
        found = f"MATCH (c:{CELL}) WHERE c.{key} IS NOT NULL WITH c LIMIT $n REMOVE c.{key}"
        self.drain(found, STEP)
