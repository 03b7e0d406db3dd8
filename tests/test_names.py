"""Names: no public name of the package is defined for two things."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from support.tree import parsed

#: A command, the facade's function and the library's are one thing, seen from three sides.
SIDES = ("tosg.cli", "tosg.graph", "tosg.catalog", "tosg.inputs", "tosg.training_sets")

#: Names whose meaning is fixed by what calls them: an entry point, and a view of the dashboard.
CALLED_BY_NAME = {"main", "show"}


def public_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines at its top level, private ones left out."""
    for node in tree.body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign) and not is_type_variable(node.value):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if not name.startswith("_"))


def is_type_variable(value: ast.expr) -> bool:
    """Whether a value is a type variable: its name means nothing outside its module."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("TypeVar", "ParamSpec")


def test_no_public_name_means_two_things() -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for module, tree in parsed():
        if not module.startswith(SIDES):
            for name in public_names(tree):
                where[name].add(module)
    assert len(where) > 500
    twice = {n: sorted(m) for n, m in where.items() if len(m) > 1 and n not in CALLED_BY_NAME}
    assert twice == {}
