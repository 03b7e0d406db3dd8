"""The one merge: from claims to what is stored, a pure function of the set of claims.

Both ways in use it: the import of an empty database merges a spool alone, a load over Bolt merges
a spool with the claims that the stored graph already holds (its *ledger*). Entities are merged at
once, relationships one type at a time when asked for, and a large type in parts, so that memory
is bounded by the nodes and not by the relationships.

Claims that cannot be stored now, but could once other sources are there, are *pending*: an end
that no source claims, an end that is ambiguous, two ends that identity made one. They are kept
beside the graph, so that the order of sources does not matter.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.kg.claims.releases import ReleasesMet
from tosg.kg.merge import pending as pend
from tosg.kg.merge.buckets import Buckets
from tosg.kg.merge.counts import (
    ClaimNumbers,
    SourceCounts,
    count_by_source,
    tally_new_relationships,
    tally_relationships,
)
from tosg.kg.merge.endpoints import EndpointResolver
from tosg.kg.merge.entity_stage import merge_entity_types, waiting_by_type
from tosg.kg.merge.load import Load
from tosg.kg.merge.relationship_stage import merge_resolved, stage_columns
from tosg.kg.merge.resolving import resolve_relationships
from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import Note, Rejection
    from tosg.kg.claims.spool import Spool
    from tosg.kg.merge.diff import EntityChanges
    from tosg.kg.merge.digests import SourceDigests
    from tosg.kg.merge.identity_records import Ambiguity, Join
    from tosg.kg.merge.load import Ledger
    from tosg.kg.merge.placing import Placing
    from tosg.kg.merge.relationship_stage import MergedRelationships, Outcome


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
    excluded = tuple(sorted({name.casefold() for name in exclude_licenses}))
    return Merged(Load(spool, existing, excluded, tuple(sorted(set(prune)))))


class Merged:
    """What the graph is to hold, from the claims that a load touches.

    Attributes
    ----------
    entity_types, relationship_types : list of str
        What there is to ask for, sorted.
    ledger : Ledger or None
        Where stored claims came from.
    """

    def __init__(self, load: Load) -> None:
        self.ledger = load.ledger
        self._load = load
        self._waiting_before, self._waited = waiting_by_type(load)
        self._entities = merge_entity_types(load, self._waited.values())
        self._outcomes: dict[str, Outcome] = {}
        self._tallies: dict[str, list[ClaimNumbers]] = {}
        self.entity_types = list(self._entities.types)
        self.relationship_types = self._relationship_types()

    def _relationship_types(self) -> list[str]:
        names = {name for name, _, _ in self._load.spool.relationship_parts} | set(self._waited)
        if self.ledger and self._entities.moves:
            names |= set(self.ledger.relationship_types)
        return sorted(names)

    @property
    def pruned(self) -> tuple[str, ...]:
        """Sources whose stored claims are withdrawn unless this load repeats them."""
        return self._load.pruned

    @property
    def folder(self) -> Path:
        """A temporary folder for what does not fit in memory, as long as the spool is open."""
        return self._load.spool.folder

    @property
    def joins(self) -> list[Join]:
        """Identifiers that were found to mean the same."""
        return self._entities.joins

    @property
    def ambiguous(self) -> list[Ambiguity]:
        """What was not used because it could mean several things."""
        return self._entities.ambiguous

    @property
    def nodes(self) -> pl.DataFrame:
        """``type, id, idx`` of all nodes, sorted by id; see `MergedEntities`."""
        return self._entities.nodes

    @property
    def placings(self) -> dict[str, Placing]:
        """Where the stored nodes of each type go."""
        return {label: t.placing for label, t in self._entities.types.items() if t.placing}

    def entities(self, label: str) -> pl.DataFrame:
        """Nodes of one type to be made, sorted by id: ``idx``, then `ENTITY_COLUMNS`.

        Of an empty graph these are all nodes.
        """
        return self._entities.types[label].changes.made

    def entity_changes(self, label: str) -> EntityChanges:
        """What has to be written to the stored nodes of one type."""
        return self._entities.types[label].changes

    def stored_ids(self) -> pl.DataFrame:
        """``idx, id`` of the stored nodes that were read, as they were."""
        return self._entities.stored_ids().select("idx", "id")

    def number(self, first: int) -> int:
        """Give the nodes that have none their ``idx``; see `MergedEntities.number`.

        Returns
        -------
        int
            How many numbers were given.
        """
        self._entities, given = self._entities.number(first)
        return given

    @cached_property
    def _ends(self) -> EndpointResolver:
        identities = {label: t.identity for label, t in self._entities.types.items()}
        return EndpointResolver(identities, self._entities.nodes)

    def _resolve(self, name: str, buckets: Buckets) -> None:
        rtype, waited = relationship_types()[name], self._waited.get(name)
        self._outcomes[name] = resolve_relationships(
            self._load, self._entities, self._ends, rtype, waited, buckets
        )

    def _buckets(self, name: str) -> Buckets:
        return Buckets(stage_columns(relationship_types()[name]), self._load.spool.folder)

    def relationship_parts(self, name: str) -> Iterator[MergedRelationships]:
        """Merged relationships of one type, in parts of bounded size; at least one part comes.

        Everything about one pair of nodes is in one part. `number` comes first where changes are
        asked for.
        """
        rtype = relationship_types()[name]
        with self._buckets(name) as buckets:
            self._resolve(name, buckets)
            tallies: list[ClaimNumbers] = []
            for part in buckets.parts():
                merged = merge_resolved(rtype, part, self._entities.nodes)
                tallies.append(self._tally(merged))
                yield merged
        tallies.append(self._outcomes[name].unread)
        self._tallies[name] = tallies

    def _tally(self, merged: MergedRelationships) -> ClaimNumbers:
        if self.ledger is None:
            return tally_new_relationships(merged.given, merged.rows)
        return tally_relationships(merged.given, merged.changes)

    def relationships(self, name: str) -> pl.DataFrame:
        """Merged relationships of one type at once; see `MergedRelationships`.

        ``start_idx`` and ``end_idx`` of new nodes are null until `number` has run.
        """
        return pl.concat([part.rows for part in self.relationship_parts(name)])

    def left(self, name: str) -> int:
        """How many stored relationships of one type were not read: all that is said is stored.

        Known once `relationship_parts` has been gone through.
        """
        return self._outcomes[name].left

    def digests(self) -> list[SourceDigests]:
        """What the graph holds of each source once this is written, where that is much."""
        return [d for outcome in self._finish().values() for d in outcome.digests]

    def relationship_releases(self) -> dict[tuple[str, str], set[str]]:
        """Releases that this load brings of each relationship type and source."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name, outcome in self._finish().items():
            for source, _, release in outcome.given:
                found[name, source].add(release)
        return found

    def _finish(self) -> dict[str, Outcome]:
        """Resolve the types that nobody has asked for."""
        for name in self.relationship_types:
            if name not in self._outcomes:
                with self._buckets(name) as buckets:
                    self._resolve(name, buckets)
        return self._outcomes

    @property
    def pending(self) -> pl.DataFrame:
        """All claims that wait, columns `PENDING`."""
        left = [outcome.waiting for outcome in self._finish().values()]
        return pl.concat([pend.none_pending(), *left])

    def pending_nodes(self) -> list[dict[str, Any]]:
        """Properties ``source, part, rows`` of the nodes that keep `pending`."""
        return pend.to_nodes(self.pending)

    def pending_nodes_before(self) -> list[dict[str, Any]]:
        """The same of what waited before this load."""
        return pend.to_nodes(self._waiting_before)

    def rejections(self) -> list[Rejection]:
        """What was refused: by the checks of claims, by licence, for want of an end, as loop."""
        outcomes = self._finish()
        found = self._load.spool.rejections()
        found += [r for t in self._entities.types.values() for r in t.rejections]
        return found + [r for name in sorted(outcomes) for r in outcomes[name].rejections]

    def notes(self) -> list[Note]:
        """What was changed in claims of this load or left out of them."""
        return self._load.spool.notes()

    @property
    def releases(self) -> ReleasesMet:
        """Releases of this load, and those that the graph was seen to hold of the same sources."""
        met = ReleasesMet()
        for found in self._entities.types.values():
            met.add(found.given, found.kept)
        for outcome in self._outcomes.values():
            met.add(outcome.given, outcome.kept)
        return met

    def counts(self) -> dict[str, SourceCounts]:
        """What became of each source's claims; complete once every type has been asked for."""
        tallies = [t.tally for t in self._entities.types.values()]
        tallies += itertools.chain.from_iterable(self._tallies.values())
        return count_by_source(self._load.spool.given(), tallies, self.rejections())
