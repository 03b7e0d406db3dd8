"""What the variables of a file are in the graph, and which of them are markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.species import read_variables
from tosg.kg.cells.var.entity_names import read_names
from tosg.kg.cells.var.markers import Marker, find_markers
from tosg.kg.cells.var.matching import VariableMap, match_variables
from tosg.kg.cells.var.measured import filtered_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from tosg.kg.cells.files.source import CellSource, Matrix
    from tosg.kg.cells.options import AttachOptions
    from tosg.kg.cells.planned_cells import PlannedCells
    from tosg.kg.cells.var.variables import Variable
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class PlannedVariables:
    """Variables of the matrix that is attached.

    Attributes
    ----------
    variables : list of Variable
    found : VariableMap
        Entity of each.
    filtered : (n_variables,) bool
        Those that were taken out of ``X``.
    markers : list of Marker
    """

    variables: list[Variable]
    found: VariableMap
    filtered: npt.NDArray[np.bool_]
    markers: list[Marker]


def plan_variables(
    db: Database, source: CellSource, matrix: Matrix, cells: PlannedCells, options: AttachOptions
) -> PlannedVariables:
    """Match the variables of a matrix with entities of the graph, and find the markers.

    Raises
    ------
    DataError, ConfigError
        A variable or a marker is wrong.
    """
    variables = read_variables(
        matrix.var, cells.chosen.columns, source.path, organism=options.organism
    )
    found = match_variables(variables, read_names(db, variables))
    markers = find_markers(options.markers, variables, found, source.path)
    for marker in markers:
        if marker.property in cells.properties:
            raise ConfigError("a marker has the name of another property", found=marker.property)
    filtered = filtered_of(matrix.var, source.var, source.path)
    return PlannedVariables(variables, found, filtered, markers)


def check_variable_names(path: Path, matrix: Matrix) -> None:
    """Refuse a matrix without variables, or with two of one name."""
    index = matrix.var.index
    if len(index) == 0:
        raise DataError(
            "the file has no variables", where=f"{path}: {matrix.name}", expected="genes"
        )
    if not index.is_unique:
        twice = index[index.duplicated()].unique()
        raise DataError(
            "variable names are not unique",
            where=f"{path}: var of {matrix.name}",
            found=", ".join(str(v) for v in twice[:10]) + (" ..." if len(twice) > 10 else ""),
            expected="every variable once",
            hint="name the variables by their Ensembl ids, or join the duplicates before",
        )
