"""The two passes over the cells of an export: everything from the database, then the files.

The first pass reads each cell once for all selections that share it, and spills it to their work
folders; the second one needs no database.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.export.format.digest import digest_arrays
from tosg.export.format.writers import save_npy
from tosg.export.write.cell_columns import spill_columns, write_cells
from tosg.export.write.plan import make_export_plan
from tosg.export.write.shards import read_range, write_shard
from tosg.export.write.workspace import describe_file, disk_errors
from tosg.files import writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.export.write.chosen import Chosen
    from tosg.export.write.job import ExportJob
    from tosg.export.write.plan import ExportPlan


def spill_cells(group: Sequence[Chosen]) -> list[tuple[ExportPlan, dict[str, Any]]]:
    """First pass: everything of the cells that comes from the database, spilled for each job."""
    plans = [_plan(one) for one in group]
    job, cells = group[0].job, group[0].parts.cells
    assert cells is not None  # noqa: S101
    columns = job.sign("columns", lambda: spill_columns(job.db, job.space.work, cells))
    for other in group[1:]:
        other.job.sign("columns", lambda other=other: _copy_columns(job, other.job, columns))  # type: ignore[misc]
    job.run(plans[0].with_others(plans[1:]), read_range, "reading cells", len(plans[0].ranges))
    return [(plan, columns) for plan in plans]


def _plan(one: Chosen) -> ExportPlan:
    job, parts = one.job, one.parts
    assert parts.cells is not None  # noqa: S101
    old = parts.old
    with disk_errors(job.space.folder):
        return make_export_plan(
            job.space.folder,
            job.db,
            parts.cells if old is None else parts.cells.since(len(old.cells)),
            parts.infos,
            parts.maps,
            shard_rows=job.selection.shard_size,
            connections=max(1, 4 // job.engine.workers),
            first_shard=0 if old is None else len(old.shards),
        )


def _copy_columns(source: ExportJob, job: ExportJob, receipt: dict[str, Any]) -> dict[str, Any]:
    for path in sorted(source.space.work.glob("columns-*.arrow")):
        with writing(job.space.work / path.name) as temporary:
            shutil.copyfile(path, temporary)
    return receipt


def write_cell_files(one: Chosen, plan: ExportPlan, columns: dict[str, Any]) -> None:
    """Second pass: the spills become the files of the cells."""
    job, parts = one.job, one.parts
    cells = parts.cells
    assert cells is not None  # noqa: S101
    shards = job.run(plan, write_shard, "writing cells", plan.n_shards)
    folder = job.space.folder
    with disk_errors(folder):
        kept = [] if parts.old is None else parts.old.link_shards(folder)
        parts.shards = [*kept, *(shards[k] for k in sorted(shards))]
        parts.cells_digest = write_cells(
            folder / "cells.parquet", job.space.work, cells, columns, job.selection.shard_size
        )
        measured = np.stack([m.measured for m in parts.maps])
        with writing(folder / "measured.npy") as temporary:
            save_npy(temporary, measured)
        parts.measured_digest = digest_arrays({"measured": measured})
        names = ["cells.parquet", "measured.npy"]
        if parts.proteins is not None:
            with writing(folder / "proteins.npy") as temporary:
                save_npy(temporary, parts.proteins)
            parts.proteins_digest = digest_arrays({"proteins": parts.proteins})
            names.append("proteins.npy")
        parts.files = {n: describe_file(folder / n) for n in names}
