"""Parquet files in batches, with clear errors for what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tosg.errors import DataError
from tosg.loaders.formats.opening import refuse_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

_BATCH_ROWS = 50_000


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its first bytes; an empty one is, by its name."""
    with path.open("rb") as stream:
        head = stream.read(4)
    return head == b"PAR1" or path.suffix == ".parquet"


def read_parquet(
    path: Path, columns: Sequence[str], file: FileLog, optional: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Read columns of a Parquet file, with the number of each row as ``line``.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Columns that must be there.
    file : FileLog
        Counts the rows that are read, and is told how many the footer states.
    optional : sequence of str
        Columns of text that are read where they are there; elsewhere every value is "".

    Raises
    ------
    DataError
        It is no Parquet, is cut off, lacks a column, or has no rows.
    """
    table = _open(path)
    names = table.schema_arrow.names
    missing = [c for c in columns if c not in names]
    if missing:
        raise DataError(
            "the file has other columns than this source's",
            where=path,
            found=", ".join(names)[:300],
            expected=", ".join(columns),
            hint="is this the right file? see `tosg sources`",
        )
    if table.metadata.num_rows == 0:
        raise DataError("the file has no rows", where=path, hint="see `tosg sources`")
    file.rows_stated = table.metadata.num_rows
    line = 1
    wanted = [*columns, *(c for c in optional if c in names)]
    try:
        for batch in table.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
            file.read(batch.num_rows)
            numbers = pa.array(range(line, line + batch.num_rows), pa.int64())
            line += batch.num_rows
            for name in optional:
                if name not in names:
                    empty = pa.repeat(pa.scalar(""), batch.num_rows)
                    batch = batch.append_column(name, empty)
            yield batch.append_column("line", numbers)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError("the file is damaged", where=path, found=error) from error


def _open(path: Path) -> pq.ParquetFile:
    with path.open("rb") as stream:
        refuse_page(stream, path)
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        empty = path.stat().st_size == 0
        raise DataError(
            "the file is empty" if empty else "the file is not Parquet, or is cut off",
            where=path,
            found=error,
            hint="download it again; see `tosg sources`",
        ) from error
