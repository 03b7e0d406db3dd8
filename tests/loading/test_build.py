"""Recipes: built, built again, gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loads import RECIPE, held, wiped
from support.sources import FILES, write_source

from tosg.errors import DataError
from tosg.kg.database import counts as stats
from tosg.kg.server.connect import connect
from tosg.loaders.pipeline import build as builds
from tosg.loaders.pipeline import load as pipeline
from tosg.loaders.pipeline.load import SourceInput
from tosg.loaders.pipeline.receipts import read_build

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j


def test_a_recipe_is_built_and_built_again(empty: Settings, data: Path, recipe: Path) -> None:
    first = builds.build(empty, recipe, data)
    assert first.loaded == RECIPE
    assert [r.way for r in first.reports] == ["bolt"]  # all sources together
    before = held(empty)
    again = builds.build(empty, recipe, data)
    assert (again.loaded, again.done) == ([], RECIPE)
    assert not again.changed
    with connect(empty) as db:
        kept = read_build(db, "small")
    assert kept["complete"]
    assert kept["sources"]["uniprot"]["files"]["proteins"]["name"] == "uniprot/uniprot.tab"
    assert len(kept["sources"]["uniprot"]["files"]["proteins"]["sha256"]) == 64
    assert held(empty) == before


def test_a_changed_file_alone_is_loaded_again(empty: Settings, data: Path, recipe: Path) -> None:
    builds.build(empty, recipe, data, way="bolt")
    name, text = FILES["trrust"]["regulation"]
    write_source("trrust", data / "trrust", {"regulation": text.splitlines()[0].encode() + b"\n"})
    again = builds.build(empty, recipe, data, way="bolt")
    assert again.loaded == ["trrust"]
    assert again.changed
    changed = held(empty)
    wiped(empty)
    builds.build(empty, recipe, data, way="bolt")
    assert held(empty) == changed  # what the old file said is gone
    assert name in str(again.reports[0].as_dict())


def test_it_goes_on_where_it_stopped(
    empty: Settings, data: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline.load
    calls: list[str] = []

    def stopping(settings: Settings, sources: list[SourceInput], **options: object) -> object:
        calls.append(sources[0].loader.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(settings, sources, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "load", stopping)
    with pytest.raises(KeyboardInterrupt):
        builds.build(empty, recipe, data, way="bolt")
    monkeypatch.setattr(pipeline, "load", real)
    with connect(empty) as db:
        kept = read_build(db, "small")
    assert not kept["complete"]
    assert sorted(kept["sources"]) == sorted(RECIPE[:2])
    result = builds.build(empty, recipe, data, way="bolt")
    assert result.done == RECIPE[:2]
    assert result.loaded == RECIPE[2:]
    whole = held(empty)
    wiped(empty)
    builds.build(empty, recipe, data, way="bolt")
    assert held(empty) == whole


def test_a_missing_file_is_found_before_anything_is_read(
    empty: Settings, data: Path, recipe: Path
) -> None:
    (data / "trrust" / "trrust_rawdata.human.tsv").unlink()
    with pytest.raises(DataError, match="needs a file that is not there"):
        builds.build(empty, recipe, data, way="bolt")
    with connect(empty) as db:
        assert stats.is_empty(db)
    with pytest.raises(DataError, match="data folder"):
        builds.build(empty, recipe, data / "none")
