"""The claims that the stored graph holds, read back from Neo4j.

Nothing is kept beside the graph: nodes carry their claims, relationships their parallel arrays,
and claims that wait stand in ``TosgPending`` nodes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.kg.database import counts as stats
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.frames import large_frames, together
from tosg.kg.merge.pending import from_nodes, is_readable
from tosg.kg.merge.relationships import property_columns
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, entity_types, relationship_types
from tosg.kg.write.digests import KeptDigests, read_digests, read_kept
from tosg.kg.write.stored import UNSTATED
from tosg.kg.write.stored_rows import StoredRows
from tosg.kg.write.strays import (
    first_of_copies,
    has_claims,
    restore_nodes,
    sound_entities,
    sound_relationships,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from tosg.kg.claims.spool import Spool
    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.digests import SourceDigests

    Int64s = NDArray[np.int64]

#: From this share of all nodes on, reading everything is cheaper than looking ends up.
_MOST = 0.25
_IDS = 20_000


class GraphLedger:
    """The claims of one stored graph; see `tosg.kg.merge.load.Ledger`.

    Parameters
    ----------
    db : Database
        The graph. It must not change while the ledger is in use (hold the lease).
    spool : Spool, optional
        The claims of the load: nodes that have lost their claims are read where it claims them.
    whole : bool
        Whether nothing stored may be relied on, as after a load that stopped half way:
        relationships that are stored several times are read as often, not once.
    connections : int
        Blocks read at once.

    Attributes
    ----------
    left_alone : dict of str to int
        What was found and is no claim, in words, with its number; see `tosg.kg.write.strays`.
    """

    def __init__(
        self,
        db: Database,
        spool: Spool | None = None,
        *,
        whole: bool = False,
        connections: int = 4,
    ) -> None:
        self._db = db
        self._spool = spool
        self._whole = whole
        self._connections = connections
        self.left_alone: dict[str, int] = {}
        self._digests: dict[str, dict[str, SourceDigests]] = {}
        self._around: tuple[Int64s, dict[str, Int64s]] | None = None

    @cached_property
    def unfinished(self) -> bool:
        """Whether an earlier load stopped half way."""
        return self._whole or read_meta(self._db).loading is not None

    @cached_property
    def _counts(self) -> stats.GraphCounts:
        return stats.count(self._db)

    @cached_property
    def _rows(self) -> StoredRows:
        return StoredRows(self._db, self._counts, self._connections)

    @cached_property
    def entity_types(self) -> list[str]:
        """Labels of which there are nodes."""
        return sorted(self._counts.entities)

    @cached_property
    def relationship_types(self) -> list[str]:
        """Relationship types between knowledge nodes of which there are some."""
        return sorted(self._counts.knowledge)

    @cached_property
    def _nodes(self) -> int:
        return self._counts.nodes.get(ENTITY, 0)

    def entities(self, label: str) -> pl.DataFrame:
        """Stored nodes of one type: ``idx``, then `ENTITY_COLUMNS`; sorted by idx."""
        if label not in self.entity_types:
            return pl.DataFrame(schema={"idx": pl.Int64, **ENTITY_COLUMNS})
        frame = self._rows.nodes(label)
        frame = frame.filter(~pl.col("idx").is_in(self._elsewhere(label)))
        sound = sound_entities(frame, self._claimed(label, frame))
        self._note(f":{label} without claims", self._counts.nodes[label] - sound.height)
        return sound

    def _claimed(self, label: str, stored: pl.DataFrame) -> list[str]:
        """Ids that the load claims, where that decides on a stored node."""
        if self._spool is None or stored.select(has_claims().all()).item():
            return []
        return self._spool.entities(label)["id"].unique().to_list()

    def _elsewhere(self, label: str) -> list[int]:
        """``idx`` of nodes with several type labels that belong to another one of them."""
        return [idx for idx, labels in self.several_labels.items() if labels[0] != label]

    @cached_property
    def several_labels(self) -> dict[int, list[str]]:
        """Type labels of each node that has more than one, the one that its id is of first."""
        if sum(self._counts.entities.values()) == self._nodes:
            return {}
        rows = self._db.rows(
            f"CYPHER 5 MATCH (n:{ENTITY}) WITH n, [l IN labels(n) WHERE l IN $types] AS types "
            "WHERE size(types) > 1 AND n.idx IS NOT NULL RETURN n.idx AS idx, n.id AS id, types",
            types=list(entity_types()),
        )
        return {row["idx"]: _home_first(row["id"], sorted(row["types"])) for row in rows}

    @property
    def has_strays(self) -> bool:
        """Whether there are nodes among the entities that are no claims of any source."""
        return bool(self.left_alone) or sum(self._counts.entities.values()) != self._nodes

    def _note(self, what: str, count: int) -> None:
        if count:
            self.left_alone[what] = max(count, self.left_alone.get(what, 0))

    def relationships(
        self, name: str, touched: Int64s | None, affected: Int64s | None
    ) -> pl.DataFrame:
        """Stored relationships of one type; see `tosg.kg.merge.load.Ledger`."""
        columns = property_columns(relationship_types()[name])
        none = pl.DataFrame(schema={"start_idx": pl.Int64, "end_idx": pl.Int64, **columns})
        return pl.concat([none, *self.relationship_batches(name, touched, affected)])

    def relationship_batches(
        self, name: str, touched: Int64s | None, affected: Int64s | None
    ) -> Iterator[pl.DataFrame]:
        """The same in frames of bounded size."""
        most = _MOST * self._nodes
        if touched is None or affected is None or len(touched) + len(affected) > most:
            yield from self._relationships(name, None)
            return
        ends = pl.Series(affected, dtype=pl.Int64).implode()
        moves = pl.col("start_idx").is_in(ends) | pl.col("end_idx").is_in(ends)
        around = self._neighbours(affected).get(name) if len(affected) else None
        if around is not None:
            wide = np.union1d(affected, around)
            for found in self._relationships(name, wide if len(wide) <= most else None):
                yield found.filter(moves)
        if len(touched):
            for found in self._relationships(name, touched):
                yield found.filter(~moves) if len(affected) else found

    def relationships_from(self, name: str, starts: Int64s) -> Iterator[pl.DataFrame]:
        """Stored relationships of one type that start at some nodes."""
        yield from self._relationships(name, starts, starts_only=True)

    def count(self, name: str) -> int:
        """How many relationships of one type there are."""
        return self._counts.knowledge.get(name, 0)

    @cached_property
    def _all_digests(self) -> tuple[list[KeptDigests], list[str]]:
        return ([], []) if self.unfinished else read_kept(self._db, self._counts.knowledge)

    @property
    def kept_digests(self) -> list[KeptDigests]:
        """The digests that hold; see `tosg.kg.write.digests`."""
        return self._all_digests[0]

    @property
    def stale_digests(self) -> list[str]:
        """Ids of those that do not hold."""
        return self._all_digests[1]

    def digests(self, name: str) -> dict[str, SourceDigests]:
        """What the graph is known to hold of one type, by source."""
        if name not in self._digests:
            of_type = (kept for kept in self.kept_digests if kept.type == name)
            self._digests[name] = read_digests(self._db, of_type)
        return self._digests[name]

    def forget_relationships(self) -> None:
        """Read relationships from the database again: their writer has changed some."""
        self._rows.forget_relationships()

    def _relationships(
        self, name: str, idx: Int64s | None, *, starts_only: bool = False
    ) -> Iterator[pl.DataFrame]:
        rtype = relationship_types()[name]
        unsound = surplus = 0
        stored = self._rows.relationships(name, idx, starts_only=starts_only)
        for found in large_frames(together(stored)):
            sound = sound_relationships(rtype, found)
            unsound += found.height - sound.height
            single = sound if self._whole else first_of_copies(rtype, sound)
            surplus += sound.height - single.height
            yield single
        self._note(f"[:{name}] without sound claims", unsound)
        self._note(f"[:{name}] stored twice", surplus)

    def _neighbours(self, idx: Int64s) -> dict[str, Int64s]:
        """Nodes at the other ends of the relationships of some nodes, for each type of them.

        Asked for all types at once and kept for the last nodes: a few nodes have few of the types,
        and a question for each type would take most of a small load's time.
        """
        if self._around is None or self._around[0] is not idx:
            kinds = "|".join(names.relationship_type(name) for name in self.relationship_types)
            found: dict[str, list[int]] = {}
            for start in range(0, len(idx) if kinds else 0, _IDS):
                for row in self._db.rows(
                    f"CYPHER 5 UNWIND $ids AS i MATCH (n:{ENTITY} {{idx: i}}) "
                    f"MATCH (n)-[r:{kinds}]-(m:{ENTITY}) "
                    "RETURN type(r) AS name, collect(DISTINCT m.idx) AS found",
                    ids=idx[start : start + _IDS].tolist(),
                ):
                    found.setdefault(row["name"], []).extend(row["found"])
            self._around = (idx, {name: np.unique(ends) for name, ends in found.items()})
        return self._around[1]

    def pending(self) -> pl.DataFrame:
        """All waiting claims."""
        rows = self._db.rows(
            "CYPHER 5 MATCH (p:TosgPending) RETURN p.rows AS rows ORDER BY p.source, p.part"
        )
        readable = [row for row in rows if is_readable(row)]
        self._note(":TosgPending that cannot be read", len(rows) - len(readable))
        return from_nodes(readable)


def open_ledger(db: Database, lease: Lease, spool: Spool, *, whole: bool = False) -> GraphLedger:
    """Make the stored graph ready for a load, and read its claims.

    Parameters
    ----------
    db : Database
        The graph.
    lease : Lease
        The right to write: nodes that lost their id or number are restored.
    spool : Spool
        The claims of the load.
    whole : bool
        Whether nothing stored may be relied on; see `GraphLedger`.
    """
    restored = restore_nodes(db, lease)
    ledger = GraphLedger(db, spool, whole=whole)
    if restored:
        ledger.left_alone[f":{ENTITY} without id or idx, which got them back"] = restored
    return ledger


def only_in(db: Database, source: str, releases: Iterable[str]) -> dict[str, int]:
    """Count what a source claims in these releases and in no other.

    Parameters
    ----------
    db : Database
        The graph.
    source : str
        The source.
    releases : iterable of str
        Some of its releases.

    Returns
    -------
    dict
        ``entities`` and ``relationships``.
    """
    patterns = {"entities": f"(x:{ENTITY})", "relationships": f"(:{ENTITY})-[x]->(:{ENTITY})"}
    stored = sorted(release or UNSTATED for release in releases)
    counts = {}
    for kind, pattern in patterns.items():
        query = (
            f"CYPHER 5 MATCH {pattern} WHERE $source IN x.sources "
            "AND all(i IN range(0, size(x.sources) - 1) "
            "WHERE x.sources[i] <> $source OR x.releases[i] IN $releases) RETURN count(x) AS n"
        )
        counts[kind] = db.rows(query, source=source, releases=stored)[0]["n"]
    return counts


def _home_first(id_: str | None, labels: list[str]) -> list[str]:
    prefix = str(id_).partition(":")[0]
    return sorted(labels, key=lambda label: prefix not in entity_types()[label].prefixes)
