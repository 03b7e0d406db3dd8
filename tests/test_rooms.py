"""The rooms: no circle of imports between them, also none that is lazy or for types alone."""

from __future__ import annotations

import graphlib
import re
import runpy
import tomllib
from typing import Any

import grimp
import pytest
from support.tree import ROOT, module_files

#: Modules that import by name at run time, for a name that is asked for: commands, the names of
#: `tosg` itself, and loaders by their source.
LATE = {"tosg", "tosg.cli", "tosg.loaders.registry"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import of the package: at the top, inside functions and for types."""
    return grimp.build_graph("tosg", exclude_type_checking_imports=False, cache_dir=None)


def test_every_module_is_looked_at(graph: grimp.ImportGraph) -> None:
    assert set(module_files()) - {"tosg.__main__"} == graph.modules - {"tosg.__main__"}


def test_rooms_import_in_no_circle() -> None:
    uses = runpy.run_path(str(ROOT / "docs" / "scripts" / "draw_map.py"))["room_graph"]()
    assert len(uses) > 40
    order = list(graphlib.TopologicalSorter(uses).static_order())  # raises CycleError, naming it
    assert order.index("kg.schema") < order.index("kg.query") < order.index("cli")


def contracts() -> list[dict[str, Any]]:
    """Import contracts of the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


#: From so many modules on, a folder needs an order of its own.
MODULES_WITHOUT_ORDER = 12


def test_full_folders_have_an_order_that_names_every_module(graph: grimp.ImportGraph) -> None:
    full = {m for m in graph.modules if len(graph.find_children(m)) > MODULES_WITHOUT_ORDER}
    layered = {c for found in contracts() for c in found.get("containers", [])}
    apart = {m.removesuffix(".*") for found in contracts() for m in found.get("modules", [])}
    assert full - layered - apart == set()
    assert all(found["exhaustive"] for found in contracts() if found["type"] == "layers")


def test_modules_import_in_no_circle(graph: grimp.ImportGraph) -> None:
    uses = {m: graph.find_modules_directly_imported_by(m) - {"tosg"} for m in graph.modules}
    del uses["tosg"]
    assert sum(map(len, uses.values())) > 700
    tuple(graphlib.TopologicalSorter(uses).static_order())


def test_a_circle_is_found() -> None:
    with pytest.raises(graphlib.CycleError):
        tuple(graphlib.TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).static_order())


def test_no_import_is_hidden_in_a_string() -> None:
    found = {
        name
        for name, file in module_files().items()
        if re.search(r"\bimport_module\(|\b__import__\(", file.read_text(encoding="utf-8"))
    }
    assert found == LATE
