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
from tosg.kg.cells.values.normalise import LINEAR
from tosg.kg.cells.var.modality import PROTEIN
from tosg.kg.reader.bulk import read_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    if selection.normalize != "none" and unit not in (*LINEAR, selection.normalize):
        raise ExportError(
            f"values of this unit cannot be normalised to {selection.normalize}",
            where="normalize",
            found=unit,
            expected=", ".join(LINEAR),
            hint="--normalize none",
        )
    if choose_normalization(selection, unit) != "none":
        _need_property(cells, find_total(infos))
    return infos


def _need_property(cells: CellTable, name: str) -> None:
    if name not in cells.fields:
        raise ExportError(
            "the cells do not have the totals that normalising needs",
            where="normalize",
            expected=f"the property {name}",
            hint="attach the cells again, or --normalize none",
        )


def find_total(infos: tuple[DatasetInfo, ...]) -> str:
    """Name the property of cells that values of genes are divided by.

    Raises
    ------
    ExportError
        It is another one in another data set.
    """
    # Data sets of older versions do not name it: theirs are counts.
    names = {info.id: info.total_property or "n_counts" for info in infos}
    if len(set(names.values())) > 1:
        raise ExportError(
            "the data sets have different totals to normalise by",
            where="normalize",
            found="; ".join(f"{id_}: {name}" for id_, name in names.items()),
            expected="one property",
            hint="attach the older ones again, or --normalize none",
        )
    return next(iter(names.values()))


def find_proteins(
    infos: tuple[DatasetInfo, ...], maps: list[NodeMap], cells: CellTable, selection: Selection
) -> NDArray[np.bool_] | None:
    """Find the nodes whose values are antibody counts, where the reader normalises.

    Antibody counts are centred log-ratios of their own panel (`kg.cells.values.normalise`), never
    shares of the cell's RNA.

    Returns
    -------
    (datasets, N) bool, or None
        None where nothing is normalised or no antibody goes to a node.

    Raises
    ------
    ExportError
        The cells lack what the centred log-ratio divides by.
    """
    if choose_normalization(selection, infos[0].unit) == "none":
        return None
    found = np.zeros((len(infos), maps[0].n_nodes), bool)
    for row, info, variables in zip(found, infos, maps, strict=True):
        if PROTEIN in info.modalities:
            is_protein = np.array(info.modalities) == PROTEIN
            row[variables.nodes[np.repeat(is_protein, np.diff(variables.start))]] = True
    if not found.any():
        return None
    _need_property(cells, "protein_clr")
    return found


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
