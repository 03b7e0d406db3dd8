"""Reading the first sheet of an Excel workbook, row by row, with openpyxl."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.formats.opening import open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def read_sheet(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Read some columns of the first sheet; its first row names the columns.

    Yields
    ------
    (int, dict)
        Row of the sheet, from 1, and column -> text; an empty cell is "".

    Raises
    ------
    DataError
        The file is no workbook, is damaged, or its first row has not the columns.
    """
    with open_bytes(path, ("[[]Content_Types].xml",)):
        pass  # refuses what is missing, empty, a web page or no such archive
    import openpyxl

    data = path.read_bytes()

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and the like
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise _no_workbook(path, error) from error
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        head = [_text(cell) for cell in next(rows, ())]
        missing = [name for name in columns if name not in head]
        if missing:
            raise DataError(
                "the sheet has other columns than this source's",
                where=f"{path}, row 1",
                found=", ".join(head[:10]),
                expected=", ".join(columns) + f" (missing: {', '.join(missing)})",
                hint="is this the right file? see `tosg sources`",
            )
        places = {name: head.index(name) for name in columns}
        for number, row in enumerate(rows, 2):
            cells = {n: _text(row[p]) if p < len(row) else "" for n, p in places.items()}
            if any(cells.values()):
                yield number, cells
    except (zipfile.BadZipFile, SyntaxError, EOFError) as error:
        raise _no_workbook(path, error) from error
    finally:
        book.close()


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _no_workbook(path: Path, error: Exception) -> DataError:
    return DataError(
        "the file is not an Excel workbook, or is damaged",
        where=path,
        found=" ".join(str(error).split())[:200],
        expected="an .xlsx file",
        hint="download it again; see `tosg sources`",
    )
