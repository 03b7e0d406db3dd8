"""Counting refused claims by kind, source and file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg.claims.log import Rejection, shorten

if TYPE_CHECKING:
    import polars as pl

_EXAMPLE_COLUMNS = ("start", "type", "end", "action")
_ENTITY_EXAMPLE_COLUMNS = ("id", "name")


class RejectionCounter:
    """Counts refused claims; of each kind, source and file the earliest line is the example."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Rejection] = {}

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Count refused claims of one kind.

        Parameters
        ----------
        kind : str
            Why, in a few words.
        rows : DataFrame
            Columns of a claim, ``source, file, line`` among them.
        """
        if not rows.height:
            return
        for (source, file), some in rows.group_by(["source", "file"], maintain_order=True):
            self._add(kind, str(source), str(file), some)

    def _add(self, kind: str, source: str, file: str, rows: pl.DataFrame) -> None:
        first = rows.sort("line", nulls_last=True).row(0, named=True)
        parts = _EXAMPLE_COLUMNS if "start" in first else _ENTITY_EXAMPLE_COLUMNS
        example = shorten(" ".join(str(first[p]) for p in parts if first.get(p) is not None))
        line = first["line"] or 0
        known = self._found.get((kind, source, file))
        if known is None:
            self._found[kind, source, file] = Rejection(
                kind, source, file, line, example, rows.height
            )
            return
        known.count += rows.height
        if line < known.line:
            known.line, known.example = line, example

    def rejections(self) -> list[Rejection]:
        """What was counted, by kind, source and file."""
        return [self._found[key] for key in sorted(self._found)]
