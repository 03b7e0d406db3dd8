"""The columns of ``cells.parquet``: streamed past once, spilled, gathered shard by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.errors import ExportError
from tosg.export.format.manifest import SPLITS
from tosg.export.format.writers import TableFile, cut_tables
from tosg.files import writing
from tosg.kg.reader.bulk import read_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.cells.table import CellTable
    from tosg.kg.database.connection import Database

#: Cells per spill file.
SPILL_ROWS = 65_536


def spill_columns(db: Database, work: Path, cells: CellTable) -> dict[str, Any]:
    """Read every column of the cells and spill the rows, sorted by destination.

    Returns
    -------
    dict
        The receipt: number of spill files and the columns that some cell has.
    """
    order = np.argsort(cells.idx)
    idx = cells.idx[order]
    given: dict[str, int] = {}
    files = done = 0
    for table in cut_tables(_tables(db, cells, idx), SPILL_ROWS):
        rows = order[done : done + table.num_rows]
        done += table.num_rows
        for name in table.column_names:
            given[name] = given.get(name, 0) + table.num_rows - table.column(name).null_count
        table = table.append_column("row", pa.array(rows)).take(pa.array(np.argsort(rows)))
        with (
            writing(work / f"columns-{files:05d}.arrow") as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
        files += 1
    if done != len(cells):
        raise ExportError(
            "selected cells are missing from the graph",
            found=f"{done:,} cells",
            expected=len(cells),
        )
    return {"files": files, "columns": [n for n in cells.fields if given.get(n)]}


def _tables(db: Database, cells: CellTable, idx: NDArray[np.int64]) -> Iterator[pa.Table]:
    for batch in read_nodes(db, "Cell", ["id", "dataset", *cells.fields], idx=idx):
        columns = {n: batch.column(n) for n in batch.schema.names if n != "idx"}
        yield pa.table({n: c for n, c in columns.items() if not pa.types.is_binary(c.type)})


def write_cells(
    path: Path, work: Path, cells: CellTable, receipt: dict[str, Any], rows: int
) -> str:
    """Write ``cells.parquet``, one row group of `rows` cells per shard; returns the digest."""
    spills = []
    for k in range(receipt["files"]):
        with pa.memory_map(str(work / f"columns-{k:05d}.arrow")) as source:
            spills.append(pa.ipc.open_file(source).read_all())
    places = [table.column("row").to_numpy() for table in spills]
    columns = [n for n in receipt["columns"] if n in spills[0].column_names]
    schema = _schema(spills[0].schema, columns, cells)
    with writing(path) as temporary, TableFile(temporary, schema) as file:
        for low in range(0, len(cells), rows):
            high = min(low + rows, len(cells))
            parts = [
                table.slice(a, b - a)
                for table, place in zip(spills, places, strict=True)
                for a, b in [np.searchsorted(place, [low, high])]
            ]
            table = pa.concat_tables(parts)
            table = table.take(pa.array(np.argsort(table.column("row").to_numpy())))
            file.write(_with_own(table, cells, low, high))
        return file.digest()


def _with_own(table: pa.Table, cells: CellTable, low: int, high: int) -> pa.Table:
    split = pa.array(SPLITS, pa.string()).take(pa.array(cells.split[low:high]))
    if cells.target is None:
        target = pa.nulls(high - low, pa.int64())
    else:
        target = pa.array(cells.target[low:high])
    return table.append_column("split", split).append_column("target", target)


def _schema(stored: pa.Schema, columns: list[str], cells: CellTable) -> pa.Schema:
    real = cells.target is not None and cells.target.dtype.kind == "f"
    own = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("target", pa.float64() if real else pa.int64(), nullable=cells.target is None),
    ]
    return pa.schema([*own, *(pa.field(n, stored.field(n).type) for n in columns)])
