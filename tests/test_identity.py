"""Which identifiers mean the same: each rule, its limits, and what is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.claims import edge, entity
from support.merging import Merging

from tosg.kg.merge.endpoints import AMBIGUOUS_END, NO_END, SELF_LOOP, SELF_LOOP_BY_IDENTITY

if TYPE_CHECKING:
    from support.claims import Claim
    from support.merging import Row


def merged(*claims: Claim) -> Merging:
    return Merging(claims)


def nodes(found: Merging, label: str) -> dict[str, Row]:
    return found.nodes(label)


def test_one_disease_in_two_ontologies_by_name() -> None:
    found = merged(
        entity("Disease", "doid:9074", "hetionet", name="Systemic  lupus erythematosus"),
        entity("Disease", "mondo:7915", "mondo", name="systemic lupus erythematosus"),
        edge("TREATS", ("Drug", "drugbank:1"), ("Disease", "doid:9074")),
        entity("Drug", "drugbank:1"),
    )
    assert list(nodes(found, "Disease")) == ["mondo:7915"]
    node = nodes(found, "Disease")["mondo:7915"]
    assert node["xrefs"] == ["doid:9074"]
    assert node["joined"] == ["doid:9074 = mondo:7915 by name (hetionet, mondo)"]
    assert node["sources"] == ["hetionet", "mondo"]
    (treats,) = found.rows("TREATS")
    assert treats["end"] == "mondo:7915"
    assert treats["evidence"] == ['{"end":"doid:9074"}']


def test_a_name_of_two_nodes_of_one_prefix_joins_nothing_and_is_reported() -> None:
    found = merged(
        entity("Disease", "doid:1", name="flu"),
        entity("Disease", "doid:2", name="Flu"),
        entity("Disease", "mondo:1", name="FLU"),
    )
    assert list(nodes(found, "Disease")) == ["doid:1", "doid:2", "mondo:1"]
    (unclear,) = found.ambiguous
    assert (unclear.how, unclear.what) == ("name", "flu")
    assert unclear.candidates == ("doid:1", "doid:2", "mondo:1")


def test_the_name_of_an_id_is_that_of_its_best_source() -> None:
    found = merged(
        entity("Disease", "doid:1", "disease_ontology", name="epilepsy"),
        entity("Disease", "doid:1", "hetionet", name="epilepsy syndrome"),
        entity("Disease", "mondo:1", name="epilepsy"),
        entity("Disease", "mondo:2", name="epilepsy syndrome"),
    )
    assert list(nodes(found, "Disease")) == ["mondo:1", "mondo:2"]
    assert found.ambiguous == []


def test_a_possessive_s_makes_no_other_name() -> None:
    found = merged(
        entity("Disease", "doid:1", name="Crohn's disease"),
        entity("Disease", "doid:2", name="Graves' disease"),
        entity("Disease", "mondo:1", name="Crohn disease"),
        entity("Disease", "mondo:2", name="Graves disease"),
    )
    assert list(nodes(found, "Disease")) == ["mondo:1", "mondo:2"]
    assert {j.how for j in found.joins} == {"name"}


def test_a_name_that_is_a_synonym_elsewhere_joins() -> None:
    found = merged(
        entity("Drug", "drugbank:1", "hetionet", name="Acetaminophen"),
        entity("Drug", "drugcentral:52", "drugcentral", name="paracetamol", synonyms=["APAP"]),
        entity("Drug", "drugcentral:52", "labels", synonyms=["acetaminophen"]),
    )
    node = nodes(found, "Drug")["drugbank:1"]
    assert node["xrefs"] == ["drugcentral:52"]
    assert node["joined"] == ["drugcentral:52 = drugbank:1 by synonym (hetionet, labels)"]
    assert found.ambiguous == []


def test_synonyms_alone_join_nothing() -> None:
    found = merged(
        entity("Disease", "doid:1", name="a", synonyms=["AD"]),
        entity("Disease", "mondo:1", name="b", synonyms=["AD"]),
    )
    assert list(nodes(found, "Disease")) == ["doid:1", "mondo:1"]


def test_of_several_that_have_the_name_the_one_with_most_names_in_common_joins() -> None:
    claims = [
        entity("Disease", "doid:1", name="stomach cancer", synonyms=["cancer of stomach"]),
        entity("Disease", "mondo:1", name="gastric carcinoma", synonyms=["stomach cancer"]),
        entity(
            "Disease",
            "mondo:2",
            name="gastric cancer",
            synonyms=["stomach cancer", "cancer of stomach"],
        ),
        entity("Disease", "doid:2", name="gastric cancer, familial", synonyms=["gastric cancer"]),
    ]
    for order in (claims, claims[::-1]):
        found = merged(*order)
        assert list(nodes(found, "Disease")) == ["doid:2", "mondo:1", "mondo:2"]
        assert nodes(found, "Disease")["mondo:2"]["xrefs"] == ["doid:1"]
        assert found.ambiguous == []


def test_a_class_as_near_to_two_joins_neither_and_is_reported() -> None:
    found = merged(
        entity("Disease", "doid:1", name="germ cell cancer"),
        entity("Disease", "mondo:1", name="germ cell tumor", synonyms=["germ cell cancer"]),
        entity("Disease", "mondo:2", name="malignant", synonyms=["germ cell cancer"]),
    )
    assert len(nodes(found, "Disease")) == 3
    (unclear,) = found.ambiguous
    assert (unclear.how, unclear.what) == ("synonym", "doid:1")
    assert unclear.candidates == ("mondo:1", "mondo:2")


def test_synonyms_join_no_two_classes_of_one_authority() -> None:
    found = merged(
        entity("Disease", "doid:1", name="flu"),
        entity("Disease", "mondo:1", name="flu"),
        entity("Disease", "mondo:2", name="grippe", synonyms=["flu"]),
    )
    assert list(nodes(found, "Disease")) == ["mondo:1", "mondo:2"]
    chain = merged(  # doid:1 is nearest to both, efo:1 leads on to another of MONDO's
        entity("Disease", "mondo:1", name="a1"),
        entity("Disease", "doid:1", name="b", synonyms=["a1", "c"]),
        entity("Disease", "efo:1", name="c", synonyms=["a2"]),
        entity("Disease", "mondo:2", name="a2"),
    )
    assert len(nodes(chain, "Disease")) == 4
    assert {a.what for a in chain.ambiguous} == {"mondo:1", "mondo:2", "doid:1", "efo:1"}


def test_names_do_not_join_where_the_schema_does_not_say_so() -> None:
    found = merged(entity("Gene", "ncbigene:1", name="p53"), entity("Gene", "hgnc:1", name="p53"))
    assert len(nodes(found, "Gene")) == 2


def test_cross_references_join_claimed_ids_of_listed_prefixes_alone() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", xrefs=["hgnc:5", "omim:7", "ensembl:E1"]),
        entity("Gene", "hgnc:5", "hgnc"),
        entity("Gene", "omim:7", "omim"),
    )
    assert list(nodes(found, "Gene")) == ["ncbigene:1", "omim:7"]
    assert [(j.joined, j.via, j.how) for j in found.joins] == [("hgnc:5", "ncbigene:1", "xref")]


def test_an_end_may_use_an_unclaimed_unambiguous_cross_reference() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", xrefs=["ensembl:E1", "ensembl:E3"]),
        entity("Gene", "ncbigene:2", xrefs=["ensembl:E2", "ensembl:E3"]),
        edge("REGULATES", ("Gene", "ensembl:E1"), ("Gene", "ensembl:E2"), sign=1),
        edge("REGULATES", ("Gene", "ensembl:E1"), ("Gene", "ensembl:E3"), sign=1),
        edge("REGULATES", ("Gene", "ensembl:E1"), ("Gene", "ensembl:E4"), sign=1),
    )
    (row,) = found.rows("REGULATES")
    assert (row["start"], row["end"]) == ("ncbigene:1", "ncbigene:2")
    assert row["evidence"] == ['{"start":"ensembl:E1","end":"ensembl:E2"}']
    assert found.rejected == {AMBIGUOUS_END: 1, NO_END: 1}
    assert found.pending["end"].sort().to_list() == ["ensembl:E3", "ensembl:E4"]


def test_an_alias_shared_by_two_anchors_is_not_used() -> None:
    claims = [
        entity("Gene", "ncbigene:1", xrefs=["ensembl:E"]),
        entity("Gene", "ncbigene:2", xrefs=["ensembl:E"]),
        entity("Gene", "ensembl:E"),
    ]
    for order in (claims, claims[::-1]):
        found = merged(*order)
        assert list(nodes(found, "Gene")) == ["ensembl:E", "ncbigene:1", "ncbigene:2"]
        (unclear,) = found.ambiguous
        assert (unclear.what, unclear.candidates) == ("ensembl:E", ("ncbigene:1", "ncbigene:2"))


def test_the_nearest_anchor_has_an_alias_that_reaches_two() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", xrefs=["ensembl:A"]),
        entity("Gene", "ensembl:A", xrefs=["ensembl:B"]),
        entity("Gene", "ncbigene:2", xrefs=["ensembl:B"]),
        entity("Gene", "ensembl:B"),
    )
    assert nodes(found, "Gene")["ncbigene:1"]["xrefs"] == ["ensembl:A", "ensembl:B"]
    assert nodes(found, "Gene")["ncbigene:2"]["xrefs"] == ["ensembl:B"]
    assert list(nodes(found, "Gene")) == ["ncbigene:1", "ncbigene:2"]


def test_two_living_ids_of_the_best_prefix_stay_apart_even_when_said_to_be_one() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", same_as=["ncbigene:2"]), entity("Gene", "ncbigene:2")
    )
    assert list(nodes(found, "Gene")) == ["ncbigene:1", "ncbigene:2"]
    assert [a.how for a in found.ambiguous] == ["same_as"]


def test_an_obsolete_id_is_what_replaced_it() -> None:
    found = merged(
        entity("Gene", "ncbigene:9", replaces=["ncbigene:5"]),
        entity("Gene", "ncbigene:5", "hetionet", replaces=["ncbigene:1"]),
        edge("REGULATES", ("Gene", "ncbigene:1"), ("Gene", "ncbigene:5")),
    )
    assert list(nodes(found, "Gene")) == ["ncbigene:9"]
    assert nodes(found, "Gene")["ncbigene:9"]["xrefs"] == ["ncbigene:1", "ncbigene:5"]
    (row,) = found.rows("REGULATES")
    assert (row["start"], row["end"], row["sign"]) == ("ncbigene:9", "ncbigene:9", 0)


def test_an_id_replaced_by_two_is_ambiguous_and_stands_apart() -> None:
    found = merged(
        entity("Protein", "uniprot:P1", replaces=["uniprot:OLD"]),
        entity("Protein", "uniprot:P2", replaces=["uniprot:OLD"]),
        edge("INTERACTS_WITH", ("Protein", "uniprot:OLD"), ("Protein", "uniprot:P1")),
    )
    assert len(found.rows("INTERACTS_WITH")) == 0
    (unclear,) = found.ambiguous
    assert (unclear.how, unclear.candidates) == ("replaces", ("uniprot:P1", "uniprot:P2"))
    assert found.rejected == {AMBIGUOUS_END: 1}


def test_a_loop_of_replacements_replaces_nothing() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", replaces=["ncbigene:2"]),
        entity("Gene", "ncbigene:2", replaces=["ncbigene:1"]),
    )
    assert len(nodes(found, "Gene")) == 2
    assert len(found.ambiguous) == 2


def test_self_loops() -> None:
    gene = ("Gene", "ncbigene:1")
    found = merged(
        entity(*gene, xrefs=["hgnc:1"]),
        edge("INTERACTS_WITH", gene, gene),
        edge("INTERACTS_WITH", gene, ("Gene", "hgnc:1")),
        edge("REGULATES", gene, ("Gene", "hgnc:1"), sign=-1),
    )
    assert len(found.rows("INTERACTS_WITH")) == 0
    assert len(found.rows("REGULATES")) == 1  # a regulator may regulate itself
    assert found.rejected == {SELF_LOOP: 1, SELF_LOOP_BY_IDENTITY: 1}
    assert found.pending.select("start", "end").rows() == [("hgnc:1", "ncbigene:1")]


def test_texts_by_rank_of_source_then_by_the_own_id_then_by_value() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", "zz", name="a", symbol="A", description="zz"),
        entity("Gene", "ncbigene:1", "hgnc", name="c", synonyms=["x"], xrefs=["hgnc:1"]),
        entity("Gene", "hgnc:1", "hgnc", name="b", symbol="B"),
    )
    (node,) = nodes(found, "Gene").values()
    assert (node["name"], node["symbol"], node["description"]) == ("c", "B", "zz")
    assert node["synonyms"] == ["A", "a", "b", "x"]


def test_the_ledger_keeps_each_claim() -> None:
    found = merged(
        entity("Gene", "ncbigene:1", "b", name='q"\n\\', xrefs=["omim:2", "hgnc:1"]),
        entity("Gene", "ncbigene:1", "a", release="", license="CC0"),
    )
    (node,) = nodes(found, "Gene").values()
    assert node["claims"] == [
        '{"id":"ncbigene:1","source":"a","license":"CC0"}',
        r'{"id":"ncbigene:1","name":"q\"\n\\","xrefs":["hgnc:1","omim:2"],"source":"b","release":"1"}',
    ]
