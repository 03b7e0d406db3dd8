"""What runs an export's tasks: processes that are killed, Ray's workers and nodes that are lost."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import psutil
import pytest
from support import signals

from tosg.errors import ConfigError, ExportError, UsageError
from tosg.export.format.manifest import read_manifest
from tosg.export.write.engines import open_engine
from tosg.export.write.plan import ExportPlan, Receipt
from tosg.export.write.ray_engine import check_reachable, check_shared, stay_open
from tosg.kg.cells.files.opening import lend_source
from tosg.kg.database.connection import Database, Target

HOW = {"target": "cell_type", "split": "donor", "seed": 3, "level": "gene", "shard_size": 500}


@pytest.fixture
def many(graph: Database) -> Database:
    """Enough cells for three ranges and twenty shards."""
    signals.write_cells(graph, donors=(12, 10), per_donor=450)
    return graph


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file; of the manifest, its content."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    text = found.pop("manifest.json").decode()
    return {**found, "content": text[: text.index('"run": {')].encode()}


def test_a_killed_process_is_replaced(many: Database, run: Any) -> None:
    killed: list[int] = []

    def kill(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if done == 1 and stage in ("reading cells", "writing cells"):
            worker = multiprocessing.active_children()[0]
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)

    done = run(many, **HOW, workers=2, progress=kill)
    assert len(killed) == 2
    assert contents(done.folder) == contents(run(many, **HOW).folder)
    assert any("deaths of workers: 2" in warning for warning in done.warnings)
    assert read_manifest(done.folder).run["worker_deaths"] == 2
    assert "deaths" not in str(read_manifest(done.folder).content)


def die(plan: ExportPlan, k: int) -> Receipt:
    """A task whose process never survives it, but for the first."""
    if k:
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def plan_in(folder: Path) -> ExportPlan:
    db = Database(Target("bolt://127.0.0.1:1", "neo4j", ""))
    return ExportPlan(folder, db, (), "counts", 1, 0, 1, (), 1)


def test_processes_that_keep_dying_are_an_error(tmp_path: Path) -> None:
    with open_engine("local", 2) as engine, pytest.raises(ExportError) as caught:
        list(engine.run(plan_in(tmp_path), die, 2))
    assert "keep dying" in caught.value.what
    assert "--resume" in str(caught.value.hint)


def test_engines_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown engine") as caught, open_engine("rai", None):
        pass
    assert "ray" in str(caught.value)
    with pytest.raises(ConfigError, match="1 or more"), open_engine("local", 0):
        pass


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['ray'] = None\nfrom tosg.cli import export_main; export_main()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out"), "--engine", "ray",
         "--uri", "bolt://127.0.0.1:1"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "tosg[ray]" in done.stderr  # known before the database is looked for
    assert list(tmp_path.iterdir()) == []


def test_nodes_that_lack_the_folder_or_the_database(tmp_path: Path) -> None:
    plan = pickle.loads(pickle.dumps(plan_in(tmp_path)))
    with pytest.raises(ExportError, match="does not see the folder"):
        check_shared(plan)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "source.npy").touch()
    check_shared(plan)
    check_reachable("bolt://127.0.0.1:7687", ["10.0.0.1", "10.0.0.1"])
    check_reachable("neo4j://graphs.example:7687", ["10.0.0.1", "10.0.0.2"])
    with pytest.raises(ConfigError, match="cannot reach") as caught:
        check_reachable("bolt://127.0.0.1:7687", ["10.0.0.1", "10.0.0.2"])
    assert "10.0.0.1, 10.0.0.2" in str(caught.value.found)


def test_a_worker_of_ray_opens_a_file_once_an_export(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    genes = pd.DataFrame(index=["EGFR", "TP53"])
    anndata.AnnData(np.ones((3, 2), np.float32), var=genes).write_h5ad(path)
    opened = []
    for export in ("first", "first", "second"):
        stay_open(tmp_path / export)
        with lend_source(path) as source:
            opened.append(source)
    assert opened[0] is opened[1] is not opened[2]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Ray cluster of two local nodes with two CPUs each."""
    from tosg.export.write.ray_engine import import_ray

    ray = import_ray()
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, connect=False, head_node_args=node)
    cluster.add_node(num_cpus=2, object_store_memory=100_000_000)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray
def test_on_ray_with_a_killed_worker_and_a_lost_node(
    many: Database, run: Any, cluster: Any, tmp_path: Path
) -> None:
    once = run(many, **HOW)
    plain = run(many, **HOW, engine="ray")
    assert contents(plain.folder) == contents(once.folder)
    assert read_manifest(plain.folder).run["workers"] == 4
    lost: list[str] = []

    def lose(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if (stage, done) == ("writing cells", 1):
            for process in psutil.Process().children(recursive=True):
                if process.name().startswith("ray::_run"):
                    process.kill()
            lost.append("worker")
        if (stage, done) == ("writing cells", 5):
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            lost.append("node")

    survived = run(many, **HOW, engine="ray", progress=lose)
    assert lost == ["worker", "node"]
    assert contents(survived.folder) == contents(once.folder)
    assert read_manifest(survived.folder).run["worker_deaths"] >= 1
