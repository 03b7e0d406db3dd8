"""Writing a merge into a stored graph over Bolt: only what differs, and safe to be killed.

Each transaction leaves a valid graph, and nothing that a claim says is gone before it stands
elsewhere: new and changed relationships before removed ones, waiting claims before the
relationships that they were, survivors before the nodes that they absorb. A mark in ``TosgMeta``
says that a load is not finished; the next one then looks at everything again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.write.bolt_nodes import NodeWriter
from tosg.kg.write.bolt_relationships import RelationshipWriter
from tosg.kg.write.bolt_session import MergeWriting, WriteSession
from tosg.kg.write.counts import WriteCounts
from tosg.kg.write.digest_changes import DigestChanges, changes_of
from tosg.kg.write.ledger import GraphLedger
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import neo4j

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.merged import Merged

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction


def write_bolt(
    db: Database,
    merged: Merged,
    lease: Lease,
    *,
    connections: int = 2,
    progress: Progress = silent,
) -> WriteCounts:
    """Write the differences between a merge and the stored graph.

    Parameters
    ----------
    db : Database
        The graph that the merge's ledger was read from. It has the unique constraints on
        ``Entity``.
    merged : Merged
        What the graph is to hold; `tosg.kg.write.shared_ids.refuse_shared_ids` has passed it.
    lease : Lease
        Held since before the ledger was read.
    connections : int
        Batches of relationships written at once: of two, one writes while the other waits for the
        disk or a lock, which makes a third more a second on two cores; more of them wait for each
        other.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    WriteCounts
        What was made, changed, left and removed, and the revision afterwards. A load that finds
        nothing to do writes nothing and leaves the revision as it was.

    Raises
    ------
    DatabaseError
        The database went away, or the lease was lost. What was written so far is valid, and the
        same load can be run again.
    """
    with WriteSession(db, lease, connections) as session:
        return _Writer(db, merged, session, progress).run()


class _Writer:
    def __init__(
        self, db: Database, merged: Merged, session: WriteSession, progress: Progress
    ) -> None:
        self._db = db
        self._merged = merged
        self._session = session
        self.counts = WriteCounts()
        work = MergeWriting(db, merged, session, self.counts, progress)
        self._nodes, self._relationships = NodeWriter(work), RelationshipWriter(work)

    def run(self) -> WriteCounts:
        unfinished = read_meta(self._db).loading is not None
        self._nodes.rename()
        self._nodes.write()
        self._relationships.write()
        self._write_pending()
        self._relationships.remove()
        self._nodes.remove()
        digests = self._digests()
        if self._session.begun or unfinished:
            self.counts.revision = self._session.finish(digests.write)
        else:
            self.counts.revision = read_meta(self._db).revision
            if digests.anything:
                self._session.write_aside(digests.write)
        return self.counts

    def _digests(self) -> DigestChanges:
        ledger = self._merged.ledger
        if not isinstance(ledger, GraphLedger):
            return DigestChanges()
        return changes_of(self._merged, ledger, self.counts.relationships)

    def _write_pending(self) -> None:
        """Replace the nodes that keep waiting claims, where they have changed."""
        nodes = self._merged.pending_nodes()
        if nodes == self._merged.pending_nodes_before():
            return

        def replace(tx: Transaction) -> None:
            tx.run("CYPHER 5 MATCH (p:TosgPending) DELETE p").consume()
            for node in nodes:
                tx.run("CYPHER 5 CREATE (p:TosgPending) SET p = $node", node=node).consume()

        self._session.write(replace)
