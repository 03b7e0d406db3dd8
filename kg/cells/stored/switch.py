"""Makes an attached, replaced or detached data set visible in one transaction.

Labels decide what a query sees, so all of them change together: the nodes of the old data set get
the label `GONE`, which no query asks for, and are deleted afterwards; the staged nodes get their
own labels. Where the server has too little memory for that (`room`), EXPRESSES are written before,
on groups that no query finds by label, and deleted afterwards. Where it has too little for the
cells, they change in steps: the node of the old data set is removed first, that of the new one
appears last, and the state ``switching`` tells readers in between that they see a part. If a
process is killed, the next writer completes its work (`recover`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import TosgError
from tosg.kg.cells.obs.terms import SEVERAL
from tosg.kg.cells.stored.staging import CELL, DATASET, GROUP, STEP, WAITING, run
from tosg.kg.cells.values.pseudobulk import GROUP_RELATIONSHIPS
from tosg.kg.database import bookkeeping as meta

if TYPE_CHECKING:
    from collections.abc import Iterable

    import neo4j

    from tosg.kg.cells.stored.staging import Stage
    from tosg.kg.database.connection import Database

#: Label of removed nodes that are not deleted yet.
GONE = "TosgRemoved"

#: Bytes for one transaction on a server whose settings are hidden (those of the smallest).
_LITTLE = 100 << 20

#: Settings that bound the memory of transactions; 0 is no bound.
_BOUNDS = (
    "db.memory.transaction.max",
    "db.memory.transaction.total.max",
    "dbms.memory.transaction.total.max",
)

_ALL = 2**31


@dataclass(frozen=True, slots=True)
class _Move:
    """A change of many nodes or relationships.

    Attributes
    ----------
    count : str
        Cypher that counts (``n``) what it changes.
    query : str
        Cypher that changes at most ``$n`` of the nodes or relationships that it matches.
    step : int
        ``$n`` where the change takes several transactions.
    bytes : int
        Memory that a transaction needs for each, as Neo4j estimates it.
    """

    count: str
    query: str
    step: int
    bytes: int


_OLD_CELLS = "MATCH (c:Cell) WHERE c.dataset = $id AND c.idx < $first"
_HIDE_CELLS = _Move(
    f"{_OLD_CELLS} RETURN count(c) AS n",
    f"{_OLD_CELLS} WITH c LIMIT $n SET c:{GONE} REMOVE c:Cell",
    STEP,
    1_250,
)
_SHOW_CELLS = _Move(
    f"MATCH (c:{CELL}) RETURN count(c) AS n",
    f"MATCH (c:{CELL}) WITH c LIMIT $n SET c:Cell REMOVE c:{CELL}",
    STEP,
    2_950,
)
_DELETE_EXPRESSES = _Move(
    f"MATCH (g:CellGroup|{GONE}) WHERE g.dataset = $id "
    "RETURN sum(COUNT {(g)-[:EXPRESSES]->()}) AS n",
    f"MATCH (:{GONE})-[r:EXPRESSES]->() WITH r LIMIT $n DELETE r",
    STEP,
    2_050,
)
_MAKE_EXPRESSES = _Move(
    f"MATCH (g:{GROUP}) RETURN sum(size(g.{WAITING[0]})) AS n",
    f"MATCH (g:{GROUP}) WHERE g.{WAITING[0]} IS NOT NULL WITH g LIMIT $n "
    f"WITH g, {', '.join(f'g.{name} AS {name}' for name in WAITING)} "
    f"CALL (g, {', '.join(WAITING)}) {{ "
    f"UNWIND range(0, size({WAITING[0]}) - 1) AS i MATCH (e:Entity {{id: {WAITING[0]}[i]}}) "
    f"CREATE (g)-[:EXPRESSES {{mean: {WAITING[1]}[i], fraction: {WAITING[2]}[i]}}]->(e) }} "
    f"REMOVE {', '.join(f'g.{name}' for name in WAITING)}",
    1,
    1_750,
)
_CELLS = (_HIDE_CELLS, _SHOW_CELLS)
_EXPRESSES = (_MAKE_EXPRESSES, _DELETE_EXPRESSES)


def recover(stage: Stage) -> str | None:
    """Remove or complete what an interrupted run left, and say what was done.

    Every writer does this first, so that nothing is built on a part.
    """
    query = f"CYPHER 5 MATCH (d:{DATASET}) RETURN d.id AS id, d.state AS state, d.key AS key"
    rows = stage.db.rows(query)
    told = None
    if rows and rows[0]["state"] == "writing":
        stage.discard()
        told = "removed what an interrupted run had written"
    elif rows:
        switch(stage)
        what = "removal" if rows[0]["key"] is None else "run: all of it had been written"
        told = f"completed an interrupted {what}"
    _delete_gone(stage)
    return told and f"{rows[0]['id']}: {told}"


def remove(stage: Stage, dataset: str) -> None:
    """Remove a data set with its cells and groups."""
    stage.begin_removal(dataset)
    switch(stage)


def switch(stage: Stage) -> None:
    """Make the staged data set visible instead of the one with the same id."""
    query = f"CYPHER 5 MATCH (d:{DATASET}) RETURN d.id AS id, d.first_idx AS first"
    place = stage.db.rows(query)[0]
    with stage.transaction() as transaction:
        # Not together with the labels: this locks the node of the lease, and they commit slowly.
        meta.bump_revision(transaction)
    free = room(stage.db)
    cells, expresses = (_needed(stage.db, moves, place) for moves in (_CELLS, _EXPRESSES))
    at_once = (*_CELLS, *_EXPRESSES) if cells + expresses <= free else _CELLS
    if _MAKE_EXPRESSES not in at_once:
        # No query that asks for a label finds their groups yet.
        stage.drain(_MAKE_EXPRESSES.query, _MAKE_EXPRESSES.step)
    if cells <= free:
        with stage.transaction() as transaction:
            _hide_old(transaction, place)
            for move in at_once:
                run(transaction, move.query, n=_ALL, **place)
            _show_new(transaction)
    else:
        _switch_in_steps(stage, place)
    _delete_gone(stage)


def _switch_in_steps(stage: Stage, place: dict[str, Any]) -> None:
    with stage.transaction() as transaction:
        run(transaction, f"MATCH (d:{DATASET}) SET d.state = 'switching'")
        _hide_old(transaction, place)
    for move in _CELLS:
        stage.drain(move.query, move.step, **place)
    with stage.transaction() as transaction:
        _show_new(transaction)


def _needed(db: Database, moves: Iterable[_Move], place: dict[str, Any]) -> int:
    return sum(db.rows(f"CYPHER 5 {move.count}", **place)[0]["n"] * move.bytes for move in moves)


def _hide_old(transaction: neo4j.Transaction, place: dict[str, Any]) -> None:
    """Remove the old data set's node and the label of its groups."""
    run(transaction, "MATCH (d:Dataset {id: $id}) DETACH DELETE d", **place)
    hide = f"MATCH (g:CellGroup) WHERE g.dataset = $id SET g:{GONE} REMOVE g:CellGroup"
    run(transaction, hide, **place)


def _show_new(transaction: neo4j.Transaction) -> None:
    """Link the new groups, and give them and the data set's node their labels."""
    run(transaction, f"MATCH (d:{DATASET}) MATCH (g:{GROUP}) CREATE (g)-[:FROM]->(d)")
    for relationship, label in GROUP_RELATIONSHIPS.values():
        name = waiting(relationship)
        run(
            transaction,
            f"MATCH (g:{GROUP}) WHERE g.{name} IS NOT NULL "
            f"UNWIND split(g.{name}, '{SEVERAL}') AS id MATCH (n:Entity {{id: id}}) "
            f"WHERE n:{label} CREATE (g)-[:{relationship}]->(n)",
        )
    links = ", ".join(f"g.{waiting(kind)}" for kind, _ in GROUP_RELATIONSHIPS.values())
    run(transaction, f"MATCH (g:{GROUP}) SET g:CellGroup REMOVE g:{GROUP}, {links}")
    run(transaction, f"MATCH (d:{DATASET}) WHERE d.key IS NULL DELETE d")
    last = f"MATCH (d:{DATASET}) SET d:Dataset REMOVE d:{DATASET}, d.state, d.first_idx"
    run(transaction, last)


def waiting(relationship: str) -> str:
    """Property of a staged group: ids of the nodes to link it to, joined by `SEVERAL`."""
    return f"staged_{relationship.lower()}"


def _delete_gone(stage: Stage) -> None:
    if stage.db.rows(f"CYPHER 5 MATCH (n:{GONE}) RETURN 1 AS one LIMIT 1"):
        stage.drain(_DELETE_EXPRESSES.query, _DELETE_EXPRESSES.step)
        stage.drain(f"MATCH (:{GONE})<-[r:SIGNALS_IN]-() WITH r LIMIT $n DELETE r", STEP)
        stage.drain(f"MATCH (n:{GONE}) WITH n LIMIT $n DETACH DELETE n", STEP)


def room(db: Database) -> int:
    """Bytes that one transaction may use: half of what the server has for all of them."""
    query = "CYPHER 5 SHOW SETTINGS YIELD name, value WHERE name IN $names RETURN value"
    try:
        rows = db.rows(query, names=list(_BOUNDS))
    except TosgError:  # hosted databases hide their settings from most users
        return _LITTLE
    bounds = [_bytes(row["value"]) for row in rows]
    return min((n for n in bounds if n), default=2 * _LITTLE) // 2


def _bytes(text: str) -> int:
    """Read a size as Neo4j shows it: ``630.00MiB``, ``0B``."""
    found = re.fullmatch(r"([\d.]+)\s*([KMGTPE]?)i?B", text)
    return int(float(found[1]) * 1024 ** " KMGTPE".index(found[2] or " ")) if found else 0
