"""NCBI Gene: symbols, synonyms, names and cross-references of genes, and their transcripts.

``gene_info`` has the genes; ``gene2ensembl`` leads them to Ensembl's genes and transcripts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    blank_to_null,
    first_rows,
    known_curies,
    noting_repeats,
    of_species,
    split,
    with_curies,
)
from tosg.loaders.formats.opening import open_bytes, strip_bom
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.genes import GENE_INFO, TAX_ID, gene_info_date, human_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_COLUMNS = (
    "tax_id",
    "GeneID",
    "Ensembl_gene_identifier",
    "RNA_nucleotide_accession.version",
    "Ensembl_rna_identifier",
    "protein_accession.version",
    "Ensembl_protein_identifier",
)
_ENSEMBL = Layout(_COLUMNS)


class NcbiGene(Loader):
    """See the module."""

    name = "ncbi_gene"
    title = "NCBI Gene: symbols, synonyms, names and cross-references of human genes"
    homepage = "https://www.ncbi.nlm.nih.gov/gene"
    license = "Public domain (US)"
    nodes = ("Gene", "Transcript")
    relationships = (("Gene", "TRANSCRIBED_TO", "Transcript"),)
    quirks = (
        "Headers of before and after 2016 are read; - means nothing; quotes are plain text.",
        "The rows NEWENTRY stand for genes that have no record yet: they are left out.",
        "Versions of Ensembl's and RefSeq's identifiers are cut off.",
    )
    tested_on = "the whole human table of 2015; today's header; 29 rows of gene2ensembl"
    files: ClassVar[tuple[FileSpec, ...]] = (
        GENE_INFO,
        FileSpec(
            "gene2ensembl",
            ("gene2ensembl.gz", "gene2ensembl"),
            "Ensembl's genes and transcripts of each gene",
            required=False,
            url="https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene2ensembl.gz",
            whole_bytes=50_000_000,
        ),
    )
    options = (TAX_ID,)

    def _release(self, files: Mapping[str, Path]) -> str:
        return gene_info_date(files["gene_info"])

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["gene_info"]
        file, origin = log.file(path), self.origin(path, release)
        rows = noting_repeats(human_genes(path, file, self.value(TAX_ID)), "curie", file)
        for batch in noting_repeats(rows, "Symbol", file, "symbol of several genes", "-"):
            symbol = blank_to_null(batch.column("Symbol"), "-")
            official = blank_to_null(batch.column("Full_name_from_nomenclature_authority"), "-")
            name = pc.coalesce(official, blank_to_null(batch.column("description"), "-"), symbol)
            others = split(batch.column("Other_designations"), "|", "-")
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Gene",
                id=batch.column("curie"),
                name=name,
                symbol=symbol,
                description=blank_to_null(pc.binary_join(others, "; ")),
                synonyms=split(batch.column("Synonyms"), "|", "-"),
                xrefs=known_curies(split(batch.column("dbXrefs"), "|", "-"), file),
            )
        if "gene2ensembl" in files:
            path = files["gene2ensembl"]
            origin = self.origin(path, self.stated_release(""), part="gene2ensembl")
            yield from _to_ensembl(path, log.file(path), origin, self.value(TAX_ID))


def _to_ensembl(path: Path, file: FileLog, origin: Origin, tax_id: str) -> Iterator[pa.RecordBatch]:
    """Claims of Ensembl's genes as cross-references, and of transcripts."""
    with open_bytes(path) as stream:  # excerpts are in use that begin with the first row
        bare = strip_bom(stream.read(16), path)[:1].isdigit()
    layout = replace(_ENSEMBL, header=not bare)
    for raw in read_table(path, layout, file):
        batch = of_species(raw, "tax_id", file, tax_id, shown=("tax_id", "GeneID"))
        batch = with_curies(batch, "GeneID", "ncbigene", file)
        file.parsed(batch.num_rows)
        gene = curies(batch.column("Ensembl_gene_identifier"), "ensembl")
        first = first_rows(pc.binary_join_element_wise(batch["curie"], pc.fill_null(gene, ""), " "))
        yield origin.entities(
            len(first),
            batch.column("line").take(first),
            type="Gene",
            id=batch.column("curie").take(first),
            xrefs=[[x] if x else [] for x in gene.take(first).to_pylist()],
        )
        bare = pc.replace_substring_regex(batch.column("Ensembl_rna_identifier"), r"\.\d+$", "")
        some = batch.append_column("transcript", curies(bare, "ensembl"))
        some = some.filter(some.column("transcript").is_valid())
        refseq = curies(
            pc.replace_substring_regex(
                some.column("RNA_nucleotide_accession.version"), r"\.\d+$", ""
            ),
            "refseq",
        )
        yield origin.entities(
            some.num_rows,
            some.column("line"),
            type="Transcript",
            id=some.column("transcript"),
            xrefs=[[x] if x else [] for x in refseq.to_pylist()],
        )
        yield origin.relationships_of(
            some, "TRANSCRIBED_TO", ("Gene", "curie"), ("Transcript", "transcript")
        )
