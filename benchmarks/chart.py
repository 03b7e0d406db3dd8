"""A line chart as SVG, without a plotting library."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 640, 400, 60
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2")


def draw_lines(
    path: Path,
    title: str,
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    x_label: str,
    *,
    log: bool = False,
) -> None:
    """Draw lines over common values of x, both axes from 0 or by decades.

    Parameters
    ----------
    path : Path
        File to write.
    title, x_label : str
        Texts of the chart.
    x : sequence of float
        Values on the horizontal axis, ascending.
    lines : mapping of str to sequence of float
        Name of each line to its values, one for each value of `x`.
    log : bool
        Whether both axes are logarithmic; the values are then above 0.
    """
    every = [value for values in lines.values() for value in values]
    right, top = max(x), max(every) or 1.0
    least, bottom = (min(x), min(every)) if log else (0.0, 0.0)
    ticks = [0, top / 2, top]
    if log:
        first, last = math.floor(math.log10(bottom)), math.ceil(math.log10(top))
        bottom, top = 10.0**first, 10.0**last
        ticks = [10.0**power for power in range(first, last + 1)]

    def share(value: float, low: float, high: float) -> float:
        if log:
            return math.log(value / low) / (math.log(high / low) or 1.0)
        return (value - low) / (high - low)

    def place(a: float, b: float) -> tuple[float, float]:
        return (
            _MARGIN + share(a, least, right) * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - share(b, bottom, top) * (_HEIGHT - 2 * _MARGIN),
        )

    parts = [_text(_WIDTH / 2, 24, title, 16), _text(_WIDTH / 2, _HEIGHT - 12, x_label, 12)]
    (left, low), (end, high) = place(least, bottom), place(right, top)
    parts.append(f'<path d="M{left} {high}V{low}H{end}" fill="none" stroke="#333"/>')
    parts += [_text(place(a, bottom)[0], low + 18, f"{a:,.10g}", 11) for a in x]
    parts += [
        _text(left - 26, place(least, b)[1] + 4, f"{b:,.10g}" if log else f"{b:.3g}", 11)
        for b in ticks
    ]
    for i, (name, values) in enumerate(lines.items()):
        color = _COLORS[i % len(_COLORS)]
        points = [place(a, b) for a, b in zip(x, values, strict=True)]
        dots = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{dots}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(_text(left + 110, high + 16 * (i + 1), name, 12, color))
    body = "\n".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">'
    path.write_text(f"{head}\n{body}\n</svg>\n", encoding="utf-8")


def _text(x: float, y: float, text: str, size: int, color: str = "#333") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-family="sans-serif" '
        f'text-anchor="middle" fill="{color}">{escape(text)}</text>'
    )
