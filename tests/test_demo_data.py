"""The demo's tables: whole in themselves, and right where the original files can tell."""

from __future__ import annotations

import csv
import gzip
import re
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.sources import rows

import tosg.demo
from tosg.demo.cells import blood_cells
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.spool import Spool
from tosg.kg.schema.types import relationship_types
from tosg.loaders import registry

DATA = Path(tosg.demo.__file__).parent / "data"


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


GENES, TERMS, RELATIONSHIPS = table("genes"), table("terms"), table("relationships")
TYPES = {g["symbol"]: "Gene" for g in GENES} | {t["id"]: t["type"] for t in TERMS}


def test_there_is_enough_of_it() -> None:
    assert len(GENES) >= 400
    assert len(TERMS) >= 150
    assert len(RELATIONSHIPS) >= 2000
    kinds = {r["type"] for r in RELATIONSHIPS}
    assert {"TARGETS", "TREATS", "REGULATES", "INTERACTS_WITH", "HAS_FUNCTION"} <= kinds
    assert {r["sign"] for r in RELATIONSHIPS if r["type"] == "REGULATES"} == {"1", "-1"}


def test_nothing_is_there_twice() -> None:
    for column in ("symbol", "ncbigene", "hgnc", "uniprot"):
        given = [g[column] for g in GENES if g[column]]
        assert len(set(given)) == len(given), column
    assert len({t["id"] for t in TERMS}) == len(TERMS)
    assert len({(t["type"], t["name"].casefold()) for t in TERMS}) == len(TERMS)
    directed = {n: t.directed for n, t in relationship_types().items()}
    keys = []
    for r in RELATIONSHIPS:
        ends = (r["start"], r["end"])
        ends = ends if directed[r["type"]] else (min(ends), max(ends))
        keys.append((r["type"], *ends, r["sign"], r["action"]))
    assert len(set(keys)) == len(keys)


def test_a_former_symbol_is_nobody_elses() -> None:
    symbols = {g["symbol"] for g in GENES}
    assert not symbols & {g["former_symbol"] for g in GENES}


def test_everything_has_a_name_and_a_text() -> None:
    for row in (*GENES, *TERMS):
        assert row["name"].strip(), row
        assert re.fullmatch(r"[A-Z0-9(].*\.", row["text"]), row


def test_every_end_is_listed_and_every_pair_is_allowed() -> None:
    for r in RELATIONSHIPS:
        pair = (TYPES[r["start"]], TYPES[r["end"]])
        known = relationship_types()[r["type"]]
        assert pair in known.pairs, r
        assert bool(r["sign"]) == ("sign" in known.keys), r
        assert bool(r["action"]) == ("action" in known.keys), r
        assert r["start"] != r["end"] or known.self_loops, r


def test_every_term_is_tied_to_something() -> None:
    tied = {end for r in RELATIONSHIPS for end in (r["start"], r["end"])}
    labels = set(cell_labels().values())  # cells are tied to these
    assert {t["id"] for t in TERMS} - tied - labels == set()


def pairs(type_: str) -> set[tuple[str, str]]:
    """Start and end of all relationships of a type."""
    return {(r["start"], r["end"]) for r in RELATIONSHIPS if r["type"] == type_}


def test_cells_of_the_blood_are_leukocytes() -> None:
    above = dict(pairs("IS_A"))
    for t in TERMS:
        if t["type"] == "CellType" and t["name"] != "hematopoietic precursor cell":
            kind = t["id"]
            while kind in above:
                kind = above[kind]
            assert kind == "cl:0000738", t


def test_a_protein_of_the_surface_is_in_no_other_membrane() -> None:
    """The table names the chief place of a protein: surface, organelle or cytosol, one of them."""
    ids = {t["name"]: t["id"] for t in TERMS}
    places = pairs("LOCATED_IN")

    def within(*names: str) -> set[str]:
        return {gene for gene, place in places if place in {ids[name] for name in names}}

    surface = within("plasma membrane", "external side of plasma membrane")
    inside = within("endosome", "endoplasmic reticulum", "mitochondrion", "cytosol", "nucleus")
    assert surface & inside == set()
    assert {"TLR3", "TLR7", "TLR9"} <= within("endosome")


def test_every_claim_is_taken() -> None:
    loader = registry.make("demo")
    log = SourceLog("demo")
    batches = list(loader.claims(loader.locate([DATA]), log))
    with Spool() as spool:
        for batch in batches:
            spool.add(batch)
        assert spool.rejections() == []
    assert [r for file in log.files.values() for r in file.rejections] == []
    assert [n for file in log.files.values() for n in file.notes] == []
    proteins = sum(1 for g in GENES if g["uniprot"])
    assert len(rows(batches, "id")) == len(GENES) + proteins + len(TERMS)
    claimed = rows(batches, "start")
    assert len(claimed) == len(RELATIONSHIPS) + proteins
    physical = [r for r in claimed if r["type"] in ("INTERACTS_WITH", "PHOSPHORYLATES")]
    assert {(r["start_type"], r["end_type"]) for r in physical} == {("Protein", "Protein")}


def cell_labels() -> dict[str, str]:
    """Label of the demo's cells -> cell type."""
    document: dict[str, Any] = yaml.safe_load((DATA / "cells.yaml").read_text(encoding="utf-8"))
    found: dict[str, str] = document["cell_type"]["values"]
    return found


@pytest.mark.extras
def test_labels_of_the_cells_lead_to_cell_types() -> None:
    pytest.importorskip("scanpy")
    import h5py

    with h5py.File(blood_cells()) as file:
        # In the layout of old anndata versions, and in today's should scanpy rewrite the file.
        places = ("uns/bulk_labels_categories", "obs/bulk_labels/categories")
        place = next(p for p in places if p in file)
        labels = {name.decode() for name in file[place][:]}
        old = "raw.var" in file
        names = (
            file["raw.var"]["index"] if old else file["raw/var"][file["raw/var"].attrs["_index"]]
        )
        measured = {name.decode() for name in names[:]}
    assert labels == set(cell_labels())
    assert {TYPES[id_] for id_ in cell_labels().values()} == {"CellType"}
    assert len(measured & {g[c] for g in GENES for c in ("symbol", "former_symbol")}) >= 150


# Against the original files.

SIGNS = {"Activation": "1", "Repression": "-1"}

#: Signs that TRRUST gives the other way round, from one paper each, against many.
AGAINST_TRRUST = {("BCL6", "MYC"), ("JUN", "IL2"), ("PAX5", "BLK"), ("STAT1", "CXCL10")}


@cache
def named(path: Path, column: int = 1, *, key: int = 0) -> dict[str, str]:
    """One column -> another, of a table; lines with a header among them."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    split = (line.split("\t") for line in text.replace("\r\n", "\n").split("\n"))
    return {fields[key]: fields[column] for fields in split if len(fields) > column}


def claimed(source: str, *paths: Path) -> list[dict[str, Any]]:
    """What a loader says about entities."""
    loader = registry.make(source)
    batches = loader.claims(loader.locate(paths), SourceLog(source))
    return rows([b for b in batches if "id" in b.schema.names], "id")


def test_genes_are_those_of_hgnc(shared_data: Path) -> None:
    folder = shared_data / "obo-db-ingest"
    stated = {e["id"]: e for e in claimed("hgnc", folder) if e["type"] == "Gene"}
    for g in GENES:
        gene = stated[f"hgnc:{g['hgnc']}"]
        assert gene["name"] == g["name"]
        # Where HGNC renamed a gene after this file, its symbol there is the former one.
        assert gene["symbol"] in (g["symbol"], g["former_symbol"])
        assert f"ncbigene:{g['ncbigene']}" in gene["xrefs"], g


def test_former_symbols_are_those_of_ncbi(shared_data: Path) -> None:
    path = shared_data / "entrez-gene" / "Homo_sapiens.gene_info.gz"
    symbols, synonyms = named(path, 2, key=1), named(path, 4, key=1)
    for g in GENES:
        if g["former_symbol"]:
            known = {symbols[g["ncbigene"]], *synonyms[g["ncbigene"]].split("|")}
            assert g["former_symbol"] in known, g


def test_proteins_are_those_of_uniprot(shared_data: Path) -> None:
    genes = named(shared_data / "cellphonedb" / "uniprot.tab", 4)
    organisms = named(shared_data / "cellphonedb" / "uniprot.tab", 5)
    for g in GENES:
        if g["uniprot"]:
            assert organisms[g["uniprot"]] == "Homo sapiens (Human)", g
            names = genes[g["uniprot"]].replace(";", " ").split()
            assert {g["symbol"], g["former_symbol"]} & set(names), (g, names)


@pytest.mark.parametrize(
    ("type_", "file"), [("Disease", "mondo"), ("CellType", "cl"), ("Anatomy", "uberon")]
)
def test_terms_are_those_of_the_ontologies(type_: str, file: str, shared_data: Path) -> None:
    stated = named(shared_data / "scp-ontologies" / f"{file}.min.tsv.gz")
    for t in TERMS:
        if t["type"] == type_:
            assert stated[t["id"].upper().replace(":", "_")] == t["name"], t


def test_functions_are_those_of_the_gene_ontology(shared_data: Path) -> None:
    folder = shared_data / "gene-ontology"
    stated = {e["id"]: (e["type"], e.get("name")) for e in claimed("goa", folder)}
    kinds = ("BiologicalProcess", "MolecularFunction", "CellularComponent")
    for t in TERMS:
        if t["type"] in kinds:
            assert stated[t["id"]] == (t["type"], t["name"]), t


def test_drugs_and_pathways_are_in_the_original_files(shared_data: Path) -> None:
    nodes = named(shared_data / "hetionet" / "hetionet-v1.0-nodes.tsv")
    listed = named(shared_data / "pathways" / "pathways.tsv")
    pathways = {key.partition("_")[0]: name for key, name in listed.items() if key[:2] == "WP"}
    drugs = named(shared_data / "obo-db-ingest" / "drugcentral.tsv").values()
    others = {name.casefold() for name in drugs}
    for t in TERMS:
        local = t["id"].partition(":")[2]
        if t["type"] == "Drug":
            # Hetionet has the small molecules of 2016; antibodies and newer drugs go by name.
            name = nodes.get(f"Compound::{local}")
            assert name == t["name"] if name else t["name"].casefold() in others, (t, name)
        if t["type"] == "Pathway":
            assert pathways[local] == t["name"], t


def test_members_of_pathways_are_in_a_release(shared_data: Path) -> None:
    """In the list of 2015, or among the data nodes of the newer drawing, by number or label."""
    listed = named(shared_data / "pathways" / "pathways.tsv", 7)
    known = {
        key.partition("_")[0]: set(genes.split("|"))
        for key, genes in listed.items()
        if key[:2] == "WP"
    }
    wanted = {t["id"].partition(":")[2] for t in TERMS if t["type"] == "Pathway"}
    drawings = shared_data / "wikipathways" / "wikipathways-human-gpml.tar.gz"
    with tarfile.open(drawings) as archive:
        for member in archive:
            _, pathway, name = member.name.split("/")
            if pathway in wanted and name == f"{pathway}-datanodes.tsv":
                file = archive.extractfile(member)
                assert file is not None
                lines = file.read().decode("utf-8").splitlines()
                for node in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                    numbers = (node["NCBI gene"] or "").replace("ncbigene:", "").split(";")
                    known[pathway] |= {node["Label"], *numbers}
    numbers_of = {g["symbol"]: g["ncbigene"] for g in GENES}
    members = [(s, p.partition(":")[2]) for s, p in pairs("PARTICIPATES_IN")]
    strangers = [
        (symbol, pathway)
        for symbol, pathway in members
        if pathway in wanted and not {symbol, numbers_of[symbol]} & known[pathway]
    ]
    assert strangers == []


def test_signs_are_those_of_trrust(shared_data: Path) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    path = shared_data / "trrust" / "trrust_rawdata.human.tsv"
    for line in path.read_text(encoding="utf-8").splitlines():
        factor, gene, mode, _ = line.split("\t")
        if mode in SIGNS:
            found.setdefault((factor, gene), set()).add(SIGNS[mode])
    against = {
        (r["start"], r["end"])
        for r in RELATIONSHIPS
        if r["type"] == "REGULATES"
        and r["sign"] not in found.get((r["start"], r["end"]), {r["sign"]})
    }
    assert against == AGAINST_TRRUST
