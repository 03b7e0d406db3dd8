"""The Guide to Pharmacology: signs, actions and scores, worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.fixtures.guide_to_pharmacology import INTERACTIONS, LIGANDS
from support.sources import read_source, rows, write_source

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path) -> dict[tuple[Any, Any, Any], dict[str, Any]]:
    write_source("guide_to_pharmacology", folder)
    batches, log = read_source("guide_to_pharmacology", folder)
    assert log.release == "2026.1"
    return {
        (r["start"], r["end"], r.get("action")): r
        for r in rows(batches, "start")
        if r["type"] != "MEMBER_OF"
    }


def test_signs_actions_and_scores(tmp_path: Path) -> None:
    found = read(tmp_path)
    complex_ = "tosg:complex.P00012.P00013"
    told = {key: (r["sign"], r["score"]) for key, r in found.items()}
    assert told == {
        ("iuphar.ligand:1", "uniprot:P00011", "full agonist"): (1, 1.0),  # its primary target
        ("iuphar.ligand:2", complex_, "antagonist"): (-1, 0.09 * 8),
        ("iuphar.ligand:3", "uniprot:P00011", "negative allosteric modulator"): (-1, 0.5),
        ("iuphar.ligand:2", "uniprot:P00011", "inverse agonist"): (-1, 0.9),
        ("uniprot:P00020", "uniprot:P00011", None): (1, 0.09 * 9),
        ("uniprot:P00020", complex_, None): (0, 0.5),
    }
    first = found["iuphar.ligand:1", "uniprot:P00011", "full agonist"]
    assert json.loads(first["evidence"]) == {
        "action_type": "Agonist",
        "affinity": "pKi 7.1",
        "effect": "Full agonist",
        "primary_target": True,
        "pubmed_ids": ["12", "34"],
    }


def test_names_without_marks_and_identifiers(tmp_path: Path) -> None:
    write_source("guide_to_pharmacology", tmp_path)
    batches, _ = read_source("guide_to_pharmacology", tmp_path)
    (ligand,) = (r for r in rows(batches, "id") if r["file"] == "ligands.tsv")
    assert (ligand["name"], ligand["synonyms"], ligand["xrefs"]) == (
        "[3H]one",
        ["onum", "\u03b1-one", "uno"],
        ["pubchem.compound:123", "chembl.compound:CHEMBL25"],
    )
    (complex_,) = (r for r in rows(batches, "id") if r["type"] == "Complex")
    assert complex_["name"] == "5-HT3AB"


@pytest.mark.parametrize("comment", [True, False])
def test_commas_and_no_comment(comment: bool, tmp_path: Path) -> None:
    write_source("guide_to_pharmacology", tmp_path / "a")
    whole, _ = read_source("guide_to_pharmacology", tmp_path / "a")
    for name, text in (("interactions.csv", INTERACTIONS), ("ligands.csv", LIGANDS)):
        head, _, body = text.partition("\n")
        path = tmp_path / "b" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((f"{head}\n" if comment else "") + body.replace("\t", ","), "utf-8")
    other, _ = read_source("guide_to_pharmacology", tmp_path / "b")
    keys = [
        [(r["start"], r["type"], r["end"], r.get("score")) for r in rows(batches, "start")]
        for batches in (whole, other)
    ]
    assert keys[0] == keys[1]
