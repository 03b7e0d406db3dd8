"""Pictures as SVG text: a path with its signs, a dot plot, a graph, curves, a confusion matrix.

They need no script and load nothing. Each has a title for screen readers.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tosg.demo.graph_layout import place_nodes
from tosg.interop.palette import SIGN_COLOURS, SIGN_MARKS, TYPE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tosg.interop.palette import Edge, Entity

#: Colours of curves, told apart without red and green alone (Okabe and Ito, 2008).
CURVE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00")

_FONT = "font-family='system-ui, sans-serif'"
_INK, _FAINT = "#222222", "#D0D0D0"


def svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    """Frame parts of a picture."""
    return (
        f"<svg role='img' viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' {_FONT}>"
        f"<title>{escape(title)}</title>{_HEADS}{''.join(parts)}</svg>"
    )


def _marker(name: str, colour: str, shape: str) -> str:
    return (
        f"<marker id='{name}' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' "
        f"markerHeight='7' orient='auto'><path d='{shape}' fill='{colour}' stroke='{colour}'/>"
        "</marker>"
    )


_ARROW, _BAR = "M0,0 L10,5 L0,10 z", "M8,0 L10,0 L10,10 L8,10 z"
_HEADS = "<defs>{}</defs>".format(
    "".join(
        (
            _marker("raises", SIGN_COLOURS[1], _ARROW),
            _marker("lowers", SIGN_COLOURS[-1], _BAR),
            _marker("acts", SIGN_COLOURS[0], _ARROW),
        )
    )
)
_HEAD_OF = {1: "raises", -1: "lowers"}


def words_at(
    x: float,
    y: float,
    words: object,
    *,
    size: int = 12,
    anchor: str = "middle",
    colour: str = _INK,
    turn: float = 0,
    halo: bool = False,
) -> str:
    """Write words at a place; with a halo they can be read over lines."""
    more = f" transform='rotate({turn:.0f} {x:.1f} {y:.1f})'" if turn else ""
    more += " stroke='white' stroke-width='3' paint-order='stroke'" if halo else ""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' "
        f"fill='{colour}'{more}>{escape(str(words))}</text>"
    )


def draw_paths(title: str, paths: Sequence[Mapping[str, Sequence[Mapping[str, object]]]]) -> str:
    """Draw paths below each other, a step as an arrow (raises) or a bar (lowers).

    Parameters
    ----------
    title : str
    paths : sequence of mappings
        ``nodes`` (id, name, symbol, type) and ``relationships`` (start, end, type, sign).
    """
    gap, row, box, margin = 170, 84, 96, 12
    longest = max(len(path["nodes"]) for path in paths)
    parts = []
    for line, path in enumerate(paths):
        y = margin + 34 + line * row
        for i, (tie, before) in enumerate(zip(path["relationships"], path["nodes"], strict=False)):
            left, right = margin + box + i * gap, margin + (i + 1) * gap
            begin, end = (left, right) if tie["start"] == before["id"] else (right, left)
            sign = tie["sign"] if isinstance(tie["sign"], int) else None
            same = tie["type"] == "ENCODES"
            head = "" if same else f" marker-end='url(#{_HEAD_OF.get(sign or 0, 'acts')})'"
            dash = " stroke-dasharray='4 4'" if same else ""
            colour = SIGN_COLOURS.get(sign, SIGN_COLOURS[None])
            parts.append(
                f"<line x1='{begin}' y1='{y}' x2='{end}' y2='{y}' stroke='{colour}' "
                f"stroke-width='2.5'{dash}{head}/>"
            )
            words = str(tie["type"]).lower().replace("_", " ") + f" {SIGN_MARKS.get(sign, '')}"
            parts.append(words_at((left + right) / 2, y - 9, words.strip(), size=10, colour=colour))
        for i, node in enumerate(path["nodes"]):
            x = margin + i * gap
            fill = TYPE_COLOURS.get(str(node["type"]), "#CCCCCC")
            parts.append(
                f"<rect x='{x}' y='{y - 20}' width='{box}' height='40' rx='9' fill='{fill}' "
                f"fill-opacity='0.45' stroke='{_INK}'/>"
            )
            parts.append(words_at(x + box / 2, y + 1, _short(node), size=13))
            parts.append(words_at(x + box / 2, y + 14, node["type"], size=9))
    width = 2 * margin + (longest - 1) * gap + box
    return svg(title, width, margin + len(paths) * row, parts)


def _short(node: Mapping[str, object]) -> str:
    name = str(node.get("symbol") or node.get("name") or node["id"])
    return name if len(name) <= 13 else f"{name[:12]}…"


def draw_dots(title: str, rows: Sequence[Mapping[str, object]], unit: str) -> str:
    """Draw genes across groups: colour is the mean, size the fraction of cells.

    Parameters
    ----------
    title : str
    rows : sequence of mappings
        ``group``, ``gene``, ``mean``, ``fraction``; a pair that is missing has no dot.
    unit : str
        Of the means.
    """
    groups = list(dict.fromkeys(str(r["group"]) for r in rows))
    genes = list(dict.fromkeys(str(r["gene"]) for r in rows))
    step, left, top = 34, 60 + 7 * max((len(g) for g in groups), default=0), 84
    most = max((_number(r["mean"]) for r in rows), default=1.0) or 1.0
    parts = [
        words_at(left + i * step, top - 22, gene, size=11, anchor="start", turn=-45)
        for i, gene in enumerate(genes)
    ]
    for j, group in enumerate(groups):
        y = top + j * step
        parts.append(words_at(left - 26, y + 4, group, size=12, anchor="end"))
        parts.append(
            f"<line x1='{left - 16}' y1='{y}' x2='{left + len(genes) * step}' y2='{y}' "
            f"stroke='{_FAINT}'/>"
        )
    for r in rows:
        x = left + genes.index(str(r["gene"])) * step
        y = top + groups.index(str(r["group"])) * step
        mean, fraction = _number(r["mean"]), _number(r["fraction"])
        parts.append(
            f"<circle cx='{x}' cy='{y}' r='{2 + 13 * fraction:.1f}' "
            f"fill='{viridis(mean / most)}' stroke='#555'><title>{escape(str(r['gene']))} in "
            f"{escape(str(r['group']))}: mean {mean:.3f}, {fraction:.0%} of cells</title></circle>"
        )
    bottom = top + len(groups) * step
    for i in range(5):
        x = left + 20 + i * 34
        parts.append(f"<rect x='{x}' y='{bottom}' width='34' height='12' fill='{viridis(i / 4)}'/>")
    parts.append(words_at(left, bottom + 10, "0", size=10, anchor="end"))
    parts.append(
        words_at(left + 196, bottom + 10, f"{most:.2f}  mean, {unit}", size=10, anchor="start")
    )
    for i, share in enumerate((0.25, 0.5, 1.0)):
        x = left + 20 + i * 60
        parts.append(
            f"<circle cx='{x}' cy='{bottom + 36}' r='{2 + 13 * share:.1f}' fill='none' "
            "stroke='#555'/>"
        )
        parts.append(words_at(x + 18, bottom + 40, f"{share:.0%}", size=10, anchor="start"))
    parts.append(words_at(left + 196, bottom + 40, "of the cells", size=10, anchor="start"))
    width = max(left + len(genes) * step + 60, left + 330)
    return svg(title, width, bottom + 64, parts)


def draw_graph(
    title: str, entities: Sequence[Entity], edges: Sequence[Edge], values: Sequence[float]
) -> str:
    """Draw nodes, larger where their value is, and what joins them.

    Parameters
    ----------
    title : str
    entities, edges : sequences
        Every end of an edge is among the entities.
    values : sequence of float
        One per entity, 0 or more.
    """
    width, height = 900, 480
    at = place_nodes(entities, edges, width, height)
    most = max(values, default=1.0) or 1.0
    radius = {e.id: 7 + 13 * v / most for e, v in zip(entities, values, strict=True)}
    parts = []
    for edge in edges:
        (x1, y1), (x2, y2) = at[edge.start], at[edge.end]
        length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
        cut = min(radius[edge.end] + 2, length) / length
        head = f" marker-end='url(#{_HEAD_OF[edge.sign]})'" if edge.sign in _HEAD_OF else ""
        colour = SIGN_COLOURS.get(edge.sign, SIGN_COLOURS[None])
        parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2 - cut * (x2 - x1):.1f}' "
            f"y2='{y2 - cut * (y2 - y1):.1f}' stroke='{colour}' stroke-width='1.6' "
            f"stroke-opacity='0.8'{head}><title>{escape(edge.type)}</title></line>"
        )
    for entity, value in zip(entities, values, strict=True):
        x, y = at[entity.id]
        parts.append(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius[entity.id]:.1f}' "
            f"fill='{viridis(value / most)}' stroke='white'>"
            f"<title>{escape(entity.name or entity.id)}: {value:.3g}</title></circle>"
        )
        top = y - radius[entity.id] - 3
        parts.append(words_at(x, top, entity.label[:14], size=11, halo=True))
    return svg(title, width, height, parts)


def draw_curves(title: str, curves: Mapping[str, Sequence[float]], axis: str) -> str:
    """Draw a value per epoch for several readings.

    Parameters
    ----------
    title : str
    curves : mapping of str to sequence of float
        Epochs from 1 on.
    axis : str
        What the value is.
    """
    width, height, left, bottom, top = 460, 270, 52, 40, 16
    right = 120
    low = min(min(c) for c in curves.values())
    high = max(max(c) for c in curves.values()) or 1.0
    if low < high / 2:  # else the axis begins near the curves, or they would lie on each other
        low = min(low, 0.0)
    high += 1e-9 + 0.02 * (high - low)
    epochs = max(len(c) for c in curves.values())

    def place(epoch: int, value: float) -> tuple[float, float]:
        x = left + (width - left - right) * (epoch / max(epochs - 1, 1))
        y = top + (height - top - bottom) * (1 - (value - low) / (high - low))
        return x, y

    parts = []
    for i in range(5):
        value = low + (high - low) * i / 4
        y = place(0, value)[1]
        parts.append(
            f"<line x1='{left}' y1='{y:.1f}' x2='{width - right}' y2='{y:.1f}' stroke='{_FAINT}'/>"
        )
        parts.append(words_at(left - 6, y + 4, f"{value:.2f}", size=10, anchor="end"))
    parts += [
        words_at(place(epoch, low)[0], height - bottom + 16, epoch + 1, size=10)
        for epoch in range(epochs)
    ]
    parts.append(words_at(left + (width - left - right) / 2, height - 6, "epoch", size=11))
    parts.append(words_at(14, height / 2, axis, size=11, turn=-90))
    for i, (name, curve) in enumerate(curves.items()):
        colour = CURVE_COLOURS[i % len(CURVE_COLOURS)]
        points = " ".join("{:.1f},{:.1f}".format(*place(e, v)) for e, v in enumerate(curve))
        dash = ("", "6 3", "2 3", "8 3 2 3", "1 5")[i % 5]
        parts.append(
            f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2.2' "
            f"stroke-dasharray='{dash}'/>"
        )
        y = top + 14 + 18 * i
        parts.append(
            f"<line x1='{width - right + 8}' y1='{y}' x2='{width - right + 32}' y2='{y}' "
            f"stroke='{colour}' stroke-width='2.2' stroke-dasharray='{dash}'/>"
        )
        parts.append(words_at(width - right + 38, y + 4, name, size=11, anchor="start"))
    return svg(title, width, height, parts)


def draw_confusion(title: str, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Draw a confusion matrix: a row per true class, a column per class that was said.

    Parameters
    ----------
    title : str
    classes : sequence of str
        C names.
    counts : sequence of C sequences of C int
        Cells; colours are shares of a row.
    """
    step, left, top = 40, 260, 190
    parts = [words_at(left - 12, top - 12, "true, below", size=10, anchor="end")]
    parts.append(words_at(left, 12, "said by the model", size=10, anchor="start"))
    for i, name in enumerate(classes):
        shown = name if len(name) <= 34 else f"{name[:33]}…"
        parts.append(words_at(left - 10, top + i * step + 25, shown, size=11, anchor="end"))
        x = left + i * step + 22
        parts.append(words_at(x, top - 8, shown, size=11, anchor="start", turn=-55))
    for i, row in enumerate(counts):
        total = sum(row) or 1
        for j, count in enumerate(row):
            share = count / total
            x, y = left + j * step, top + i * step
            parts.append(
                f"<rect x='{x}' y='{y}' width='{step - 2}' height='{step - 2}' "
                f"fill='{blues(share)}' stroke='{_FAINT}'/>"
            )
            if count:
                colour = "#FFFFFF" if share > 0.55 else _INK
                parts.append(words_at(x + 19, y + 24, count, size=12, colour=colour))
    size = len(classes) * step
    return svg(title, left + size + 150, top + size + 10, parts)


def _number(value: object) -> float:
    assert isinstance(value, int | float)  # noqa: S101 - of our own query
    return float(value)


def viridis(share: float) -> str:
    """Colour of a share from 0 to 1 on matplotlib's scale viridis, by five of its colours."""
    return _between(((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)),
                    share)  # fmt: skip


def blues(share: float) -> str:
    """Colour of a share from 0 to 1, from white to dark blue."""
    return _between(((255, 255, 255), (0, 90, 143)), share)


def _between(stops: Sequence[tuple[int, int, int]], share: float) -> str:
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    i = min(int(place), len(stops) - 2)
    mixed = (a + (b - a) * (place - i) for a, b in zip(stops[i], stops[i + 1], strict=True))
    return "#" + "".join(f"{round(c):02x}" for c in mixed)
