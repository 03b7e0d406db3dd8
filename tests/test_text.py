"""Texts: the same for the same content, bounded, whole parts, written only where they changed."""

from __future__ import annotations

import random
import unicodedata
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.entities import add_relationships, immune_graph, texts

from tosg.errors import DatabaseError, UsageError
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import hold_lease
from tosg.kg.schema.templates import BOUND
from tosg.kg.schema.types import entity_types
from tosg.kg.text.compose import ENTITIES, FACTS, compose
from tosg.kg.text.refresh import refresh

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database


def composed(label: str, facts: list[dict[str, Any]] | None = None, **columns: Any) -> str:
    row = {"idx": 1, "id": "x:1", **columns}
    frame = pl.DataFrame([row], schema=ENTITIES)
    given = pl.DataFrame([{"idx": 1, **f} for f in facts or []], schema=FACTS)
    (text,) = compose(label, frame, given)["text"].to_list()
    return str(text)


def fact(section: str, item: str | None, score: float | None = None) -> dict[str, Any]:
    return {"section": section, "item": item, "score": score}


def test_every_type_has_a_template_whose_sections_are_distinct() -> None:
    for template in (t.template for t in entity_types().values()):
        keys = [s.key for s in template.sections]
        assert len(keys) == len(set(keys))


GOLDEN = [
    ("Phenotype", {"name": "headache"}, "headache is a symptom or phenotype."),
    ("Gene", {"symbol": "CD3D"}, "CD3D is a gene."),
    ("Gene", {"symbol": "CD3D", "name": "CD3D"}, "CD3D is a gene."),
    ("Gene", {"symbol": "CD3D", "name": "CD3d molecule"}, "CD3D (CD3d molecule) is a gene."),
    ("Anatomy", {}, "x:1 is an anatomical structure."),
    ("Drug", {"name": " a\tb\n c\x00d "}, "a b c d is a drug."),
    ("Drug", {"name": "", "description": ""}, "x:1 is a drug."),
    (
        "Disease",
        {"name": "gout", "synonyms": ["Gout", "podagra", "", "arthritis, urate", "PODAGRA"]},
        "gout is a disease. Also known as PODAGRA; arthritis, urate.",
    ),
    (
        "Disease",
        {"name": "gout", "description": "Crystals in joints"},
        "gout is a disease. Crystals in joints.",
    ),
    ("Disease", {"name": "gout", "description": "Gout."}, "gout is a disease."),
]


@pytest.mark.parametrize(("label", "columns", "text"), GOLDEN)
def test_golden(label: str, columns: dict[str, Any], text: str) -> None:
    assert composed(label, **columns) == text


def test_lists_are_scored_first_then_by_name_and_say_each_once() -> None:
    facts = [
        fact("functions", "b"),
        fact("functions", "a"),
        fact("functions", "A", 0.2),
        fact("functions", "z", 0.9),
        fact("functions", None, 1.0),
        fact("drugs", "aspirin"),
        fact("treats", "of no gene"),
    ]
    assert composed("Gene", facts, symbol="G") == (
        "G is a gene. Functions: z; A; b. Drugs: aspirin."
    )


def test_an_item_that_is_too_long_takes_no_others_place() -> None:
    facts = [fact("functions", "long " * 40, 0.9), fact("functions", "b"), fact("drugs", "x" * 300)]
    assert composed("Gene", facts, symbol="G") == "G is a gene. Functions: b."


def test_order_of_rows_changes_nothing() -> None:
    rows: list[dict[str, Any]] = [
        {"idx": i, "id": f"x:{i}", "name": f"n{i}", "synonyms": [f"s{j}" for j in range(i % 5)]}
        for i in range(50)
    ]
    facts = [
        {"idx": i, **fact("pathways", f"p{j}", None if j % 2 else j / 10)}
        for i in range(50)
        for j in range(i % 7)
    ]
    first = compose("Gene", pl.DataFrame(rows, ENTITIES), pl.DataFrame(facts, FACTS))
    shuffled = random.Random(3)  # noqa: S311
    shuffled.shuffle(rows)
    shuffled.shuffle(facts)
    for row in rows:
        shuffled.shuffle(row["synonyms"])
    again = compose("Gene", pl.DataFrame(rows, ENTITIES), pl.DataFrame(facts, FACTS))
    assert first.equals(again)


def test_whole_sentences_only_and_no_end_at_an_abbreviation() -> None:
    long = "Second sentence with " + "many words " * 90 + "in it."
    description = f"Binds, e.g. Proteins of E. Coli. Then stops. {long} Last."
    text = composed("Gene", symbol="G", description=description)
    assert text == "G is a gene. Binds, e.g. Proteins of E. Coli. Then stops."


def test_what_has_no_room_is_left_out() -> None:
    """Name, synonyms and description fill the text so far that no list fits any more."""
    facts = [fact(s, f"{s} {n}") for s in ("functions", "processes", "drugs") for n in range(30)]
    text = composed(
        "Gene",
        facts,
        name="n" * 380,
        synonyms=[f"synonym {n}" for n in range(40)],
        description="; ".join(f"transferase number {n}" for n in range(40)),
    )
    assert BOUND - 60 < len(text) <= BOUND


def test_a_long_list_of_names_is_cut_between_them() -> None:
    named = [f"transferase number {n}" for n in range(40)]
    text = composed("Gene", symbol="G", description="; ".join(named))
    kept = text.removeprefix("G is a gene. ").removesuffix(".").split("; ")
    assert kept == named[: len(kept)]
    assert 370 < len("; ".join(kept)) < 400
    assert composed("Gene", symbol="G", description="one; two") == "G is a gene. one; two."


def test_a_very_long_name_is_cut_at_a_word() -> None:
    text = composed("Drug", name="word " * 400)
    assert text.endswith("word is a drug.")
    assert len(text) < BOUND


WORDS = st.one_of(
    st.none(), st.text(max_size=40), st.text(alphabet="ab .(;\n\t\xa0é", max_size=3000)
)


@settings(deadline=None, max_examples=60)
@given(
    label=st.sampled_from(sorted(entity_types())),
    name=WORDS,
    symbol=WORDS,
    description=WORDS,
    synonyms=st.one_of(st.none(), st.lists(WORDS, max_size=30)),
    facts=st.lists(st.tuples(st.sampled_from(["functions", "drugs", "treats"]), WORDS), max_size=9),
)
def test_bounded_and_never_empty(
    label: str,
    name: str | None,
    symbol: str | None,
    description: str | None,
    synonyms: list[str | None] | None,
    facts: list[tuple[str, str | None]],
) -> None:
    columns = {"name": name, "symbol": symbol, "description": description, "synonyms": synonyms}
    text = composed(label, [fact(*f) for f in facts], **columns)
    assert 0 < len(text) <= BOUND
    assert text == text.strip()
    assert "  " not in text
    assert not any(unicodedata.category(c) == "Cc" for c in text)
    assert f" is {entity_types()[label].template.noun}." in text


def test_texts_of_a_graph(database: Database) -> None:
    immune_graph(database)
    assert refresh(database) == 11
    found = texts(database)
    told = (
        "Functions: interleukin-2 receptor activity; protein binding. "
        "Processes: T cell activation. Locations: plasma membrane. Pathways: IL-2 signaling. "
        "Diseases: multiple sclerosis. Drugs: aldesleukin."
    )
    assert found["ncbigene:3559"] == (
        "IL2RA (interleukin 2 receptor subunit alpha) is a gene. Also known as CD25; TCGFR. "
        f"Makes the receptor sensitive. High on regulatory T cells. {told}"
    )
    assert found["uniprot:P01589"] == f"IL2RA (CD25) is a protein. {told}"
    assert found["drugbank:DB00041"] == (
        "aldesleukin is a drug. Treats: multiple sclerosis. Targets: IL2RA."
    )
    assert found["ncbigene:6776"] == "STAT5A (STAT factor 5A) is a gene."
    assert found["cl:0000815"] == "regulatory T cell is a type of cell."


def test_what_is_annotated_tells_its_genes_drugs_and_phenotypes(database: Database) -> None:
    immune_graph(database)
    database.write("CREATE (:Entity:Phenotype {id: 'hp:0001945', idx: 900, name: 'Fever'})")
    add_relationships(database, "HAS_PHENOTYPE", [("mondo:0005301", "hp:0001945")])
    refresh(database)
    found = texts(database)
    assert "Genes: IL2RA" in found["wikipathways:WP49"]
    assert "Genes: IL2RA" in found["go:0005886"]
    assert found["mondo:0005301"].endswith("Genes: IL2RA. Drugs: aldesleukin. Phenotypes: Fever.")
    assert found["hp:0001945"] == "Fever is a symptom or phenotype. Diseases: multiple sclerosis."


def test_whatever_is_known_of_an_entity_is_told(database: Database) -> None:
    """Where a template has no section for what is known, its relationships are the text."""
    immune_graph(database)
    database.write(
        "UNWIND range(0, 2) AS i WITH i, ['A', 'B', 'C'][i] AS x "
        "CREATE (:Entity:Pathway {id: 'reactome:R-HSA-' + x, idx: 900 + i, name: x})"
    )
    add_relationships(database, "PART_OF", [("reactome:R-HSA-A", "reactome:R-HSA-B")])
    add_relationships(database, "INTERACTS_WITH", [("ncbigene:6776", "ncbigene:3559")])
    refresh(database)
    found = texts(database)
    assert found["reactome:R-HSA-A"] == "A is a pathway. Known: is part of B."
    assert found["reactome:R-HSA-B"] == "B is a pathway. Known: A is part of it."
    assert found["reactome:R-HSA-C"] == "C is a pathway."
    assert found["ncbigene:6776"].endswith("is a gene. Known: binds or acts together with IL2RA.")
    assert refresh(database) == 0


def test_only_what_changed_is_written(database: Database) -> None:
    immune_graph(database)
    refresh(database)
    revision = meta.read_meta(database).revision
    bookmark = database.bookmark()
    assert refresh(database) == 0
    assert database.bookmark() == bookmark
    assert meta.read_meta(database).revision == revision
    add_relationships(database, "TREATS", [("drugbank:DB00041", "mondo:0005301")])
    assert refresh(database) == 0  # the same is said twice
    add_relationships(database, "HAS_FUNCTION", [("ncbigene:6776", "go:0005515")])
    assert refresh(database) == 2  # of the gene, and of the function
    assert texts(database)["ncbigene:6776"].endswith("Functions: protein binding.")
    assert "STAT5A" in texts(database)["go:0005515"]
    assert meta.read_meta(database).revision == revision + 1


def test_types(database: Database) -> None:
    immune_graph(database)
    assert refresh(database, types=["Drug", "CellType"]) == 2
    assert sum(text is not None for text in texts(database).values()) == 2
    with pytest.raises(UsageError, match="unknown type"):
        refresh(database, types=["Genes"])


def test_a_second_writer_is_refused_and_a_given_lease_is_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tosg.kg.text.refresh.PATIENCE", 0.2)
    immune_graph(database)
    with hold_lease(database, "somebody") as held:
        with pytest.raises(DatabaseError, match="another writer"):
            refresh(database)
        assert refresh(database, lease=held) == 11


def test_an_empty_graph(database: Database) -> None:
    assert refresh(database) == 0
