"""A style sheet for Neo4j Browser: each type by its colour and caption."""

from __future__ import annotations

from tosg.interop.palette import TYPE_COLOURS
from tosg.kg.schema.types import all_relationship_types

#: Of the cells' own nodes.
_CELL_COLOURS = {"Dataset": "#4D4D4D", "CellGroup": "#1F7A8C", "Cell": "#9FD8E0"}
_CAPTIONS = {"Gene": "symbol", "Protein": "symbol", "Dataset": "id", "Cell": "id"}

_THICK = {"ENCODES": 1, "EXPRESSES": 1}


def make_grass() -> str:
    """Write the style sheet in the ``.grass`` form that Neo4j Browser imports.

    Returns
    -------
    str
        A rule per label and per relationship type of the schema.
    """
    rules = [
        _rule("node", {"diameter": "50px", "color": "#A5ABB6", "border-color": "#9AA1AC",
                       "border-width": "2px", "text-color-internal": "#FFFFFF",
                       "font-size": "10px"}),
        _rule("relationship", {"color": "#A5ABB6", "shaft-width": "1px", "font-size": "8px",
                               "padding": "3px", "text-color-external": "#000000",
                               "text-color-internal": "#FFFFFF", "caption": '"<type>"'}),
    ]  # fmt: skip
    for label, colour in {**TYPE_COLOURS, **_CELL_COLOURS}.items():
        caption = "cell_type" if label == "CellGroup" else _CAPTIONS.get(label, "name")
        rules.append(
            _rule(
                f"node.{label}",
                {
                    "color": colour,
                    "border-color": darker(colour),
                    "text-color-internal": text_colour(colour),
                    "caption": f'"{{{caption}}}"',
                },
            )
        )
    for name in all_relationship_types():
        width = _THICK.get(name, 2)
        rules.append(
            _rule(f"relationship.{name}", {"shaft-width": f"{width}px", "caption": '"<type>"'})
        )
    return "\n".join(rules)


def _rule(selector: str, values: dict[str, str]) -> str:
    inner = "\n".join(f"  {key}: {value};" for key, value in values.items())
    return f"{selector} {{\n{inner}\n}}\n"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def darker(colour: str) -> str:
    """Make a colour a fifth darker, for borders."""
    return "#" + "".join(f"{c * 4 // 5:02X}" for c in _channels(colour))


def text_colour(colour: str) -> str:
    """Choose black or white, whichever stands out more on a colour (WCAG 2 relative luminance)."""
    linear = [
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
        for c in _channels(colour)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#FFFFFF"
