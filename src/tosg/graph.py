"""The graph in Python: what a command does, one call does.

`connect` gives a `KnowledgeGraph`. A result that is partial comes with a `tosg.TosgWarning`.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from tosg.errors import ConfigError, TosgWarning
from tosg.kg.query.limits import QUERY_TIMEOUT, SELECTION_TIMEOUT
from tosg.progress import Progress, silent
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    import pyarrow as pa

    from tosg.export.selection import Selection
    from tosg.export.write.result import ExportResult
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.remap import RemapReport
    from tosg.kg.cells.report import AttachReport
    from tosg.kg.cells.stored.dataset import DatasetInfo
    from tosg.kg.database.connection import Database
    from tosg.kg.database.counts import GraphCounts
    from tosg.kg.embed.info import EmbedReport
    from tosg.kg.report.findings import Finding
    from tosg.kg.report.load_report import LoadReport
    from tosg.kg.server import ServerInfo
    from tosg.loaders.pipeline.build import BuildResult
    from tosg.loaders.pipeline.fetch import PlannedFile
    from tosg.loaders.pipeline.preview import Preview
    from tosg.loaders.pipeline.repair import RepairReport


__all__ = ["QUERY_TIMEOUT", "SELECTION_TIMEOUT", "UNSET", "KnowledgeGraph", "connect"]


class _Unset:
    def __repr__(self) -> str:
        return "unset"


#: Default of an argument whose every value means something: it was not given.
UNSET: Any = _Unset()


def connect(
    uri: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    database: str | None = None,
    home: str | os.PathLike[str] | None = None,
) -> KnowledgeGraph:
    """Connect to a graph; without any setting, to the managed server, which is started.

    What is not given is looked for in the environment, then in ``tosg.toml``.

    Parameters
    ----------
    uri, username, password, database : str, optional
        The Neo4j to talk to.
    home : path, optional
        Folder of the managed server.

    Returns
    -------
    KnowledgeGraph

    Raises
    ------
    DatabaseError
        The server is not there, or refuses the password.
    ConfigError
        A setting is wrong.
    """
    flags = {
        "uri": uri,
        "username": username,
        "password": password,
        "database": database,
        "home": None if home is None else str(home),
    }
    graph = KnowledgeGraph(load_settings(flags))
    graph.db.verify()
    return graph


class KnowledgeGraph:
    """A graph in Neo4j. A context manager; pickles as its settings.

    Parameters
    ----------
    settings : Settings
        Which graph.

    Raises
    ------
    DatabaseError
        From every method that needs the database: it cannot be reached, or went away.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.settings,))

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if "db" in self.__dict__:
            self.db.close()
            del self.db

    @cached_property
    def db(self) -> Database:
        """The connection, opened at first use."""
        from tosg.kg.server.connect import connect

        return connect(self.settings)

    # -- the managed server ----------------------------------------------------------------------

    def up(self) -> ServerInfo:
        """Start the managed server, or find the one that runs.

        Returns
        -------
        ServerInfo
            Its addresses, password, process and files.

        Raises
        ------
        ServerError
            It cannot be downloaded, installed or started.
        """
        from tosg.kg.server import ensure_server

        return ensure_server(self.settings)

    def status(self) -> ServerInfo | None:
        """Look for the managed server; None where it is not running."""
        from tosg.kg.server import status

        return status(self.settings)

    def down(self) -> bool:
        """Stop the managed server; its data stays.

        Returns
        -------
        bool
            Whether it was running.

        Raises
        ------
        ServerError
            It does not stop.
        """
        from tosg.kg.server import stop

        self.close()
        return stop(self.settings)

    # -- asking ----------------------------------------------------------------------------------

    def query(
        self,
        query: str,
        /,
        *,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = QUERY_TIMEOUT,
        limit: int | None = None,
        first: bool = False,
        **named: Any,
    ) -> pa.Table:
        """Run a named statement, ``@file.cypher`` or Cypher that reads.

        Parameters
        ----------
        query : str
            Name of a statement (`tosg query --list`), ``@file``, or Cypher.
        params : mapping, optional
            Values of its parameters. Those whose name is no argument of this method can be given
            by name: ``graph.query("pathways_of_gene", gene="JAK1")``. Texts are read as the
            command line reads them: ``genes="TP53,MDM2"`` is a list of two.
        timeout : float or None
            Seconds it may take, 120 by default; None for no limit.
        limit : int, optional
            Rows to return at most; a parameter ``$limit`` of the query goes into `params`.
        first : bool
            Whether the entity with most relationships is taken where a name has several, with a
            warning that names them; else that is an error that lists them.
        **named
            Further values of its parameters.

        Returns
        -------
        pyarrow.Table
            One column per column of the result; ``.to_pandas()`` makes a data frame. An entity is
            a struct of id, type, name and symbol.

        Raises
        ------
        QueryError
            It does not parse, would write, or runs past its time.
        UsageError
            A statement, an entity or a parameter of that name does not exist.

        Warns
        -----
        TosgWarning
            A value was ambiguous, a name in the Cypher is not in the schema, or a data set is
            attached in part.
        """
        from tosg.kg.query.run import run_query

        values = {**(params or {}), **named}
        told: list[str] = []
        table = run_query(
            self.db, query, values, timeout=timeout, limit=limit, first=first, warnings=told
        )
        _warn(told)
        return table

    def search(self, text: str, *, types: Sequence[str] | None = None, k: int = 10) -> pa.Table:
        """Find entities by name, by meaning and by words.

        Parameters
        ----------
        text : str
            Any text; nothing in it is syntax.
        types : sequence of str, optional
            Only entities of these types.
        k : int
            Results at most, 1 or more.

        Returns
        -------
        pyarrow.Table
            At most `k` rows: entities that have the text as symbol, name or synonym, then those
            with a name that begins with it, then the others, best first. Columns: id, type, name,
            symbol, ``score`` (sum of 1 / (60 + rank) over both rankings), ``vector_rank``,
            ``text_rank``, ``similarity`` (cosine), ``match`` (what the text is to the entity),
            ``matched`` (the name that is meant), snippet.

        Raises
        ------
        ConfigError
            The text is blank, or the graph's model is not installed.
        UsageError
            The schema has no such type.

        Warns
        -----
        TosgWarning
            A type has no vectors and was searched by words alone.
        """
        from tosg.kg.search.hybrid import note_of, search

        found = search(self.db, text, types=types, k=k)
        if note := note_of(found):
            _warn([note])
        return found

    def stats(self) -> GraphCounts:
        """Count nodes per label and relationships per type.

        Warns
        -----
        TosgWarning
            A data set is attached in part.
        """
        from tosg.kg.cells.stored.staging import describe_partial
        from tosg.kg.database import counts

        _warn(describe_partial(self.db))
        return counts.count(self.db)

    def count_by_source(self) -> dict[str, dict[str, int]]:
        """Count ``nodes`` and ``relationships`` that each source claims; reads all of them."""
        from tosg.kg.database import counts

        return counts.by_source(self.db)

    def revision(self) -> int:
        """Read the graph's revision: it rises with every load that changed something."""
        from tosg.kg.database.bookkeeping import read_meta

        return read_meta(self.db).revision

    def check(self) -> list[Finding]:
        """Check the graph against the schema and its last report; empty where all is well.

        Reads every node and relationship once.
        """
        from tosg.kg.report.check import check

        return check(self.db)

    def repair(self, *, start_over: bool = False, progress: Progress = silent) -> RepairReport:
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

        self.close()
        return repair(self.settings, start_over=start_over, progress=progress)

    def report(self, id_: str | None = None) -> dict[str, Any]:
        """Read the report of a load, by default of the latest.

        Parameters
        ----------
        id_ : str, optional
            One of `report_ids`.

        Returns
        -------
        dict
            Plain values: files read, rows rejected by kind, claims, counts before and after.

        Raises
        ------
        UsageError
            There is no such report.
        """
        from tosg.kg.report.kept import read_report

        return read_report(self.db, id_)

    def report_ids(self) -> list[str]:
        """List the loads whose reports the graph keeps, latest first."""
        from tosg.kg.report.kept import report_ids

        return report_ids(self.db)

    # -- loading ---------------------------------------------------------------------------------

    def load(
        self,
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
            self.settings,
            given,
            prune=[loader.source] if prune else [],
            exclude_licenses=exclude_licenses,
            settle=settle,
            progress=progress,
        )
        if line := pipeline.unmatched_line([report]):
            _warn([line])
        return report

    def preview(
        self,
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
        self,
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
            self.settings,
            name,
            None if data is None else Path(data),
            exclude_licenses=exclude_licenses,
            include_licenses=include_licenses,
            confirm=confirm,
            embed=embed,
            progress=progress,
        )

    def embed(
        self,
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
            self.db,
            model,
            types=types,
            rebuild=rebuild,
            batch_size=batch_size,
            device=device,
            progress=progress,
        )

    # -- cells -----------------------------------------------------------------------------------

    def attach_cells(
        self,
        path: str | os.PathLike[str],
        mapping: CellMapping | Mapping[str, str] | None = None,
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
            h5ad file, zarr folder, 10x .h5 file or 10x mtx folder.
        mapping : CellMapping or mapping, optional
            Field of a cell to column of ``obs``, as ``{"donor_id": "patient"}``. Columns that the
            CELLxGENE schema names are found without it.
        id : str, optional
            Id of the data set; by default the file's name.
        title, license : str
            Of the data set; the title is by default the file's own, the licence an SPDX id.
        storage : {"auto", "inline", "linked"}
            Keep expression in the graph, or read it from the file; ``auto`` keeps up to 1 GiB.
        markers : sequence of str
            Genes whose values, log1p of counts per 10,000, become properties of the cells.
        unit : str, optional
            What the values are (``counts``, ``log1p_cp10k``, ...), where it is not certain.
        matrix : str, optional
            ``X``, ``raw.X`` or a layer; by default the one with counts.
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
            mapping = CellMapping.read(
                maps=[f"{field}={column}" for field, column in mapping.items()]
            )
        return attach(
            self.db,
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

    def datasets(self) -> list[DatasetInfo]:
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

        _warn(describe_partial(self.db))
        return datasets(self.db)

    def cells_report(self, dataset: str) -> AttachReport:
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

        return stored_report(self.db, dataset)

    def remap_cells(self, dataset: str) -> RemapReport:
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

        return remap(self.db, dataset)

    def detach_cells(self, dataset: str) -> int:
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

        return detach(self.db, dataset)

    # -- training sets ---------------------------------------------------------------------------

    def export(
        self,
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
        workers: int = 1,
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
        workers : int
            Local processes for the cells; the bytes are the same for any number.
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
        from tosg.export.selection import Selection
        from tosg.export.write.export import export

        fields: dict[str, Any] = {
            "nodes": nodes,
            "edges": edges,
            "edge_types": edge_types,
            "cells": cells,
            "params": params,
            "level": level,
            "target": target,
            "split": split,
            "fractions": fractions,
            "seed": seed,
            "balance": balance,
            "sample": sample,
            "primary_only": primary_only,
            "normalize": normalize,
            "text_dtype": text_dtype,
            "shard_size": shard_size,
        }
        given = {name: value for name, value in fields.items() if value is not UNSET}
        for name in ("edge_types", "balance"):
            if given.get(name) is not None:
                given[name] = tuple(given[name])
        return export(
            self.db,
            replace(selection or Selection(), **given),
            out,
            workers=workers,
            resume=resume,
            dry_run=dry_run,
            timeout=timeout,
            progress=progress,
        )


def _warn(told: Iterable[str]) -> None:
    """Give warnings that point to the caller of the method that calls this."""
    for text in told:
        warnings.warn(text, TosgWarning, stacklevel=3)
