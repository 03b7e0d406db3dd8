"""Writing a merge into a stored graph over Bolt: only what differs, and safe to be killed.

Each transaction leaves a valid graph, and nothing that a claim says is gone before it stands
elsewhere: new and changed relationships before removed ones, waiting claims before the
relationships that they were, survivors before the nodes that they absorb. A mark in ``TosgMeta``
says that a load is not finished; the next one then looks at everything again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tosg.kg.database import bookkeeping as meta
from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.relationships import property_columns, with_explicit_ends
from tosg.kg.schema import names
from tosg.kg.schema.types import CELL_RELATIONSHIP_TYPES, ENTITY, relationship_types
from tosg.kg.write.bolt_parameters import Columns, same_keys
from tosg.kg.write.bolt_session import WriteSession
from tosg.kg.write.counts import Changes, WriteCounts
from tosg.kg.write.stored import encode_columns
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    import neo4j
    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.diff import RelationshipChanges
    from tosg.kg.merge.merged import Merged

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction

#: Rows in one transaction.
NODES_PER_WRITE = 4_000
EDGE_ROWS = 20_000

_LISTED_NODES = 20_000


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
        self._progress = progress
        self._ids: NDArray[np.int64] | None = None
        self._removed: dict[str, pl.DataFrame] = {}
        self.counts = WriteCounts()

    def run(self) -> WriteCounts:
        unfinished = meta.read_meta(self._db).loading is not None
        self._rename()
        self._write_nodes()
        self._write_relationships()
        self._write_pending()
        self._remove_relationships()
        self._remove_nodes()
        if self._session.begun or unfinished:
            self.counts.revision = self._session.finish()
        else:
            self.counts.revision = meta.read_meta(self._db).revision
        return self.counts

    # -- nodes ------------------------------------------------------------------------------

    def _rename(self) -> None:
        """Give nodes the ids of their classes.

        The evidence of their relationships is first made to name its ends outright: whether a
        claim said the old id or the new one could not be told any more after a kill.
        """
        placings = self._merged.placings
        absorbed = [p.absorbed["idx"] for p in placings.values()]
        renamed = [self._merged.entity_changes(label).renamed for label in placings]
        away = pl.concat([pl.Series("idx", [], pl.Int64), *absorbed])
        given = pl.concat([pl.DataFrame(schema={"idx": pl.Int64, "id": pl.String}), *renamed])
        # An absorbed node gives its id up, to the class that now has it, and so does one that goes
        # where the id is another type's now.
        given = pl.concat([given, self._given_up(pl.concat([away, self._retyped()]))])
        if not given.height:
            return
        self._progress("renaming nodes", None)
        self._spell_out(given["idx"].to_numpy())

        def rename(tx: Transaction) -> None:
            # Through a name of its own each, since ids may change places.
            for ids in (pl.format("~{}", "idx"), pl.col("id")):
                columns = Columns(given.select("idx", ids.alias("id")), ("idx", "id"))
                tx.run(
                    f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
                    f"MATCH (n:{ENTITY} {{idx: {columns['idx']}}}) SET n.id = {columns['id']}",
                    columns.parameters,
                ).consume()

        self._session.write(rename)

    def _retyped(self) -> pl.Series:
        """``idx`` of nodes that go while their ids are claimed under another type."""
        gone = [idx for placing in self._merged.placings.values() for idx in placing.dropped]
        old = self._merged.stored_ids().filter(pl.col("idx").is_in(gone))
        return old.join(self._merged.nodes.select("id"), on="id", how="semi")["idx"]

    def _given_up(self, away: pl.Series) -> pl.DataFrame:
        frame = pl.DataFrame({"idx": away})
        return frame.with_columns(pl.format("~{}", "idx").alias("id"))

    def _spell_out(self, idx: NDArray[np.int64]) -> None:
        """Make the evidence of all relationships of these nodes name the ends as claimed."""
        ledger = self._merged.ledger
        if ledger is None:
            return
        ids = self._merged.stored_ids()
        nothing = np.empty(0, np.int64)
        for name in ledger.relationship_types:
            rtype = relationship_types()[name]
            stored = ledger.relationships(name, nothing, idx)
            spelled = with_explicit_ends(rtype, stored, ids)
            self._set(name, spelled, ["evidence"])

    def _write_nodes(self) -> None:
        changes = {t: self._merged.entity_changes(t) for t in self._merged.entity_types}
        new = sum(c.made.height for c in changes.values())
        if new:
            first = self._session.write(lambda tx: meta.reserve_idx(tx, new))
            self._merged.number(first)
        done = 0
        total = sum(c.made.height + c.changed.height for c in changes.values())
        for label, c in changes.items():
            made = self._merged.entities(label).join(c.made.select("id"), on="id", how="semi")
            for frame, statement in ((made, _create_nodes), (c.changed, _set_nodes)):
                for part in encode_columns(frame).iter_slices(NODES_PER_WRITE):
                    columns = Columns(part, ("idx",))
                    self._session.run(statement(label, columns), columns.parameters)
                    done += part.height
                    self._progress("writing nodes", done, total)
            gone = self._merged.placings.get(label)
            removed = gone.absorbed.height + len(gone.dropped) if gone else 0
            self.counts.nodes[label] = Changes(made.height, c.changed.height, c.unchanged, removed)

    def _remove_nodes(self) -> None:
        for placing in self._merged.placings.values():
            if placing.absorbed.height:
                self._absorb(placing.absorbed)
            gone = [*placing.absorbed["idx"], *placing.dropped]
            for start in range(0, len(gone), NODES_PER_WRITE):
                self._session.run(
                    f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}}) DETACH DELETE n",
                    {"idx": gone[start : start + NODES_PER_WRITE]},
                )

    def _absorb(self, absorbed: pl.DataFrame) -> None:
        """Move what cells have attached to the absorbed nodes to those that stay."""
        for rtype in CELL_RELATIONSHIP_TYPES:
            kind = names.relationship_type(rtype.name)
            for part in absorbed.iter_slices(NODES_PER_WRITE):
                self._session.run(
                    "CYPHER 5 UNWIND range(0, size($idx) - 1) AS i "
                    f"MATCH (n:{ENTITY} {{idx: $idx[i]}})<-[r:{kind}]-(g) "
                    f"MATCH (m:{ENTITY} {{idx: $into[i]}}) "
                    f"MERGE (g)-[s:{kind}]->(m) ON CREATE SET s = properties(r) DELETE r",
                    {"idx": part["idx"].to_list(), "into": part["into"].to_list()},
                )

    # -- relationships ----------------------------------------------------------------------

    def _write_relationships(self) -> None:
        types = self._merged.relationship_types
        for n, name in enumerate(types):
            changes = self._merged.relationship_changes(name)
            self._progress(f"writing relationships: {name}", n, len(types))
            self._create(name, changes)
            rtype = relationship_types()[name]
            values = [c for c in property_columns(rtype) if c not in rtype.keys]
            self._set(name, encode_columns(changes.changed), values)
            self._remove_repeated(name, changes.repeated)
            if changes.removed.height:
                self._removed[name] = changes.removed
            self.counts.relationships[name] = Changes(
                changes.made.height,
                changes.changed.height,
                changes.unchanged,
                changes.removed.height + changes.surplus,
            )

    def _create(self, name: str, changes: RelationshipChanges) -> None:
        if not changes.made.height:
            return
        kind = names.relationship_type(name)
        properties = list(property_columns(relationship_types()[name]))
        made = self._with_node_ids(encode_columns(changes.made)).sort("start", "end")

        def statements() -> Iterator[tuple[str, dict[str, Any]]]:
            for part in made.iter_slices(EDGE_ROWS):
                columns = Columns(part, ("start", "end"))
                yield (
                    (
                        f"CYPHER 5 UNWIND range(0, {part.height - 1}) AS i "
                        f"MATCH (a:{ENTITY}) WHERE id(a) = {columns['start']} "
                        f"MATCH (b:{ENTITY}) WHERE id(b) = {columns['end']} "
                        f"CREATE (a)-[:{kind} {columns.properties(properties)}]->(b)"
                    ),
                    {**columns.parameters, "expected": part.height},
                )

        self._session.create_relationships(statements())

    def _with_node_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Replace the ends' ``idx`` by the database's own ids: the fastest way to a node.

        They are looked up once per writer and valid as long as the lease is held.
        """
        if self._ids is None:
            self._ids = self._node_ids()
        for end in ("start", "end"):
            ids = pl.Series(end, self._ids[rows[f"{end}_idx"].to_numpy()])
            rows = rows.with_columns(ids)
        return rows.drop("start_idx", "end_idx")

    def _node_ids(self) -> NDArray[np.int64]:
        wanted = self._merged.nodes["idx"].drop_nulls().sort()
        ids = np.full((int(wanted[-1]) + 1) if len(wanted) else 0, -1, np.int64)
        for start in range(0, len(wanted), _LISTED_NODES):
            row = self._db.rows(
                f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}}) "
                "RETURN collect(idx) AS idx, collect(id(n)) AS ids",
                idx=wanted[start : start + _LISTED_NODES].to_list(),
            )[0]
            ids[np.array(row["idx"], np.int64)] = np.array(row["ids"], np.int64)
        return ids

    def _set(self, name: str, rows: pl.DataFrame, properties: list[str]) -> None:
        for part in rows.iter_slices(EDGE_ROWS):
            columns = Columns(part, ("start_idx", "end_idx"))
            self._session.run(
                _match(name, columns) + f" SET {columns.assignments(properties, 'r')}",
                columns.parameters,
            )

    def _remove_repeated(self, name: str, rows: pl.DataFrame) -> None:
        """Leave one of those relationships that are stored more than once."""
        for part in rows.iter_slices(EDGE_ROWS):
            columns = Columns(part, ("start_idx", "end_idx"))
            self._session.run(
                _match(name, columns) + " WITH i, collect(r) AS rs "
                "FOREACH (r IN tail(rs) | DELETE r)",
                columns.parameters,
            )

    def _remove_relationships(self) -> None:
        for name, rows in self._removed.items():
            self._progress(f"removing relationships: {name}", None)
            for part in rows.iter_slices(EDGE_ROWS):
                columns = Columns(part, ("start_idx", "end_idx"))
                self._session.run(_match(name, columns) + " DELETE r", columns.parameters)

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


def _create_nodes(label: str, columns: Columns) -> str:
    return (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"CREATE (:{ENTITY}:{names.label(label)} {columns.properties(['idx', *ENTITY_COLUMNS])})"
    )


def _set_nodes(label: str, columns: Columns) -> str:
    properties = [name for name in ENTITY_COLUMNS if name != "id"]
    return (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"MATCH (n:{ENTITY} {{idx: {columns['idx']}}}) WHERE n:{names.label(label)} "
        f"SET {columns.assignments(properties, 'n')}"
    )


def _match(name: str, columns: Columns) -> str:
    keys = relationship_types()[name].keys
    return (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"MATCH (a:{ENTITY} {{idx: {columns['start_idx']}}}) "
        f"MATCH (b:{ENTITY} {{idx: {columns['end_idx']}}}) "
        f"MATCH (a)-[r:{names.relationship_type(name)}]->(b) "
        f"WHERE true{same_keys(columns, keys, 'r')}"
    )
