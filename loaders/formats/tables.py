"""Reading delimited text exactly: every line is a row or a counted rejection, lines are numbered.

Files are read in blocks of some megabytes. numpy finds the lines and counts the fields of each;
lines that do not fit are reported and left out, and the rest goes to Arrow's CSV reader. Quotes
mean nothing unless ``quoted`` is set: the tables of biology's databases hold them as plain text.
"""

from __future__ import annotations

import csv as python_csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog
from tosg.loaders.columns import without_quotes
from tosg.loaders.formats.lines import (
    NEWLINE,
    RETURN,
    Lines,
    Marks,
    find_record_ends,
    parse_lines,
    split_lines,
)
from tosg.loaders.formats.opening import check_utf8, open_bytes, strip_bom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

BLOCK_BYTES = 8 << 20
_EMPTY_LINE = re.compile(rb"(?m)^\r?\n")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    columns : tuple of str
        Columns that must be there; other columns of the file are not read.
    delimiter : str
        One ASCII character.
    header : bool
        Whether the first line names the columns; without one, ``columns`` are all of them in order.
    quoted : bool
        Whether fields may be quoted as in RFC 4180 (``"a ""b"", c"``, also over lines).
    enclosed : bool
        Whether values stand in double quotes as SPARQL tools write them; the quotes are dropped.
    parse_header : callable, optional
        Turns a header line that is no list of columns into one.
    optional : tuple of str
        Columns that are read where they are there; elsewhere every value is "".
    renamed : mapping
        Column -> its names in other releases.
    comment : str
        Character that starts a comment line, as ``#`` or ``!``; "" where there are none. The
        header may be one of the comment lines.
    ragged : int
        Fewest fields of a row, for tables whose empty last columns may be cut off; 0: all.
    skip : int
        Lines of text before the header.
    table : int
        Which of two tables in one file, with an empty line between them: 1 or 2; 0: the file is
        one table.
    members : tuple of str
        Which member of a zip archive is the table: patterns, the most wanted first.
    quote : str
        What fields are quoted with, where they may be: one ASCII character.
    """

    columns: tuple[str, ...]
    delimiter: str = "\t"
    header: bool = True
    quoted: bool = False
    enclosed: bool = False
    parse_header: Callable[[str], list[str]] | None = None
    optional: tuple[str, ...] = ()
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comment: str = ""
    ragged: int = 0
    skip: int = 0
    table: int = 0
    members: tuple[str, ...] = ("*",)
    quote: str = '"'

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that a reader gets."""
        return (*self.columns, *self.optional)

    @property
    def marks(self) -> Marks:
        """Its characters, for the search in bytes."""
        comment = ord(self.comment) if self.comment else None
        return Marks(ord(self.delimiter), self.quoted, comment, ord(self.quote))

    def header_names(self, line: str) -> list[str]:
        """Columns that a header line names, by the names of this layout."""
        found = self.parse_header(line) if self.parse_header else self._split(line)
        given = {other: name for name, others in self.renamed.items() for other in others}
        return [name if name in self.read else given.get(name, name) for name in found]

    def _split(self, line: str) -> list[str]:
        # `#tax_id` and `# ChemicalName`: the mark of the comment is no part of the name.
        line = line.lstrip("#!" + self.comment)
        if self.quoted:
            fields = next(
                python_csv.reader([line], delimiter=self.delimiter, quotechar=self.quote), []
            )
        else:
            fields = line.split(self.delimiter)
        return [name.strip().strip('"') for name in fields]


def read_table(path: Path, layout: Layout, log: FileLog) -> Iterator[pa.RecordBatch]:
    """Read a table in batches.

    Yields
    ------
    RecordBatch
        The layout's columns as strings (empty fields and optional columns that are not there as
        ""), and ``line``: int64, the line of the file that each row starts on, from 1. Rows that
        Arrow never saw were rejected in ``log`` as "wrong number of fields", "blank line" or
        "control character".

    Raises
    ------
    DataError
        Missing, empty, cut off, not UTF-8, another header than expected, no rows.
    """
    with open_bytes(path, layout.members) as stream:
        reader = _Reader(path, layout, log)
        yield from reader.batches(stream)


def choose_layout(path: Path, layouts: Mapping[str, Layout]) -> str:
    """Key of the first layout that the file has: by its header, or its number of fields.

    Raises
    ------
    DataError
        It has none of them, or is no text.
    """
    found = ""
    for key, layout in layouts.items():
        with open_bytes(path, layout.members) as stream:
            data = strip_bom(stream.read(BLOCK_BYTES), path)
        for _ in range(layout.skip):
            data = data.partition(b"\n")[2]
        reader = _Reader(path, layout, FileLog("", path))
        try:
            reader.read_header(data) if layout.header else reader.check_width(data)
        except DataError as error:
            found = found or str(error.found)
        else:
            return key
    raise DataError(
        "the file has other columns than this source's",
        where=path,
        found=found,
        expected="; or ".join(", ".join(layout.columns) for layout in layouts.values()),
        hint="is this the right file? see `tosg sources`",
    )


class _Reader:
    def __init__(self, path: Path, layout: Layout, log: FileLog) -> None:
        self.path, self.layout, self.log = path, layout, log
        self.names: list[str] = [] if layout.header else list(layout.columns)
        self.line = 1  # of the next block's first byte
        self.byte = 0
        self.rows = 0

    def batches(self, stream: BinaryIO) -> Iterator[pa.RecordBatch]:
        rest = strip_bom(stream.read(BLOCK_BYTES), self.path)
        if self.layout.table == 2:
            rest = self._second(rest, stream)
        if self.layout.header:
            while b"\n" not in rest and (more := stream.read(BLOCK_BYTES)):
                rest += more
            for _ in range(self.layout.skip):
                raw, _, rest = rest.partition(b"\n")
                self.line, self.byte = self.line + 1, self.byte + len(raw) + 1
            rest = self.read_header(rest)
        while True:
            more = stream.read(BLOCK_BYTES)
            if self.layout.table == 1 and (end := _EMPTY_LINE.search(rest)):
                rest, more = rest[: end.start()], b""
            block, rest = self._cut(rest, last=not more)
            if block:
                yield from self._block(block, last=not more)
            if not more:
                break
            rest += more
        if self.rows == 0:
            raise DataError(
                "the file has no rows" if self.layout.header else "the file is empty",
                where=self.path,
                hint="download it again; see `tosg sources`",
            )

    def _second(self, data: bytes, stream: BinaryIO) -> bytes:
        """Data from the second table on: what follows the first empty line."""
        while True:
            if end := _EMPTY_LINE.search(data):
                first = data[: end.end()]
                self.line += first.count(b"\n")
                self.byte += len(first)
                return data[end.end() :]
            more = stream.read(BLOCK_BYTES)
            if not more:
                raise DataError(
                    "the file has no second table",
                    where=self.path,
                    expected="two tables with an empty line between them",
                    hint="is this the right file? see `tosg sources`",
                )
            gone = data.rfind(b"\n") + 1  # an empty line may begin the next block
            self.line += data[:gone].count(b"\n")
            self.byte += gone
            data = data[gone:] + more

    def read_header(self, data: bytes) -> bytes:
        """Find the header, among comment lines where the layout has them; returns the rest."""
        mark = self.layout.comment.encode()
        first: DataError | None = None
        while True:
            raw, _, rest = data.partition(b"\n")
            try:
                self.names = self._checked(raw)
            except DataError as error:
                first = error if raw.strip(b"\r" + mark) or first is None else first
                if not (mark and rest) or not (raw.startswith(mark) or not raw.strip()):
                    raise first from None
                data, self.line, self.byte = rest, self.line + 1, self.byte + len(raw) + 1
                continue
            self.line, self.byte = self.line + 1, self.byte + len(raw) + 1
            return rest

    def check_width(self, data: bytes) -> None:
        """Refuse a table without a header whose first row has another number of fields."""
        mark = self.layout.comment
        lines = data.decode("utf-8", "replace").splitlines()
        row = next((x for x in lines if x.strip() and not (mark and x.startswith(mark))), "")
        count = row.count(self.layout.delimiter) + 1
        if not (self.layout.ragged or len(self.names)) <= count <= len(self.names):
            raise DataError("the file has another number of columns", found=f"{count} columns")

    def _checked(self, raw: bytes) -> list[str]:
        """Names of a header line."""
        where = f"{self.path}, line {self.line}"
        if b"\r" in raw.rstrip(b"\r"):
            raise DataError(
                "the lines end in a carriage return alone",
                where=self.path,
                expected="line ends of Unix or Windows",
            )
        check_utf8(raw, self.path, first_line=self.line)
        names = self.layout.header_names(raw.rstrip(b"\r").decode("utf-8"))
        missing = [name for name in self.layout.columns if name not in names]
        if missing:
            raise DataError(
                "the file has other columns than this source's",
                where=where,
                found=_shown(names),
                expected=", ".join(self.layout.columns) + f" (missing: {', '.join(missing)})",
                hint="is this the right file? see `tosg sources`",
            )
        wanted = [name for name in names if name in self.layout.read]
        if len(set(wanted)) != len(wanted):
            raise DataError("the file names a column twice", where=where, found=_shown(names))
        return [name if name in self.layout.read else f"{n}\0" for n, name in enumerate(names)]

    def _cut(self, data: bytes, *, last: bool) -> tuple[bytes, bytes]:
        """Whole records of the data, and the rest."""
        if last:
            return data, b""
        if not self.layout.quoted:
            end = data.rfind(b"\n") + 1
            return data[:end], data[end:]
        ends = find_record_ends(np.frombuffer(data, np.uint8), self.layout.marks)
        end = int(ends[-1]) + 1 if len(ends) else 0
        return data[:end], data[end:]

    def _block(self, data: bytes, *, last: bool) -> Iterator[pa.RecordBatch]:
        check_utf8(data, self.path, first_line=self.line, first_byte=self.byte)
        self.byte += len(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
            if last:
                data = data.removesuffix(b"\r")
        cut_off = last and not data.endswith(b"\n")
        if last:
            data = data.rstrip(b"\n")  # empty lines at the end are nothing
        if not data.endswith(b"\n"):
            data += b"\n"
        if data == b"\n" and last:
            return
        lines = split_lines(np.frombuffer(data, np.uint8), self.layout.marks, self.line)
        if self.layout.quoted and (not len(lines) or lines.ends[-1] != len(lines.block) - 1):
            raise DataError(
                "a quoted field is not closed",
                where=self.path,
                expected=f"a closing {self.layout.quote}",
            )
        self.line += int(np.count_nonzero(lines.block == NEWLINE))
        lines = lines.without_comments(preamble=not self.rows)
        if self.layout.ragged:
            lines = lines.pad(self.layout.ragged, len(self.names))
        if not len(lines):
            return
        good = self._leave_out_bad(lines, cut_off=cut_off)
        self.log.read(len(lines))
        self.rows += len(lines)
        if len(good):
            yield self._parse(good)

    def _leave_out_bad(self, lines: Lines, *, cut_off: bool) -> Lines:
        """Reject the lines that do not fit; returns the others."""
        counts = lines.count_fields()
        wrong = counts != len(self.names)
        if cut_off and wrong[-1]:
            raise DataError(
                "the file is cut off in the middle of a line",
                where=f"{self.path}, line {lines.numbers[-1]}",
                found=f"{counts[-1]} fields and no line end",
                expected=f"{len(self.names)} fields",
                hint="download it again; `tosg fetch` checks the hash",
            )
        if cut_off:
            kind = "last line without a line end; the file may be cut off"
            self.log.note(kind, 1, f"line {lines.numbers[-1]}")
        self._refuse_wrong_headless(wrong, counts)
        blank = wrong & (lines.ends == lines.starts)
        odd = lines.holding(0) | lines.holding(RETURN)
        for kind, rows in (
            ("blank line", blank),
            ("wrong number of fields", wrong & ~blank & ~odd),
            ("control character", odd & ~blank),
        ):
            where = np.flatnonzero(rows)
            if len(where):
                first = int(where[0])
                self.log.reject(kind, int(lines.numbers[first]), lines.text(first), len(where))
        return lines.keep(~(wrong | odd))

    def _refuse_wrong_headless(
        self, wrong: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64]
    ) -> None:
        if self.layout.header or self.rows or not wrong[:1000].all():
            return
        raise DataError(
            "the file has another number of columns than this source's",
            where=f"{self.path}, line 1",
            found=f"{counts[0]} columns",
            expected=f"{len(self.names)} columns: {', '.join(self.names)}",
            hint="is this the right file? see `tosg sources`",
        )

    def _parse(self, lines: Lines) -> pa.RecordBatch:
        numbers = lines.numbers
        quote = self.layout.quote if self.layout.quoted else None
        columns = [name for name in self.layout.read if name in self.names]
        try:
            table = parse_lines(
                lines, self.names, columns, delimiter=self.layout.delimiter, quote=quote
            )
        except pa.ArrowInvalid as error:
            raise DataError(
                "the table cannot be read",
                where=f"{self.path}, lines {numbers[0]} to {numbers[-1]}",
                found=error,
            ) from error
        if table.num_rows != len(lines):
            raise DataError(
                "the table's quotes do not match",
                where=f"{self.path}, lines {numbers[0]} to {numbers[-1]}",
                found=f"{table.num_rows} rows",
                expected=f"{len(lines)} rows",
            )
        found = {name: table.column(name).combine_chunks() for name in columns}
        if self.layout.enclosed:
            found = {name: without_quotes(array) for name, array in found.items()}
        empty = pa.repeat(pa.scalar(""), len(lines))
        arrays = [found.get(name, empty) for name in self.layout.read]
        return pa.record_batch([*arrays, pa.array(numbers)], names=[*self.layout.read, "line"])


def _shown(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) < 300 else text[:300] + "..."
