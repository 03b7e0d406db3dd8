"""The one merge: from claims to what is stored, a pure function of the set of claims.

Both ways in use it: the import of an empty database merges a spool alone, a load over Bolt merges
a spool with the claims that the stored graph already holds (its *ledger*). Entities are merged at
once, relationships one type at a time when asked for, so that memory is bounded by the largest
type.

Claims that cannot be stored now, but could once other sources are there, are *pending*: an end
that no source claims, an end that is ambiguous, two ends that identity made one. They are kept
beside the graph, so that the order of sources does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from tosg.kg.identity import Ambiguity, Identity, Join, resolve
from tosg.kg.merge_entities import (
    merge_entities,
    unite_entity_claims,
)
from tosg.kg.merge_relationships import (
    RESOLVED,
    merge_relationships,
    property_columns,
    unite_claims,
)
from tosg.kg.schema import RelationshipType, entity_types, relationship_types
from tosg.kg.spool import Spool, add_rejection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tosg.kg.source_log import Rejection

#: A claim that waits for its ends, as it is kept; ``type`` and the types of its ends besides.
PENDING: dict[str, pl.DataType | type[pl.DataType]] = {
    "type": pl.String,
    "start_type": pl.String,
    "start": pl.String,
    "end_type": pl.String,
    "end": pl.String,
    "sign": pl.Int8,
    "action": pl.String,
    "score": pl.Float64,
    "evidence": pl.String,
    "source": pl.String,
    "license": pl.String,
    "release": pl.String,
}

NO_END = "end not in the graph"
AMBIGUOUS_END = "end is ambiguous"
SELF_LOOP = "self-loop"
SELF_LOOP_BY_IDENTITY = "self-loop by identity"
EXCLUDED = "license excluded"


class Ledger(Protocol):
    """The claims that a stored graph holds; `tosg.kg.ledger` reads them from Neo4j."""

    @property
    def entity_types(self) -> list[str]:
        """Labels of which there are nodes."""

    @property
    def relationship_types(self) -> list[str]:
        """Relationship types of the schema of which there are relationships."""

    @property
    def unfinished(self) -> bool:
        """Whether an earlier load stopped half way, so that nothing stored may be relied on."""

    def entities(self, label: str) -> pl.DataFrame:
        """Stored nodes of one type: ``idx``, then `ENTITY_COLUMNS`; sorted by idx."""

    def relationships(
        self, name: str, touched: np.ndarray | None, affected: np.ndarray | None
    ) -> pl.DataFrame:
        """Stored relationships of one type.

        Parameters
        ----------
        name : str
            Relationship type.
        touched : (n,) int64 or None
            Those between two of these nodes are wanted; None: all.
        affected : (m,) int64 or None
            Those with any end among these nodes are wanted; None: all.

        Returns
        -------
        DataFrame
            ``start_idx, end_idx`` (Int64), then the type's properties; each relationship once.
        """

    def pending(self) -> pl.DataFrame:
        """All pending claims, columns `PENDING`."""


@dataclass(slots=True)
class SourceCounts:
    """What became of one source's claims: given = made + merged + unchanged + rejected.

    Attributes
    ----------
    given : int
        Claims that the loader emitted.
    made : int
        First claim of a node or relationship that was not in the graph.
    merged : int
        Claims that joined or changed one.
    unchanged : int
        Claims on what is stored exactly so already.
    rejected : int
        Refused, excluded, or pending.
    """

    given: int = 0
    made: int = 0
    merged: int = 0
    unchanged: int = 0
    rejected: int = 0


def merge(
    spool: Spool,
    existing: Ledger | None = None,
    *,
    exclude_licenses: Sequence[str] = (),
    prune: Sequence[str] = (),
) -> Merged:
    """Merge the claims of a spool with those of a stored graph.

    Parameters
    ----------
    spool : Spool
        Claims of this load.
    existing : Ledger, optional
        The stored graph; None for an empty one.
    exclude_licenses : sequence of str
        Claims of this load under these licences (ignoring case) are left out before merging.
    prune : sequence of str
        Sources whose stored claims are withdrawn unless this load repeats them.
    """
    return Merged(spool, existing, exclude_licenses, prune)


class Merged:
    """What the graph is to hold, from the claims that a load touches.

    Attributes
    ----------
    entity_types, relationship_types : list of str
        What there is to ask for, sorted.
    joins : list of Join
        Identifiers that were found to mean the same.
    ambiguous : list of Ambiguity
        What was not used because it could mean several things.
    nodes : DataFrame
        One row per class of all types, sorted by id: ``type, id, idx`` (null until `number` has
        run). Row numbers are the codes by which relationships name their ends.
    """

    def __init__(
        self,
        spool: Spool,
        existing: Ledger | None,
        exclude_licenses: Sequence[str],
        prune: Sequence[str],
    ) -> None:
        self._spool = spool
        self._existing = existing
        self._excluded = sorted({name.casefold() for name in exclude_licenses})
        self._pruned = sorted(set(prune))
        self._rejected: dict[tuple[str, str, str], Rejection] = {}
        self._pending: dict[str, pl.DataFrame] = {}
        self._waiting = existing.pending() if existing else pl.DataFrame(schema=PENDING)
        if self._pruned:
            self._waiting = self._waiting.filter(~pl.col("source").is_in(self._pruned))
        self.relationship_types = self._relationship_types()
        self.entity_types = self._entity_types()
        self.joins: list[Join] = []
        self.ambiguous: list[Ambiguity] = []
        self._entities: dict[str, pl.DataFrame] = {}
        self._aliases: dict[str, pl.DataFrame] = {}
        self._unresolvable: dict[str, set[str]] = {}
        for label in self.entity_types:
            self._merge_entities(label)
        self.nodes = self._class_table()

    def _relationship_types(self) -> list[str]:
        names = {name for name, _, _ in self._spool.relationship_parts}
        names |= set(self._waiting["type"].to_list())
        return sorted(names)

    def _entity_types(self) -> list[str]:
        labels = set(self._spool.entity_types)
        for _, start, end in self._spool.relationship_parts:
            labels |= {start, end}
        labels |= set(self._waiting["start_type"]) | set(self._waiting["end_type"])
        return sorted(labels)

    def _licensed(self, claims: pl.DataFrame, kind: str) -> pl.DataFrame:
        if not self._excluded:
            return claims
        out = claims["license"].str.to_lowercase().is_in(self._excluded)
        self._reject(kind, claims.filter(out))
        return claims.filter(~out)

    def _reject(self, kind: str, rows: pl.DataFrame) -> None:
        if rows.height:
            for (source, file), some in rows.group_by(["source", "file"], maintain_order=True):
                add_rejection(self._rejected, kind, str(source), str(file), some)

    def _merge_entities(self, label: str) -> None:
        entity_type = entity_types()[label]
        claims = self._licensed(self._spool.entities(label), EXCLUDED)
        claims = unite_entity_claims(claims)
        identity = resolve(entity_type, claims)
        self._entities[label] = merge_entities(claims, identity)
        self._keep_identity(label, identity)

    def _keep_identity(self, label: str, identity: Identity) -> None:
        self.joins += identity.joins
        self.ambiguous += identity.ambiguous
        self._aliases[label] = identity.aliases
        self._unresolvable[label] = {a.what for a in identity.ambiguous}

    def _class_table(self) -> pl.DataFrame:
        tables = [
            frame.select(pl.lit(label).alias("type"), "id")
            for label, frame in self._entities.items()
        ]
        schema = {"type": pl.String, "id": pl.String}
        nodes = pl.concat(tables) if tables else pl.DataFrame(schema=schema)
        nodes = nodes.sort("id", "type").with_columns(pl.lit(None, pl.Int64).alias("idx"))
        coded = nodes.with_row_index("code")
        for label, aliases in self._aliases.items():
            codes = coded.filter(pl.col("type") == label).select("id", "code")
            self._aliases[label] = aliases.join(codes, on="id").select(
                "alias", "code", (pl.col("alias") == pl.col("id")).alias("own")
            )
        return nodes

    def entities(self, label: str) -> pl.DataFrame:
        """Merged entities of one type, sorted by id: ``idx``, then `ENTITY_COLUMNS`."""
        numbers = self.nodes.filter(pl.col("type") == label).select("id", "idx")
        frame = self._entities[label].join(numbers, on="id", how="left", maintain_order="left")
        return frame.select("idx", pl.exclude("idx"))

    def number(self, first: int) -> int:
        """Give the nodes that have none their ``idx``, in (type, id) order from `first`.

        Returns
        -------
        int
            How many numbers were given.
        """
        order = self.nodes.with_row_index("code").filter(pl.col("idx").is_null())
        order = order.sort("type", "id")
        fresh = np.arange(first, first + order.height)
        idx = self.nodes["idx"].fill_null(-1).to_numpy().copy()
        idx[order["code"].to_numpy()] = fresh
        self.nodes = self.nodes.with_columns(pl.Series("idx", idx, pl.Int64))
        return order.height

    def relationships(self, name: str) -> pl.DataFrame:
        """Merged relationships of one type, computed when asked for.

        Returns
        -------
        DataFrame
            ``start_type, start, end_type, end, start_idx, end_idx``, then `property_columns`;
            sorted by start, end and key properties. ``start_idx`` and ``end_idx`` are null until
            `number` has run.
        """
        merged = self._merge_relationships(name)
        start, end = merged["start"].to_numpy(), merged["end"].to_numpy()
        types, ids, idx = (self.nodes[c] for c in ("type", "id", "idx"))
        return merged.with_columns(
            types.gather(start).alias("start_type"),
            ids.gather(start).alias("start"),
            types.gather(end).alias("end_type"),
            ids.gather(end).alias("end"),
            idx.gather(start).alias("start_idx"),
            idx.gather(end).alias("end_idx"),
        ).select(
            *("start_type", "start", "end_type", "end", "start_idx", "end_idx"),
            *property_columns(relationship_types()[name]),
        )

    def rejections(self) -> list[Rejection]:
        """What was refused: by the spool, by licence, for want of an end."""
        return self._spool.rejections() + [self._rejected[k] for k in sorted(self._rejected)]

    def _merge_relationships(self, name: str) -> pl.DataFrame:
        rtype = relationship_types()[name]
        waiting = self._waiting.filter(pl.col("type") == name)
        pending = []
        rows = []
        for part in self._spool.relationship_parts:
            if part[0] == name:
                claims = self._licensed(self._spool.relationships(*part), EXCLUDED)
                found, left = self._resolve(rtype, part[1], part[2], claims)
                rows.append(found)
                pending.append(left)
        self._pending[name] = _united_pending(rtype, [waiting, *pending])
        return merge_relationships(rtype, pl.concat(rows))

    def _resolve(
        self, rtype: RelationshipType, start_type: str, end_type: str, claims: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Replace the ends by codes of their classes; the second frame is what has to wait."""
        joined = claims
        for end, label in (("start", start_type), ("end", end_type)):
            aliases = self._aliases[label].rename(
                {"alias": end, "code": f"{end}_code", "own": f"{end}_own"}
            )
            joined = joined.join(aliases, on=end, how="left", maintain_order="left")
        lost = joined["start_code"].is_null() | joined["end_code"].is_null()
        pending = []
        if lost.any():
            some = joined.filter(lost)
            unclear = pl.col("start").is_in(list(self._unresolvable[start_type])) | pl.col(
                "end"
            ).is_in(list(self._unresolvable[end_type]))
            self._reject(AMBIGUOUS_END, some.filter(unclear))
            self._reject(NO_END, some.filter(~unclear))
            pending.append(some)
            joined = joined.filter(~lost)
        if not rtype.self_loops:
            loop = joined["start_code"] == joined["end_code"]
            if loop.any():
                always = pl.col("start") == pl.col("end")
                some = joined.filter(loop)
                self._reject(SELF_LOOP, some.filter(always))
                self._reject(SELF_LOOP_BY_IDENTITY, some.filter(~always))
                pending.append(some.filter(~always))
                joined = joined.filter(~loop)
        resolved = joined.select(
            pl.col("start_code").alias("start"),
            pl.col("end_code").alias("end"),
            pl.when(~pl.col("start_own")).then("start").alias("start_as"),
            pl.when(~pl.col("end_own")).then("end").alias("end_as"),
            *list(RESOLVED)[4:],
        )
        types = [pl.lit(rtype.name).alias("type"), pl.lit(start_type).alias("start_type")]
        left = pl.concat(pending) if pending else joined.clear()
        left = left.with_columns(*types, pl.lit(end_type).alias("end_type")).select(list(PENDING))
        return resolved, left


def _united_pending(rtype: RelationshipType, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat(frames)
    if "sign" in rtype.keys:
        rows = rows.with_columns(pl.col("sign").fill_null(0))
    if not rtype.directed:
        turned = pl.col("start") > pl.col("end")
        swap = {"start": "end", "end": "start", "start_type": "end_type", "end_type": "start_type"}
        rows = rows.with_columns(
            pl.when(turned).then(pl.col(b)).otherwise(pl.col(a)).alias(a) for a, b in swap.items()
        )
    key = ["start_type", "start", "end_type", "end", *rtype.keys]
    return unite_claims(rows, key)
