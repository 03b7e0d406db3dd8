"""Draw a metagraph as SVG: types of entities, and which relationships lead from which to which.

It reads from left to right: start, relationship, end. A relationship has one colour, so that its
lines can be followed. Types that a source only refers to are dashed.
`docs/scripts/write_sources.py` draws one for each source, and one of the whole schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Triple = tuple[str, str, str]

_WIDTH, _ROW, _TOP, _BOX = 900, 32, 58, 24
#: Left edge and width of the three columns of boxes.
_COLUMNS = ((24, 176), (330, 240), (700, 176))
_COLOURS = (
    "#2a5fa5", "#b5651d", "#2e7d4f", "#8a4baf", "#b3475f", "#1f7a8c", "#7a6a00", "#4a4fb0",
    "#a0522d", "#5c6b73",
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """One box: its name and where it stands."""

    name: str
    x: float
    y: float
    width: float

    @property
    def left(self) -> tuple[float, float]:
        """Middle of its left edge."""
        return self.x, self.y + _BOX / 2

    @property
    def right(self) -> tuple[float, float]:
        """Middle of its right edge."""
        return self.x + self.width, self.y + _BOX / 2


def draw(title: str, claimed: Collection[str], relationships: Iterable[Triple]) -> str:
    """Draw one metagraph.

    Parameters
    ----------
    title : str
    claimed : collection of str
        Types of entities that are made; others are only referred to.
    relationships : iterable of (str, str, str)
        Start type, relationship type, end type.

    Returns
    -------
    str
        The SVG.
    """
    triples = list(dict.fromkeys(relationships))
    kinds = list(dict.fromkeys(kind for _, kind, _ in triples))
    starts = _ordered([(a, kinds.index(kind)) for a, kind, _ in triples])
    ends = _ordered([(b, kinds.index(kind)) for _, kind, b in triples])
    alone = [type_ for type_ in claimed if type_ not in {*starts, *ends}]
    rows = max(len(starts) + len(alone), len(kinds), len(ends), 1)
    height = _TOP + rows * _ROW + 12
    left = _placed([*starts, *alone], 0, rows)
    middle = _placed(kinds, 1, rows)
    right = _placed(ends, 2, rows)
    colour = {kind: _COLOURS[n % len(_COLOURS)] for n, kind in enumerate(kinds)}
    parts = [
        f'<text x="{x + width / 2:.0f}" y="46" class="column">{label}</text>'
        for (x, width), label in zip(_COLUMNS, ("from", "relationship", "to"), strict=True)
        if triples
    ]
    for start, kind in dict.fromkeys((a, k) for a, k, _ in triples):
        parts.append(_line(left[start].right, middle[kind].left, colour[kind]))
    for kind, end in dict.fromkeys((k, b) for _, k, b in triples):
        parts.append(_line(middle[kind].right, right[end].left, colour[kind], arrow=True))
    for box in (*left.values(), *right.values()):
        parts += _box(box, "#333333", dashed=box.name not in claimed)
    for box in middle.values():
        parts += _box(box, colour[box.name], filled=True)
    return _svg(title, height, parts)


def _ordered(pairs: Sequence[tuple[str, int]]) -> list[str]:
    """Names by the mean position of their relationships, so that few lines cross."""
    positions: dict[str, list[int]] = {}
    for name, position in pairs:
        positions.setdefault(name, []).append(position)
    return sorted(positions, key=lambda n: (sum(positions[n]) / len(positions[n]), n))


def _placed(names: Sequence[str], column: int, rows: int) -> Mapping[str, Box]:
    x, width = _COLUMNS[column]
    gap = _ROW * rows / max(len(names), 1)
    return {
        name: Box(name, x, _TOP + gap * (n + 0.5) - _BOX / 2, width) for n, name in enumerate(names)
    }


def _box(box: Box, colour: str, *, dashed: bool = False, filled: bool = False) -> list[str]:
    line = ' stroke-dasharray="4 3"' if dashed else ""
    fill = colour if filled else "#ffffff"
    return [
        (
            f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{_BOX}" '
            f'rx="{4 if filled else 12}" fill="{fill}" stroke="{colour}"{line}/>'
        ),
        (
            f'<text x="{box.x + box.width / 2:.0f}" y="{box.y + 16:.0f}" '
            f'class="{"kind" if filled else "type"}">{escape(box.name)}</text>'
        ),
    ]


def _line(
    start: tuple[float, float], end: tuple[float, float], colour: str, *, arrow: bool = False
) -> str:
    (x1, y1), (x2, y2) = start, end
    bend = (x2 - x1) / 2
    tip = ' marker-end="url(#tip)"' if arrow else ""
    return (
        f'<path d="M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} '
        f'{x2 - (5 if arrow else 0):.0f} {y2:.0f}" fill="none" stroke="{colour}" '
        f'stroke-opacity="0.6" stroke-width="1.3"{tip}/>'
    )


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
                f'role="img" aria-label="{escape(title, quote=True)}">'
            ),
            (
                "<style>text{font-family:Helvetica,Arial,sans-serif;text-anchor:middle;"
                "font-size:12px}.kind{fill:#fff;font-size:11px}.type{fill:#1b1b1b}"
                ".column{fill:#777;font-size:11px}.head{font-size:15px;font-weight:bold;"
                "text-anchor:start;fill:#1b1b1b}</style>"
            ),
            (
                '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" '
                'markerHeight="6" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#555"/></marker>'
                "</defs>"
            ),
            f'<rect width="{_WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            f'<text x="24" y="26" class="head">{escape(title)}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )
