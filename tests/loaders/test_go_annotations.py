"""GO annotations as GAF and GPAD: what each row says, and the official files."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.sources import read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog, SourceLog
from tosg.loaders import registry
from tosg.loaders.formats.gaf import read_annotations, read_entities

if TYPE_CHECKING:
    from pathlib import Path

OFFICIAL = "official/gene-ontology"


def read(source: str, folder: Path) -> tuple[dict[tuple[Any, ...], dict[str, Any]], SourceLog]:
    write_source(source, folder)
    batches, log = read_source(source, folder)
    return {(r["start"], r["type"], r["end"]): r for r in rows(batches, "start")}, log


def test_relations_and_evidence(tmp_path: Path) -> None:
    found, log = read("goa", tmp_path)
    assert log.release == "2023-04-02"
    whole = json.loads(found["uniprot:P00011", "PARTICIPATES_IN", "go:0000001"]["evidence"])
    assert whole == {
        "assigned_by": ["UniProt"],
        "evidence_codes": ["IEA"],
        "pubmed_ids": ["12"],
        "references": ["GO_REF:0000043"],
        "relations": ["involved_in"],
    }
    isoform = json.loads(found["uniprot:P00012", "LOCATED_IN", "go:0000002"]["evidence"])
    assert isoform["isoforms"] == ["P00012-2"]
    both = json.loads(found["uniprot:P00018", "HAS_FUNCTION", "go:0000003"]["evidence"])
    assert both["relations"] == ["contributes_to", "enables"]
    upstream = found["complexportal:CPX-1", "PARTICIPATES_IN", "go:0000001"]
    assert json.loads(upstream["evidence"])["relations"] == ["acts_upstream_of_negative_effect"]


def test_relations_of_the_ontology_have_names(tmp_path: Path) -> None:
    found, _ = read("goa@gpad2", tmp_path)
    evidence = found["complexportal:CPX-1", "LOCATED_IN", "go:0000002"]["evidence"]
    assert json.loads(evidence)["relations"] == ["is_active_in"]


def test_products_have_names_and_isoforms_count_for_them(tmp_path: Path) -> None:
    write_source("goa@gpad", tmp_path)
    batches, log = read_source("goa@gpad", tmp_path)
    products = [(r["type"], r["id"], r["name"], r["symbol"]) for r in rows(batches, "id")]
    assert products == [
        ("Protein", "uniprot:P00011", "alpha one", "AAA1"),
        ("Protein", "uniprot:P00012", "beta two", "BBB2"),
    ]
    assert rows(batches, "id")[0]["synonyms"] == ["ALT1", "ALT2"]
    assert log.release == "2024-01-02"
    part = next(r for r in rows(batches, "start") if r["type"] == "LOCATED_IN")
    assert part["start"] == "uniprot:P00011"  # an isoform, P00011-2, is annotated


def test_gpad_alone_is_told(tmp_path: Path) -> None:
    write_source("goa@gpad", tmp_path)
    (tmp_path / "goa_human.gpi.gz").unlink()
    with pytest.raises(DataError, match=r"\(GPI\), which GPAD needs"):
        read_source("goa@gpad", tmp_path)


@pytest.mark.parametrize("head", ["!gaf-version: 1.0\n", "!gpi-version: 1.2\n"])
def test_another_version_is_told(head: str, tmp_path: Path) -> None:
    (tmp_path / "goa_human.gaf").write_text(f"{head}a\tb\n", encoding="utf-8")
    with pytest.raises(DataError, match="states no version that is read") as caught:
        read_source("goa", tmp_path)
    assert "!gaf-version: 2.x" in str(caught.value.expected)


def claims_of(path: Path) -> tuple[list[dict[str, Any]], dict[str, int]]:
    loader, log = registry.make("goa"), SourceLog("goa")
    batches = list(loader.claims({"annotations": path}, log))
    return rows(batches, "start"), {r.kind: r.count for r in log.rejections}


def test_the_whole_isoform_file(shared_data: Path) -> None:
    """149,061 rows, 179 of them negated, as its README says."""
    found, rejected = claims_of(shared_data / OFFICIAL / "goa_human_isoform.gaf.gz")
    assert rejected == {
        "negated, says that it is not so": 179,
        "says that nothing is known (ND)": 34,
    }
    assert len(found) == 149_061 - 179 - 34
    assert {r["release"] for r in found} == {"2023-05-12"}
    assert Counter(r["type"] for r in found)["HAS_FUNCTION"] == 67_937 + 19 - 13
    # Line 31 of the file: A0A024QZP7, CDK1, enables protein serine kinase activity.
    assert any(
        (r["start"], r["end"], r["line"]) == ("uniprot:A0A024QZP7", "go:0004674", 31) for r in found
    )


def test_an_excerpt_of_the_human_file(shared_data: Path) -> None:
    found, rejected = claims_of(shared_data / OFFICIAL / "goa_human_sample.gaf.gz")
    assert rejected["negated, says that it is not so"] == 17
    assert len(found) == 4_959 - sum(rejected.values())
    assert {r["release"] for r in found} == {"excerpt of 2023-04-02"}


@pytest.mark.parametrize(
    ("name", "rows_read", "relations"),
    [
        ("truncated-pombase.gpad", 1_984, {"part_of": 1_451, "enables": 308, "involved_in": 209,
                                            "contributes_to": 13, "colocalizes_with": 3}),
        ("mgi.test.gpad", 227, {"acts_upstream_of_or_within": 159, "enables": 24,
                                "involved_in": 27, "part_of": 17}),
        ("truncated-pombase.gaf", 370, None),
        ("test-qualifiers-2.2.gaf", 9, None),
    ],
)  # fmt: skip
def test_files_of_other_species_are_read_exactly(
    name: str, rows_read: int, relations: dict[str, int] | None, shared_data: Path
) -> None:
    path = shared_data / OFFICIAL / name
    file = FileLog("test", path)
    batches = list(read_annotations(path, file))
    assert sum(batch.num_rows for batch in batches) == rows_read
    if relations is not None:
        found = Counter(r for batch in batches for r in batch["relation"].to_pylist())
        assert found == relations
    else:
        assert {t for b in batches for t in b["taxon"].to_pylist()} <= {"4896", "10090"}
    if name == "test-qualifiers-2.2.gaf":
        assert [n for b in batches for n in b["negated"].to_pylist()].count(True) == 2


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("truncated-pombase.gpi", 199, ("PomBase:SPBP4H10.11c", "lcf2", "4896")),
        ("mgi.truncated.gpi2", 1_021, ("MGI:99476", "Abhd16a", "10090")),
    ],
)
def test_products_of_other_species(
    name: str, count: int, first: tuple[str, str, str], shared_data: Path
) -> None:
    path = shared_data / OFFICIAL / name
    found = [r for b in read_entities(path, FileLog("test", path)) for r in b.to_pylist()]
    assert len(found) == count
    assert (found[0]["subject"], found[0]["symbol"], found[0]["taxon"]) == first
