"""The quoting of names that cannot be parameters: labels, relationship types, index names.

Nothing else in tosg puts a name into Cypher text. This layer knows no schema: it is given the
names that are allowed, and refuses every other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tosg.errors import SchemaError, unknown

if TYPE_CHECKING:
    from collections.abc import Collection


#: What may stand between backticks. Neither a backtick nor a backslash: Cypher 5 reads unicode
#: escapes before it parses, so an escaped backtick would end the quotation.
_SAFE = re.compile(r"[^\x00-\x1f\x7f`\\]+")


def quote(name: str, known: Collection[str], kind: str = "name") -> str:
    """Put one name of the schema between backticks.

    Parameters
    ----------
    name : str
        A label, relationship type or index name.
    known : collection of str
        The names that the schema allows.
    kind : str
        What the name is of, for the error: "label", "relationship type".

    Raises
    ------
    UsageError
        The name is not among them; the nearest are listed.
    """
    if name not in known or not _SAFE.fullmatch(name):
        raise unknown(kind, name, known)
    return f"`{name}`"


def quote_property(name: str) -> str:
    """Put a property name between backticks; cells may have columns that no schema lists.

    Raises
    ------
    SchemaError
        It is empty or has a backtick, a backslash or a control character.
    """
    if not _SAFE.fullmatch(name):
        raise SchemaError(
            "a property name cannot be used in Cypher",
            found=ascii(name),
            expected="no backtick, backslash or control character, and not empty",
        )
    return f"`{name}`"
