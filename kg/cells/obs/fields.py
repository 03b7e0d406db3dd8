"""What a cell may be described by, and how text of each field is read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Texts that stand for "not known" in the files of the field.
MISSING = frozenset({"", "nan", "none", "null", "na", "n/a", "unknown", "unassigned", "<na>"})

#: The term that says "no disease" (CELLxGENE).
NORMAL = "pato:0000461"
_NORMAL_WORDS = frozenset({"normal", "healthy"})

SEXES = {"pato:0000383": "female", "pato:0000384": "male"}
_SEX_WORDS = {"f": "female", "female": "female", "m": "male", "male": "male"}

HUMAN = "ncbitaxon:9606"
_HUMAN_WORDS = frozenset({"homo sapiens", "human", "h. sapiens", "9606", HUMAN})


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
    """

    name: str
    help: str
    prefixes: tuple[str, ...] = ()
    label: str | None = None


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
    Field("is_primary_data", "whether this is the first publication of the cell"),
)

BY_NAME = {f.name: f for f in FIELDS}


def is_missing(value: object) -> bool:
    """Whether a value of a table stands for "not known"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return str(value).strip().lower() in MISSING


def is_true(text: str) -> bool:
    """Whether a flag of a table, which may have passed through text or numbers, is set."""
    return text.strip().lower() in ("true", "1", "1.0", "yes")


def sex(text: str) -> str | None:
    """Read a sex from a PATO term or a word; None where it is another word."""
    return SEXES.get(text.lower().replace("_", ":")) or _SEX_WORDS.get(text.lower())


def is_human(text: str) -> bool:
    """Whether a species' name or NCBITaxon term is that of man."""
    word = text.strip().lower()
    return bool({word, word.replace("_", ":"), word.replace("_", " ")} & _HUMAN_WORDS)


def is_normal(text: str) -> bool:
    """Whether a disease label says that there is none."""
    word = text.strip().lower().replace("_", ":")
    return word in _NORMAL_WORDS or word == NORMAL


_NUMBER = r"(\d+(?:\.\d+)?)"
_YEARS = re.compile(
    rf"(?i)^(?:postnatal\s+)?{_NUMBER}\s*(?:-\s*)?(?:years?|yrs?|y|yo|y\.o\.|year)"
    r"(?:[\s-]*olds?)?(?:\s+(?:human\s+)?stage)?$"
)
_MONTHS = re.compile(
    rf"(?i)^(?:postnatal\s+)?{_NUMBER}\s*(?:-\s*)?(?:months?|mo)"
    r"(?:[\s-]*olds?)?(?:\s+(?:human\s+)?stage)?$"
)
_PLAIN = re.compile(rf"^{_NUMBER}$")
_HSAPDV = re.compile(r"(?i)^hsapdv[:_](\d{7})$")


def age_years(text: str, *, plain: bool = False) -> float | None:
    """Read an age in years, where the text says one clearly.

    ``postnatal 54 years``, ``29-year-old human stage``, ``3 months``, ``HsapDv:0000144`` (the
    terms of HsapDv for single years from 2 to 91). Ranges, decades and everything before birth
    give None: weeks after conception and years after birth are two clocks, and one number for
    both would be read as an age.

    Parameters
    ----------
    text : str
    plain : bool
        Whether a number alone is years, as in a column called age.
    """
    text = text.strip()
    if found := _YEARS.match(text):
        return float(found[1])
    if found := _MONTHS.match(text):
        return round(float(found[1]) / 12, 4)
    if plain and (found := _PLAIN.match(text)):
        return float(found[1])
    if found := _HSAPDV.match(text):
        return _hsapdv_years(int(found[1]))
    return None


def _hsapdv_years(number: int) -> float | None:
    # HsapDv numbers its terms for single years in two runs.
    if 96 <= number <= 173:
        return float(number - 94)
    if 206 <= number <= 217:
        return float(number - 126)
    return None
