"""The modules of the package, read as text: nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Folders at the root, which are packages of `tosg` by links.
FOLDERS = ("cypher", "kg", "loaders", "export", "dashboard")


def module_files() -> dict[str, Path]:
    """Every module of the package and its file, by the name that imports it."""
    own = ROOT / "src" / "tosg"
    rooms = [room for room in own.iterdir() if room.is_dir() and not room.is_symlink()]
    files = [*own.glob("*.py"), *(file for room in rooms for file in room.rglob("*.py"))]
    found = {_name(file.relative_to(own)): file for file in files}
    for folder in FOLDERS:
        found |= {_name(file.relative_to(ROOT)): file for file in (ROOT / folder).rglob("*.py")}
    return dict(sorted(found.items()))


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(("tosg", *(p for p in parts if p != "__init__")))


def parsed(having: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Every module that has a text, with its syntax tree."""
    for name, file in module_files().items():
        if having in (text := file.read_text(encoding="utf-8")):
            yield name, ast.parse(text)


def docstrings(having: str = "") -> Iterator[tuple[str, str]]:
    """Every docstring of the modules that have a text, with where it stands."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for name, tree in parsed(having):
        for node in ast.walk(tree):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                inner = "" if isinstance(node, ast.Module) else f".{node.name}"
                yield f"{name}{inner}", text
