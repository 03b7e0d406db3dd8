"""Read a Parquet file of a training set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from tosg.export.format.manifest import format_error, naming_damage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa


def read_columns(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, or some of its columns.

    Not by `pyarrow.parquet.read_table`: that imports pandas where it is installed, which takes half
    of the time until the first batch.

    Raises
    ------
    ExportError
        The file cannot be read, or lacks one of the columns.
    """
    with naming_damage(path), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        for name in columns or ():
            if name not in names:
                raise format_error(path, f"the columns {', '.join(names)}", f"a column {name}")
        return file.read(None if columns is None else list(columns))
