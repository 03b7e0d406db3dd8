"""Parsing and normalising tables, against `pandas.read_csv` of the same files.

Ours is everything that a load does with a file before the merge: lines counted and checked, rows
accounted for, identifiers as CURIEs, symbols, signs and scores, evidence, Arrow claims. The peer
only reads the columns into memory. Each layout is a file that is drawn once; the sides take turns,
and medians of equal numbers of runs are compared. ``pandas`` is the layout in which we do worst.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import Comparison, note
from benchmarks.drawn_tables import TABLES, DrawnTable
from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks import Options

#: Runs of each side.
RUNS = 5

_SMALL_ROWS = 2_000


def run(options: Options) -> list[Comparison]:
    """Compare every layout; the first comparison is the worst of them."""
    compared = [_compare(name, table, options) for name, table in TABLES.items()]
    worst = min(compared, key=lambda c: c.ratio)
    detail: dict[str, object] = {"layout": worst.name.removeprefix("pandas, ")}
    return [Comparison("pandas", worst.ours, worst.peer, worst.unit, detail), *compared]


def _compare(name: str, table: DrawnTable, options: Options) -> Comparison:
    folder = options.home / "parse" / table.source
    rows = _SMALL_ROWS if options.small else table.rows
    folder.mkdir(parents=True, exist_ok=True)
    table.write(folder, rows, np.random.default_rng(options.seed))
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(max(options.repeat, 1 if options.small else RUNS)):
        seconds, read, claims = _ours(table.source, folder)
        ours.append(seconds)
        seconds, found = _pandas(folder, table)
        peer.append(seconds)
        if read != found:
            raise AssertionError(f"{name}: {read:,} rows of ours, {found:,} of pandas")
    for path in folder.iterdir():
        path.unlink()
    detail: dict[str, object] = {
        "rows": read,
        "claims": claims,
        "runs": len(ours),
        "seconds_ours": [round(s, 3) for s in ours],
        "seconds_pandas": [round(s, 3) for s in peer],
    }
    result = Comparison(
        f"pandas, {name}",
        read / statistics.median(ours),
        read / statistics.median(peer),
        "rows/s",
        detail,
    )
    note(f"parse: {name}: {result.ratio:.2f}")
    return result


def _ours(source: str, folder: Path) -> tuple[float, int, int]:
    """Seconds, rows that were accounted for, and claims."""
    start = time.perf_counter()
    loader = registry.make(source, {"excerpt": "false"})
    log = SourceLog(source)
    claims = sum(batch.num_rows for batch in loader.claims(loader.locate([folder]), log))
    seconds = time.perf_counter() - start
    return seconds, sum(file.rows_read for file in log.files.values()), claims


def _pandas(folder: Path, table: DrawnTable) -> tuple[float, int]:
    start = time.perf_counter()
    rows = sum(
        len(pd.read_csv(folder / name, low_memory=False, **how))
        for name, how in table.pandas.items()
    )
    return time.perf_counter() - start, rows
