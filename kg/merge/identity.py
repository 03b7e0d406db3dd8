"""Which identifiers name the same thing: one class of equivalents per node.

Everything here is a pure function of the set of claims of one entity type. Joins come, in this
order of strength, from

1. ``replaces``: an obsolete id is the id that took its place, through chains. An id replaced by
   two living ones is ambiguous and replaces nothing.
2. ``same_as``, and ``xrefs`` whose prefix the schema lists for the type, where both ids are
   claimed as entities.
3. names (see `tosg.kg.schema.folding`) where the schema allows it for the type, if the name, and
   everything that names would join, has at most one class per prefix. The name of an id is that of
   its best-ranked source, and there of the best-ranked part.
4. synonyms, for the same types: two classes without a common prefix, one of which has its name
   among all names of the other, if they share more names than either shares with any other such
   class of the same prefix. A class as near to two others is ambiguous.

A class never holds two living claimed ids of its best-ranked prefix. Where joins of the second
kind would put two such *anchors* into one class, every id goes to the anchor that it is nearest
to; an id as near to two anchors is ambiguous: it is reported and stands apart.

No join makes a term the same as one that it is a kind of: where one class would hold both ends of
an ``IS_A``, the join is refused and reported. By links the end stays that is the class's anchor
or has its name, and if neither does, none of them; by names nothing is joined.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.claims.ranks import source_rank
from tosg.kg.merge.components import assign_classes, components
from tosg.kg.merge.shared_names import count_shared_names, find_nearest_names, read_own_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.schema.kinds import EntityType

Equivalence = tuple[str, str, str]  # two ids, smaller first, and how


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


def resolve_identity(
    entity_type: EntityType, claims: pl.DataFrame, is_a: Iterable[tuple[str, str]] = ()
) -> Identity:
    """Find the classes of equivalents among the claims of one type.

    Parameters
    ----------
    entity_type : EntityType
        Whose prefixes rank the ids.
    claims : DataFrame
        ``id, name, synonyms, previous, xrefs, same_as, replaces, source, part``.
    is_a : iterable of (str, str)
        Ids of which one is a kind of the other, so that they are not the same.
    """
    return _Resolver(entity_type, claims, is_a).run()


class _Resolver:
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
        self.successor: dict[str, str] = {}  # obsolete id -> living id

    def run(self) -> Identity:
        links = self._links()
        self._follow_replacements(links)
        self.apart = self._units_apart()
        links = links.filter(pl.col("how") != "replaces").with_columns(
            _mapped(pl.col("other"), self.successor).alias("living"),
            _mapped(pl.col("id"), self.successor).alias("unit"),
        )
        between = links.filter(
            pl.col("living").is_in(list(self.claimed)) & (pl.col("living") != pl.col("unit"))
        )
        classes = self._by_links(between)
        if self.type.merge_by_name:
            classes, unclear = self._by_name(classes)
            classes = self._by_synonym(classes, unclear)
        aliases = self._aliases(classes, links)
        ambiguous = _with_names(sorted(self.ambiguous), self.claims)
        return Identity(self.type.label, aliases, self._joins(classes), ambiguous)

    def _units_apart(self) -> set[tuple[str, str]]:
        """Pairs of living claimed ids of which one is a kind of the other."""
        pairs = {
            (self.successor.get(a, a), self.successor.get(b, b))
            for a, b in self.is_a
            if a in self.claimed and b in self.claimed
        }
        return {(a, b) for a, b in pairs if a != b}

    def rank(self, curie: str) -> tuple[int, str, str]:
        """Sort key of ids: prefixes of the schema first, in its order, then by id."""
        prefix = curie.split(":", 1)[0]
        known = self.ranks.get(prefix)
        return (len(self.ranks), prefix, curie) if known is None else (known, "", curie)

    def _links(self) -> pl.DataFrame:
        """Rows ``id, other, how, source``: what claims say about other ids."""
        listed = "|".join(p.replace(".", r"\.") for p in self.type.prefixes)
        frames = []
        for column, how in (("replaces", "replaces"), ("same_as", "same_as"), ("xrefs", "xref")):
            some = self.claims.filter(pl.col(column).list.len() > 0)
            rows = some.select("id", pl.col(column).alias("other"), "source").explode("other")
            rows = rows.filter(pl.col("other").is_not_null() & (pl.col("other") != pl.col("id")))
            if how == "xref":
                rows = rows.filter(pl.col("other").str.contains(f"^(?:{listed}):"))
            frames.append(rows.with_columns(pl.lit(how).alias("how")))
        return pl.concat(frames).unique()

    def _note(self, a: str, b: str, how: str, source: str) -> Equivalence:
        edge = (a, b, how) if a < b else (b, a, how)
        self.sources[edge].add(source)
        return edge

    def _follow_replacements(self, links: pl.DataFrame) -> None:
        next_ids: dict[str, set[str]] = defaultdict(set)
        rows = links.filter(pl.col("how") == "replaces").select("id", "other", "source")
        for new, old, source in rows.iter_rows():
            next_ids[old].add(new)
            if old in self.claimed:
                self._note(old, new, "replaces", source)
        for old in next_ids:
            reached, waiting = {old}, [old]
            while waiting:
                fresh = next_ids.get(waiting.pop(), set()) - reached
                reached |= fresh
                waiting.extend(fresh)
            living = sorted(r for r in reached if r not in next_ids)
            if len(living) == 1:
                self.successor[old] = living[0]
            else:
                candidates = tuple(living or sorted(reached))
                self.ambiguous.add(Ambiguity(self.type.label, "replaces", old, candidates))

    def _by_links(self, between: pl.DataFrame) -> dict[str, str]:
        """Class id of each living claimed id that links join to another."""
        neighbours: dict[str, set[str]] = defaultdict(set)
        edges: dict[Equivalence, tuple[str, str]] = {}
        for a, b, how, source, unit, living in between.select(
            "id", "other", "how", "source", "unit", "living"
        ).iter_rows():
            neighbours[unit].add(living)
            neighbours[living].add(unit)
            edges[self._note(a, b, how, source)] = (unit, living)
        classes = assign_classes(neighbours, self.rank)
        while refused := self._refuse_kinds(neighbours, classes):
            for unit, other in refused:
                neighbours[unit].discard(other)
                neighbours[other].discard(unit)
            for edge in [e for e, units in edges.items() if units in refused]:
                del edges[edge], self.sources[edge]
            classes = assign_classes(neighbours, self.rank)
        self._drop_crossing(edges, classes)
        return classes

    def _refuse_kinds(
        self, neighbours: dict[str, set[str]], classes: dict[str, str]
    ) -> set[tuple[str, str]]:
        """Find the links to cut, both ways round, where a class holds a term and a kind of it."""
        refused: set[tuple[str, str]] = set()
        for pair in sorted(self.apart):
            anchor = classes.get(pair[0], pair[0])
            if anchor != classes.get(pair[1], pair[1]):
                continue
            for unit in self._not_the_anchor(pair, anchor):
                self.ambiguous.add(Ambiguity(self.type.label, "is_a", unit, (anchor,)))
                others = {o for o in neighbours[unit] if classes.get(o, o) == anchor}
                refused |= {(unit, o) for o in others} | {(o, unit) for o in others}
        return refused

    def _not_the_anchor(self, pair: tuple[str, str], anchor: str) -> list[str]:
        """Those of two units that are not what the anchor is, by identity or else by name."""
        if anchor in pair:
            return [unit for unit in pair if unit != anchor]
        named = self.own_names.get(anchor)
        same = [unit for unit in pair if named is not None and self.own_names.get(unit) == named]
        return [unit for unit in pair if unit not in same] if len(same) == 1 else list(pair)

    @cached_property
    def called(self) -> pl.DataFrame:
        """What each source calls each id; see `read_own_names`."""
        return read_own_names(self.claims)

    @cached_property
    def own_names(self) -> dict[str, str]:
        """Own name of each id."""
        return dict(self.called.filter("own").select("id", "name").iter_rows())

    def _drop_crossing(
        self, edges: dict[Equivalence, tuple[str, str]], classes: dict[str, str]
    ) -> None:
        """Report the links whose two ends came into different classes, by their worse end."""
        candidates: dict[tuple[str, str], set[str]] = defaultdict(set)
        for edge, units in edges.items():
            better, worse = sorted(units, key=self.rank)
            if classes[better] != classes[worse]:
                candidates[edge[2], worse].add(classes[better])
                if classes[worse] != worse:
                    candidates[edge[2], worse].add(classes[worse])
                del self.sources[edge]
        for (how, what), ids in candidates.items():
            self.ambiguous.add(Ambiguity(self.type.label, how, what, tuple(sorted(ids))))

    def _class_of(self, column: str, classes: dict[str, str]) -> pl.Expr:
        return _mapped(_mapped(pl.col(column), self.successor), classes)

    def _by_name(self, classes: dict[str, str]) -> tuple[dict[str, str], set[str]]:
        """Join classes whose names are equal and unambiguous; also those whose names are not."""
        named: dict[str, set[str]] = defaultdict(set)
        who: dict[tuple[str, str], set[str]] = defaultdict(set)
        shared = self.called.filter("own").filter(pl.col("id").n_unique().over("name") > 1)
        rows = shared.select(self._class_of("id", classes), "name", "source")
        for cls, name, source in rows.iter_rows():
            named[name].add(cls)
            who[cls, name].add(source)
        named = {name: found for name, found in named.items() if len(found) > 1}
        neighbours: dict[str, set[str]] = defaultdict(set)
        for found in named.values():
            for cls in found:
                neighbours[cls] |= found - {cls}
        joined, unclear = self._heads(neighbours, classes)
        for name, found in named.items():
            if found & unclear:
                self.ambiguous.add(Ambiguity(self.type.label, "name", name, tuple(sorted(found))))
                continue
            best = min(found, key=self.rank)
            for cls in found - {best}:
                for source in who[cls, name] | who[best, name]:
                    self._note(cls, best, "name", source)
        return _reunited(classes, joined), unclear

    def _by_synonym(self, classes: dict[str, str], unclear: set[str]) -> dict[str, str]:
        """Join classes that have most names in common, except those whose own names are unclear."""
        called = self.called.with_columns(self._class_of("id", classes).alias("class"))
        prefixes = self._prefixes(classes)
        each = [(cls, prefix) for cls, found in prefixes.items() for prefix in found]
        table = pl.DataFrame(each, schema={"class": pl.String, "prefix": pl.String}, orient="row")
        best, ties = find_nearest_names(count_shared_names(called, table), table)
        for cls, others in ties:
            if cls not in unclear:
                self.ambiguous.add(Ambiguity(self.type.label, "synonym", cls, others))
        neighbours: dict[str, set[str]] = defaultdict(set)
        for cls, other in best.iter_rows():
            if cls not in unclear and other not in unclear:
                neighbours[cls].add(other)
        joined, crossed = self._heads(neighbours, classes)
        for cls in crossed:
            others = tuple(sorted(neighbours[cls]))
            self.ambiguous.add(Ambiguity(self.type.label, "synonym", cls, others))
        theirs = called.select(pl.col("class").alias("other"), "name")
        rows = (
            best.filter(pl.col("class").is_in(list(joined)))
            .join(called.select("class", "name", "source"), on="class")
            .join(theirs, on=["other", "name"], how="semi")
        )
        for cls, other, source in rows.select("class", "other", "source").iter_rows():
            self._note(cls, other, "synonym", source)
        return _reunited(classes, joined)

    def _prefixes(self, classes: dict[str, str]) -> dict[str, set[str]]:
        """Prefixes of the claimed ids of each class."""
        found: dict[str, set[str]] = defaultdict(set)
        for curie in self.claimed:
            unit = self.successor.get(curie, curie)
            found[classes.get(unit, unit)].add(unit.split(":", 1)[0])
        return found

    def _heads(
        self, neighbours: dict[str, set[str]], classes: dict[str, str]
    ) -> tuple[dict[str, str], set[str]]:
        """Best class of each component; and the members of those that nothing may join.

        They have a prefix in two classes, or one class is a kind of another.
        """
        heads: dict[str, str] = {}
        unclear: set[str] = set()
        prefixes = self._prefixes(classes)
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

    def _aliases(self, classes: dict[str, str], links: pl.DataFrame) -> pl.DataFrame:
        """Everything that an end may say: claimed ids, obsolete ids, unambiguous other ids."""

        def class_of(column: str) -> pl.Expr:
            return _mapped(_mapped(pl.col(column), self.successor), classes).alias("id")

        text = {"alias": pl.String}
        claimed = pl.DataFrame({"alias": sorted(self.claimed)}, schema=text).with_columns(
            class_of("alias"), pl.lit("claimed").alias("how")
        )
        gone = sorted(self.successor.keys() - self.claimed)
        replaced = pl.DataFrame({"alias": gone}, schema=text).with_columns(
            class_of("alias"), pl.lit("replaces").alias("how")
        )
        others = (
            links.filter(~pl.col("living").is_in(list(self.claimed)))
            .select(pl.col("other").alias("alias"), class_of("unit"), "how")
            .group_by("alias")
            .agg(pl.col("id").unique().sort(), pl.col("how").max())
        )
        for alias, ids, how in others.filter(pl.col("id").list.len() > 1).iter_rows():
            self.ambiguous.add(Ambiguity(self.type.label, how, alias, tuple(ids)))
        single = others.filter(pl.col("id").list.len() == 1).select(
            "alias", pl.col("id").list.first(), pl.lit("xref").alias("how")
        )
        # Obsolete ids of ambiguous replacement resolve to nothing unless they are claimed.
        lost = [a.what for a in self.ambiguous if a.how == "replaces"]
        single = single.filter(~pl.col("alias").is_in(lost))
        return pl.concat([claimed, replaced, single]).sort("alias")

    def _joins(self, classes: dict[str, str]) -> list[Join]:
        joins = []
        for (a, b, how), sources in self.sources.items():
            units = [self.successor.get(x, x) for x in (a, b)]
            found = {classes.get(u, u) for u in units}
            if len(found) > 1:
                continue  # An ambiguous replacement.
            best, worst = sorted((a, b), key=self.rank)
            if how == "replaces":  # The obsolete id is the one that joined, whatever its rank.
                best, worst = (b, a) if a in self.successor else (a, b)
            joins.append(
                Join(self.type.label, found.pop(), worst, best, how, tuple(sorted(sources)))
            )
        return sorted(joins)


def _with_names(ambiguous: list[Ambiguity], claims: pl.DataFrame) -> list[Ambiguity]:
    """Give the candidates their names."""
    wanted = {c for a in ambiguous for c in a.candidates}
    some = claims.filter(pl.col("id").is_in(list(wanted)) & pl.col("name").is_not_null())
    best = some.with_columns(source_rank(claims)).sort("rank", "name")
    rows = best.unique("id", keep="first", maintain_order=True).select("id", "name")
    names = dict(rows.iter_rows())
    return [replace(a, names=tuple(names.get(c, "") for c in a.candidates)) for a in ambiguous]


def _reunited(classes: dict[str, str], joined: dict[str, str]) -> dict[str, str]:
    return {**joined, **{unit: joined.get(cls, cls) for unit, cls in classes.items()}}


def _mapped(values: pl.Expr, mapping: dict[str, str]) -> pl.Expr:
    return values.replace(mapping) if mapping else values


def joined_text(joins: Iterable[Join]) -> dict[str, list[str]]:
    """How the ids of each class were joined, as sorted lines by class id."""
    lines: dict[str, list[str]] = defaultdict(list)
    for join in joins:
        lines[join.id].append(str(join))
    return {key: sorted(found) for key, found in lines.items()}
