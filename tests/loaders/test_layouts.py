"""Sources in two layouts: both say the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.fixtures.signor_getdata import FIXTURE
from support.sources import read_source, rows, write_source

if TYPE_CHECKING:
    from pathlib import Path


def test_signor_with_and_without_a_header(tmp_path: Path) -> None:
    """The answer of the address has 28 columns and a tab at the end, and says the same."""
    answer = FIXTURE.files["relations"][1]
    assert {line.count("\t") for line in answer.splitlines()} == {28}
    said = []
    for source in ("signor", "signor@getdata"):
        write_source(source, tmp_path / source)
        batches, _ = read_source(source, tmp_path / source)
        keys = ("type", "start", "end", "sign", "score", "action", "evidence")
        said.append(sorted(json.dumps([r.get(k) for k in keys]) for r in rows(batches, "start")))
    assert len(said[0]) > 10
    assert said[0] == said[1]


def test_dorothea_of_omnipath(tmp_path: Path) -> None:
    write_source("dorothea@omnipath", tmp_path)
    batches, _ = read_source("dorothea@omnipath", tmp_path)
    found = [(r["start"], r["end"], r["sign"], r["score"]) for r in rows(batches, "start")]
    assert found == [
        ("ncbigene:11", "ncbigene:12", 1, 1.0),  # levels D and A: the best counts
        ("ncbigene:12", "ncbigene:11", -1, 0.2),
        ("ncbigene:11", "ncbigene:15", 0, 0.6),  # raised and lowered
    ]
    first = json.loads(str(rows(batches, "start")[0]["evidence"]))
    assert (first["pubmed_ids"], first["resources"]) == (["123"], ["DoRothEA", "ReMap"])


def test_cellchatdb_2_has_commas_between_members(tmp_path: Path) -> None:
    write_source("cellchatdb@v2", tmp_path)
    batches, _ = read_source("cellchatdb@v2", tmp_path)
    pairs = [r for r in rows(batches, "start") if r["type"] == "REGULATES"]
    assert [(r["start"], r["end"]) for r in pairs] == [
        ("ncbigene:11", "tosg:complex.12.15"),
        ("ncbigene:11", "ncbigene:15"),
    ]
