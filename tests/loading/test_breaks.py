"""Loads that are cut off: the server goes away, the disk is full."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest
from support.disk import files_up_to
from support.loads import held, inputs, wiped

from tosg.errors import DatabaseError, TosgError
from tosg.kg import server as managed
from tosg.kg.database import counts as stats
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.server.connect import connect
from tosg.loaders.pipeline.load import load

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from tosg.kg.report.load_report import LoadReport
    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j


@pytest.mark.slow
def test_a_server_that_goes_away_in_the_middle(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["ncbi_gene", "uniprot", "goa"]), way="bolt", settle=False)
    info = managed.ensure_server(empty)
    stages: list[str] = []

    def kill(stage: str, *_: object, **__: object) -> None:
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
    wiped(empty)
    load(empty, inputs(data, ["hetionet", "goa", "uniprot", "ncbi_gene"]), way="bolt")
    assert held(empty) == broken


@pytest.mark.slow
def test_loads_that_begin_during_an_import_wait_for_it(empty: Settings, data: Path) -> None:
    """Its server goes and comes back with another database; the lease goes on in that."""
    later = {"merging": "uniprot", "making constraints and indexes": "intact"}
    waiting: list[Future[LoadReport]] = []

    def begin(stage: str, *_: object, **__: object) -> None:
        name = later.pop(stage, None)
        if name is not None:
            waiting.append(pool.submit(load, empty, inputs(data, [name]), settle=False))
            time.sleep(1)

    with ThreadPoolExecutor(2) as pool:
        first = load(empty, inputs(data, ["ncbi_gene"]), settle=False, way="import", progress=begin)
        others = [task.result(timeout=120) for task in waiting]
    assert first.way == "import"
    assert [report.way for report in others] == ["bolt", "bolt"]
    assert others[0].changed  # of intact all may wait for the proteins, and no graph is changed
    with connect(empty) as db:
        # Whichever came first: interactions wait for their proteins.
        said = db.rows(
            "MATCH (:Protein)-[r]->(:Protein) WHERE 'intact' IN r.sources RETURN count(r) AS n"
        )
        assert said[0]["n"] > 0
        # Each of them counted the graph at its end and would have failed had another written.
        assert read_meta(db).writer is None


@pytest.mark.slow
def test_a_full_disk_leaves_the_database_as_it_was(empty: Settings, data: Path) -> None:
    with files_up_to(2_000), pytest.raises(TosgError) as caught:
        load(empty, inputs(data), way="import")
    assert caught.value.hint is not None
    with connect(empty) as db:
        assert stats.is_empty(db)
    assert list(empty.home.rglob("run/import-*")) == []
    assert load(empty, inputs(data)).changed
