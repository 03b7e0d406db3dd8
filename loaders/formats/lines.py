"""Lines of a block of delimited text: where each starts and ends, and how many fields it has.

Everything is found with numpy in the bytes of a block, so that a file of gigabytes costs seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWLINE, RETURN = 10, 13
_Longs = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Marks:
    """Characters of a table that mean something.

    Attributes
    ----------
    delimiter : int
        Code of the character between fields.
    quoted : bool
        Whether a delimiter or a line end inside quotes is text.
    comment : int or None
        Code of the character that starts a comment line.
    quote : int
        Code of the quotes.
    """

    delimiter: int
    quoted: bool
    comment: int | None
    quote: int = 34


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a block.

    Attributes
    ----------
    block : (n_bytes,) uint8
        All bytes; every line ends in a newline.
    starts, ends : (n_lines,) int64
        Positions of each line's first byte and of its newline.
    numbers : (n_lines,) int64
        Lines of the file, from 1.
    marks : Marks
    """

    block: _Bytes
    starts: _Longs
    ends: _Longs
    numbers: _Longs
    marks: Marks

    def __len__(self) -> int:
        return len(self.ends)

    def text(self, line: int) -> str:
        """One line without its newline."""
        return self.block[self.starts[line] : self.ends[line]].tobytes().decode("utf-8")

    def holding(self, code: int) -> npt.NDArray[np.bool_]:
        """Find the lines that have a character: (n_lines,) bool."""
        found = np.zeros(len(self), bool)
        found[np.searchsorted(self.ends, np.flatnonzero(self.block == code))] = True
        return found

    def count_fields(self) -> _Longs:
        """Count the fields of each line."""
        found = np.flatnonzero(self.block == self.marks.delimiter)
        if self.marks.quoted:
            found = found[~_inside_quotes(self.block, found, self.marks)]
        # A delimiter sorts after its line's start and before its end.
        return np.searchsorted(found, self.ends) - np.searchsorted(found, self.starts) + 1

    def keep(self, chosen: npt.NDArray[np.bool_]) -> Lines:
        """Keep some of the lines."""
        if chosen.all():
            return self
        block = self.block[np.repeat(chosen, self.ends - self.starts + 1)]
        return self._again(block, self.numbers[chosen])

    def without_comments(self, *, preamble: bool) -> Lines:
        """Leave out comment lines; in a preamble, empty lines before the first row too."""
        if self.marks.comment is None or not len(self):
            return self
        comment = self.block[self.starts] == self.marks.comment
        if preamble:
            comment |= np.cumsum(~comment & (self.ends > self.starts)) == 0
        return self.keep(~comment)

    def pad(self, fewest: int, width: int) -> Lines:
        """Give rows whose empty last columns are cut off all their fields.

        Parameters
        ----------
        fewest : int
            Fields that a row has at least; a shorter one is left as it is.
        width : int
            Fields of a whole row.
        """
        if not len(self):
            return self
        counts = self.count_fields()
        short = (counts >= fewest) & (counts < width)
        if not short.any():
            return self
        places = np.repeat(self.ends[short], width - counts[short])
        return self._again(np.insert(self.block, places, self.marks.delimiter), self.numbers)

    def _again(self, block: _Bytes, numbers: _Longs) -> Lines:
        """The same kind of lines with other bytes."""
        ends = find_record_ends(block, self.marks)
        return replace(self, block=block, starts=_starts(ends), ends=ends, numbers=numbers)


def split_lines(block: _Bytes, marks: Marks, first: int) -> Lines:
    """Find the lines of a block whose first line has the number `first` in the file."""
    ends = find_record_ends(block, marks)
    starts = _starts(ends)
    if marks.quoted:  # a record may go over several lines
        newlines = np.flatnonzero(block == NEWLINE)
        numbers = (first + np.searchsorted(newlines, starts)).astype(np.int64)
    else:
        numbers = np.arange(first, first + len(starts), dtype=np.int64)
    return Lines(block, starts, ends, numbers, marks)


def find_record_ends(block: _Bytes, marks: Marks) -> _Longs:
    """Find the newlines that end a record: those inside quotes do not."""
    ends = np.flatnonzero(block == NEWLINE)
    return ends[~_inside_quotes(block, ends, marks)] if marks.quoted else ends


def parse_lines(
    lines: Lines, names: Sequence[str], wanted: Sequence[str], *, delimiter: str, quote: str | None
) -> pa.Table:
    """Read the fields of lines with Arrow's CSV reader.

    Parameters
    ----------
    lines : Lines
        All with as many fields as there are `names`.
    names, wanted : sequence of str
        The columns, and those that are read.
    delimiter : str
    quote : str or None
        None where quotes are text.

    Returns
    -------
    pa.Table
        The wanted columns as strings; an empty field is "".

    Raises
    ------
    pa.ArrowInvalid
        The fields cannot be read.
    """
    quote_char: Any = quote or False
    return csv.read_csv(
        pa.BufferReader(pa.py_buffer(lines.block)),
        read_options=csv.ReadOptions(column_names=names, block_size=len(lines.block) + 1),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char=quote_char,
            newlines_in_values=quote is not None,
            ignore_empty_lines=False,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _starts(ends: _Longs) -> _Longs:
    return np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))[: len(ends)]


def _inside_quotes(block: _Bytes, places: _Longs, marks: Marks) -> npt.NDArray[np.bool_]:
    """Whether each of some places, in ascending order, has an odd number of quotes before it."""
    quotes = np.flatnonzero(block == marks.quote)
    return (np.searchsorted(quotes, places) & 1).astype(bool)
