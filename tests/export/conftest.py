"""The graph of `support.signals`, and an export of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import signals
from support.servers import give

from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.export.write.result import ExportResult
from tosg.kg.database.connection import Database

Exporter = Callable[..., ExportResult]


@pytest.fixture
def graph(connection: Database) -> Database:
    """The knowledge side."""
    give(connection, "signals", signals.write_graph)
    return connection


@pytest.fixture
def cells(connection: Database) -> Database:
    """The graph and its cells."""
    give(connection, "signals and cells", signals.write_all)
    return connection


@pytest.fixture
def run(tmp_path: Path) -> Exporter:
    """Export with options into a new folder, or `out`."""
    n = 0

    def run(db: Database, out: Path | None = None, **options: Any) -> ExportResult:
        nonlocal n
        n += 1
        names = ("workers", "engine", "resume", "dry_run", "progress", "timeout")
        how: dict[str, Any] = {k: options.pop(k) for k in names if k in options}
        return export(db, Selection(**options), out or tmp_path / f"out{n}", **how)

    return run
