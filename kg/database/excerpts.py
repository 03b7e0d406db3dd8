"""Which sources were loaded from an excerpt: kept at the bookkeeping node, told with answers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tosg.cypher.tokens import tokens
from tosg.kg.database.bookkeeping import read_excerpts, write_excerpts
from tosg.kg.schema.types import entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease


def note_excerpts(
    lease: Lease, db: Database, found: Mapping[str, Iterable[str]], loaded: Iterable[str]
) -> None:
    """Keep which sources are excerpts now: those of `found`, and the others as before a load.

    Parameters
    ----------
    lease : Lease
        The right to write.
    db : Database
        The graph.
    found : mapping
        Source -> labels and relationship types that an excerpt of it claims.
    loaded : iterable of str
        Sources that were loaded or withdrawn now.
    """
    before = read_excerpts(db)
    now = {k: v for k, v in before.items() if k not in set(loaded)}
    now |= {source: sorted(types) for source, types in found.items()}
    if now == before:
        return
    with lease.transaction() as tx:
        write_excerpts(tx, now)


def describe_excerpts(db: Database, cypher: str) -> list[str]:
    """Say on which excerpts the answer of a query rests: a warning, or none.

    A query rests on the sources of the relationship types that it names, one that names none on
    those of its labels, and one whose relationships have no type on all of them.
    """
    excerpts = read_excerpts(db)
    named = _read_types(cypher) if excerpts else None
    found = [s for s, of in sorted(excerpts.items()) if named is None or named & set(of)]
    if not found:
        return []
    return [f"rests on excerpts, not on the whole of: {', '.join(found)}; see `tosg stats`"]


def _read_types(cypher: str) -> set[str] | None:
    """Relationship types that a query names, else its labels; None where it may read any."""
    found = tokens(cypher)
    for i, token in enumerate(found[:-1]):
        if token.text != "-":
            continue
        if found[i + 1].text == "-":
            return None
        if found[i + 1].text == "[":
            depth = found[i + 1].depth
            inside = itertools.takewhile(lambda t: t.depth > depth, found[i + 2 :])  # noqa: B023
            if not any(t.text == ":" for t in inside):
                return None
    said = {t.text.strip("`") for t in found if t.kind in ("word", "quoted")}
    return said & set(relationship_types()) or said & set(entity_types()) or None
