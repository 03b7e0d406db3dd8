"""The second stage of the merge: from claims about relationships of one type to what is stored.

`tosg.kg.merge.resolving` finds the nodes that the ends of all claims mean, those of this load,
those that waited, and those of the stored relationships that they touch. `merge_resolved` makes one
row per key of them. Between the two steps the claims lie in `Buckets`, so that memory is bounded
whatever the size of the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.diff import compare_relationships
from tosg.kg.merge.relationships import (
    RESOLVED,
    merge_relationships,
    oriented,
    property_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.kg.claims.log import Rejection
    from tosg.kg.claims.releases import Told
    from tosg.kg.merge.counts import ClaimNumbers
    from tosg.kg.merge.diff import RelationshipChanges
    from tosg.kg.merge.digests import SourceDigests
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
    unread : ClaimNumbers
        Claims of this load that the graph is known to hold: what is stored was not read.
    left : int
        Stored relationships that were not read because of that.
    digests : list of SourceDigests
        What the graph holds of each source once the claims are stored, where they are many.
    """

    waiting: pl.DataFrame
    rejections: list[Rejection]
    given: list[Told]
    kept: list[Told]
    unread: ClaimNumbers
    left: int
    digests: list[SourceDigests]


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
