"""PharmGKB: archives with a release, and the official excerpts."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from support.fixtures.pharmgkb import CHEMICALS, GENES, PAIRS
from support.sources import read_source, rows, write_source

from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path


def test_both_orders_say_the_same(tmp_path: Path) -> None:
    write_source("pharmgkb", tmp_path)
    batches, _ = read_source("pharmgkb", tmp_path)
    first, second, *_ = rows(batches, "start")
    assert {k: v for k, v in first.items() if k != "line"} == {
        k: v for k, v in second.items() if k != "line"
    }
    assert json.loads(str(first["evidence"])) == {
        "kinds": ["ClinicalAnnotation", "VariantAnnotation"],
        "pharmacodynamic": "PD",
        "pubmed_ids": ["123", "45"],
    }
    drugs = {r["id"]: r for r in rows(batches, "id") if r["type"] == "Drug"}
    assert drugs["pharmgkb.drug:PA100"]["xrefs"] == [
        "drugbank:DB01048",
        "pubchem.compound:441300",
    ]
    assert drugs["pharmgkb.drug:PA100"]["synonyms"] == ["ABC", "abacavir", "Ziagen"]
    assert "xrefs" not in drugs["pharmgkb.drug:PA101"]  # two compounds of PubChem
    (disease,) = (r for r in rows(batches, "id") if r["type"] == "Disease")
    assert (disease["id"], disease["name"]) == (
        "pharmgkb.disease:PA447288",
        "Essential hypertension",
    )


def test_archives_as_they_are_published(tmp_path: Path) -> None:
    texts = {"relationships": PAIRS, "genes": GENES, "chemicals": CHEMICALS}
    for name, text in texts.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("LICENSE.txt", "CC BY-SA 4.0")
            archive.writestr("CREATED_2025-07-05.txt", "")
            archive.writestr(f"{name}.tsv", text)
    batches, log = read_source("pharmgkb", tmp_path, {"excerpt": "false"})
    assert log.release == "2025-07-05"
    assert len(rows(batches, "start")) == 4


def test_official_excerpts(shared_data: Path) -> None:
    folder = shared_data / "official" / "pharmgkb"
    (genes,) = folder.glob("pharmgkb_gene*")
    pairs = folder / "relationships_SNIPPET.tsv"
    files = {"pairs": pairs, "genes": genes, "chemicals": folder / "drugs.tsv"}
    log = SourceLog("pharmgkb")
    loader = registry.make("pharmgkb", {"excerpt": "true"})
    drugs = next(iter(loader._claims(files, log, "")))
    # Of 999 rows 359 are classes of drugs.
    assert drugs.num_rows == 999 - 359
    found = {r["id"]: r for r in rows([drugs], "id")}
    # 2-methoxyestradiol has one compound of PubChem; MDMA has DrugBank's number too.
    assert found["pharmgkb.drug:PA134967247"]["xrefs"] == ["pubchem.compound:66414"]
    named = {str(r["name"]): r for r in found.values()}
    assert named["abatacept"]["xrefs"] == ["drugbank:DB01281"]
