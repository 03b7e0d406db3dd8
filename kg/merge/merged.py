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

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from tosg.kg.claims.releases import ReleasesMet
from tosg.kg.claims.spool import add_rejection
from tosg.kg.merge import pending as pend
from tosg.kg.merge.counts import ClaimCounts, SourceCounts
from tosg.kg.merge.diff import (
    EntityChanges,
    RelationshipChanges,
    compare_entities,
    compare_relationships,
)
from tosg.kg.merge.endpoints import Ends
from tosg.kg.merge.entities import (
    CLAIM_COLUMNS,
    ENTITY_COLUMNS,
    merge_entities,
    parse_claims,
    unite_entity_claims,
)
from tosg.kg.merge.identity import resolve
from tosg.kg.merge.placing import Placing, place
from tosg.kg.merge.relationships import (
    RESOLVED,
    claims_of,
    merge_relationships,
    oriented,
    property_columns,
)
from tosg.kg.schema.types import entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tosg.kg.claims.log import Rejection
    from tosg.kg.claims.spool import Spool
    from tosg.kg.merge.identity import Ambiguity, Identity, Join
    from tosg.kg.schema.types import RelationshipType

    Int64s = NDArray[np.int64]

EXCLUDED = "license excluded"


class Ledger(Protocol):
    """The claims that a stored graph holds; `tosg.kg.write.ledger` reads them from Neo4j."""

    @property
    def entity_types(self) -> list[str]:
        """Labels of which there are nodes."""

    @property
    def relationship_types(self) -> list[str]:
        """Relationship types between knowledge nodes of which there are some."""

    @property
    def unfinished(self) -> bool:
        """Whether an earlier load stopped half way, so that nothing stored may be relied on."""

    def entities(self, label: str) -> pl.DataFrame:
        """Stored nodes of one type: ``idx``, then `ENTITY_COLUMNS`; sorted by idx."""

    def relationships(
        self, name: str, touched: Int64s | None, affected: Int64s | None
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
        """All waiting claims, columns `PENDING`."""


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
        What is stored already is not touched by it.
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
        One row per class of all types, sorted by id: ``type, id, idx`` (null for new ones until
        `number` has run). Row numbers are the codes by which relationships name their ends.
    placings : dict of str to Placing
        Where the stored nodes of each type go.
    ledger : Ledger or None
        Where stored claims came from.
    releases : ReleasesMet
        Releases of this load and those that the graph was seen to hold of the same sources.
    """

    def __init__(
        self,
        spool: Spool,
        existing: Ledger | None,
        exclude_licenses: Sequence[str],
        prune: Sequence[str],
    ) -> None:
        self._spool = spool
        self.ledger = existing
        self._excluded = sorted({name.casefold() for name in exclude_licenses})
        self._pruned = sorted(set(prune))
        self._rejected: dict[str, dict[tuple[str, str, str], Rejection]] = {}
        self._counts = ClaimCounts(spool.given())
        self._left: dict[str, pl.DataFrame] = {}  # what waits in the end, by type
        waiting = existing.pending() if existing else pend.none_pending()
        self._waited = pend.by_type(self._unpruned(waiting))
        self._pending_before = waiting
        self.joins: list[Join] = []
        self.ambiguous: list[Ambiguity] = []
        self.placings: dict[str, Placing] = {}
        self.releases = ReleasesMet()
        self._stored: dict[str, pl.DataFrame] = {}
        self._entities: dict[str, pl.DataFrame] = {}
        identities = {label: self._merge_entities(label) for label in self._entity_types()}
        self._affected = self._affected_nodes()
        if self.ledger and (self._affected is None or len(self._affected)):
            # The other end of a relationship that moves may be of any type.
            others = set(self.ledger.entity_types) - identities.keys()
            identities |= {label: self._merge_entities(label) for label in sorted(others)}
        self.entity_types = sorted(identities)
        self.joins.sort()
        self.ambiguous.sort()
        self.nodes = self._class_table()
        self._stored_idx = self.nodes["idx"]
        self._ends = Ends(identities, self.nodes)
        self.relationship_types = self._relationship_types()

    # -- entities ---------------------------------------------------------------------------

    def _entity_types(self) -> list[str]:
        labels = set(self._spool.entity_types)
        for _, start, end in self._spool.relationship_parts:
            labels |= {start, end}
        for rows in self._waited.values():
            labels |= set(rows["start_type"]) | set(rows["end_type"])
        return sorted(labels)

    def _merge_entities(self, label: str) -> Identity:
        entity_type = entity_types()[label]
        given = self._licensed("entities", self._spool.entities(label))
        stored = self._stored_entities(label)
        old = parse_claims(stored.select("idx", "claims"))
        kept = self._unpruned(old)
        self._note_releases(given, kept)
        claims = unite_entity_claims(
            pl.concat([kept.select(CLAIM_COLUMNS), given.select(CLAIM_COLUMNS)])
        )
        identity = resolve(entity_type, claims)
        self.joins += identity.joins
        self.ambiguous += identity.ambiguous
        merged = merge_entities(claims, identity)
        numbers = stored.select("idx", "id").clear()
        if stored.height:
            before = identity
            if given.height or kept.height < old.height:
                before = resolve(entity_type, unite_entity_claims(old.select(CLAIM_COLUMNS)))
            ids = stored.select("idx", "id")
            self.placings[label] = place(ids, kept.select("idx", "id"), before, identity)
            numbers = self.placings[label].kept
        merged = merged.join(numbers, on="id", how="left", maintain_order="left")
        self._entities[label] = merged.select("idx", *ENTITY_COLUMNS)
        changes = compare_entities(self._entities[label], stored)
        self._counts.entities(label, given, identity, changes)
        return identity

    def _stored_entities(self, label: str) -> pl.DataFrame:
        if self.ledger is None:
            return pl.DataFrame(schema={"idx": pl.Int64, **ENTITY_COLUMNS})
        self._stored[label] = self.ledger.entities(label)
        return self._stored[label]

    def _unpruned(self, claims: pl.DataFrame) -> pl.DataFrame:
        if not self._pruned:
            return claims
        return claims.filter(~pl.col("source").is_in(self._pruned))

    def _licensed(self, stage: str, claims: pl.DataFrame) -> pl.DataFrame:
        if not self._excluded:
            return claims
        out = claims["license"].str.to_lowercase().is_in(self._excluded)
        self._reject(stage, EXCLUDED, claims.filter(out))
        return claims.filter(~out)

    def _reject(self, stage: str, kind: str, rows: pl.DataFrame) -> None:
        found = self._rejected.setdefault(stage, {})
        if rows.height:
            for (source, file), some in rows.group_by(["source", "file"], maintain_order=True):
                add_rejection(found, kind, str(source), str(file), some)

    def _note_releases(self, given: pl.DataFrame, stored: pl.DataFrame) -> None:
        part = "part" if "part" in given.columns else pl.lit(None, pl.String).alias("part")
        told = [frame.select("source", part, "release").unique() for frame in (given, stored)]
        self.releases.add(*(rows.iter_rows() for rows in told))

    def _class_table(self) -> pl.DataFrame:
        tables = [
            frame.select(pl.lit(label).alias("type"), "id", "idx")
            for label, frame in self._entities.items()
        ]
        schema = {"type": pl.String, "id": pl.String, "idx": pl.Int64}
        return pl.concat([pl.DataFrame(schema=schema), *tables]).sort("id", "type")

    def _affected_nodes(self) -> Int64s | None:
        if self.ledger and (self._pruned or self.ledger.unfinished):
            return None
        found = set().union(*(p.affected for p in self.placings.values()))
        return np.array(sorted(found), np.int64)

    def entities(self, label: str) -> pl.DataFrame:
        """Merged entities of one type, sorted by id: ``idx``, then `ENTITY_COLUMNS`."""
        frame = self._entities[label]
        if frame["idx"].null_count():
            numbers = self.nodes.filter(pl.col("type") == label).select("id", "idx")
            frame = frame.drop("idx").join(numbers, on="id", how="left", maintain_order="left")
            frame = self._entities[label] = frame.select("idx", *ENTITY_COLUMNS)
        return frame

    def entity_changes(self, label: str) -> EntityChanges:
        """What has to be written to the stored nodes of one type."""
        return compare_entities(self.entities(label), self._stored.get(label))

    def number(self, first: int) -> int:
        """Give the nodes that have none their ``idx``, in (type, id) order from `first`.

        Returns
        -------
        int
            How many numbers were given.
        """
        fresh = self.nodes.with_row_index("code").filter(pl.col("idx").is_null()).sort("type", "id")
        idx = self.nodes["idx"].fill_null(-1).to_numpy().copy()
        idx[fresh["code"].to_numpy()] = np.arange(first, first + fresh.height)
        self.nodes = self.nodes.with_columns(pl.Series("idx", idx, pl.Int64))
        return fresh.height

    # -- relationships ----------------------------------------------------------------------

    def _relationship_types(self) -> list[str]:
        names = {name for name, _, _ in self._spool.relationship_parts} | set(self._waited)
        if self.ledger and (self._affected is None or len(self._affected)):
            names |= set(self.ledger.relationship_types)
        return sorted(names)

    def relationships(self, name: str) -> pl.DataFrame:
        """Merged relationships of one type, computed when asked for.

        Returns
        -------
        DataFrame
            ``start_type, start, end_type, end, start_idx, end_idx``, then `property_columns`;
            sorted by start, end and key properties. ``start_idx`` and ``end_idx`` of new nodes
            are null until `number` has run.
        """
        return self._merge_relationships(name)[0]

    def relationship_changes(self, name: str) -> RelationshipChanges:
        """What has to be written to the stored relationships of one type; `number` comes first."""
        rtype = relationship_types()[name]
        merged, stored, fresh = self._merge_relationships(name)
        changes = compare_relationships(rtype, merged, stored)
        self._counts.relationships(name, self._keys_of(rtype, fresh), changes)
        return changes

    def _keys_of(self, rtype: RelationshipType, claims: pl.DataFrame) -> pl.DataFrame:
        """Ends as ``idx``, key properties and source of resolved claims."""
        claims = claims if rtype.directed else oriented(claims)
        idx = self.nodes["idx"]
        return claims.select(
            idx.gather(claims["start"]).alias("start_idx"),
            idx.gather(claims["end"]).alias("end_idx"),
            *(pl.col(k).fill_null(0) if k == "sign" else k for k in rtype.keys),
            "source",
        )

    def _merge_relationships(self, name: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Return the merged rows, the stored ones they replace, and the claims of this load."""
        rtype = relationship_types()[name]
        self._rejected[name] = {}
        given, lost = self._given(rtype)
        waited, still = self._resolve_pairs(rtype, self._waited.get(name))
        rows, left = [given, waited], [lost, still]
        stored = self._stored_relationships(rtype, pl.concat(rows))
        if stored.height:
            old, apart = self._resolve_pairs(rtype, self._as_given(rtype, stored))
            rows.append(old)
            left.append(apart)
        if self.ledger is not None:
            self._note_releases(given, pl.concat(rows[2:] or [given.clear()]))
        self._left[name] = pend.unite_pending(rtype, left)
        merged = self._named(rtype, merge_relationships(rtype, pl.concat(rows)))
        if self.ledger is None:
            self._counts.new_relationships(name, given, merged)
        return merged, stored, given

    def _given(self, rtype: RelationshipType) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Claims of this load, resolved; and those that have to wait."""
        rows, left = [pl.DataFrame(schema=RESOLVED)], [pend.none_pending()]

        def refuse(kind: str, some: pl.DataFrame) -> None:
            self._reject(rtype.name, kind, some)

        for part in self._spool.relationship_parts:
            if part[0] == rtype.name:
                claims = self._licensed(rtype.name, self._spool.relationships(*part))
                resolved, waiting = self._ends.resolve(rtype, part[1:], claims, refuse)
                rows.append(resolved)
                left.append(waiting)
        return pl.concat(rows), pl.concat(left)

    def _resolve_pairs(
        self, rtype: RelationshipType, claims: pl.DataFrame | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Resolve claims of earlier loads, which are refused no more."""
        rows, left = [pl.DataFrame(schema=RESOLVED)], [pend.none_pending()]
        if claims is not None:
            parts = claims.partition_by("start_type", "end_type", as_dict=True)
            for (start, end), part in parts.items():
                pair = (str(start), str(end))
                resolved, waiting = self._ends.resolve(rtype, pair, part, lambda _kind, _rows: None)
                rows.append(resolved)
                left.append(waiting)
        return pl.concat(rows), pl.concat(left)

    def _stored_relationships(self, rtype: RelationshipType, rows: pl.DataFrame) -> pl.DataFrame:
        """Stored relationships that the claims touch or that may have to move."""
        columns = {"start_idx": pl.Int64, "end_idx": pl.Int64, **property_columns(rtype)}
        if self.ledger is None or rtype.name not in self.ledger.relationship_types:
            return pl.DataFrame(schema=columns)
        codes = pl.concat([rows["start"], rows["end"]]).unique()
        touched = self._stored_idx.gather(codes).drop_nulls().sort().to_numpy()
        stored = self.ledger.relationships(rtype.name, touched, self._affected)
        # It may give more than was asked for; what ends at a type that was not read stays as it is.
        known = self.stored_ids()["idx"].implode()
        stored = stored.filter(pl.col("start_idx").is_in(known) & pl.col("end_idx").is_in(known))
        return stored.select(pl.col(c).cast(t) for c, t in columns.items())

    def _as_given(self, rtype: RelationshipType, stored: pl.DataFrame) -> pl.DataFrame:
        """Claims of stored relationships, with the ends as the sources gave them."""
        renamed = stored.rename({"start_idx": "start", "end_idx": "end"})
        claims = self._unpruned(claims_of(rtype, renamed))
        nodes = pl.concat(
            [
                frame.select("idx", pl.lit(label).alias("type"), "id")
                for label, frame in self._stored.items()
            ]
        )
        for end in ("start", "end"):
            of_end = nodes.rename({"idx": end, "type": f"{end}_type", "id": f"{end}_id"})
            claims = claims.join(of_end, on=end, maintain_order="left")
        return claims.with_columns(
            pl.coalesce("start_as", "start_id").alias("start"),
            pl.coalesce("end_as", "end_id").alias("end"),
        )

    def _named(self, rtype: RelationshipType, merged: pl.DataFrame) -> pl.DataFrame:
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
            *property_columns(rtype),
        )

    # -- what is known at the end -----------------------------------------------------------

    def _finish(self) -> None:
        for name in self.relationship_types:
            if name not in self._left:
                self.relationships(name)

    @property
    def pending(self) -> pl.DataFrame:
        """All claims that wait, columns `PENDING`."""
        self._finish()
        kept = [rows for name, rows in self._waited.items() if name not in self._left]
        return pl.concat([pend.none_pending(), *self._left.values(), *kept])

    def pending_nodes(self) -> list[dict[str, Any]]:
        """Properties ``source, part, rows`` of the nodes that keep `pending`."""
        return pend.to_nodes(self.pending)

    def pending_nodes_before(self) -> list[dict[str, Any]]:
        """The same of what waited before this load."""
        return pend.to_nodes(self._pending_before)

    def stored_ids(self) -> pl.DataFrame:
        """``idx, id`` of the stored nodes that were read, as they were."""
        empty = pl.DataFrame(schema={"idx": pl.Int64, "id": pl.String})
        return pl.concat([empty, *(frame.select("idx", "id") for frame in self._stored.values())])

    def rejections(self) -> list[Rejection]:
        """What the merge refused: by licence, for want of an end, as self-loop."""
        self._finish()
        found: list[Rejection] = []
        for stage in sorted(self._rejected):
            found += [self._rejected[stage][key] for key in sorted(self._rejected[stage])]
        return found

    def counts(self) -> dict[str, SourceCounts]:
        """What became of each source's claims; complete once every type has been asked for."""
        return self._counts.by_source([*self._spool.rejections(), *self.rejections()])
