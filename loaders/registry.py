"""The loaders by name: the modules of `tosg.loaders.sources`, and plug-ins.

A module's name is its source's. It is imported only when its loader is asked for. Other packages
add sources by an entry point of the group ``tosg.sources``: the name of the source, and the class
of its loader (see ``docs/writing-a-source.md``).
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, unknown
from tosg.loaders import sources
from tosg.loaders.base import Loader

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Group of the entry points by which other packages add sources.
ENTRY_POINTS = "tosg.sources"


def names() -> list[str]:
    """Names of all sources, in alphabetical order."""
    return sorted({*_modules(), *_plugins()})


def loader_class(name: str) -> type[Loader]:
    """Class of a source's loader.

    Raises
    ------
    UsageError
        There is no source of that name; the nearest ones are listed.
    ConfigError
        A plug-in has the name of another source, cannot be imported, or is no loader.
    """
    if name in _modules():
        return _class_in(name)
    plugin = _plugins().get(name)
    if plugin is None:
        raise unknown("source", name, names())
    return _from_plugin(plugin)


def make(name: str, options: Mapping[str, Any] | None = None) -> Loader:
    """Loader of a name, with its options."""
    return loader_class(name)(options)


@cache
def _modules() -> frozenset[str]:
    found = (module.name for module in pkgutil.iter_modules(sources.__path__))
    return frozenset(name for name in found if not name.startswith("_"))


@cache
def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in _modules() or point.name in found:
            raise ConfigError(
                "a plug-in has the name of another source",
                where=f"entry point {point.name} = {point.value}",
                found=point.name,
                hint="rename the source, or uninstall the package that adds it",
            )
        found[point.name] = point
    return found


def _class_in(name: str) -> type[Loader]:
    module = importlib.import_module(f"tosg.loaders.sources.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Loader)
        and value.__module__ == module.__name__
        and getattr(value, "name", None) == name
    ]
    if len(found) != 1:
        raise ConfigError(
            "a module of sources defines no loader of its name",
            where=module.__name__,
            found=f"{len(found)} classes",
            expected=f"one subclass of Loader with name = {name!r}",
        )
    return found[0]


def _from_plugin(point: EntryPoint) -> type[Loader]:
    where = f"entry point {point.name} = {point.value}"
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            "a plug-in cannot be imported",
            where=where,
            found=error,
            hint="reinstall or uninstall the package that adds it",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Loader) and found.name == point.name):
        raise ConfigError(
            "a plug-in is not a loader of its name",
            where=where,
            found=found,
            expected=f"a subclass of tosg.loaders.base.Loader with name = {point.name!r}",
        )
    return found
