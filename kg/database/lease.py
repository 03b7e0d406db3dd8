"""The lease: one writer at a time on one graph.

It stands in the bookkeeping node and expires by the clock of the server, so that the lease of a
killed writer is taken over. Each lease has a number of its own (`Lease.token`), so that a writer
who lost it without knowing is refused inside its next transaction.
"""

from __future__ import annotations

import os
import platform
import re
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psutil

from tosg.deadline import Deadline
from tosg.errors import DatabaseError
from tosg.kg.database.bookkeeping import MATCH_META, ensure_meta, read_meta

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


class AnotherWriterError(DatabaseError):
    """Somebody else holds the lease."""


class Lease:
    """The right to write, while it lasts. Made by `hold_lease`.

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
        self._end = Deadline(ttl)
        self._left = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew_often, name="tosg-lease", daemon=True)
        self._thread.start()

    @contextmanager
    def transaction(self) -> Iterator[neo4j.Transaction]:
        """Open a transaction that commits at the end of the block, if the lease is still ours.

        Raises
        ------
        DatabaseError
            The lease was lost, or the database refuses; nothing of the block was written.
        """
        with self._db.session(write=True) as session, session.begin_transaction() as tx:
            self.check(tx)
            yield tx
            tx.commit()

    def check(self, tx: neo4j.ManagedTransaction | neo4j.Transaction) -> None:
        """Make sure, inside a transaction that writes, that the lease is still ours.

        Raises
        ------
        DatabaseError
            It has been taken over; the transaction must not be committed.
        """
        record = tx.run(MATCH_META + "RETURN m.writer_token AS token, m.writer AS writer").single()
        if record is None or record["token"] != self.token or record["writer"] != self.holder:
            raise self._lost(None if record is None else record["writer"])

    def renew(self) -> bool:
        """Make the lease last another `ttl` seconds; False if it is another's now."""
        end = Deadline(self._ttl)
        rows = self._db.write(
            MATCH_META + "SET m.lock = $token REMOVE m.lock "
            "WITH m WHERE m.writer_token = $token AND m.writer = $holder "
            "SET m.writer_until = timestamp() + $ttl RETURN 1 AS one",
            token=self.token,
            holder=self.holder,
            ttl=int(self._ttl * 1000),
        )
        if rows:
            self._end = end
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
                MATCH_META + "WHERE m.writer_token = $token AND m.writer = $holder "
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

    def carry_on(self, db: Database) -> None:
        """Make the lease that an import carries last `CARRIED` seconds from now on."""
        db.write(
            MATCH_META + "WHERE m.writer_token = $token SET m.writer_until = timestamp() + $ttl",
            token=self.token,
            ttl=int(CARRIED * 1000),
        )

    def leave(self) -> None:
        """Do not give the lease back: it goes on in another database, with `continue_lease`."""
        self._left = True

    def _renew_often(self) -> None:
        while not self._over.wait(self._ttl / 3):
            try:
                if not self.renew():
                    return  # The next transaction finds out, and says so.
            except DatabaseError:
                if self._end.passed:
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


def describe_holder(owner: str) -> str:
    """Name this process as the holder of a lease."""
    return f"{owner} (process {os.getpid()} on {platform.node()})"


def is_at_work(holder: str) -> bool:
    """Whether the holder of a lease may still write: False where its process here has ended.

    A lease outlives a writer that was killed by some seconds.
    """
    named = re.fullmatch(r".* \(process (\d+) on (.*)\)", holder)
    if named is None or named[2] != platform.node():
        return True
    return psutil.pid_exists(int(named[1]))


@contextmanager
def hold_lease(
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
    holder = describe_holder(owner)
    held = Lease(db, holder, _acquire(db, holder, ttl, wait), ttl)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def continue_lease(db: Database, lease: Lease) -> Iterator[Lease]:
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
    deadline = Deadline(wait)
    while True:
        row = _try(db, holder, ttl)
        if row["mine"]:
            return int(row["token"])
        if deadline.passed:
            raise AnotherWriterError(
                "another writer is at work on this graph",
                where=db.target.uri,
                found=f"{row['writer']}, for another {row['seconds']:.0f} s at least",
                expected="one writer at a time",
                hint="wait for it to end; a writer that was killed loses its lease by itself",
                retryable=True,
            )
        deadline.sleep(0.25)


def _try(db: Database, holder: str, ttl: float) -> dict[str, Any]:
    """Take the lease if it is free. Two at once: the lock lets one in after the other."""
    rows = db.write(
        MATCH_META + "SET m.lock = true REMOVE m.lock "
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
