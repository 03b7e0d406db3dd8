"""NCBI's gene2go: functions, processes and places of genes, by Entrez number.

The qualifier holds the relation; ``NOT`` stands before it with a blank, and such a row says that
the gene has not the function. The file has every species; human rows are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, not_negated, of_species, with_curies, with_words
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(
    ("tax_id", "GeneID", "GO_ID", "Evidence", "Qualifier", "PubMed", "Category"),
    renamed={"tax_id": ("#tax_id",)},
)

#: Category -> (relationship, end type).
_CATEGORIES = {
    "Function": ("HAS_FUNCTION", "MolecularFunction"),
    "Process": ("PARTICIPATES_IN", "BiologicalProcess"),
    "Component": ("LOCATED_IN", "CellularComponent"),
}


class Gene2Go(Loader):
    """See the module."""

    name = "gene2go"
    title = "NCBI gene2go: functions, processes and places of genes"
    homepage = "https://www.ncbi.nlm.nih.gov/gene"
    license = "CC BY 4.0"
    relationships = tuple(("Gene", kind, end) for kind, end in _CATEGORIES.values())
    quirks = ("A qualifier such as 'NOT located_in' negates the row.",)
    tested_on = "an excerpt of 219 rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "annotations",
            ("gene2go.gz", "gene2go", "gene2go*"),
            "annotations of genes",
            url="https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene2go.gz",
            whole_bytes=50_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["annotations"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("GeneID", "Qualifier", "GO_ID")
        for raw in read_table(path, _LAYOUT, file):
            batch = of_species(raw, "tax_id", file, "9606", shown=("tax_id", *shown))
            negated = pc.match_substring_regex(batch.column("Qualifier"), r"(?i)\bnot\b")
            batch = not_negated(batch, negated, file, shown)
            batch = with_curies(batch, "GeneID", "ncbigene", file, to="gene", shown=shown)
            batch = with_curies(batch, "GO_ID", "go", file, to="term", shown=shown)
            kinds = {word: kind for word, (kind, _) in _CATEGORIES.items()}
            ends = {word: end for word, (_, end) in _CATEGORIES.items()}
            batch = with_words(batch, "Category", kinds, file, to="kind")
            batch = with_words(batch, "Category", ends, file, to="end_type")
            file.parsed(batch.num_rows)
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type=batch.column("kind"),
                start_type="Gene",
                start=batch.column("gene"),
                end_type=batch.column("end_type"),
                end=batch.column("term"),
                evidence=evidence(
                    batch,
                    lists={
                        "evidence_codes": ("Evidence", "|"),
                        "qualifiers": ("Qualifier", "|"),
                        "pubmed_ids": ("PubMed", "|"),
                    },
                ),
            )
