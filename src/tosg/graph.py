"""The graph in Python: what a command does, one call does."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tosg.errors import ConfigError
from tosg.kg.query.limits import QUERY_TIMEOUT, SELECTION_TIMEOUT
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
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
    from tosg.kg.report.check import Finding
    from tosg.kg.report.load_report import LoadReport
    from tosg.loaders.pipeline.build import BuildResult


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

    def query(
        self,
        query: str,
        /,
        *,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = QUERY_TIMEOUT,
        limit: int | None = None,
        **named: Any,
    ) -> pa.Table:
        """Run a named statement, ``@file.cypher`` or Cypher that reads.

        Parameters
        ----------
        query : str
            Name of a statement (`tosg query --list`), ``@file``, or Cypher.
        params : mapping, optional
            Values of its parameters. Those that are not called like an argument of this method
            can be given by name: ``graph.query("drugs_of_gene", gene="JAK1")``.
        timeout : float or None
            Seconds it may take, 120 unless said otherwise; None for no limit.
        limit : int, optional
            Rows to return at most; a parameter ``$limit`` of the query goes into `params`.
        **named
            Further values of its parameters.

        Returns
        -------
        pyarrow.Table
            One column per column of the result; ``.to_pandas()`` makes a data frame.

        Raises
        ------
        QueryError
            It does not parse, would write, or runs past its time.
        """
        from tosg.kg.query import run as user_query

        values = {**(params or {}), **named}
        return user_query.run(self.db, query, values, timeout=timeout, limit=limit)

    def search(self, text: str, *, types: Sequence[str] | None = None, k: int = 10) -> pa.Table:
        """Find entities by meaning and by words; see `tosg.kg.search.hybrid.search`."""
        from tosg.kg.search.hybrid import search

        return search(self.db, text, types=types, k=k)

    def load(
        self,
        source: str,
        *paths: str | os.PathLike[str],
        source_options: Mapping[str, Any] | None = None,
        prune: bool = False,
        **options: Any,
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
        prune : bool
            Withdraw what the source claimed before and these files do not say; without `paths`,
            all that it claimed.
        **options
            Of `tosg.loaders.pipeline.load.load`: ``exclude_licenses``, ``settle``, ``progress``.

        Raises
        ------
        ConfigError
            There are no paths, and nothing is to be withdrawn; an option is unknown.
        DataError
            A file is missing or wrong; nothing was written.
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
        return pipeline.load(
            self.settings, given, prune=[loader.source] if prune else [], **options
        )

    def build(
        self, recipe: str | os.PathLike[str], data: str | os.PathLike[str], **options: Any
    ) -> BuildResult:
        """Make the graph of a recipe; see `tosg.loaders.pipeline.build.build`."""
        from tosg.loaders.pipeline.build import build

        name = recipe if isinstance(recipe, str) else Path(recipe)
        return build(self.settings, name, Path(data), **options)

    def attach_cells(
        self,
        path: str | os.PathLike[str],
        mapping: CellMapping | Mapping[str, str] | None = None,
        **options: Any,
    ) -> AttachReport:
        """Attach a file of cells; see `tosg.kg.cells.attach.attach`.

        Parameters
        ----------
        path : path
            h5ad file, zarr folder, or what 10x writes.
        mapping : CellMapping or mapping, optional
            Field of a cell to column of ``obs``, as ``{"donor_id": "patient"}``.
        **options
            ``id``, ``storage``, ``markers``, ``unit``, ...
        """
        from tosg.kg.cells.attach import attach
        from tosg.kg.cells.obs.mapping import CellMapping

        if mapping is not None and not isinstance(mapping, CellMapping):
            mapping = CellMapping.read(
                maps=[f"{field}={column}" for field, column in mapping.items()]
            )
        return attach(self.db, Path(path), mapping, **options)

    def embed(self, model: str | None = None, **options: Any) -> EmbedReport:
        """Compose and embed the texts that changed; see `tosg.kg.embed.run.embed`."""
        from tosg.kg.embed.run import embed

        return embed(self.db, model, **options)

    def export(
        self,
        out: str | os.PathLike[str],
        selection: Selection | None = None,
        *,
        workers: int = 1,
        resume: bool = False,
        dry_run: bool = False,
        timeout: float | None = SELECTION_TIMEOUT,
        **fields: Any,
    ) -> ExportResult:
        """Export a selection to a training set in `out`.

        Parameters
        ----------
        out : path
            A folder that is not there or empty.
        selection : Selection, optional
            What to export; or its fields by name: ``nodes``, ``cells``, ``params``, ``level``,
            ``target``, ``split``, ``seed``, ...
        workers, resume, dry_run, timeout
            See `tosg.export.write.export.export`.
        **fields
            Fields of `Selection`, over those of `selection`.
        """
        import dataclasses

        from tosg.export.selection import Selection
        from tosg.export.write.export import export

        chosen = dataclasses.replace(selection or Selection(), **fields)
        return export(
            self.db, chosen, out, workers=workers, resume=resume, dry_run=dry_run, timeout=timeout
        )

    def datasets(self) -> list[DatasetInfo]:
        """The data sets of cells that are attached; see `tosg.kg.cells.stored.dataset`."""
        from tosg.kg.cells.stored.dataset import datasets

        return datasets(self.db)

    def remap_cells(self, dataset: str) -> RemapReport:
        """Map the variables of a data set anew; see `tosg.kg.cells.remap.remap`."""
        from tosg.kg.cells.remap import remap

        return remap(self.db, dataset)

    def detach_cells(self, dataset: str) -> int:
        """Take a data set's cells out of the graph; see `tosg.kg.cells.remap.detach`."""
        from tosg.kg.cells.remap import detach

        return detach(self.db, dataset)

    def report(self, id_: str | None = None) -> dict[str, Any]:
        """The report of a load, by default of the latest; see `tosg.kg.report.kept`."""
        from tosg.kg.report.kept import read_report

        return read_report(self.db, id_)

    def check(self) -> list[Finding]:
        """What does not fit the schema or the last report; see `tosg.kg.report.check`."""
        from tosg.kg.report.check import check

        return check(self.db)

    def stats(self) -> GraphCounts:
        """Counts of nodes per label and relationships per type."""
        from tosg.kg.database import counts as stats

        return stats.count(self.db)
