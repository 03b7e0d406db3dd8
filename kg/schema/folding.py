"""How the merge compares names: ``Crohn's  Disease`` and ``crohn disease`` are one name.

Upper and lower case, accents, runs of white space, the kind of apostrophe and a possessive s make
no other name. Each rule is there for one text and for a column. Search compares more freely:
`tosg.kg.search.spelling`.
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
    "\u0142": "l",
    "\u0111": "d",
    "\u00e6": "ae",
    "\u0153": "oe",
    "\u00df": "ss",
}


def fold_name(name: str) -> str:
    """Fold one name."""
    parts = unicodedata.normalize("NFKD", name).lower()
    text = "".join(c for c in parts if not unicodedata.category(c).startswith("M"))
    text = text.translate({ord(letter): plain for letter, plain in _LETTERS.items()})
    text = _BLANKS.sub(" ", text).strip(" ").replace(_APOSTROPHE, "'")
    return re.sub(r"s'( |$)", r"s\1", re.sub(r"'s\b", "", text))


def fold_names(names: pl.Expr) -> pl.Expr:
    """Fold a column of names; null stays null."""
    text = names.str.normalize("NFKD").str.to_lowercase().str.replace_all(r"\p{M}", "")
    text = text.str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    text = text.str.replace_all(r"\s+", " ").str.strip_chars()
    text = text.str.replace_all(_APOSTROPHE, "'", literal=True)
    return text.str.replace_all(r"'s\b", "").str.replace_all(r"s'( |$)", "s$1")
