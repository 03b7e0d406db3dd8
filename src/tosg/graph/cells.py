"""Cells of a graph: attach, list, map again, detach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.graph.telling import warn_caller
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tosg.graph.connection import GraphConnection
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.remap import RemapReport
    from tosg.kg.cells.report import AttachReport
    from tosg.kg.cells.signals import SignalReport
    from tosg.kg.cells.stored.dataset import DatasetInfo


def attach_cells(
    graph: GraphConnection,
    path: str | os.PathLike[str],
    mapping: CellMapping | Mapping[str, Any] | None = None,
    *,
    id: str | None = None,  # noqa: A002 - the data set's property
    title: str = "",
    license: str = "",  # noqa: A002
    storage: str = "auto",
    markers: Sequence[str] = (),
    unit: str | None = None,
    matrix: str | None = None,
    allow_scaled: bool = False,
    round: bool = False,  # noqa: A002
    organism: str = "human",
    metacells: int = 0,
    metacell_method: str = "kmeans",
    seed: int = 0,
    min_fraction: float = 0.1,
    replace_existing: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> AttachReport:
    """Attach a file of cells: all its cells and groups, or nothing.

    Parameters
    ----------
    path : path
        h5ad (also .gz), zarr (folder or .zip), h5mu or Loom file; 10x .h5 or a 10x folder of
        matrix, barcodes and features; a table of counts (CSV, TSV, Parquet).
    mapping : CellMapping or mapping, optional
        Field of a cell to column of ``obs``, as ``{"donor_id": "patient"}``, or to what a YAML
        file would have: ``{"tissue": {"constant": "blood"}}``,
        ``{"cell_type": {"column": "label", "values": {"B": "B cell"}}}``. Columns that the
        CELLxGENE schema names are found without it.
    id : str, optional
        Id of the data set; by default the file's name.
    title, license : str
        Of the data set; the title is by default the file's own, the licence an SPDX id.
    storage : {"auto", "inline", "linked"}
        Keep expression in the graph, or read it from the file; ``auto`` keeps up to 1 GiB.
    markers : sequence of str
        Genes whose values, log1p of counts per 10,000, become properties of the cells; of a name
        that a gene and an antibody have, ``CD4:gene`` or ``CD4:protein`` (CLR).
    unit : str, optional
        What the values are, where it is not certain: ``counts``, ``corrected_counts``,
        ``normalized_counts``, ``cp10k``, ``cpm``, ``log1p_cp10k``, ``log1p``, ``log2p1``,
        ``log10p1`` or ``scaled``.
    matrix : str, optional
        ``X``, ``raw.X``, a layer, or layers to add (``spliced+unspliced``); by default the one
        with counts.
    allow_scaled : bool
        Whether z-scores may be attached.
    round : bool
        Whether corrected counts, which have decimals, are rounded to counts.
    organism : {"human", "any"}
        Leave cells of other species out, or attach them.
    metacells : int
        Sum about this many cells to one; 0 for none.
    metacell_method : {"kmeans", "random"}
        Which cells of one donor, tissue, disease and cell type are summed.
    seed : int
        Of the meta-cells.
    min_fraction : float
        A group EXPRESSES a gene that this share of its cells has, 0 to 1.
    replace_existing : bool
        Whether a data set of the same id that differs is replaced.
    dry_run : bool
        Read and check everything, write nothing.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    AttachReport
        Counts of cells, donors and groups; genes mapped, ambiguous and unmapped, by name.

    Raises
    ------
    DataError
        The file is wrong, or a data set of that id is attached already and differs.
    ConfigError
        The mapping or an option is wrong.
    """
    from tosg.kg.cells.attach import attach
    from tosg.kg.cells.obs.mapping import CellMapping

    if mapping is not None and not isinstance(mapping, CellMapping):
        mapping = CellMapping.of(mapping)
    return attach(
        graph.db,
        Path(path),
        mapping,
        id=id,
        title=title,
        license=license,
        storage=storage,
        markers=tuple(markers),
        unit=unit,
        matrix=matrix,
        allow_scaled=allow_scaled,
        round=round,
        organism=organism,
        metacells=metacells,
        metacell_method=metacell_method,
        seed=seed,
        min_fraction=min_fraction,
        replace_existing=replace_existing,
        dry_run=dry_run,
        progress=progress,
    )


def datasets(graph: GraphConnection) -> list[DatasetInfo]:
    """List the data sets of cells that are attached.

    Returns
    -------
    list of DatasetInfo
        Each with its ``variables``, the entity of each, and ``measured``, (n_variables,) bool.

    Warns
    -----
    TosgWarning
        A data set is attached in part.
    """
    from tosg.kg.cells.stored.dataset import datasets
    from tosg.kg.cells.stored.staging import describe_partial

    warn_caller(describe_partial(graph.db))
    return datasets(graph.db)


def cells_report(graph: GraphConnection, dataset: str) -> AttachReport:
    """Read what attaching a data set found.

    Parameters
    ----------
    dataset : str
        Its id.

    Returns
    -------
    AttachReport
        As `attach_cells` gave it.

    Raises
    ------
    UsageError
        No data set of that id is attached.
    """
    from tosg.kg.cells.attach import stored_report

    return stored_report(graph.db, dataset)


def remap_cells(graph: GraphConnection, dataset: str) -> RemapReport:
    """Map the variables and labels of a data set to the graph as it is now.

    Parameters
    ----------
    dataset : str
        Its id.

    Returns
    -------
    RemapReport
        Variables mapped now, and those gained, lost and moved, by name.

    Raises
    ------
    UsageError
        No data set of that id is attached.
    DataError
        The file of a linked data set is missing or has changed.
    """
    from tosg.kg.cells.remap import remap

    return remap(graph.db, dataset)


def detach_cells(graph: GraphConnection, dataset: str) -> int:
    """Remove a data set from the graph, with its cells and groups.

    Parameters
    ----------
    dataset : str
        Its id.

    Returns
    -------
    int
        Number of cells removed.

    Raises
    ------
    UsageError
        No data set of that id is attached.
    """
    from tosg.kg.cells.remap import detach

    return detach(graph.db, dataset)


def write_signals(graph: GraphConnection, scores: pa.Table, *, method: str) -> SignalReport:
    """Write scores of edges in groups of cells: all of them, or none.

    The score of an edge is kept as ``SIGNALS_IN`` from its source to the group, with the ``idx`` of
    its target; the statement ``signals_in_cell_type`` asks for them. Scores of the same method in
    the same groups are replaced, those of other methods and groups stay.

    Parameters
    ----------
    scores : pyarrow.Table
        One row per edge and group, with the columns ``group`` (id of a `CellGroup`), ``source`` and
        ``target`` (ids of genes or proteins), ``score``, and, where known, ``type`` and ``sign`` of
        the edge, ``sd`` and ``seeds`` (spread of the score, and over how many models).
    method : str
        What made the scores.

    Returns
    -------
    SignalReport
        How many were written and replaced, in how many groups.

    Raises
    ------
    ConfigError
        The method has no name.
    DataError
        A column, a value, a group, a gene or a protein is wrong, an edge has two scores in one
        group, or the server has no memory for so many rows in one transaction.
    """
    from tosg.kg.cells.signals import write_signals

    return write_signals(graph.db, scores, method)
