"""NCBI Gene's ``gene_info``: symbols, synonyms, names and cross-references of genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, known_curies, noting_repeats, split
from tosg.loaders.reference.genes import GENE_INFO, TAX_ID, gene_info_date, human_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog


class NcbiGene(Loader):
    """See the module."""

    name = "ncbi_gene"
    title = "NCBI Gene: symbols, synonyms, names and cross-references of human genes"
    homepage = "https://www.ncbi.nlm.nih.gov/gene"
    license = "Public domain (US)"
    nodes = ("Gene",)
    files: ClassVar[tuple[FileSpec, ...]] = (GENE_INFO,)
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
