"""What became of the claims of each source: given = made + merged + unchanged + rejected."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tosg.kg.claims.log import Rejection
    from tosg.kg.merge.diff import EntityChanges, RelationshipChanges
    from tosg.kg.merge.identity_records import Identity


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
        Refused, excluded by licence, or waiting for their ends.
    """

    given: int = 0
    made: int = 0
    merged: int = 0
    unchanged: int = 0
    rejected: int = 0

    def as_dict(self) -> dict[str, int]:
        """Plain values for JSON."""
        return asdict(self)


#: Source -> claims that made something, that joined or changed something, and that changed nothing.
ClaimNumbers = dict[str, tuple[int, int, int]]


def tally_entities(given: pl.DataFrame, identity: Identity, changes: EntityChanges) -> ClaimNumbers:
    """Count what became of the entity claims of one type (``id, source``)."""
    classes = identity.aliases.select(pl.col("alias").alias("id"), pl.col("id").alias("key"))
    rows = given.select("id", "source").join(classes, on="id").select("source", "key")
    return _tally(rows, changes.made.select(key="id"), changes.changed.select(key="id"))


def tally_relationships(given: pl.DataFrame, changes: RelationshipChanges) -> ClaimNumbers:
    """Count what became of the claims of one relationship type (columns of the key, ``source``)."""
    return _tally(given, changes.made, changes.changed)


def tally_new_relationships(given: pl.DataFrame, merged: pl.DataFrame) -> ClaimNumbers:
    """Count the claims of one type (``source``) where all relationships are new."""
    rows = _count(given["source"])
    made = _count(merged["sources"].list.first())
    return {s: (made.get(s, 0), n - made.get(s, 0), 0) for s, n in rows.items()}


def count_by_source(
    given: Mapping[str, Mapping[str, int]],
    tallies: Iterable[ClaimNumbers],
    rejections: Iterable[Rejection],
) -> dict[str, SourceCounts]:
    """Sum the counts of all types; `given` is as `Spool.given` returns it."""
    counts: dict[str, SourceCounts] = defaultdict(SourceCounts)
    for source, claims in given.items():
        counts[source].given = sum(claims.values())
    for tally in tallies:
        for source, (made, merged, unchanged) in tally.items():
            counts[source].made += made
            counts[source].merged += merged
            counts[source].unchanged += unchanged
    for rejection in rejections:
        counts[rejection.source].rejected += rejection.count
    return dict(sorted(counts.items()))


def _tally(rows: pl.DataFrame, made: pl.DataFrame, changed: pl.DataFrame) -> ClaimNumbers:
    """Count rows by source; the first source of what is made has the one that made it."""
    key = [c for c in rows.columns if c != "source"]
    new = rows.join(made.select(key), on=key, how="semi", nulls_equal=True)
    first = new.group_by(key).agg(pl.col("source").min())["source"]
    joined = rows.join(changed.select(key), on=key, how="semi", nulls_equal=True)["source"]
    total = _count(rows["source"])
    makers, news, joins = _count(first), _count(new["source"]), _count(joined)
    return {
        source: (
            makers.get(source, 0),
            news.get(source, 0) - makers.get(source, 0) + joins.get(source, 0),
            n - news.get(source, 0) - joins.get(source, 0),
        )
        for source, n in total.items()
    }


def _count(values: pl.Series) -> dict[str, int]:
    return dict(values.value_counts().iter_rows())
