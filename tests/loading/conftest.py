"""Small files of every source, and an empty database to load them into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loads import RECIPE, SOURCES
from support.sources import old, write_source

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the small files of every source."""
    folder = tmp_path / "data"
    for name in SOURCES:
        write_source(old(name), folder / name)
    return folder


@pytest.fixture
def recipe(data: Path) -> Path:
    """A recipe of a few of the sources."""
    lines = ["exclude_licenses: []", "embed: false", "sources:"]
    for name in RECIPE:
        lines += [f"  - source: {name}", f"    files: [{name}]"]
    path = data.parent / "small.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def empty(settings: Settings, database: Database) -> Settings:
    """Settings of the managed server with an empty database and no connection open."""
    database.close()
    return settings
