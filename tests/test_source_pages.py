"""``docs/sources``: the pages are what the script makes of the loaders' declarations."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from html import unescape
from pathlib import Path

import pytest
from support.tree import ROOT

from tosg.kg.claims.log import SourceLog
from tosg.kg.merge.counts import SourceCounts
from tosg.kg.report.load_report import LoadReport
from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders import registry
from tosg.loaders.pipeline.build import BuildResult

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


def test_what_became_of_the_claims_in_a_build_is_kept(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT))
    counts = tmp_path / "counts.json"
    shutil.copy(DOCS / "sources" / "counts.json", counts)
    script["keep_built"].__globals__["COUNTS"] = counts
    (counted,) = json.loads(counts.read_text())["indications"]["files"]

    def built(rows: int) -> Path:
        log = SourceLog("indications")
        log.file(tmp_path / counted["file"]).read(rows)
        report = LoadReport("20260102T000000.000000Z-abcdef", sources=[log])
        report.claims["indications"] = SourceCounts(given=6, made=1, merged=2, rejected=3)
        path = tmp_path / "report.json"
        path.write_text(json.dumps(BuildResult("mine", reports=[report]).as_dict()))
        return path

    script["keep_built"](built(counted["read"]))
    page = script["write"]()[Path("sources/indications.md")]
    assert "Built into `mine` on 2026-01-02: of its 6 claims,\n1 were the first" in page
    with pytest.raises(SystemExit, match="count it again"):
        script["keep_built"](built(counted["read"] + 1))


def test_the_metagraph_has_the_whole_schema() -> None:
    assert {*entity_types(), *relationship_types()} <= _texts(DOCS / "metagraph.svg")


def _texts(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {unescape(found) for found in re.findall(r"<text [^>]*>([^<]*)</text>", text)}
