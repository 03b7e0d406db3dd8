"""What comes with tosg, without any graph: sources, statements and the schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from tosg.cypher.header import Statement
    from tosg.loaders.base import FileSpec, Loader
    from tosg.loaders.pipeline.fetch import PlannedFile as PlannedFile


def source_names() -> list[str]:
    """List the names of all sources, in alphabetical order; imports none of them."""
    from tosg.loaders import registry

    return registry.names()


def recipe_names() -> list[str]:
    """List the names of the recipes that come with tosg."""
    from tosg.loaders.pipeline.recipe import packaged

    return sorted(packaged())


def sources(names: Iterable[str] = ()) -> list[type[Loader]]:
    """List sources: what each is, which files it needs, its licence and options.

    Parameters
    ----------
    names : iterable of str
        Only these; by default all, in alphabetical order.

    Returns
    -------
    list of type
        Loader classes: ``name``, ``title``, ``homepage``, ``license``, ``files``, ``options``.

    Raises
    ------
    UsageError
        There is no source of that name.
    """
    from tosg.loaders import registry

    return [registry.loader_class(name) for name in tuple(names) or registry.names()]


def fetch(
    source: str, folder: str | os.PathLike[str], *, progress: Progress = silent
) -> list[tuple[FileSpec, Path | None, str]]:
    """Download the files of a source that are not in the folder yet.

    Parameters
    ----------
    source : str
        Its name.
    folder : path
        Where the files go; made when missing.
    progress : Progress
        Called with each file and how many of its bytes have come.

    Returns
    -------
    list of (FileSpec, Path or None, str)
        Per file its place and "fetched", "there already" or, without a path, what to do.

    Raises
    ------
    UsageError
        There is no source of that name.
    DataError
        A file cannot be downloaded, or has another hash than expected.
    """
    from tosg.loaders.pipeline.fetch import fetch

    (loader,) = sources([source])
    return fetch(loader, Path(folder), progress=progress)


def statements() -> Mapping[str, Statement]:
    """List the named statements: parameters, columns, Cypher and what each answers."""
    from tosg.kg.query.statements import statements

    return statements()


def find_statement(query: str) -> Statement:
    """Find the statement of a query: by name, in ``@file``, or the Cypher itself.

    Parameters
    ----------
    query : str
        Name of a statement, ``@file``, or Cypher.

    Returns
    -------
    Statement
        Its parameters, columns and Cypher; without a header, the parameters in the text.

    Raises
    ------
    UsageError
        It looks like a name, and no statement has it.
    ConfigError
        The file cannot be read.
    """
    from tosg.kg.query.statements import find_statement

    return find_statement(query)


def type_names() -> list[str]:
    """List the labels of the entity types."""
    from tosg.kg.schema.types import entity_types

    return list(entity_types())


def describe_schema() -> dict[str, Any]:
    """Describe the schema as plain values: types, pairs, properties, indexes."""
    from tosg.kg.schema import page

    return page.as_dict()


def write_schema_page() -> str:
    """Write the schema as the page of the documentation, in Markdown."""
    from tosg.kg.schema import page

    return page.markdown()


def make_neodash() -> dict[str, Any]:
    """Make a dashboard of the named statements and the schema, for NeoDash 2.4.

    Returns
    -------
    dict
        What NeoDash imports as JSON: a page for each kind of question.
    """
    from tosg.interop import neodash

    return neodash.make_neodash()


def make_grass() -> str:
    """Make a style sheet of the schema's types, in the ``.grass`` form of Neo4j Browser."""
    from tosg.interop import grass

    return grass.make_grass()


def check_fetched(names: Iterable[str]) -> list[PlannedFile]:
    """Compare the cache with the addresses of some sources' files: what is there, what is newer.

    Parameters
    ----------
    names : iterable of str
        Names of the sources.

    Returns
    -------
    list of PlannedFile
        Each file of each source; ``path`` where it is in the cache.

    Raises
    ------
    UsageError
        There is no source of a name; the nearest ones are listed.
    """
    from tosg.loaders import registry
    from tosg.loaders.pipeline.fetch import cache_folder, plan_fetch

    return plan_fetch([registry.loader_class(name) for name in names], cache_folder())
