"""Warnings of the facade."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tosg.errors import TosgWarning

if TYPE_CHECKING:
    from collections.abc import Iterable


def warn_caller(notes: Iterable[str]) -> None:
    """Give each note as a `TosgWarning` that points to the caller of the function that calls this.

    Parameters
    ----------
    notes : iterable of str
        What Python is told, one warning each.
    """
    for text in notes:
        warnings.warn(text, TosgWarning, stacklevel=3)
