"""Whole loads of small sources in the original formats, both ways, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pandas as pd
import psutil
import pytest
from support import cells
from support.graphs import content
from support.servers import managed_settings
from support.sources import FILES, write_source

from tosg.kg import check, ddl, report, stats
from tosg.kg import server as managed
from tosg.kg.cells.attach import attach
from tosg.kg.cells.dataset import datasets
from tosg.kg.database import Database
from tosg.kg.errors import DatabaseError, DataError, TosgError
from tosg.kg.meta import read_meta
from tosg.loaders import build as builds
from tosg.loaders import pipeline, registry
from tosg.loaders.pipeline import SourceInput, load, matching

if TYPE_CHECKING:
    from pathlib import Path

    from support.graphs import Content

    from tosg.kg.settings import Settings

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(600)]

SOURCES = list(FILES)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the small files of every source, and a recipe beside it."""
    folder = tmp_path / "data"
    lines = ["exclude_licenses: []", "embed: false", "sources:"]
    for name in SOURCES:
        write_source(name, folder / name)
        lines += [f"  - source: {name}", f"    files: [{name}]"]
    (tmp_path / "small.yaml").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def recipe(data: Path) -> Path:
    return data.parent / "small.yaml"


@pytest.fixture
def empty(settings: Settings, database: Database) -> Settings:
    """Settings of the managed server with an empty database and no connection open."""
    database.close()
    return settings


def inputs(data: Path, names: list[str] = SOURCES) -> list[SourceInput]:
    return [SourceInput.locate(registry.make(n), [data / n]) for n in names]


def held(settings: Settings) -> Content:
    with Database.open(settings) as db:
        return content(db)


@pytest.mark.lts
def test_both_ways_and_any_order_give_the_same_graph(empty: Settings, data: Path) -> None:
    first = load(empty, inputs(data))
    assert first.way == "import"
    imported = held(empty)
    assert imported["nodes"]
    assert imported["relationships"]
    with Database.open(empty) as db:
        assert check.check(db) == []
        meta = read_meta(db)
        assert meta.next_idx == len(imported["nodes"])

    again = load(empty, inputs(data))
    assert again.way == "bolt"
    assert not again.changed
    assert held(empty) == imported

    shuffled = SOURCES.copy()
    random.Random(3).shuffle(shuffled)  # noqa: S311
    _wipe(empty)
    for name in shuffled:
        load(empty, inputs(data, [name]), way="bolt", texts=False)
    with Database.open(empty) as db:
        pipeline.refresh_texts(db, lambda _stage, _share: None)
    assert held(empty) == imported
    with Database.open(empty) as db:
        assert check.check(db) == []


def test_one_import_in_another_order(empty: Settings, data: Path) -> None:
    load(empty, inputs(data))
    imported = held(empty)
    _wipe(empty)
    load(empty, inputs(data, SOURCES[::-1]))
    assert held(empty) == imported


def _wipe(settings: Settings) -> None:
    from support.servers import wipe

    with Database.open(settings) as db:
        wipe(db)


def test_the_report_adds_up_and_is_kept(empty: Settings, data: Path) -> None:
    made = load(empty, inputs(data))
    made.check_sums()
    assert {s.source for s in made.sources} == set(SOURCES)
    assert all(len(h) == 64 for h in made.hashes.values())
    total = sum(c.given for c in made.claims.values())
    assert total == sum(c.made + c.merged + c.unchanged + c.rejected for c in made.claims.values())
    with Database.open(empty) as db:
        assert report.read_report(db)["claims"] == made.as_dict()["claims"]
    kept = empty.home / "reports" / f"{made.id}.json"
    assert kept.is_file()


def test_licences_are_left_out_before_merging(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["hetionet"]), exclude_licenses=["cc by-nc*"])
    with Database.open(empty) as db:
        rows = db.rows(
            "MATCH ()-[r]->() UNWIND r.licenses AS license RETURN DISTINCT license ORDER BY license"
        )
    licenses = [r["license"] for r in rows]
    assert licenses
    assert not any(name.startswith("CC BY-NC") for name in licenses)


def test_patterns_of_licences() -> None:
    licenses = {"CC BY 4.0", "CC BY-NC 4.0", "CC BY-NC-SA 4.0", ""}
    assert matching(licenses, ["cc by-nc*"]) == ["CC BY-NC 4.0", "CC BY-NC-SA 4.0"]
    assert matching(licenses, ["CC BY 4.0"]) == ["CC BY 4.0"]
    assert matching(licenses, [""]) == [""]
    assert matching(licenses, []) == []


def test_a_failing_count_fails_the_load(
    empty: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody adds a gene between the write and the check."""
    real = ddl.ensure

    def meddle(db: Database, **options: object) -> list[str]:
        db.write("CREATE (:Entity:Gene {id: 'x:1', idx: -1})")
        return real(db, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ddl, "ensure", meddle)
    with pytest.raises(TosgError, match="does not hold what the load wrote") as caught:
        load(empty, inputs(data, ["uniprot", "ncbi_gene"]))
    assert ":Gene:" in str(caught.value)
    (_kept,) = (empty.home / "reports").glob("*.json") if False else [None]
    with Database.open(empty) as db:
        assert report.report_ids(db) == []


def test_a_wrong_file_leaves_the_graph_as_it_was(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["uniprot"]))
    before = held(empty)
    (data / "hgnc" / "hgnc.json.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError):
        load(empty, inputs(data, ["ncbi_gene", "hgnc"]))
    assert held(empty) == before


def test_an_import_needs_an_empty_managed_database(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["uniprot"]))
    with pytest.raises(DataError, match="only an empty managed database"):
        load(empty, inputs(data, ["uniprot"]), way="import")


def test_a_users_own_index_is_not_dropped_by_an_import(empty: Settings, data: Path) -> None:
    with Database.open(empty) as db:
        db.write("CREATE INDEX mine FOR (n:Gene) ON (n.mine)")
    made = load(empty, inputs(data, ["uniprot"]))
    assert made.way == "bolt"
    with Database.open(empty) as db:
        assert any(f.name == "mine" for f in ddl.found(db))


def test_an_import_goes_on_numbering(empty: Settings, data: Path) -> None:
    with Database.open(empty) as db:
        db.write(
            "CREATE (:TosgMeta {key: 'graph', schema_version: 1, revision: 7, next_idx: 1000})"
        )
    made = load(empty, inputs(data, ["uniprot"]))
    assert (made.way, made.written.revision) == ("import", 8)
    with Database.open(empty) as db:
        row = db.rows("MATCH (n:Entity) RETURN min(n.idx) AS low, max(n.idx) AS high")[0]
        assert row["low"] == 1000
        assert read_meta(db).next_idx == row["high"] + 1


# -- recipes ------------------------------------------------------------------------------------


def test_a_recipe_is_built_and_built_again(empty: Settings, data: Path, recipe: Path) -> None:
    first = builds.build(empty, recipe, data)
    assert first.loaded == SOURCES
    assert [r.way for r in first.reports] == ["import"]
    before = held(empty)
    again = builds.build(empty, recipe, data)
    assert (again.loaded, again.done) == ([], SOURCES)
    assert not again.changed
    with Database.open(empty) as db:
        kept = builds.read_build(db, "small")
    assert kept["complete"]
    assert kept["sources"]["uniprot"]["files"]["proteins"]["name"] == "uniprot/uniprot.tab"
    assert len(kept["sources"]["uniprot"]["files"]["proteins"]["sha256"]) == 64
    assert held(empty) == before


def test_a_changed_file_alone_is_loaded_again(empty: Settings, data: Path, recipe: Path) -> None:
    builds.build(empty, recipe, data)
    name, text = FILES["trrust"]["regulation"]
    write_source("trrust", data / "trrust", {"regulation": text.splitlines()[0].encode() + b"\n"})
    again = builds.build(empty, recipe, data)
    assert again.loaded == ["trrust"]
    assert again.changed
    changed = held(empty)
    _wipe(empty)
    builds.build(empty, recipe, data)
    assert held(empty) == changed  # what the old file said is gone
    assert name in str(again.reports[0].as_dict())


def test_it_goes_on_where_it_stopped(
    empty: Settings, data: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline.load
    calls: list[str] = []

    def stopping(settings: Settings, sources: list[SourceInput], **options: object) -> object:
        calls.append(sources[0].loader.name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(settings, sources, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "load", stopping)
    with pytest.raises(KeyboardInterrupt):
        builds.build(empty, recipe, data, way="bolt")
    monkeypatch.setattr(pipeline, "load", real)
    with Database.open(empty) as db:
        kept = builds.read_build(db, "small")
    assert not kept["complete"]
    assert sorted(kept["sources"]) == sorted(SOURCES[:3])
    result = builds.build(empty, recipe, data, way="bolt")
    assert result.done == SOURCES[:3]
    assert result.loaded == SOURCES[3:]
    whole = held(empty)
    _wipe(empty)
    builds.build(empty, recipe, data)
    assert held(empty) == whole


def test_a_missing_file_is_found_before_anything_is_read(
    empty: Settings, data: Path, recipe: Path
) -> None:
    (data / "trrust" / "trrust_rawdata.human.tsv").unlink()
    with pytest.raises(DataError, match="needs a file that is not there"):
        builds.build(empty, recipe, data)
    with Database.open(empty) as db:
        assert stats.is_empty(db)
    with pytest.raises(DataError, match="data folder"):
        builds.build(empty, recipe, data / "none")


# -- the server goes away, the disk is full ------------------------------------------------------


def test_a_server_that_goes_away_in_the_middle(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["ncbi_gene", "uniprot", "goa"]), texts=False)
    info = managed.ensure(empty)
    stages: list[str] = []

    def kill(stage: str, _share: float | None) -> None:
        stages.append(stage)
        if stage.startswith("writing relationships") and info.pid:
            psutil.Process(info.pid).kill()

    with pytest.raises(DatabaseError) as caught:
        load(empty, inputs(data, ["hetionet"]), progress=kill)
    assert caught.value.exit_code == 3
    assert any(stage.startswith("writing relationships") for stage in stages)

    again = load(empty, inputs(data, ["hetionet"]))
    assert again.changed
    assert not load(empty, inputs(data, ["hetionet"])).changed
    broken = held(empty)
    _wipe(empty)
    load(empty, inputs(data, ["hetionet", "goa", "uniprot", "ncbi_gene"]))
    assert held(empty) == broken


def test_withdrawing_a_source_leaves_what_others_say(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["ncbi_gene", "uniprot"]))
    before = held(empty)
    load(empty, inputs(data, ["hetionet", "indications"]))
    for name in ("hetionet", "indications"):
        gone = load(empty, [], prune=[name])
        assert gone.changed
    assert held(empty) == before


def test_a_full_disk_leaves_the_database_as_it_was(
    server: managed.ServerInfo, tmp_path: Path, data: Path
) -> None:
    """Files may grow to a few kilobytes and no further."""
    import resource
    import signal

    own = managed_settings(tmp_path / "home")
    managed.ensure(own)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
        with pytest.raises(TosgError) as caught:
            load(own, inputs(data))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert caught.value.hint is not None
    try:
        with Database.open(own) as db:
            assert stats.is_empty(db)
        assert list(own.home.glob("import-*")) == []
        assert load(own, inputs(data)).changed
    finally:
        managed.stop(own)


def test_cells_are_mapped_to_what_a_later_load_brings(
    empty: Settings, data: Path, tmp_path: Path
) -> None:
    with Database.open(empty) as db:
        var = pd.DataFrame(index=["AAA1", "NOSUCHGENE"])
        path = cells.write(tmp_path / "cells.h5ad", cells.counts()[:, :2], var=var)
        attach(db, path, id="early")
        assert datasets(db)[0].variable_entities == [None, None]
    report = load(empty, inputs(data, ["demo"]))
    assert report.remapped == {"early": 1}
    with Database.open(empty) as db:
        assert datasets(db)[0].variable_entities == ["ncbigene:11", None]
    assert load(empty, inputs(data, ["demo"])).remapped == {}
