"""What pictures of the graph share: colours of types and signs, and what is drawn.

Colours are told apart without red and green alone, and the sign also stands in the caption.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

from tosg.kg.schema.types import entity_types

#: Blue raises, vermilion lowers, grey is unknown (Okabe and Ito's colours, 2008).
SIGN_COLOURS = {1: "#0072B2", -1: "#D55E00", 0: "#777777", None: "#999999"}
SIGN_MARKS = {1: "+", -1: "\N{MINUS SIGN}", 0: "?", None: ""}

_PALETTE = (
    "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#8DA0CB", "#A6D854", "#E78AC3",
    "#66C2A5", "#FFD92F", "#B3B3B3", "#80B1D3", "#FDB462", "#BC80BD", "#CCEBC5", "#FB8072",
)  # fmt: skip

#: Colour of each entity type.
TYPE_COLOURS = dict(zip(entity_types(), cycle(_PALETTE), strict=False))


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship as it is drawn.

    Attributes
    ----------
    type, start, end : str
        Relationship type, and the ids of its ends.
    sign : int or None
        -1, 0, 1, or None where none is stated.
    score : float or None
        0 to 1, or None where no source gives one.
    sources : tuple of str
        Who says so.
    """

    type: str
    start: str
    end: str
    sign: int | None = None
    score: float | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity as it is drawn."""

    id: str
    type: str
    name: str
    symbol: str | None = None

    @property
    def label(self) -> str:
        """The shortest name that says what it is."""
        return self.symbol or self.name or self.id
