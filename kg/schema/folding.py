"""How names are compared: ``Crohn's  Disease`` and ``crohn disease`` are one name.

Upper and lower case, accents, runs of white space, the kind of apostrophe and a possessive s make
no other name. `fold_name` does it for one text, `fold_names` for a column.
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


def fold_name(name: str) -> str:
    """Fold one name."""
    text = unicodedata.normalize("NFKD", name).lower()
    text = "".join(c for c in text if not unicodedata.category(c).startswith("M"))
    text = _BLANKS.sub(" ", text).strip(" ").replace(_APOSTROPHE, "'")
    return re.sub(r"s'( |$)", r"s\1", re.sub(r"'s\b", "", text))


def fold_names(names: pl.Expr) -> pl.Expr:
    """Fold a column of names; null stays null."""
    text = names.str.normalize("NFKD").str.to_lowercase().str.replace_all(r"\p{M}", "")
    text = text.str.replace_all(r"\s+", " ").str.strip_chars()
    text = text.str.replace_all(_APOSTROPHE, "'", literal=True)
    return text.str.replace_all(r"'s\b", "").str.replace_all(r"s'( |$)", "s$1")
