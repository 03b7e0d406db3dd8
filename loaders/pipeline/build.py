"""``tosg build``: a recipe's graph, whole or from where it stopped.

What was used (files with their hashes, options, versions) is kept in the graph as
``(:TosgBuild {id, complete, json})``. A source whose entry there says what the recipe and the
files say now is done; the others are loaded. Into an empty managed database everything goes in
one import, which is all or nothing; over Bolt each source is a load of its own.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.files import hash_file
from tosg.html_text import facts_html
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.database.lease import PATIENCE, hold_lease
from tosg.kg.report.kept import write_node
from tosg.kg.schema.types import SCHEMA_VERSION
from tosg.kg.server.connect import connect
from tosg.loaders.pipeline import load as pipeline
from tosg.loaders.pipeline.fetch import PlannedFile, cache_folder
from tosg.loaders.pipeline.inputs import fetch_inputs, find_inputs
from tosg.loaders.pipeline.receipts import read_build, write_build
from tosg.loaders.pipeline.recipe import Recipe, RecipeSource, read_recipe
from tosg.loaders.pipeline.settle import settle
from tosg.progress import Progress, silent
from tosg.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.kg.report.load_report import LoadReport
    from tosg.loaders.pipeline.load import SourceInput
    from tosg.settings import Settings


@dataclass
class BuildResult:
    """What a build did.

    Attributes
    ----------
    recipe : str
        Its name.
    loaded, done : list of str
        Sources that were loaded now, and those that were there already.
    left : list of str
        Sources of an earlier build that the recipe no longer names; their claims stay.
    reports : list of LoadReport
        One per load.
    embedded : int or None
        Texts that were embedded; None where that was left for later.
    not_fetched : dict
        Sources of the recipe that were left out since their files are not fetched, and why.
    """

    recipe: str
    loaded: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    reports: list[LoadReport] = field(default_factory=list)
    embedded: int | None = None
    not_fetched: dict[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether the build changed the graph."""
        return any(r.changed for r in self.reports)

    def _repr_html_(self) -> str:
        made = sum(r.written.total("nodes").made for r in self.reports)
        related = sum(r.written.total("relationships").made for r in self.reports)
        return facts_html(
            f"Recipe {self.recipe}",
            [
                ("loaded", ", ".join(self.loaded)),
                ("there already", ", ".join(self.done)),
                ("nodes made", made),
                ("relationships made", related),
                ("texts embedded", self.embedded),
            ],
            self.lines(),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "recipe": self.recipe,
            "changed": self.changed,
            "loaded": self.loaded,
            "done": self.done,
            "left": self.left,
            "embedded": self.embedded,
            "not_fetched": self.not_fetched,
            "reports": [r.as_dict() for r in self.reports],
        }

    def lines(self) -> list[str]:
        """What to say about it, besides the reports."""
        lines = []
        if not self.loaded:
            lines.append(f"{self.recipe}: nothing changed since it was built")
        elif self.done:
            lines.append(f"there already: {', '.join(self.done)}")
        lines += [
            f"{name} is no longer in the recipe; its claims stay until `tosg load {name} --prune`"
            for name in self.left
        ]
        lines += [f"{name} was left out; {why}" for name, why in self.not_fetched.items()]
        if unmatched := pipeline.unmatched_line(self.reports):
            lines.append(unmatched)
        if self.embedded is None:
            lines.append("vectors were left for later: `tosg embed` (extra tosg[embed])")
        return lines


def build(
    settings: Settings,
    recipe: str | Path | Recipe,
    data: Path | None = None,
    *,
    exclude_licenses: Sequence[str] = (),
    include_licenses: Sequence[str] = (),
    confirm: Callable[[list[PlannedFile]], bool] | None = None,
    cache: Path | None = None,
    embed: bool | None = None,
    way: pipeline.Way = "auto",
    progress: Progress = silent,
) -> BuildResult:
    """Make the graph of a recipe.

    Parameters
    ----------
    settings : Settings
        Which graph.
    recipe : str, Path or Recipe
        Name of a packaged recipe, a file, or one that was read.
    data : Path, optional
        Folder below which its files lie; without it, they are taken from the cache, and fetched
        from the sources where they are not there.
    exclude_licenses, include_licenses, confirm, embed, progress
        As of `tosg.KnowledgeGraph.build`.
    cache : Path, optional
        See `tosg.loaders.pipeline.fetch.cache_folder`.
    way : {"auto", "import", "bolt"}
        See `tosg.loaders.pipeline.load.load`.

    Raises
    ------
    DataError, UsageError
        The recipe or a file is wrong; nothing was written.
    DatabaseError
        The database is not there or went away; the next build goes on from there.
    """
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe)
    if data is not None and not data.is_dir():
        raise DataError("the data folder is not there", where="--data", found=data)
    excluded = sorted({*recipe.exclude_licenses, *exclude_licenses})
    result = BuildResult(recipe.name)
    base = data or cache or cache_folder()
    if data is None:
        given = fetch_inputs(recipe, base, include_licenses, confirm, progress)
    else:
        given = find_inputs(recipe, data)
    inputs, result.not_fetched = given
    progress("hashing files", None)
    sources = [s for s in recipe.sources if s.name in inputs]
    entries = {s.name: _entry(s, inputs[s.name], base, excluded) for s in sources}
    with connect(settings) as db:
        known = read_build(db, recipe.name).get("sources", {})
    result.done = [n for n, e in entries.items() if known.get(n) == e]
    result.left = sorted(set(known) - set(entries))
    todo = [n for n in entries if n not in result.done]
    kept = {n: known[n] for n in (*result.done, *result.left)}
    for group in _groups(settings, todo, way):
        report = pipeline.load(
            settings,
            [inputs[n] for n in group],
            exclude_licenses=excluded,
            prune=[n for n in group if n in known],
            settle=False,
            way=way,
            progress=progress,
        )
        result.reports.append(report)
        result.loaded += group
        kept.update({n: entries[n] for n in group})
        with connect(settings) as db:
            write_build(db, recipe, kept, complete=len(result.loaded) == len(todo))
    with connect(settings) as db:
        _settle_last(db, result, progress)
        if recipe.embed if embed is None else embed:
            result.embedded = _embed(db, progress)
    return result


def _settle_last(db: Database, result: BuildResult, progress: Progress) -> None:
    """Settle what the loads of a build left for the end, with the last load's report."""
    last = result.reports[-1] if result.reports else None
    if last is None and not read_meta(db).unsettled:
        return
    with hold_lease(db, f"tosg build {result.recipe}", wait=PATIENCE) as held:
        settle(db, held, last, progress)
        if last is not None:
            write_node(db, last)


def _groups(settings: Settings, todo: list[str], way: pipeline.Way) -> list[list[str]]:
    """Sources that are loaded together: all of them where everything is imported."""
    if not todo:
        return []
    with connect(settings) as db:
        together = pipeline.chosen(way, settings, db) == "import"
    return [todo] if together else [[name] for name in todo]


def _entry(
    source: RecipeSource, given: SourceInput, data: Path, excluded: list[str]
) -> dict[str, Any]:
    """What the graph keeps about one source: equal entries mean equal claims."""
    files = {}
    for key, path in sorted(given.files.items()):
        name = path.relative_to(data) if path.is_relative_to(data) else path
        files[key] = {"name": str(name), "sha256": hash_file(path), "bytes": path.stat().st_size}
    return {
        "files": files,
        "options": json.loads(json.dumps(dict(source.options), default=str, sort_keys=True)),
        "exclude_licenses": excluded,
        "release": given.loader.release(given.files),
        "tosg": VERSION,
        "schema_version": SCHEMA_VERSION,
    }


def _embed(db: Database, progress: Progress) -> int | None:
    """Make the vectors; None where this installation has no embedder."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return None
    from tosg.kg.embed.run import embed

    return embed(db, compose=False, progress=progress).embedded
