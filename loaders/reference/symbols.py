"""From a gene symbol to a gene: approved over previous over alias, and nothing is guessed.

Tables that name genes by symbol read HGNC's complete set beside them, or NCBI's ``gene_info``.
A symbol that is one gene's approved name is that gene, whatever else it was or is an alias of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec
from tosg.loaders.columns import from_spreadsheet, keep, split, with_curies
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.genes import GENE_INFO, GENE_INFO_LAYOUT, human_genes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

#: HGNC's complete set, as https://www.genenames.org/download/statistics-and-files describes it.
#: A field of several values is quoted, with ``|`` between them.
HGNC_LAYOUT = Layout(
    ("hgnc_id", "symbol", "name", "status", "alias_symbol", "prev_symbol", "entrez_id"),
    quoted=True,
    optional=(
        "alias_name",
        "prev_name",
        "gene_group",
        "gene_group_id",
        "date_modified",
        "ensembl_gene_id",
        "uniprot_ids",
        "locus_group",
        "locus_type",
        "location",
        "omim_id",
    ),
)

#: The table that resolves symbols: either of the two.
SYMBOLS = FileSpec(
    "symbols",
    (
        "hgnc_complete_set.txt",
        "hgnc_complete_set*.txt",
        "hgnc_complete_set*.txt.gz",
        *GENE_INFO.names,
    ),
    "gene symbols: HGNC's complete set, or NCBI's gene_info",
    url="https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt",
)

_LAYOUTS = {"hgnc": HGNC_LAYOUT, "gene_info": GENE_INFO_LAYOUT}


@dataclass
class SymbolTable:
    """Symbols of one species' genes, by what they are to the gene.

    Attributes
    ----------
    tables : dict
        "symbol", "previous symbol" or "alias", best first -> word -> genes (CURIEs).
    names : dict
        Gene -> its symbol, for messages.
    """

    tables: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, how: str, word: str, gene: str) -> None:
        """Note that a word names a gene."""
        self.tables.setdefault(how, {}).setdefault(word, set()).add(gene)

    def resolve(self, symbol: str) -> tuple[str | None, str]:
        """Gene of a symbol and how it was found.

        Returns
        -------
        (str or None, str)
            CURIE and "symbol", "previous symbol" or "alias"; None and "unknown" or "ambiguous".
            The best table that knows the word decides.
        """
        for how, table in self.tables.items():
            if found := table.get(symbol):
                return (next(iter(found)), how) if len(found) == 1 else (None, "ambiguous")
        return None, "unknown"

    def candidates(self, symbol: str) -> list[str]:
        """Symbols of the genes that an ambiguous symbol may mean."""
        found = next((t[symbol] for t in self.tables.values() if symbol in t), set())
        return sorted(self.names.get(gene, gene) for gene in found)


def read_symbols(path: Path, file: FileLog) -> SymbolTable:
    """Build the table from HGNC's complete set or from ``gene_info``, whichever the file is.

    Genes have NCBI's identifier where the table states one, else HGNC's.
    """
    table = SymbolTable(
        {how: {} for how in ("symbol", "listed symbol", "previous symbol", "alias")}
    )
    if choose_layout(path, _LAYOUTS) == "hgnc":
        _from_hgnc(hgnc_genes(path, file), table)
    else:
        _from_gene_info(human_genes(path, file), table)
    return table


def hgnc_genes(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Approved genes of HGNC's complete set, with ``curie`` (HGNC) and ``gene`` (NCBI or HGNC)."""
    for raw in read_table(path, HGNC_LAYOUT, file):
        batch = with_curies(raw, "hgnc_id", "hgnc", file, shown=("hgnc_id", "symbol"))
        approved = pc.equal(batch.column("status"), "Approved")
        batch = keep(batch, approved, file, "not approved", ("hgnc_id", "symbol", "status"))
        changed = pc.fill_null(from_spreadsheet(batch.column("symbol")), False)
        kind = "symbol changed by a spreadsheet"
        batch = keep(batch, pc.invert(changed), file, kind, ("hgnc_id", "symbol"))
        file.parsed(batch.num_rows)
        gene = pc.coalesce(curies(batch.column("entrez_id"), "ncbigene"), batch.column("curie"))
        yield batch.append_column("gene", gene)


def with_genes(
    batch: pa.RecordBatch, column: str, symbols: SymbolTable, file: FileLog, *, to: str
) -> pa.RecordBatch:
    """Add the gene of each symbol; rows whose symbol leads to no gene are rejected.

    Parameters
    ----------
    batch : RecordBatch
        With a ``line`` column.
    column : str
        Symbols.
    symbols : SymbolTable
    file : FileLog
        Is told about "unknown symbol", "ambiguous symbol" (with the genes that it may mean) and
        "symbol changed by a spreadsheet", and how many were found by a previous symbol or alias.
    to : str
        Name of the new column.
    """
    words = pc.utf8_trim_whitespace(batch.column(column)).dictionary_encode()
    distinct = words.dictionary.to_pylist()
    found = [symbols.resolve(word) for word in distinct]
    genes = pa.array([gene for gene, _ in found], pa.string()).take(words.indices)
    how = pa.array([how for _, how in found], pa.string()).take(words.indices)
    for kind in ("previous symbol", "alias"):
        some = batch.column(column).filter(pc.equal(how, kind))
        if len(some):
            file.note(f"symbol found as {kind}", len(some), sorted(set(some.to_pylist())))
    told = [
        f"{word}: {', '.join(symbols.candidates(word))}" if how_ == "ambiguous" else word
        for word, (_, how_) in zip(distinct, found, strict=True)
    ]
    changed = pc.fill_null(from_spreadsheet(batch.column(column)), False)
    how = pc.if_else(pc.and_(changed, pc.equal(how, "unknown")), "changed", how)
    batch = batch.append_column(to, genes).append_column("how", how)
    batch = batch.append_column("told", pa.array(told, pa.string()).take(words.indices))
    for failure, kind in (
        ("changed", "symbol changed by a spreadsheet"),
        ("unknown", "unknown symbol"),
        ("ambiguous", "ambiguous symbol"),
    ):
        batch = keep(batch, pc.not_equal(batch.column("how"), failure), file, kind, ("told",))
    return batch.drop_columns(["how", "told"])


def _from_hgnc(batches: Iterable[pa.RecordBatch], table: SymbolTable) -> None:
    for batch in batches:
        for gene, symbol, previous, aliases in zip(
            batch.column("gene").to_pylist(),
            batch.column("symbol").to_pylist(),
            split(batch.column("prev_symbol"), "|").to_pylist(),
            split(batch.column("alias_symbol"), "|").to_pylist(),
            strict=True,
        ):
            table.names[gene] = symbol
            table.add("symbol", symbol, gene)
            for word in previous:
                table.add("previous symbol", word, gene)
            for word in aliases:
                table.add("alias", word, gene)


def _from_gene_info(batches: Iterable[pa.RecordBatch], table: SymbolTable) -> None:
    for batch in batches:
        for gene, symbol, official, synonyms in zip(
            batch.column("curie").to_pylist(),
            batch.column("Symbol").to_pylist(),
            batch.column("Symbol_from_nomenclature_authority").to_pylist(),
            split(batch.column("Synonyms"), "|", "-").to_pylist(),
            strict=True,
        ):
            table.names[gene] = symbol
            if official not in ("-", ""):
                table.add("symbol", official, gene)
            table.add("listed symbol", symbol, gene)
            for word in synonyms:
                table.add("alias", word, gene)
