"""The gene table of NCBI Gene (``gene_info``), which several sources read for identifiers.

The header of older files is one comment line with blanks between the names, that of newer ones is
tab-separated; ``-`` means nothing; quotes are plain text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import FileLog
from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec
from tosg.loaders.columns import keep, keep_identified, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.options import Option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: NCBI Taxonomy's number of people.
HUMAN_TAX_ID = "9606"

TAX_ID = Option("tax_id", "NCBI Taxonomy number of the species to keep", HUMAN_TAX_ID)

#: The symbol of the row that stands for genes which are not in NCBI Gene yet.
PLACEHOLDER = "NEWENTRY"


def _header(line: str) -> list[str]:
    text = line.removeprefix("#").removeprefix("Format:")
    text = re.sub(r"\(tab is used.*$", "", text)
    return text.split()


GENE_INFO_LAYOUT = Layout(
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
    url="https://ftp.ncbi.nlm.nih.gov/gene/DATA/GENE_INFO/Mammalia/Homo_sapiens.gene_info.gz",
    whole_bytes=1_000_000,
)


def human_genes(path: Path, file: FileLog, tax_id: str = HUMAN_TAX_ID) -> Iterator[pa.RecordBatch]:
    """Rows of one species with their ``curie``; the others are rejected by kind."""
    for raw in read_table(path, GENE_INFO_LAYOUT, file):
        ours = pc.equal(raw.column("tax_id"), tax_id)
        batch = keep(raw, ours, file, "other species", ("tax_id", "GeneID", "Symbol"))
        real = pc.not_equal(batch.column("Symbol"), PLACEHOLDER)
        batch = keep(batch, real, file, "placeholder, not a gene", ("GeneID", "Symbol"))
        batch = with_curies(batch, "GeneID", "ncbigene", file, shown=("GeneID", "Symbol"))
        file.parsed(batch.num_rows)
        yield batch


def is_ensembl_gene(values: pa.Array) -> pa.Array:
    """Which identifiers are genes of Ensembl, of any species: not transcripts and proteins."""
    return pc.match_substring_regex(values, r"^(?:ensembl:)?ENS[A-Z]*G\d{11}(?:\.\d+)?$")


def with_ensembl_genes(
    batch: pa.RecordBatch, column: str, file: FileLog, *, to: str, shown: Sequence[str]
) -> pa.RecordBatch:
    """Add a column of Ensembl's human genes as CURIEs, without versions.

    Genes of other species are rejected, and so are transcripts and proteins, which the prefix's
    pattern takes too: as "identifier of no gene".
    """
    bare = pc.replace_substring_regex(batch.column(column), r"\.\d+$", "")
    other = pc.match_substring_regex(bare, r"^(?i:ensembl:)?ENS[A-Z]+G\d{11}$")
    batch = batch.append_column("_bare", bare)
    batch = keep(batch, pc.invert(other), file, "other species", shown)
    others = pc.match_substring_regex(batch["_bare"], r"^(?i:ensembl:)?ENS[A-Z]*[EFPRT]\d{11}$")
    batch = keep(batch, pc.invert(others), file, "identifier of no gene", shown)
    ids = curies(batch.column("_bare"), "ensembl")
    ids = pc.if_else(is_ensembl_gene(ids), ids, pa.scalar(None, pa.string()))
    batch = batch.append_column(to, ids)
    return keep_identified(batch, to, column, file, shown).drop_columns(["_bare"])


def gene_info_date(path: Path) -> str:
    """Day of the newest row, as 2015-05-30; "" where no row has a date."""
    newest = ""
    for batch in read_table(path, GENE_INFO_LAYOUT, FileLog("ncbi_gene", path)):
        dates = batch.column("Modification_date")
        dates = dates.filter(pc.match_substring_regex(dates, r"^\d{8}$"))
        newest = max(newest, pc.max(dates).as_py() or "")
    return f"{newest[:4]}-{newest[4:6]}-{newest[6:]}" if newest else ""
