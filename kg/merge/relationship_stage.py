"""The second stage of the merge: from claims about relationships of one type to what is stored.

`resolve_relationships` finds the nodes that the ends of all claims mean, those of this load, those
that waited, and those of the stored relationships that they touch. `merge_resolved` makes one row
per key of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.claims.counters import RejectionCounter
from tosg.kg.merge import pending as pend
from tosg.kg.merge.diff import compare_relationships
from tosg.kg.merge.load import list_releases
from tosg.kg.merge.relationships import (
    RESOLVED,
    claims_as_given,
    merge_relationships,
    oriented,
    property_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tosg.kg.claims.log import Rejection
    from tosg.kg.claims.releases import Told
    from tosg.kg.merge.diff import RelationshipChanges
    from tosg.kg.merge.endpoints import EndpointResolver
    from tosg.kg.merge.entity_stage import MergedEntities
    from tosg.kg.merge.load import Load
    from tosg.kg.schema.types import RelationshipType


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
class ResolvedType:
    """Claims about relationships of one type whose ends are known.

    Attributes
    ----------
    rtype : RelationshipType
        The type.
    given, kept : DataFrame
        Columns `RESOLVED`: claims of this load; and those that waited or are stored.
    stored : DataFrame
        Stored relationships that these claims touch or that may have to move: ``start_idx,
        end_idx``, then the type's properties.
    outcome : Outcome
        What else came of it.
    """

    rtype: RelationshipType
    given: pl.DataFrame
    kept: pl.DataFrame
    stored: pl.DataFrame
    outcome: Outcome


@dataclass(frozen=True)
class MergedRelationships:
    """Relationships of one type as they are to be stored.

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

    @property
    def changes(self) -> RelationshipChanges:
        """What has to be written to the stored relationships; all nodes must have numbers."""
        return compare_relationships(self.rtype, self.rows, self.stored)


def resolve_relationships(
    load: Load,
    entities: MergedEntities,
    ends: EndpointResolver,
    rtype: RelationshipType,
    waited: pl.DataFrame | None,
) -> ResolvedType:
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
    """
    refused = RejectionCounter()
    given, lost = _resolve_given(load, ends, rtype, refused)
    kept, still = _resolve_pairs(ends, rtype, waited)
    stored = _read_stored(load, entities, rtype, pl.concat([given, kept]))
    left = [lost, still]
    told: list[Told] = []
    if stored.height:
        claims = load.keep_unpruned(claims_as_given(rtype, stored, entities.stored_ids()))
        old, apart = _resolve_pairs(ends, rtype, claims)
        kept = pl.concat([kept, old])
        left.append(apart)
        told = list_releases(old)
    waiting = pend.unite_pending(rtype, left)
    outcome = Outcome(waiting, refused.rejections(), list_releases(given), told)
    return ResolvedType(rtype, given, kept, stored, outcome)


def merge_resolved(resolved: ResolvedType, nodes: pl.DataFrame) -> MergedRelationships:
    """Merge resolved claims into one row per key.

    Parameters
    ----------
    resolved : ResolvedType
        The claims.
    nodes : DataFrame
        ``type, id, idx`` by code.
    """
    rtype = resolved.rtype
    merged = merge_relationships(rtype, pl.concat([resolved.given, resolved.kept]))
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
    return MergedRelationships(rtype, rows, resolved.stored, _keys(rtype, resolved.given, idx))


def _keys(rtype: RelationshipType, claims: pl.DataFrame, idx: pl.Series) -> pl.DataFrame:
    """Ends as ``idx``, key properties and source of resolved claims."""
    claims = claims if rtype.directed else oriented(claims)
    return claims.select(
        idx.gather(claims["start"]).alias("start_idx"),
        idx.gather(claims["end"]).alias("end_idx"),
        *(pl.col(k).fill_null(0) if k == "sign" else k for k in rtype.keys),
        "source",
    )


def _resolve_given(
    load: Load, ends: EndpointResolver, rtype: RelationshipType, refused: RejectionCounter
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Claims of this load, resolved; and those that have to wait."""
    rows, left = [pl.DataFrame(schema=RESOLVED)], [pend.none_pending()]
    for part in load.spool.relationship_parts:
        if part[0] == rtype.name:
            claims = load.keep_licensed(load.spool.relationships(*part), refused)
            resolved, waiting = ends.resolve(rtype, part[1:], claims, refused.add)
            rows.append(resolved)
            left.append(waiting)
    return pl.concat(rows), pl.concat(left)


def _resolve_pairs(
    ends: EndpointResolver, rtype: RelationshipType, claims: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Resolve claims of earlier loads, which were counted when they were given."""
    rows, left = [pl.DataFrame(schema=RESOLVED)], [pend.none_pending()]
    count: Callable[[str, pl.DataFrame], None] = lambda _kind, _rows: None  # noqa: E731
    if claims is not None:
        parts = claims.partition_by("start_type", "end_type", as_dict=True)
        for (start, end), part in parts.items():
            resolved, waiting = ends.resolve(rtype, (str(start), str(end)), part, count)
            rows.append(resolved)
            left.append(waiting)
    return pl.concat(rows), pl.concat(left)


def _read_stored(
    load: Load, entities: MergedEntities, rtype: RelationshipType, rows: pl.DataFrame
) -> pl.DataFrame:
    """Stored relationships that the claims touch or that may have to move."""
    columns = {"start_idx": pl.Int64, "end_idx": pl.Int64, **property_columns(rtype)}
    if load.ledger is None or rtype.name not in load.ledger.relationship_types:
        return pl.DataFrame(schema=columns)
    codes = pl.concat([rows["start"], rows["end"]]).unique()
    touched = entities.stored_idx.gather(codes).drop_nulls().sort().to_numpy()
    stored = load.ledger.relationships(rtype.name, touched, entities.affected)
    # It may give more than was asked for; what ends at a type that was not read stays as it is.
    known = entities.stored_ids()["idx"].implode()
    stored = stored.filter(pl.col("start_idx").is_in(known) & pl.col("end_idx").is_in(known))
    return stored.select(pl.col(c).cast(t) for c, t in columns.items())
