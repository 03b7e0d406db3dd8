"""The graph of a selection as arrays: edges in columns, merged, sorted, over rows of nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tosg.kg.merge.agreement import agreed_signs, ends_to_swap, greatest_scores
from tosg.kg.schema.positions import lookup

Ids = NDArray[np.int64]

#: Source, licence, release.
Claimant = tuple[str, str, str]


@dataclass(frozen=True)
class Edges:
    """Edges in columns, each array (E,).

    Attributes
    ----------
    type : int16
        Position in `types`.
    start, end : int64
        ``idx`` of the ends while reading, rows of the nodes once `place_edges`.
    score : float32
        0..1, NaN where there is none.
    sign : int8
        -1, 0, 1, or `NO_SIGN`.
    key : int32
        Position in `keys`.
    source : int32
        Position in `sources`.
    lifted : bool
        Whether the edge is stored between other ends.
    types : tuple of str
        Relationship types.
    keys : tuple of str
        Key properties besides the sign, as canonical JSON objects.
    sources : tuple of tuple
        Sorted lists of who claims an edge: (source, license, release) while reading and merging,
        names of sources in the training set (`name_sources`).
    """

    type: NDArray[np.int16]
    start: Ids
    end: Ids
    score: NDArray[np.float32]
    sign: NDArray[np.int8]
    key: NDArray[np.int32]
    source: NDArray[np.int32]
    lifted: NDArray[np.bool_]
    types: tuple[str, ...]
    keys: tuple[str, ...] = ("{}",)
    sources: tuple[tuple[Any, ...], ...] = ((),)

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: NDArray[Any]) -> Edges:
        """Rows of it, by position or mask."""
        return replace(self, **{n: getattr(self, n)[rows] for n in COLUMNS})

    def named(self, *names: str) -> NDArray[np.bool_]:
        """Mask of the edges of some types."""
        wanted = np.array([name in names for name in self.types], bool)
        mask: NDArray[np.bool_] = wanted[self.type]
        return mask


COLUMNS = ("type", "start", "end", "score", "sign", "key", "source", "lifted")


def place_edges(edges: Edges, nodes: Ids) -> Edges:
    """Turn ``idx`` of ends into rows of `nodes` (sorted); edges with an end elsewhere drop out."""
    row = lookup(nodes)
    start, end = row(edges.start), row(edges.end)
    inside = (start >= 0) & (end >= 0)
    moved = replace(edges, start=start, end=end)
    return moved if inside.all() else moved.take(inside)


def finish_edges(edges: Edges, n: int, directed: dict[str, bool], signed: frozenset[str]) -> Edges:
    """Order undirected ends, sort, and merge what is the same edge.

    Parameters
    ----------
    edges : Edges
        Ends are rows below `n`.
    n : int
        Number of nodes.
    directed : dict
        Relationship type to whether it is directed.
    signed : frozenset of str
        Types whose sign is part of the edge's key.

    Returns
    -------
    Edges
        Sorted by (type, start, end, key, sign); types, keys and sources recoded in sorted order,
        those that no edge has left out. Merged edges have the greatest score, the agreed sign
        (0 where signs contradict), the union of sources, and count as lifted only where all
        were.
    """
    edges = _recoded(_oriented(edges, directed))
    sign_key = np.where(edges.named(*signed), edges.sign, np.int8(0))
    order = _order(edges, n, sign_key)
    if order is None:
        return edges
    edges, sign_key = edges.take(order), sign_key[order]
    same = np.ones(max(len(edges) - 1, 0), dtype=bool)
    for column in (edges.type, edges.start, edges.end, edges.key, sign_key):
        same &= column[1:] == column[:-1]
    if not same.any():
        return edges
    return _merged(edges, np.flatnonzero(np.concatenate(([True], ~same))))


def _oriented(edges: Edges, directed: dict[str, bool]) -> Edges:
    if all(directed[t] for t in edges.types):
        return edges
    undirected = edges.named(*(t for t in edges.types if not directed[t]))
    swap = ends_to_swap(edges.start, edges.end, undirected)
    if not swap.any():
        return edges
    start, end = np.where(swap, edges.end, edges.start), np.where(swap, edges.start, edges.end)
    return replace(edges, start=start, end=end)


def _recoded(edges: Edges) -> Edges:
    """Make codes follow the sorted names that occur."""
    changes: dict[str, Any] = {}
    for column, table, always in (
        ("type", "types", ()),
        ("key", "keys", ("{}",)),
        ("source", "sources", ()),
    ):
        names = getattr(edges, table)
        codes = getattr(edges, column)
        if len(names) == 1 and len(codes):
            used = set(names)
        else:
            used = {names[i] for i in np.flatnonzero(np.bincount(codes, minlength=len(names)))}
        kept = [*always, *sorted(used - set(always))]
        if kept == list(names):
            continue
        place = {name: i for i, name in enumerate(kept)}
        recode = np.array([place.get(name, 0) for name in names] or [0], dtype=codes.dtype)
        changes[column], changes[table] = recode[codes], tuple(kept)
    return replace(edges, **changes)


def _order(edges: Edges, n: int, sign_key: NDArray[np.int8]) -> Ids | None:
    """Rows in the order (type, start, end, key, sign); None where they are, and none is twice."""
    n = max(n, 1)
    if len(edges.types) * n * n >= 2**62:  # does not fit one integer
        return np.lexsort((sign_key, edges.key, edges.end, edges.start, edges.type))
    packed = edges.type.astype(np.int64)
    for ends in (edges.start, edges.end):  # in place: each of these is 8 bytes an edge
        packed *= n
        packed += ends
    if (packed[1:] > packed[:-1]).all():
        return None
    # Edges are read by their ends, so of most types they are in order once the types are apart.
    order = np.argsort(edges.type, kind="stable")
    ranked = packed[order]
    counts = np.bincount(edges.type, minlength=len(edges.types))
    for stop, count in zip(np.cumsum(counts).tolist(), counts.tolist(), strict=True):
        run = slice(stop - count, stop)
        if (ranked[run][1:] < ranked[run][:-1]).any():
            again = np.argsort(ranked[run])
            order[run], ranked[run] = order[run][again], ranked[run][again]
    tied = ranked[1:] == ranked[:-1]
    if not tied.any():
        return order
    group = np.concatenate(([0], np.cumsum(~tied)))
    last = (edges.source[order], sign_key[order], edges.key[order], group)
    return order[np.lexsort(last)]


def _merged(edges: Edges, first: Ids) -> Edges:
    """Merge runs of the same edge; `first` are the positions where runs begin."""
    out = edges.take(first)
    sizes = np.diff(np.append(first, len(edges)))
    sources = list(edges.sources)
    place = {s: i for i, s in enumerate(sources)}
    source = out.source.copy()
    lifted = np.logical_and.reduceat(edges.lifted, first)
    for i in np.flatnonzero(sizes > 1):
        run = slice(first[i], first[i] + sizes[i])
        union = tuple(sorted({s for c in np.unique(edges.source[run]) for s in edges.sources[c]}))
        if union not in place:
            place[union] = len(sources)
            sources.append(union)
        source[i] = place[union]
    merged = replace(
        out,
        score=greatest_scores(edges.score, first),
        sign=agreed_signs(edges.sign, first),
        source=source,
        lifted=lifted,
        sources=tuple(sources),
    )
    return _recoded(merged)


def name_sources(edges: Edges) -> tuple[Edges, frozenset[Claimant]]:
    """Name the sources of the edges, and list their claimants apart."""
    claimants = frozenset(claimant for claims in edges.sources for claimant in claims)
    names = tuple(tuple(sorted({source for source, _, _ in claims})) for claims in edges.sources)
    return _recoded(replace(edges, sources=names)), claimants
