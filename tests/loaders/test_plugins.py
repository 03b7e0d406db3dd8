"""Sources of other packages, and what importing the registry costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.sources import compress

from tosg.errors import ConfigError
from tosg.loaders import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

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


# The package of docs/writing-a-source.md, as a newcomer makes it.

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-a-source.md"


def _wheel(folder: Path) -> Path:
    """A wheel with the page's source as ``my_package.pairs`` and the page's entry point."""
    text = PAGE.read_text(encoding="utf-8")
    source = next(b for b in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S))
    points = tomllib.loads(next(b for b in re.findall(r"^```toml\n(.*?)^```$", text, re.M | re.S)))
    (group, names), *_ = points["project"]["entry-points"].items()
    told = "".join(f"{name} = {value}\n" for name, value in names.items())
    info = "my_package-1.0.dist-info"
    members = {
        "my_package/__init__.py": "",
        "my_package/pairs.py": source,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[{group}]\n{told}",
    }
    listed = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    path = folder / "my_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in {**members, f"{info}/RECORD": listed}.items():
            wheel.writestr(name, content)
    return path


def test_the_package_of_the_page_is_installed_and_used(tmp_path: Path) -> None:
    """A package that pip installs is listed by `tosg sources` and read by `tosg load`."""
    place = tmp_path / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(place)]
    subprocess.run([sys.executable, *install, str(_wheel(tmp_path))], check=True)
    found: dict[str, Any] = {"__name__": "fixture"}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    exec(compile(blocks[1], str(PAGE), "exec"), found)  # noqa: S102
    for name, text in found["FIXTURE"].files.values():
        (tmp_path / name).write_bytes(compress(name, text.encode()))
    paths = [str(tmp_path / name) for name, _ in found["FIXTURE"].files.values()]
    code = (
        f"import site, sys; site.addsitedir({str(place)!r}); from tosg.cli import tosg; "
        "tosg(sys.argv[1:])"
    )

    def tosg(*words: str) -> str:
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "pairs: Pairs: signed regulation of genes" in tosg("sources", "pairs")
    shown = json.loads(tosg("load", "pairs", *paths, "--dry-run", "--json"))
    assert shown["counts"] == {"REGULATES": 2}
    claim, _ = shown["first"]
    assert (claim["start"], claim["end"], claim["sign"]) == ("ncbigene:11", "ncbigene:12", 1)
    assert shown["refused"] == []
