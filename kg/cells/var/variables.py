"""Variables of a file of cells, with every name that their row of var gives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.kg.cells.var.modality import GENE, PROTEIN, modalities_of
from tosg.kg.cells.var.organism import organisms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

#: Columns of var that may identify the variables, beside its index; compared without case and
#: punctuation.
ID_COLUMNS = (
    "gene_ids",
    "gene_id",
    "feature_id",
    "ensembl_id",
    "ensembl_ids",
    "ensembl",
    "ensembl_gene_id",
    "ensembl_gene",
    "ensg",
    "gene_stable_id",
    "accession",
    "uniprot",
    "uniprot_id",
)
#: Columns that hold HGNC's numbers, with or without their prefix.
HGNC_COLUMNS = ("hgnc_id", "hgnc")
#: Columns that say by their name that they hold NCBI (Entrez) gene numbers.
ENTREZ_COLUMNS = (
    "entrez",
    "entrez_id",
    "entrez_ids",
    "entrez_gene",
    "entrez_gene_id",
    "entrezgene",
    "entrezgene_id",
    "ncbi_gene",
    "ncbi_gene_id",
)
#: NCBI's own name of that column, with its case: gene_id may hold anything.
_NCBI_COLUMN = "GeneID"
SYMBOL_COLUMNS = (
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "symbol",
    "symbols",
    "hgnc_symbol",
    "gene_name",
    "gene_names",
    "gene_short_name",
    "external_gene_name",
    "gene",
)

_NUMBER = re.compile(r"^(\d+)(?:\.0+)?$")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with every name that its row of var gives.

    Attributes
    ----------
    name : str
        As the index of var has it.
    identifiers, symbols : tuple of str
        Texts that may be identifiers, and texts that may be names, best first.
    modality : str
        See `tosg.kg.cells.var.modality`.
    organism : str or None
        A species other than human, where the row of var says one.
    """

    name: str
    identifiers: tuple[str, ...]
    symbols: tuple[str, ...]
    modality: str = GENE
    organism: str | None = None

    @property
    def protein(self) -> bool:
        """Whether it is the antibody of a protein."""
        return self.modality == PROTEIN


def variables_of(var: pd.DataFrame) -> list[Variable]:
    """Collect the names of each variable from the index and the known columns of var."""
    index = [str(v) for v in var.index]
    ids, symbols = _columns(var, ID_COLUMNS), _columns(var, SYMBOL_COLUMNS)
    numbers = [[_numbered(text, "GeneID") for text in c] for c in _entrez_columns(var, index)]
    numbers += [[_numbered(text, "HGNC") for text in c] for c in _columns(var, HGNC_COLUMNS)]
    modalities, organisms = modalities_of(var), organisms_of(var)
    rows = []
    for i, name in enumerate(index):
        identifiers = (name, *(c[i] for c in ids), *(c[i] for c in numbers))
        named = (name, *(c[i] for c in symbols), *(c[i] for c in ids))
        rows.append(
            Variable(
                name,
                tuple(dict.fromkeys(t for t in identifiers if t)),
                tuple(dict.fromkeys(t for t in named if t)),
                modalities[i],
                organisms[i],
            )
        )
    return rows


def columns_used(var: pd.DataFrame) -> list[str]:
    """Columns of var that name the variables, after its index."""
    known = {_folded(c) for c in (*ID_COLUMNS, *ENTREZ_COLUMNS, *HGNC_COLUMNS, *SYMBOL_COLUMNS)}
    return [str(c) for c in var.columns if _folded(str(c)) in known]


def _folded(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def find_columns(var: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Columns of var with one of the names, in the order of the names."""
    by_name = {_folded(str(c)): c for c in reversed(list(var.columns))}
    return list(dict.fromkeys(by_name[_folded(n)] for n in names if _folded(n) in by_name))


def _columns(var: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    """Values of `find_columns` as clean texts."""
    return [[_text(v) for v in var[c].tolist()] for c in find_columns(var, names)]


def _entrez_columns(var: pd.DataFrame, index: list[str]) -> list[list[str]]:
    """Columns, or the index, whose name says that they hold Entrez numbers."""
    found = _columns(var, ENTREZ_COLUMNS)
    if _NCBI_COLUMN in var.columns:
        found.append([_text(v) for v in var[_NCBI_COLUMN].tolist()])
    name = str(var.index.name)
    if name == _NCBI_COLUMN or _folded(name) in map(_folded, ENTREZ_COLUMNS):
        found.append(index)
    return found


def _text(value: object) -> str:
    if value is None or value != value:  # None and NaN
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _numbered(text: str, prefix: str) -> str:
    """A number of a column of numbers as an identifier; 915.0 passed through floats."""
    found = _NUMBER.match(text.strip())
    return f"{prefix}:{found[1]}" if found else text


def names_of(variable: Variable) -> str:
    """Everything that matching needs of a variable, as JSON: what the data set's node keeps."""
    document = [
        variable.name,
        variable.identifiers,
        variable.symbols,
        variable.modality,
        variable.organism,
    ]
    return json.dumps(document, ensure_ascii=False)


def variable_of(document: str) -> Variable:
    """Read back what `names_of` wrote, today or in an earlier release."""
    name, identifiers, symbols, modality, *organism = json.loads(document)
    if isinstance(modality, bool):  # up to release 0.1: whether it is a protein
        modality = PROTEIN if modality else GENE
    return Variable(name, tuple(identifiers), tuple(symbols), modality, *organism)
