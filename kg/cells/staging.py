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

from typing import TYPE_CHECKING, Any

from tosg.kg import meta

if TYPE_CHECKING:
    import neo4j

    from tosg.kg.database import Database

CELL, GROUP, DATASET = "TosgStagedCell", "TosgStagedGroup", "TosgStagedDataset"

#: Cells whose labels change, or that are deleted, in one transaction.
ONE_TRANSACTION = 50_000
_RELATIONSHIPS = 200_000


def begin(db: Database, dataset: str, key: str) -> None:
    """Start a data set; clears or completes what an interrupted run left. Needs the lease."""
    recover(db)
    db.write(
        f"CYPHER 5 CREATE (:{DATASET} {{id: $id, key: $key, state: 'writing'}})",
        id=dataset,
        key=key,
    )


def recover(db: Database) -> str | None:
    """Throw away, complete or go on with what an interrupted run left. Needs the lease.

    Returns
    -------
    str or None
        What was found and done.
    """
    rows = db.rows(f"CYPHER 5 MATCH (d:{DATASET}) RETURN d.id AS id, d.state AS state")
    if not rows:
        return None
    row = rows[0]
    if row["state"] == "ready":
        finish(db, row["id"])
        return f"{row['id']}: completed what an interrupted run had written"
    if row["state"] == "deleting":
        _finish_removal(db, row["id"])
        return f"{row['id']}: completed an interrupted removal"
    discard(db)
    return f"{row['id']}: threw away what an interrupted run had written"


def discard(db: Database) -> None:
    """Throw away everything that is staged and not ready. Needs the lease."""
    _drain(db, f"MATCH (:{GROUP})-[r]->() WITH r LIMIT $n DELETE r", _RELATIONSHIPS)
    _drain(db, f"MATCH (c:{CELL}) WITH c LIMIT $n DETACH DELETE c", ONE_TRANSACTION)
    db.write(f"CYPHER 5 MATCH (n:{GROUP}|{DATASET}) DETACH DELETE n")


def ready(db: Database) -> None:
    """Mark the staged data set as complete. Needs the lease."""
    db.write(f"CYPHER 5 MATCH (d:{DATASET}) SET d.state = 'ready'")


def finish(db: Database, dataset: str) -> None:
    """Give a complete data set its real labels, replacing an old one. Needs the lease."""
    _remove_most(db, dataset)
    moving = f"MATCH (c:{CELL}) WITH c LIMIT $n SET c:Cell REMOVE c:{CELL}"
    staged = db.rows(f"CYPHER 5 MATCH (c:{CELL}) RETURN count(c) AS n")[0]["n"]
    while staged > ONE_TRANSACTION:
        staged -= _step(db, moving + " RETURN count(*) AS n", ONE_TRANSACTION)
    with db.session(write=True) as session, session.begin_transaction() as transaction:
        _remove_rest(transaction, dataset)
        run(transaction, moving, n=ONE_TRANSACTION)
        run(transaction, f"MATCH (g:{GROUP}) SET g:CellGroup REMOVE g:{GROUP}")
        run(transaction, f"MATCH (d:{DATASET}) SET d:Dataset REMOVE d:{DATASET} REMOVE d.state")
        meta.bump_revision(transaction)
        transaction.commit()


def drop_property(db: Database, name: str) -> None:
    """Take a property off all staged cells. Needs the lease."""
    found = f"MATCH (c:{CELL}) WHERE c.`{name}` IS NOT NULL WITH c LIMIT $n REMOVE c.`{name}`"
    _drain(db, found, ONE_TRANSACTION)


def remove(db: Database, dataset: str) -> None:
    """Take a data set away with its cells and groups. Needs the lease."""
    db.write(f"CYPHER 5 CREATE (:{DATASET} {{id: $id, state: 'deleting'}})", id=dataset)
    _finish_removal(db, dataset)


def _finish_removal(db: Database, dataset: str) -> None:
    _remove_most(db, dataset)
    with db.session(write=True) as session, session.begin_transaction() as transaction:
        _remove_rest(transaction, dataset)
        run(transaction, f"MATCH (d:{DATASET}) DELETE d")
        meta.bump_revision(transaction)
        transaction.commit()


def _remove_most(db: Database, dataset: str) -> None:
    """Delete what is too much for one transaction."""
    found = db.rows(
        "CYPHER 5 MATCH (c:Cell) WHERE c.dataset = $id RETURN count(c) AS n", id=dataset
    )[0]["n"]
    deleting = "MATCH (c:Cell) WHERE c.dataset = $id WITH c LIMIT $n DETACH DELETE c"
    while found > ONE_TRANSACTION:
        found -= _step(db, deleting + " RETURN count(*) AS n", ONE_TRANSACTION, id=dataset)
    edges = "MATCH (g:CellGroup)-[r:EXPRESSES]->() WHERE g.dataset = $id"
    found = db.rows(f"CYPHER 5 {edges} RETURN count(r) AS n", id=dataset)[0]["n"]
    while found > _RELATIONSHIPS:
        step = f"{edges} WITH r LIMIT $n DELETE r RETURN count(*) AS n"
        found -= _step(db, step, _RELATIONSHIPS, id=dataset)


def _remove_rest(transaction: neo4j.Transaction, dataset: str) -> None:
    run(transaction, "MATCH (c:Cell) WHERE c.dataset = $id DETACH DELETE c", id=dataset)
    run(transaction, "MATCH (g:CellGroup) WHERE g.dataset = $id DETACH DELETE g", id=dataset)
    run(transaction, "MATCH (d:Dataset {id: $id}) DETACH DELETE d", id=dataset)


def _drain(db: Database, query: str, n: int) -> None:
    while _step(db, query + " RETURN count(*) AS n", n):
        pass


def _step(db: Database, query: str, n: int, **parameters: Any) -> int:
    return int(db.write(f"CYPHER 5 {query}", n=n, **parameters)[0]["n"])


def run(transaction: neo4j.Transaction, query: str, **parameters: Any) -> None:
    """Run a statement of ours in a transaction."""
    transaction.run(f"CYPHER 5 {query}", parameters).consume()
