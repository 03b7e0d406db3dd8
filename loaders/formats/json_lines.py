"""JSON lines: one object a line, read as columns of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tosg.errors import DataError
from tosg.loaders.formats.opening import open_bytes, read_lines, strip_bom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

_BATCH_LINES = 50_000


def starts_as_json(path: Path) -> bool:
    """Whether the first sign of a file is the opening brace of an object."""
    with open_bytes(path) as stream:
        return strip_bom(stream.read(64), path).lstrip().startswith(b"{")


def read_json_lines(
    path: Path, columns: Sequence[str], file: FileLog, optional: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Read keys of the objects as columns of text, in batches.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Keys that the first object must have.
    file : FileLog
        Counts the lines that are read; empty ones at the end are none.
    optional : sequence of str
        Keys that an object may lack: "" where it does.

    Yields
    ------
    RecordBatch
        Texts; lists joined with ``|``, ``true`` and ``false`` in lower case; and ``line``.

    Raises
    ------
    DataError
        A line is no JSON object, or the first lacks a key; the file has no rows, or is no UTF-8.
    """
    names = (*columns, *optional)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    for number, text in read_lines(path):
        if not text.strip():
            continue
        found = _object(text, path, number)
        missing = [name for name in columns if name not in found]
        if missing and not (rows or file.rows_read):
            raise DataError(
                "the file has other keys than this source's",
                where=f"{path}, line {number}",
                found=", ".join(sorted(found))[:300],
                expected=", ".join(columns),
                hint="is this the right file? see `tosg sources`",
            )
        rows.append(tuple(_text(found.get(name)) for name in names))
        lines.append(number)
        if len(rows) == _BATCH_LINES:
            yield _batch(rows, lines, names, file)
            rows, lines = [], []
    if rows:
        yield _batch(rows, lines, names, file)
    if not file.rows_read:
        raise DataError("the file has no rows", where=path, hint="see `tosg sources`")


def _batch(
    rows: list[tuple[str, ...]], lines: list[int], names: Sequence[str], file: FileLog
) -> pa.RecordBatch:
    file.read(len(rows))
    arrays = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.record_batch([*arrays, pa.array(lines, pa.int64())], names=[*names, "line"])


def _object(text: str, path: Path, line: int) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError("a line is not JSON", where=f"{path}, line {line}", found=error) from error
    if not isinstance(value, dict):
        raise DataError("a line is not a JSON object", where=f"{path}, line {line}")
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
