"""Gene Ontology annotations of human genes: one row per term, with all its genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import blank_to_null, keep, listed_ids, note_duplicates, parents
from tosg.loaders.formats.owl import owl_release, read_owl_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import GO_NAMESPACES, claims_of_terms

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
    option_help: ClassVar[Mapping[str, str]] = {
        "tax_id": "NCBI Taxonomy number of the species to keep (9606, human)"
    }

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        if "ontology" in files:
            path = files["ontology"]
            given = str(self.options.get("release", owl_release(path)))
            origin = self.origin(path, given, part="ontology")
            terms = read_owl_terms(path, log.file(path))
            yield from claims_of_terms(terms, log.file(path), origin, {"go": ""})
        path = files["annotations"]
        file, origin = log.file(path), self.origin(path, release)
        tax_id = str(self.options.get("tax_id", "9606"))
        seen: list[pa.Array] = []
        for raw in read_table(path, _LAYOUT, file):
            ours = pc.equal(raw.column("tax_id"), tax_id)
            batch = keep(raw, ours, file, "other species", ("go_id", "tax_id"))
            yield from _annotations(batch, file, origin, seen)
        note_duplicates(pa.concat_arrays(seen), file, "identifier given more than once")


def _annotations(
    batch: pa.RecordBatch, file: FileLog, origin: Origin, seen: list[pa.Array]
) -> Iterator[pa.RecordBatch]:
    shown = ("go_id", "go_domain", "go_name")
    domains = pc.index_in(batch.column("go_domain"), pa.array(list(GO_NAMESPACES)))
    types = pa.array(list(GO_NAMESPACES.values())).take(domains)
    batch = batch.append_column("type", types)
    batch = keep(batch, types.is_valid(), file, "unknown domain of a term", shown)
    ids = curies(batch.column("go_id"), "go")
    batch = keep(batch, ids.is_valid(), file, "bad identifier", shown)
    ids = ids.drop_null()
    file.parsed(batch.num_rows)
    seen.append(ids)
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
