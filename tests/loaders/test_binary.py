"""Binary interactions (PSI-MI TAB): what each row says, worked out by hand."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.fixtures.innatedb import FIXTURE as INNATE
from support.fixtures.intact import FIXTURE, PHOSPHORYLATION
from support.mitab import mitab_table
from support.sources import notes, read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

#: 86 rows of FlyBase's physical interactions (MITAB 2.7, other captions, lines of Windows).
FLYBASE = "official/intact/physical_interactions_mitab_fb_2024_02.tsv.gz"


def test_scores_evidence_and_enzymes(tmp_path: Path) -> None:
    write_source("intact", tmp_path)
    batches, log = read_source("intact", tmp_path)
    found = {(r["type"], r["line"]): r for r in rows(batches, "start")}
    first = found["INTERACTS_WITH", 2]
    assert (first["start"], first["end"]) == ("uniprot:P00011", "uniprot:P00012")
    assert first["score"] == 0.37
    assert json.loads(str(first["evidence"])) == {
        "interaction_ids": ["EBI-1"],
        "methods": ["two hybrid"],
        "pubmed_ids": ["16189514"],
        "types": ["physical association"],
    }
    second = json.loads(str(found["INTERACTS_WITH", 3]["evidence"]))
    assert second["expansions"] == ["spoke expansion"]
    assert second["isoforms"] == ["P00012-2", "P00011-PRO_0000045"]
    by = found["PHOSPHORYLATES", 4]  # the enzyme is interactor B
    assert (by["start"], by["end"]) == ("uniprot:P00013", "uniprot:P00011")
    assert "score" not in by
    assert ("INTERACTS_WITH", 4) in found
    itself = found["PHOSPHORYLATES", 5]
    assert (itself["start"], itself["end"], itself["score"]) == (
        *("uniprot:P00014", "uniprot:P00014"),
        0.4,
    )
    assert ("INTERACTS_WITH", 5) not in found
    assert notes(log, "human.txt") == {
        "excerpt, not the whole file": 1,
        "interaction with itself, kept out": 1,
        "pair out of a complex by expansion; its evidence says so": 1,
    }


def test_genetic_interactions_on_demand(tmp_path: Path) -> None:
    write_source("intact", tmp_path)
    batches, _ = read_source("intact", tmp_path, {"genetic": "true"})
    ends = {r["end"] for r in rows(batches, "start")}
    assert "uniprot:P00017" in ends


def test_the_archive_has_negative_results_beside(tmp_path: Path) -> None:
    """They are in a file of their own, which is not read."""
    text = FIXTURE.files["interactions"][1]
    never = mitab_table({"ID(s) interactor A": "uniprotkb:P00098", "Negative": "true"})
    with zipfile.ZipFile(tmp_path / "human.zip", "w") as archive:
        archive.writestr("human.txt", text)
        archive.writestr("human_negative.txt", never)
    write_source("intact", tmp_path / "plain")
    whole, _ = read_source("intact", tmp_path / "plain")
    loader = registry.make("intact")
    packed = list(loader.claims({"interactions": tmp_path / "human.zip"}, SourceLog("intact")))
    keys = [(r["type"], r["start"], r["end"], r["line"]) for r in rows(packed, "start")]
    assert keys == [(r["type"], r["start"], r["end"], r["line"]) for r in rows(whole, "start")]


def test_the_older_table_needs_the_proteins(tmp_path: Path) -> None:
    write_source("intact@old", tmp_path)
    (tmp_path / "uniprot.tab").unlink()
    with pytest.raises(DataError, match="states no species") as caught:
        read_source("intact@old", tmp_path)
    assert "uniprot_human.tsv.gz" in str(caught.value.expected)


def test_another_source_in_the_same_columns(tmp_path: Path) -> None:
    """It loads under its own name, licence and release, by options alone."""
    write_source("intact", tmp_path)
    options = {"source": "mint", "license": "CC BY 2.5", "release": "2024", "excerpt": "false"}
    batches, log = read_source("intact", tmp_path, options)
    said = {
        (r["source"], r["license"], r["release"]) for batch in batches for r in batch.to_pylist()
    }
    assert said == {("mint", "CC BY 2.5", "2024")}
    assert log.source == "mint"


def test_versions_2_5_and_2_7_of_one_file(tmp_path: Path) -> None:
    """Version 2.5 ends after the confidence: no column Negative, no roles."""
    text = FIXTURE.files["interactions"][1]
    short = "".join("\t".join(line.split("\t")[:15]) + "\n" for line in text.splitlines()[:3])
    (tmp_path / "intact.txt").write_text(short, encoding="utf-8")
    batches, _ = read_source("intact", tmp_path)
    assert [(r["end"], r["score"]) for r in rows(batches, "start")] == [
        ("uniprot:P00012", 0.37),
        ("uniprot:P00011", 0.56),
    ]


def test_innatedb_counts_are_evidence(tmp_path: Path) -> None:
    write_source("innatedb", tmp_path)
    batches, _ = read_source("innatedb", tmp_path)
    (one,) = rows(batches, "start")
    assert (one["line"], one["license"]) == (2, "LicenseRef-Design-Science-License")
    assert "score" not in one
    assert json.loads(str(one["evidence"]))["confidence"] == ["lpr:3", "hpr:3", "np:1"]
    assert json.loads(str(one["evidence"]))["interaction_ids"] == ["IDB-113240"]
    assert INNATE.files["interactions"][1].startswith("#unique_identifier_A\t")


def test_flies_are_no_people(shared_data: Path) -> None:
    loader, log = registry.make("intact"), SourceLog("intact")
    with pytest.raises(DataError, match="no row of the file could be used"):
        list(loader.claims({"interactions": shared_data / FLYBASE}, log))
    kinds = {r.kind: r.count for r in log.rejections}
    assert kinds == {"interactor of a kind without a type in the graph": 86}


def test_phosphorylation_without_roles_is_contact(tmp_path: Path) -> None:
    ids = {"ID(s) interactor A": "uniprotkb:P00011", "ID(s) interactor B": "uniprotkb:P00012"}
    row = {**ids, "Interaction type(s)": PHOSPHORYLATION}
    (tmp_path / "human.txt").write_text(mitab_table(row), encoding="utf-8")
    batches, _ = read_source("intact", tmp_path)
    assert [r["type"] for r in rows(batches, "start")] == ["INTERACTS_WITH"]
