"""From a gene symbol to a gene: approved symbols win, ambiguous synonyms are not guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.loaders.columns import split
from tosg.loaders.reference.genes import human_genes

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.claims.log import FileLog


@dataclass
class SymbolTable:
    """Symbols and synonyms of one species' genes.

    Attributes
    ----------
    approved : dict
        Symbol -> genes whose symbol the nomenclature authority gave.
    listed : dict
        Symbol -> genes that NCBI lists under it.
    synonyms : dict
        Synonym -> genes.
    """

    approved: dict[str, set[str]] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)
    synonyms: dict[str, set[str]] = field(default_factory=dict)

    def resolve(self, symbol: str) -> tuple[str | None, str]:
        """Gene of a symbol and how it was found.

        Returns
        -------
        (str or None, str)
            CURIE and "symbol" or "synonym"; None and "unknown" or "ambiguous". The first of
            approved symbols, listed symbols and synonyms that knows the word decides.
        """
        for table, how in (
            (self.approved, "symbol"),
            (self.listed, "symbol"),
            (self.synonyms, "synonym"),
        ):
            found = table.get(symbol)
            if found:
                return (next(iter(found)), how) if len(found) == 1 else (None, "ambiguous")
        return None, "unknown"


def read_symbols(path: Path, file: FileLog) -> SymbolTable:
    """Build the table from a ``gene_info`` file."""
    table = SymbolTable()
    for batch in human_genes(path, file):
        columns = (
            batch.column("curie").to_pylist(),
            batch.column("Symbol").to_pylist(),
            batch.column("Symbol_from_nomenclature_authority").to_pylist(),
            split(batch.column("Synonyms"), "|", "-").to_pylist(),
        )
        for gene, symbol, official, synonyms in zip(*columns, strict=True):
            if official not in ("-", ""):
                table.approved.setdefault(official, set()).add(gene)
            table.listed.setdefault(symbol, set()).add(gene)
            for synonym in synonyms:
                table.synonyms.setdefault(synonym, set()).add(gene)
    return table
