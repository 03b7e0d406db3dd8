"""What a load would read: its first claims, and what it would reject; no database is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import Rejection
    from tosg.loaders.base import Loader

#: Claims shown of each kind.
FIRST = 3


@dataclass(frozen=True)
class Preview:
    """What a source's files say.

    Attributes
    ----------
    counts : dict
        Claims by type of entity or relationship.
    first : list of dict
        The first claims of each type.
    log : SourceLog
        Rows read, rejected and noted, by file.
    refused : list of Rejection
        Claims that the schema has no place for; they are among the counts.
    """

    log: SourceLog
    counts: Counter[str] = field(default_factory=Counter)
    first: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Rejection] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **self.log.as_dict(),
            "counts": dict(sorted(self.counts.items())),
            "first": self.first,
            "refused": [rejection.as_dict() for rejection in self.refused],
        }


def preview(loader: Loader, files: dict[str, Path]) -> Preview:
    """Read the files of a source whole, and check its claims against the schema, as a load would.

    Raises
    ------
    DataError
        As the load would raise it.
    """
    found = Preview(SourceLog(loader.source))
    with Spool() as spool:
        for batch in loader.claims(files, found.log):
            _count(batch, found)
            spool.add(batch)
        found.refused.extend(spool.rejections())
    return found


def _count(batch: pa.RecordBatch, found: Preview) -> None:
    for pair in pc.value_counts(batch.column("type")).to_pylist():
        type_, count = pair["values"], pair["counts"]
        if wanted := max(FIRST - found.counts[type_], 0):
            some = batch.filter(pc.equal(batch.column("type"), type_)).slice(0, wanted)
            found.first.extend(some.to_pylist())
        found.counts[type_] += count
