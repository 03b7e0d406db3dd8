"""Yes and no in tables: as Python, R, spreadsheets and people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.kg.cells.obs.fields import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", "off"})


def flag(text: str) -> bool | None:
    """Read a flag; None where it is missing.

    Raises
    ------
    ValueError
        The word is neither yes nor no.
    """
    word = text.strip().lower()
    if is_missing(word):
        return None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(text)


def read_flags(texts: Iterable[str], column: str, where: str | Path) -> dict[str, bool | None]:
    """Read the distinct values of a column of flags.

    Raises
    ------
    DataError
        A value is neither yes nor no; all such values are named.
    """
    found: dict[str, bool | None] = {}
    unknown = []
    for text in dict.fromkeys(texts):
        try:
            found[text] = flag(text)
        except ValueError:
            unknown.append(text)
    if unknown:
        raise DataError(
            "a yes/no column has other values",
            where=f"{where}: {column}",
            found=", ".join(unknown[:10]) + (" ..." if len(unknown) > 10 else ""),
            expected="true or false, T or F, yes or no, 1 or 0, or empty",
            hint="correct the column, or translate its words in a mapping file (`values`)",
        )
    return found
