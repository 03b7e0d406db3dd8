"""CSV files for ``neo4j-admin database import``, written by columns.

A file has no header line: that stands in a file of its own, so that parts of one type can be
written as they come. Lists are joined by U+001F. Null, the empty list and the empty string are
absent properties (see `tosg.kg.write.stored`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.errors import DataError, TosgError
from tosg.kg.claims.schemas import LIST_SEPARATOR

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

#: Space of the knowledge nodes' ids inside the import; their ids are ``idx``.
ENTITY_SPACE = "Entity"
#: Space of bookkeeping nodes' ids.
SUPPORT_SPACE = "Tosg"

#: Bytes that the importer reads at once; no field may be longer.
READ_BUFFER = 4 * 2**20


@dataclass
class ImportFiles:
    """The files of one import, inside one folder.

    Attributes
    ----------
    folder : Path
        Where they are; without a comma in its name, which would part the arguments.
    longest : int
        Bytes of the longest field, at least.
    """

    folder: Path
    longest: int = 0
    _groups: list[str] = field(default_factory=list)

    def add_nodes(self, labels: str, frame: pl.DataFrame, *, space: str = ENTITY_SPACE) -> None:
        """Write the nodes of one label; column ``idx`` is their id in the import.

        Parameters
        ----------
        labels : str
            As ``Entity:Gene``.
        frame : pl.DataFrame
            One column per property. ``idx`` is stored in the space of the knowledge nodes alone.
        space : str
            The id space.
        """
        own = "idx" if space == ENTITY_SPACE else ""
        header = [f"{own}:ID({space})"]
        header += [_typed(n, t) for n, t in frame.schema.items() if n != "idx"]
        columns = ["idx", *(n for n in frame.columns if n != "idx")]
        self._write("nodes", labels, header, frame.select(columns))

    def add_relationships(self, name: str, frame: pl.DataFrame) -> None:
        """Write the relationships of one type; ``start_idx`` and ``end_idx`` are their ends."""
        ends = ["start_idx", "end_idx"]
        header = [f":START_ID({ENTITY_SPACE})", f":END_ID({ENTITY_SPACE})"]
        properties = {n: t for n, t in frame.schema.items() if n not in ends}
        header += [_typed(n, t) for n, t in properties.items()]
        self._write("relationships", name, header, frame.select([*ends, *properties]))

    def _write(self, kind: str, group: str, header: list[str], frame: pl.DataFrame) -> None:
        stem = f"{kind}-{group.replace(':', '-')}"
        head, data = self.folder / f"{stem}.header.csv", self.folder / f"{stem}.csv"
        head.write_text(",".join(header) + "\n", encoding="utf-8")
        flat, longest = flatten(frame, where=group)
        self.longest = max(self.longest, longest)
        with data.open("ab") as file:
            flat.write_csv(file, include_header=False)
        argument = f"--{kind}={group}={head},{data}"
        if argument not in self._groups:
            self._groups.append(argument)

    def arguments(self) -> list[str]:
        """Arguments of ``neo4j-admin database import full neo4j`` for what was written."""
        # Quotes are doubled inside a field, and the importer counts characters.
        buffer = max(READ_BUFFER, 2 * self.longest + 2**16)
        return [
            "--id-type=integer",
            f"--array-delimiter=U+{ord(LIST_SEPARATOR):04X}",
            "--multiline-fields=true",
            "--bad-tolerance=0",
            "--high-parallel-io=on",
            f"--read-buffer-size={buffer}",
            *self._groups,
        ]


def flatten(frame: pl.DataFrame, *, where: str) -> tuple[pl.DataFrame, int]:
    """Turn every column into what a CSV field can hold.

    Parameters
    ----------
    frame : pl.DataFrame
        Columns of strings, numbers, booleans, bytes, and lists of strings or numbers.
    where : str
        For the error.

    Returns
    -------
    frame : pl.DataFrame
        The same rows; lists joined by U+001F.
    longest : int
        Bytes of the longest text field (before quoting).

    Raises
    ------
    DataError
        An element of a list contains U+001F, or a list only one empty string.
    """
    import polars as pl

    out: list[pl.Expr | pl.Series] = []
    checks: list[pl.Expr] = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.List):
            text = column if dtype.inner == pl.String else column.list.eval(_text(pl.element()))
            joined = text.list.join(LIST_SEPARATOR)
            out.append(joined.alias(name))
            if dtype.inner == pl.String:
                split = joined.str.count_matches(LIST_SEPARATOR, literal=True) + 1
                checks.append((split != column.list.len()) & (column.list.len() > 0))
                checks.append((column.list.len() == 1) & (column.list.first() == ""))
        elif dtype == pl.Binary:
            out.append(pl.Series(name, [_bytes_field(v) for v in frame[name]], dtype=pl.String))
        else:
            out.append(column)
    if checks and frame.height and frame.select(pl.any_horizontal(checks).any()).item():
        bad = frame.filter(pl.any_horizontal(checks)).row(0, named=True)
        raise DataError(
            "a value cannot be stored: a list holds only an empty text, or a text has U+001F",
            where=where,
            found=str({k: v for k, v in bad.items() if isinstance(v, str | list)})[:300],
        )
    flat = frame.select(out)
    # A list that was empty joined to "": absent, like null.
    flat = flat.with_columns(
        pl.when(pl.col(n) != "").then(pl.col(n)).alias(n)
        for n, t in flat.schema.items()
        if t == pl.String
    )
    lengths = flat.select(pl.col(pl.String).str.len_bytes().max())
    longest = max((v for v in lengths.row(0) if v is not None), default=0) if flat.height else 0
    return flat, int(longest)


def _text(element: pl.Expr) -> pl.Expr:
    import polars as pl

    return element.cast(pl.String)


def _bytes_field(value: bytes | None) -> str | None:
    import numpy as np

    if value is None:
        return None
    return LIST_SEPARATOR.join(map(str, np.frombuffer(value, np.int8).tolist()))


def _typed(name: str, dtype: pl.DataType) -> str:
    """Header of one column: its name and the importer's type."""
    import polars as pl

    if isinstance(dtype, pl.List):
        return f"{name}:{_type_name(dtype.inner)}[]"  # type: ignore[arg-type]
    if dtype == pl.Binary:
        return f"{name}:byte[]"
    return f"{name}:{_type_name(dtype)}"


def _type_name(dtype: pl.DataType) -> str:
    import polars as pl

    if dtype == pl.String:
        return "string"
    if dtype.is_integer():
        return "long"
    if dtype.is_float():
        return "double"
    if dtype == pl.Boolean:
        return "boolean"
    raise TosgError(f"no property can hold a column of type {dtype}")
