"""What each loader says about small files, checked by hand against their rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.reference_tables import tsv
from support.sources import FILES, SIF_ROWS, kinds, notes, read_source, rows, write_source

from tosg.loaders.sources.uniprot import ProteinNames, parse_names

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

Rows = list[dict[str, Any]]


def read(source: str, folder: Path) -> tuple[Rows, Rows, SourceLog]:
    write_source(source, folder)
    batches, log = read_source(source, folder)
    return rows(batches, "id"), rows(batches, "start"), log


def edges(relationships: Rows) -> list[tuple[str, str, str]]:
    return [(r["type"], r["start"], r["end"]) for r in relationships]


def one(entities: Rows, id_: str, file: str | None = None) -> dict[str, Any]:
    return next(e for e in entities if e["id"] == id_ and file in (None, e["file"]))


def test_hetionet_nodes(tmp_path: Path) -> None:
    entities, _, log = read("hetionet", tmp_path)
    assert [(e["type"], e["id"], e["line"]) for e in entities] == [
        ("Anatomy", "uberon:0000002", 2),
        ("BiologicalProcess", "go:0000001", 3),
        ("CellularComponent", "go:0000002", 4),
        ("Drug", "drugbank:DB00014", 5),
        ("Drug", "drugbank:DB00015", 6),
        ("Disease", "doid:14", 7),
        ("Disease", "doid:15", 8),
        ("Gene", "ncbigene:11", 9),
        ("Gene", "ncbigene:12", 10),
        ("MolecularFunction", "go:0000003", 11),
        ("Pathway", "hetionet:PC7_10399", 12),
        ("Pathway", "wikipathways:WP100", 13),
        ("DrugClass", "ndfrt:N0000000069", 14),
        ("Phenotype", "umls:C0000727", 15),
        ("Phenotype", "mesh:D000006", 16),
        ("Gene", "ncbigene:11", 17),
        ("Disease", "doid:14", 20),
    ]
    assert one(entities, "go:0000001")["name"] == 'the "first" process'
    assert one(entities, "ncbigene:11")["symbol"] == "AAA1"
    assert "symbol" not in one(entities, "doid:14")
    assert {(e["type"], e["id"].split(":")[0], e["license"]) for e in entities} == {
        ("Anatomy", "uberon", "CC BY 3.0"),
        ("BiologicalProcess", "go", "CC BY 4.0"),
        ("CellularComponent", "go", "CC BY 4.0"),
        ("Drug", "drugbank", "CC BY-NC 4.0"),
        ("Disease", "doid", "CC BY 3.0"),
        ("Gene", "ncbigene", "CC0 1.0"),
        ("MolecularFunction", "go", "CC BY 4.0"),
        ("Pathway", "hetionet", ""),
        ("Pathway", "wikipathways", ""),
        ("DrugClass", "ndfrt", "CC BY 4.0"),
        ("Phenotype", "umls", "CC BY-NC-SA 4.0"),
        ("Phenotype", "mesh", "CC0 1.0"),
    }
    assert log.release == "1.0"
    assert kinds(log, "hetionet-v1.0-nodes.tsv") == {
        "unknown or contradicting kind": (2, 18),
        "bad identifier": (1, 21),
        "wrong number of fields": (1, 22),
    }
    assert notes(log, "hetionet-v1.0-nodes.tsv") == {"identifier given more than once": 2}


def test_hetionet_metaedges(tmp_path: Path) -> None:
    _, relationships, log = read("hetionet", tmp_path)
    sif = [r for r in relationships if r["file"] == "edges.sif.gz"]
    assert len(SIF_ROWS) == 24
    assert [(r["line"], *e) for r, e in zip(sif, edges(sif), strict=True)] == [
        (2, "DOWNREGULATED_IN", "ncbigene:11", "uberon:0000002"),
        (3, "EXPRESSED_IN", "ncbigene:11", "uberon:0000002"),
        (4, "UPREGULATED_IN", "ncbigene:11", "uberon:0000002"),
        # Line 5, a CbG edge, is in the table that states its licence.
        (6, "CAUSES", "drugbank:DB00014", "umls:C0000727"),
        (7, "DOWNREGULATES", "drugbank:DB00014", "ncbigene:11"),
        (8, "PALLIATES", "drugbank:DB00014", "doid:14"),
        (9, "RESEMBLES", "drugbank:DB00014", "drugbank:DB00015"),
        (10, "TREATS", "drugbank:DB00014", "doid:14"),
        (11, "UPREGULATES", "drugbank:DB00014", "ncbigene:11"),
        # So is line 12, a DaG edge.
        (13, "DOWNREGULATED_IN", "ncbigene:11", "doid:14"),
        (14, "LOCALIZES_TO", "doid:14", "uberon:0000002"),
        (15, "HAS_PHENOTYPE", "doid:14", "mesh:D000006"),
        (16, "RESEMBLES", "doid:14", "doid:15"),
        (17, "UPREGULATED_IN", "ncbigene:11", "doid:14"),
        (18, "COVARIES_WITH", "ncbigene:11", "ncbigene:12"),
        (19, "INTERACTS_WITH", "ncbigene:11", "ncbigene:12"),
        (20, "PARTICIPATES_IN", "ncbigene:11", "go:0000001"),
        (21, "LOCATED_IN", "ncbigene:11", "go:0000002"),
        (22, "HAS_FUNCTION", "ncbigene:11", "go:0000003"),
        (23, "PARTICIPATES_IN", "ncbigene:11", "wikipathways:WP100"),
        (24, "REGULATES", "ncbigene:11", "ncbigene:12"),
        (25, "MEMBER_OF", "drugbank:DB00014", "ndfrt:N0000000069"),
        (29, "PARTICIPATES_IN", "ncbigene:12", "hetionet:PC7_10399"),
        (30, "ASSOCIATED_WITH", "ncbigene:12", "doid:15"),
    ]
    assert [r["sign"] for r in sif if "sign" in r] == [0]
    stated = {r["type"]: r["license"] for r in sif if r["type"] != "PARTICIPATES_IN"}
    assert stated["CAUSES"] == "CC BY-NC-SA 4.0"
    assert stated["TREATS"] == stated["RESEMBLES"] == "CC0 1.0"
    assert stated["HAS_FUNCTION"] == stated["MEMBER_OF"] == "CC BY 4.0"
    assert {t for t, license_ in stated.items() if not license_} == {
        *("ASSOCIATED_WITH", "COVARIES_WITH", "DOWNREGULATES", "EXPRESSED_IN"),
        *("INTERACTS_WITH", "REGULATES", "UPREGULATES"),
    }
    assert {(r["start_type"], r["end_type"]) for r in sif if r["type"] == "RESEMBLES"} == {
        ("Drug", "Drug"),
        ("Disease", "Disease"),
    }
    assert kinds(log, "edges.sif.gz") == {
        "unknown metaedge": (1, 26),
        "ends do not fit the metaedge": (1, 27),
        "bad identifier": (1, 28),
    }
    assert notes(log, "edges.sif.gz") == {
        "edge taken from the table that states its licence": 2,
        "another number of rows than the file states": 1,  # the table of metaedges says 2
    }
    assert kinds(log, "metaedges.tsv") == {"unknown metaedge": (1, 3)}


def test_hetionet_without_its_tables(tmp_path: Path) -> None:
    write_source("hetionet", tmp_path)
    for name in ("DaG-association.tsv", "CbG-binding.tsv", "metaedges.tsv"):
        (tmp_path / name).unlink()
    batches, _ = read_source("hetionet", tmp_path)
    found = {r["line"]: r for r in rows(batches, "start")}
    assert (found[5]["type"], found[5]["start"]) == ("TARGETS", "drugbank:DB00014")
    assert (found[12]["type"], found[12]["start"]) == ("ASSOCIATED_WITH", "ncbigene:11")


def test_hetionet_tables(tmp_path: Path) -> None:
    _, relationships, log = read("hetionet", tmp_path)
    diseases = [r for r in relationships if r["file"] == "DaG-association.tsv"]
    assert [(r["start"], r["end"], r["license"], r["evidence"]) for r in diseases] == [
        ("ncbigene:11", "doid:14", "ODbL 1.0", '{"sources":["DISEASES","DisGeNET"]}'),
        ("ncbigene:12", "doid:14", "", '{"sources":["GWAS Catalog"]}'),
    ]
    drugs = [r for r in relationships if r["file"] == "CbG-binding.tsv"]
    assert [(r["end"], r.get("action"), r["license"], r["line"]) for r in drugs] == [
        ("ncbigene:11", "inhibitor", "CC BY-NC 4.0", 2),
        ("ncbigene:11", "antagonist", "CC BY-NC 4.0", 2),
        ("ncbigene:12", None, "", 3),
    ]
    assert json.loads(drugs[0]["evidence"]) == {
        "affinity_nM": 62.4,
        "pubmed_ids": ["105", "109"],
        "sources": ["DrugBank (target)", "ChEMBL"],
        "urls": ["https://x.org/1", "https://x.org/2"],
    }
    assert drugs[2]["evidence"] == '{"sources":["PDSP Ki"]}'
    assert kinds(log, "CbG-binding.tsv") == {"bad identifier": (1, 4)}
    assert notes(log, "CbG-binding.tsv") == {"affinity that is no number": 1}
    assert kinds(log, "DaG-association.tsv") == {"bad identifier": (1, 4)}


def test_ncbi_gene(tmp_path: Path) -> None:
    entities, _, log = read("ncbi_gene@old", tmp_path)
    assert [e["id"] for e in entities] == [f"ncbigene:{n}" for n in (11, 12, 13, 14, 15, 16, 11)]
    assert entities[0] == {
        "type": "Gene",
        "id": "ncbigene:11",
        "name": "alpha one",
        "symbol": "AAA1",
        "description": "first\u00df; second",
        "synonyms": ["ALT1", "SHARED"],
        "xrefs": ["omim:138670", "hgnc:5", "ensembl:ENSG00000000011"],
        "part": "",
        "source": "ncbi_gene",
        "license": "Public domain (US)",
        "release": "excerpt of 2015-06-07",
        "file": "Homo_sapiens.gene_info.gz",
        "line": 2,
    }
    assert kinds(log, "Homo_sapiens.gene_info.gz") == {
        "other species": (1, 9),
        "placeholder, not a gene": (1, 8),
        "bad identifier": (1, 10),
    }
    assert notes(log, "Homo_sapiens.gene_info.gz") == {
        "cross-reference of an unknown kind, left out": 1,
        "identifier given more than once": 1,
        "symbol of several genes": 3,
        "excerpt, not the whole file": 1,
    }


def test_gene_info_with_a_newer_header(tmp_path: Path) -> None:
    text = FILES["ncbi_gene@old"]["gene_info"][1]
    header, _, body = text.partition("\n")
    names = header.removeprefix("#Format: ").split(" (tab is")[0].split(" ")
    newer = "#" + "\t".join([*names, "Feature_type"]) + "\n"
    newer += "".join(f"{line}\t-\n" for line in body.splitlines())
    write_source("ncbi_gene@old", tmp_path / "old")
    write_source("ncbi_gene@old", tmp_path / "new", {"gene_info": newer.encode()})
    old, new = (read_source("ncbi_gene@old", tmp_path / folder)[0] for folder in ("old", "new"))
    assert old == new


def test_hgnc(tmp_path: Path) -> None:
    entities, relationships, log = read("hgnc@old", tmp_path)
    assert one(entities, "hgnc:5")["name"] == "alpha one"
    assert one(entities, "hgnc:5")["symbol"] == "AAA1"
    assert one(entities, "hgnc:5")["xrefs"] == [
        "ncbigene:11",
        "ensembl:ENSG00000000011",
        "refseq:NM_020039",
    ]
    assert one(entities, "hgnc:6")["name"] == "BBB2"
    family = one(entities, "hgnc.genegroup:100")
    assert (family["type"], family["release"]) == ("GeneFamily", "2025-10-07")
    assert family["description"] == 'Kinases, (mostly) of "alpha" type.'
    assert family["synonyms"] == ["AF", "Alphas"]
    assert edges(relationships) == [
        ("ENCODES", "hgnc:5", "uniprot:P00011"),
        ("MEMBER_OF", "hgnc:5", "hgnc.genegroup:100"),
        ("IS_A", "hgnc.genegroup:100", "hgnc.genegroup:101"),
    ]
    assert log.release == "2021-09-16"
    assert kinds(log, "hgnc.json.gz") == {
        "node that is no gene": (1, 1),
        "obsolete": (1, 4),
        "bad identifier": (2, 5),
        "kind of gene, not stored": (1, 6),
        "gene of another species": (1, 9),
        "unknown predicate": (1, 10),
    }
    assert kinds(log, "hgnc.genegroup.obo") == {"of another ontology": (1, 23)}


def test_uniprot(tmp_path: Path) -> None:
    entities, _, log = read("uniprot@old", tmp_path)
    first = entities[0]
    assert (first["id"], first["name"], first["symbol"]) == (
        "uniprot:P00011",
        "Alpha kinase 1",
        "AAA1",
    )
    assert first["synonyms"] == ["Kinase (type a) 1", "AK1", "ALT1"]
    assert first["xrefs"] == ["ec:2.7.11.1"]
    assert [e["id"] for e in entities[1:]] == ["uniprot:P00012", "uniprot:A0A0A0B1C2"]
    assert "symbol" not in entities[1]
    assert entities[2]["symbol"] == "EEE5"
    assert entities[2]["synonyms"] == ["Leu(A) form", "EEE6", "E6"]
    assert kinds(log, "uniprot.tab") == {"other species": (1, 4), "bad identifier": (1, 5)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain", ProteinNames("Plain", (), ())),
        (
            "Synthase (EC 1.14.13.39) (NOS (type III)) (a(b(c)))",
            ProteinNames("Synthase", ("NOS (type III)", "a(b(c))"), ("1.14.13.39",)),
        ),
        (
            "Ligase [ADP-forming] subunit (X)",
            ProteinNames("Ligase [ADP-forming] subunit", ("X",), ()),
        ),
        ("Poly(A) polymerase(2)", ProteinNames("Poly(A) polymerase(2)", (), ())),
        ("Gene (Fragments)", ProteinNames("Gene", (), ())),
        ("A (B) [Includes: C (EC 1.1.1.1); D]", ProteinNames("A", ("B",), ())),
        ("Odd) (one", ProteinNames("Odd) (one", (), ())),
        ("Odd (one))", ProteinNames("Odd (one))", (), ())),
        ("(only)", ProteinNames("(only)", (), ())),
    ],
)
def test_protein_names(text: str, expected: ProteinNames) -> None:
    assert parse_names(text) == expected


def test_goa(tmp_path: Path) -> None:
    entities, relationships, log = read("goa@old", tmp_path)
    term = one(entities, "go:0000001", "go-2009-05-15.owl.gz")
    assert (term["type"], term["release"]) == ("BiologicalProcess", "2009-05-15")
    assert term["description"] == "What comes 'first' & stays."
    assert term["synonyms"] == ["process one"]
    assert edges(relationships) == [
        ("IS_A", "go:0000001", "go:0000009"),
        ("PART_OF", "go:0000001", "go:0000009"),
        ("PARTICIPATES_IN", "ncbigene:11", "go:0000001"),
        ("PARTICIPATES_IN", "ncbigene:12", "go:0000001"),
        ("LOCATED_IN", "ncbigene:11", "go:0000002"),
        ("HAS_FUNCTION", "ncbigene:12", "go:0000003"),
    ]
    assert {r["evidence"] for r in relationships[2:]} == {'{"annotation_type":"direct"}'}
    annotations = "GO_annotations-9606-direct-expev.tsv"
    assert kinds(log, annotations) == {
        "other species": (1, 5),
        "unknown domain of a term": (1, 6),
        "bad identifier": (1, 7),
    }
    assert notes(log, annotations) == {
        "bad identifier in gene_ids, left out": 1,
        "excerpt, not the whole file": 1,
    }


def test_pathways_meet_those_of_hetionet(tmp_path: Path) -> None:
    entities, relationships, log = read("pathways", tmp_path / "p")
    assert [(e["id"], e["license"]) for e in entities] == [
        ("hetionet:PC7_10399", "CC0 1.0"),
        ("wikipathways:WP100", "CC BY 3.0"),
    ]
    assert [(r["start"], r["end"], r["license"]) for r in relationships] == [
        ("ncbigene:11", "hetionet:PC7_10399", "CC0 1.0"),
        ("ncbigene:12", "hetionet:PC7_10399", "CC0 1.0"),
        ("ncbigene:12", "wikipathways:WP100", "CC BY 3.0"),
    ]
    assert relationships[2]["evidence"] == '{"identifier":"WP100_r74146","source":"wikipathways"}'
    theirs, _, _ = read("hetionet", tmp_path / "h")
    assert {e["id"] for e in entities} <= {e["id"] for e in theirs}
    assert kinds(log, "pathways.tsv") == {"bad identifier": (1, 4)}


def test_disease_ontology(tmp_path: Path) -> None:
    entities, relationships, log = read("disease_ontology", tmp_path)
    old = one(entities, "doid:14", "HumanDO.obo")
    assert old["description"] == "A disease, of some kind."
    assert old["synonyms"] == ["SD"]
    assert old["xrefs"] == ["mesh:D006394", "snomedct:33176006"]
    # doid:15 is an alternative id of 14 and a term of its own: the term wins.
    assert old["replaces"] == ["doid:140", "doid:17"]
    assert (old["license"], old["release"]) == ("CC BY 3.0", "2015-05-14")
    assert {e["file"]: e["part"] for e in entities} == {
        "HumanDO.obo": "terms",
        "facets.tsv.gz": "",
        "allXREFinDO.tsv": "xrefs",
    }
    newer = one(entities, "doid:14", "facets.tsv.gz")
    assert (newer["description"], newer["license"]) == ('It hurts a "lot".', "CC0 1.0")
    assert one(entities, "doid:14", "allXREFinDO.tsv")["xrefs"] == ["omim:264300", "umls:C0000001"]
    assert [e["id"] for e in entities if e["file"] == "facets.tsv.gz"] == ["doid:14", "doid:18"]
    assert edges(relationships) == [("IS_A", "doid:14", "doid:15")]
    assert kinds(log, "HumanDO.obo") == {
        "obsolete": (1, 25),
        "obsolete, replaced": (1, 30),
        "identifier given before": (1, 36),
    }
    assert kinds(log, "facets.tsv.gz") == {"bad identifier": (1, 5)}


def test_disease_that_has_another_name_today(tmp_path: Path) -> None:
    text = FILES["disease_ontology"]["terms"][1].replace("name: some disease", "name: old name")
    write_source("disease_ontology", tmp_path, {"terms": text.encode()})
    batches, log = read_source("disease_ontology", tmp_path)
    old = one(rows(batches, "id"), "doid:14", "HumanDO.obo")
    assert (old["name"], old["synonyms"]) == ("some disease", ["SD", "old name"])
    assert notes(log, "HumanDO.obo")["term that has another name today"] == 1


def test_alternative_id_that_is_a_disease_of_its_own_today(tmp_path: Path) -> None:
    text = FILES["disease_ontology"]["terms"][1].replace("alt_id: DOID:140", "alt_id: DOID:18")
    write_source("disease_ontology", tmp_path, {"terms": text.encode()})
    batches, log = read_source("disease_ontology", tmp_path)
    assert one(rows(batches, "id"), "doid:14", "HumanDO.obo")["replaces"] == ["doid:17"]
    assert notes(log, "HumanDO.obo")["alternative id that is a term of its own today"] == 1


def test_small_ontologies(tmp_path: Path) -> None:
    diseases, _, log = read("mondo@old", tmp_path / "mondo")
    assert [(e["type"], e["id"], e["name"]) for e in diseases] == [
        ("Disease", "mondo:0000014", "some disease"),
        ("Disease", "mondo:0000015", "other \u201cdisease\u201d"),
    ]
    assert diseases[0]["synonyms"] == ["SD", "some illness"]
    assert kinds(log, "mondo.min.tsv.gz") == {"obsolete": (1, 2), "bad identifier": (1, 3)}
    cells, links, log = read("cl", tmp_path / "cl")
    slim = "general_cell_types_upper_slim.obo"
    assert [(e["type"], e["id"]) for e in cells if e["file"] == slim] == [
        ("CellType", "cl:0000084"),
        ("Anatomy", "uberon:0000178"),
        ("BiologicalProcess", "go:0042098"),
    ]
    assert edges(links)[:2] == [
        ("IS_A", "cl:0000084", "cl:0000542"),
        ("PART_OF", "cl:0000084", "uberon:0000178"),
    ]
    assert kinds(log, slim) == {"of another ontology": (1, 24)}
    organs, _, _ = read("uberon@old", tmp_path / "uberon")
    assert [(e["type"], e["id"]) for e in organs] == [("Anatomy", "uberon:0000178")]


def test_drugcentral(tmp_path: Path) -> None:
    entities, _, log = read("drugcentral", tmp_path)
    assert [(e["id"], e["file"]) for e in entities] == [
        ("drugcentral:1", "drugcentral-2021_09_01.obo"),
        ("drugcentral:1", "drugcentral.tsv"),
        ("drugcentral:3", "drugcentral.tsv"),
    ]
    assert entities[0]["xrefs"] == ["cas:65807-02-5", "inchikey:BLCLNMBMMGCOAS-URPVMXJPSA-N"]
    assert entities[1]["description"] == 'Called "g" by some.'
    assert entities[1]["synonyms"] == ["zoladex", "goserelinum"]
    assert kinds(log, "drugcentral.tsv") == {"bad identifier": (1, 3)}


def test_drugcentral_with_names_at_other_identifiers(tmp_path: Path) -> None:
    text = tsv(
        "identifier ; name ; definition ; synonyms ; alts ; parents ; species",
        "1 ; Apirin ; about apirin ; goserelin|zoladex ;  ;  ; ",
        "2 ; Goserelin ; about goserelin ; bufenol|bufen ;  ;  ; ",
        "3 ; Bufenol ;  ; apirin|asa ;  ;  ; ",
        "4 ; Nowhere ; about it ;  ;  ;  ; ",
    )
    write_source("drugcentral", tmp_path, {"drugs": text.encode()})
    batches, log = read_source("drugcentral", tmp_path)
    table = [e for e in rows(batches, "id") if e["file"] == "drugcentral.tsv"]
    assert [
        (e["id"], e["name"], e.get("description"), e["synonyms"], e["line"]) for e in table
    ] == [
        ("drugcentral:3", "Apirin", "about apirin", ["apirin", "asa"], 2),
        ("drugcentral:1", "Goserelin", "about goserelin", ["goserelin", "zoladex"], 3),
        ("drugcentral:2", "Bufenol", None, ["bufenol", "bufen"], 4),
    ]
    assert kinds(log, "drugcentral.tsv") == {"name of another identifier, unknown which": (1, 5)}
    assert notes(log, "drugcentral.tsv") == {"name moved to the identifier it belongs to": 3}


def test_indications(tmp_path: Path) -> None:
    entities, relationships, log = read("indications", tmp_path)
    assert [(e["type"], e["id"], e["name"], e["license"], e["line"]) for e in entities] == [
        ("Drug", "drugbank:DB00014", "Goserelin", "CC0 1.0", 2),
        ("Disease", "doid:14", "some disease", "CC0 1.0", 2),
        ("Disease", "doid:15", "other disease", "CC0 1.0", 3),
    ]
    assert edges(relationships) == [
        ("TREATS", "drugbank:DB00014", "doid:14"),
        ("PALLIATES", "drugbank:DB00014", "doid:15"),
    ]
    assert relationships[1]["evidence"] == '{"n_curators":3,"n_resources":4}'
    assert kinds(log, "indications.tsv") == {
        "not an indication": (1, 4),
        "unknown category": (1, 5),
        "bad identifier": (1, 6),
    }


def test_intact(tmp_path: Path) -> None:
    _, relationships, log = read("intact@old", tmp_path)
    assert [(r["start"], r["end"], r["line"], r["evidence"]) for r in relationships] == [
        ("uniprot:A0A0A0B1C2", "uniprot:P00011", 10, '{"evidence_count":1}'),
        (
            "uniprot:P00011",
            "uniprot:P00012",
            2,
            '{"evidence_count":3,"isoforms":["P00011-2","P00012-PRO_0000045"]}',
        ),
    ]
    file = "IntAct_interaction_raw.csv.xz"
    assert kinds(log, file) == {
        "interactor that is no UniProt protein": (1, 5),
        "interactor missing": (1, 7),
        "protein that is not in the human table": (1, 9),
    }
    assert notes(log, file) == {
        "excerpt, not the whole file": 1,
        "protein that interacts with itself, kept out": 1,
        "pair given again, counted as evidence": 2,
    }


def test_trrust(tmp_path: Path) -> None:
    _, relationships, log = read("trrust", tmp_path)
    assert [(r["start"], r["end"], r["sign"], r["line"]) for r in relationships] == [
        ("ncbigene:11", "ncbigene:12", 1, 1),
        ("ncbigene:11", "ncbigene:12", -1, 2),  # contradicts line 1: both stay
        ("ncbigene:11", "ncbigene:12", 1, 3),
        ("ncbigene:11", "ncbigene:15", 0, 4),  # ALT1 is a synonym; the approved OFF is gene 15
        ("ncbigene:11", "ncbigene:11", 0, 8),
    ]
    assert relationships[0]["evidence"] == '{"mode":"Activation","pubmed_ids":["45","123"]}'
    assert relationships[3]["evidence"] == '{"mode":"Unknown","pubmed_ids":["9"]}'
    assert kinds(log, "trrust_rawdata.human.tsv") == {
        "ambiguous symbol": (2, 5),
        "unknown symbol": (1, 7),
        "unknown mode": (1, 9),
    }
    assert notes(log, "trrust_rawdata.human.tsv") == {
        "symbol found as alias": 1,
        "row given again": 1,
        "factor that regulates itself": 1,
        "reference that is no PubMed number, left out": 1,
    }


def test_demo(tmp_path: Path) -> None:
    entities, relationships, log = read("demo", tmp_path)
    assert [(e["type"], e["id"]) for e in entities] == [
        ("Gene", "ncbigene:11"),
        ("Gene", "ncbigene:12"),
        ("Gene", "ncbigene:13"),
        ("Protein", "uniprot:P00011"),
        ("Protein", "uniprot:P00012"),
        ("Drug", "drugbank:DB00014"),
        ("Disease", "mondo:0000001"),
    ]
    assert entities[0]["symbol"] == "AAA1"
    assert entities[0]["synonyms"] == ["OLD1"]
    assert entities[0]["xrefs"] == ["hgnc:5"]
    assert entities[0]["description"] == "Kinase that starts it."
    assert entities[3]["name"] == "alpha one"
    target = ("TARGETS", "drugbank:DB00014", "ncbigene:11", None, "inhibitor")
    assert [
        (r["type"], r["start"], r["end"], r.get("sign"), r.get("action")) for r in relationships
    ] == [
        ("ENCODES", "ncbigene:11", "uniprot:P00011", None, None),
        ("ENCODES", "ncbigene:12", "uniprot:P00012", None, None),
        ("INTERACTS_WITH", "uniprot:P00011", "uniprot:P00012", None, None),
        ("INTERACTS_WITH", "ncbigene:11", "ncbigene:13", None, None),  # one has no protein
        ("PHOSPHORYLATES", "uniprot:P00011", "uniprot:P00012", None, None),
        ("REGULATES", "ncbigene:11", "ncbigene:12", -1, None),
        target,
        target,
        ("ASSOCIATED_WITH", "ncbigene:12", "mondo:0000001", None, None),
    ]
    assert log.release == "1"
    assert kinds(log, "genes.tsv") == {"bad identifier": (2, 5), "no symbol": (1, 7)}
    assert kinds(log, "terms.tsv") == {"bad identifier": (1, 4)}
    assert kinds(log, "relationships.tsv") == {
        "end that is not listed": (1, 9),
        "bad sign": (1, 10),
    }
    assert notes(log, "relationships.tsv") == {"row given again": 1}
