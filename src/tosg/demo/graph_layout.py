"""Places for the nodes of a drawn graph: parts side by side, names that do not hide each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tosg.interop.palette import Edge, Entity

#: A connected part of so many nodes has room above, smaller ones stand in a row below.
_LARGE = 4

#: Of a part's box: left and right of it, above with the names, below.
_SIDE, _ABOVE, _BELOW = 34, 40, 26

#: Distance at which two nodes do not hide each other's names, and to stretch a part by per node.
_WIDE, _HIGH, _FURTHEST = 64, 46, 70


def place_nodes(
    entities: Sequence[Entity], edges: Sequence[Edge], width: int, height: int
) -> dict[str, tuple[float, float]]:
    """Place the large connected parts above, as wide as they have nodes, the small ones below."""
    import networkx as nx

    network = nx.Graph((e.start, e.end) for e in edges)
    network.add_nodes_from(e.id for e in entities)
    parts = sorted(nx.connected_components(network), key=lambda p: (-len(p), sorted(p)))
    large = [part for part in parts if len(part) >= _LARGE]
    small = parts[len(large) :]
    border = height * (0.74 if small and large else float(bool(large)))
    at: dict[str, tuple[float, float]] = {}
    for row, top, bottom in ((large, 0.0, border), (small, border, float(height))):
        left, unit = 0.0, width / max(sum(map(len, row)), 1)
        for part in row:
            right = left + unit * len(part)
            places = nx.kamada_kawai_layout(network.subgraph(part)) if len(part) > 1 else {}
            box = (left + _SIDE, top + _ABOVE, right - _SIDE, bottom - _BELOW)
            at |= _push_apart(_fitted({id_: places.get(id_, (0, 0)) for id_ in part}, box), box)
            left = right
    return at


def _fitted(
    places: Mapping[str, Sequence[float]], box: tuple[float, float, float, float]
) -> dict[str, tuple[float, float]]:
    """Stretch places over a box; those of a small part no further than they can be followed."""
    found: dict[str, list[float]] = {id_: [] for id_ in places}
    for axis in (0, 1):
        low, high = box[axis], box[axis + 2]
        values = [place[axis] for place in places.values()]
        extent = max(values) - min(values)
        room = min(high - low, _FURTHEST * len(places))
        middle = (max(values) + min(values)) / 2
        for id_, place in places.items():
            share = (place[axis] - middle) / extent if extent > 1e-6 else 0.0
            found[id_].append((low + high) / 2 + share * room)
    return {id_: (x, y) for id_, (x, y) in found.items()}


def _push_apart(
    at: dict[str, tuple[float, float]], box: tuple[float, float, float, float]
) -> dict[str, tuple[float, float]]:
    """Move nodes that hide each other's names apart, and none out of the box."""
    names = sorted(at)
    for _ in range(200):
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                dx, dy = (at[second][k] - at[first][k] for k in (0, 1))
                # Names are wider than high: closeness is measured so.
                near = ((dx / _WIDE) ** 2 + (dy / _HIGH) ** 2) ** 0.5
                if near >= 1:
                    continue
                step = 0.25 * (1 - near)
                mx, my = (dx, dy) if near > 1e-3 else (_WIDE, _HIGH)
                scale = step / max(near, 0.1)
                for id_, sign in ((first, -1), (second, 1)):
                    x, y = at[id_]
                    at[id_] = (
                        min(max(x + sign * scale * mx, box[0]), box[2]),
                        min(max(y + sign * scale * my, box[1]), box[3]),
                    )
    return at
