"""Files of a recipe's sources: those below a folder, or from the cache and the web."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.errors import DataError, UsageError
from tosg.loaders.base import NoFileError
from tosg.loaders.pipeline import load as pipeline
from tosg.loaders.pipeline.fetch import PlannedFile, fetch_planned, is_non_commercial, plan_fetch
from tosg.loaders.pipeline.load import SourceInput
from tosg.loaders.registry import loader_class

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tosg.loaders.base import Loader
    from tosg.loaders.pipeline.recipe import Recipe
    from tosg.progress import Progress


def find_inputs(recipe: Recipe, data: Path) -> tuple[dict[str, SourceInput], dict[str, str]]:
    """Sources whose files are below the data folder, and what is missing for the others.

    A source for which the recipe names files must have them.
    """
    inputs: dict[str, SourceInput] = {}
    missing: dict[str, str] = {}
    for source in recipe.sources:
        try:
            inputs[source.name] = SourceInput(source.loader(), source.locate(data))
        except NoFileError as error:
            if source.files:
                raise
            missing[source.name] = f"{error.what} ({error.expected}); {error.hint}"
    if not inputs:
        raise DataError(
            "none of the recipe's sources has its files there",
            where="--data",
            found=data,
            hint="without --data the files are fetched; `tosg sources` says what each needs",
        )
    return inputs, missing


def fetch_inputs(
    recipe: Recipe,
    cache: Path,
    include: Sequence[str],
    confirm: Callable[[list[PlannedFile]], bool] | None,
    progress: Progress,
) -> tuple[dict[str, SourceInput], dict[str, str]]:
    """Files of the recipe's sources from the cache or the web, and the sources left out, why."""
    left: dict[str, str] = {}
    loaders: list[type[Loader]] = []
    files: dict[str, dict[str, Path]] = {}
    for source in recipe.sources:
        loader = loader_class(source.name)
        if loader.packaged:
            files[source.name] = source.loader().locate([_find_packaged(loader.packaged)])
            continue
        allowed = bool(pipeline.matching([loader.license], include))
        by_hand = [s.filename for s in loader.files if s.required and s.url is None]
        if is_non_commercial(loader.license) and not allowed:
            left[source.name] = f"licence {loader.license}: --include-license"
        elif by_hand:
            left[source.name] = f"has to be downloaded by hand: {', '.join(by_hand)}"
        else:
            loaders.append(loader)
    if not loaders and not files:
        raise UsageError(
            "no source of the recipe may be fetched, so nothing was built",
            where=recipe.name,
            found="; ".join(f"{name}: {why}" for name, why in left.items()),
            hint="--data DIR takes files that are there",
        )
    if loaders:
        files |= _fetch(recipe, loaders, cache, confirm, progress)
    sources = [s for s in recipe.sources if s.name in files]
    return {s.name: SourceInput(s.loader(), files[s.name]) for s in sources}, left


def _find_packaged(folder: str) -> Path:
    """Find a folder of the installed package."""
    return Path(str(resources.files("tosg"))).joinpath(*folder.split("/"))


def _fetch(
    recipe: Recipe,
    loaders: Sequence[type[Loader]],
    cache: Path,
    confirm: Callable[[list[PlannedFile]], bool] | None,
    progress: Progress,
) -> dict[str, dict[str, Path]]:
    progress("asking the sources", None)
    planned = plan_fetch(loaders, cache)
    missing = [f for f in planned if f.path is None and f.url is not None]
    if missing and confirm is not None and not confirm(missing):
        raise UsageError(
            "nothing was fetched, so nothing was built",
            where=recipe.name,
            hint="--yes fetches without asking; --data DIR takes files that are there",
        )
    return fetch_planned(planned, loaders, cache, progress=progress)
