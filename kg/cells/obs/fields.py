"""What a cell may be described by: the fields, and the words that all of them share."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Texts that stand for "not known" in the files of the field; ``_`` and ``-`` between words are
#: blanks.
MISSING = frozenset(
    {
        *("", "nan", "none", "null", "na", "n/a", "n.a.", "n.a", "<na>", "#n/a", "#na", "n/d"),
        *("na_character_", "na_integer_", "na_real_", "nat", "pd.na", "(null)", "\\n"),
        *("#value!", "#ref!", "#name?", "-", "--", "?", "."),
        *("unknown", "unassigned", "not available", "not applicable", "not reported"),
        *("not provided", "not collected", "not recorded", "not specified", "not known"),
        *("unspecified", "missing", "unavailable", "data not available", "no data"),
        *("unknown / not reported", "unknown/not reported"),
    }
)
_BETWEEN_WORDS = re.compile(r"(?<=\w)[_-](?=\w)")

#: The term that says "no disease" (CELLxGENE).
NORMAL = "pato:0000461"
_NORMAL_WORDS = frozenset(
    {
        *("normal", "healthy", "healthy control", "healthy controls", "healthy donor"),
        *("healthy donors", "healthy volunteer", "no disease", "disease free", "non diseased"),
    }
)

SEXES = {"pato:0000383": "female", "pato:0000384": "male"}
_SEX_WORDS = dict.fromkeys(("f", "female", "woman", "women", "girl"), "female") | dict.fromkeys(
    ("m", "male", "man", "men", "boy"), "male"
)

HUMAN_TERM = "ncbitaxon:9606"
_HUMAN_WORDS = re.compile(
    r"homo sapiens(?: \(human\))?(?: \[.*\])?|human(?: \(homo sapiens\))?|h\.? ?sapiens"
    r"|(?:(?:ncbitaxon|taxon|taxid|ncbi):)?9606(?:\.0)?"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a cell.

    Attributes
    ----------
    name : str
        Property of :Cell.
    help : str
    prefixes : tuple of str
        Ontologies whose terms may stand in it; empty for plain text.
    label : str or None
        Type of the graph's node that a term or name is matched to.
    flag : bool
        Whether it is yes or no.
    detected : bool
        Whether a column of this name is taken without being mapped.
    """

    name: str
    help: str
    prefixes: tuple[str, ...] = ()
    label: str | None = None
    flag: bool = False
    detected: bool = True


FIELDS: tuple[Field, ...] = (
    Field("donor_id", "who the cell is from; splits never divide a donor"),
    Field("cell_type", "type of the cell", ("cl",), "CellType"),
    Field("tissue", "organ or tissue", ("uberon", "cl"), "Anatomy"),
    Field(
        "disease", "disease of the donor, or normal", ("mondo", "doid", "efo", "pato"), "Disease"
    ),
    Field("sex", "female or male", ("pato",)),
    Field("development_stage", "stage of life", ("hsapdv", "mmusdv", "uberon")),
    Field("age", "age, read into age_years"),
    Field("assay", "how the cell was measured", ("efo",)),
    Field("organism", "species; only human cells are attached unless asked", ("ncbitaxon",)),
    Field("self_reported_ethnicity", "as reported by the donor", ("hancestro",)),
    Field("suspension_type", "cell or nucleus"),
    Field("tissue_type", "tissue, cell culture or organoid"),
    Field("is_primary_data", "whether this is the first publication of the cell", flag=True),
    Field("n_counts", "RNA counts of the whole library, instead of their sum", detected=False),
)

BY_NAME = {f.name: f for f in FIELDS}

#: The field that is a number per cell and no label; see `tosg.kg.cells.values.library`.
LIBRARY_SIZE = "n_counts"


def is_missing(value: object) -> bool:
    """Whether a value of a table stands for "not known"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    word = str(value).strip().lower()
    return word in MISSING or _BETWEEN_WORDS.sub(" ", word) in MISSING


def sex(text: str) -> str | None:
    """Read a sex from a PATO term or a word; None where it is another word."""
    return SEXES.get(text.lower().replace("_", ":")) or _SEX_WORDS.get(text.lower())


def is_human(text: str) -> bool:
    """Whether a species' name or NCBITaxon term is that of human."""
    word = " ".join(text.lower().split())
    return any(_HUMAN_WORDS.fullmatch(word.replace("_", mark)) for mark in (":", " "))


def is_normal(text: str) -> bool:
    """Whether a disease label says that there is none."""
    word = text.strip().lower()
    return _BETWEEN_WORDS.sub(" ", word) in _NORMAL_WORDS or word.replace("_", ":") == NORMAL
