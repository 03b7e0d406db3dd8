"""Text of tables: its encoding, lines before the header, separator, and blocks of rows."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.texts import FALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

#: Rows of text that are read at once: a table may be larger than memory, its counts are sparse.
_CHUNK_ROWS = 500
#: Bytes that are looked at to tell the encoding; all of a file that begins like UTF-8 is.
_BLOCK = 1 << 20

#: First bytes of a file and its encoding.
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

_COMMA_NUMBER = re.compile(r"^\s*[+-]?\d+(?:\.\d{3})*,\d+(?:[eE][+-]?\d+)?\s*$")


@dataclass(frozen=True)
class TableText:
    """How the text of a table is read.

    Attributes
    ----------
    path : Path
    encoding : str
    skipped : int
        Lines of comments before the header.
    separator : str
    """

    path: Path
    encoding: str
    skipped: int
    separator: str

    @property
    def notes(self) -> list[str]:
        """What was found on the way."""
        found = []
        if self.encoding == FALLBACK:
            found.append("the text is not UTF-8 and was read as Windows-1252")
        if self.skipped:
            found.append(f"{self.skipped:,} lines of comments before the header are left out")
        return found

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in blocks; the first column has their names."""
        import pandas as pd

        with pd.read_csv(
            self.path,
            sep=self.separator,
            index_col=0,
            chunksize=_CHUNK_ROWS,
            encoding=self.encoding,
            skiprows=self.skipped,
            encoding_errors="replace" if self.encoding == FALLBACK else "strict",
        ) as chunks:
            yield from chunks


def look_at_text(path: Path) -> TableText:
    """Tell how the text of a table is read: the separator divides the header most."""
    encoding = _encoding(path)
    skipped, header = 0, ""
    errors = "replace" if encoding == FALLBACK else "strict"
    with _opened(path) as stream, io.TextIOWrapper(stream, encoding, errors) as lines:
        for line in lines:
            if not line.startswith("#") and line.strip():
                header = line
                break
            skipped += 1
    return TableText(path, encoding, skipped, max("\t,; ", key=header.count))


def _opened(path: Path) -> Any:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _opened(path) as stream:
        block = stream.read(_BLOCK)
        for mark, encoding in _MARKS:
            if block.startswith(mark):
                return encoding
        try:
            while block:
                decoder.decode(block)
                block = stream.read(_BLOCK)
        except UnicodeDecodeError:
            return FALLBACK
    return "utf-8"


def refuse_numbers_as_text(path: Path, column: str, values: Sequence[object], line: str) -> None:
    """Refuse a column of text that has numbers: decimal commas, or one value that is no number.

    Raises
    ------
    DataError
        A value is a number, or was one before a spreadsheet or another language wrote it.
    """
    texts = [str(v) for v in values if v == v and v is not None]  # NaN is not itself
    commas = [t for t in texts if _COMMA_NUMBER.match(t)]
    numbers = [t for t in texts if _is_number(t)]
    if commas:
        raise DataError(
            "numbers of a table have decimal commas",
            where=f"{path}: column {column}",
            found=commas[0],
            expected="decimal points",
            hint=line.replace("index_col=0", 'index_col=0, decimal=","'),
        )
    if numbers and len(numbers) < len(texts):
        other = next(t for t in texts if not _is_number(t))
        raise DataError(
            "a column of a table has numbers and text",
            where=f"{path}: column {column}",
            found=f"{numbers[0]} and {other[:40]}",
            expected="numbers, or names",
            hint="correct the value, or leave the column out",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
