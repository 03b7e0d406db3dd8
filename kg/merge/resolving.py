"""From claims about relationships of one type to claims between nodes, in buckets.

Claims of this load are resolved frame by frame, then those that waited, then those of the stored
relationships that they touch. Where the graph is known to hold what a load says
(`tosg.kg.merge.digests`), neither its claims nor what is stored go further.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.kg.claims.counters import RejectionCounter
from tosg.kg.merge import digests
from tosg.kg.merge import pending as pend
from tosg.kg.merge.frames import large_frames
from tosg.kg.merge.load import list_releases
from tosg.kg.merge.relationship_stage import Outcome, stage_columns
from tosg.kg.merge.relationships import RESOLVED, claims_as_given, claims_of, oriented
from tosg.kg.schema.positions import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tosg.kg.claims.releases import Told
    from tosg.kg.merge.buckets import Buckets
    from tosg.kg.merge.counts import ClaimNumbers
    from tosg.kg.merge.digests import SourceDigests
    from tosg.kg.merge.endpoints import EndpointResolver
    from tosg.kg.merge.entity_stage import MergedEntities
    from tosg.kg.merge.load import Ledger, Load
    from tosg.kg.schema.kinds import RelationshipType

    Int64s = NDArray[np.int64]


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
    resolving.compare_digests()
    if waited is not None:
        resolving.take_kept(waited)
    resolving.take_given()
    resolving.take_stored()
    return resolving.outcome()


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
        idx = entities.nodes["idx"]
        many = load.spool.count_relationships(rtype.name) >= digests.LEAST_CLAIMS
        # Nodes are named by their numbers, so all must have theirs.
        self._numbers = idx.fill_null(-1).to_numpy()
        self._sums = digests.DigestSums(self._numbers) if many and not idx.null_count() else None
        known = load.ledger.digests(rtype.name) if load.ledger and self._sums else {}
        self._known = {s: d for s, d in known.items() if s not in load.pruned}
        #: Ranges of start nodes to work on; None: all.
        self._ranges: NDArray[np.bool_] | None = None
        self._taken: dict[str, int] = {}
        self._left_stored = 0

    def _frames(self) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
        spool = self._load.spool
        for name, start, end in spool.relationship_parts:
            if name == self._rtype.name:
                for claims in large_frames(spool.relationship_batches(name, start, end)):
                    yield (start, end), claims

    def compare_digests(self) -> None:
        """Find the ranges where this load says something that the graph is not known to hold."""
        if self._sums is None or not self._known or self._entities.moves:
            return
        for pair, claims in self._frames():
            self._resolve_given(pair, claims)
        self._ranges = self._sums.changed(self._known)
        self._kept |= {
            (source, None, release)
            for source in self._sums.claims.keys() & self._known.keys()
            for release in self._known[source].releases
        }

    def _resolve_given(self, pair: tuple[str, str], claims: pl.DataFrame) -> pl.DataFrame:
        """Resolve claims of this load; notes what becomes of them but for what is stored."""
        claims = self._load.keep_licensed(claims, self._refused)
        resolved, waiting = self._ends.resolve(self._rtype, pair, claims, self._refused.add)
        self._given |= set(list_releases(resolved))
        if waiting.height:
            self._left.append(waiting)
        resolved = self._oriented(resolved)
        if self._sums is not None:
            self._sums.add(resolved)
        return resolved

    def take_given(self) -> None:
        """Put the claims of this load into buckets, those of unchanged ranges left out."""
        if self._ranges is None:
            for pair, claims in self._frames():
                self._keep("given", self._resolve_given(pair, claims))
            return
        if not self._ranges.any():
            return
        codes = self._ranges[digests.ranges_of(self._numbers)]
        for pair, claims in self._frames():
            some = self._load.keep_licensed(claims, RejectionCounter())
            starts, ends = (self._ends.names_of(label, codes) for label in pair)
            at_start = pl.col("start").is_in(starts.implode())
            either = at_start | pl.col("end").is_in(ends.implode())
            some = some.filter(at_start if self._rtype.directed else either)
            resolved, _ = self._ends.resolve(self._rtype, pair, some, _count_nothing)
            resolved = self._oriented(resolved)
            resolved = resolved.filter(pl.Series(codes[resolved["start"].to_numpy()]))
            for source, n in resolved["source"].value_counts().iter_rows():
                self._taken[source] = self._taken.get(source, 0) + n
            self._keep("given", resolved)

    def take_kept(self, claims: pl.DataFrame) -> pl.DataFrame:
        """Resolve claims of earlier loads, which were counted when they were given."""
        rows = [pl.DataFrame(schema=RESOLVED)]
        for (start, end), part in claims.partition_by(
            "start_type", "end_type", as_dict=True
        ).items():
            pair = (str(start), str(end))
            resolved, waiting = self._ends.resolve(self._rtype, pair, part, _count_nothing)
            if waiting.height:
                self._left.append(waiting)
            resolved = self._oriented(resolved)
            if self._ranges is not None:
                self._ranges[digests.ranges_of(self._numbers[resolved["start"].to_numpy()])] = True
            self._keep("kept", resolved)
            rows.append(resolved)
        return pl.concat(rows)

    def take_stored(self) -> None:
        """Read the stored relationships that the claims touch or that may have to move."""
        ledger = self._load.ledger
        if ledger is None or self._rtype.name not in ledger.relationship_types:
            return
        idx = self._entities.stored_idx
        nodes = self._entities.stored_ids()
        is_known = lookup(nodes["idx"].sort().to_numpy())
        codes = idx.to_frame("idx").with_row_index("code").drop_nulls().sort("idx")
        code_of = lookup(codes["idx"].to_numpy(), codes["code"].to_numpy().astype(np.int64))
        columns = stage_columns(self._rtype)["stored"]
        read = 0
        for found in self._stored_frames(ledger):
            read += found.height
            # It may give more than was asked for; what ends at a type that was not read stays.
            start, end = found["start_idx"].to_numpy(), found["end_idx"].to_numpy()
            known = (is_known(start) >= 0) & (is_known(end) >= 0)
            stored = found.filter(pl.Series(known)).select(
                pl.col(c).cast(t) for c, t in columns.items()
            )
            start, end = start[known], end[known]
            moves = pl.Series(self._may_move(start) | self._may_move(end))
            start, end = code_of(start), code_of(end)
            self._buckets.add("stored", stored, start, end)
            self._take_still(stored, start, end, ~moves)
            if moves.any():
                claims = claims_as_given(self._rtype, stored.filter(moves), nodes)
                kept = self.take_kept(self._load.keep_unpruned(claims))
                self._kept |= set(list_releases(kept))
        if self._ranges is not None:
            self._left_stored = ledger.count(self._rtype.name) - read

    def _stored_frames(self, ledger: Ledger) -> Iterator[pl.DataFrame]:
        idx = self._entities.stored_idx
        if self._ranges is None:
            touched = idx.filter(pl.Series(self._touched)).drop_nulls().sort().to_numpy()
            return ledger.relationship_batches(self._rtype.name, touched, self._entities.affected)
        stored = idx.drop_nulls().sort().to_numpy()
        starts = stored[self._ranges[digests.ranges_of(stored)]]
        return ledger.relationships_from(self._rtype.name, starts)

    def _may_move(self, idx: Int64s) -> NDArray[np.bool_]:
        affected = self._entities.affected
        return np.ones(len(idx), np.bool_) if affected is None else np.isin(idx, affected)

    def _take_still(
        self, stored: pl.DataFrame, start: Int64s, end: Int64s, still: pl.Series
    ) -> None:
        """Take the claims of relationships that stay where they are: their ends are known."""
        ends = stored.with_columns(
            pl.Series("start", start).cast(pl.UInt32, strict=False),
            pl.Series("end", end).cast(pl.UInt32, strict=False),
        )
        resolved = claims_of(self._rtype, ends.filter(still))
        ids = self._entities.nodes["id"]
        for column in ("start", "end"):
            given = resolved[f"{column}_as"]
            if given.null_count() < len(given):  # an end that is spelled out may be the node's own
                other = given != ids.gather(resolved[column])
                named = pl.when(other).then(given).otherwise(None)
                resolved = resolved.with_columns(named.alias(f"{column}_as"))
        self._kept |= set(list_releases(resolved))
        self._keep("kept", self._oriented(resolved))

    def outcome(self) -> Outcome:
        """What came of it besides relationships."""
        waiting = pend.unite_pending(self._rtype, self._left)
        rejections = self._refused.rejections()
        made: list[SourceDigests] = []
        unread: ClaimNumbers = {}
        if self._sums is not None:
            releases: dict[str, set[str]] = defaultdict(set)
            for source, _, release in self._given | self._kept:
                releases[source].add(release)
            made = self._sums.joined(self._rtype.name, self._known, releases)
            if self._ranges is not None:
                for source, n in self._sums.claims.items():
                    unread[source] = (0, 0, n - self._taken.get(source, 0))
        return Outcome(
            waiting,
            rejections,
            list(self._given),
            list(self._kept),
            unread,
            self._left_stored,
            made,
        )

    def _oriented(self, resolved: pl.DataFrame) -> pl.DataFrame:
        return resolved if self._rtype.directed else oriented(resolved)

    def _keep(self, kind: str, resolved: pl.DataFrame) -> None:
        start, end = resolved["start"].to_numpy(), resolved["end"].to_numpy()
        self._touched[start] = True
        self._touched[end] = True
        self._buckets.add(kind, resolved, start, end)


def _count_nothing(kind: str, rows: pl.DataFrame) -> None:
    """Refuse claims without counting them."""
