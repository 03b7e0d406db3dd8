"""NCBI Gene's ``gene_info``: symbols, synonyms, names and cross-references of genes.

The header of older files is one comment line with blanks between the names, that of newer ones is
tab-separated; ``-`` means nothing; quotes are plain text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import FileLog
from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, keep, known_curies, note_duplicates, split
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

HUMAN = "9606"

#: The symbol of the row that stands for genes which are not in NCBI Gene yet.
PLACEHOLDER = "NEWENTRY"


def _header(line: str) -> list[str]:
    text = line.removeprefix("#").removeprefix("Format:")
    text = re.sub(r"\(tab is used.*$", "", text)
    return text.split()


LAYOUT = Layout(
    (
        "tax_id",
        "GeneID",
        "Symbol",
        "Synonyms",
        "dbXrefs",
        "description",
        "Symbol_from_nomenclature_authority",
        "Full_name_from_nomenclature_authority",
        "Other_designations",
        "Modification_date",
    ),
    parse_header=_header,
)

GENE_INFO = FileSpec(
    "gene_info",
    ("Homo_sapiens.gene_info.gz", "*.gene_info.gz", "*.gene_info", "gene_info.gz", "gene_info"),
    "gene table of NCBI Gene",
    url=(
        "https://raw.githubusercontent.com/dhimmel/entrez-gene/"
        "a7362748a34211e5df6f2d185bb3246279760546/download/Homo_sapiens.gene_info.gz"
    ),
    sha256="b63c9f3c7c0f78df1829b3a69baddd6d2b287ac8ae336b5023732ddd206d7105",
)


def human_genes(
    path: Path, file: FileLog, tax_id: str = HUMAN
) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Rows of one species with their CURIEs; the others are rejected by kind."""
    for raw in read_table(path, LAYOUT, file):
        ours = pc.equal(raw.column("tax_id"), tax_id)
        batch = keep(raw, ours, file, "other species", ("tax_id", "GeneID", "Symbol"))
        real = pc.not_equal(batch.column("Symbol"), PLACEHOLDER)
        batch = keep(batch, real, file, "placeholder, not a gene", ("GeneID", "Symbol"))
        ids = curies(batch.column("GeneID"), "ncbigene")
        batch = keep(batch, ids.is_valid(), file, "bad identifier", ("GeneID", "Symbol"))
        file.parsed(batch.num_rows)
        yield batch, ids.drop_null()


class NcbiGene(Loader):
    """See the module."""

    name = "ncbi_gene"
    title = "NCBI Gene: symbols, synonyms, names and cross-references of human genes"
    homepage = "https://www.ncbi.nlm.nih.gov/gene"
    license = "Public domain (US)"
    files: ClassVar[tuple[FileSpec, ...]] = (GENE_INFO,)
    option_help: ClassVar[Mapping[str, str]] = {
        "tax_id": "NCBI Taxonomy number of the species to keep (9606, human)"
    }

    def _release(self, files: Mapping[str, Path]) -> str:
        return gene_info_date(files["gene_info"])

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["gene_info"]
        file, origin = log.file(path), self.origin(path, release)
        all_ids: list[pa.Array] = []
        symbols: list[pa.Array] = []
        tax_id = str(self.options.get("tax_id", HUMAN))
        for batch, ids in human_genes(path, file, tax_id):
            all_ids.append(ids)
            symbol = blank_to_null(batch.column("Symbol"), "-")
            symbols.append(symbol)
            official = blank_to_null(batch.column("Full_name_from_nomenclature_authority"), "-")
            name = pc.coalesce(official, blank_to_null(batch.column("description"), "-"), symbol)
            others = split(batch.column("Other_designations"), "|", "-")
            told = pc.binary_join(others, "; ")
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Gene",
                id=ids,
                name=name,
                symbol=symbol,
                description=blank_to_null(told),
                synonyms=split(batch.column("Synonyms"), "|", "-"),
                xrefs=known_curies(split(batch.column("dbXrefs"), "|", "-"), file),
            )
        note_duplicates(pa.concat_arrays(all_ids), file, "identifier given more than once")
        note_duplicates(pa.concat_arrays(symbols), file, "symbol of several genes")


def gene_info_date(path: Path) -> str:
    """Day of the newest row, as 2015-05-30; "" where no row has a date."""
    newest = ""
    for batch in read_table(path, LAYOUT, FileLog("ncbi_gene", path)):
        dates = batch.column("Modification_date")
        dates = dates.filter(pc.match_substring_regex(dates, r"^\d{8}$"))
        newest = max(newest, pc.max(dates).as_py() or "")
    return f"{newest[:4]}-{newest[4:6]}-{newest[6:]}" if newest else ""
