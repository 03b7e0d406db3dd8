"""``docs/reliability.md``: put together from its pieces, and every test that it names exists."""

from __future__ import annotations

import re
import runpy

from support.tree import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def test_the_page_is_put_together_from_its_pieces() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "scripts" / "write_reliability.py"))
    again = "python docs/scripts/write_reliability.py writes it again"
    assert PAGE.read_text(encoding="utf-8") == script["write"](), again


def test_every_test_on_the_page_exists() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    defined = {name for text in sources for name in re.findall(r"^def (test_\w+)", text, re.M)}
    modules = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"\b(test_\w+)\b", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 50
    assert named - defined - modules == set()


def test_every_case_names_its_test() -> None:
    """In its row, in the row before ("the same"), or in the sentence before its table."""
    for piece in sorted((ROOT / "docs" / "reliability").glob("*.md")):
        before = ""
        for line in piece.read_text(encoding="utf-8").splitlines():
            if not line.startswith("|"):
                before = line if line else before
            elif not re.match(r"^\|[-| :]+\|$", line):
                head = re.search(r"\| (?:test|shown by)\b[^|]*\|$", line)
                named = re.search(r"test_\w+|\bthe same\b|\bsame\b", line)
                assert head or named or "test_" in before, f"{piece.name}: {line}"
