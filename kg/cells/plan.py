"""Everything about a file of cells that is known before its values are read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.notes import describe_fields, notes_of, notes_of_values
from tosg.kg.cells.obs.detect import unmapped_hints
from tosg.kg.cells.obs.fields import LIBRARY_SIZE
from tosg.kg.cells.options import INLINE_LIMIT
from tosg.kg.cells.planned_cells import PlannedCells, plan_cells
from tosg.kg.cells.planned_variables import (
    PlannedVariables,
    check_variable_names,
    plan_variables,
)
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.values import metacells, units
from tosg.kg.cells.values.normalise import Normaliser
from tosg.kg.cells.values.pseudobulk import Groups, group_cells
from tosg.kg.cells.var.variables import columns_used

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import CellSource, Matrix
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.options import AttachOptions
    from tosg.kg.cells.values.checked import CheckedMatrix
    from tosg.kg.cells.var.markers import Marker
    from tosg.kg.cells.var.matching import VariableMap
    from tosg.kg.cells.var.variables import Variable
    from tosg.kg.database.connection import Database


#: Options of later versions, and their defaults.
_LATER = {"round": False}


@dataclass(frozen=True)
class AttachPlan:
    """Everything about a file of cells that is known before its values are read.

    Attributes
    ----------
    dataset : str
        Id.
    key : str
        Hash of files, mapping and options: the same key attaches the same.
    options : AttachOptions
    source : CellSource
        Open.
    sha256s : list of str
        Of the source's files.
    values : CheckedMatrix
        The matrix and its unit.
    normaliser : Normaliser
        Makes the values of means and markers.
    library_sizes : (n_cells,) int64 or None
        RNA counts of each :Cell as the user's column has them.
    library_column : str
        That column, or "".
    rows : (n_file_cells,) int64
        Rows of the file that are attached, or summed to meta-cells.
    sizes : (n_cells,) int64
        Measured cells per :Cell.
    partition : Partition or None
        Which rows make which meta-cell.
    properties : dict of str to list
        Of the cells, one list per property, None where a cell has none.
    groups : Groups
    variables_of : list of Variable
    found : VariableMap
        Entity of each variable.
    filtered : (n_variables,) bool
        Variables that were taken out of ``X``.
    markers : list of Marker
    storage : str
        ``inline`` or ``linked``.
    report : AttachReport
        What is known so far.
    """

    dataset: str
    key: str
    options: AttachOptions
    source: CellSource
    sha256s: list[str]
    values: CheckedMatrix
    normaliser: Normaliser
    library_sizes: npt.NDArray[np.int64] | None
    library_column: str
    rows: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    partition: metacells.Partition | None
    properties: dict[str, list[Any]]
    groups: Groups
    variables_of: list[Variable]
    found: VariableMap
    filtered: npt.NDArray[np.bool_]
    markers: list[Marker]
    storage: str
    report: AttachReport

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.values.unit

    @property
    def total_property(self) -> str:
        """Property of a cell with what its values are divided by; "" where they are not."""
        if not self.normaliser.is_linear:
            return ""
        return "n_counts" if self.unit == "counts" else "expression_total"

    @property
    def protein_means(self) -> bool:
        """Whether means and markers of antibodies are centred log-ratios."""
        return self.normaliser.is_linear and self.normaliser.n_proteins > 0

    @property
    def matrix(self) -> Matrix:
        """The matrix that is attached."""
        return self.values.matrix

    @property
    def variables(self) -> list[str]:
        """Names of the variables."""
        return [v.name for v in self.variables_of]

    @property
    def n_cells(self) -> int:
        """Number of :Cell nodes."""
        return len(self.sizes)

    def blocks(self) -> Iterator[CsrRows]:
        """Yield the values of the cells in order, checked against the unit."""
        if self.partition is None:
            return self.values.blocks(self.rows)
        return metacells.blocks(self.values, self.partition)


def hash_attachment(sha256s: list[str], mapping: CellMapping, options: AttachOptions) -> str:
    """Hash what decides about the content of a data set in the graph."""
    # Options that came later count only where they are used: an older key stays what it was.
    chosen = {k: v for k, v in asdict(options).items() if k not in _LATER or v != _LATER[k]}
    content = {"sha256s": sha256s, "mapping": mapping.as_dict(), "options": chosen}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_source(source: CellSource) -> None:
    """Refuse a file without cells or without variables."""
    for what, rows in (("cells", source.obs), ("variables", source.var)):
        if len(rows) == 0:
            raise DataError(
                f"the file has no {what}",
                where=source.path,
                found=f"{len(source.obs):,} cells, {len(source.var):,} variables",
                expected="at least one of each",
            )


def make_plan(
    db: Database,
    source: CellSource,
    dataset: str,
    sha256s: list[str],
    mapping: CellMapping,
    options: AttachOptions,
    key: str,
) -> AttachPlan:
    """Find matrix, unit, labels, variables and groups of an open file; nothing is written.

    Raises
    ------
    DataError, ConfigError
        The file or the mapping is wrong.
    """
    values, findings = units.choose(
        source,
        matrix=options.matrix,
        unit=options.unit,
        allow_scaled=options.allow_scaled,
        round_values=options.round,
    )
    matrix = values.matrix
    check_variable_names(source.path, matrix)
    cells = plan_cells(db, source, dataset, values, mapping, options)
    groups = group_cells(dataset, cells.columns, cells.sizes)
    genes = plan_variables(db, source, matrix, cells, options)
    normaliser = Normaliser(values.unit, [v.modality for v in genes.variables])
    report = AttachReport(
        dataset=dataset,
        status="planned",
        title=options.title or source.title,
        file=str(source.path),
        matrix=matrix.name,
        unit=values.unit,
        mean_unit=normaliser.mean_unit,
        looked_at=[{"matrix": x.matrix.name, "unit": x.unit, "reason": x.reason} for x in findings],
        groups=len(groups.properties),
        min_fraction=options.min_fraction,
        hints=unmapped_hints(source.obs, mapping.fields),
        **_about_cells(cells),
        **_about_variables(genes, matrix),
    )
    report.notes = notes_of(report, source, cells.chosen.columns)
    report.notes += notes_of_values(source, values, normaliser, findings, mapping)
    return AttachPlan(
        dataset=dataset,
        key=key,
        options=options,
        source=source,
        sha256s=sha256s,
        values=values,
        normaliser=normaliser,
        library_sizes=cells.library_sizes,
        library_column=_library_column(mapping),
        rows=cells.chosen.rows,
        sizes=cells.sizes,
        partition=cells.partition,
        properties=cells.properties,
        groups=groups,
        variables_of=genes.variables,
        found=genes.found,
        filtered=genes.filtered,
        markers=genes.markers,
        storage=_storage(options, matrix, len(cells.chosen.rows)),
        report=report,
    )


def _about_cells(cells: PlannedCells) -> dict[str, Any]:
    """Fields of the report that the cells decide."""
    ages = cells.ages
    return {
        "cells": len(cells.sizes),
        "measured_cells": len(cells.chosen.rows),
        "left_out": cells.chosen.left_out,
        "fields": describe_fields(cells.chosen.columns, cells.chosen.others),
        "ages": {"read_as": ages.read_as, "not_read": ages.not_read} if ages else {},
    }


def _about_variables(genes: PlannedVariables, matrix: Matrix) -> dict[str, Any]:
    """Fields of the report that the variables decide."""
    columns = {"columns": columns_used(matrix.var), "unmeasured": []}
    return {
        "variables": genes.found.as_dict() | columns,
        "markers": [m.property for m in genes.markers],
    }


def _library_column(mapping: CellMapping) -> str:
    source = mapping.fields.get(LIBRARY_SIZE)
    return "" if source is None else str(source.column)


def _storage(options: AttachOptions, matrix: Matrix, n_cells: int) -> str:
    if options.storage != "auto":
        return options.storage
    if options.metacells:
        return "inline"
    # Two or four bytes an index and about one a value; a dense matrix may be full.
    per_value = (2 if matrix.shape[1] <= 2**16 else 4) + 1
    size = matrix.nnz * n_cells / max(1, matrix.shape[0]) * per_value
    return "inline" if size <= INLINE_LIMIT else "linked"
