"""Writing transactions under a lease: each is checked, deadlocks are tried again at once."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tosg.closing import Closing
from tosg.errors import DatabaseError
from tosg.kg.database.bookkeeping import finish_load, mark_loading
from tosg.kg.database.connection import until_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import neo4j

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.merged import Merged
    from tosg.kg.write.counts import WriteCounts
    from tosg.progress import Progress

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class MergeWriting:
    """What the writers of one merge share.

    Attributes
    ----------
    db : Database
        The graph.
    merged : Merged
        What it is to hold.
    session : WriteSession
        Under the lease.
    counts : WriteCounts
        Gets what was done.
    progress : Progress
        Called with the stage and how much of it is done.
    """

    db: Database
    merged: Merged
    session: WriteSession
    counts: WriteCounts
    progress: Progress


class MergeWriter:
    """Base of the writers of one merge.

    Parameters
    ----------
    work : MergeWriting
        What is written where.
    """

    def __init__(self, work: MergeWriting) -> None:
        self._db, self._merged, self._session = work.db, work.merged, work.session
        self._counts, self._progress = work.counts, work.progress


class WriteSession(Closing):
    """Runs writing transactions, several at once where asked.

    The first one marks the graph as being loaded; `finish` takes the mark away, raises the
    revision, and marks the graph as one that texts and cells have not followed yet.

    Parameters
    ----------
    db : Database
        The graph.
    lease : Lease
        Checked inside every transaction.
    connections : int
        Transactions at once in `create_relationships`.
    """

    def __init__(self, db: Database, lease: Lease, connections: int) -> None:
        self._db = db
        self._lease = lease
        self._pool = ThreadPoolExecutor(connections, "tosg-write")
        self._connections = connections
        self.begun = False

    def close(self) -> None:
        """End the threads; what has not begun is left out."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def write(self, work: Callable[[neo4j.Transaction], _Result]) -> _Result:
        """Run `work` in one transaction, again if the database gave it up.

        Work must be safe to run again after a rollback. A connection that is lost while the
        transaction commits is not tried again: whether it was committed is not known, and the
        next load finds out.
        """
        if not self.begun:
            self.begun = True
            self._transaction(lambda tx: mark_loading(tx, self._lease.holder))
        return self._transaction(work)

    def run(self, query: str, parameters: dict[str, Any]) -> neo4j.SummaryCounters:
        """Run one statement in a transaction of its own; returns what the database counted."""
        return self.write(lambda tx: tx.run(query, parameters).consume().counters)

    def create_relationships(self, statements: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Run statements that create relationships, several at once.

        Parameters
        ----------
        statements : iterable of (query, parameters)
            Parameter ``expected`` is the number of relationships that it must make.

        Raises
        ------
        DatabaseError
            One made another number, which is rolled back: a node is gone.
        """

        def create(query: str, parameters: dict[str, Any]) -> None:
            def work(tx: neo4j.Transaction) -> None:
                made = tx.run(query, parameters).consume().counters.relationships_created
                if made != parameters["expected"]:
                    raise DatabaseError(
                        "nodes were removed while their relationships were written",
                        where=self._db.target.uri,
                        found=f"{made} relationships",
                        expected=parameters["expected"],
                        hint="another program writes to this graph; run the load again after it",
                    )

            self.write(work)

        running: set[Future[None]] = set()
        for query, parameters in statements:
            if not self.begun or self._connections == 1:
                create(query, parameters)
                continue
            running.add(self._pool.submit(create, query, parameters))
            if len(running) > self._connections:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for task in done:
                    task.result()
        for task in running:
            task.result()

    def finish(self, work: Callable[[neo4j.Transaction], None]) -> int:
        """Take the mark away and raise the revision, with `work`; returns the new revision."""

        def finish(tx: neo4j.Transaction) -> int:
            work(tx)
            return finish_load(tx)

        return self._transaction(finish)

    def write_aside(self, work: Callable[[neo4j.Transaction], None]) -> None:
        """Run `work` in one transaction that leaves the graph itself as it is."""
        self._transaction(work)

    def _transaction(self, work: Callable[[neo4j.Transaction], _Result]) -> _Result:
        def once() -> _Result:
            with self._lease.transaction() as tx:
                return work(tx)

        return until_done(once)
