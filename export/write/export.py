"""The export: a selection of a graph to a training set on disk.

::

    selection -> cells (which, split, order) -> graph (nodes, edges) -> files of the graph
              -> first pass (ranges of cells to spills) -> bookmark compared
              -> second pass (spills to shards) -> cells.parquet -> manifest -> rename

Every read happens before the bookmark is compared, so what is written is one state of the graph.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ConfigError, ExportError, TosgError
from tosg.export.cells.coverage import count_coverage
from tosg.export.cells.datasets import check_mapped, find_proteins, map_datasets, read_datasets
from tosg.export.cells.table import read_cells
from tosg.export.format.digest import digest_arrays
from tosg.export.format.manifest import MANIFEST, manifest_bytes, read_manifest
from tosg.export.format.writers import save_npy
from tosg.export.graph.nodes import Nodes, choose_nodes
from tosg.export.graph.read import read_graph
from tosg.export.selection import Selection, compare_selections, resolve_selection
from tosg.export.write.cell_columns import spill_columns, write_cells
from tosg.export.write.content import ExportParts, make_content, make_run
from tosg.export.write.graph_files import read_vector_width, write_graph_files
from tosg.export.write.plan import make_export_plan, run_tasks
from tosg.export.write.result import (
    ExportResult,
    summarize_existing,
    summarize_planned,
    summarize_written,
)
from tosg.export.write.shards import read_range, write_shard
from tosg.export.write.workspace import (
    DiskFullError,
    Workspace,
    check_output,
    describe_file,
    disk_errors,
)
from tosg.files import write_bytes, writing
from tosg.json_text import json_text
from tosg.kg.database.bookkeeping import read_properties
from tosg.kg.query.limits import SELECTION_TIMEOUT
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from tosg.export.write.plan import ExportPlan, Receipt, Task
    from tosg.kg.database.connection import Database

#: Called with a stage, what is done of it and the total.


class GraphMovedError(ExportError):
    """The graph changed under the export."""


@dataclass
class _Job:
    """One attempt at an export."""

    db: Database
    selection: Selection
    space: Workspace
    workers: int
    timeout: float | None
    progress: Progress
    bookmark: str
    started: float = field(default_factory=time.time)


def export(
    db: Database,
    selection: Selection,
    out: str | os.PathLike[str],
    *,
    workers: int = 1,
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> ExportResult:
    """Export a selection of the graph to a training set.

    Parameters
    ----------
    db : Database
        The graph.
    selection : Selection
        What to export.
    out : path
        A folder that is not there or empty.
    workers : int
        Local processes for the cells; the bytes are the same for any number.
    resume : bool
        Go on with an export to `out` that did not end.
    dry_run : bool
        Count and estimate, write nothing.
    timeout : float or None
        Seconds that each query of the selection may take, 600 unless said otherwise; None for no
        limit.
    progress : Progress
        Called with the stage and how much of it is done.

    Raises
    ------
    ConfigError
        The output folder is not empty, a name in the selection is unknown, or there are no cells
        for what is asked of them.
    QueryError
        A query of the selection fails.
    ExportError
        The selection is empty or cannot be split, its cells have no value for any of its nodes, the
        graph changed twice under the export, an
        export that is resumed asked for something else or the graph is another one since, the
        disk is full.
    """
    if workers < 1:
        raise ConfigError("workers must be 1 or more", where="workers", found=workers)
    # Past links: the partial folder has to be beside the real one, to become it by a rename.
    folder = Path(out).resolve()
    finished = check_output(folder, resume=resume)
    selection = resolve_selection(selection)
    if finished:
        Workspace(folder).tidy()
        return summarize_existing(folder, selection, db.bookmark())
    started = time.time()
    for last in (False, True):
        job = _Job(
            db, selection, Workspace(folder), workers, timeout,
            progress, db.bookmark(), started,
        )  # fmt: skip
        try:
            return _attempt(job, resume=resume, dry_run=dry_run)
        except GraphMovedError:
            if last:
                raise
            resume = False
    raise AssertionError("unreachable")


def _attempt(job: _Job, *, resume: bool, dry_run: bool) -> ExportResult:
    with _told_by_name(job):
        # Cells first: what is wrong with them shows in seconds, the graph may take longer.
        cells = read_cells(job.db, job.selection, timeout=job.timeout)
        infos = read_datasets(job.db, cells, job.selection) if cells else ()
        nodes = choose_nodes(job.db, job.selection, timeout=job.timeout)
        maps = map_datasets(job.db, infos, nodes)
        if cells:
            told = (*cells.warnings, *check_mapped(infos, maps))
            cells = replace(cells, warnings=told)
        parts = ExportParts(job.selection, cells, infos, maps, read_properties(job.db))
        if cells:
            parts.proteins = find_proteins(infos, maps, cells, job.selection)
            measured = np.stack([m.measured for m in maps])
            sizes = np.bincount(cells.dataset, minlength=len(infos)).tolist()
            parts.coverage = count_coverage(measured, sizes, nodes.type, nodes.types)
        if dry_run:
            graph, width = read_graph(job.db, job.selection, nodes), read_vector_width(job.db)
            _check_unmoved(job)
            return summarize_planned(
                job.space.out,
                job.selection,
                graph,
                cells,
                maps,
                parts.coverage,
                width,
                job.started,
            )
    job.space.open()
    try:
        with disk_errors(job.space.folder):
            if resume and _was_ready(job):
                job.space.finish()
                return summarize_existing(job.space.out, job.selection, job.bookmark)
            parts.resumed = _check_plan(job, resume=resume)
        with _told_by_name(job):
            parts.graph = _signed(job, "graph", lambda: _graph_files(job, nodes))
            plan, columns = _spill_cells(job, parts)
            _check_unmoved(job)
        _write_cells(job, parts, plan, columns)
        return _finish(job, parts)
    except (GraphMovedError, DiskFullError):
        job.space.discard()
        raise
    except _ResumeError:
        job.space.release()
        raise
    except BaseException:
        # Worth going on from: keep it. Otherwise leave nothing behind.
        if job.space.has_receipts():
            job.space.keep()
        else:
            job.space.discard()
        raise


def _was_ready(job: _Job) -> bool:
    """Whether the earlier export was killed with only the renaming left to do."""
    if not (job.space.folder / MANIFEST).is_file():
        return False
    manifest = read_manifest(job.space.folder)
    same = manifest.content["selection"] == job.selection.as_dict()
    return same and bool(manifest.run["bookmark"] == job.bookmark)


def _check_plan(job: _Job, *, resume: bool) -> bool:
    """Write down what is asked of which graph, or check it against what was.

    Returns
    -------
    bool
        Whether there was an earlier export to go on with.
    """
    from tosg.version import VERSION

    asked = {"bookmark": job.bookmark, "tosg": VERSION}
    selection = job.selection.as_dict()
    was = job.space.receipt("plan") if resume else None
    if was is None:
        job.space.clear()
        job.space.sign("plan", {**asked, "selection": selection})
        return False
    hint = f"ask for the same, or remove {job.space.folder} and export again"
    differs = compare_selections(selection, was["selection"])
    if differs:
        raise _ResumeError(
            "the export to resume asked for something else",
            where=job.space.folder,
            found="; ".join(f"{k}: {json_text(now)}" for k, (now, _) in differs.items()),
            expected="; ".join(f"{k}: {json_text(then)}" for k, (_, then) in differs.items()),
            hint=hint,
        )
    for key, what in (("bookmark", "the graph has changed"), ("tosg", "tosg has changed")):
        if was[key] != asked[key]:
            raise _ResumeError(
                f"{what} since the export to resume began",
                where=job.space.folder,
                found=f"{key} {asked[key]}",
                expected=f"{key} {was[key]}",
                hint=f"remove {job.space.folder} and export again",
            )
    return True


class _ResumeError(ExportError):
    """An export cannot be resumed; what there is stays."""


def _graph_files(job: _Job, nodes: Nodes) -> dict[str, Any]:
    job.progress("writing the graph", 0, 2)
    return write_graph_files(
        job.space.folder,
        job.db,
        nodes,
        lambda stop, received: read_graph(
            job.db, job.selection, nodes, stop=stop, received=received
        ),
        job.selection.text_dtype,
        lambda done: job.progress("writing the graph", done, 2),
    )


def _spill_cells(job: _Job, parts: ExportParts) -> tuple[ExportPlan | None, dict[str, Any]]:
    """First pass: everything of the cells that comes from the database, spilled."""
    cells = parts.cells
    if cells is None:
        return None, {}
    with disk_errors(job.space.folder):
        plan = make_export_plan(
            job.space.folder,
            job.db,
            cells,
            parts.infos,
            parts.maps,
            shard_rows=job.selection.shard_size,
            connections=max(1, 4 // job.workers),
        )
    columns = _signed(job, "columns", lambda: spill_columns(job.db, job.space.work, cells))
    _tasks(job, plan, read_range, "reading cells", len(plan.ranges))
    return plan, columns


def _write_cells(
    job: _Job, parts: ExportParts, plan: ExportPlan | None, columns: dict[str, Any]
) -> None:
    """Second pass: the spills become the files of the cells."""
    cells = parts.cells
    if cells is None or plan is None:
        return
    shards = _tasks(job, plan, write_shard, "writing cells", plan.n_shards)
    parts.shards = [shards[k] for k in sorted(shards)]
    folder = job.space.folder
    with disk_errors(folder):
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


def _signed(job: _Job, name: str, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a piece of work that has no receipt yet, and sign it."""
    receipt = job.space.receipt(name)
    if receipt is None:
        with disk_errors(job.space.folder):
            receipt = write()
            job.space.sign(name, receipt)
    return receipt


def _tasks(job: _Job, plan: ExportPlan, task: Task, stage: str, count: int) -> dict[int, Receipt]:
    receipts: dict[int, Receipt] = {}
    job.progress(stage, 0, count)
    for k, receipt in run_tasks(plan, task, count, job.workers):
        receipts[k] = receipt
        job.progress(stage, len(receipts), count)
    return receipts


def _finish(job: _Job, parts: ExportParts) -> ExportResult:
    content = make_content(parts)
    run = make_run(job.db, parts, started=job.started, bookmark=job.bookmark, workers=job.workers)
    with disk_errors(job.space.folder):
        write_bytes(job.space.folder / MANIFEST, manifest_bytes(content, run))
        job.space.finish()
    return summarize_written(job.space.out, content, job.started)


@contextmanager
def _told_by_name(job: _Job) -> Iterator[None]:
    """Call a failure to read by its cause, where the graph has changed meanwhile.

    A data set that is taken away while it is read shows as cells that are missing; the next
    attempt does not see it.
    """
    try:
        yield
    except (GraphMovedError, DiskFullError):
        raise
    except TosgError as error:
        try:
            now = job.db.bookmark()
        except TosgError:  # the database is gone, and that is what `error` says
            now = job.bookmark
        if now == job.bookmark:
            raise
        raise _moved(job, now, f"; reading failed with: {error.what}") from error


def _check_unmoved(job: _Job) -> None:
    now = job.db.bookmark()
    if now != job.bookmark:
        raise _moved(job, now)


def _moved(job: _Job, now: str, more: str = "") -> GraphMovedError:
    return GraphMovedError(
        "the graph changed under the export",
        found=f"bookmark {now}{more}",
        expected=f"bookmark {job.bookmark}",
        hint="export again when nobody writes",
    )
