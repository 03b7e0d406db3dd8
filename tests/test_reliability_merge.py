"""What must never go wrong without a word, by the numbers of docs/reliability/graph-merge.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from support.claims import edge, entity, fill
from support.merging import Merging

from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.releases import release_key
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.entity_stage import SECOND_RECORD
from tosg.kg.schema.curies import curie
from tosg.kg.schema.folding import fold_name, fold_names
from tosg.kg.schema.indexes import LONGEST_INDEXED_BYTES
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

    from support.claims import Claim

    from tosg.kg.claims.log import Note, Rejection


def spooled(*claims: Claim) -> tuple[dict[str, Any], list[Note], list[Rejection]]:
    """The first claim as it was kept; notes; rejections."""
    with Spool() as spool:
        fill(spool, claims)
        label = spool.entity_types[0]
        return spool.entities(label).row(0, named=True), spool.notes(), spool.rejections()


# -- 4: names of today, names of before, synonyms ---------------------------------------------


def test_4_a_name_that_was_a_symbol_stands_before_synonyms() -> None:
    found = Merging(
        [
            entity("Gene", "ncbigene:1", "hetionet", "2016", name="GENE1", symbol="GENE1"),
            entity("Gene", "ncbigene:1", "hgnc", "2024", name="gene one", symbol="GENE1A"),
            entity("Gene", "ncbigene:2", "ncbi_gene", symbol="GENE2", synonyms=["GENE1"]),
        ]
    )
    first, second = found.nodes("Gene").values()
    assert (first["symbol"], first["name"]) == ("GENE1A", "gene one")
    assert first["previous"] == ["GENE1"]
    assert "GENE1" in first["synonyms"]  # search still finds all names in one place
    assert second["previous"] == []


def test_4_what_a_source_calls_outdated_is_previous_and_never_the_name() -> None:
    found = Merging(
        [entity("Gene", "hgnc:1", "hgnc", symbol="NEW", previous=["OLD"], synonyms=["ALIAS"])]
    )
    (node,) = found.nodes("Gene").values()
    assert (node["symbol"], node["previous"]) == ("NEW", ["OLD"])
    assert node["synonyms"] == ["ALIAS", "OLD"]


def test_4_the_ontology_of_the_identifier_names_the_disease() -> None:
    found = Merging(
        [
            entity("Disease", "mondo:1", "mondo", name="blob disease"),
            entity("Disease", "doid:1", "disease_ontology", name="Blob's disease", description="d"),
            entity("Disease", "mondo:2", "mondo", name="blob 2", synonyms=["blob disease"]),
        ]
    )
    node = found.nodes("Disease")["mondo:1"]
    assert (node["name"], node["previous"]) == ("blob disease", ["Blob's disease"])
    assert (node["xrefs"], node["description"]) == (["doid:1"], "d")


# -- 13: lengths ------------------------------------------------------------------------------


def test_13_a_name_too_long_for_an_index_becomes_part_of_the_description() -> None:
    fits, long = "n" * LONGEST_INDEXED_BYTES, "ü" * (LONGEST_INDEXED_BYTES // 2 + 1)
    kept, notes, _ = spooled(entity("Disease", "doid:1", name=fits, symbol=long, description="d"))
    assert (kept["name"], kept["symbol"]) == (fits, None)
    assert kept["description"] == f"{long}\nd"
    (note,) = notes
    assert note.kind == "symbol too long for an index, moved to the description"
    assert note.examples[0].startswith("line 1: doid:1 ")


def test_13_an_identifier_too_long_for_an_index_is_rejected_with_file_and_line() -> None:
    long = "doid:" + "9" * LONGEST_INDEXED_BYTES
    ok = entity("Disease", "doid:1")
    _, _, rejections = spooled(
        ok,
        entity("Disease", long),
        edge("RESEMBLES", ("Disease", long), ("Disease", "doid:1")),
    )
    (rejection,) = rejections
    assert (rejection.kind, rejection.count) == ("identifier too long", 2)
    assert (rejection.file, rejection.line) == ("test.tsv", 2)


# -- 14: releases -----------------------------------------------------------------------------


def test_14_releases_compare_by_their_numbers() -> None:
    rising = ["", "1.1", "1.9", "1.10", "v2", "v10", "2024-02-01", "20240301", "x/2024-11-01"]
    assert sorted(rising, key=release_key) == rising
    assert release_key("1.1") != release_key("1.10")


# -- 15: nothing is dropped without a count ---------------------------------------------------


def test_15_of_two_records_of_one_identifier_one_is_kept_whole_and_the_other_reported() -> None:
    first = entity("Gene", "ncbigene:1", name="z", symbol="ZSYM", description="a")
    second = entity("Gene", "ncbigene:1", name="a", symbol="ASYM", description="z", synonyms=["x"])
    for claims in ([first, second], [second, first]):
        found = Merging(claims)
        (node,) = found.nodes("Gene").values()
        assert (node["name"], node["symbol"], node["description"]) == ("a", "ASYM", "z")
        assert node["synonyms"] == ["x"]
        assert found.rejected == {SECOND_RECORD: 1}
        counts = found.counts["s1"]
        assert (counts["given"], counts["made"], counts["rejected"]) == (2, 1, 1)


def test_15_a_record_that_says_no_more_than_the_other_is_a_repeat() -> None:
    found = Merging(
        [
            entity("Gene", "ncbigene:1", name="a", synonyms=["x", "y"]),
            entity("Gene", "ncbigene:1", synonyms=["y"]),
        ]
    )
    assert found.rejected == {}
    assert found.counts["s1"]["merged"] == 1


@pytest.mark.parametrize("bad", ["\x1f", "\x00", "\x08", "\x7f", "\ufffe"])
def test_15_a_character_that_cannot_be_stored_is_counted(bad: str) -> None:
    kept, notes, _ = spooled(entity("Gene", "ncbigene:1", name=f"a{bad}b", synonyms=[f"c{bad}"]))
    assert (kept["name"], kept["synonyms"]) == ("a b", ["c"])
    assert sum(note.count for note in notes) == 2
    assert {note.kind for note in notes} == {"character that cannot be stored, replaced by a blank"}


TERMS = """format-version: 1.2
ontology: doid
data-version: 2024-05-06

[Term]
id: DOID:1
name: living
name: also living
def: "first" []
def: "second" []
alt_id: DOID:2
relationship: develops_from DOID:6
relationship: has_part DOID:6
intersection_of: DOID:6

[Term]
id: DOID:3
name: obsolete third
is_obsolete: true
replaced_by: DOID:4

[Term]
id: DOID:4
name: obsolete fourth
is_obsolete: true
replaced_by: DOID:2

[Term]
id: DOID:5
name: obsolete fifth
is_obsolete: true
replaced_by: DOID:55

[Term]
id: DOID:6
name: sixth
xref: MONDO:0000006 {source="MONDO:equivalentTo"}
xref: MONDO:0000007 {source="MONDO:relatedTo"}
xref: MONDO:0000008 {mapping="skos:broadMatch"}
xref: MONDO:0000009 {source="DOID:1"}
"""


def read_terms(tmp_path: Path, text: str = TERMS) -> tuple[dict[str, Any], SourceLog]:
    path = tmp_path / "doid.obo"
    path.write_text(text, encoding="utf-8")
    log = SourceLog("disease_ontology")
    loader = registry.make("disease_ontology")
    batches = list(loader.claims({"terms": path}, log))
    return {row["id"]: row for row in batches[0].to_pylist()}, log


def test_15_other_relationships_and_second_clauses_of_terms_are_counted(tmp_path: Path) -> None:
    terms, log = read_terms(tmp_path)
    assert (terms["doid:1"]["name"], terms["doid:1"]["description"]) == ("living", "first")
    assert terms["doid:1"]["synonyms"] == ["also living"]
    assert {note.kind: note.count for note in log.notes} == {
        "relationship develops_from, which the schema does not have": 1,
        "relationship has_part, which the schema does not have": 1,
        "clause intersection_of of a term, not used": 1,
        "second name of a term, taken as a synonym": 1,
        "second definition of a term, left out": 1,
        "cross-reference to something related, broader or narrower, left out": 2,
    }


def test_15_a_chain_of_replaced_identifiers_leads_to_the_living_term(tmp_path: Path) -> None:
    terms, log = read_terms(tmp_path)
    assert terms["doid:1"]["replaces"] == ["doid:2", "doid:3", "doid:4"]
    assert {r.kind: r.count for r in log.rejections} == {
        "obsolete, replaced": 2,
        "obsolete, replaced by no one living term of this file": 1,
    }


def test_15_a_circle_of_replacements_ends(tmp_path: Path) -> None:
    text = TERMS.replace("replaced_by: DOID:2", "replaced_by: DOID:3")
    terms, log = read_terms(tmp_path, text)
    assert terms["doid:1"]["replaces"] == ["doid:2"]
    assert sum(r.count for r in log.rejections) == 3


# -- 16: equivalence, Unicode, signs ----------------------------------------------------------


def test_16_a_qualified_cross_reference_joins_nothing(tmp_path: Path) -> None:
    terms, _ = read_terms(tmp_path)
    assert terms["doid:6"]["xrefs"] == ["mondo:0000006", "mondo:0000009"]


KIND, PARENT, ANCHOR = ("Disease", "doid:81"), ("Disease", "doid:80"), ("Disease", "mondo:80")


def refused(*more: Claim) -> Merging:
    return Merging(
        [
            entity(*PARENT, name="neurofibroma", xrefs=["mondo:80"]),
            entity(*KIND, name="neurofibromatosis", xrefs=["mondo:80"]),
            edge("IS_A", KIND, PARENT),
            *more,
        ]
    )


def test_16_a_join_that_makes_is_a_a_self_loop_is_refused_for_the_other_name() -> None:
    found = refused(entity(*ANCHOR, name="Neurofibroma"))
    assert list(found.nodes("Disease")) == ["doid:81", "mondo:80"]
    (row,) = found.rows("IS_A")
    assert (row["start"], row["end"]) == ("doid:81", "mondo:80")
    (unclear,) = found.ambiguous
    assert (unclear.how, unclear.what, unclear.candidates) == ("is_a", "doid:81", ("mondo:80",))
    text = "doid:81 is not mondo:80 Neurofibroma: one would be a kind of itself"
    assert str(unclear) == text


def test_16_where_no_name_decides_neither_is_joined() -> None:
    found = refused(entity(*ANCHOR, name="something else"))
    assert list(found.nodes("Disease")) == ["doid:80", "doid:81", "mondo:80"]
    assert [a.what for a in found.ambiguous] == ["doid:80", "doid:81"]


def test_16_the_refused_term_may_join_by_its_name() -> None:
    twin = entity("Disease", "mondo:81", name="neurofibromatosis")
    found = refused(entity(*ANCHOR, name="neurofibroma"), twin)
    assert list(found.nodes("Disease")) == ["mondo:80", "mondo:81"]
    assert found.rows("IS_A")[0]["start"] == "mondo:81"


def test_16_names_do_not_join_a_term_with_its_kind() -> None:
    found = Merging(
        [
            entity("Disease", "mondo:1", name="flu"),
            entity("Disease", "efo:1", name="Flu"),
            edge("IS_A", ("Disease", "efo:1"), ("Disease", "mondo:1")),
        ]
    )
    assert list(found.nodes("Disease")) == ["efo:1", "mondo:1"]
    assert len(found.rows("IS_A")) == 1


def test_16_texts_are_composed_and_accents_make_no_other_name() -> None:
    decomposed = "Lo\u0308fgren syndrome"
    kept, _, _ = spooled(entity("Disease", "mondo:1", name=decomposed, synonyms=[decomposed]))
    assert kept["name"] == "L\u00f6fgren syndrome"
    assert kept["synonyms"] == ["L\u00f6fgren syndrome"]
    found = Merging(
        [
            entity("Disease", "mondo:1", name=decomposed),
            entity("Disease", "doid:1", name="Lofgren Syndrome"),
        ]
    )
    (node,) = found.nodes("Disease").values()
    assert (node["id"], node["xrefs"]) == ("mondo:1", ["doid:1"])


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("S\u00f8ren Stra\u00dfe \u0141\u00f3d\u017a", "soren strasse lodz"),
        ("Crohn\u2019s  Disease", "crohn disease"),
        ("Graves' disease", "graves disease"),
        ("\u0130stanbul", "istanbul"),
        ("\ufb01brosis", "fibrosis"),
    ],
)
def test_16_how_names_are_compared(name: str, folded: str) -> None:
    assert fold_name(name) == folded
    assert pl.DataFrame({"n": [name]}).select(fold_names(pl.col("n"))).item() == folded


@pytest.mark.parametrize("sign", ["-", "--", ".", "?", "", "  ", "()"])
def test_16_signs_are_no_names_and_no_identifiers(sign: str) -> None:
    kept, notes, rejections = spooled(
        entity(
            "Gene", "ncbigene:1", name=sign, symbol="OK", synonyms=[sign, "b"], xrefs=["hgnc:-"]
        ),
        entity("Gene", f"ncbigene:{sign.strip() or '-'}"),
    )
    assert (kept["name"], kept["symbol"], kept["synonyms"]) == (None, "OK", ["b"])
    assert kept["xrefs"] == []
    counts = {note.kind: note.count for note in notes}
    assert counts.get("name without letter or digit, left out", 0) == (2 if sign.strip() else 0)
    assert counts["bad identifier in xrefs, left out"] == 1
    assert [(r.kind, r.count) for r in rejections] == [("bad identifier", 1)]


def test_16_language_tags_go() -> None:
    kept, notes, _ = spooled(
        entity("Disease", "mondo:1", name='"lupus"@en', description='"a "b""@en-GB')
    )
    assert (kept["name"], kept["description"]) == ("lupus", 'a "b"')
    assert [(n.kind, n.count) for n in notes] == [("language tag of a text, left out", 2)]


@pytest.mark.parametrize(
    ("prefix", "value", "right"),
    [
        ("ncbigene", "7157", "ncbigene:7157"),
        ("ncbigene", "007157", None),
        ("ncbigene", "0", None),
        ("hgnc", "HGNC:0011998", None),
        ("pubchem.compound", "02244", None),
        ("doid", "0050686", "doid:0050686"),  # numbers of OBO ontologies are padded
        ("go", "0006915", "go:0006915"),
    ],
)
def test_16_leading_zeros_make_no_identifier(prefix: str, value: str, right: str | None) -> None:
    assert curie(value, prefix) == right
