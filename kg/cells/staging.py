"""Attaching whole or not at all: new nodes wait under other labels until all of them are written.

A data set is written as ``TosgStagedCell``, ``TosgStagedGroup`` and one ``TosgStagedDataset``,
whose ``state`` says how far it came:

``writing``
    Not complete. What is there is thrown away by whoever writes next.
``ready``
    Complete. Whoever writes next gives the nodes their real labels (and takes the old data set of
    the same id away first, where one is replaced). Up to `ONE_TRANSACTION` cells this is one
    transaction, so nobody ever sees a part of a data set.
``deleting``
    A data set that is being taken away; whoever writes next goes on with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tosg.kg import meta

if TYPE_CHECKING:
    from collections.abc import Iterator

    import neo4j

    from tosg.kg.database import Database

CELL, GROUP, DATASET = "TosgStagedCell", "TosgStagedGroup", "TosgStagedDataset"

#: Seconds to wait for another writer: a killed one loses its lease in that time.
WAIT = meta.TTL + 5

#: Cells whose labels change, or that are deleted, in one transaction.
ONE_TRANSACTION = 50_000
_RELATIONSHIPS = 200_000

_CELLS = "MATCH (c:Cell) WHERE c.dataset = $id AND c.idx < $first"
_ALL = 2**62


def run(transaction: neo4j.Transaction, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run a statement of ours in a transaction."""
    return [dict(row) for row in transaction.run(f"CYPHER 5 {query}", parameters)]


class Stage:
    """Where data sets are written and taken away; every transaction checks the lease.

    Parameters
    ----------
    db : Database
    lease : Lease
        Held for as long as this is used.
    """

    def __init__(self, db: Database, lease: meta.Lease) -> None:
        self.db, self.lease = db, lease

    @contextmanager
    def transaction(self) -> Iterator[neo4j.Transaction]:
        """Open a transaction that commits at the end of the block, if the lease is still ours."""
        with self.db.session(write=True) as session, session.begin_transaction() as transaction:
            self.lease.check(transaction)
            yield transaction
            transaction.commit()

    def write(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement in its own transaction."""
        with self.transaction() as transaction:
            return run(transaction, query, **parameters)

    def begin(self, dataset: str, key: str) -> str | None:
        """Start a data set; says what of an interrupted run was cleared or completed."""
        note = self.recover()
        # Cells of an old data set of the same id have lower numbers than all that follow.
        self.write(
            f"CREATE (:{DATASET} {{id: $id, key: $key, state: 'writing', first_idx: $first}})",
            id=dataset,
            key=key,
            first=meta.read_meta(self.db).next_idx,
        )
        return note

    def recover(self) -> str | None:
        """Throw away, complete or go on with what an interrupted run left; says what it did."""
        rows = self.db.rows(f"CYPHER 5 MATCH (d:{DATASET}) RETURN d.id AS id, d.state AS state")
        if not rows:
            return None
        dataset, state = rows[0]["id"], rows[0]["state"]
        if state == "ready":
            self.finish(dataset)
            return f"{dataset}: completed what an interrupted run had written"
        if state == "deleting":
            self._finish_removal(dataset)
            return f"{dataset}: completed an interrupted removal"
        self.discard()
        return f"{dataset}: threw away what an interrupted run had written"

    def discard(self) -> None:
        """Throw away everything that is staged and not ready."""
        self._drain(f"MATCH (:{GROUP})-[r]->() WITH r LIMIT $n DELETE r", _RELATIONSHIPS)
        self._drain(f"MATCH (c:{CELL}) WITH c LIMIT $n DETACH DELETE c", ONE_TRANSACTION)
        self.write(f"MATCH (n:{GROUP}|{DATASET}) DETACH DELETE n")

    def ready(self) -> None:
        """Mark the staged data set as complete."""
        self.write(f"MATCH (d:{DATASET}) SET d.state = 'ready'")

    def finish(self, dataset: str) -> None:
        """Give a complete data set its real labels, replacing an old one."""
        first = self.db.rows(f"CYPHER 5 MATCH (d:{DATASET}) RETURN d.first_idx AS first")[0][
            "first"
        ]
        self._remove_most(dataset, first)
        moving = f"MATCH (c:{CELL}) WITH c LIMIT $n SET c:Cell REMOVE c:{CELL}"
        staged = self.db.rows(f"CYPHER 5 MATCH (c:{CELL}) RETURN count(c) AS n")[0]["n"]
        if staged > ONE_TRANSACTION:
            self._remove_all(dataset, first)
        while staged > ONE_TRANSACTION:
            staged -= self._step(moving, ONE_TRANSACTION)
        with self.transaction() as transaction:
            _remove_rest(transaction, dataset, first)
            run(transaction, moving, n=ONE_TRANSACTION)
            run(transaction, f"MATCH (g:{GROUP}) SET g:CellGroup REMOVE g:{GROUP}")
            run(transaction, f"MATCH (d:{DATASET}) SET d:Dataset REMOVE d:{DATASET}, d.state")
            meta.bump_revision(transaction)

    def drop_property(self, name: str) -> None:
        """Take a property off all staged cells."""
        found = f"MATCH (c:{CELL}) WHERE c.`{name}` IS NOT NULL WITH c LIMIT $n REMOVE c.`{name}`"
        self._drain(found, ONE_TRANSACTION)

    def remove(self, dataset: str) -> None:
        """Take a data set away with its cells and groups."""
        self.write(f"CREATE (:{DATASET} {{id: $id, state: 'deleting'}})", id=dataset)
        self._finish_removal(dataset)

    def _finish_removal(self, dataset: str) -> None:
        self._remove_most(dataset, _ALL)
        with self.transaction() as transaction:
            _remove_rest(transaction, dataset, _ALL)
            run(transaction, f"MATCH (d:{DATASET}) DELETE d")
            meta.bump_revision(transaction)

    def _remove_most(self, dataset: str, first: int) -> None:
        """Delete what is too much for one transaction."""
        found = self.db.rows(f"CYPHER 5 {_CELLS} RETURN count(c) AS n", id=dataset, first=first)
        cells = found[0]["n"]
        while cells > ONE_TRANSACTION:
            step = f"{_CELLS} WITH c LIMIT $n DETACH DELETE c"
            cells -= self._step(step, ONE_TRANSACTION, id=dataset, first=first)
        edges = "MATCH (g:CellGroup)-[r:EXPRESSES]->() WHERE g.dataset = $id"
        left = self.db.rows(f"CYPHER 5 {edges} RETURN count(r) AS n", id=dataset)[0]["n"]
        while left > _RELATIONSHIPS:
            left -= self._step(f"{edges} WITH r LIMIT $n DELETE r", _RELATIONSHIPS, id=dataset)

    def _remove_all(self, dataset: str, first: int) -> None:
        with self.transaction() as transaction:
            _remove_rest(transaction, dataset, first)

    def _drain(self, query: str, n: int) -> None:
        while self._step(query, n):
            pass

    def _step(self, query: str, n: int, **parameters: Any) -> int:
        return int(self.write(f"{query} RETURN count(*) AS n", n=n, **parameters)[0]["n"])


def _remove_rest(transaction: neo4j.Transaction, dataset: str, first: int) -> None:
    run(transaction, f"{_CELLS} DETACH DELETE c", id=dataset, first=first)
    run(transaction, "MATCH (g:CellGroup) WHERE g.dataset = $id DETACH DELETE g", id=dataset)
    run(transaction, "MATCH (d:Dataset {id: $id}) DETACH DELETE d", id=dataset)
