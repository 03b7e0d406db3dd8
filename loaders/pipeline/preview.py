"""What a load would read: its first claims, and what it would reject; no database is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.kg.claims.log import SourceLog

if TYPE_CHECKING:
    from pathlib import Path

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
    """

    log: SourceLog
    counts: Counter[str] = field(default_factory=Counter)
    first: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **self.log.as_dict(),
            "counts": dict(sorted(self.counts.items())),
            "first": self.first,
        }


def preview(loader: Loader, files: dict[str, Path]) -> Preview:
    """Read the files of a source whole, as a load would.

    Raises
    ------
    DataError
        As the load would raise it.
    """
    found = Preview(SourceLog(loader.source))
    for batch in loader.claims(files, found.log):
        for type_, row in zip(batch.column("type").to_pylist(), range(batch.num_rows), strict=True):
            if found.counts[type_] < FIRST:
                found.first.append(batch.slice(row, 1).to_pylist()[0])
            found.counts[type_] += 1
    return found
