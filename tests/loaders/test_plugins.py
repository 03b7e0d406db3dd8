"""Sources of other packages, and what importing the registry costs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tosg.errors import ConfigError
from tosg.loaders import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PLUGIN = """
from tosg.loaders.base import FileSpec, Loader

class Pairs(Loader):
    name = "pairs"
    title = "Pairs of somebody"
    homepage = "https://example.org"
    license = "CC0 1.0"
    files = (FileSpec("pairs", ("pairs.tsv",), "pairs of genes"),)

    def _claims(self, files, log, release):
        return iter(())

class Other:
    name = "other"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an installed package's entry points can be written."""
    (tmp_path / "somebodys_sources.py").write_text(_PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    _forget()
    yield tmp_path
    _forget()
    sys.modules.pop("somebodys_sources", None)


def _forget() -> None:
    registry._plugins.cache_clear()


def _entry_points(folder: Path, *points: str) -> None:
    info = folder / "somebodys_sources-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-sources\nVersion: 1.0\n")
    lines = [f"[{registry.ENTRY_POINTS}]", *points]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def test_a_source_of_another_package(package: Path) -> None:
    _entry_points(package, "pairs = somebodys_sources:Pairs")
    assert "pairs" in registry.names()
    assert registry.make("pairs", {"release": "1.10"}).source == "pairs"


def test_a_plugin_with_the_name_of_a_source(package: Path) -> None:
    _entry_points(package, "trrust = somebodys_sources:Pairs")
    with pytest.raises(ConfigError, match="name of another source"):
        registry.names()


@pytest.mark.parametrize(
    ("point", "what"),
    [
        ("pairs = nobodys_sources:Pairs", "cannot be imported"),
        ("pairs = somebodys_sources:Nothing", "cannot be imported"),
        ("other = somebodys_sources:Other", "not a loader of its name"),
        ("another = somebodys_sources:Pairs", "not a loader of its name"),
    ],
)
def test_a_plugin_that_cannot_be_used(package: Path, point: str, what: str) -> None:
    _entry_points(package, point)
    with pytest.raises(ConfigError, match=what) as caught:
        registry.make(point.split(" ", 1)[0])
    assert point in str(caught.value)


def test_names_are_known_without_importing_the_sources() -> None:
    code = (
        "import sys; from tosg.loaders import registry; registry.names(); "
        "print(*(m for m in sys.modules if m.startswith('tosg.loaders.sources.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
