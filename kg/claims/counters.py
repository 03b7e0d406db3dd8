"""Counting what became of claims that are not kept as given, by kind, source and file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg.claims.log import NOTE_EXAMPLES, Note, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class NoteCounter:
    """Counts values of claims that were changed or left out while the claim itself is kept."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Note] = {}

    def add(self, kind: str, rows: pl.DataFrame, examples: Iterable[str]) -> None:
        """Count values of one kind.

        Parameters
        ----------
        kind : str
            What was done, in a few words.
        rows : DataFrame
            ``source, file, line, id``, one row per value.
        examples : iterable of str
            The values, in the order of the rows.
        """
        import polars as pl

        # A plain list would be one value, the list, in every row.
        values = pl.Series("value", list(examples), pl.String)
        for (source, file), some in rows.with_columns(values).group_by(
            ["source", "file"], maintain_order=True
        ):
            note = self._found.setdefault(
                (kind, str(source), str(file)), Note(kind, str(source), str(file))
            )
            note.count += some.height
            for line, id_, value in (
                some.select("line", "id", "value").head(NOTE_EXAMPLES).iter_rows()
            ):
                place = f"line {line}: " if line else ""
                if len(note.examples) < NOTE_EXAMPLES:
                    note.examples.append(shorten(f"{place}{id_} {value}"))

    def notes(self) -> list[Note]:
        """What was counted, by kind, source and file."""
        return [self._found[key] for key in sorted(self._found)]
