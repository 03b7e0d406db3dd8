"""The quoting of names that cannot be parameters: labels, relationship types, index names.

Nothing else in tosg puts a name into Cypher text. This layer knows no schema: it is given the
names that are allowed, and refuses every other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class UnknownNameError(ValueError):
    """A name that is not among those the schema allows.

    Attributes
    ----------
    name : str
        What was given.
    known : tuple of str
        What is allowed, sorted.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"{name!r} is not a name of the schema")
        self.name = name
        self.known = tuple(sorted(known))

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, tuple[str, ...]]]:
        return (type(self), (self.name, self.known))


#: What may stand between backticks. Neither a backtick nor a backslash: Cypher 5 reads unicode
#: escapes before it parses, so an escaped backtick would end the quotation.
_SAFE = re.compile(r"[^\x00-\x1f\x7f`\\]+")


def quote(name: str, known: Collection[str]) -> str:
    """Put one name of the schema between backticks.

    Parameters
    ----------
    name : str
        A label, relationship type or index name.
    known : collection of str
        The names that the schema allows.

    Raises
    ------
    UnknownNameError
        The name is not among them.
    """
    if name not in known or not _SAFE.fullmatch(name):
        raise UnknownNameError(name, known)
    return f"`{name}`"


def quote_property(name: str) -> str:
    """Put a property name between backticks; cells may have columns that no schema lists.

    Raises
    ------
    UnknownNameError
        It is empty or has a backtick, a backslash or a control character.
    """
    if not _SAFE.fullmatch(name):
        raise UnknownNameError(name, ())
    return f"`{name}`"
