"""How names are compared: ``Crohn's  Disease`` and ``crohn disease`` are one name.

Upper and lower case, accents, runs of white space, the kind of apostrophe and a possessive s make
no other name. Each rule is there for one text and for a column.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_APOSTROPHE = "\u2019"
#: White space as Unicode has it: Python counts four control characters more.
_BLANKS = re.compile(r"[^\S\x1c-\x1f]+")
#: Letters with a stroke and ligatures, which Unicode does not take apart.
_LETTERS = {
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u0111": "d",
    "\u0110": "D",
    "\u00e6": "ae",
    "\u00c6": "AE",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00df": "ss",
}


def strip_accents(text: str) -> str:
    """Write a text without accents: ``Sj\u00f6gren`` becomes ``Sjogren``."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in parts if not unicodedata.category(c).startswith("M"))
    return bare.translate({ord(letter): plain for letter, plain in _LETTERS.items()})


def strip_accents_of(texts: pl.Expr) -> pl.Expr:
    """Write a column of texts without accents; null stays null."""
    bare = texts.str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    return bare.str.replace_many(list(_LETTERS), list(_LETTERS.values()))


def fold_name(name: str) -> str:
    """Fold one name."""
    text = strip_accents(strip_accents(name).lower())
    text = _BLANKS.sub(" ", text).strip(" ").replace(_APOSTROPHE, "'")
    return re.sub(r"s'( |$)", r"s\1", re.sub(r"'s\b", "", text))


def fold_names(names: pl.Expr) -> pl.Expr:
    """Fold a column of names; null stays null."""
    text = strip_accents_of(strip_accents_of(names).str.to_lowercase())
    text = text.str.replace_all(r"\s+", " ").str.strip_chars()
    text = text.str.replace_all(_APOSTROPHE, "'", literal=True)
    return text.str.replace_all(r"'s\b", "").str.replace_all(r"s'( |$)", "s$1")
