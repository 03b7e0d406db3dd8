"""Training sets from a graph."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal

from tosg.errors import ConfigError
from tosg.kg.query.limits import SELECTION_TIMEOUT
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tosg.export.selection import Selection
    from tosg.export.write.result import ExportResult
    from tosg.graph.connection import GraphConnection


class _Unset:
    def __repr__(self) -> str:
        return "unset"


#: Default of an argument whose every value means something: it was not given.
UNSET: Any = _Unset()


def export(
    graph: GraphConnection,
    out: str | os.PathLike[str],
    selection: Selection | None = None,
    *,
    nodes: str | None = UNSET,
    edges: str | None = UNSET,
    edge_types: Sequence[str] | None = UNSET,
    cells: str | Literal[False] | None = UNSET,
    params: Mapping[str, Any] = UNSET,
    level: str = UNSET,
    target: str | None = UNSET,
    split: str = UNSET,
    fractions: tuple[float, float, float] = UNSET,
    seed: int = UNSET,
    balance: Sequence[str] | None = UNSET,
    sample: int | None = UNSET,
    primary_only: bool = UNSET,
    normalize: str = UNSET,
    text_dtype: str = UNSET,
    shard_size: int = UNSET,
    layout: str = "tosg",
    grow: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    engine: str = "local",
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> ExportResult:
    """Export a selection to a training set in `out`.

    Parameters
    ----------
    out : path
        A folder that is not there or empty.
    selection : Selection, optional
        What to export; the arguments below, up to `shard_size`, change it.
    nodes : str or None
        Cypher, ``@file`` or the name of a statement that returns the nodes; by default None,
        the whole graph.
    edges : str or None
        Cypher that returns the edges; by default None, those that `nodes` returned, else the
        induced ones.
    edge_types : sequence of str or None
        Keep only these relationship types; by default None, all.
    cells : str, None or False
        Cypher that returns the cells; by default None, every cell. False for a plain graph.
    params : mapping
        Parameters of the three queries.
    level : {"as-stored", "gene", "protein"}
        Where abundance and interactions meet; the first by default.
    target : str or None
        Property of the cells to learn; by default None.
    split : str
        ``none`` (default), ``donor``, ``cell``, or a property of cells whose values stay whole.
    fractions : (float, float, float)
        Shares of train, val and test; 0.8, 0.1, 0.1 by default.
    seed : int
        Of the split, the sample and the order of the cells; 0 by default.
    balance : sequence of str or None
        Properties of cells within whose combinations the training classes are made equal.
    sample : int or None
        Keep this many cells, drawn with the seed.
    primary_only : bool
        Leave out cells with ``is_primary_data`` false; true by default.
    normalize : {"none", "log1p_cp10k"}
        What the reader of the training set applies; ``none`` by default.
    text_dtype : {"float32", "float16"}
        Of the text vectors; float32 by default.
    shard_size : int
        Cells per shard; 8192 by default.
    layout : {"tosg", "celltosg", "anndata", "mudata", "text"}
        Of the files: a training set, a folder of the OmniCellTOSG layout, an ``.h5ad``, an
        ``.h5mu``, or cells as text (``.parquet``).
    grow : path, optional
        A training set whose selection is exported again: its nodes and cells keep their rows and
        splits, its shards are linked into `out`, and only new cells are read. No option of the
        selection goes with it.
    workers : int, optional
        Tasks of the cells that run at once: local processes, 1 by default; on Ray one for each
        CPU of the cluster by default. The bytes are the same for any number.
    engine : {"local", "ray"}
        What runs them: this machine, or a Ray cluster (extra ``ray``).
    resume : bool
        Continue an export to `out` that did not end.
    dry_run : bool
        Count and estimate, write nothing.
    timeout : float or None
        Seconds that each query of the selection may take, 600 by default; None for no limit.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    ExportResult
        Counts, digests, size in bytes, and ``warnings``.

    Raises
    ------
    ConfigError
        The output folder is not empty, a name in the selection is unknown, or there are no
        cells for what is asked of them.
    QueryError
        A query of the selection fails.
    ExportError
        The selection is empty or cannot be split, the graph changed twice under the export,
        an export that is resumed asked for something else, or the disk is full.
    """
    arguments = locals().copy()  # before other names are bound
    from tosg.export.selection import Selection
    from tosg.export.write.engines import check_engine
    from tosg.export.write.export import grow as grow_set
    from tosg.export.write.layouts import check_layout, export_layout

    changes = {
        field.name: arguments[field.name]
        for field in fields(Selection)
        if arguments[field.name] is not UNSET
    }
    for name in ("edge_types", "balance"):
        if changes.get(name) is not None:
            changes[name] = tuple(changes[name])
    how: dict[str, Any] = {
        "workers": workers,
        "engine": engine,
        "resume": resume,
        "dry_run": dry_run,
        "timeout": timeout,
        "progress": progress,
    }
    # Before the graph is opened: what is wrong whatever the graph.
    check_layout(layout)
    check_engine(engine, workers)
    if grow is None:
        asked = replace(selection or Selection(), **changes)
        return export_layout(graph.db, asked, out, layout, **how)
    if layout != "tosg":
        changes["layout"] = layout
    if changes:
        raise ConfigError(
            "a training set grows by its own selection and layout",
            where="grow",
            found=", ".join(changes),
            hint="leave these options out",
        )
    return grow_set(graph.db, grow, out, selection=selection, **how)


def export_each(
    graph: GraphConnection,
    out: str | os.PathLike[str],
    selections: Mapping[str, Selection],
    *,
    layout: str = "tosg",
    workers: int | None = None,
    engine: str = "local",
    resume: bool = False,
    dry_run: bool = False,
    timeout: float | None = SELECTION_TIMEOUT,
    progress: Progress = silent,
) -> dict[str, ExportResult]:
    """Export several selections at once, each to a training set in a folder of `out`.

    All are of one state of the graph. Selections of the same cells share the reading of them;
    each training set has the same bytes as one that is exported alone.

    Parameters
    ----------
    out : path
        The folder of the training sets.
    selections : mapping
        Name of each folder to what to export, as `tosg.inputs.read_each` gives it.
    layout : {"tosg", "celltosg", "anndata", "mudata", "text"}
        Of the files, as of `export`; a file has the name with its ending.
    workers, engine, resume, dry_run, timeout, progress
        As of `export`.

    Returns
    -------
    dict
        An `ExportResult` by name, in the same order.

    Raises
    ------
    ConfigError
        A folder is not empty or cannot have its name, or a selection is wrong.
    QueryError
        A query of a selection fails.
    ExportError
        As of `export`; then none of those that were not finished before is written.
    """
    from tosg.export.write.engines import check_engine
    from tosg.export.write.layouts import check_layout, export_each_layout

    check_layout(layout)
    check_engine(engine, workers)
    return export_each_layout(
        graph.db,
        selections,
        out,
        layout,
        workers=workers,
        engine=engine,
        resume=resume,
        dry_run=dry_run,
        timeout=timeout,
        progress=progress,
    )
