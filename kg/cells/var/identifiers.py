"""Identifiers of genes and proteins in files of cells, as CURIEs of the graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENSEMBL = re.compile(r"^(?:ensembl:)?(ENSG\d{11})(?:\.\d+)?$", re.IGNORECASE)
_NCBI = re.compile(r"^(?:GeneID|NCBIGene|entrez(?:gene)?):(\d+)$", re.IGNORECASE)
_HGNC = re.compile(r"^(?:HGNC:)?HGNC:(\d+)$", re.IGNORECASE)
_UNIPROT = re.compile(
    r"^(?:uniprot(?:kb)?:)?"
    r"([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-\d+)?$",
    re.IGNORECASE,
)


def read_curies(text: str, *, protein: bool) -> Iterator[str]:
    """Yield the CURIE of a text that is an identifier.

    Parameters
    ----------
    text : str
    protein : bool
        Whether it may be an accession of UniProt without a prefix: P2RY12 is a gene's symbol and
        looks like one.
    """
    text = text.strip()
    if found := _ENSEMBL.match(text):
        yield f"ensembl:{found[1].upper()}"
    elif found := _NCBI.match(text):
        yield f"ncbigene:{found[1]}"
    elif found := _HGNC.match(text):
        yield f"hgnc:{found[1]}"
    elif (protein or text.lower().startswith("uniprot")) and (found := _UNIPROT.match(text)):
        yield f"uniprot:{found[1].upper()}"
