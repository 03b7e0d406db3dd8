"""``docs/sources``: the pages are what the script makes of the loaders' declarations."""

from __future__ import annotations

import re
import runpy
from html import unescape
from typing import TYPE_CHECKING

import pytest
from support.tree import ROOT

from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
SCRIPT = DOCS / "scripts" / "write_sources.py"
AGAIN = "python docs/scripts/write_sources.py writes the pages of the sources again"


def test_the_pages_are_those_of_the_loaders() -> None:
    written = runpy.run_path(str(SCRIPT))["write"]()
    there = {
        path.relative_to(DOCS)
        for pattern in ("sources/*.md", "sources/*.svg", "metagraph.*")
        for path in DOCS.glob(pattern)
    }
    assert there == set(written), AGAIN
    for path, text in written.items():
        assert (DOCS / path).read_text(encoding="utf-8") == text, f"{path}: {AGAIN}"


@pytest.mark.parametrize("source", registry.names())
def test_a_page_says_what_a_user_has_to_know(source: str) -> None:
    loader = registry.loader_class(source)
    page = (DOCS / "sources" / f"{source}.md").read_text(encoding="utf-8")
    assert loader.tested_on, "say what the loader was tested on"
    for said in (loader.license, loader.tested_on[1:], loader.signs, *loader.quirks):
        assert said in page, AGAIN
    for score in loader.scores:
        assert f"`{score.formula}`" in page, AGAIN
    for spec in loader.files:
        assert spec.url is None or f"<{spec.url}>" in page, AGAIN
    drawn = _texts(DOCS / "sources" / f"{source}.svg")
    assert set(loader.nodes) <= drawn
    assert {name for triple in loader.relationships for name in triple} <= drawn


def test_the_metagraph_has_the_whole_schema() -> None:
    assert {*entity_types(), *relationship_types()} <= _texts(DOCS / "metagraph.svg")


def _texts(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {unescape(found) for found in re.findall(r"<text [^>]*>([^<]*)</text>", text)}
