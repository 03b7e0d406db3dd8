"""Marker properties: the expression of chosen genes as plain numbers on the cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tosg.errors import UsageError, unknown
from tosg.kg.cells.var.modality import GENE, OTHER, PROTEIN
from tosg.kg.schema.support import MARKER_PREFIX

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
    names: Sequence[str],
    variables: Sequence[Variable],
    found: VariableMap,
    where: Path,
) -> list[Marker]:
    """Find the variables of the chosen markers, by their own name or their gene's symbol.

    A name that a gene and an antibody have is asked for as ``CD4:gene`` or ``CD4:protein``.

    Raises
    ------
    UsageError
        A marker that the file does not have, one that is a gene and an antibody, or two that would
        share a property.
    """
    of_modality = {m: _positions(variables, found, m) for m in (GENE, PROTEIN, OTHER)}
    markers: dict[str, Marker] = {}
    for name in dict.fromkeys(names):
        marker = Marker(name, property_name(name), _position(name, of_modality, where))
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


def _position(name: str, of_modality: dict[str, dict[str, int]], where: Path) -> int:
    """Position of the variable of a marker."""
    found = {m: positions[name] for m, positions in of_modality.items() if name in positions}
    if not found:
        bare, _, modality = name.rpartition(":")
        if bare in of_modality.get(modality, ()):
            return of_modality[modality][bare]
        raise unknown("marker", name, {n for p in of_modality.values() for n in p}, where=where)
    if len(found) > 1:
        choices = [f"{name}:{modality}" for modality in found]
        raise UsageError(
            "a marker is the name of variables of several kinds",
            where=where,
            found=f"{name}: {' and '.join(found)}",
            expected=" or ".join(choices),
            hint=f"--markers {','.join(choices)} takes both",
        )
    return next(iter(found.values()))


def _positions(variables: Sequence[Variable], found: VariableMap, modality: str) -> dict[str, int]:
    """Names of the variables of one modality."""
    chosen = [i for i, v in enumerate(variables) if v.modality == modality]
    positions: dict[str, int] = {}
    for i in chosen:
        entity = found.entities[i]
        if entity is not None and entity in found.symbols:
            positions.setdefault(found.symbols[entity], i)
    for i in chosen:
        for name in variables[i].symbols:
            if name:
                positions.setdefault(name, i)
    # The file's own name wins over everything else of that name.
    positions.update({variables[i].name: i for i in chosen})
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
