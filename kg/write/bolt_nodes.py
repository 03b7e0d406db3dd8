"""Writing nodes over Bolt: new ids first, then values, removals last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tosg.kg.database import bookkeeping
from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.relationships import with_explicit_ends
from tosg.kg.schema import names
from tosg.kg.schema.support import CELL_RELATIONSHIP_TYPES
from tosg.kg.schema.types import ENTITY, relationship_types
from tosg.kg.write.bolt_parameters import Columns
from tosg.kg.write.bolt_relationships import set_relationships
from tosg.kg.write.bolt_rows import CREATE_NODES, FEW_ROWS, SET_NODES, node_rows
from tosg.kg.write.bolt_session import MergeWriter
from tosg.kg.write.counts import Changes
from tosg.kg.write.foreign import find_foreign_ends, move_foreign
from tosg.kg.write.ledger import GraphLedger
from tosg.kg.write.signals import drop_signals, move_signals
from tosg.kg.write.stored import encode_columns

if TYPE_CHECKING:
    import neo4j
    from numpy.typing import NDArray

    from tosg.kg.merge.placing import Placing

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction

#: Nodes in one transaction.
NODES_PER_WRITE = 4_000


class NodeWriter(MergeWriter):
    """Writes the nodes of one merge."""

    def rename(self) -> None:
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
            set_relationships(self._session, name, spelled, ["evidence"])
        if isinstance(ledger, GraphLedger):
            ledger.forget_relationships()

    def write(self) -> None:
        """Create the new nodes and set what changed."""
        changes = {t: self._merged.entity_changes(t) for t in self._merged.entity_types}
        new = sum(c.made.height for c in changes.values())
        if new:
            first = self._session.write(lambda tx: bookkeeping.reserve_idx(tx, new))
            self._merged.number(first)
        done = 0
        total = sum(c.made.height + c.changed.height for c in changes.values())
        for label, c in changes.items():
            made = self._merged.entities(label)
            foreign = made.filter(pl.col("id").is_in(self._stray_ids(made["id"])))
            made = made.join(foreign.select("id"), on="id", how="anti")
            labelled = self._take_over(label, foreign)
            for frame, statement in ((made, _create_nodes), (c.changed, _set_nodes)):
                for part in encode_columns(frame).iter_slices(NODES_PER_WRITE):
                    self._session.run(*statement(label, part))
                    done += part.height
                    self._progress("writing nodes", done, total)
            gone = self._merged.placings.get(label)
            removed = gone.absorbed.height + len(gone.dropped) if gone else 0
            changed = c.changed.height + foreign.height - labelled
            self._counts.extra_labels += labelled
            self._counts.nodes[label] = Changes(
                made.height + labelled, changed, c.unchanged, removed
            )

    def _stray_ids(self, ids: pl.Series) -> list[str]:
        """Those of some new ids that nodes already have which are no claims of a source."""
        ledger = self._merged.ledger
        if not len(ids) or not isinstance(ledger, GraphLedger) or not ledger.has_strays:
            return []
        found = self._db.rows(
            f"CYPHER 5 UNWIND $ids AS id MATCH (n:{ENTITY} {{id: id}}) RETURN collect(id) AS ids",
            ids=ids.to_list(),
        )
        return [str(id_) for id_ in found[0]["ids"]]

    def _take_over(self, label: str, rows: pl.DataFrame) -> int:
        """Make nodes of another program nodes of the graph; returns how many got the label."""
        added = 0
        for part in encode_columns(rows).iter_slices(NODES_PER_WRITE):
            columns = Columns(part, ("idx", "id"))
            properties = ["idx", *(name for name in ENTITY_COLUMNS if name != "id")]
            counted = self._session.run(
                f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
                f"MATCH (n:{ENTITY} {{id: {columns['id']}}}) "
                f"SET n:{names.label(label)}, {columns.assignments(properties, 'n')}",
                columns.parameters,
            )
            added += counted.labels_added
        return added

    def remove(self) -> None:
        """Remove the nodes that nobody claims any more, and those that were merged into others."""
        for label, placing in self._merged.placings.items():
            if placing.absorbed.height:
                self._absorb(placing.absorbed)
                move_foreign(self._session, self._db, placing.absorbed)
                move_signals(self._session, self._db, placing.absorbed)
            spared = self._spare(placing)
            self._counts.nodes[label].removed -= len(spared)
            gone = [i for i in (*placing.absorbed["idx"], *placing.dropped) if i not in spared]
            self._count_other_labels(label, gone)
            drop_signals(self._session, self._db, gone)
            for start in range(0, len(gone), NODES_PER_WRITE):
                self._session.run(
                    f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}}) DETACH DELETE n",
                    {"idx": gone[start : start + NODES_PER_WRITE]},
                )

    def _spare(self, placing: Placing) -> set[int]:
        """Keep nodes that relationships of other programs end at; they lose what sources said."""
        spared = find_foreign_ends(self._db, placing.dropped)
        if spared:
            self._session.run(
                f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}}) "
                "REMOVE n.claims, n.sources, n.licenses, n.releases, n.joined",
                {"idx": sorted(spared)},
            )
        return spared

    def _count_other_labels(self, label: str, gone: list[int]) -> None:
        """A node with several type labels is missing from all of their counts."""
        ledger = self._merged.ledger
        if isinstance(ledger, GraphLedger):
            for idx in gone:
                for other in ledger.several_labels.get(idx, ()):
                    if other != label:
                        self._counts.nodes.setdefault(other, Changes()).removed += 1
                        self._counts.extra_labels -= 1

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


def _create_nodes(label: str, part: pl.DataFrame) -> tuple[str, dict[str, Any]]:
    properties = ["idx", *ENTITY_COLUMNS]
    if part.height <= FEW_ROWS:
        return CREATE_NODES, {"rows": node_rows(label, part, properties)}
    columns = Columns(part, ("idx",))
    query = (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"CREATE (:{ENTITY}:{names.label(label)} {columns.properties(properties)})"
    )
    return query, columns.parameters


def _set_nodes(label: str, part: pl.DataFrame) -> tuple[str, dict[str, Any]]:
    properties = [name for name in ENTITY_COLUMNS if name != "id"]
    if part.height <= FEW_ROWS:
        return SET_NODES, {"rows": node_rows(label, part, properties)}
    columns = Columns(part, ("idx",))
    query = (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"MATCH (n:{ENTITY} {{idx: {columns['idx']}}}) WHERE n:{names.label(label)} "
        f"SET {columns.assignments(properties, 'n')}"
    )
    return query, columns.parameters
