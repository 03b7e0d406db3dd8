"""Data sets of the selected cells: one unit, and variables mapped to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tosg.errors import ExportError
from tosg.export.cells.node_map import NodeMap, map_variables
from tosg.export.graph.level import FOLDS
from tosg.kg.cells.stored.dataset import DatasetInfo, datasets
from tosg.kg.cells.stored.staging import in_part
from tosg.kg.reader.bulk import read_nodes

if TYPE_CHECKING:
    from tosg.export.cells.table import CellTable
    from tosg.export.graph.nodes import Nodes
    from tosg.export.selection import Selection
    from tosg.kg.database.connection import Database


def read_datasets(db: Database, cells: CellTable, selection: Selection) -> tuple[DatasetInfo, ...]:
    """Read the data sets of the cells, in the order of their ids.

    Raises
    ------
    ExportError
        One is there in part, they differ in unit, or the unit does not allow the normalisation.
    """
    part = in_part(db)
    if part in cells.datasets:
        raise ExportError(
            "a data set of the cells is incomplete",
            where=f"dataset {part}",
            found="it is being attached or detached, or that was interrupted",
            expected="all of its cells",
            hint="wait until that has finished (`tosg cells attach` and `tosg load` continue "
            "an interrupted one), or leave it out with --cells '... WHERE c.dataset <> ...'",
        )
    infos = tuple(datasets(db, cells.datasets))
    by_unit: dict[str, list[str]] = {}
    for info in infos:
        by_unit.setdefault(info.unit, []).append(info.id)
    if len(by_unit) > 1:
        raise ExportError(
            "the cells have different units",
            where="cells",
            found="; ".join(f"{unit}: {', '.join(ids)}" for unit, ids in sorted(by_unit.items())),
            expected="one unit in an export",
            hint="choose data sets of one unit in --cells, as in WHERE c.dataset IN [...]",
        )
    unit = infos[0].unit
    if selection.normalize != "none" and unit not in ("counts", selection.normalize):
        raise ExportError(
            f"values of this unit cannot be normalised to {selection.normalize}",
            where="normalize",
            found=unit,
            expected="counts",
            hint="--normalize none",
        )
    if choose_normalization(selection, unit) != "none" and "n_counts" not in cells.fields:
        raise ExportError(
            "the cells do not have the totals that normalising needs",
            where="normalize",
            expected="the property n_counts",
            hint="attach the cells again, or --normalize none",
        )
    return infos


def check_mapped(infos: tuple[DatasetInfo, ...], maps: list[NodeMap]) -> tuple[str, ...]:
    """Warn of data sets whose values go to no node of the selection.

    Raises
    ------
    ExportError
        No data set has a value to give.
    """
    without = [i.id for i, m in zip(infos, maps, strict=True) if not m.variables_mapped]
    if infos and len(without) == len(infos):
        raise ExportError(
            "no cell has a value for any of the nodes",
            where="nodes, cells",
            found=f"no variable of {', '.join(without)} is of a selected node",
            expected="nodes that the data sets measured, or that --level carries values to",
            hint="--level gene or protein, other nodes, or --no-cells for a plain graph",
        )
    return tuple(
        f"the data set {name} measured none of the nodes: its cells have no values"
        for name in without
    )


def choose_normalization(selection: Selection, unit: str) -> str:
    """Choose what the reader applies: ``none`` where values are stored in that unit already."""
    return "none" if unit == selection.normalize else selection.normalize


def map_datasets(db: Database, infos: tuple[DatasetInfo, ...], nodes: Nodes) -> list[NodeMap]:
    """Map the variables of each data set to rows of nodes."""
    folded: pa.StringArray | None = None
    if infos and nodes.fold is not None:
        wanted = np.unique(nodes.fold.folded)
        batches = read_nodes(db, FOLDS[nodes.level][1], ["id"], idx=wanted)
        columns = [b.column("id").cast(pa.string()) for b in batches]
        folded = pa.concat_arrays(columns) if columns else pa.array([], pa.string())
    return [map_variables(info, nodes, folded) for info in infos]
