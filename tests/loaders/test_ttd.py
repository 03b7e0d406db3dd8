"""TTD: what the made-up records and the official excerpt say, worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.fixtures.ttd import workbook
from support.sources import notes, read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry
from tosg.loaders.formats.sheets import read_sheet

if TYPE_CHECKING:
    from pathlib import Path


DRUGS = "P1-03-TTD_crossmatching.txt"


def read(folder: Path) -> dict[tuple[Any, Any], dict[str, Any]]:
    write_source("ttd", folder)
    batches, log = read_source("ttd", folder)
    assert log.release == "7.1.01"
    targets = (r for r in rows(batches, "start") if r["type"] == "TARGETS")
    return {(r["start"], r["end"]): r for r in targets}


def test_actions_and_status(tmp_path: Path) -> None:
    found = read(tmp_path)
    first = found["ttd.drug:D09HNV", "ncbigene:11"]
    assert (first["action"], json.loads(first["evidence"])) == (
        "inhibitor",
        {
            "highest_status": "Approved",
            "target": "ttd.target:T47101",
            "target_type": "Successful target",
        },
    )
    second = found["ttd.drug:D01PZD", "ncbigene:15"]
    assert "action" not in second  # a point stands for none
    assert json.loads(second["evidence"])["members"] == 2
    assert set(found) == {
        ("ttd.drug:D09HNV", "ncbigene:11"),
        ("ttd.drug:D01PZD", "ncbigene:11"),
        ("ttd.drug:D01PZD", "ncbigene:12"),
        ("ttd.drug:D01PZD", "ncbigene:15"),
    }


def test_one_compound_of_pubchem_joins(tmp_path: Path) -> None:
    write_source("ttd", tmp_path)
    batches, log = read_source("ttd", tmp_path)
    drugs = {r["id"]: r for r in rows(batches, "id") if r["file"] == DRUGS}
    assert drugs["ttd.drug:D09HNV"]["xrefs"] == ["pubchem.compound:9809715"]
    assert "xrefs" not in drugs["ttd.drug:D01PZD"]
    told = notes(log, DRUGS)
    assert told["drug of several compounds of PubChem, not joined"] == 1


def test_the_official_excerpt(shared_data: Path) -> None:
    folder = shared_data / "official"
    files = {
        "targets": folder / "ttd" / "P1-01-TTD_target_download_SNIPPET.txt",
        "symbols": folder / "hgnc" / "hgnc_complete_set.txt.gz",
    }
    log = SourceLog("ttd")
    batches = list(registry.make("ttd").claims(files, log))
    # FGFR1 is gene 2260 of NCBI; its record has two drugs.
    assert [(r["start"], r["end"], r["release"]) for r in rows(batches, "start")] == [
        ("ttd.drug:D09HNV", "ncbigene:2260", "excerpt of 7.1.01"),
        ("ttd.drug:D01PZD", "ncbigene:2260", "excerpt of 7.1.01"),
    ]
    assert [r["name"] for r in rows(batches, "id")] == ["Intedanib", "Romiplostim"]


def test_a_sheet_with_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(("Drug", "Target"), ("a", "b")))
    with pytest.raises(DataError, match="other columns") as caught:
        list(read_sheet(path, ("TargetID", "Target")))
    assert "missing: TargetID" in str(caught.value.expected)
    assert list(read_sheet(path, ("Target",))) == [(2, {"Target": "b"})]


def test_a_cut_off_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    whole = workbook(("Drug", "Target"), ("a", "b"))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cut off or damaged"):
        list(read_sheet(path, ("Target",)))


def test_drugs_treat_what_they_are_approved_for(tmp_path: Path) -> None:
    write_source("ttd", tmp_path)
    batches, log = read_source("ttd", tmp_path)
    treats = [r for r in rows(batches, "start") if r["type"] == "TREATS"]
    assert [(r["start"], r["end"], json.loads(str(r["evidence"]))) for r in treats] == [
        (
            "ttd.drug:D09HNV",
            "tosg:disease.idiopathic_pulmonary_fibrosis",
            {"icd11": "CB03.4", "status": "Approved"},
        ),
        (
            "ttd.drug:D01PZD",
            "tosg:disease.thrombocytopenia",
            {"icd11": "3B64", "status": "Approved"},
        ),
    ]
    assert {r["release"] for r in treats} == {"excerpt of 8.1.01"}
    named = {r["id"]: r["name"] for r in rows(batches, "id") if r["type"] == "Disease"}
    assert named["tosg:disease.thrombocytopenia"] == "Thrombocytopenia"
    (file,) = (f for path, f in log.files.items() if path.name == "P1-05-Drug_disease.txt")
    assert (file.rows_read, file.rows_parsed) == (13, 6)
