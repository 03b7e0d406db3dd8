"""The bookkeeping node ``(:TosgMeta {key: 'graph'})``: version, revision, next idx, who writes.

One writer at a time, by a lease in that node. It expires by the clock of the server, so that a
killed writer's lease is taken over, and each lease has a number of its own (`Lease.token`), so
that a writer who lost it without knowing is refused inside its next transaction.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import DatabaseError, SchemaError
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.types import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import neo4j

    from tosg.kg.database.connection import Database

#: Seconds that a lease lasts unless it is renewed, which happens three times in that span.
TTL = 30.0

#: Seconds that a command waits for another writer: longer than the lease of one that was killed.
PATIENCE = TTL + 15.0

#: Seconds that a lease lasts which an import carries into the database it makes: nobody can renew
#: it until the server has started.
CARRIED = 120.0

_MATCH = "CYPHER 5 MATCH (m:TosgMeta {key: 'graph'}) "


class AnotherWriterError(DatabaseError):
    """Somebody else holds the lease."""


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
        _MATCH + "RETURN m.schema_version AS schema_version, m.revision AS revision, "
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


def reserve_idx(tx: neo4j.ManagedTransaction | neo4j.Transaction, n: int) -> int:
    """Take the next `n` row numbers; returns the first. They are never given again."""
    record = tx.run(
        # Setting the property first takes the node's lock, so the number read is the last one.
        _MATCH + "SET m.next_idx = coalesce(m.next_idx, 0) + $n RETURN m.next_idx - $n AS first",
        n=n,
    ).single(strict=True)
    return int(record["first"])


def bump_revision(tx: neo4j.ManagedTransaction | neo4j.Transaction) -> int:
    """Raise the revision by one, for a load that changed something; returns the new one."""
    record = tx.run(
        _MATCH + "SET m.revision = coalesce(m.revision, 0) + 1, m.schema_version = $version "
        "RETURN m.revision AS revision",
        version=SCHEMA_VERSION,
    ).single(strict=True)
    return int(record["revision"])


def settle(db: Database, lease: Lease) -> None:
    """Note that texts and the mapping of cells have followed what was loaded."""
    with db.session(write=True) as session, session.begin_transaction() as tx:
        lease.check(tx)
        tx.run(_MATCH + "REMOVE m.unsettled").consume()
        tx.commit()


class Lease:
    """The right to write, while it lasts. Made by `lease`.

    Attributes
    ----------
    holder : str
        Who writes, in words.
    token : int
        Number of this lease; each lease of a graph has a greater one.
    """

    def __init__(self, db: Database, holder: str, token: int, ttl: float) -> None:
        self.holder = holder
        self.token = token
        self._db = db
        self._ttl = ttl
        self._until = time.monotonic() + ttl
        self._left = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_often, name="tosg-lease", daemon=True)
        self._thread.start()

    def check(self, tx: neo4j.ManagedTransaction | neo4j.Transaction) -> None:
        """Make sure, inside a transaction that writes, that the lease is still ours.

        Raises
        ------
        DatabaseError
            It has been taken over; the transaction must not be committed.
        """
        record = tx.run(_MATCH + "RETURN m.writer_token AS token, m.writer AS writer").single()
        if record is None or record["token"] != self.token or record["writer"] != self.holder:
            raise self._lost(None if record is None else record["writer"])

    def renew(self) -> bool:
        """Make the lease last another `ttl` seconds; False if it is another's now."""
        asked = time.monotonic()
        rows = self._db.write(
            _MATCH + "SET m.lock = $token REMOVE m.lock "
            "WITH m WHERE m.writer_token = $token AND m.writer = $holder "
            "SET m.writer_until = timestamp() + $ttl RETURN 1 AS one",
            token=self.token,
            holder=self.holder,
            ttl=int(self._ttl * 1000),
        )
        if rows:
            self._until = asked + self._ttl
        return bool(rows)

    def release(self) -> None:
        """Give the lease back, so that the next writer need not wait for its end."""
        self._over.set()
        self._thread.join()
        if self._left:
            return
        # Where the database is gone, the lease ends by itself; the first error is the one to see.
        with suppress(DatabaseError):
            self._db.write(
                _MATCH + "WHERE m.writer_token = $token AND m.writer = $holder "
                "REMOVE m.writer, m.writer_until",
                token=self.token,
                holder=self.holder,
            )

    def carried(self) -> dict[str, Any]:
        """Properties of the bookkeeping node of a database that is to take this one's place."""
        return {
            "writer": self.holder,
            "writer_token": self.token,
            "writer_until": round((time.time() + CARRIED) * 1000),
        }

    def leave(self) -> None:
        """Do not give the lease back: it goes on in another database, with `continued`."""
        self._left = True

    def _renew_often(self) -> None:
        while not self._over.wait(self._ttl / 3):
            try:
                if not self.renew():
                    return  # The next transaction finds out, and says so.
            except DatabaseError:
                if time.monotonic() > self._until:
                    return

    def _lost(self, holder: str | None) -> DatabaseError:
        return DatabaseError(
            "the right to write to the graph was lost: the lease ran out and was taken over",
            where=self._db.target.uri,
            found=holder or "no holder",
            expected=self.holder,
            hint="run the command again; what was written so far is valid",
            retryable=True,
        )


@contextmanager
def lease(
    db: Database, owner: str = "tosg", ttl: float = TTL, *, wait: float = 0.0
) -> Iterator[Lease]:
    """Hold the right to write to the graph for the length of a ``with`` block.

    Parameters
    ----------
    db : Database
        The graph.
    owner : str
        What writes, as in "tosg load hetionet"; process and host are added.
    ttl : float
        Seconds after which the lease of a killed writer may be taken over.
    wait : float
        Seconds to wait for another writer.

    Raises
    ------
    DatabaseError
        Another writer holds it, by name.
    SchemaError
        The graph was written by a newer tosg.
    """
    read_meta(db)
    ensure_meta(db)
    holder = f"{owner} (process {os.getpid()} on {platform.node()})"
    held = Lease(db, holder, _acquire(db, holder, ttl, wait), ttl)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def continued(db: Database, lease: Lease) -> Iterator[Lease]:
    """Hold a lease that an import has carried into this database for a ``with`` block.

    Raises
    ------
    DatabaseError
        The import took longer than the lease lasted, and somebody else writes.
    """
    held = Lease(db, lease.holder, lease.token, TTL)
    try:
        if not held.renew():
            raise held._lost(read_meta(db).writer)
        yield held
    finally:
        held.release()


def _acquire(db: Database, holder: str, ttl: float, wait: float) -> int:
    deadline = time.monotonic() + wait
    while True:
        row = _try(db, holder, ttl)
        if row["mine"]:
            return int(row["token"])
        left = deadline - time.monotonic()
        if left <= 0:
            raise AnotherWriterError(
                "another writer is at work on this graph",
                where=db.target.uri,
                found=f"{row['writer']}, for another {row['seconds']:.0f} s at least",
                expected="one writer at a time",
                hint="wait for it to end; a writer that was killed loses its lease by itself",
                retryable=True,
            )
        time.sleep(min(0.25, left))


def _try(db: Database, holder: str, ttl: float) -> dict[str, Any]:
    """Take the lease if it is free. Two at once: the lock lets one in after the other."""
    rows = db.write(
        _MATCH + "SET m.lock = true REMOVE m.lock "
        "WITH m, timestamp() AS now "
        "WITH m, now, m.writer IS NULL OR m.writer_until <= now AS mine "
        "FOREACH (_ IN CASE WHEN mine THEN [1] ELSE [] END | "
        "SET m.writer = $holder, m.writer_until = now + $ttl, "
        "m.writer_token = coalesce(m.writer_token, 0) + 1) "
        "RETURN mine, m.writer AS writer, m.writer_token AS token, "
        "(m.writer_until - now) / 1000.0 AS seconds",
        holder=holder,
        ttl=int(ttl * 1000),
    )
    return rows[0]
