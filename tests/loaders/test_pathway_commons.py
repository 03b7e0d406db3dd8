"""Pathway Commons: two tables in one file, and the official excerpts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.reference_tables import tsv
from support.sources import read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog, SourceLog
from tosg.loaders import registry
from tosg.loaders.formats import tables
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from pathlib import Path

TWO = tsv("a ; b", "1 ; 2", "3 ; 4", "", "c ; d ; e", "5 ; 6 ; 7")


def read_both(path: Path) -> list[list[dict[str, Any]]]:
    layouts = (Layout(("a", "b"), table=1), Layout(("c", "d", "e"), table=2))
    log = FileLog("test", path)
    return [[r for b in read_table(path, layout, log) for r in b.to_pylist()] for layout in layouts]


@pytest.mark.parametrize("block", [1 << 20, 1, 2, 3, 5, 7, 8, 9, 10, 13, 17])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_two_tables_in_one_file(
    block: int, ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "two.txt"
    path.write_bytes(TWO.replace("\n", ends).encode())
    monkeypatch.setattr(tables, "BLOCK_BYTES", block)
    first, second = read_both(path)
    assert [(r["a"], r["b"], r["line"]) for r in first] == [("1", "2", 2), ("3", "4", 3)]
    assert [(r["c"], r["e"], r["line"]) for r in second] == [("5", "7", 6)]


def test_no_second_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("a\tb\n1\t2\n", encoding="utf-8")
    with pytest.raises(DataError, match="no second table"):
        read_both(path)


def test_evidence_and_names(tmp_path: Path) -> None:
    write_source("pathway_commons", tmp_path)
    batches, log = read_source("pathway_commons", tmp_path)
    assert log.release == "12"
    first = rows(batches, "start")[0]
    assert (first["sign"], json.loads(str(first["evidence"]))) == (
        0,
        {
            "databases": ["Reactome", "PID"],
            "pubmed_ids": ["123", "45"],
            "types": ["controls-state-change-of"],
        },
    )
    molecule = next(r for r in rows(batches, "id") if r["type"] == "Metabolite")
    assert (molecule["name"], molecule["synonyms"]) == ("first", ["other name"])


def test_the_official_excerpt(shared_data: Path) -> None:
    """250 pairs: 22 between reactions, and one that is no symbol of today."""
    folder = shared_data / "official"
    files = {
        "pairs": folder / "pathway-commons" / "test_sifnx_250.txt",
        "symbols": folder / "hgnc" / "hgnc_complete_set.txt.gz",
    }
    log = SourceLog("pathway_commons")
    batches = list(registry.make("pathway_commons").claims(files, log))
    found = rows(batches, "start")
    lost = {r.kind: r.count for r in log.files[files["pairs"]].rejections.values()}
    assert lost["enzymes of successive reactions, no signaling"] == 18
    assert lost["reaction of two small molecules"] == 4
    assert len(found) == 250 - sum(lost.values())
    types = Counter(t for r in found for t in json.loads(str(r["evidence"]))["types"])
    assert types["controls-expression-of"] == 15
    keys = {(r["start"], r["type"], r["end"]) for r in found}
    # SH3GL2 and TIAM2, FOXD3 on SLC10A7, CHEBI:9907 on DAP3: the first rows of the file.
    assert ("ncbigene:6456", "INTERACTS_WITH", "ncbigene:26230") in keys
    assert ("ncbigene:27022", "REGULATES", "ncbigene:84068") in keys
    assert ("chebi:9907", "REGULATES", "ncbigene:7818") in keys
    assert {r["release"] for r in found} == {"excerpt of unknown release"}


def test_parts_of_pathways(shared_data: Path) -> None:
    folder = shared_data / "official"
    files = {
        "pairs": folder / "pathway-commons" / "test_sifnx_250.txt",
        "symbols": folder / "hgnc" / "hgnc_complete_set.txt.gz",
        "pathways": folder / "pathway-commons" / "pathways.txt.gz",
    }
    log = SourceLog("pathway_commons")
    batches = list(registry.make("pathway_commons").claims(files, log))
    file = log.files[files["pathways"]]
    assert (file.rows_read, file.rows_parsed) == (53_760, 2_216)
    parts = [r for r in rows(batches, "start") if r["type"] == "PART_OF"]
    assert len({(r["start"], r["end"]) for r in parts}) == len(parts)
    assert {str(r["start"]).partition("-")[0] for r in parts} == {"reactome:R"}
