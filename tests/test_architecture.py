"""``docs/architecture.md``: its map is that of the code, and its walks name what is there."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator

import pytest
from support.tree import ROOT, module_files

PAGE = ROOT / "docs" / "architecture.md"
MAP = ROOT / "docs" / "architecture.svg"
SCRIPT = ROOT / "docs" / "scripts" / "draw_map.py"

#: Rooms, and modules that stand alone, whose names begin the names on the page.
ROOMS = {name.split(".")[1] for name in module_files() if "." in name}


def names_on_the_page() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"`([a-z_]+(?:\.\w+)+)`", text)
    return sorted(
        {
            n
            for n in found
            if n.split(".")[0] in ROOMS and not n.endswith((".py", ".md", ".safetensors"))
        }
    )


def defined_in(module: str) -> Iterator[str]:
    """Names of a module: functions, classes, and ``Class.method``."""
    for node in ast.parse(module_files()[module].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}"


@pytest.mark.parametrize("name", names_on_the_page())
def test_walks_name_what_is_there(name: str) -> None:
    parts = f"tosg.{name}".split(".")
    module = next(
        ".".join(parts[:n])
        for n in range(len(parts), 0, -1)
        if ".".join(parts[:n]) in module_files()
    )
    rest = f"tosg.{name}".removeprefix(module).strip(".")
    assert not rest or rest in set(defined_in(module)), f"{module} has no {rest}"


def test_the_page_has_both_walks() -> None:
    names = set(names_on_the_page())
    assert {"export.batches.batch.Batch.x", "export.batches.batch.Batch.edge_score"} <= names
    assert len(names) > 60


def test_the_map_is_that_of_the_code() -> None:
    drawn = runpy.run_path(str(SCRIPT))["draw"]()
    again = "python docs/scripts/draw_map.py draws it again"
    assert MAP.read_text(encoding="utf-8") == drawn, again
