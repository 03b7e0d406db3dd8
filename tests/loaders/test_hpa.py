"""The Human Protein Atlas: its tissues are UBERON's, scores by hand, the official excerpt."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from support.sources import notes, read_source, rows, write_source

from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry
from tosg.loaders.reference.hpa_tissues import HPA_TISSUES

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path) -> dict[tuple[Any, Any, Any], dict[str, Any]]:
    write_source("hpa", folder)
    batches, _ = read_source("hpa", folder)
    return {(str(r["start"])[-2:], r["end"], r["file"]): r for r in rows(batches, "start")}


def test_tissues_are_those_of_uberon(shared_data: Path) -> None:
    """Each name is the name of its term, or one of its synonyms."""
    table = shared_data / "scp-ontologies" / "uberon.min.tsv.gz"
    names: dict[str, set[str]] = {}
    with gzip.open(table, "rt", encoding="utf-8") as lines:
        for line in lines:
            id_, name, *others = line.rstrip("\n").split("\t")
            said = {name, *"||".join(others).split("||")}
            names[id_.replace("UBERON_", "uberon:")] = {word.lower() for word in said}
    # HPA's own words for two of them: cardiac muscle tissue, and the cervix of the uterus.
    other_words = {"heart muscle": "cardiac muscle tissue", "cervix, uterine": "cervix"}
    for tissue, id_ in HPA_TISSUES.items():
        assert other_words.get(tissue, tissue) in names[id_], (tissue, id_)


def test_scores(tmp_path: Path) -> None:
    found = read(tmp_path)
    atlas = found["11", "uberon:0001044", "proteinatlas.tsv"]
    assert atlas["score"] == 88.4 / 89.4
    assert json.loads(atlas["evidence"]) == {"ntpm": 88.4, "specificity": "Tissue enhanced"}
    assert found["11", "uberon:0002097", "rna_tissue_consensus.tsv"]["score"] == 0.75
    assert found["12", "uberon:0001133", "rna_tissue_consensus.tsv"]["score"] == 0.5
    stained = found["11", "uberon:0000310", "normal_ihc_data.tsv"]
    assert stained["score"] == 0.9
    assert json.loads(stained["evidence"]) == {
        "cell_types": ["glandular cells"],
        "protein_levels": ["High"],
        "reliabilities": ["Enhanced"],
    }
    located = [found["11", go, "subcellular_location.tsv"] for go in ("go:0005654", "go:0005829")]
    assert [r["score"] for r in located] == [0.9, 0.5]


def test_what_has_no_term_is_counted(tmp_path: Path) -> None:
    write_source("hpa", tmp_path)
    _, log = read_source("hpa", tmp_path)
    assert notes(log, "proteinatlas.tsv")["tissue without a term of UBERON"] == 1
    assert notes(log, "proteinatlas.tsv")["tissue without a number, left out"] == 1
    told = notes(log, "subcellular_location.tsv")
    assert told["location without a term of GO, left out"] == 1


def test_the_official_excerpt(shared_data: Path) -> None:
    """TSPAN6 is raised in the salivary gland (88.4), as the first row says."""
    path = shared_data / "official" / "hpa" / "proteinatlas.tsv.zip"
    log = SourceLog("hpa")
    batches = list(registry.make("hpa").claims({"atlas": path}, log))
    (file,) = log.files.values()
    assert (file.rows_read, file.rows_parsed) == (9, 9)
    first = rows(batches, "start")[0]
    assert (first["start"], first["end"]) == ("ensembl:ENSG00000000003", "uberon:0001044")
    assert json.loads(str(first["evidence"]))["ntpm"] == 88.4
    assert first["release"] == "excerpt of unknown release"
