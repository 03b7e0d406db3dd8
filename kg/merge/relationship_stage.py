"""The second stage of the merge: from claims about relationships of one type to what is stored.

`resolve_relationships` finds the nodes that the ends of all claims mean, those of this load, those
that waited, and those of the stored relationships that they touch. `merge_resolved` makes one row
per key of them. Between the two steps the claims lie in `Buckets`, so that memory is bounded
whatever the size of the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.kg.claims.counters import RejectionCounter
from tosg.kg.merge import pending as pend
from tosg.kg.merge.buckets import MOST_BUCKET_ROWS
from tosg.kg.merge.diff import compare_relationships
from tosg.kg.merge.load import list_releases
from tosg.kg.merge.relationships import (
    RESOLVED,
    claims_as_given,
    merge_relationships,
    oriented,
    property_columns,
)
from tosg.kg.schema.positions import lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tosg.kg.claims.log import Rejection
    from tosg.kg.claims.releases import Told
    from tosg.kg.merge.buckets import Buckets
    from tosg.kg.merge.diff import RelationshipChanges
    from tosg.kg.merge.endpoints import EndpointResolver
    from tosg.kg.merge.entity_stage import MergedEntities
    from tosg.kg.merge.load import Load
    from tosg.kg.merge.relationships import Dtype
    from tosg.kg.schema.kinds import RelationshipType


@dataclass(frozen=True)
class Outcome:
    """What resolving the claims of one type leaves besides relationships.

    Attributes
    ----------
    waiting : DataFrame
        Columns `PENDING`: claims that can be stored once other sources are there.
    rejections : list of Rejection
        What was refused of this load.
    given, kept : list of Told
        Releases of the claims of this load, and of the stored ones.
    """

    waiting: pl.DataFrame
    rejections: list[Rejection]
    given: list[Told]
    kept: list[Told]


@dataclass(frozen=True)
class MergedRelationships:
    """Relationships of one type as they are to be stored; of a large type a part of them.

    Attributes
    ----------
    rows : DataFrame
        ``start_type, start, end_type, end, start_idx, end_idx``, then `property_columns`; sorted
        by start, end and key properties.
    stored : DataFrame
        The stored relationships that they replace.
    given : DataFrame
        ``start_idx, end_idx``, key properties and ``source`` of each claim of this load.
    """

    rtype: RelationshipType
    rows: pl.DataFrame
    stored: pl.DataFrame
    given: pl.DataFrame

    @cached_property
    def changes(self) -> RelationshipChanges:
        """What has to be written to the stored relationships; all nodes must have numbers."""
        return compare_relationships(self.rtype, self.rows, self.stored)


def stage_columns(rtype: RelationshipType) -> dict[str, dict[str, Dtype]]:
    """Columns of what is put into buckets between the two steps.

    ``given`` are claims of this load, ``kept`` those that waited or are stored, and ``stored`` the
    stored relationships that these claims touch or that may have to move.
    """
    stored = {"start_idx": pl.Int64, "end_idx": pl.Int64, **property_columns(rtype)}
    return {"given": RESOLVED, "kept": RESOLVED, "stored": stored}


def resolve_relationships(
    load: Load,
    entities: MergedEntities,
    ends: EndpointResolver,
    rtype: RelationshipType,
    waited: pl.DataFrame | None,
    buckets: Buckets,
) -> Outcome:
    """Find the nodes that the ends of the claims about one relationship type mean.

    Parameters
    ----------
    load : Load
        What is merged.
    entities : MergedEntities
        The nodes.
    ends : EndpointResolver
        Of these nodes.
    rtype : RelationshipType
        The type.
    waited : DataFrame or None
        Claims of earlier loads that wait for their ends, columns `PENDING`.
    buckets : Buckets
        Gets the claims and the stored relationships, columns `stage_columns`.
    """
    resolving = _Resolving(load, entities, ends, rtype, buckets)
    for part in load.spool.relationship_parts:
        if part[0] == rtype.name:
            for claims in _large_frames(load.spool.relationship_batches(*part)):
                resolving.take_given(part[1:], claims)
    if waited is not None:
        resolving.take_kept(waited)
    resolving.take_stored()
    return resolving.outcome()


def _large_frames(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Put small frames together: each join with all nodes has its price."""
    some: list[pl.DataFrame] = []
    for frame in frames:
        some.append(frame)
        if sum(f.height for f in some) >= MOST_BUCKET_ROWS:
            yield pl.concat(some)
            some = []
    if some:
        yield pl.concat(some)


class _Resolving:
    """Resolves claims frame by frame, and collects what comes of it."""

    def __init__(
        self,
        load: Load,
        entities: MergedEntities,
        ends: EndpointResolver,
        rtype: RelationshipType,
        buckets: Buckets,
    ) -> None:
        self._load = load
        self._entities = entities
        self._ends = ends
        self._rtype = rtype
        self._buckets = buckets
        self._refused = RejectionCounter()
        self._touched = np.zeros(entities.nodes.height, np.bool_)
        self._left = [pend.none_pending()]
        self._given: set[Told] = set()
        self._kept: set[Told] = set()

    def take_given(self, pair: tuple[str, str], claims: pl.DataFrame) -> None:
        """Resolve claims of this load between two types."""
        claims = self._load.keep_licensed(claims, self._refused)
        resolved, waiting = self._ends.resolve(self._rtype, pair, claims, self._refused.add)
        self._given |= set(list_releases(resolved))
        self._keep("given", resolved, waiting)

    def take_kept(self, claims: pl.DataFrame) -> pl.DataFrame:
        """Resolve claims of earlier loads, which were counted when they were given."""
        rows = [pl.DataFrame(schema=RESOLVED)]
        for (start, end), part in claims.partition_by(
            "start_type", "end_type", as_dict=True
        ).items():
            pair = (str(start), str(end))
            resolved, waiting = self._ends.resolve(self._rtype, pair, part, _count_nothing)
            self._keep("kept", resolved, waiting)
            rows.append(resolved)
        return pl.concat(rows)

    def take_stored(self) -> None:
        """Read the stored relationships that the claims touch or that may have to move."""
        ledger = self._load.ledger
        if ledger is None or self._rtype.name not in ledger.relationship_types:
            return
        idx = self._entities.stored_idx
        touched = idx.filter(pl.Series(self._touched)).drop_nulls().sort().to_numpy()
        nodes = self._entities.stored_ids()
        is_known = lookup(nodes["idx"].sort().to_numpy())
        codes = idx.to_frame("idx").with_row_index("code").drop_nulls().sort("idx")
        code_of = lookup(codes["idx"].to_numpy(), codes["code"].to_numpy().astype(np.int64))
        columns = stage_columns(self._rtype)["stored"]
        for found in ledger.relationship_batches(
            self._rtype.name, touched, self._entities.affected
        ):
            # It may give more than was asked for; what ends at a type that was not read stays.
            start, end = found["start_idx"].to_numpy(), found["end_idx"].to_numpy()
            known = (is_known(start) >= 0) & (is_known(end) >= 0)
            stored = found.filter(pl.Series(known)).select(
                pl.col(c).cast(t) for c, t in columns.items()
            )
            self._buckets.add("stored", stored, code_of(start[known]), code_of(end[known]))
            claims = self._load.keep_unpruned(claims_as_given(self._rtype, stored, nodes))
            self._kept |= set(list_releases(self.take_kept(claims)))

    def outcome(self) -> Outcome:
        """What came of it besides relationships."""
        waiting = pend.unite_pending(self._rtype, self._left)
        rejections = self._refused.rejections()
        return Outcome(waiting, rejections, list(self._given), list(self._kept))

    def _keep(self, kind: str, resolved: pl.DataFrame, waiting: pl.DataFrame) -> None:
        if not self._rtype.directed:
            resolved = oriented(resolved)
        start, end = resolved["start"].to_numpy(), resolved["end"].to_numpy()
        self._touched[start] = True
        self._touched[end] = True
        self._buckets.add(kind, resolved, start, end)
        if waiting.height:
            self._left.append(waiting)


def _count_nothing(kind: str, rows: pl.DataFrame) -> None:
    """Refuse claims without counting them."""


def merge_resolved(
    rtype: RelationshipType, part: Mapping[str, pl.DataFrame], nodes: pl.DataFrame
) -> MergedRelationships:
    """Merge resolved claims into one row per key.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    part : mapping of str to DataFrame
        Columns `stage_columns`: everything about some pairs of nodes.
    nodes : DataFrame
        ``type, id, idx`` by code.
    """
    merged = merge_relationships(rtype, pl.concat([part["given"], part["kept"]]))
    start, end = merged["start"].to_numpy(), merged["end"].to_numpy()
    types, ids, idx = (nodes[c] for c in ("type", "id", "idx"))
    rows = merged.with_columns(
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
    return MergedRelationships(rtype, rows, part["stored"], _keys(rtype, part["given"], idx))


def _keys(rtype: RelationshipType, claims: pl.DataFrame, idx: pl.Series) -> pl.DataFrame:
    """Ends as ``idx``, key properties and source of resolved claims."""
    claims = claims if rtype.directed else oriented(claims)
    return claims.select(
        idx.gather(claims["start"]).alias("start_idx"),
        idx.gather(claims["end"]).alias("end_idx"),
        *(pl.col(k).fill_null(0) if k == "sign" else k for k in rtype.keys),
        "source",
    )
