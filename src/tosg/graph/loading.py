"""Fill a graph: load sources, build recipes, make vectors; check and repair it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError
from tosg.graph.telling import warn_caller
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from tosg.graph.connection import GraphConnection
    from tosg.kg.embed.info import EmbedReport
    from tosg.kg.report.findings import Finding
    from tosg.kg.report.load_report import LoadReport
    from tosg.loaders.pipeline.build import BuildResult
    from tosg.loaders.pipeline.fetch import PlannedFile
    from tosg.loaders.pipeline.preview import Preview
    from tosg.loaders.pipeline.repair import RepairReport


def load(
    graph: GraphConnection,
    source: str,
    *paths: str | os.PathLike[str],
    source_options: Mapping[str, Any] | None = None,
    exclude_licenses: Sequence[str] = (),
    prune: bool = False,
    settle: bool = True,
    progress: Progress = silent,
) -> LoadReport:
    """Load one source from its files.

    Parameters
    ----------
    source : str
        Its name (`tosg sources`).
    *paths : path
        Its files, or a folder that holds them.
    source_options : mapping, optional
        Options of the source itself, as ``{"release": "2026-01"}``.
    exclude_licenses : sequence of str
        Patterns of licences whose claims are left out: ``CC BY-NC*``, ``unstated``.
    prune : bool
        Withdraw what the source claimed before and these files do not say; without `paths`,
        all that it claimed.
    settle : bool
        Whether texts and the mapping of cells are updated now, or with a later load.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    LoadReport
        Its sums hold, and the database agrees with it.

    Raises
    ------
    ConfigError
        There are no paths, and nothing is to be withdrawn; an option is unknown.
    DataError
        A file is missing or wrong; nothing was written.
    SchemaError
        A claim contradicts the schema; nothing was written.

    Warns
    -----
    TosgWarning
        A pattern of `exclude_licenses` matches no licence.
    """
    from tosg.loaders import registry
    from tosg.loaders.pipeline import load as pipeline

    loader = registry.make(source, dict(source_options or {}))
    if not paths and not prune:
        raise ConfigError(
            "no files were given",
            where=f"load {source}",
            expected="files or folders after the source's name",
            hint=f"`tosg sources {source}` says what it needs",
        )
    given = [pipeline.SourceInput.locate(loader, [Path(p) for p in paths])] if paths else []
    report = pipeline.load(
        graph.settings,
        given,
        prune=[loader.source] if prune else [],
        exclude_licenses=exclude_licenses,
        settle=settle,
        progress=progress,
    )
    if line := pipeline.unmatched_line([report]):
        warn_caller([line])
    return report


def preview(
    graph: GraphConnection,  # noqa: ARG001 - a method of the graph, like `load`
    source: str,
    *paths: str | os.PathLike[str],
    source_options: Mapping[str, Any] | None = None,
) -> Preview:
    """Read the files of a source as a load would, and write nothing; needs no server.

    Parameters
    ----------
    source : str
        Its name (`tosg sources`).
    *paths : path
        Its files, or a folder that holds them.
    source_options : mapping, optional
        Options of the source itself.

    Returns
    -------
    Preview
        Counts, the first claims of each type, and what was rejected, by file and line.

    Raises
    ------
    DataError
        A file is missing or wrong.
    ConfigError
        An option is wrong.
    """
    from tosg.loaders import registry
    from tosg.loaders.pipeline.preview import preview

    loader = registry.make(source, dict(source_options or {}))
    return preview(loader, loader.locate([Path(p) for p in paths]))


def build(
    graph: GraphConnection,
    recipe: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    *,
    exclude_licenses: Sequence[str] = (),
    include_licenses: Sequence[str] = (),
    confirm: Callable[[list[PlannedFile]], bool] | None = None,
    embed: bool | None = None,
    progress: Progress = silent,
) -> BuildResult:
    """Make the graph of a recipe, whole or from where an earlier build stopped.

    Parameters
    ----------
    recipe : str or path
        Name of a recipe that comes with tosg, or a YAML file.
    data : path, optional
        Folder below which the recipe's files are; without it, what is not in the cache is
        fetched from the sources' own addresses.
    exclude_licenses : sequence of str
        Patterns of licences to leave out, besides the recipe's own; see `load`.
    include_licenses : sequence of str
        Patterns of licences that forbid commercial use and whose sources are fetched too.
    confirm : callable, optional
        Called with the files that are to be fetched; False stops the build.
    embed : bool, optional
        Whether to make vectors; by default as the recipe says.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    BuildResult
        What was loaded, what was there already, and a report of each load.

    Raises
    ------
    DataError, UsageError
        The recipe or a file is wrong; nothing was written.
    """
    from tosg.loaders.pipeline.build import build

    name = recipe if isinstance(recipe, str) else Path(recipe)
    return build(
        graph.settings,
        name,
        None if data is None else Path(data),
        exclude_licenses=exclude_licenses,
        include_licenses=include_licenses,
        confirm=confirm,
        embed=embed,
        progress=progress,
    )


def embed(
    graph: GraphConnection,
    model: str | None = None,
    *,
    types: Sequence[str] | None = None,
    rebuild: bool = False,
    batch_size: int = 256,
    device: str | None = None,
    progress: Progress = silent,
) -> EmbedReport:
    """Compose and embed the texts that changed; a run that was stopped is continued.

    Parameters
    ----------
    model : str, optional
        Name or folder of a sentence-transformers model; by default the graph's own, and
        all-MiniLM-L6-v2 for a graph without vectors.
    types : sequence of str, optional
        Only entities of these types.
    rebuild : bool
        Whether another model than the graph's may replace all its vectors.
    batch_size : int
        Texts that the model reads at once, at most.
    device : str, optional
        As torch names it ("cpu", "cuda"); by default a GPU where there is one.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    EmbedReport
        Counts of texts and vectors, the model, and the vector indexes that were made.

    Raises
    ------
    ConfigError
        The model is not found, or is another than the graph's and `rebuild` is not set.
    UsageError
        The schema has no such type.
    """
    from tosg.kg.embed.run import embed

    return embed(
        graph.db,
        model,
        types=types,
        rebuild=rebuild,
        batch_size=batch_size,
        device=device,
        progress=progress,
    )


def check(graph: GraphConnection, *, progress: Progress = silent) -> list[Finding]:
    """Check the graph against the schema and its last report; empty where all is well.

    Reads every node and relationship once.

    Parameters
    ----------
    progress : Progress
        Called with each rule.

    Returns
    -------
    list of Finding

    Raises
    ------
    DatabaseError
        The server is not there.
    """
    from tosg.kg.report.check import check

    return check(graph.db, progress)


def repair(
    graph: GraphConnection, *, start_over: bool = False, progress: Progress = silent
) -> RepairReport:
    """Make the graph whole again after a load that stopped half way, or damage from outside.

    Data of other programs in the same database stay as they are.

    Parameters
    ----------
    start_over : bool
        Where the managed server cannot open its data, set them aside and begin an empty graph.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    RepairReport
        What was mended, and what `check` still finds.

    Raises
    ------
    DatabaseError
        The server cannot be reached or cannot open its data, or another writer is at work.
    """
    from tosg.loaders.pipeline.repair import repair

    graph.close()
    return repair(graph.settings, start_over=start_over, progress=progress)
