"""Which texts can be the name of a gene or protein at all."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?$")

#: What tables write where there is no name.
_NOTHING = frozenset({"na", "nan", "none", "null", "n/a", "<na>", "#n/a", "#name?"})

# Spreadsheets turn SEPT2 and MARCH1 into dates, in the forms of many languages.
_MONTH = r"(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)"
_DATE = re.compile(
    rf"(?i)^(?:\d{{1,2}}[-./ ]{_MONTH}(?:[-./ ]\d{{2,4}})?|{_MONTH}[-./ ]\d{{2,4}}"
    rf"|\d{{1,2}}[-./]\d{{1,2}}(?:[-./]\d{{2,4}})?|\d{{4}}[-./]\d{{1,2}}[-./]\d{{1,2}}(?: .*)?)$"
)
# An open reading frame is written C1orf112; some files write it in capitals.
_ORF = re.compile(r"^(C(?:[0-9]+|X|Y))ORF([0-9]+)")


def is_bare_number(text: str) -> bool:
    """Whether a text is a number: a symbol is none."""
    return bool(_NUMBER.match(text.strip()))


def is_date(text: str) -> bool:
    """Whether a text is a date, as a spreadsheet makes of SEPT2 (``2-Sep``)."""
    return bool(_DATE.match(text.strip()))


def can_be_symbol(text: str) -> bool:
    """Whether a text can be a symbol: it has a letter, and is no number, date or ``NA``."""
    return (
        any(c.isalpha() for c in text)
        and text.strip().lower() not in _NOTHING
        and not is_bare_number(text)
        and not is_date(text)
    )


def can_be_alias(text: str) -> bool:
    """Whether a text can be an alias: a symbol's text of more than one letter or digit."""
    return can_be_symbol(text) and sum(c.isalnum() for c in text) > 1


def symbol_key(symbol: str) -> str:
    """Key by which symbols and aliases are compared.

    Case counts: Cd3d is a gene of mouse and must not become the human one.
    """
    return _ORF.sub(r"\1orf\2", symbol) if "ORF" in symbol else symbol
