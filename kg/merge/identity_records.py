"""What resolving identity finds: classes of equivalents, joins, and what is ambiguous."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl


@dataclass(frozen=True, slots=True, order=True)
class Join:
    """Two identifiers of one class and how they were found to mean the same.

    Attributes
    ----------
    type, id : str
        Label and class id: the id of the node that holds both.
    joined, via : str
        The two ids that were joined, the worse-ranked first.
    how : str
        ``replaces``, ``same_as``, ``xref``, ``name`` or ``synonym``.
    sources : tuple of str
        Who says so; for names and synonyms, the sources that use the names.
    """

    type: str
    id: str
    joined: str
    via: str
    how: str
    sources: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.joined} = {self.via} by {self.how} ({', '.join(self.sources)})"


@dataclass(frozen=True, slots=True, order=True)
class Ambiguity:
    """Something that could join or resolve in more than one way, and so was not used.

    Attributes
    ----------
    type : str
        Label.
    how : str
        ``replaces``, ``same_as``, ``xref``, ``name`` or ``synonym``; ``is_a`` where a join was
        refused, since it would have made an ``IS_A`` into a self-loop.
    what : str
        The identifier or name.
    candidates : tuple of str
        Class ids, sorted, that it would have meant.
    names : tuple of str
        Their names, "" for those without one.
    """

    type: str
    how: str
    what: str
    candidates: tuple[str, ...]
    names: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        names = self.names or ("",) * len(self.candidates)
        shown = [f"{c} {n}".strip() for c, n in zip(self.candidates, names, strict=True)]
        if self.how == "is_a":
            return f"{self.what} is not {', '.join(shown)}: one would be a kind of itself"
        return f"{self.what} by {self.how} is one of {', '.join(shown)}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The classes of one entity type.

    Attributes
    ----------
    aliases : DataFrame
        ``alias``, ``id`` (class id), ``how`` ("claimed", "replaces" or "xref"): everything that a
        relationship's end may say. Each alias once.
    joins, ambiguous : list
        Sorted.
    """

    type: str
    aliases: pl.DataFrame
    joins: list[Join] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)


def joined_text(joins: Iterable[Join]) -> dict[str, list[str]]:
    """How the ids of each class were joined, as sorted lines by class id."""
    lines: dict[str, list[str]] = defaultdict(list)
    for join in joins:
        lines[join.id].append(str(join))
    return {key: sorted(found) for key, found in lines.items()}
