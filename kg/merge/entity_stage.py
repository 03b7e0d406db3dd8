"""The first stage of the merge: from claims about entities to one row per node.

All types that a load touches are merged here, since relationships of one type may end at any of
them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.kg.claims.counters import RejectionCounter
from tosg.kg.merge import pending as pend
from tosg.kg.merge.counts import tally_entities
from tosg.kg.merge.diff import compare_entities
from tosg.kg.merge.entities import (
    CLAIM_COLUMNS,
    ENTITY_COLUMNS,
    find_second_records,
    merge_entities,
    parse_claims,
    unite_entity_claims,
)
from tosg.kg.merge.identity import resolve_identity
from tosg.kg.merge.load import list_releases
from tosg.kg.merge.placing import place
from tosg.kg.merge.relationships import claims_as_given
from tosg.kg.schema.types import entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.kg.claims.log import Rejection
    from tosg.kg.claims.releases import Told
    from tosg.kg.merge.counts import ClaimNumbers
    from tosg.kg.merge.diff import EntityChanges
    from tosg.kg.merge.identity_records import Ambiguity, Identity, Join
    from tosg.kg.merge.load import Load
    from tosg.kg.merge.placing import Placing

    Int64s = NDArray[np.int64]

#: A term cannot be the same as one that it is a kind of.
IS_A = "IS_A"

SECOND_RECORD = "another record of an identifier, not kept"

_NODES = {"type": pl.String, "id": pl.String, "idx": pl.Int64}


@dataclass(frozen=True)
class MergedType:
    """The entities of one type.

    Attributes
    ----------
    label : str
        The type.
    identity : Identity
        Which identifiers mean the same.
    ids : DataFrame
        ``id, idx`` of all nodes, idx null for nodes that have no number yet; sorted by id.
    changes : EntityChanges
        What has to be written; where nothing is stored, all nodes are made.
    stored : DataFrame
        ``idx, id`` of the stored nodes.
    placing : Placing or None
        Where the stored nodes go; None where nothing is stored.
    tally : Tally
        What became of the claims of this load.
    rejections : list of Rejection
        Claims of this load that were left out.
    given, kept : list of Told
        Releases of the claims of this load, and of the stored ones.
    """

    label: str
    identity: Identity
    ids: pl.DataFrame
    changes: EntityChanges
    stored: pl.DataFrame
    placing: Placing | None
    tally: ClaimNumbers
    rejections: list[Rejection]
    given: list[Told]
    kept: list[Told]


@dataclass(frozen=True)
class MergedEntities:
    """What the entity stage makes.

    Attributes
    ----------
    types : mapping of str to MergedType
        By label, sorted.
    nodes : DataFrame
        ``type, id, idx`` of all types, sorted by id, idx null for nodes that have no number yet.
        Row numbers are the codes by which relationships name their ends.
    stored_idx : Series
        ``idx`` of each row of `nodes` as stored; null for new nodes.
    affected : (n,) int64 or None
        ``idx`` of stored nodes whose relationships may have to move; None: of all nodes.
    """

    types: Mapping[str, MergedType]
    nodes: pl.DataFrame
    stored_idx: pl.Series
    affected: Int64s | None

    @property
    def moves(self) -> bool:
        """Whether stored relationships may have to move."""
        return self.affected is None or len(self.affected) > 0

    @property
    def joins(self) -> list[Join]:
        """Identifiers that were found to mean the same, sorted."""
        return sorted(join for t in self.types.values() for join in t.identity.joins)

    @property
    def ambiguous(self) -> list[Ambiguity]:
        """What was not used because it could mean several things, sorted."""
        return sorted(found for t in self.types.values() for found in t.identity.ambiguous)

    def stored_ids(self) -> pl.DataFrame:
        """``idx, type, id`` of the stored nodes that were read, as they were."""
        empty = pl.DataFrame(schema={"idx": pl.Int64, "type": pl.String, "id": pl.String})
        frames = [
            t.stored.select("idx", pl.lit(label).alias("type"), "id")
            for label, t in self.types.items()
        ]
        return pl.concat([empty, *frames])

    def number(self, first: int) -> tuple[MergedEntities, int]:
        """Give the nodes that have none their ``idx``, in (type, id) order from `first`.

        Returns
        -------
        MergedEntities
            The same with all numbers.
        int
            How many were given.
        """
        fresh = self.nodes.with_row_index("code").filter(pl.col("idx").is_null()).sort("type", "id")
        if not fresh.height:
            return self, 0
        idx = self.nodes["idx"].fill_null(-1).to_numpy().copy()
        idx[fresh["code"].to_numpy()] = np.arange(first, first + fresh.height)
        nodes = self.nodes.with_columns(pl.Series("idx", idx, pl.Int64))
        types = {label: _number_rows(found, nodes) for label, found in self.types.items()}
        return replace(self, types=types, nodes=nodes), fresh.height


def _number_rows(found: MergedType, nodes: pl.DataFrame) -> MergedType:
    if not found.ids["idx"].null_count():
        return found
    numbers = nodes.filter(pl.col("type") == found.label).select("id", "idx")
    made = found.changes.made.drop("idx").join(numbers, on="id", how="left", maintain_order="left")
    changes = replace(found.changes, made=made.select("idx", *ENTITY_COLUMNS))
    return replace(found, ids=numbers, changes=changes)


def merge_entity_types(load: Load, waiting: Iterable[pl.DataFrame] = ()) -> MergedEntities:
    """Merge the entities of every type that a load touches.

    Parameters
    ----------
    load : Load
        What is merged.
    waiting : iterable of DataFrame
        Claims about relationships that wait for their ends, columns `PENDING`.
    """
    waiting = list(waiting)
    types = {label: _merge_type(load, label, waiting) for label in _touched_types(load, waiting)}
    affected = _affected_nodes(load, types.values())
    if load.ledger and (affected is None or len(affected)):
        # The other end of a relationship that moves may be of any type.
        others = set(load.ledger.entity_types) - types.keys()
        types |= {label: _merge_type(load, label, waiting) for label in sorted(others)}
    tables = [t.ids.select(pl.lit(t.label).alias("type"), "id", "idx") for t in types.values()]
    nodes = pl.concat([pl.DataFrame(schema=_NODES), *tables]).sort("id", "type")
    return MergedEntities(dict(sorted(types.items())), nodes, nodes["idx"], affected)


def _touched_types(load: Load, waiting: Iterable[pl.DataFrame]) -> list[str]:
    labels = set(load.spool.entity_types)
    for _, start, end in load.spool.relationship_parts:
        labels |= {start, end}
    for rows in waiting:
        labels |= set(rows["start_type"]) | set(rows["end_type"])
    return sorted(labels)


def _merge_type(load: Load, label: str, waiting: Sequence[pl.DataFrame]) -> MergedType:
    refused = RejectionCounter()
    given = load.keep_licensed(load.spool.entities(label), refused)
    stored = _stored(load, label)
    ids = stored.select("idx", "id")
    old = parse_claims(stored.select("idx", "claims"))
    kept = load.keep_unpruned(old)
    claims = unite_entity_claims(
        pl.concat([kept.select(CLAIM_COLUMNS), given.select(CLAIM_COLUMNS)])
    )
    second = find_second_records(given, claims)
    refused.add(SECOND_RECORD, given.filter(second))
    given = given.filter(~second)
    told = list_releases(given), list_releases(kept)
    is_a = _given_is_a(load, label)
    old_is_a = _stored_is_a(load, label, stored, waiting)
    identity = resolve_identity(entity_types()[label], claims, is_a | old_is_a)
    placing = None
    numbers = ids.clear()
    if stored.height:
        before = identity
        if given.height or kept.height < old.height or is_a - old_is_a:
            old_claims = unite_entity_claims(old.select(CLAIM_COLUMNS))
            before = resolve_identity(entity_types()[label], old_claims, old_is_a)
        placing = place(ids, kept.select("idx", "id"), before, identity)
        numbers = placing.kept
    given = given.select("id", "source")
    del old, kept  # each of these frames is as large as the graph's nodes
    merged = merge_entities(claims, identity)
    del claims
    rows = merged.join(numbers, on="id", how="left", maintain_order="left")
    rows = rows.select("idx", *ENTITY_COLUMNS)
    changes = compare_entities(rows, stored)
    tally = tally_entities(given, identity, changes)
    numbered = rows.select("id", "idx")
    return MergedType(
        *(label, identity, numbered, changes, ids, placing, tally), refused.rejections(), *told
    )


def _given_is_a(load: Load, label: str) -> set[tuple[str, str]]:
    """Terms of this load and those that they are a kind of, where joins of terms are possible."""
    if len(entity_types()[label].prefixes) < 2:
        return set()
    rows = load.spool.relationships(IS_A, label, label)
    if load.excluded:
        rows = load.keep_licensed(rows, RejectionCounter())  # counted by the relationship stage
    return set(rows.select("start", "end").iter_rows())


def _stored_is_a(
    load: Load, label: str, stored: pl.DataFrame, waiting: Sequence[pl.DataFrame]
) -> set[tuple[str, str]]:
    """The same of the stored graph, with the ends as the sources gave them."""
    if load.ledger is None or len(entity_types()[label].prefixes) < 2:
        return set()
    both = pl.col("start_type").eq(label) & pl.col("end_type").eq(label)
    among = (pl.col("type") == IS_A) & both
    pairs = {pair for rows in waiting for pair in rows.filter(among).select("start", "end").rows()}
    if IS_A in load.ledger.relationship_types and stored.height:
        nodes = stored.select("idx", pl.lit(label).alias("type"), "id")
        idx = stored["idx"].to_numpy()
        found = load.ledger.relationships(IS_A, idx, idx[:0])
        claims = claims_as_given(relationship_types()[IS_A], found, nodes).filter(both)
        pairs |= set(load.keep_unpruned(claims).select("start", "end").iter_rows())
    return pairs


def _stored(load: Load, label: str) -> pl.DataFrame:
    if load.ledger is None:
        return pl.DataFrame(schema={"idx": pl.Int64, **ENTITY_COLUMNS})
    return load.ledger.entities(label)


def _affected_nodes(load: Load, types: Iterable[MergedType]) -> Int64s | None:
    if load.ledger and (load.pruned or load.ledger.unfinished):
        return None
    found = set().union(*(t.placing.affected for t in types if t.placing))
    return np.array(sorted(found), np.int64)


def waiting_by_type(load: Load) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Read the claims that wait in the stored graph: all of them, and those still claimed by type.

    Claims of types that the schema no longer has are in the first alone.
    """
    waiting = load.ledger.pending() if load.ledger else pend.none_pending()
    return waiting, pend.by_type(load.keep_unpruned(waiting))
