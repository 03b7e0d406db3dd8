"""Everything about a file of cells that is known before its values are read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.notes import describe_fields, notes_of
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.age_columns import read_ages, unborn_cells
from tosg.kg.cells.obs.chosen import choose_cells
from tosg.kg.cells.obs.mapping import unmapped_hints
from tosg.kg.cells.obs.terms import TermIndex, read_terms
from tosg.kg.cells.options import INLINE_LIMIT
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.species import read_variables
from tosg.kg.cells.values import metacells, units
from tosg.kg.cells.values.pseudobulk import Groups, group_cells
from tosg.kg.cells.var.entity_names import read_names
from tosg.kg.cells.var.markers import Marker, find_markers
from tosg.kg.cells.var.matching import VariableMap, match_variables
from tosg.kg.cells.var.measured import filtered_of
from tosg.kg.cells.var.variables import Variable, columns_used

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import CellSource, Matrix
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.options import AttachOptions
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class AttachPlan:
    """Everything about a file of cells that is known before its values are read.

    Attributes
    ----------
    dataset : str
        Id.
    key : str
        Hash of files, mapping and options: the same key attaches the same.
    rows : (n_file_cells,) int64
        Rows of the file that are attached, or summed to meta-cells.
    sizes : (n_cells,) int64
        Measured cells per :Cell.
    properties : dict of str to list
        Of the cells, one list per property, None where a cell has none.
    """

    dataset: str
    key: str
    options: AttachOptions
    mapping: CellMapping
    source: CellSource
    sha256s: list[str]
    matrix: Matrix
    unit: str
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
    def variables(self) -> list[str]:
        """Names of the variables."""
        return [v.name for v in self.variables_of]

    @property
    def n_cells(self) -> int:
        """Number of :Cell nodes."""
        return len(self.sizes)

    def blocks(self) -> Iterator[CsrRows]:
        """Yield the values of the cells in order, checked against the unit."""
        for block in self._read():
            units.check(self.source.path, self.matrix, self.unit, block)
            yield block

    def _read(self) -> Iterator[CsrRows]:
        if self.partition is None:
            return self.matrix.blocks(self.rows)
        return metacells.blocks(self.matrix, self.partition, self.source.path)


def key_of(sha256s: list[str], mapping: CellMapping, options: AttachOptions) -> str:
    """Hash what decides about the content of a data set in the graph."""
    content = {"sha256s": sha256s, "mapping": mapping.as_dict(), "options": asdict(options)}
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
    matrix, unit, findings = units.choose(
        source, matrix=options.matrix, unit=options.unit, allow_scaled=options.allow_scaled
    )
    _check_variables(source.path, matrix)
    n = len(source.obs)
    indexes: dict[str, TermIndex] = {}

    def index_of(label: str) -> TermIndex:
        if label not in indexes:
            indexes[label] = read_terms(db, label)
        return indexes[label]

    everything = table.read_fields(source.obs, mapping, index_of, source.path)
    chosen = choose_cells(
        everything, n, source.path, organism=options.organism, metacells=options.metacells > 0
    )
    rows, columns = chosen.rows, chosen.columns
    names = [str(name) for name in source.obs.index[rows]]
    ages = read_ages(columns, unborn_cells(source.obs)[rows])
    of_file = ages.properties() if ages else {}
    of_file |= table.kept(source.obs.iloc[rows], mapping.keep)
    partition = None
    if options.metacells:
        partition = _partition(source, matrix, unit, rows, columns, options)
        columns = metacells.joined(columns, partition)
        of_file = metacells.agreed(of_file, partition)
    sizes = partition.sizes if partition else np.ones(len(rows), np.int64)
    properties = table.properties(columns)
    properties |= _names(dataset, source, rows, names, partition)
    properties |= of_file
    groups = group_cells(dataset, columns, sizes)
    variables = read_variables(matrix.var, chosen.columns, source.path, organism=options.organism)
    found = match_variables(variables, read_names(db, variables))
    filtered = filtered_of(matrix.var, source.var, source.path)
    markers = find_markers(options.markers, variables, found, source.path)
    for marker in markers:
        if marker.property in properties:
            raise ConfigError("a marker has the name of another property", found=marker.property)
    report = AttachReport(
        dataset=dataset,
        status="planned",
        title=options.title or source.title,
        file=str(source.path),
        matrix=matrix.name,
        unit=unit,
        mean_unit=units.MEAN_UNIT[unit],
        looked_at=[{"matrix": x.matrix.name, "unit": x.unit, "reason": x.reason} for x in findings],
        cells=len(sizes),
        measured_cells=len(rows),
        left_out=chosen.left_out,
        variables=found.as_dict() | {"columns": columns_used(matrix.var), "unmeasured": []},
        fields=describe_fields(chosen.columns, chosen.others),
        ages={"read_as": ages.read_as, "not_read": ages.not_read} if ages else {},
        hints=unmapped_hints(source.obs, mapping),
        groups=len(groups.properties),
        min_fraction=options.min_fraction,
        markers=[m.property for m in markers],
    )
    report.notes = notes_of(report, source, matrix, chosen.columns)
    return AttachPlan(
        dataset=dataset,
        key=key,
        options=options,
        mapping=mapping,
        source=source,
        sha256s=sha256s,
        matrix=matrix,
        unit=unit,
        rows=rows,
        sizes=sizes,
        partition=partition,
        properties=properties,
        groups=groups,
        variables_of=variables,
        found=found,
        filtered=filtered,
        markers=markers,
        storage=_storage(options, matrix, len(rows)),
        report=report,
    )


def _check_variables(path: Path, matrix: Matrix) -> None:
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


def _partition(
    source: CellSource,
    matrix: Matrix,
    unit: str,
    rows: npt.NDArray[np.int64],
    columns: dict[str, table.FieldColumn],
    options: AttachOptions,
) -> metacells.Partition:
    if unit != "counts":
        raise DataError(
            "meta-cells are sums of counts",
            where=f"{source.path}: {matrix.name}",
            found=unit,
            expected="counts",
        )
    return metacells.partition(
        matrix,
        rows,
        columns,
        size=options.metacells,
        seed=options.seed,
        method="random" if options.metacell_method == "random" else "kmeans",
        where=source.path,
    )


def _names(
    dataset: str,
    source: CellSource,
    rows: npt.NDArray[np.int64],
    names: list[str],
    partition: metacells.Partition | None,
) -> dict[str, list[Any]]:
    unique = source.obs.index.is_unique
    if partition is not None:
        shown = names if unique else [f"row{r}" for r in rows.tolist()]
        members = metacells.member_names(shown, partition)
        # Named by the first member: the same whatever else is in the file.
        return {"id": [f"{dataset}:meta:{m[0]}" for m in members], "members": members}
    ids = names if unique else [f"row{r}" for r in rows.tolist()]
    file = str(source.path)
    return {
        "id": [f"{dataset}:{name}" for name in ids],
        "file": [file] * len(rows),
        "row": rows.tolist(),
    }


def _storage(options: AttachOptions, matrix: Matrix, n_cells: int) -> str:
    if options.storage != "auto":
        return options.storage
    if options.metacells:
        return "inline"
    # Two or four bytes an index and about one a value; a dense matrix may be full.
    per_value = (2 if matrix.shape[1] <= 2**16 else 4) + 1
    size = matrix.nnz * n_cells / max(1, matrix.shape[0]) * per_value
    return "inline" if size <= INLINE_LIMIT else "linked"
