"""Which identifiers name the same thing: one class of equivalents per node.

Everything here is a pure function of the set of claims of one entity type. Joins come, in this
order of strength, from

1. ``replaces``: an obsolete id is the id that took its place, through chains. An id replaced by
   two living ones is ambiguous and replaces nothing.
2. ``same_as``, and ``xrefs`` whose prefix the schema lists for the type, where both ids are
   claimed as entities.
3. names (see `tosg.kg.schema.folding`) where the schema allows it for the type, if the name, and
   everything that names would join, has at most one class per prefix. Ids of the prefixes in
   ``by_mapping`` join so only while no source maps any of them to the best prefix. The name of an
   id is that of its best-ranked source, and there of the best-ranked part.
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

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.claims.ranks import source_rank
from tosg.kg.merge.identity_links import (
    follow_replacements,
    join_by_links,
    mapped_prefixes,
    read_links,
)
from tosg.kg.merge.identity_names import join_by_name, join_by_synonym
from tosg.kg.merge.identity_records import Ambiguity, Identity, Join
from tosg.kg.merge.identity_state import IdentityState, mapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.schema.kinds import EntityType


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
    state = IdentityState(entity_type, claims, is_a)
    links = read_links(state)
    follow_replacements(state, links)
    links = links.filter(pl.col("how") != "replaces").with_columns(
        mapped(pl.col("other"), state.successor).alias("living"),
        mapped(pl.col("id"), state.successor).alias("unit"),
    )
    between = links.filter(
        pl.col("living").is_in(list(state.claimed)) & (pl.col("living") != pl.col("unit"))
    )
    state.mapped = mapped_prefixes(state, links)
    classes = join_by_links(state, between)
    if state.type.merge_by_name:
        classes, unclear = join_by_name(state, classes)
        classes = join_by_synonym(state, classes, unclear)
    aliases = _aliases(state, classes, links)
    ambiguous = _with_names(sorted(state.ambiguous), state.claims)
    return Identity(state.type.label, aliases, _joins(state, classes), ambiguous)


def _aliases(state: IdentityState, classes: dict[str, str], links: pl.DataFrame) -> pl.DataFrame:
    """Everything that an end may say: claimed ids, obsolete ids, unambiguous other ids."""

    def class_of(column: str) -> pl.Expr:
        return mapped(mapped(pl.col(column), state.successor), classes).alias("id")

    text = {"alias": pl.String}
    claimed = pl.DataFrame({"alias": sorted(state.claimed)}, schema=text).with_columns(
        class_of("alias"), pl.lit("claimed").alias("how")
    )
    gone = sorted(state.successor.keys() - state.claimed)
    replaced = pl.DataFrame({"alias": gone}, schema=text).with_columns(
        class_of("alias"), pl.lit("replaces").alias("how")
    )
    others = (
        links.filter(~pl.col("living").is_in(list(state.claimed)))
        .select(pl.col("other").alias("alias"), class_of("unit"), "how")
        .group_by("alias")
        .agg(pl.col("id").unique().sort(), pl.col("how").max())
    )
    for alias, ids, how in others.filter(pl.col("id").list.len() > 1).iter_rows():
        state.ambiguous.add(Ambiguity(state.type.label, how, alias, tuple(ids)))
    single = others.filter(pl.col("id").list.len() == 1).select(
        "alias", pl.col("id").list.first(), pl.lit("xref").alias("how")
    )
    # Obsolete ids of ambiguous replacement resolve to nothing unless they are claimed.
    lost = [a.what for a in state.ambiguous if a.how == "replaces"]
    single = single.filter(~pl.col("alias").is_in(lost))
    return pl.concat([claimed, replaced, single]).sort("alias")


def _joins(state: IdentityState, classes: dict[str, str]) -> list[Join]:
    joins = []
    for (a, b, how), sources in state.sources.items():
        units = [state.successor.get(x, x) for x in (a, b)]
        found = {classes.get(u, u) for u in units}
        if len(found) > 1:
            continue  # An ambiguous replacement.
        best, worst = sorted((a, b), key=state.rank)
        if how == "replaces":  # The obsolete id is the one that joined, whatever its rank.
            best, worst = (b, a) if a in state.successor else (a, b)
        joins.append(Join(state.type.label, found.pop(), worst, best, how, tuple(sorted(sources))))
    return sorted(joins)


def _with_names(ambiguous: list[Ambiguity], claims: pl.DataFrame) -> list[Ambiguity]:
    """Give the candidates their names."""
    wanted = {c for a in ambiguous for c in a.candidates}
    some = claims.filter(pl.col("id").is_in(list(wanted)) & pl.col("name").is_not_null())
    best = some.with_columns(source_rank(claims)).sort("rank", "name")
    rows = best.unique("id", keep="first", maintain_order=True).select("id", "name")
    names = dict(rows.iter_rows())
    return [replace(a, names=tuple(names.get(c, "") for c in a.candidates)) for a in ambiguous]
