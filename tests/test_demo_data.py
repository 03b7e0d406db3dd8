"""The demo data: right identifiers, nothing dangling, accepted whole, and the cells on top."""

from __future__ import annotations

import csv
import gzip
import json
import re
import tarfile
from collections import Counter
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import pytest

from tosg.kg.schema import relationship_types
from tosg.kg.source_log import SourceLog
from tosg.kg.spool import Spool
from tosg.loaders import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

#: Drugs younger than the files, or left out of them: their DrugBank identifiers by name, looked up.
NEWER_DRUGS = {
    "abatacept": "DB01281",
    "anifrolumab": "DB11976",
    "apremilast": "DB05676",
    "baricitinib": "DB11817",
    "daratumumab": "DB09331",
    "dupilumab": "DB12159",
    "elotuzumab": "DB06317",
    "ibrutinib": "DB09053",
    "idelalisib": "DB09054",
    "nivolumab": "DB09035",
    "pembrolizumab": "DB09037",
    "mepolizumab": "DB06612",
    "midostaurin": "DB06595",
    "upadacitinib": "DB15091",
    "vedolizumab": "DB09033",
    "venetoclax": "DB11581",
    "deucravacitinib": "DB16650",
}


def table(name: str) -> list[dict[str, str]]:
    text = (files("tosg.demo") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


GENES = table("genes.tsv")
TERMS = table("terms.tsv")
RELATIONSHIPS = table("relationships.tsv")


def read(path: Path) -> Iterator[list[str]]:
    reader = gzip.open if path.suffix == ".gz" else open
    with reader(path, "rt", encoding="utf-8") as stream:
        yield from csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)


def of(*types: str) -> dict[str, str]:
    """Identifier, as its source writes it, to name."""
    return {t["id"].upper(): t["name"] for t in TERMS if t["type"] in types}


@cache
def claims() -> tuple[pa.RecordBatch, ...]:
    loader = registry.make("demo")
    log = SourceLog("demo")
    with as_file(files("tosg.demo") / "data") as folder:
        batches = tuple(loader.claims(loader.locate([folder]), log))
    for file in log.files.values():
        assert not file.rejections
    return batches


def test_every_claim_fits_the_schema() -> None:
    with Spool() as spool:
        for batch in claims():
            spool.add(batch)
        assert spool.rejections() == []
        given = spool.given()["demo"]
    assert given["entities"] >= 2 * len(GENES) + len(TERMS) - 20
    assert given["relationships"] >= len(RELATIONSHIPS)


def test_size() -> None:
    assert 250 <= len(GENES) <= 500
    counts = Counter(t["type"] for t in TERMS)
    assert counts["Pathway"] >= 20
    assert counts["Disease"] >= 25
    assert counts["Drug"] >= 40
    kinds = Counter(r["type"] for r in RELATIONSHIPS)
    assert {"TARGETS", "TREATS", "REGULATES", "INTERACTS_WITH", "HAS_FUNCTION"} <= set(kinds)
    assert set(kinds) <= set(relationship_types())
    assert {r["sign"] for r in RELATIONSHIPS if r["type"] == "REGULATES"} == {"1", "-1"}


def test_nothing_is_said_twice_and_nothing_stands_alone() -> None:
    for column in ("symbol", "ncbigene", "hgnc"):
        assert max(Counter(g[column] for g in GENES).values()) == 1
    assert max(Counter(t["id"] for t in TERMS).values()) == 1
    assert max(Counter(tuple(r.values()) for r in RELATIONSHIPS).values()) == 1
    ends = {r[c] for r in RELATIONSHIPS for c in ("start", "end")}
    listed = {t["id"] for t in TERMS} | {g["symbol"] for g in GENES}
    assert ends <= listed
    # An organ may stand alone until cells come that were taken from it.
    assert listed - ends - {t["id"] for t in TERMS if t["type"] == "Anatomy"} == set()


def test_texts_are_whole_sentences() -> None:
    for row in (*GENES, *TERMS):
        if row["text"]:
            assert re.fullmatch(r"[A-Z0-9(].*\.", row["text"]), row


def test_genes_are_those_of_hgnc(shared_data: Path) -> None:
    path = shared_data / "obo-db-ingest" / "hgnc.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        graph = json.load(stream)["graphs"][0]
    nodes = {n["lbl"]: n for n in graph["nodes"] if "/hgnc_" in n["id"] and "lbl" in n}
    products: dict[str, set[str]] = {}
    for edge in graph["edges"]:
        if edge["pred"].endswith("RO0002205"):
            products.setdefault(edge["sub"], set()).add(edge["obj"].rsplit("_", 1)[1])
    reviewed = {row[0] for row in read(shared_data / "cellphonedb" / "uniprot.tab")}
    wrong: list[object] = []
    for gene in GENES:
        # The file is of 2021: a gene that was renamed since stands there under its former symbol.
        node = nodes.get(gene["symbol"]) or nodes.get(gene["former_symbol"])
        if node is None:
            wrong.append((gene["symbol"], "no such symbol"))
            continue
        xrefs = {x["val"].rsplit("/", 1)[1] for x in node["meta"].get("xrefs", ())}
        found = (
            node["id"].rsplit("_", 1)[1] == gene["hgnc"],
            f"ncbigene_{gene['ncbigene']}" in xrefs,
            not gene["uniprot"] or gene["uniprot"] in products.get(node["id"], ()),
            not gene["uniprot"] or gene["uniprot"] in reviewed,
        )
        if not all(found):
            wrong.append((gene["symbol"], found))
    assert wrong == []


def test_former_symbols_are_those_of_ncbi(shared_data: Path) -> None:
    rows = read(shared_data / "entrez-gene" / "Homo_sapiens.gene_info.gz")
    names = {row[1]: {row[2], *row[4].split("|")} for row in rows if len(row) > 4}
    for gene in GENES:
        if gene["former_symbol"]:
            assert gene["former_symbol"] in names[gene["ncbigene"]], gene


@pytest.mark.parametrize(
    ("types", "file"),
    [(("Disease",), "mondo"), (("CellType",), "cl"), (("Anatomy",), "uberon")],
)
def test_ontology_terms(types: tuple[str, ...], file: str, shared_data: Path) -> None:
    path = shared_data / "scp-ontologies" / f"{file}.min.tsv.gz"
    labels = {row[0].replace("_", ":"): (row[1], row[2:3]) for row in read(path) if len(row) > 1}
    wrong = []
    for id_, name in of(*types).items():
        label, others = labels.get(id_, ("", []))
        names = {label, *(others[0].split("||") if others else ())}
        if name.lower() not in {n.lower() for n in names}:
            wrong.append((id_, name, label))
    assert wrong == []


def test_gene_ontology_terms(shared_data: Path) -> None:
    names: dict[str, set[str]] = {}
    for row in read(shared_data / "hetionet" / "hetionet-v1.0-nodes.tsv"):
        names.setdefault(row[0].split("::")[-1], set()).add(row[1])
    for row in read(shared_data / "gene-ontology" / "GO_annotations-9606-direct-expev.tsv"):
        names.setdefault(row[0], set()).add(row[1])
    wanted = of("BiologicalProcess", "MolecularFunction", "CellularComponent")
    wrong = [
        (id_, name, names.get(id_))
        for id_, name in wanted.items()
        if name not in names.get(id_, ())
    ]
    assert wrong == []


def test_drugs(shared_data: Path) -> None:
    names: dict[str, str] = {}
    for row in read(shared_data / "hetionet" / "hetionet-v1.0-nodes.tsv"):
        if row[2] == "Compound":
            names[row[0].split("::")[1]] = row[1].lower()
    bound: dict[str, set[str]] = {}
    for row in read(shared_data / "hetionet" / "CbG-binding.tsv"):
        bound.setdefault(row[0], set()).add(row[1])
    entrez = {g["symbol"]: g["ncbigene"] for g in GENES}
    targets: dict[str, set[str]] = {}
    for r in RELATIONSHIPS:
        if r["type"] == "TARGETS":
            targets.setdefault(r["start"].upper(), set()).add(entrez[r["end"]])
    wrong = []
    for id_, name in of("Drug").items():
        number = id_.removeprefix("DRUGBANK:")
        known = (
            names.get(number) == name.lower()
            or NEWER_DRUGS.get(name.lower()) == number
            or bool(bound.get(number, set()) & targets.get(id_, set()))
        )
        if not known:
            wrong.append((id_, name, names.get(number)))
    assert wrong == []


def test_wikipathways(shared_data: Path) -> None:
    titles: dict[str, set[str]] = {}
    path = shared_data / "wikipathways" / "wikipathways-human-gpml.tar.gz"
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith("-info.json"):
                stream = archive.extractfile(member)
                assert stream is not None
                document = json.load(stream)
                titles[f"WIKIPATHWAYS:{document['wpid']}"] = {document["title"]}
    # Titles change; those of 2016 are good too.
    for row in read(shared_data / "pathways" / "wikipathways.gmt"):
        title, _, number, species = row[0].split("%")
        if species == "Homo sapiens":
            titles.setdefault(f"WIKIPATHWAYS:{number}", set()).add(title)
    wanted = {i: n for i, n in of("Pathway").items() if i.startswith("WIKIPATHWAYS:")}
    assert len(wanted) >= 10
    wrong = [
        (i, name, titles.get(i)) for i, name in wanted.items() if name not in titles.get(i, ())
    ]
    assert wrong == []


def test_cells_and_genes_overlap(shared_data: Path) -> None:
    anndata = pytest.importorskip("anndata")
    path = shared_data / "expression" / "scanpy" / "10x_pbmc68k_reduced.h5ad"
    cells = anndata.read_h5ad(path)
    measured = set(cells.raw.var_names)
    known = {g["symbol"] for g in GENES} | {g["former_symbol"] for g in GENES}
    assert len(measured & known) >= 150
    mapping = (files("tosg.demo") / "data" / "cells.yaml").read_text(encoding="utf-8")
    for label in cells.obs["bulk_labels"].cat.categories:
        assert label in mapping
    for id_ in re.findall(r"cl:\d{7}", mapping):
        assert id_.upper() in of("CellType")
