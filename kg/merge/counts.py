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
    from tosg.kg.merge.identity import Identity


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


_Stage = dict[str, tuple[int, int, int]]  # source -> made, merged, unchanged


class ClaimCounts:
    """Collects the counts while the merge goes on.

    Parameters
    ----------
    given : mapping
        As `Spool.given` returns it.
    """

    def __init__(self, given: Mapping[str, Mapping[str, int]]) -> None:
        self._given = given
        self._stages: dict[str, _Stage] = {}

    def entities(
        self, label: str, given: pl.DataFrame, identity: Identity, changes: EntityChanges
    ) -> None:
        """Count the entity claims of one type."""
        classes = identity.aliases.select(pl.col("alias").alias("id"), pl.col("id").alias("key"))
        rows = given.select("id", "source").join(classes, on="id").select("source", "key")
        self._stages[f"entity {label}"] = _stage(
            rows, changes.made.select(key="id"), changes.changed.select(key="id")
        )

    def relationships(self, name: str, given: pl.DataFrame, changes: RelationshipChanges) -> None:
        """Count the relationship claims of one type; `given` has the columns of the key."""
        self._stages[name] = _stage(given, changes.made, changes.changed)

    def new_relationships(self, name: str, given: pl.DataFrame, merged: pl.DataFrame) -> None:
        """Count the claims of one type where all relationships are new."""
        rows = dict(given["source"].value_counts().iter_rows())
        made = dict(merged["sources"].list.first().value_counts().iter_rows())
        self._stages[name] = {s: (made.get(s, 0), n - made.get(s, 0), 0) for s, n in rows.items()}

    def by_source(self, rejections: Iterable[Rejection]) -> dict[str, SourceCounts]:
        """Sum the counts of all types."""
        counts: dict[str, SourceCounts] = defaultdict(SourceCounts)
        for source, given in self._given.items():
            counts[source].given = sum(given.values())
        for stage in self._stages.values():
            for source, (made, merged, unchanged) in stage.items():
                counts[source].made += made
                counts[source].merged += merged
                counts[source].unchanged += unchanged
        for rejection in rejections:
            counts[rejection.source].rejected += rejection.count
        return dict(sorted(counts.items()))


def _stage(rows: pl.DataFrame, made: pl.DataFrame, changed: pl.DataFrame) -> _Stage:
    """Count rows by source; the first source of what is made has the one that made it."""
    key = [c for c in rows.columns if c != "source"]
    new = rows.join(made.select(key), on=key, how="semi", nulls_equal=True)
    first = new.group_by(key).agg(pl.col("source").min())["source"]
    joined = rows.join(changed.select(key), on=key, how="semi", nulls_equal=True)["source"]
    total = _tally(rows["source"])
    makers, news, joins = _tally(first), _tally(new["source"]), _tally(joined)
    return {
        source: (
            makers.get(source, 0),
            news.get(source, 0) - makers.get(source, 0) + joins.get(source, 0),
            n - news.get(source, 0) - joins.get(source, 0),
        )
        for source, n in total.items()
    }


def _tally(values: pl.Series) -> dict[str, int]:
    return dict(values.value_counts().iter_rows())
