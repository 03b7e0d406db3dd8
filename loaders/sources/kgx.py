"""KGX: nodes and edges of a graph in the Biolink model, as TSV or JSON lines (Monarch, KG-Hub).

Categories and predicates become types of the graph where one fits; the others are rejected by
name. A negated edge never becomes a relationship. Which graph it is, the option ``source`` says.

Format: https://github.com/biolink/kgx/blob/master/specification/kgx-format.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.types import relationship_triples
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    blank_to_null,
    evidence,
    keep,
    not_negated,
    split,
    with_curies,
)
from tosg.loaders.formats.json_lines import read_json_lines, starts_as_json
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.graph_tables import EdgeRule, NodeIndex, edge_claims, typed_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

#: Biolink category -> type, the first that a node has counts.
_CATEGORIES = {
    "Gene": "Gene", "Protein": "Protein", "Transcript": "Transcript",
    "MacromolecularComplex": "Complex", "GeneFamily": "GeneFamily", "Pathway": "Pathway",
    "BiologicalProcess": "BiologicalProcess", "MolecularActivity": "MolecularFunction",
    "CellularComponent": "CellularComponent", "Disease": "Disease",
    "PhenotypicFeature": "Phenotype", "Drug": "Drug", "SmallMolecule": "Metabolite",
    "ChemicalEntity": "Metabolite", "GrossAnatomicalStructure": "Anatomy",
    "AnatomicalEntity": "Anatomy", "Cell": "CellType",
}  # fmt: skip

#: Biolink predicate -> (relationship, sign, whether subject and object change places).
_PREDICATES: dict[str, tuple[str, int | None, bool]] = {
    "interacts_with": ("INTERACTS_WITH", None, False),
    "physically_interacts_with": ("INTERACTS_WITH", None, False),
    "directly_physically_interacts_with": ("INTERACTS_WITH", None, False),
    "regulates": ("REGULATES", 0, False),
    "positively_regulates": ("REGULATES", 1, False),
    "negatively_regulates": ("REGULATES", -1, False),
    "has_phenotype": ("HAS_PHENOTYPE", None, False),
    "gene_associated_with_condition": ("ASSOCIATED_WITH", None, False),
    "associated_with": ("ASSOCIATED_WITH", None, False),
    "contributes_to": ("ASSOCIATED_WITH", None, False),
    "causes": ("CAUSES", None, False),
    "treats": ("TREATS", None, False),
    "treated_by": ("TREATS", None, True),
    "expressed_in": ("EXPRESSED_IN", None, False),
    "located_in": ("LOCATED_IN", None, False),
    "active_in": ("LOCATED_IN", None, False),
    "is_active_in": ("LOCATED_IN", None, False),
    "participates_in": ("PARTICIPATES_IN", None, False),
    "actively_involved_in": ("PARTICIPATES_IN", None, False),
    "involved_in": ("PARTICIPATES_IN", None, False),
    "has_participant": ("PARTICIPATES_IN", None, True),
    "enables": ("HAS_FUNCTION", None, False),
    "part_of": ("PART_OF", None, False),
    "has_part": ("PART_OF", None, True),
    "subclass_of": ("IS_A", None, False),
    "has_gene_product": ("ENCODES", None, False),
    "gene_product_of": ("ENCODES", None, True),
}
_TRUE = ("true", "True", "1")

_NODES = Layout(("id", "category"), optional=("name", "description", "synonym"), ragged=2)
_EDGES = Layout(
    ("subject", "predicate", "object"),
    optional=("negated", "primary_knowledge_source", "publications"),
    ragged=3,
)


class Kgx(Loader):
    """See the module."""

    name = "kgx"
    title = "KGX: any graph in the Biolink model (Monarch, KG-Hub)"
    homepage = "https://github.com/biolink/kgx"
    license = "stated by each graph"
    nodes = tuple(dict.fromkeys(_CATEGORIES.values()))
    relationships = tuple(
        triple
        for triple in relationship_triples()
        if triple[1] in {name for name, _, _ in _PREDICATES.values()}
    )
    signs = "positively_regulates 1, negatively_regulates -1, regulates 0"
    quirks = (
        "Rows may be cut off after their last value; columns may stand in any order.",
        "An edge whose ends are in no nodes file cannot be typed and is rejected.",
    )
    tested_on = "Monarch's graph around SHH (534 nodes, 539 edges) and made-up rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("nodes", ("*_nodes.tsv", "*_nodes.jsonl", "nodes.tsv", "*nodes*.jsonl"), "nodes"),
        FileSpec("edges", ("*_edges.tsv", "*_edges.jsonl", "edges.tsv", "*edges*.jsonl"), "edges"),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        index = NodeIndex()
        path = files["nodes"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in _rows(path, _NODES, file):
            batch = _typed(raw, file)
            file.parsed(batch.num_rows)
            index.add(batch.column("id"), batch.column("type"), batch.column("curie"))
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type=batch.column("type"),
                id=batch.column("curie"),
                name=blank_to_null(batch.column("name")),
                description=blank_to_null(batch.column("description")),
                synonyms=split(batch.column("synonym"), "|"),
            )
        path = files["edges"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("subject", "predicate", "object")
        for raw in _rows(path, _EDGES, file):
            negated = pc.is_in(raw.column("negated"), pa.array(_TRUE))
            batch = not_negated(raw, negated, file, shown)
            words = pc.replace_substring_regex(batch.column("predicate"), "^biolink:", "")
            batch = batch.append_column("word", words)
            batch = typed_edges(batch, "word", ("subject", "object"), index, _rule, file, shown)
            yield edge_claims(
                batch,
                file,
                origin,
                evidence=evidence(
                    batch,
                    texts={"predicate": "word"},
                    lists={
                        "knowledge_sources": ("primary_knowledge_source", "|"),
                        "publications": ("publications", "|"),
                    },
                ),
            )


def _rule(word: str, start: str, end: str) -> EdgeRule | None:
    if word == "part_of" and end == "CellularComponent" and start != end:
        return EdgeRule("LOCATED_IN")  # of a gene's product, as GO annotates it
    if word == "actively_involved_in" and (start, end) == ("Disease", "Pathway"):
        return EdgeRule("ASSOCIATED_WITH")
    found = _PREDICATES.get(word)
    return None if found is None else EdgeRule(*found)


def _rows(path: Path, layout: Layout, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Rows of a TSV or JSON lines file; lists of JSON are joined with bars, as in TSV."""
    if starts_as_json(path):
        return read_json_lines(path, layout.columns, file, layout.optional)
    return read_table(path, layout, file)


def _typed(raw: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    """Nodes with a type, the first of their categories that is one, and a CURIE."""
    coded = raw.column("category").dictionary_encode()
    found = [_type_of(text) for text in coded.dictionary.to_pylist()]
    batch = raw.append_column("type", pa.array(found, pa.string()).take(coded.indices))
    kind = "category without a type in the graph"
    batch = keep(batch, batch.column("type").is_valid(), file, kind, ("id", "category"))
    return with_curies(batch, "id", "", file)


def _type_of(categories: str) -> str | None:
    words = (word.strip().removeprefix("biolink:") for word in categories.split("|"))
    return next((_CATEGORIES[word] for word in words if word in _CATEGORIES), None)
