"""Joins of identity by what things are called: own names, then names in common.

See `tosg.kg.merge.identity` for the rules.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.identity_records import Ambiguity
from tosg.kg.merge.identity_state import reunited
from tosg.kg.merge.shared_names import count_shared_names, find_nearest_names

if TYPE_CHECKING:
    from tosg.kg.merge.identity_state import IdentityState


def join_by_name(state: IdentityState, classes: dict[str, str]) -> tuple[dict[str, str], set[str]]:
    """Join classes whose names are equal and unambiguous; also those whose names are not."""
    named: dict[str, set[str]] = defaultdict(set)
    who: dict[tuple[str, str], set[str]] = defaultdict(set)
    shared = state.called.filter("own").filter(pl.col("id").n_unique().over("name") > 1)
    rows = shared.select(state.class_of("id", classes), "name", "source")
    rows = rows.filter(state.may_join_by_name("id"))
    for cls, name, source in rows.iter_rows():
        named[name].add(cls)
        who[cls, name].add(source)
    named = {name: found for name, found in named.items() if len(found) > 1}
    neighbours: dict[str, set[str]] = defaultdict(set)
    for found in named.values():
        for cls in found:
            neighbours[cls] |= found - {cls}
    joined, unclear = state.heads(neighbours, classes)
    for name, found in named.items():
        if found & unclear:
            state.ambiguous.add(Ambiguity(state.type.label, "name", name, tuple(sorted(found))))
            continue
        best = min(found, key=state.rank)
        for cls in found - {best}:
            for source in who[cls, name] | who[best, name]:
                state.note(cls, best, "name", source)
    return reunited(classes, joined), unclear


def join_by_synonym(
    state: IdentityState, classes: dict[str, str], unclear: set[str]
) -> dict[str, str]:
    """Join classes that have most names in common, except those whose own names are unclear."""
    called = state.called.with_columns(state.class_of("id", classes).alias("class"))
    called = called.filter(state.may_join_by_name("class"))
    prefixes = state.prefixes(classes)
    each = [(cls, prefix) for cls, found in prefixes.items() for prefix in found]
    table = pl.DataFrame(each, schema={"class": pl.String, "prefix": pl.String}, orient="row")
    best, ties = find_nearest_names(count_shared_names(called, table), table)
    for cls, others in ties:
        if cls not in unclear:
            state.ambiguous.add(Ambiguity(state.type.label, "synonym", cls, others))
    neighbours: dict[str, set[str]] = defaultdict(set)
    for cls, other in best.iter_rows():
        if cls not in unclear and other not in unclear:
            neighbours[cls].add(other)
    joined, crossed = state.heads(neighbours, classes)
    for cls in crossed:
        others = tuple(sorted(neighbours[cls]))
        state.ambiguous.add(Ambiguity(state.type.label, "synonym", cls, others))
    theirs = called.select(pl.col("class").alias("other"), "name")
    rows = (
        best.filter(pl.col("class").is_in(list(joined)))
        .join(called.select("class", "name", "source"), on="class")
        .join(theirs, on=["other", "name"], how="semi")
    )
    for cls, other, source in rows.select("class", "other", "source").iter_rows():
        state.note(cls, other, "synonym", source)
    return reunited(classes, joined)
