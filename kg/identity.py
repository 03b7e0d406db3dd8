"""Which identifiers name the same thing: one class of equivalents per node.

Everything here is a pure function of the set of claims of one entity type. Joins come, in this
order of strength, from

1. ``replaces``: an obsolete id is the id that took its place, through chains. An id replaced by
   two living ones is ambiguous and replaces nothing.
2. ``same_as``, and ``xrefs`` whose prefix the schema lists for the type, where both ids are
   claimed as entities.
3. names (lower-cased, white space squeezed) where the schema allows it for the type, if the name,
   and everything that names would join, has at most one class per prefix. The name of an id is
   that of its best-ranked source, and there of the best-ranked part.

A class never holds two living claimed ids of its best-ranked prefix. Where joins of the second
kind would put two such *anchors* into one class, every id goes to the anchor that it is nearest
to; an id as near to two anchors is ambiguous: it is reported and stands apart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.source_rank import source_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.schema import EntityType

Edge = tuple[str, str, str]  # two ids, smaller first, and how


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
        ``replaces``, ``same_as``, ``xref`` or ``name``.
    sources : tuple of str
        Who says so; for names, the sources that use the name.
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
        ``replaces``, ``same_as``, ``xref`` or ``name``.
    what : str
        The identifier or name.
    candidates : tuple of str
        Class ids, sorted, that it would have meant.
    """

    type: str
    how: str
    what: str
    candidates: tuple[str, ...]


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


def resolve(entity_type: EntityType, claims: pl.DataFrame) -> Identity:
    """Find the classes of equivalents among the claims of one type.

    Parameters
    ----------
    entity_type : EntityType
        Whose prefixes rank the ids.
    claims : DataFrame
        ``id, name, xrefs, same_as, replaces, source, part``.
    """
    return _Resolver(entity_type, claims).run()


class _Resolver:
    def __init__(self, entity_type: EntityType, claims: pl.DataFrame) -> None:
        self.type = entity_type
        self.claims = claims
        self.claimed = set(claims["id"].to_list())
        self.ranks = {prefix: i for i, prefix in enumerate(entity_type.prefixes)}
        self.sources: dict[Edge, set[str]] = defaultdict(set)
        self.ambiguous: set[Ambiguity] = set()
        self.successor: dict[str, str] = {}  # obsolete id -> living id

    def run(self) -> Identity:
        links = self._links()
        self._follow_replacements(links)
        links = links.filter(pl.col("how") != "replaces").with_columns(
            _mapped(pl.col("other"), self.successor).alias("living"),
            _mapped(pl.col("id"), self.successor).alias("unit"),
        )
        between = links.filter(
            pl.col("living").is_in(list(self.claimed)) & (pl.col("living") != pl.col("unit"))
        )
        classes = self._by_links(between)
        if self.type.merge_by_name:
            classes = self._by_name(classes)
        aliases = self._aliases(classes, links)
        return Identity(self.type.label, aliases, self._joins(classes), sorted(self.ambiguous))

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

    def _note(self, a: str, b: str, how: str, source: str) -> Edge:
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
        edges: dict[Edge, tuple[str, str]] = {}
        for a, b, how, source, unit, living in between.select(
            "id", "other", "how", "source", "unit", "living"
        ).iter_rows():
            neighbours[unit].add(living)
            neighbours[living].add(unit)
            edges[self._note(a, b, how, source)] = (unit, living)
        classes: dict[str, str] = {}
        todo = _components(neighbours)
        while todo:
            members = todo.pop()
            found = self._split(members, neighbours)
            classes.update(found)
            left = members - found.keys()
            todo.extend(_components({m: neighbours[m] & left for m in left}))
        self._drop_crossing(edges, classes)
        return classes

    def _drop_crossing(self, edges: dict[Edge, tuple[str, str]], classes: dict[str, str]) -> None:
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

    def _split(self, members: set[str], neighbours: dict[str, set[str]]) -> dict[str, str]:
        """Give the members of a component to its anchors, nearest first; some may be left."""
        best = min(self.rank(m)[:2] for m in members)
        anchors = {m for m in members if self.rank(m)[:2] == best}
        if len(anchors) == 1:
            (anchor,) = anchors
            return dict.fromkeys(members, anchor)
        assigned = {a: a for a in anchors}
        ambiguous: set[str] = set()
        frontier = anchors
        while frontier:
            reach: dict[str, set[str]] = defaultdict(set)
            for member in frontier:
                for other in neighbours[member] & members:
                    if other not in assigned and other not in ambiguous:
                        reach[other].add(assigned[member])
            ambiguous |= {m for m, found in reach.items() if len(found) > 1}
            frontier = {m for m, found in reach.items() if len(found) == 1}
            for member in frontier:
                (assigned[member],) = reach[member]
        return assigned

    def _by_name(self, classes: dict[str, str]) -> dict[str, str]:
        """Join classes whose names are equal and unambiguous."""
        named: dict[str, set[str]] = defaultdict(set)
        who: dict[tuple[str, str], set[str]] = defaultdict(set)
        for curie, name, sources in self._names().iter_rows():
            unit = self.successor.get(curie, curie)
            cls = classes.get(unit, unit)
            named[name].add(cls)
            who[cls, name].update(sources)
        named = {name: found for name, found in named.items() if len(found) > 1}
        if not named:
            return classes
        members = self._members(classes)
        neighbours: dict[str, set[str]] = defaultdict(set)
        for found in named.values():
            for cls in found:
                neighbours[cls] |= found - {cls}
        joined: dict[str, str] = {}
        for component in _components(neighbours):
            if self._one_class_per_prefix(component, members):
                joined.update(dict.fromkeys(component, min(component, key=self.rank)))
        for name, found in named.items():
            best = min(found, key=self.rank)
            if best not in joined:
                self.ambiguous.add(Ambiguity(self.type.label, "name", name, tuple(sorted(found))))
                continue
            for cls in found - {best}:
                for source in who[cls, name] | who[best, name]:
                    self._note(cls, best, "name", source)
        united = {unit: joined.get(cls, cls) for unit, cls in classes.items()}
        return {**joined, **united}

    def _names(self) -> pl.DataFrame:
        """Columns ``id, name, source`` (list) of names that several ids have.

        The name of an id is that of its best-ranked source, since others may be outdated.
        """
        rows = self.claims.filter(pl.col("name").is_not_null()).select(
            "id",
            pl.col("name").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(),
            "source",
            source_rank(self.claims),
        )
        best = rows.sort("rank", "name").unique("id", keep="first").select("id", "name")
        shared = best.filter(pl.len().over("name") > 1)
        return rows.join(shared, on=["id", "name"]).group_by("id", "name").agg("source")

    def _members(self, classes: dict[str, str]) -> dict[str, set[str]]:
        members: dict[str, set[str]] = defaultdict(set)
        for curie in self.claimed:
            unit = self.successor.get(curie, curie)
            members[classes.get(unit, unit)].add(unit)
        return members

    def _one_class_per_prefix(self, component: set[str], members: dict[str, set[str]]) -> bool:
        seen: set[str] = set()
        for cls in component:
            prefixes = {m.split(":", 1)[0] for m in members[cls]}
            if prefixes & seen:
                return False
            seen |= prefixes
        return True

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


def _mapped(values: pl.Expr, mapping: dict[str, str]) -> pl.Expr:
    return values.replace(mapping) if mapping else values


def _components(neighbours: dict[str, set[str]]) -> list[set[str]]:
    seen: set[str] = set()
    components = []
    for start in neighbours:
        if start in seen:
            continue
        component, waiting = {start}, [start]
        while waiting:
            fresh = neighbours[waiting.pop()] - component
            component |= fresh
            waiting.extend(fresh)
        seen |= component
        components.append(component)
    return components


def joined_text(joins: Iterable[Join]) -> dict[str, list[str]]:
    """How the ids of each class were joined, as sorted lines by class id."""
    lines: dict[str, list[str]] = defaultdict(list)
    for join in joins:
        lines[join.id].append(str(join))
    return {key: sorted(found) for key, found in lines.items()}
