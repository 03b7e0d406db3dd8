"""Pictures of graphs by neo4j-viz: edges coloured by sign and thick by score.

Colours are told apart without red and green alone, and the sign also stands in the caption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo4j_viz import Node, Relationship, VisualizationGraph

from tosg.kg.schema.types import entity_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tosg.dashboard.questions import Edge, Entity

#: Blue raises, vermilion lowers, grey is unknown (Okabe and Ito's colours, 2008).
SIGN_COLOURS = {1: "#0072B2", -1: "#D55E00", 0: "#777777", None: "#999999"}
SIGN_MARKS = {1: "+", -1: "\N{MINUS SIGN}", 0: "?", None: ""}

_PALETTE = (
    "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#8DA0CB", "#A6D854", "#E78AC3",
    "#66C2A5", "#FFD92F", "#B3B3B3", "#80B1D3", "#FDB462", "#BC80BD", "#CCEBC5", "#FB8072",
)  # fmt: skip

#: Colour of each entity type.
TYPE_COLOURS = dict(zip(entity_types(), _PALETTE, strict=True))

_MIDDLE_SIZE, _SIZE = 28, 18
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
