"""Measure the package: modules, functions, how long they are, and the import contracts.

    python docs/scripts/measure.py            # this tree
    python docs/scripts/measure.py ../before  # another checkout, to compare with

A module's length is its lines, blank ones and docstrings too. A function's length is from its
``def`` to its end; its body is without signature and docstring. Nested functions and methods count
as functions. The figures of ``docs/decisions/rooms.md`` come from here.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Folders of the package; those below ``src/tosg`` that are links are these.
FOLDERS = ("src/tosg", "cypher", "kg", "loaders", "export", "dashboard")

#: Longest ones shown.
SHOWN = 5


@dataclass(frozen=True, order=True)
class Length:
    """How long something is, and where it stands."""

    lines: int
    place: str


def module_files(root: Path) -> Iterator[Path]:
    """Every module of the package, once."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            inside = path.relative_to(root)
            if not any((root / part).is_symlink() for part in (inside, *inside.parents)):
                yield path


def functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function with the lines of its body."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def contracts(root: Path) -> list[dict[str, object]]:
    """Import contracts of the project; none where it has no such table."""
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return list(document.get("tool", {}).get("importlinter", {}).get("contracts", []))


def report(root: Path) -> Iterator[str]:
    """Lines that say what was measured."""
    modules, whole, bodies = [], [], []
    folders: dict[Path, int] = {}
    for path in module_files(root):
        text = path.read_text(encoding="utf-8")
        place = str(path.relative_to(root))
        modules.append(Length(len(text.splitlines()), place))
        folders[path.parent] = folders.get(path.parent, 0) + 1
        for node, body in functions(ast.parse(text)):
            name = f"{place}: {node.name}"
            whole.append(Length((node.end_lineno or 0) - node.lineno + 1, name))
            bodies.append(Length(body, name))
    for what, lengths in (("modules", modules), ("functions", whole), ("bodies", bodies)):
        middle = median(length.lines for length in lengths)
        yield f"{what}: {len(lengths):,}, median {middle:g} lines, greatest {max(lengths).lines}"
        for length in sorted(lengths, reverse=True)[:SHOWN]:
            yield f"  {length.lines:>5}  {length.place}"
    over = sum(length.lines > 400 for length in modules), sum(b.lines > 80 for b in whole)
    yield f"modules over 400 lines: {over[0]}; functions over 80 lines: {over[1]}"
    fullest = max(folders, key=lambda folder: folders[folder])
    yield f"fullest folder: {fullest.relative_to(root)}, {folders[fullest]} modules"
    found = contracts(root)
    exhaustive = sum(bool(contract.get("exhaustive")) for contract in found)
    yield f"import contracts: {len(found)}, exhaustive {exhaustive}"


if __name__ == "__main__":
    print("\n".join(report(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())))  # noqa: T201
