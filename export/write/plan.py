"""The plan of an export's cells: independent tasks, each a range in and a receipt out.

The first pass reads ranges of cells in source order and spills their rows, sorted by where they
go; the second gathers each shard from the spills. A task needs the plan's folder and a database's
address, so it runs in any process; a task with a receipt is not run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tosg.export.cells.node_map import NodeMap
from tosg.export.format.writers import save_npy
from tosg.files import writing

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.export.cells.table import CellTable
    from tosg.kg.cells.stored.dataset import DatasetInfo
    from tosg.kg.database.connection import Database

_Int64s = NDArray[np.int64]
Receipt = dict[str, Any]

#: Cells of a range: at 2,000 values a cell, some 65 MB in memory.
RANGE_CELLS = 4096


@dataclass(frozen=True)
class ExportPlan:
    """What a task has to know; pickles without a connection.

    Attributes
    ----------
    folder : Path
        The workspace's folder; its ``work`` holds the arrays of the plan.
    db : Database
        Pickles as its address.
    infos : tuple of DatasetInfo
        Data sets by position.
    unit : str
        Of every value.
    n_nodes, n_cells, shard_rows : int
        N, M and the rows of a shard.
    ranges : tuple of (int, int, int)
        Data set, start and stop in source order of each range.
    connections : int
        Connections of one task.
    others : tuple of ExportPlan
        Plans of the same cells over other nodes, which get their share of what the first pass
        reads.
    first_shard : int
        Shards that stand already; the plan's come after them.
    """

    folder: Path
    db: Database
    infos: tuple[DatasetInfo, ...]
    unit: str
    n_nodes: int
    n_cells: int
    shard_rows: int
    ranges: tuple[tuple[int, int, int], ...]
    connections: int
    others: tuple[ExportPlan, ...] = ()
    first_shard: int = 0

    def with_others(self, others: Sequence[ExportPlan]) -> ExportPlan:
        """Give the same plan, whose first pass reads for others too."""
        return replace(self, others=tuple(others))

    @property
    def work(self) -> Path:
        """Folder of spills and receipts."""
        return self.folder / "work"

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return -(-self.n_cells // self.shard_rows)

    def source(self, k: int) -> tuple[_Int64s, _Int64s]:
        """``Cell.idx`` (increasing) and row in the training set of the cells of range k."""
        _, start, stop = self.ranges[k]
        both = np.load(self.work / "source.npy", mmap_mode="r")
        return np.array(both[0, start:stop]), np.array(both[1, start:stop])

    def variables(self, dataset: int) -> NodeMap:
        """Map of the variables of a data set."""
        start = np.load(self.work / f"map-{dataset}.start.npy")
        nodes = np.load(self.work / f"map-{dataset}.nodes.npy")
        return NodeMap(start, nodes, self.unit, self.n_nodes)


def make_export_plan(
    folder: Path,
    db: Database,
    cells: CellTable,
    infos: tuple[DatasetInfo, ...],
    maps: list[NodeMap],
    *,
    shard_rows: int,
    connections: int,
    first_shard: int = 0,
) -> ExportPlan:
    """Write the arrays of a plan and give the plan."""
    order = np.lexsort((cells.idx, cells.dataset))
    work = folder / "work"
    with writing(work / "source.npy") as temporary:
        save_npy(temporary, np.stack([cells.idx[order], order]))
    for d, variables in enumerate(maps):
        for name in ("start", "nodes"):
            with writing(work / f"map-{d}.{name}.npy") as temporary:
                save_npy(temporary, getattr(variables, name))
    bounds = np.searchsorted(cells.dataset[order], np.arange(len(infos) + 1))
    ranges = tuple(
        (d, start, min(start + RANGE_CELLS, int(bounds[d + 1])))
        for d in range(len(infos))
        for start in range(int(bounds[d]), int(bounds[d + 1]), RANGE_CELLS)
    )
    return ExportPlan(
        folder=folder,
        db=db,
        infos=infos,
        unit=infos[0].unit,
        n_nodes=maps[0].n_nodes,
        n_cells=len(cells),
        shard_rows=shard_rows,
        ranges=ranges,
        connections=connections,
        first_shard=first_shard,
    )


Task = Callable[[ExportPlan, int], Receipt]
