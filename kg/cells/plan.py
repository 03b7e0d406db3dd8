"""Everything about a file of cells that is known before its values are read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.notes import describe_fields, notes_of, notes_of_values
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.age_columns import read_ages, unborn_cells
from tosg.kg.cells.obs.chosen import choose_cells
from tosg.kg.cells.obs.detect import unmapped_hints
from tosg.kg.cells.obs.fields import LIBRARY_SIZE
from tosg.kg.cells.obs.terms import read_terms
from tosg.kg.cells.options import INLINE_LIMIT
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.species import read_variables
from tosg.kg.cells.values import metacells, units
from tosg.kg.cells.values.library import read_library_sizes
from tosg.kg.cells.values.normalise import Normaliser
from tosg.kg.cells.values.pseudobulk import Groups, group_cells
from tosg.kg.cells.var.entity_names import read_names
from tosg.kg.cells.var.markers import Marker, find_markers
from tosg.kg.cells.var.matching import VariableMap, match_variables
from tosg.kg.cells.var.measured import filtered_of
from tosg.kg.cells.var.variables import Variable, columns_used
from tosg.kg.schema.indexes import LONGEST_INDEXED_BYTES
from tosg.kg.schema.support import MAP_PREFIX
from tosg.kg.schema.types import support_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import CellSource, Matrix
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.options import AttachOptions
    from tosg.kg.cells.values.checked import CheckedMatrix
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
    _check_variables(source.path, matrix)
    everything = table.read_fields(source.obs, mapping, cache(partial(read_terms, db)), source.path)
    chosen = choose_cells(
        everything,
        len(source.obs),
        source.path,
        organism=options.organism,
        metacells=options.metacells > 0,
    )
    rows, columns = chosen.rows, chosen.columns
    ages = read_ages(columns, unborn_cells(source.obs)[rows])
    of_file = ages.properties() if ages else {}
    of_file |= table.kept(source.obs.iloc[rows], mapping.keep, source.path)
    maps = {name: points[rows] for name, points in source.maps.items()}
    library_sizes = _library_sizes(source, mapping, values, rows)
    partition = None
    if options.metacells:
        partition = _partition(values, rows, columns, options)
        columns = metacells.joined(columns, partition)
        of_file = metacells.agreed(of_file, partition)
        maps = {name: metacells.centres(points, partition) for name, points in maps.items()}
        library_sizes = None if library_sizes is None else partition.sum(library_sizes)
    sizes = partition.sizes if partition else np.ones(len(rows), np.int64)
    properties = table.properties(columns) | _names(dataset, source, rows, partition) | of_file
    properties = _with_maps(properties, maps)
    _check_lengths(properties, source.path)
    groups = group_cells(dataset, columns, sizes)
    variables = read_variables(matrix.var, chosen.columns, source.path, organism=options.organism)
    found = match_variables(variables, read_names(db, variables))
    markers = find_markers(options.markers, variables, found, source.path)
    for marker in markers:
        if marker.property in properties:
            raise ConfigError("a marker has the name of another property", found=marker.property)
    normaliser = Normaliser(values.unit, [v.modality for v in variables])
    report = AttachReport(
        dataset=dataset,
        status="planned",
        title=options.title or source.title,
        file=str(source.path),
        matrix=matrix.name,
        unit=values.unit,
        mean_unit=normaliser.mean_unit,
        looked_at=[{"matrix": x.matrix.name, "unit": x.unit, "reason": x.reason} for x in findings],
        cells=len(sizes),
        measured_cells=len(rows),
        left_out=chosen.left_out,
        variables=found.as_dict() | {"columns": columns_used(matrix.var), "unmeasured": []},
        fields=describe_fields(chosen.columns, chosen.others),
        ages={"read_as": ages.read_as, "not_read": ages.not_read} if ages else {},
        hints=unmapped_hints(source.obs, mapping.fields),
        groups=len(groups.properties),
        min_fraction=options.min_fraction,
        markers=[m.property for m in markers],
    )
    report.notes = notes_of(report, source, chosen.columns)
    report.notes += notes_of_values(source, values, normaliser, findings, mapping)
    return AttachPlan(
        dataset=dataset,
        key=key,
        options=options,
        source=source,
        sha256s=sha256s,
        values=values,
        normaliser=normaliser,
        library_sizes=library_sizes,
        library_column=_library_column(mapping),
        rows=rows,
        sizes=sizes,
        partition=partition,
        properties=properties,
        groups=groups,
        variables_of=variables,
        found=found,
        filtered=filtered_of(matrix.var, source.var, source.path),
        markers=markers,
        storage=_storage(options, matrix, len(rows)),
        report=report,
    )


def _check_lengths(properties: Mapping[str, list[Any]], where: Path) -> None:
    """Refuse a text that an index of cells cannot hold: the database would, half way through."""
    cell = support_types()["Cell"]
    for name in {*cell.unique, *cell.indexed} & properties.keys():
        for text in dict.fromkeys(properties[name]):
            if isinstance(text, str) and len(text.encode()) > LONGEST_INDEXED_BYTES:
                raise DataError(
                    "a text of a cell is too long for an index",
                    where=f"{where}: {name}",
                    found=f"{text[:40]}..., {len(text.encode()):,} bytes",
                    expected=f"at most {LONGEST_INDEXED_BYTES:,} bytes",
                    hint="shorten it in the file",
                )


def _with_maps(
    properties: dict[str, list[Any]], maps: Mapping[str, npt.NDArray[np.float64]]
) -> dict[str, list[Any]]:
    """Add the place of each cell on the maps, None where the file has none."""
    found = dict(properties)
    for name, points in maps.items():
        if MAP_PREFIX + name in found:
            raise ConfigError(
                "a map of the cells has the name of a kept column",
                found=MAP_PREFIX + name,
                hint="rename the column",
            )
        places: list[list[float]] = points.tolist()
        found[MAP_PREFIX + name] = [p if np.isfinite(p).all() else None for p in places]
    return found


def _library_column(mapping: CellMapping) -> str:
    source = mapping.fields.get(LIBRARY_SIZE)
    return "" if source is None else str(source.column)


def _library_sizes(
    source: CellSource, mapping: CellMapping, values: CheckedMatrix, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64] | None:
    column = mapping.fields.get(LIBRARY_SIZE)
    if column is None:
        return None
    if values.unit not in ("counts", "corrected_counts"):
        raise DataError(
            "library sizes divide counts",
            where=f"{source.path}: {values.matrix.name}",
            found=values.unit,
            expected="counts or corrected_counts",
            hint="leave --map n_counts out: these values are normalised already",
        )
    return read_library_sizes(source.obs, column, source.path)[rows]


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
    values: CheckedMatrix,
    rows: npt.NDArray[np.int64],
    columns: dict[str, table.FieldColumn],
    options: AttachOptions,
) -> metacells.Partition:
    if values.unit != "counts":
        raise DataError(
            "meta-cells are sums of counts",
            where=f"{values.path}: {values.matrix.name}",
            found=values.unit,
            expected="counts",
        )
    return metacells.partition(
        values,
        rows,
        columns,
        size=options.metacells,
        seed=options.seed,
        method="random" if options.metacell_method == "random" else "kmeans",
    )


def _names(
    dataset: str,
    source: CellSource,
    rows: npt.NDArray[np.int64],
    partition: metacells.Partition | None,
) -> dict[str, list[Any]]:
    unique = source.obs.index.is_unique
    names = [str(name) for name in source.obs.index[rows]]
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
