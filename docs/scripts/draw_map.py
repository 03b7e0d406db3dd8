"""Draw ``docs/architecture.svg``: the rooms of the package and what each imports.

Rooms, their order and their arrows come from the code. An arrow that follows from others is left
out: where A uses B and B uses C, the arrow from A to C is not drawn. Run it after a change of
rooms: ``python docs/scripts/draw_map.py``; a test compares.
"""

from __future__ import annotations

import ast
import textwrap
from collections import defaultdict
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "architecture.svg"

#: Panels of the map, top to bottom: title, rooms (a pattern ends in a dot), colour.
PANELS = (
    ("What people touch", ("cli", "dashboard", "demo"), "#8a4baf"),
    ("The facade: one call per command", ("graph", "catalog", "inputs", "interop"), "#b3475f"),
    ("loaders: sources to claims", ("loaders.",), "#2e7d4f"),
    ("export: a selection to tensors", ("export.",), "#b5651d"),
    ("kg: the graph in Neo4j", ("kg.",), "#2a5fa5"),
    ("kg.cells: cells in the graph", ("kg.cells.",), "#1f7a8c"),
    ("cypher: statements", ("cypher",), "#5c6b73"),
    (
        "ground: what everything may use",
        (
            "files",
            "html_text",
            "json_text",
            "progress",
            "settings",
            "closing",
            "deadline",
            "errors",
            "version",
        ),
        "#5c6b73",
    ),
)

#: Panels that stand side by side.
ROWS = ((0,), (1,), (2, 3), (4, 5), (6,), (7,))

WIDTH, MARGIN, GAP = 1320, 24, 22
BOX_WIDTH, BOX_HEIGHT, LINE = 188, 66, 13
TITLE, LEVEL_GAP = 34, 34


@dataclass
class Box:
    """A room on the map: where it stands and which rooms of its panel it uses."""

    name: str
    purpose: str
    level: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = BOX_WIDTH
    uses: set[str] = field(default_factory=set)


def room_of(module: str) -> str:
    """Room of a module, as ``kg.schema``; its own name where it stands alone in a folder."""
    parts = module.split(".")[1:]
    depth = {"kg": 3 if parts[1:2] == ["cells"] else 2, "loaders": 2, "export": 2}
    return ".".join(parts[: depth.get(parts[0], 1)])


def room_graph() -> dict[str, set[str]]:
    """Rooms and the rooms that each imports, also inside functions and for types."""
    graph = grimp.build_graph("tosg", cache_dir=None)
    uses: dict[str, set[str]] = defaultdict(set)
    for module in sorted(graph.modules - {"tosg", "tosg.__main__"}):
        room = room_of(module)
        uses.setdefault(room, set())
        for other in graph.find_modules_directly_imported_by(module) - {"tosg"}:
            if room_of(other) != room:
                uses[room].add(room_of(other))
    return {room: uses[room] for room in sorted(uses)}


def purpose_of(room: str) -> str:
    """First sentence of a room's docstring."""
    base = ROOT / "src" / "tosg" / room.replace(".", "/")
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("`", "").rstrip(".")


def reduce(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out what follows from the rest."""
    reach: dict[str, set[str]] = {}
    for room in TopologicalSorter(uses).static_order():
        below = uses.get(room, set())
        reach[room] = below.union(*(reach[other] for other in below))
    return {
        r: {o for o in below if not any(o in reach[p] for p in below)} for r, below in uses.items()
    }


def boxes_of(patterns: tuple[str, ...], uses: dict[str, set[str]]) -> list[Box]:
    """Rooms of one panel with their levels: a room stands above all that it uses."""
    names = [
        room
        for room in uses
        if any(
            room == p or (p.endswith(".") and room.startswith(p) and room != p[:-1])
            for p in patterns
        )
    ]
    if "kg." in patterns:
        names = [n for n in names if not n.startswith("kg.cells.")]
    inner = {n: uses[n] & set(names) for n in names}
    if "kg." in patterns:  # the panel beside it shows what `cells` is made of
        parts = [n for n in uses if n.startswith("kg.cells.")]
        inner["kg.cells"] = set().union(*(uses[p] for p in parts)) & set(names) - {"kg.cells"}
        for n in names:
            inner[n] |= {"kg.cells"} if uses[n] & set(parts) and n != "kg.cells" else set()
        names = sorted({*names, "kg.cells"})
    level: dict[str, int] = {}
    for room in TopologicalSorter(inner).static_order():
        level[room] = 1 + max((level[o] for o in inner.get(room, ())), default=-1)
    arrows = reduce(inner)
    return [Box(n, purpose_of(n), level[n], uses=arrows[n]) for n in names]


def place(boxes: list[Box], x: float, y: float, width: float) -> float:
    """Give the boxes of a panel their places; returns the height of the panel."""
    levels: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        levels[box.level].append(box)
    top = max(levels)
    order = {box.name: box.x for box in boxes}
    for level in sorted(levels):  # over what they use, so that arrows are short
        row = sorted(levels[level], key=lambda b: (_middle(b, order), b.name))
        wide = min(BOX_WIDTH, (width - 2 * GAP - (len(row) - 1) * 14) / len(row))
        left = x + (width - len(row) * wide - (len(row) - 1) * 14) / 2
        for n, box in enumerate(row):
            box.x, box.width = left + n * (wide + 14), wide
            box.y = y + TITLE + (top - level) * (BOX_HEIGHT + LEVEL_GAP)
            order[box.name] = box.x
    return TITLE + (top + 1) * BOX_HEIGHT + top * LEVEL_GAP + 16


def _middle(box: Box, order: dict[str, float]) -> float:
    below = [order[name] for name in box.uses if name in order]
    return sum(below) / len(below) if below else 0.0


def draw_box(box: Box, colour: str) -> list[str]:
    """One room: its name, and its purpose in small letters."""
    short = box.name.split(".")[-1]
    lines = textwrap.wrap(box.purpose, int(box.width / 5.7))
    if len(lines) > 3:
        lines = [*lines[:2], lines[2].rstrip(",:;") + " …"]
    middle = box.x + box.width / 2
    return [
        (
            f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{BOX_HEIGHT}" '
            f'rx="6" fill="#ffffff" stroke="{colour}" stroke-width="1.4"/>'
        ),
        f'<text x="{middle:.0f}" y="{box.y + 17:.0f}" class="name">{escape(short)}</text>',
        *(
            f'<text x="{middle:.0f}" y="{box.y + 33 + n * LINE:.0f}" class="small">'
            f"{escape(line)}</text>"
            for n, line in enumerate(lines)
        ),
    ]


def draw_arrow(upper: Box, lower: Box, colour: str) -> str:
    """From the room that imports to the room that is imported."""
    x1, y1 = upper.x + upper.width / 2, upper.y + BOX_HEIGHT
    x2, y2 = lower.x + lower.width / 2, lower.y - 3
    bend = (y2 - y1) / 2
    return (
        f'<path d="M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} '
        f'{x2:.0f} {y2:.0f}" fill="none" stroke="{colour}" stroke-opacity="0.55" '
        'stroke-width="1.3" marker-end="url(#tip)"/>'
    )


def draw_panel(title: str, boxes: list[Box], colour: str, frame: tuple[float, ...]) -> list[str]:
    """One panel: its frame, the arrows behind, the rooms."""
    x, y, width, height = frame
    named = {box.name: box for box in boxes}
    return [
        (
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="10" '
            f'fill="{colour}" fill-opacity="0.06" stroke="{colour}" stroke-opacity="0.5"/>'
        ),
        (
            f'<text x="{x + 14:.0f}" y="{y + 21:.0f}" class="title" fill="{colour}">'
            f"{escape(title)}</text>"
        ),
        *(draw_arrow(b, named[o], colour) for b in boxes for o in sorted(b.uses)),
        *(part for box in boxes for part in draw_box(box, colour)),
    ]


def draw() -> str:
    """The whole map as SVG."""
    uses = room_graph()
    parts: list[str] = []
    y = 64.0
    for row in ROWS:
        width = (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
        panels = []
        for n, i in enumerate(row):
            title, patterns, colour = PANELS[i]
            boxes = boxes_of(patterns, uses)
            x = MARGIN + n * (width + GAP)
            panels.append((title, boxes, colour, x, place(boxes, x, y, width)))
        height = max(p[4] for p in panels)
        for title, boxes, colour, x, own in panels:
            for box in boxes:  # stands on the floor of the row
                box.y += height - own
            parts += draw_panel(title, boxes, colour, (x, y, width, height))
        y += height
        if row != ROWS[-1]:
            parts.append(
                f'<path d="M{WIDTH / 2:.0f} {y + 3:.0f} V{y + GAP + 1:.0f}" stroke="#444" '
                'stroke-width="3" marker-end="url(#tip)"/>'
            )
        y += GAP + 6
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" '
        'role="img" aria-label="The rooms of tosg and what each imports">'
    )
    style = (
        "<style>text{font-family:Helvetica,Arial,sans-serif}"
        ".name{font-size:13px;font-weight:bold;text-anchor:middle;fill:#1b1b1b}"
        ".small{font-size:10.5px;text-anchor:middle;fill:#444}"
        ".title{font-size:14px;font-weight:bold}.head{font-size:19px;font-weight:bold;fill:#1b1b1b}"
        ".note{font-size:12px;fill:#444}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#444"/></marker></defs>'
    )
    return "\n".join(
        [
            head,
            style,
            f'<rect width="{WIDTH}" height="{y:.0f}" fill="#ffffff"/>',
            f'<text x="{MARGIN}" y="30" class="head">The rooms of tosg</text>',
            (
                f'<text x="{MARGIN}" y="50" class="note">A room imports only rooms below it. Thin '
                "arrows: imports inside a panel, those that follow from others left out.</text>"
            ),
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
