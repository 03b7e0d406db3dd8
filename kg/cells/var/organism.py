"""Species of the variables: what their references, genomes, identifiers and spelling say."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tosg.kg.cells.obs.fields import is_human, is_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

HUMAN_NAME = "human"

#: Columns that say the species of a variable: CELLxGENE's, and the genome of 10x files.
_COLUMNS = ("feature_reference", "genome", "organism", "species")
_ID_COLUMNS = ("gene_ids", "gene_id", "feature_id", "ensembl_id", "accession")

# Stable identifiers of Ensembl carry a species code before the G; human ones have none.
_ENSEMBL = re.compile(r"(?i)^ENS([A-Z]{3,4})G\d{11}(?:\.\d+)?(?:$|[_|:;-])")
_ENSEMBL_SPECIES = {
    "MUS": "Mus musculus",
    "RNO": "Rattus norvegicus",
    "DAR": "Danio rerio",
    "MMU": "Macaca mulatta",
    "MFA": "Macaca fascicularis",
    "CJA": "Callithrix jacchus",
    "PTR": "Pan troglodytes",
    "GGO": "Gorilla gorilla",
    "SSC": "Sus scrofa",
    "BTA": "Bos taurus",
    "OAR": "Ovis aries",
    "CAF": "Canis lupus familiaris",
    "GAL": "Gallus gallus",
    "OCU": "Oryctolagus cuniculus",
    "XET": "Xenopus tropicalis",
}
_FLY_AND_WORM = {"FBgn": "Drosophila melanogaster", "WBGene": "Caenorhabditis elegans"}

# Letters of the names of genomes; numbers are versions (GRCh38_chr21, refdata-gex-mm10-2020-A).
_GENOMES = {
    "grch": HUMAN_NAME,
    "hg": HUMAN_NAME,
    "chm": HUMAN_NAME,
    "homo": HUMAN_NAME,
    "human": HUMAN_NAME,
    "grcm": "Mus musculus",
    "mm": "Mus musculus",
    "mus": "Mus musculus",
    "mouse": "Mus musculus",
    "rnor": "Rattus norvegicus",
    "mratbn": "Rattus norvegicus",
    "rn": "Rattus norvegicus",
    "rat": "Rattus norvegicus",
    "grcz": "Danio rerio",
    "danrer": "Danio rerio",
    "zebrafish": "Danio rerio",
    "mmul": "Macaca mulatta",
    "sscrofa": "Sus scrofa",
    "bdgp": "Drosophila melanogaster",
    "dm": "Drosophila melanogaster",
    "wbcel": "Caenorhabditis elegans",
}
_GENOME = re.compile(r"([a-z]+)\d*(?:p\d+)?")
_PREFIX = re.compile(r"(?i)^(mm9|mm10|mm39|GRCm3[89]|rn[67]|Rnor|hg19|hg38|GRCh3[78])[_.-]+\S")

_TAXA = {
    "10090": "Mus musculus",
    "10116": "Rattus norvegicus",
    "7955": "Danio rerio",
    "9544": "Macaca mulatta",
    "9541": "Macaca fascicularis",
    "9483": "Callithrix jacchus",
    "9823": "Sus scrofa",
    "2697049": "SARS-CoV-2",
    "32630": "synthetic construct",
}
#: References beside a species' own genes that say nothing about the cells.
_ADDED = frozenset({"SARS-CoV-2", "synthetic construct"})

#: A name as rodents' genes are written: one capital, then lower case (Cd3d, Lyz2).
_CAPITALISED = re.compile(r"^[A-Z][a-z]{1,}[a-z0-9]*(?:-[a-z0-9]+)*$")
_LETTERS = re.compile(r"[A-Za-z]{2}")
#: From so many names on, their spelling tells the species.
_MIN_NAMES = 10
_MIN_SHARE = 0.5


def organisms_of(var: pd.DataFrame) -> list[str | None]:
    """Species of each variable where its row says one other than human; else None."""
    return [None if o == HUMAN_NAME else o for o in _said(var)]


def organism_of_file(var: pd.DataFrame, symbols: Sequence[str]) -> tuple[str, str] | None:
    """Tell the species of a file from its variables, where no variable is known to be human.

    Parameters
    ----------
    var : DataFrame
    symbols : sequence of str
        A name per variable.

    Returns
    -------
    (str, str) or None
        Species other than human, and what says so.
    """
    said = Counter(o for o in _said(var) if o is not None and o not in _ADDED)
    if said[HUMAN_NAME]:
        return None
    if said:
        species, n = said.most_common(1)[0]
        return species, f"identifier, reference or genome of {n:,} of {len(var):,} variables"
    words = [s for s in symbols if _LETTERS.search(s) and not s.startswith("ERCC")]
    rodent = [s for s in words if _CAPITALISED.match(s)]
    if len(rodent) >= _MIN_NAMES and len(rodent) > _MIN_SHARE * len(words):
        shown = ", ".join(rodent[:3])
        return "mouse or rat", f"{len(rodent):,} of {len(words):,} names are written like {shown}"
    return None


def _said(var: pd.DataFrame) -> list[str | None]:
    """Species that each row says, human included: by its identifiers, then by its reference."""
    found = [organism_of_name(str(name)) for name in var.index]
    by_lower = {str(c).lower(): c for c in var.columns}
    for column in (*_ID_COLUMNS, *_COLUMNS):
        if column in by_lower:
            reads = organism_of_reference if column in _COLUMNS else organism_of_name
            said = [reads(str(v)) for v in var[by_lower[column]].tolist()]
            found = [a or b for a, b in zip(found, said, strict=True)]
    return found


def organism_of_name(text: str) -> str | None:
    """Species that an identifier or a genome's prefix says."""
    if re.match(r"(?i)ENSG\d{11}", text):
        return HUMAN_NAME
    if found := _ENSEMBL.match(text):
        return _ENSEMBL_SPECIES.get(found[1].upper(), f"Ensembl {found[1].upper()}")
    if found := _PREFIX.match(text):
        return organism_of_reference(found[1])
    return next((s for p, s in _FLY_AND_WORM.items() if text.startswith(p)), None)


def organism_of_reference(text: str) -> str | None:
    """Species that a NCBITaxon term, a species' name or a genome's name says."""
    if is_missing(text):
        return None
    word = text.strip().lower().replace("_", " ")
    if is_human(text):
        return HUMAN_NAME
    if found := re.match(r"^(?:ncbitaxon[: ])?(\d+)$", word):
        return _TAXA.get(found[1], f"NCBITaxon:{found[1]}")
    for token in re.split(r"[^a-z0-9]+", word):
        genome = _GENOME.fullmatch(token)
        if genome and genome[1] in _GENOMES:
            return _GENOMES[genome[1]]
    return word.capitalize() if re.match(r"^[a-z]+ [a-z]+$", word) else None
