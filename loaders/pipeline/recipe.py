"""Recipes: YAML files that say which sources, files and options make a graph.

::

    title: Open human graph
    exclude_licenses: ["CC BY-NC*"]       # optional; patterns, case does not matter
    embed: true                           # optional; whether `tosg build` embeds at the end
    sources:
      - source: hetionet                  # a loader; `tosg sources` lists them
        files: [hetionet]                 # files or folders below --data; by default all of it
        options: {release: "1.0"}         # optional; the loader's own

Recipes that come with the package are named without a path: ``open-human``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tosg.errors import DataError, TosgError, unknown
from tosg.loaders.registry import make, names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.loaders.base import Loader

_KEYS = ("title", "description", "exclude_licenses", "embed", "sources")
_SOURCE_KEYS = ("source", "files", "options")


@dataclass(frozen=True)
class RecipeSource:
    """One source of a recipe.

    Attributes
    ----------
    name : str
        The loader's.
    files : tuple of str
        Files or folders below the data folder; empty for the whole of it.
    options : mapping
        The loader's options.
    where : str
        File and line, for errors.
    """

    name: str
    files: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def loader(self) -> Loader:
        """Make the loader with its options."""
        return make(self.name, self.options)

    def locate(self, data: Path) -> dict[str, Path]:
        """Find the source's files below the data folder.

        Raises
        ------
        DataError
            A file or folder is not there.
        """
        paths = [data / name for name in self.files] or [data]
        for path in paths:
            if not path.exists():
                raise DataError(
                    f"a file of the source {self.name} is not there",
                    where=self.where,
                    found=path,
                    hint="is --data the right folder?",
                )
        return self.loader().locate(paths)


@dataclass(frozen=True)
class Recipe:
    """What makes a graph.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    path : str
        Where it was read from.
    text : str
        The file itself.
    sources : tuple of RecipeSource
        In the order of the file; the graph does not depend on it.
    exclude_licenses : tuple of str
        Patterns of licences whose claims are left out.
    embed : bool
        Whether vectors are made at the end.
    """

    name: str
    path: str
    text: str
    sources: tuple[RecipeSource, ...]
    title: str = ""
    exclude_licenses: tuple[str, ...] = ()
    embed: bool = True


def packaged() -> dict[str, Path]:
    """Recipes that come with the package, by name."""
    folder = resources.files("tosg") / "recipes"
    found = sorted(p for p in Path(str(folder)).glob("*.yaml"))
    return {p.stem: p for p in found}


def read_recipe(recipe: str | Path) -> Recipe:
    """Read and check a recipe.

    Parameters
    ----------
    recipe : str or Path
        Name of a recipe of the package, or a YAML file.

    Raises
    ------
    UsageError
        There is no recipe of that name; a source, option or key is unknown (the nearest are
        listed).
    DataError
        The file is not there, empty, not YAML, or not a recipe; with file and line.
    """
    path = _find(recipe)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError("there is no such recipe file", where=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "the recipe cannot be read", where=path, found=error, expected="YAML in UTF-8"
        ) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise DataError(
            "the recipe is not YAML",
            where=f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path,
            found=problem or " ".join(str(error).split()),
            hint="see docs/loading.md for what a recipe looks like",
        ) from error
    if root is None:
        raise DataError(
            "the recipe is empty",
            where=path,
            expected="a key `sources` at least",
            hint="see docs/loading.md",
        )
    return _Reader(path).recipe(root, text)


def _find(recipe: str | Path) -> Path:
    known = packaged()
    if isinstance(recipe, str) and recipe in known:
        return known[recipe]
    path = Path(recipe)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        raise unknown("recipe", recipe, known)
    return path


class _Reader:
    """Walks the YAML's nodes, which know their lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recipe(self, root: yaml.Node, text: str) -> Recipe:
        top = self._mapping(root, "the recipe", _KEYS)
        if "sources" not in top:
            raise DataError(
                "the recipe names no sources",
                where=self._path,
                found=f"keys {', '.join(top)}" if top else "nothing",
                expected="a list under the key `sources`",
            )
        sources = tuple(self._source(n) for n in self._list(top["sources"], "sources"))
        if not sources:
            raise DataError("the recipe names no sources", where=self._where(top["sources"]))
        self._no_twins(sources)
        return Recipe(
            name=self._path.stem,
            path=str(self._path),
            text=text,
            sources=sources,
            title=self._text(top["title"], "title") if "title" in top else "",
            exclude_licenses=tuple(self._texts(top.get("exclude_licenses"), "exclude_licenses")),
            embed=self._flag(top["embed"], "embed") if "embed" in top else True,
        )

    def _source(self, node: yaml.Node) -> RecipeSource:
        where = self._where(node)
        if isinstance(node, yaml.ScalarNode):
            parts: dict[str, yaml.Node] = {"source": node}
        else:
            parts = self._mapping(node, "a source", _SOURCE_KEYS)
        if "source" not in parts:
            raise DataError("a source has no name", where=where, expected="a key `source`")
        name = self._text(parts["source"], "source")
        if name not in names():
            raise unknown("source", name, names(), where=self._where(parts["source"]))
        options = self._options(parts["options"]) if "options" in parts else {}
        files = tuple(self._texts(parts.get("files"), "files"))
        for file in files:
            if Path(file).is_absolute() or ".." in Path(file).parts:
                raise self._wrong(
                    parts["files"], "the recipe's files", "names below the data folder", file
                )
        source = RecipeSource(name, files, options, where)
        try:
            source.loader()
        except TosgError as error:
            error.where = f"{where}, {error.where}" if error.where else where
            raise
        return source

    def _options(self, node: yaml.Node) -> dict[str, str]:
        """Options as the text that stands in the file: ``1.10`` is not the number 1.1."""
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, "the recipe's options", "keys and values")
        options: dict[str, str] = {}
        for key, value in node.value:
            items = value.value if isinstance(value, yaml.SequenceNode) else [value]
            if not all(isinstance(item, yaml.ScalarNode) for item in items):
                raise self._wrong(
                    value, f"the recipe's option {key.value}", "a text or a list of texts"
                )
            options[str(key.value)] = ",".join(item.value for item in items)
        return options

    def _no_twins(self, sources: tuple[RecipeSource, ...]) -> None:
        seen: dict[str, str] = {}
        for source in sources:
            if source.name in seen:
                raise DataError(
                    f"the source {source.name} is in the recipe twice",
                    where=source.where,
                    found=f"first at {seen[source.name]}",
                    hint="give all its files in one place",
                )
            seen[source.name] = source.where

    def _mapping(self, node: yaml.Node, what: str, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, what, f"keys: {', '.join(known)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                raise unknown(f"key of {what}", name, known, where=self._where(key))
            if name in found:
                raise DataError(f"the key {name} is given twice", where=self._where(key))
            found[name] = value
        return found

    def _list(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._wrong(node, f"the recipe's {key}", "a list")
        return list(node.value)

    def _texts(self, node: yaml.Node | None, key: str) -> list[str]:
        if node is None:
            return []
        return [self._text(n, key) for n in self._list(node, key)]

    def _text(self, node: yaml.Node, key: str) -> str:
        value = self._value(node)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(node, f"the recipe's {key}", "a text", repr(value))
        return value

    def _flag(self, node: yaml.Node, key: str) -> bool:
        value = self._value(node)
        if not isinstance(value, bool):
            raise self._wrong(node, f"the recipe's {key}", "true or false", repr(value))
        return value

    def _value(self, node: yaml.Node) -> Any:
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, TypeError) as error:
            raise DataError(
                "a value in the recipe cannot be read", where=self._where(node), found=error
            ) from error
        finally:
            loader.dispose()

    def _wrong(self, node: yaml.Node, what: str, expected: str, found: object = None) -> DataError:
        shown = found if found is not None else _kind(node)
        return DataError(
            f"{what} has a wrong value",
            where=self._where(node),
            found=shown,
            expected=expected,
        )

    def _where(self, node: yaml.Node) -> str:
        return f"{self._path}, line {node.start_mark.line + 1}"


def _kind(node: yaml.Node) -> str:
    kinds: dict[type[yaml.Node], str] = {
        yaml.MappingNode: "keys and values",
        yaml.SequenceNode: "a list",
    }
    return kinds.get(type(node), f"{node.value!r}")
