"""OptimusKG: genes, diseases, drugs, phenotypes and their annotation (Parquet or CSV).

Nodes have ``id``, ``label`` (GEN, DIS, ...) and ``properties``, a JSON object; edges ``from``,
``to``, ``label`` (DIS-GEN, ...), ``relation``, ``undirected`` and ``properties``. Give the two
tables of the whole graph, or the folders of one table for each kind. Identifiers are those of Open
Targets: Ensembl, ChEMBL, and ontology terms with an underscore.

Layout: https://github.com/mims-harvard/OptimusKG (optimuskg/pipelines, silver and gold).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies, parse_curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, keep_identified
from tosg.loaders.formats.parquet import is_parquet, read_parquet
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.graph_tables import (
    NEGATED,
    EdgeRule,
    NodeIndex,
    edge_claims,
    text_of,
    typed_edges,
)
from tosg.loaders.reference.primekg import translate
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_NODES = Layout(("id", "label"), optional=("properties",), delimiter=",", quoted=True)
_EDGES = Layout(
    ("from", "to", "label", "relation"), optional=("properties",), delimiter=",", quoted=True
)

_TYPES = {
    "GEN": "Gene",
    "DRG": "Drug",
    "DIS": "Disease",
    "PHE": "Phenotype",
    "ANA": "Anatomy",
    "PWY": "Pathway",
    "BPO": "BiologicalProcess",
    "CCO": "CellularComponent",
    "MFN": "MolecularFunction",
}

#: Identifiers that do not name their prefix.
_PREFIXES = (
    (r"^ENSG\d+$", "ensembl"),
    (r"^CHEMBL\d+$", "chembl.compound"),
    (r"^DB\d{5}$", "drugbank"),
    (r"^R-HSA-\d+$", "reactome"),
)

#: What a drug does to a gene's product; its word, in lower case, is the action.
_ACTIONS = (
    "TARGET", "ENZYME", "TRANSPORTER", "CARRIER", "ACTIVATOR", "AGONIST", "ALLOSTERIC_ANTAGONIST",
    "ANTAGONIST", "ANTISENSE_INHIBITOR", "BINDING_AGENT", "BLOCKER", "CROSS_LINKING_AGENT",
    "DEGRADER", "DISRUPTING_AGENT", "EXOGENOUS_GENE", "EXOGENOUS_PROTEIN", "HYDROLYTIC_ENZYME",
    "INHIBITOR", "INVERSE_AGONIST", "MODULATOR", "NEGATIVE_ALLOSTERIC_MODULATOR",
    "NEGATIVE_MODULATOR", "OPENER", "PARTIAL_AGONIST", "POSITIVE_ALLOSTERIC_MODULATOR",
    "POSITIVE_MODULATOR", "PROTEOLYTIC_ENZYME", "RELEASING_AGENT", "RNAI_INHIBITOR", "STABILISER",
    "SUBSTRATE", "VACCINE_ANTIGEN",
)  # fmt: skip

_RULES: dict[str, EdgeRule] = {
    "EXPRESSION_PRESENT": EdgeRule("EXPRESSED_IN", turned=None),
    "PHENOTYPE_PRESENT": EdgeRule("HAS_PHENOTYPE", turned=None),
    "INDICATION": EdgeRule("TREATS", turned=None),
    "ADVERSE_DRUG_REACTION": EdgeRule("CAUSES", turned=None),
    "EXPRESSION_ABSENT": NEGATED,
    "PHENOTYPE_ABSENT": NEGATED,
    "CONTRAINDICATION": NEGATED,
    **{
        word: EdgeRule("TARGETS", turned=None, action=word.lower().replace("_", " "))
        for word in _ACTIONS
    },
}

#: Type of the term -> what a gene has to it.
_OF_TERMS = {
    "Disease": "ASSOCIATED_WITH",
    "Phenotype": "ASSOCIATED_WITH",
    "Pathway": "PARTICIPATES_IN",
    "BiologicalProcess": "PARTICIPATES_IN",
    "MolecularFunction": "HAS_FUNCTION",
    "CellularComponent": "LOCATED_IN",
    "Gene": "INTERACTS_WITH",
}

_SCORE = Score(
    "COALESCE(evidence_score, disgenet_score)",
    numbers=("evidence_score", "disgenet_score"),
    help="the association score of Open Targets, 0 to 1, and where there is none that of DisGeNET",
)
_NUMBERS = ("evidence_score", "disgenet_score", "evidence_count", "expression_rank")
_FOOTER = "the footer of the Parquet file"
_NAMES = (
    "nodes.parquet", "nodes.csv", "gene.parquet", "drug.parquet", "disease.parquet",
    "phenotype.parquet", "anatomy.parquet", "pathway.parquet", "exposure.parquet",
    "biological_process.parquet", "cellular_component.parquet", "molecular_function.parquet",
)  # fmt: skip


class OptimusKG(Loader):
    """See the module."""

    name = "optimuskg"
    title = "OptimusKG: genes, diseases, drugs, phenotypes and their annotation"
    homepage = "https://github.com/mims-harvard/OptimusKG"
    license = "LicenseRef-per-source"
    nodes = tuple(_TYPES.values())
    relationships = (
        *(("Gene", kind, term) for term, kind in _OF_TERMS.items()),
        ("Gene", "EXPRESSED_IN", "Anatomy"),
        ("Disease", "HAS_PHENOTYPE", "Phenotype"),
        ("Drug", "TREATS", "Disease"),
        ("Drug", "CAUSES", "Phenotype"),
        ("Drug", "TARGETS", "Gene"),
    )
    scores = (_SCORE,)
    quirks = (
        "Hierarchies (PARENT, IS_A) do not say which end is the parent; they are left out.",
        "Contraindications and absent expression or phenotypes never become relationships.",
        "An association stands from the disease to the gene; it is turned as the schema has it.",
        "The sources that a row names have licences of their own.",
    )
    tested_on = "made-up tables with the columns and words of its pipeline of 2026-04"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "nodes",
            _NAMES,
            "nodes: one table, or one for each kind",
            states_rows=_FOOTER,
            many=True,
        ),
        FileSpec(
            "edges",
            ("edges.parquet", "edges.csv", *(f"{n}_*.parquet" for n in (
                "anatomy", "biological_process", "cellular_component", "disease", "drug",
                "exposure", "molecular_function", "pathway", "phenotype", "gene",
            ))),
            "edges: one table, or one for each kind",
            states_rows=_FOOTER,
            many=True,
        ),
    )  # fmt: skip

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        index = NodeIndex()
        for path in self.parts(files, "nodes"):
            file, origin = log.file(path), self.origin(path, release)
            for raw in _rows(path, _NODES, file):
                batch = _identified(raw, file)
                file.parsed(batch.num_rows)
                index.add(batch["id"], batch["type"], batch["curie"])
                told = [_properties(text) for text in batch["properties"].to_pylist()]
                yield origin.entities(
                    batch.num_rows,
                    batch["line"],
                    type=batch["type"],
                    id=batch["curie"],
                    name=[text_of(t, "name", "symbol") for t in told],
                    symbol=[
                        text_of(t, "symbol") if type_ == "Gene" else None
                        for t, type_ in zip(told, batch["type"].to_pylist(), strict=True)
                    ],
                    description=[text_of(t, "description", "definition") for t in told],
                    synonyms=[_texts(t, "synonyms", "exact_synonyms") for t in told],
                )
        for path in self.parts(files, "edges"):
            file, origin = log.file(path), self.origin(path, release)
            shown = ("from", "relation", "to")
            for raw in _rows(path, _EDGES, file):
                batch = typed_edges(raw, "relation", ("from", "to"), index, _rule, file, shown)
                batch = _SCORE.add(_with_numbers(batch), file)
                yield edge_claims(
                    batch,
                    file,
                    origin,
                    score=batch["score"],
                    evidence=evidence(
                        batch,
                        numbers={name: name for name in _NUMBERS},
                        lists={"relations": ("relation", "|"), "sources": ("sources", "|")},
                    ),
                )


def _rows(path: Path, layout: Layout, file: FileLog) -> Iterator[pa.RecordBatch]:
    if is_parquet(path):
        for batch in read_parquet(path, layout.columns, file, layout.optional):
            texts = [pc.fill_null(batch[name].cast(pa.string()), "") for name in layout.read]
            yield pa.record_batch([*texts, batch["line"]], names=[*layout.read, "line"])
    else:
        yield from read_table(path, layout, file)


def _identified(raw: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    batch = raw.append_column("type", translate(raw["label"], _TYPES))
    kind = "node of a type that is not in the graph"
    batch = keep(batch, batch["type"].is_valid(), file, kind, ("id", "label"))
    ids = parse_curies(batch["id"])
    for pattern, prefix in _PREFIXES:
        bare = pc.match_substring_regex(batch["id"], pattern)
        ids = pc.if_else(bare, curies(batch["id"], prefix), ids)
    return keep_identified(batch.append_column("curie", ids), "curie", "id", file, ("id",))


def _properties(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(told: Mapping[str, Any], *keys: str) -> list[str]:
    found = (value for key in keys for value in told.get(key) or () if isinstance(value, str))
    return list(dict.fromkeys(value.strip() for value in found if value.strip()))


def _with_numbers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add the numbers and the sources of an edge as columns of text."""
    told = [_properties(text) for text in batch["properties"].to_pylist()]
    for name in _NUMBERS:
        values = ["" if t.get(name) is None else str(t[name]) for t in told]
        batch = batch.append_column(name, pa.array(values, pa.string()))
    sources = [t.get("sources") or {} for t in told]
    named = [
        "|".join(sorted({*(s.get("direct") or ()), *(s.get("indirect") or ())})) for s in sources
    ]
    return batch.append_column("sources", pa.array(named, pa.string()))


def _rule(word: str, start: str, end: str) -> EdgeRule | None:
    if word in _RULES:
        return _RULES[word]
    if word in ("INTERACTS_WITH", "ASSOCIATED_WITH", "LINKED_TO") and "Gene" in (start, end):
        term = end if start == "Gene" else start
        return EdgeRule(_OF_TERMS[term], turned=None) if term in _OF_TERMS else None
    return None
