"""The export: a selection of a graph to a training set on disk, or several at once.

::

    selection -> cells (which, split, order) -> graph (nodes, edges) -> files of the graph
              -> first pass (ranges of cells to spills) -> bookmark compared
              -> second pass (spills to shards) -> cells.parquet -> manifest -> rename

Every read happens before the bookmark is compared, so what is written is one state of the graph.
Several selections of the same cells share the first pass: each cell's expression is read and
decoded once, and goes to the spills of each.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError
from tosg.export.format.manifest import MANIFEST, manifest_bytes
from tosg.export.graph.read import read_graph
from tosg.export.selection import Selection, resolve_selection
from tosg.export.write.cell_passes import spill_cells, write_cell_files
from tosg.export.write.chosen import CellTables, Chosen, choose_parts
from tosg.export.write.content import make_content, make_run
from tosg.export.write.engines import check_engine, open_engine
from tosg.export.write.graph_files import read_vector_width, write_graph_files
from tosg.export.write.growth import OldSet, grown_selection, open_old
from tosg.export.write.job import ExportJob, GraphMovedError, ResumeError
from tosg.export.write.result import (
    ExportResult,
    summarize_existing,
    summarize_planned,
    summarize_written,
)
from tosg.export.write.workspace import (
    DiskFullError,
    Workspace,
    check_output,
    disk_errors,
)
from tosg.files import write_bytes
from tosg.kg.query.limits import SELECTION_TIMEOUT
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from tosg.export.write.plan import ExportPlan
    from tosg.kg.database.connection import Database


def export(
    db: Database,
    selection: Selection,
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    engine: str = "local",
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> ExportResult:
    """Export a selection of the graph to a training set in `out`.

    The arguments are those of `tosg.KnowledgeGraph.export`.

    Raises
    ------
    ConfigError, QueryError, ExportError
        As there.
    """
    results = export_each(
        db, {"": selection}, out,
        workers=workers, engine=engine, resume=resume, dry_run=dry_run, timeout=timeout,
        progress=progress,
    )  # fmt: skip
    return results[""]


def grow(
    db: Database,
    old: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    selection: Selection | None = None,
    workers: int | None = None,
    engine: str = "local",
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> ExportResult:
    """Export a selection again whose graph and cells grew: only new cells are read.

    Old nodes and cells keep their rows and splits; the shards of the old training set are linked,
    new ones come after them. ``content.changes`` of the manifest says what is new.

    Parameters
    ----------
    old : path
        The training set that grows; it stays as it is.
    selection : Selection, optional
        That of `old`, as a check.

    Raises
    ------
    ExportError
        What is old would not stay: nodes or cells are gone, a data set has changed; or as `export`.
    ConfigError
        Another selection is asked for, or the selection draws cells.
    """
    before = open_old(old)
    results = _export(
        db, {"": grown_selection(before, selection)}, out, before,
        workers=workers, engine=engine, resume=resume, dry_run=dry_run, timeout=timeout,
        progress=progress,
    )  # fmt: skip
    return results[""]


def export_each(
    db: Database,
    selections: Mapping[str, Selection],
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    engine: str = "local",
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> dict[str, ExportResult]:
    """Export several selections of one state of the graph, each to a folder of its own in `out`.

    Selections of the same cells in the same order share the reading of them.

    Parameters
    ----------
    selections : mapping
        Name of the folder in `out` to selection; "" is `out` itself.

    Returns
    -------
    dict
        Result by name, in the same order.

    Raises
    ------
    TosgError
        As `export`; of several, all are given up, and those that have begun can be resumed.
    """
    return _export(
        db, selections, out, None,
        workers=workers, engine=engine, resume=resume, dry_run=dry_run, timeout=timeout,
        progress=progress,
    )  # fmt: skip


def _export(
    db: Database,
    selections: Mapping[str, Selection],
    out: str | os.PathLike[str],
    old: OldSet | None,
    *,
    workers: int | None,
    engine: str,
    resume: bool,
    dry_run: bool,
    timeout: float | None,
    progress: Progress,
) -> dict[str, ExportResult]:
    check_engine(engine, workers)
    check_names(selections)
    # Past links: the partial folder has to be beside the real one, to become it by a rename.
    folders = {name: Path(out).resolve() / name for name in selections}
    resolved = {name: resolve_selection(s) for name, s in selections.items()}
    results: dict[str, ExportResult] = {}
    for name, folder in folders.items():
        if check_output(folder, resume=resume):
            Workspace(folder).tidy()
            results[name] = summarize_existing(folder, resolved[name], db.bookmark())
    started = time.time()
    todo = [name for name in selections if name not in results]
    with open_engine("local" if dry_run else engine, workers) as runs:
        for last in (False, True):
            bookmark = db.bookmark()
            jobs = [
                ExportJob(
                    db, resolved[name], Workspace(folders[name]), runs, timeout,
                    progress, bookmark, started, old,
                )
                for name in todo
            ]  # fmt: skip
            try:
                results |= zip(todo, _attempt(jobs, resume=resume, dry_run=dry_run), strict=True)
                return {name: results[name] for name in selections}
            except GraphMovedError:
                if last:
                    raise
                resume = False
    raise AssertionError("unreachable")


def check_names(names: Iterable[str]) -> None:
    """Check that selections can have folders of their names.

    Raises
    ------
    ConfigError
        One cannot.
    """
    for name in names:
        if Path(name).name != name or name.startswith(".") or name.endswith(".partial"):
            raise ConfigError(
                "a training set cannot have this name",
                where="selections",
                found=repr(name),
                expected="the name of a folder, without / and no . in front",
            )


def _attempt(jobs: Sequence[ExportJob], *, resume: bool, dry_run: bool) -> list[ExportResult]:
    old = jobs[0].old if jobs else None
    tables = CellTables(None if old is None else old.cells)
    chosen: list[Chosen] = []
    for job in jobs:
        with job.telling():
            chosen.append(choose_parts(job, tables))
    if dry_run:
        return [_count(one) for one in chosen]
    try:
        return _write(chosen, resume=resume)
    except BaseException as error:
        for job in jobs:
            if job.space.held:  # else it stands already, or another process works there
                _leave(job, error)
        raise


def _leave(job: ExportJob, error: BaseException) -> None:
    """Leave the folder of an export that failed in a state that the next one can take over."""
    if isinstance(error, ResumeError):
        job.space.release()
    elif isinstance(error, GraphMovedError | DiskFullError) or not job.space.has_receipts():
        job.space.discard()
    else:  # worth going on from
        job.space.keep()


def _count(one: Chosen) -> ExportResult:
    job, parts = one.job, one.parts
    with job.telling():
        graph, width = read_graph(job.db, job.selection, one.nodes), read_vector_width(job.db)
        job.check_unmoved()
    return summarize_planned(
        job.space.out,
        job.selection,
        graph,
        parts.cells,
        parts.maps,
        parts.coverage,
        width,
        job.started,
    )


def _write(chosen: Sequence[Chosen], *, resume: bool) -> list[ExportResult]:
    ready: dict[int, ExportResult] = {}
    for place, one in enumerate(chosen):
        job = one.job
        job.space.open()
        with disk_errors(job.space.folder):
            if resume and job.was_ready():
                job.space.finish()
                ready[place] = summarize_existing(job.space.out, job.selection, job.bookmark)
            else:
                one.parts.resumed = job.check_plan(resume=resume)
    todo = [one for place, one in enumerate(chosen) if place not in ready]
    for one in todo:
        with one.job.telling():
            one.parts.graph = one.job.sign("graph", lambda one=one: _graph_files(one))  # type: ignore[misc]
    plans: dict[int, tuple[ExportPlan, dict[str, Any]]] = {}
    for side in dict.fromkeys(one.cell_side for one in todo):
        group = [one for one in todo if one.cell_side == side and one.parts.cells is not None]
        if group:
            with group[0].job.telling():
                plans |= zip(map(id, group), spill_cells(group), strict=True)
    if todo:
        todo[0].job.check_unmoved()
    for one in todo:
        if id(one) in plans:
            write_cell_files(one, *plans[id(one)])
    finished = iter([_finish(one) for one in todo])
    return [ready[p] if p in ready else next(finished) for p in range(len(chosen))]


def _graph_files(one: Chosen) -> dict[str, Any]:
    job, nodes = one.job, one.nodes
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


def _finish(one: Chosen) -> ExportResult:
    job, parts = one.job, one.parts
    content = make_content(parts)
    run = make_run(
        job.db,
        parts,
        started=job.started,
        bookmark=job.bookmark,
        workers=job.engine.workers,
        deaths=job.engine.deaths,
    )
    with disk_errors(job.space.folder):
        write_bytes(job.space.folder / MANIFEST, manifest_bytes(content, run))
        job.space.finish()
    return summarize_written(job.space.out, content, job.started, job.engine.deaths)
