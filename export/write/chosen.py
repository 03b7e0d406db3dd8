"""What selections choose, before anything is written; cells that several share are read once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tosg.export.cells.coverage import count_coverage
from tosg.export.cells.datasets import check_mapped, find_proteins, map_datasets, read_datasets
from tosg.export.cells.table import read_cells
from tosg.export.graph.nodes import choose_nodes
from tosg.export.write.content import ExportParts
from tosg.kg.database.bookkeeping import read_properties

if TYPE_CHECKING:
    from tosg.export.cells.growth import KeptCells
    from tosg.export.cells.table import CellTable
    from tosg.export.graph.nodes import Nodes
    from tosg.export.selection import Selection
    from tosg.export.write.job import ExportJob

#: Fields of a selection that decide which cells there are, and in which order.
_OF_CELLS = ("cells", "target", "split", "fractions", "seed", "balance", "sample", "primary_only")


@dataclass(frozen=True)
class Chosen:
    """What one job has chosen.

    Attributes
    ----------
    job : ExportJob
    nodes : Nodes
    parts : ExportParts
        With everything but what is written.
    cell_side : str
        Equal for jobs of the same cells in the same order.
    """

    job: ExportJob
    nodes: Nodes
    parts: ExportParts
    cell_side: str


@dataclass
class CellTables:
    """Tables of cells by what was asked of them; `kept` are those of a training set that grows."""

    kept: KeptCells | None = None
    known: dict[str, CellTable | None] = field(default_factory=dict)

    def read(self, job: ExportJob, side: str) -> CellTable | None:
        """Read the cells of a job, or take those that another job has read."""
        if side not in self.known:
            self.known[side] = read_cells(
                job.db, job.selection, timeout=job.timeout, kept=self.kept
            )
        return self.known[side]


def describe_cell_side(selection: Selection) -> str:
    """Say which cells a selection takes, as a key: JSON of what decides it."""
    from tosg.kg.query.statements import find_statement

    asked = selection.as_dict()
    names = (
        [p.name for p in find_statement(selection.cells).params]
        if isinstance(selection.cells, str)
        else []
    )
    params = {name: asked["params"].get(name) for name in names}
    # Cells that may lack what normalising needs are refused, so it is a part of the question.
    fields = {name: asked[name] for name in (*_OF_CELLS, "normalize")}
    return json.dumps({**fields, "params": params}, sort_keys=True)


def choose_parts(job: ExportJob, tables: CellTables) -> Chosen:
    """Choose cells, data sets and nodes of a job.

    Cells come first: what is wrong with them shows in seconds, the graph may take longer.
    """
    side = describe_cell_side(job.selection)
    cells = tables.read(job, side)
    infos = read_datasets(job.db, cells, job.selection) if cells else ()
    nodes = choose_nodes(job.db, job.selection, timeout=job.timeout)
    maps = map_datasets(job.db, infos, nodes)
    if cells:
        told = (*cells.warnings, *check_mapped(infos, maps))
        cells = replace(cells, warnings=told)
    parts = ExportParts(job.selection, cells, infos, maps, read_properties(job.db))
    if job.old is not None:
        job.old.check_nodes(nodes)
        job.old.check_datasets(infos, maps)
        parts.old = job.old
    if cells:
        parts.proteins = find_proteins(infos, maps, cells, job.selection)
        measured = np.stack([m.measured for m in maps])
        sizes = np.bincount(cells.dataset, minlength=len(infos)).tolist()
        parts.coverage = count_coverage(measured, sizes, nodes.type, nodes.types)
    return Chosen(job, nodes, parts, side)
