"""Which identifiers name the same thing: one class of equivalents per node.

Everything here is a pure function of the set of claims of one entity type. Joins come, in this
order of strength, from

1. ``replaces``: an obsolete id is the id that took its place, through chains. An id replaced by
   two living ones is ambiguous and replaces nothing.
2. ``same_as``, and ``xrefs`` whose prefix the schema lists for the type, where both ids are
   claimed as entities.
3. names (see `_folded`) where the schema allows it for the type, if the name, and everything that
   names would join, has at most one class per prefix. The name of an id is that of its best-ranked
   source, and there of the best-ranked part.
4. synonyms, for the same types: two classes without a common prefix, one of which has its name
   among all names of the other, if they share more names than either shares with any other such
   class of the same prefix. A class as near to two others is ambiguous.

A class never holds two living claimed ids of its best-ranked prefix. Where joins of the second
kind would put two such *anchors* into one class, every id goes to the anchor that it is nearest
to; an id as near to two anchors is ambiguous: it is reported and stands apart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.claims.ranks import source_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.schema.types import EntityType

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
        ``replaces``, ``same_as``, ``xref``, ``name`` or ``synonym``.
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


def resolve_identity(entity_type: EntityType, claims: pl.DataFrame) -> Identity:
    """Find the classes of equivalents among the claims of one type.

    Parameters
    ----------
    entity_type : EntityType
        Whose prefixes rank the ids.
    claims : DataFrame
        ``id, name, synonyms, xrefs, same_as, replaces, source, part``.
    """
    return _Resolver(entity_type, claims).run()


class _Resolver:
    def __init__(self, entity_type: EntityType, claims: pl.DataFrame) -> None:
        self.type = entity_type
        self.claims = claims
        self.claimed = set(claims["id"].to_list())
        self.ranks = {prefix: i for i, prefix in enumerate(entity_type.prefixes)}
        self.sources: dict[Equivalence, set[str]] = defaultdict(set)
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
            called = self._called()
            classes, unclear = self._by_name(classes, called)
            classes = self._by_synonym(classes, called, unclear)
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

    def _called(self) -> pl.DataFrame:
        """Rows ``id, name, source, own``: what each source calls each id.

        An id's ``own`` name is that of its best-ranked source, and there of the best-ranked part,
        since others may be outdated.
        """
        names = self.claims.select(
            "id", _folded("name"), "source", source_rank(self.claims)
        ).filter(pl.col("name").is_not_null())
        own = names.sort("rank", "name").unique("id", keep="first").select("id", "name", own=True)
        names = names.drop("rank").join(own, on=["id", "name"], how="left")
        synonyms = self.claims.select("id", pl.col("synonyms").alias("name"), "source")
        synonyms = synonyms.filter(pl.col("name").list.len() > 0).explode("name")
        synonyms = synonyms.select("id", _folded("name"), "source", own=False)
        return pl.concat([names.with_columns(pl.col("own").fill_null(value=False)), synonyms])

    def _class_of(self, column: str, classes: dict[str, str]) -> pl.Expr:
        return _mapped(_mapped(pl.col(column), self.successor), classes)

    def _by_name(
        self, classes: dict[str, str], called: pl.DataFrame
    ) -> tuple[dict[str, str], set[str]]:
        """Join classes whose names are equal and unambiguous; also those whose names are not."""
        named: dict[str, set[str]] = defaultdict(set)
        who: dict[tuple[str, str], set[str]] = defaultdict(set)
        shared = called.filter("own").filter(pl.col("id").n_unique().over("name") > 1)
        rows = shared.select(self._class_of("id", classes), "name", "source")
        for cls, name, source in rows.iter_rows():
            named[name].add(cls)
            who[cls, name].add(source)
        named = {name: found for name, found in named.items() if len(found) > 1}
        neighbours: dict[str, set[str]] = defaultdict(set)
        for found in named.values():
            for cls in found:
                neighbours[cls] |= found - {cls}
        joined, unclear = self._heads(neighbours, self._prefixes(classes))
        for name, found in named.items():
            if found & unclear:
                self.ambiguous.add(Ambiguity(self.type.label, "name", name, tuple(sorted(found))))
                continue
            best = min(found, key=self.rank)
            for cls in found - {best}:
                for source in who[cls, name] | who[best, name]:
                    self._note(cls, best, "name", source)
        return _reunited(classes, joined), unclear

    def _by_synonym(
        self, classes: dict[str, str], called: pl.DataFrame, unclear: set[str]
    ) -> dict[str, str]:
        """Join classes that have most names in common, except those whose own names are unclear."""
        called = called.with_columns(self._class_of("id", classes).alias("class"))
        prefixes = self._prefixes(classes)
        each = [(cls, prefix) for cls, found in prefixes.items() for prefix in found]
        table = pl.DataFrame(each, schema={"class": pl.String, "prefix": pl.String}, orient="row")
        best, ties = _nearest(_shared_names(called, table), table)
        for cls, others in ties:
            if cls not in unclear:
                self.ambiguous.add(Ambiguity(self.type.label, "synonym", cls, others))
        neighbours: dict[str, set[str]] = defaultdict(set)
        for cls, other in best.iter_rows():
            if cls not in unclear and other not in unclear:
                neighbours[cls].add(other)
        joined, crossed = self._heads(neighbours, prefixes)
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
        self, neighbours: dict[str, set[str]], prefixes: dict[str, set[str]]
    ) -> tuple[dict[str, str], set[str]]:
        """Best class of each component; and the members of those with a prefix in two classes."""
        heads: dict[str, str] = {}
        unclear: set[str] = set()
        for component in _components(neighbours):
            found = [prefix for cls in component for prefix in prefixes[cls]]
            if len(found) == len(set(found)):
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


def _folded(column: str) -> pl.Expr:
    """Names as they are compared: ``Crohn's  Disease`` and ``crohn disease`` are one."""
    text = pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    text = text.str.replace_all("\u2019", "'", literal=True)
    return text.str.replace_all(r"'s\b", "").str.replace_all(r"s'( |$)", "s$1")


def _shared_names(called: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Count the names that two classes share, where one of them has that name as its own.

    Parameters
    ----------
    called : DataFrame
        ``class, name, own``.
    prefixes : DataFrame
        ``class, prefix``.

    Returns
    -------
    DataFrame
        ``class, other, n``: each pair of classes without a common prefix, in both directions.
    """
    names = called.select("class", "name").unique()
    theirs = names.rename({"class": "other"})
    pairs = called.filter("own").select("class", "name").join(theirs, on="name")
    pairs = pairs.select("class", "other").filter(pl.col("class") != pl.col("other"))
    pairs = pl.concat([pairs, _turned(pairs)]).unique()
    alike = pairs.join(prefixes, on="class").join(
        prefixes.rename({"class": "other"}), on=["other", "prefix"], how="semi"
    )
    return (
        pairs.join(alike, on=["class", "other"], how="anti")
        .join(names, on="class")
        .join(theirs, on=["other", "name"], how="semi")
        .group_by("class", "other")
        .agg(n=pl.len())
    )


def _nearest(
    shared: pl.DataFrame, prefixes: pl.DataFrame
) -> tuple[pl.DataFrame, list[tuple[str, tuple[str, ...]]]]:
    """Pairs of classes that are nearest to each other, and classes as near to several.

    Parameters
    ----------
    shared : DataFrame
        As `_shared_names` returns.
    prefixes : DataFrame
        ``class, prefix``. Classes with a prefix in common are rivals: a third joins one at most.

    Returns
    -------
    best : DataFrame
        ``class, other``, in both directions.
    ties : list of (str, tuple of str)
        Class, and those that it is as near to.
    """
    near = shared.join(prefixes.rename({"class": "other"}), on="other")
    most = near.filter(pl.col("n") == pl.col("n").max().over("class", "prefix"))
    tied = pl.len().over("class", "prefix") > 1
    ties = most.filter(tied).group_by("class", "prefix").agg("other")
    pair = ["class", "other"]
    beaten = near.join(most.filter(~tied), on=[*pair, "prefix"], how="anti")
    best = shared.select(pair).join(beaten, on=pair, how="anti")
    best = best.join(_turned(best), on=pair, how="semi")
    found = ties.select("class", "other").iter_rows()
    return best, [(cls, tuple(sorted(others))) for cls, others in found]


def _turned(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select(pl.col("other").alias("class"), pl.col("class").alias("other"))


def _reunited(classes: dict[str, str], joined: dict[str, str]) -> dict[str, str]:
    return {**joined, **{unit: joined.get(cls, cls) for unit, cls in classes.items()}}


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
