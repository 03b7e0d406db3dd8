"""Where one field of a cell comes from: `FieldSource`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where one field comes from.

    Attributes
    ----------
    column : str or None
        Column of obs with names or terms.
    term_column : str or None
        Column of obs with ontology terms (CELLxGENE), beside or instead of names.
    constant : str or None
        One value for every cell.
    values : tuple of (str, str or None)
        Patterns and what a value that fits becomes; the first that fits counts.
    named : tuple of (str, str)
        Labels of the file and the name or term of each; they come before `values`.
    found : bool
        Whether the column was detected and not given by the user.
    parts : tuple of str
        Columns that make the value together, where `column` names several.
    unit_column : str or None
        Column with the unit of an age.
    unit : str or None
        Unit of an age that the column's name says.
    """

    column: str | None = None
    term_column: str | None = None
    constant: str | None = None
    values: tuple[tuple[str, str | None], ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    found: bool = False
    parts: tuple[str, ...] = ()
    unit_column: str | None = None
    unit: str | None = None

    @property
    def origin(self) -> str:
        """Where the values come from, for reports and errors."""
        if self.constant is not None:
            return f"set to {self.constant}"
        columns = [c for c in (self.column, self.term_column, self.unit_column) if c]
        return " with ".join(columns)

    def translate(self, value: str) -> str | None:
        """Apply `named` and `values`; a value that none of them has stays as it is."""
        named = dict(self.named)
        if value in named:
            return named[value]
        for pattern, target in self.values:
            if value == pattern or fnmatch.fnmatchcase(value, pattern):
                return target
        return value
