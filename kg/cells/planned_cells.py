"""Which rows of a file become which cells, with which properties."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.age_columns import CellAges, read_ages, unborn_cells
from tosg.kg.cells.obs.chosen import ChosenCells, choose_cells
from tosg.kg.cells.obs.fields import LIBRARY_SIZE
from tosg.kg.cells.obs.terms import read_terms
from tosg.kg.cells.values import metacells
from tosg.kg.cells.values.library import read_library_sizes
from tosg.kg.schema.indexes import LONGEST_INDEXED_BYTES
from tosg.kg.schema.support import MAP_PREFIX
from tosg.kg.schema.types import support_types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tosg.kg.cells.files.source import CellSource
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.options import AttachOptions
    from tosg.kg.cells.values.checked import CheckedMatrix
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class PlannedCells:
    """The cells that are attached, before their values are read.

    Attributes
    ----------
    chosen : ChosenCells
        Rows of the file and their fields.
    columns : dict of str to FieldColumn
        Fields of the :Cell nodes: those of the rows, or joined within meta-cells.
    sizes : (n_cells,) int64
        Measured cells per :Cell.
    partition : Partition or None
        Which rows make which meta-cell.
    properties : dict of str to list
        Of the cells, one list per property, None where a cell has none.
    library_sizes : (n_cells,) int64 or None
        RNA counts of each :Cell as the user's column has them.
    ages : CellAges or None
    """

    chosen: ChosenCells
    columns: dict[str, table.FieldColumn]
    sizes: npt.NDArray[np.int64]
    partition: metacells.Partition | None
    properties: dict[str, list[Any]]
    library_sizes: npt.NDArray[np.int64] | None
    ages: CellAges | None


def plan_cells(
    db: Database,
    source: CellSource,
    dataset: str,
    values: CheckedMatrix,
    mapping: CellMapping,
    options: AttachOptions,
) -> PlannedCells:
    """Read the fields of all cells, choose those to attach, and compose their properties.

    Raises
    ------
    DataError, ConfigError
        The file or the mapping is wrong.
    """
    chosen = choose_cells(
        table.read_fields(source.obs, mapping, cache(partial(read_terms, db)), source.path),
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
    made = None
    if options.metacells:
        made = _partition(values, rows, columns, options)
        columns = metacells.joined(columns, made)
        of_file = metacells.agreed(of_file, made)
        maps = {name: metacells.centres(points, made) for name, points in maps.items()}
        library_sizes = None if library_sizes is None else made.sum(library_sizes)
    sizes = made.sizes if made else np.ones(len(rows), np.int64)
    properties = table.properties(columns) | _names(dataset, source, rows, made) | of_file
    properties = _with_maps(properties, maps)
    _check_lengths(properties, source.path)
    return PlannedCells(chosen, columns, sizes, made, properties, library_sizes, ages)


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


def _library_sizes(
    source: CellSource, mapping: CellMapping, values: CheckedMatrix, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64] | None:
    column = mapping.fields.get(LIBRARY_SIZE)
    if column is None:
        return None
    if values.unit not in ("counts", "corrected_counts"):
        raise DataError(
            "library sizes are given, and the values are not counts",
            where=f"{source.path}: {values.matrix.name}",
            found=values.unit,
            expected="counts or corrected_counts",
            hint="leave --map n_counts out: these values are normalised already",
        )
    return read_library_sizes(source.obs, column, source.path)[rows]


def _partition(
    values: CheckedMatrix,
    rows: npt.NDArray[np.int64],
    columns: dict[str, table.FieldColumn],
    options: AttachOptions,
) -> metacells.Partition:
    if values.unit != "counts":
        raise DataError(
            "meta-cells are made of counts, and the values are not counts",
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
