"""Gene Ontology annotations of human genes: one row per term, with all its genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import (
    blank_to_null,
    keep,
    listed_ids,
    noting_repeats,
    parents,
    with_curies,
)
from tosg.loaders.formats.owl import owl_release, read_owl_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import GO_NAMESPACES, claims_of_terms
from tosg.loaders.reference.genes import TAX_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_LAYOUT = Layout(("go_id", "go_name", "go_domain", "tax_id", "annotation_type", "gene_ids"))

#: Type of the term -> type of the relationship that leads from a gene to it.
_VERBS = {
    "BiologicalProcess": "PARTICIPATES_IN",
    "MolecularFunction": "HAS_FUNCTION",
    "CellularComponent": "LOCATED_IN",
}


class Goa(Loader):
    """See the module."""

    name = "goa"
    title = "Gene Ontology annotations of human genes, and definitions of GO terms"
    homepage = "https://geneontology.org"
    license = "CC BY 4.0"
    nodes = ("BiologicalProcess", "CellularComponent", "MolecularFunction")
    relationships = (
        ("BiologicalProcess", "IS_A", "BiologicalProcess"),
        ("BiologicalProcess", "PART_OF", "BiologicalProcess"),
        ("Gene", "HAS_FUNCTION", "MolecularFunction"),
        ("Gene", "LOCATED_IN", "CellularComponent"),
        ("Gene", "PARTICIPATES_IN", "BiologicalProcess"),
    )
    tested_on = "both annotation tables of human genes and the ontology of 2009-05-15, whole"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "annotations",
            ("GO_annotations-9606-direct-expev.tsv", "GO_annotations-*.tsv", "GO_annotations-*.gz"),
            "gene annotations, one row per term",
            url=(
                "https://raw.githubusercontent.com/dhimmel/gene-ontology/"
                "d57fd938f90c79152449f5cd23d3c438a19ac2f5/annotations/taxid_9606/"
                "GO_annotations-9606-direct-expev.tsv"
            ),
            sha256="1f0da3d65e707071df7c60af07c1030e8375f7c5273d3d0a4921f57c2322fb5d",
            release="2018-10-26",
        ),
        FileSpec(
            "ontology",
            ("go-2009-05-15.owl.gz", "go-*.owl.gz", "go*.owl"),
            "GO terms with definitions (RDF/XML)",
            required=False,
        ),
    )
    options = (TAX_ID,)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        if "ontology" in files:
            path = files["ontology"]
            given = self.stated_release(owl_release(path))
            origin = self.origin(path, given, part="ontology")
            terms = read_owl_terms(path, log.file(path))
            yield from claims_of_terms(terms, log.file(path), origin, {"go": ""})
        path = files["annotations"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in noting_repeats(self._rows(path, file), "curie", file):
            yield from _annotations(batch, file, origin)

    def _rows(self, path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
        """Rows of the species with ``type`` and ``curie`` of the term."""
        shown = ("go_id", "go_domain", "go_name")
        for raw in read_table(path, _LAYOUT, file):
            ours = pc.equal(raw.column("tax_id"), self.value(TAX_ID))
            batch = keep(raw, ours, file, "other species", ("go_id", "tax_id"))
            domains = pc.index_in(batch.column("go_domain"), pa.array(list(GO_NAMESPACES)))
            types = pa.array(list(GO_NAMESPACES.values())).take(domains)
            batch = batch.append_column("type", types)
            batch = keep(batch, types.is_valid(), file, "unknown domain of a term", shown)
            batch = with_curies(batch, "go_id", "go", file, shown=shown)
            file.parsed(batch.num_rows)
            yield batch


def _annotations(batch: pa.RecordBatch, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    ids = batch.column("curie")
    yield origin.entities(
        batch.num_rows,
        batch.column("line"),
        type=batch.column("type"),
        id=ids,
        name=blank_to_null(batch.column("go_name")),
    )
    genes = listed_ids(batch, "gene_ids", "|", "ncbigene", file)
    row = pa.array(parents(genes))
    evidence = [
        evidence_json({"annotation_type": kind})
        for kind in batch.column("annotation_type").to_pylist()
    ]
    verbs = pa.array(list(_VERBS.values())).take(
        pc.index_in(batch.column("type"), pa.array(list(_VERBS)))
    )
    yield origin.relationships(
        len(row),
        batch.column("line").take(row),
        type=verbs.take(row),
        start_type="Gene",
        start=genes.flatten(),
        end_type=batch.column("type").take(row),
        end=ids.take(row),
        evidence=pa.array(evidence, pa.string()).take(row),
    )
