"""Gene Ontology annotations of human gene products.

The annotations are GAF, GPAD with its GPI beside it, or an older table with one row per term and
all its genes, whichever the file is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import FileLog
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import (
    blank_to_null,
    keep,
    listed_ids,
    noting_repeats,
    parents,
    with_curies,
)
from tosg.loaders.formats.gaf import is_annotation_file, stated_date, states_species
from tosg.loaders.formats.owl import owl_release, read_owl_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import GO_NAMESPACES, claims_of_terms
from tosg.loaders.reference.genes import TAX_ID
from tosg.loaders.reference.go_annotations import (
    annotation_claims,
    product_claims,
    species_of_products,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog
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
    nodes = (
        *("BiologicalProcess", "CellularComponent", "MolecularFunction"),
        *("Complex", "Gene", "Protein"),
    )
    relationships = (
        ("BiologicalProcess", "IS_A", "BiologicalProcess"),
        ("BiologicalProcess", "PART_OF", "BiologicalProcess"),
        *(
            (product, verb, term)
            for product in ("Gene", "Protein", "Complex")
            for term, verb in _VERBS.items()
        ),
    )
    quirks = (
        "A qualifier with NOT negates the row (NOT|enables); GPAD 2.0 has a column for it.",
        "GAF 2.2 and GPAD state the relation; acts_upstream_of and others are in the evidence.",
        "Evidence ND says that nothing is known: such rows are left out.",
        "A second taxon is the organism that is met, as a bacterium; the first one counts.",
        "GPAD states no species: the GPI beside it does.",
        "Isoforms (column 17) and chains count for their protein and stay in the evidence.",
        "Products of RNAcentral have no type in the graph.",
    )
    tested_on = (
        "the whole isoform file of 2023-05 and an excerpt of the human file (GAF 2.2), GPAD 1.1, "
        "1.2 and 2.0 as excerpts and made-up rows, the whole table of 2018 and the ontology of "
        "2009-05-15"
    )
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "annotations",
            (
                "goa_human.gaf.gz",
                "goa_human.gaf",
                "goa_human.gpad.gz",
                "goa_human.gpad",
                "GO_annotations-9606-direct-expev.tsv",
                "GO_annotations-*.tsv",
                "GO_annotations-*.gz",
                "goa_human*.gaf*",
                "goa_human*.gpad*",
                "*.gaf.gz",
                "*.gaf",
                "*.gpad.gz",
                "*.gpad",
            ),
            "annotations (GAF or GPAD), or a table with one row per term",
            url="https://current.geneontology.org/annotations/goa_human.gaf.gz",
            known={
                "1f0da3d65e707071df7c60af07c1030e8375f7c5273d3d0a4921f57c2322fb5d": "2018-10-26"
            },
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "products",
            ("goa_human.gpi.gz", "goa_human.gpi", "goa_human*.gpi*"),
            "annotated products (GPI), which GPAD needs",
            required=False,
            url="https://current.geneontology.org/annotations/goa_human.gpi.gz",
            whole_bytes=500_000,
        ),
        FileSpec(
            "ontology",
            ("go-2009-05-15.owl.gz", "go-*.owl.gz", "go*.owl"),
            "GO terms with definitions (RDF/XML)",
            required=False,
        ),
    )
    options = (TAX_ID,)

    def _release(self, files: Mapping[str, Path]) -> str:
        path = files["annotations"]
        return stated_date(path) if is_annotation_file(path) else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        if "ontology" in files:
            path = files["ontology"]
            given = self.stated_release(owl_release(path))
            origin = self.origin(path, given, part="ontology")
            terms = read_owl_terms(path, log.file(path))
            yield from claims_of_terms(terms, log.file(path), origin, {"go": ""})
        species: dict[str, str] = {}
        if "products" in files:
            path = files["products"]
            species = species_of_products(path, FileLog(self.source, path))
            file = log.file(path)
            origin = self.origin(path, self.stated_release(stated_date(path)), part="products")
            yield from product_claims(path, file, origin, self.value(TAX_ID))
        path = files["annotations"]
        file, origin = log.file(path), self.origin(path, release)
        if is_annotation_file(path):
            if "products" not in files and not states_species(path):
                raise self._missing(next(s for s in self.files if s.key == "products"), [path])
            yield from annotation_claims(path, file, origin, self.value(TAX_ID), species)
            return
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
