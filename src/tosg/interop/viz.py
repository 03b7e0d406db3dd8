"""Pictures of graphs by neo4j-viz: edges coloured by sign and thick by score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.interop.extras import missing_extra
from tosg.interop.palette import SIGN_COLOURS, SIGN_MARKS, TYPE_COLOURS, Edge, Entity

try:
    from neo4j_viz import Node, Relationship, VisualizationGraph
except ImportError as error:
    raise missing_extra("neo4j-viz", "viz", error) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

_MIDDLE_SIZE, _SIZE = 30, 24
_LARGE, _CAPTION = 3, 4
_THIN, _THICK = 1.0, 6.0


def draw(
    entities: Sequence[Entity], edges: Iterable[Edge], *, middle: Iterable[str] = ()
) -> VisualizationGraph:
    """Make the picture of some entities and relationships.

    Parameters
    ----------
    entities : sequence of Entity
    edges : iterable of Edge
        Ends that are no entity are left out.
    middle : iterable of str
        Ids that are drawn larger.
    """
    shown = set(middle)
    known = {e.id for e in entities}
    nodes = [
        Node(
            id=e.id,
            caption=e.label[:40],
            caption_size=_LARGE,
            color=TYPE_COLOURS.get(e.type, "#CCCCCC"),
            size=_MIDDLE_SIZE if e.id in shown else _SIZE,
            properties={"id": e.id, "type": e.type, "name": e.name},
        )
        for e in entities
    ]
    relationships = [
        Relationship(
            id=str(number),
            source=edge.start,
            target=edge.end,
            caption=f"{edge.type} {SIGN_MARKS.get(edge.sign, '')}".strip(),
            caption_size=_CAPTION,
            color=SIGN_COLOURS.get(edge.sign, SIGN_COLOURS[None]),
            width=_THIN + (_THICK - _THIN) * (edge.score or 0.0),
            properties=_told(edge),
        )
        for number, edge in enumerate(edges)
        if edge.start in known and edge.end in known
    ]
    return VisualizationGraph(nodes=nodes, relationships=relationships)


def _told(edge: Edge) -> dict[str, str]:
    found = {"type": edge.type, "sources": ", ".join(edge.sources)}
    if edge.sign is not None:
        found["sign"] = str(edge.sign)
    if edge.score is not None:
        found["score"] = f"{edge.score:.3f}"
    return found


def draw_metagraph(
    counts: dict[str, int], pairs: Iterable[tuple[str, str, str, int | None]]
) -> VisualizationGraph:
    """Make the picture of the types: how many entities each has, and what joins them."""
    pairs = list(pairs)
    used = {a for a, *_ in pairs} | {b for _, _, b, _ in pairs} | set(counts)
    nodes = [
        Node(
            id=label,
            caption=f"{label} {counts.get(label, 0):,}",
            caption_size=_LARGE,
            color=TYPE_COLOURS.get(label, "#CCCCCC"),
            size=14 + 4 * len(str(counts.get(label, 0))),
            properties={"entities": str(counts.get(label, 0))},
        )
        for label in sorted(used)
    ]
    relationships = [
        Relationship(
            id=str(number),
            source=a,
            target=b,
            caption=kind,
            width=1.0 if n is None else 0.8 * len(str(n)),
            properties={"relationships": "not counted" if n is None else f"{n:,}"},
        )
        for number, (a, kind, b, n) in enumerate(pairs)
    ]
    return VisualizationGraph(nodes=nodes, relationships=relationships)


def picture_of_tables(nodes: pa.Table, relationships: pa.Table) -> VisualizationGraph:
    """Make the picture of a selection; see `tosg.interop.subgraph.Subgraph.to_neo4j_viz`."""
    entities = [
        Entity(row["id"], row["type"], row["name"] or "", row["symbol"])
        for row in nodes.select(["id", "type", "name", "symbol"]).to_pylist()
    ]
    edges = [
        Edge(
            row["type"],
            row["start"],
            row["end"],
            row["sign"],
            row["score"],
            tuple(row["sources"] or ()),
        )
        for row in relationships.to_pylist()
    ]
    return draw(entities, edges)
