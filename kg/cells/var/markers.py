"""Marker properties: the expression of chosen genes as plain numbers on the cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tosg.errors import UsageError, unknown
from tosg.kg.schema.types import MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.var.matching import VariableMap
    from tosg.kg.cells.var.variables import Variable

_OTHER = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker.

    Attributes
    ----------
    name : str
        As the user gave it.
    property : str
        Of :Cell.
    variable : int
        Position in the data set's variables.
    """

    name: str
    property: str
    variable: int


def property_name(marker: str) -> str:
    """Name of a marker's property: ``expr_`` and the marker, anything but word characters as ``_``.

    ``c.expr_HLA-DRA`` would be read as a subtraction.
    """
    return f"{MARKER_PREFIX}{_OTHER.sub('_', marker)}"


def find_markers(
    names: Sequence[str], variables: Sequence[Variable], found: VariableMap, where: Path
) -> list[Marker]:
    """Find the variables of the chosen markers, by their own name or their gene's symbol.

    Raises
    ------
    UsageError
        A marker that the file does not have, or two that would share a property.
    """
    positions = _positions(variables, found)
    markers: dict[str, Marker] = {}
    for name in dict.fromkeys(names):
        if name not in positions:
            raise unknown("marker", name, positions, where=where)
        marker = Marker(name, property_name(name), positions[name])
        other = markers.get(marker.property)
        if other is not None:
            raise UsageError(
                "two markers would share a property",
                where=where,
                found=f"{other.name} and {name}: {marker.property}",
                expected="markers that differ in letters and digits",
                hint="choose one of them",
            )
        markers[marker.property] = marker
    return list(markers.values())


def _positions(variables: Sequence[Variable], found: VariableMap) -> dict[str, int]:
    positions: dict[str, int] = {}
    for i, entity in enumerate(found.entities):
        if entity is not None and entity in found.symbols:
            positions.setdefault(found.symbols[entity], i)
    for i, variable in enumerate(variables):
        for name in variable.symbols:
            if name:
                positions.setdefault(name, i)
    # The file's own name wins over everything else that is called so.
    positions.update({v.name: i for i, v in enumerate(variables)})
    return positions


def marker_columns(markers: Sequence[Marker], cells: CsrRows) -> dict[str, list[float]]:
    """Values of the markers in a block of cells, 0 where a cell has none.

    Parameters
    ----------
    markers : sequence of Marker
    cells : CsrRows
        Normalised.
    """
    columns: dict[str, list[float]] = {}
    for marker in markers:
        at = np.flatnonzero(cells.indices == marker.variable)
        dense = np.zeros(len(cells))
        dense[np.searchsorted(cells.indptr, at, side="right") - 1] = cells.values[at]
        columns[marker.property] = dense.tolist()
    return columns
