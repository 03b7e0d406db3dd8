"""Connected components of identifiers, and the split of a component between its anchors."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Neighbours = Mapping[str, set[str]]


def components(neighbours: Neighbours) -> list[set[str]]:
    """Connected components of an undirected graph, in the order of their first members.

    Parameters
    ----------
    neighbours : mapping of str to set of str
        Each member with those it is joined to; it need not stand both ways round.
    """
    members = list(dict.fromkeys([*neighbours, *itertools.chain(*neighbours.values())]))
    place = {member: i for i, member in enumerate(members)}
    rows = [place[a] for a, found in neighbours.items() for _ in found]
    columns = [place[b] for found in neighbours.values() for b in found]
    shape = (len(members), len(members))
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape)
    _, labels = connected_components(graph, directed=False)
    parts: dict[int, set[str]] = defaultdict(set)
    for member, label in zip(members, labels.tolist(), strict=True):
        parts[label].add(member)
    return list(parts.values())


def assign_classes(
    neighbours: Neighbours, rank: Callable[[str], tuple[int, str, str]]
) -> dict[str, str]:
    """Class of each member: the best-ranked id of its component, or of its part of it.

    A class holds one id of its best-ranked prefix, its *anchor*. Where a component has several,
    each member goes to the nearest. One as near to two anchors stands apart, with those that are
    joined through it alone.

    Parameters
    ----------
    neighbours : mapping of str to set of str
        Each member with those it is joined to, both ways round.
    rank : callable
        Sort key of ids; the first two parts tell prefixes apart.
    """
    classes: dict[str, str] = {}
    todo = components(neighbours)
    while todo:
        members = todo.pop()
        found = _split(members, neighbours, rank)
        classes.update(found)
        left = members - found.keys()
        if left:
            todo.extend(components({m: neighbours[m] & left for m in left}))
    return classes


def _split(
    members: set[str], neighbours: Neighbours, rank: Callable[[str], tuple[int, str, str]]
) -> dict[str, str]:
    """Give the members of a component to its anchors, nearest first; some may be left."""
    best = min(rank(m)[:2] for m in members)
    anchors = {m for m in members if rank(m)[:2] == best}
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
