"""Names of antibodies taken apart: what vendors and papers add to the name of an antigen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Antigens whose names are no symbol, or more than one protein's. Names between ``|``.
_TABLE = Path(__file__).with_name("antigens.tsv")

# Barcode numbers (A0081), product lines, and what readers hang on a second name.
_SUFFIX = re.compile(
    r"(?i)(?:[-_. ]+(?:totalseq[-_ ]?[abcd]?|total[-_ ]?[abcd]|tsq?[abcd]|[abcd]\d{4}"
    r"|adt|ab|prot|protein|antibody|cite|tag)|[ _]?\((?:totalseq|total|adt)[-_ ]?[abcd]?\))$"
)
_PREFIX = re.compile(
    r"(?i)^(?:adt|ab|prot|protein|cite|antibody|totalseq[-_ ]?[abcd]?|[abcd]\d{4})[-_. :]+"
)
_REACTIVITY = re.compile(
    r"(?i)^(?:anti[-_. ]+)?(?:(?:human|hu)(?:[-_./ ]*(?:mouse|ms))?(?:[-_./ ]*(?:rat|rt))?"
    r"|anti)[-_. /]+"
)
#: A second antibody of one name in R (CD14.1) and in Python (CD14-1); not PD-1.
_REPEATED = re.compile(r"^(.*\d[a-zA-Z]?)[-.]\d$")
#: A clone after a CD number (CD3_UCHT1); elsewhere the second word may be part of the name.
_CLONE = re.compile(r"(?i)^(CD\d+[a-z]?)[-_. ](?:clone[ _])?(?!CD\d)(?=\S*\d)[a-z0-9][\w./-]{2,}$")
#: BD Rhapsody: antigen, clone, gene, barcode, and what it is (CD3:UCHT1|CD3E|AHS0231|pAbO).
_RHAPSODY = re.compile(r"(?i)^([^:|]+)(?::[^|]*)?\|(?:[^|]*\|)?[a-z]{3}\d{4}\|pabo$")
_BRACKETS = re.compile(r"^(.*?\S)[ _]*\(([^()]+)\)$")

_CONTROL = re.compile(
    r"(?i)(?:isotype|isoctrl|iso[-_ ]|ctrl|control)"
    r"|^(?:mouse|ms|m|rat|r|hamster|armenian)[-_ ]?ig[gma]"
)
_HASHTAG = re.compile(r"(?i)^(?:hto|hashtag|hash[-_ ]?tag|cmo)(?=[-_ .]?\d|$)")

# Greek alpha to epsilon, kappa and lambda.
_GREEK = str.maketrans("\u03b1\u03b2\u03b3\u03b4\u03b5\u03ba\u03bb", "abgdekl")
_SPELT = {"alpha": "a", "beta": "b", "gamma": "g", "delta": "d", "epsilon": "e", "kappa": "k"}
# Marks between two digits stay: CD4.1 is a second CD4, and no CD41.
_MARKS = re.compile(r"(?<!\d)[\s_.,/-]+|[\s_.,/-]+(?!\d)")


@dataclass(frozen=True, slots=True)
class Antigen:
    """What an antibody of that name binds.

    Attributes
    ----------
    symbols : tuple of str
        Of the genes of its proteins; empty for what is no protein.
    note : str
        Why it stands for no single protein; "" where it stands for one.
    """

    symbols: tuple[str, ...]
    note: str = ""


def not_an_antigen(text: str) -> str | None:
    """Say why a feature is no antibody of a protein: a control or a hashtag; None where it is."""
    bare = _stripped(text)
    if _CONTROL.search(bare):
        return "isotype control"
    return "hashtag" if _HASHTAG.match(bare) else None


def antigen_names(text: str) -> list[str]:
    """Names that the antigen may have, best first: whole, outside and inside brackets, less clone.

    >>> antigen_names("Hu.CD3_UCHT1")
    ['CD3_UCHT1', 'CD3']
    >>> antigen_names("CD279 (PD-1)_TotalSeqC")
    ['CD279 (PD-1)', 'CD279', 'PD-1']
    """
    bare = _stripped(text)
    names = [bare]
    if found := _BRACKETS.match(bare):
        names += [found[1], found[2]]
    elif found := _CLONE.match(bare):
        names.append(found[1])
    names += [found[1] for n in names if (found := _REPEATED.match(n))]
    return list(dict.fromkeys(n.strip() for n in names if n.strip()))


def antigen_of(name: str) -> Antigen | None:
    """Look an antigen up in the table; None where it is not listed."""
    return _antigens().get(_folded(name))


def _stripped(text: str) -> str:
    before, text = "", text.strip()
    if found := _RHAPSODY.match(text):
        text = found[1]
    while before != text:
        before = text
        text = _REACTIVITY.sub("", _PREFIX.sub("", _SUFFIX.sub("", text))).strip() or before
    return text


def _folded(name: str) -> str:
    word = name.translate(_GREEK).lower()
    for long, short in _SPELT.items():
        word = word.replace(long, short)
    return _MARKS.sub("", word)


@cache
def _antigens() -> dict[str, Antigen]:
    """Every name of the table, folded."""
    found: dict[str, Antigen] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            names, symbols, note = [*line.split("\t"), "", ""][:3]
            antigen = Antigen(tuple(symbols.split()), note)
            found |= {_folded(name): antigen for name in names.split("|")}
    return found
