"""Joins of identity by what claims say about other ids: replacements, then links.

See `tosg.kg.merge.identity` for the rules.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.components import assign_classes
from tosg.kg.merge.identity_records import Ambiguity

if TYPE_CHECKING:
    from tosg.kg.merge.identity_state import Equivalence, IdentityState


_BOTH_WAYS = (("id", "other"), ("other", "id"))


def read_links(state: IdentityState) -> pl.DataFrame:
    """Rows ``id, other, how, source``: what claims say about other ids."""
    listed = "|".join(p.replace(".", r"\.") for p in state.type.prefixes)
    frames = []
    for column, how in (("replaces", "replaces"), ("same_as", "same_as"), ("xrefs", "xref")):
        some = state.claims.filter(pl.col(column).list.len() > 0)
        rows = some.select("id", pl.col(column).alias("other"), "source").explode("other")
        rows = rows.filter(pl.col("other").is_not_null() & (pl.col("other") != pl.col("id")))
        if how == "xref":
            rows = rows.filter(pl.col("other").str.contains(f"^(?:{listed}):"))
        frames.append(rows.with_columns(pl.lit(how).alias("how")))
    return pl.concat(frames).unique()


def mapped_prefixes(state: IdentityState, links: pl.DataFrame) -> set[str]:
    """Prefixes of ``by_mapping`` of which a source maps an id to one of the best prefix."""
    best = f"{state.type.prefixes[0]}:"
    stated = links.filter(pl.col("how") == "same_as")
    ends = [stated.filter(pl.col(one).str.starts_with(best))[other] for one, other in _BOTH_WAYS]
    found = {prefix for end in ends for prefix in end.str.split(":").list.first().unique()}
    return found & set(state.type.by_mapping)


def follow_replacements(state: IdentityState, links: pl.DataFrame) -> None:
    """Find the living id of each obsolete one, and the pairs that are kinds of each other."""
    next_ids: dict[str, set[str]] = defaultdict(set)
    rows = links.filter(pl.col("how") == "replaces").select("id", "other", "source")
    for new, old, source in rows.iter_rows():
        next_ids[old].add(new)
        if old in state.claimed:
            state.note(old, new, "replaces", source)
    for old in next_ids:
        reached, waiting = {old}, [old]
        while waiting:
            fresh = next_ids.get(waiting.pop(), set()) - reached
            reached |= fresh
            waiting.extend(fresh)
        living = sorted(r for r in reached if r not in next_ids)
        if len(living) == 1:
            state.successor[old] = living[0]
        else:
            candidates = tuple(living or sorted(reached))
            state.ambiguous.add(Ambiguity(state.type.label, "replaces", old, candidates))
    state.apart = _units_apart(state)


def _units_apart(state: IdentityState) -> set[tuple[str, str]]:
    """Pairs of living claimed ids of which one is a kind of the other."""
    pairs = {
        (state.successor.get(a, a), state.successor.get(b, b))
        for a, b in state.is_a
        if a in state.claimed and b in state.claimed
    }
    return {(a, b) for a, b in pairs if a != b}


def join_by_links(state: IdentityState, between: pl.DataFrame) -> dict[str, str]:
    """Class id of each living claimed id that links join to another."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    edges: dict[Equivalence, tuple[str, str]] = {}
    for a, b, how, source, unit, living in between.select(
        "id", "other", "how", "source", "unit", "living"
    ).iter_rows():
        neighbours[unit].add(living)
        neighbours[living].add(unit)
        edges[state.note(a, b, how, source)] = (unit, living)
    classes = assign_classes(neighbours, state.rank)
    while refused := _refuse_kinds(state, neighbours, classes):
        for unit, other in refused:
            neighbours[unit].discard(other)
            neighbours[other].discard(unit)
        for edge in [e for e, units in edges.items() if units in refused]:
            del edges[edge], state.sources[edge]
        classes = assign_classes(neighbours, state.rank)
    _drop_crossing(state, edges, classes)
    return classes


def _refuse_kinds(
    state: IdentityState, neighbours: dict[str, set[str]], classes: dict[str, str]
) -> set[tuple[str, str]]:
    """Find the links to cut, both ways round, where a class holds a term and a kind of it."""
    refused: set[tuple[str, str]] = set()
    for pair in sorted(state.apart):
        anchor = classes.get(pair[0], pair[0])
        if anchor != classes.get(pair[1], pair[1]):
            continue
        for unit in _not_the_anchor(state, pair, anchor):
            state.ambiguous.add(Ambiguity(state.type.label, "is_a", unit, (anchor,)))
            others = {o for o in neighbours[unit] if classes.get(o, o) == anchor}
            refused |= {(unit, o) for o in others} | {(o, unit) for o in others}
    return refused


def _not_the_anchor(state: IdentityState, pair: tuple[str, str], anchor: str) -> list[str]:
    """Those of two units that are not what the anchor is, by identity or else by name."""
    if anchor in pair:
        return [unit for unit in pair if unit != anchor]
    named = state.own_names.get(anchor)
    same = [unit for unit in pair if named is not None and state.own_names.get(unit) == named]
    return [unit for unit in pair if unit not in same] if len(same) == 1 else list(pair)


def _drop_crossing(
    state: IdentityState, edges: dict[Equivalence, tuple[str, str]], classes: dict[str, str]
) -> None:
    """Report the links whose two ends came into different classes, by their worse end."""
    candidates: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edge, units in edges.items():
        better, worse = sorted(units, key=state.rank)
        if classes[better] != classes[worse]:
            candidates[edge[2], worse].add(classes[better])
            if classes[worse] != worse:
                candidates[edge[2], worse].add(classes[worse])
            del state.sources[edge]
    for (how, what), ids in candidates.items():
        state.ambiguous.add(Ambiguity(state.type.label, how, what, tuple(sorted(ids))))
