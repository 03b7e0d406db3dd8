"""Drawings: what a line stands for, and the whole set of human pathways."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest
from support.fixtures.wikipathways import WP1, drawing, line, node
from support.sources import read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import SourceLog
from tosg.loaders.formats.archives import read_members
from tosg.loaders.formats.gpml import parse_gpml
from tosg.loaders.sources.wikipathways import WikiPathways


def test_ends_are_resolved() -> None:
    pathway = parse_gpml(WP1.encode(), "WP1")
    assert (pathway.id, pathway.revision, pathway.organism) == ("WP1", "r7", "Homo sapiens")
    lines = {i.id: i for i in pathway.interactions}
    assert [n.ref for n in lines["l3"].end.nodes] == ["c", "d"]
    assert lines["l3"].end.how == "complex"
    assert [n.ref for n in lines["l2"].end.nodes] == ["b"]
    assert not lines["l2"].end.inverts
    assert lines["l4"].end.inverts
    assert lines["l6"].end.how == "state"
    assert lines["l9"].end.how == "unconnected"
    assert lines["l12"].end.how == "empty group"
    assert lines["l1"].pubmed_ids == ("123",)


def test_signs(tmp_path: Path) -> None:
    write_source("wikipathways", tmp_path)
    batches, _ = read_source("wikipathways", tmp_path)
    found = {
        (str(r["start"]).partition(":")[2], str(r["end"]).partition(":")[2]): r["sign"]
        for b in batches
        for r in b.to_pylist()
        if r.get("start") is not None and r["type"] == "REGULATES"
    }
    b = "ENSG00000000012"
    assert found == {
        ("11", b): 1,
        ("P00013", b): -1,
        (b, "P00013"): -1,
        (b, "P00014"): -1,
        ("29108", "P00013"): 1,
        ("29108", "P00014"): 1,
        ("P00014", b): 0,
    }


def test_description_without_its_links(tmp_path: Path) -> None:
    write_source("wikipathways", tmp_path)
    batches, _ = read_source("wikipathways", tmp_path)
    (first, *_) = [r for r in rows(batches, "description") if r["id"] == "wikipathways:WP1"]
    assert first["description"] == "Known from a site."
    assert first["name"] == "Signals of WP1"


def test_anchors_in_a_circle_end() -> None:
    text = drawing(
        "WP9",
        node("a", "Entrez Gene", "1"),
        line("l1", "a", "on2", "Arrow", anchor="on1"),
        line("l2", "a", "on1", "Arrow", anchor="on2"),
    )
    ends = {i.end.how for i in parse_gpml(text.encode(), "WP9").interactions}
    assert ends == {"anchor without target"}


@pytest.mark.parametrize("data", [b"<html></html>", b"nothing", WP1.encode()[:900]])
def test_no_drawing(data: bytes) -> None:
    with pytest.raises(DataError, match=r"the drawing is not XML|not a drawing"):
        parse_gpml(data, "WP1.gpml")


def test_human_pathways(shared_data: Path) -> None:
    """Some of the human drawings, counted by a plain reading of the XML."""
    path = shared_data / "wikipathways" / "wikipathways-human-gpml.tar.gz"
    ends: Counter[tuple[str, str]] = Counter()
    n = 0
    for name, data in read_members(path, "WP[1-4]??.gpml"):
        n += 1
        for interaction in parse_gpml(data, name).interactions:
            ends[interaction.start.how, interaction.end.how] += 1
    assert n == 70
    assert ends["node", "node"] == 1_577
    loader, log = WikiPathways(), SourceLog("wikipathways")
    assert loader.release({"drawings": path}) == ""
    assert log.rejections == []


def test_a_metabolite_has_the_label_that_most_drawings_give_it(tmp_path: Path) -> None:
    path = tmp_path / "wikipathways-20260110-gpml-Homo_sapiens.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, ref in enumerate(("Ins", "IP3", "IP3", "A"), 1):
            drawn = drawing(f"WP{number}", node(ref, "ChEBI", "CHEBI:16595", type_="Metabolite"))
            archive.writestr(f"WP{number}.gpml", drawn)
    claims = list(WikiPathways().claims({"drawings": path}, SourceLog("wikipathways")))
    named = [r for r in rows(claims, "id") if r["type"] == "Metabolite"]
    assert [(r["id"], r["name"], r["line"]) for r in named] == [("chebi:16595", "IP3 & co", 1)]
