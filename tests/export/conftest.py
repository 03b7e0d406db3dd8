"""The graph of `support.signals`, and an export of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import signals

from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.export.write.result import ExportResult
from tosg.kg.database.connection import Database

Exporter = Callable[..., ExportResult]


@pytest.fixture
def graph(database: Database) -> Database:
    """The knowledge side."""
    signals.write_graph(database)
    return database


@pytest.fixture
def cells(graph: Database) -> Database:
    """The graph and its cells."""
    signals.write_cells(graph)
    return graph


@pytest.fixture
def run(tmp_path: Path) -> Exporter:
    """Export with options into a new folder, or `out`."""
    n = 0

    def run(db: Database, out: Path | None = None, **options: Any) -> ExportResult:
        nonlocal n
        n += 1
        names = ("workers", "resume", "dry_run", "progress", "timeout")
        how: dict[str, Any] = {k: options.pop(k) for k in names if k in options}
        return export(db, Selection(**options), out or tmp_path / f"out{n}", **how)

    return run
