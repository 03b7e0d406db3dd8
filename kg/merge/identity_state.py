"""What the steps of resolving identity share: the claims, and what was found of them so far."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.components import components
from tosg.kg.merge.shared_names import read_own_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.merge.identity_records import Ambiguity
    from tosg.kg.schema.kinds import EntityType

Equivalence = tuple[str, str, str]  # two ids, smaller first, and how


class IdentityState:
    """The claims of one type, and what is known of their ids.

    Parameters
    ----------
    entity_type : EntityType
        Whose prefixes rank the ids.
    claims : DataFrame
        As `tosg.kg.merge.identity.resolve_identity` takes them.
    is_a : iterable of (str, str)
        Ids of which one is a kind of the other.

    Attributes
    ----------
    claimed : set of str
        Ids that are claimed as entities.
    sources : dict
        Who says that two ids are the same, by pair and way.
    ambiguous : set of Ambiguity
        What was not used.
    successor : dict of str to str
        Obsolete id to the living one.
    apart : set of (str, str)
        Pairs of living claimed ids of which one is a kind of the other.
    mapped : set of str
        Prefixes of ``by_mapping`` of which a source maps an id to the best prefix.
    """

    def __init__(
        self, entity_type: EntityType, claims: pl.DataFrame, is_a: Iterable[tuple[str, str]]
    ) -> None:
        self.type = entity_type
        self.claims = claims
        self.is_a = is_a
        self.claimed = set(claims["id"].to_list())
        self.ranks = {prefix: i for i, prefix in enumerate(entity_type.prefixes)}
        self.sources: dict[Equivalence, set[str]] = defaultdict(set)
        self.ambiguous: set[Ambiguity] = set()
        self.successor: dict[str, str] = {}
        self.apart: set[tuple[str, str]] = set()
        self.mapped: set[str] = set()

    def rank(self, curie: str) -> tuple[int, str, str]:
        """Sort key of ids: prefixes of the schema first, in its order, then by id."""
        prefix = curie.split(":", 1)[0]
        known = self.ranks.get(prefix)
        return (len(self.ranks), prefix, curie) if known is None else (known, "", curie)

    def note(self, a: str, b: str, how: str, source: str) -> Equivalence:
        """Note that a source says that two ids are the same; returns the pair."""
        edge = (a, b, how) if a < b else (b, a, how)
        self.sources[edge].add(source)
        return edge

    @cached_property
    def called(self) -> pl.DataFrame:
        """What each source calls each id; see `read_own_names`."""
        return read_own_names(self.claims)

    @cached_property
    def own_names(self) -> dict[str, str]:
        """Own name of each id."""
        return dict(self.called.filter("own").select("id", "name").iter_rows())

    def class_of(self, column: str, classes: dict[str, str]) -> pl.Expr:
        """Class id of the ids in a column."""
        return mapped(mapped(pl.col(column), self.successor), classes)

    def may_join_by_name(self, column: str) -> pl.Expr:
        """Whether a name may join the class in a column; for some prefixes only a mapping may."""
        return ~pl.col(column).str.split(":").list.first().is_in(sorted(self.mapped))

    def prefixes(self, classes: dict[str, str]) -> dict[str, set[str]]:
        """Prefixes of the claimed ids of each class."""
        found: dict[str, set[str]] = defaultdict(set)
        for curie in self.claimed:
            unit = self.successor.get(curie, curie)
            found[classes.get(unit, unit)].add(unit.split(":", 1)[0])
        return found

    def heads(
        self, neighbours: dict[str, set[str]], classes: dict[str, str]
    ) -> tuple[dict[str, str], set[str]]:
        """Best class of each component; and the members of those that nothing may join.

        They have a prefix in two classes, or one class is a kind of another.
        """
        heads: dict[str, str] = {}
        unclear: set[str] = set()
        prefixes = self.prefixes(classes)
        kinds: dict[str, set[str]] = defaultdict(set)
        for a, b in self.apart:
            kinds[classes.get(a, a)].add(classes.get(b, b))
        for component in components(neighbours):
            found = [prefix for cls in component for prefix in prefixes[cls]]
            kin = any(kinds[cls] & component for cls in component)
            if len(found) == len(set(found)) and not kin:
                heads.update(dict.fromkeys(component, min(component, key=self.rank)))
            else:
                unclear |= component
        return heads, unclear


def mapped(values: pl.Expr, mapping: dict[str, str]) -> pl.Expr:
    """Replace those values that the mapping has."""
    return values.replace(mapping) if mapping else values


def reunited(classes: dict[str, str], joined: dict[str, str]) -> dict[str, str]:
    """Class ids once the classes themselves have been joined."""
    return {**joined, **{unit: joined.get(cls, cls) for unit, cls in classes.items()}}
