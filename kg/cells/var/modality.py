"""What kind of thing each variable of a file counts: genes, antibodies of proteins, or neither."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GENE = "gene"
PROTEIN = "protein"
#: Peaks, guides, hashtags: no entity of the graph, and no part of a cell's RNA.
OTHER = "other"

#: Columns of var that say the kind, in the layouts of 10x, Seurat and MuData.
TYPE_COLUMNS = ("feature_types", "feature_type", "modality")

# Values as 10x, Seurat and MuData write them, in lower case. Any other value is a
# gene: CELLxGENE's feature_type has biotypes (protein_coding, lncRNA).
_PROTEINS = frozenset({"antibody capture", "antibody", "protein", "prot", "adt", "proteins"})
_OTHERS = frozenset(
    {
        *("crispr guide capture", "guide", "grna", "sgrna", "crispr"),
        *("multiplexing capture", "hashtag", "hto", "cmo"),
        *("peaks", "peak", "atac", "chromatin accessibility", "custom", "antigen capture"),
        *("vdj", "vdj-t", "vdj-b", "cell multiplexing"),
    }
)


# Names that only antibodies and hashtags have, in files that do not say the kind; pAbO ends those
# of BD Rhapsody.
_ANTIBODY = re.compile(r"(?i)totalseq|[_-]adt$|^adt[_-]|[_-]total[abcd]$|\|pabo$")
_HASHTAG = re.compile(r"(?i)^(?:hto|hashtag)[_ -]?\d+(?:[_-].*)?$|^sampletag\d+(?:_hs)?\|sto$")


def modalities_of(var: pd.DataFrame) -> list[str]:
    """Modality of each variable: `GENE`, `PROTEIN` or `OTHER`.

    A column says it; without one, names that vendors give antibodies only (``CD4_TotalSeqB``).
    """
    column = type_column(var)
    if column is None:
        return [_modality_of_name(str(name)) for name in var.index]
    return [_modality(str(value)) for value in var[column].tolist()]


def type_column(var: pd.DataFrame) -> str | None:
    """Column of var that says the kind of each variable."""
    by_lower = {str(c).lower(): str(c) for c in var.columns}
    return next((by_lower[n] for n in TYPE_COLUMNS if n in by_lower), None)


def _modality_of_name(name: str) -> str:
    if _HASHTAG.match(name):
        return OTHER
    return PROTEIN if _ANTIBODY.search(name) else GENE


def _modality(text: str) -> str:
    word = text.strip().lower().replace("_", " ")
    if word in _PROTEINS:
        return PROTEIN
    return OTHER if word in _OTHERS else GENE
