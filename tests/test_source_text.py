"""Rules about the text of the source files that no linter knows."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("cypher", "kg", "loaders", "export", "dashboard", "src/tosg")

#: The module that puts names between backticks in Cypher, one that reads Cypher as tokens, and
#: those that write Markdown.
BACKTICKS = ("cypher/quoting.py", "cypher/tokens.py", "kg/schema/page.py", "kg/query/page.py")

MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def quoted_by_hand(text: str) -> Iterator[int]:
    """Lines on which a value is put between backticks: in an f-string, ``format`` or ``%``."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
            for before, value, after in zip(parts, parts[1:], parts[2:], strict=False):
                if value is None and str(before)[-1:] == str(after)[:1] == "`":
                    yield node.lineno
        elif isinstance(node, ast.Constant) and any(s in str(node.value) for s in ("`{}`", "`%s`")):
            yield node.lineno


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('f"MATCH (n:`{name}`) RETURN n"', True),
        ('"SET n.`%s` = 1" % name', True),
        ('"SET n.`{}` = 1".format(name)', True),
        ('f"run `tosg load {name}` again"', False),
        ('f"MATCH (n:{label(name)})"', False),
    ],
)
def test_the_rule_on_backticks_finds_what_it_should(text: str, found: bool) -> None:
    assert bool(list(quoted_by_hand(text))) == found


def test_only_the_quoting_functions_put_names_between_backticks() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in MODULES
        if str(path.relative_to(ROOT)) not in BACKTICKS
        for line in quoted_by_hand(path.read_text(encoding="utf-8"))
    ]
    assert found == []
