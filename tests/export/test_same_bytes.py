"""The same graph and selection give the same bytes: twice, with workers, after a kill."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import signals

from tosg.errors import ConfigError, ExportError, TosgError
from tosg.export.format.manifest import read_manifest
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.export.write.job import GraphMovedError
from tosg.kg.database.connection import Database

OLDER = Path(__file__).resolve().parents[1] / "data" / "training-set-57921e8"
HOW = {"target": "cell_type", "split": "donor", "seed": 3, "level": "gene", "shard_size": 1000}


def contents(folder: Path) -> dict[str, str]:
    """Hash of every file; of the manifest, its content."""
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    text = (folder / "manifest.json").read_text()
    found["content"] = text[: text.index('"run": {')]
    return found


@pytest.fixture
def many(graph: Database) -> Database:
    """Enough cells for several ranges."""
    signals.write_cells(graph, donors=(12, 10), per_donor=450)
    return graph


def test_twice_and_with_workers(many: Database, run: Any) -> None:
    once = run(many, **HOW)
    twice = run(many, **HOW)
    parallel = run(many, **HOW, workers=2)
    assert contents(once.folder) == contents(twice.folder) == contents(parallel.folder)
    assert once.digests == parallel.digests
    assert len(contents(once.folder)) > 20
    assert run(many, **{**HOW, "seed": 4}).digests["cells"] != once.digests["cells"]


def test_the_bytes_are_those_of_an_earlier_version(cells: Database, run: Any) -> None:
    """The same selection of the same graph, exported before (`tests/batches/test_older_set.py`)."""
    now = run(cells, **{**HOW, "shard_size": 64})
    then = OLDER / "manifest.json"
    assert now.digests == json.loads(then.read_text())["content"]["digests"]
    arrays = [*OLDER.rglob("*.npy"), OLDER / "graph.safetensors"]
    assert len(arrays) == 8
    for path in arrays:
        assert path.read_bytes() == (now.folder / path.relative_to(OLDER)).read_bytes()


def test_repeated_from_its_manifest(cells: Database, run: Any) -> None:
    first = run(cells, **HOW, cells="MATCH (c:Cell) WHERE c.tissue = $t RETURN c",
                params={"t": "blood"})  # fmt: skip
    document = read_manifest(first.folder).content["selection"]
    again = Selection.from_dict(document, where="manifest")
    second = export(cells, again, first.folder.with_name("again"))
    assert contents(first.folder) == contents(second.folder)


CHILD = """
import sys
from pathlib import Path
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.kg.database.connection import Database, Target
import os, signal

def progress(stage, done, total, **_):
    if (stage, done) == (sys.argv[2], int(sys.argv[3])):
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    db = Database(Target(os.environ["URI"], os.environ["NAME"], os.environ["SECRET"]))
    export(db, Selection(**eval(sys.argv[4])), Path(sys.argv[1]), progress=progress,
           workers=int(sys.argv[5]))
"""


def killed(db: Database, out: Path, stage: str, done: int, workers: int = 1) -> None:
    """Run an export in a process that kills itself with SIGKILL in the middle."""
    script = out.with_suffix(".py")
    script.write_text(CHILD)
    environ = {**os.environ, "URI": db.target.uri, "NAME": db.target.username,
               "SECRET": db.target.password}  # fmt: skip
    child = subprocess.run(
        [sys.executable, str(script), str(out), stage, str(done), repr(HOW), str(workers)],
        env=environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr


@pytest.mark.parametrize(
    ("stage", "done", "workers"),
    [
        pytest.param("writing the graph", 1, 1, marks=pytest.mark.slow),
        pytest.param("reading cells", 2, 1, marks=pytest.mark.slow),
        ("reading cells", 2, 2),
        ("writing cells", 4, 1),
    ],
)
def test_killed_and_resumed(
    many: Database, run: Any, tmp_path: Path, stage: str, done: int, workers: int
) -> None:
    out = tmp_path / "killed"
    killed(many, out, stage, done, workers)
    assert not out.exists()
    partial = out.with_name("killed.partial")
    assert partial.is_dir()
    if stage != "writing the graph":  # there, nothing is done that is worth going on from
        with pytest.raises(ConfigError, match="killed before it ended") as caught:
            run(many, out, **HOW)
        assert "--resume" in str(caught.value.hint)
    deadline = time.monotonic() + 20  # workers of a killed export leave by themselves
    while True:
        try:
            resumed = run(many, out, **HOW, resume=True)
            break
        except ExportError as error:
            if "another export" not in error.what or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    assert contents(resumed.folder) == contents(run(many, **HOW).folder)
    assert read_manifest(resumed.folder).run["resumed"] is True
    assert not partial.exists()


def test_a_killed_export_and_a_plain_one_to_the_same_folder(
    many: Database, run: Any, tmp_path: Path
) -> None:
    """Either it works at once, or it says what to type, and that works."""
    out = tmp_path / "a folder"
    killed(many, out, "writing the graph", 1)
    first = contents(run(many, out, **HOW).folder)
    shutil.rmtree(out)
    killed(many, out, "writing cells", 2)
    with pytest.raises(ConfigError, match="killed before it ended") as caught:
        run(many, out, **HOW)
    typed = shlex.split(str(caught.value.hint).partition("to start over: ")[2])
    assert typed[:2] == ["rm", "-r"]
    subprocess.run(typed, check=True)
    assert contents(run(many, out, **HOW).folder) == first


def test_resume_is_refused_when_the_question_changed(
    many: Database, run: Any, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    killed(many, out, "reading cells", 2)
    with pytest.raises(ExportError) as caught:
        run(many, out, **{**HOW, "seed": 9}, resume=True)
    assert (caught.value.found, caught.value.expected) == ("seed: 9", "seed: 3")
    many.write("MATCH (n:Gene {symbol: 'G0'}) SET n.note = 1")
    with pytest.raises(ExportError, match="the graph has changed") as caught:
        run(many, out, **HOW, resume=True)
    assert "bookmark" in str(caught.value.found)
    assert "bookmark" in str(caught.value.expected)
    assert caught.value.found != caught.value.expected
    assert out.with_name("killed.partial").is_dir()  # what there was stays


def test_resume_of_what_is_done_is_done(cells: Database, run: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(cells, out, **HOW)
    before = contents(out)
    assert run(cells, out, **HOW, resume=True).counts == first.counts
    assert contents(out) == before
    with pytest.raises(ConfigError, match="another selection"):
        run(cells, out, resume=True)
    cells.write("MATCH (n:Gene {symbol: 'G0'}) SET n.note = 1")
    with pytest.raises(ExportError, match="the graph has changed since") as caught:
        run(cells, out, **HOW, resume=True)
    assert caught.value.expected == f"bookmark {read_manifest(out).run['bookmark']}"
    assert caught.value.found == f"bookmark {cells.bookmark()}"
    assert contents(out) == before


def test_a_write_in_the_middle_starts_over_once(many: Database, run: Any) -> None:
    writes = 0

    def write_once(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        nonlocal writes
        if stage == "reading cells" and done == 1 and writes == 0:
            writes += 1
            many.write("MATCH (n:Gene {symbol: 'G0'}) SET n.name = 'renamed'")

    moved = run(many, **HOW, progress=write_once)
    assert writes == 1
    assert contents(moved.folder) == contents(run(many, **HOW).folder)


@pytest.mark.parametrize(
    ("stage", "done"),
    [pytest.param("writing the graph", 2, marks=pytest.mark.slow), ("reading cells", 1)],
)
def test_cells_that_go_away_in_the_middle(many: Database, run: Any, stage: str, done: int) -> None:
    deleted = 0

    def delete_once(now: str, n: int, total: int) -> None:
        nonlocal deleted
        if (now, n) == (stage, done) and not deleted:
            deleted += 1
            many.write("MATCH (n) WHERE n:Dataset AND n.id = 'beta' OR n.dataset = 'beta' DELETE n")

    moved = run(many, **HOW, progress=delete_once)
    assert deleted == 1
    assert [d["id"] for d in read_manifest(moved.folder).content["datasets"]] == ["alpha"]
    assert contents(moved.folder) == contents(run(many, **HOW).folder)


def test_cells_that_keep_going_away_fail_by_name(many: Database, run: Any, tmp_path: Path) -> None:
    def delete(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if (stage, done) == ("reading cells", 1):
            many.write("MATCH (c:Cell) WITH c ORDER BY c.idx DESC LIMIT 10 DELETE c")

    out = tmp_path / "out"
    with pytest.raises(GraphMovedError, match="changed under the export") as caught:
        run(many, out, **HOW, progress=delete)
    assert "reading failed with: cells are missing from the graph" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert run(many, out, **HOW).counts["cells"] > 0


def test_an_error_while_nobody_writes_is_itself(many: Database, run: Any, tmp_path: Path) -> None:
    many.write("MATCH (c:Cell {dataset: 'beta'}) SET c.expression = 'no bytes'")
    with pytest.raises(TosgError) as caught:
        run(many, **HOW)
    assert not isinstance(caught.value, GraphMovedError)


def test_the_content_is_read_before_the_bookmark_is_compared(
    many: Database, run: Any, tmp_path: Path
) -> None:
    expected = run(many, **HOW)
    bookmark = many.bookmark()

    def write(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if (stage, done) == ("writing cells", 0):
            many.write(
                "MATCH (m:TosgMeta {key: 'graph'}) "
                "SET m.embedding_model = 'other', m.embedding_revision = 'r2', m.revision = 99"
            )
            many.write("MATCH (n) WHERE n:Entity OR n:Cell OR n:Dataset DETACH DELETE n")

    late = run(many, **HOW, progress=write)
    assert contents(late.folder) == contents(expected.folder)
    manifest = read_manifest(late.folder)
    assert manifest.content["embedding"]["model"] == "toy"
    assert (manifest.run["revision"], manifest.run["bookmark"]) == (3, bookmark)


def test_a_graph_that_keeps_moving_fails_by_name(many: Database, run: Any, tmp_path: Path) -> None:
    def write(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if stage == "reading cells" and done == 1:
            many.write("MATCH (n:Gene {symbol: 'G0'}) SET n.note = coalesce(n.note, 0) + 1")

    with pytest.raises(GraphMovedError, match="changed under the export"):
        run(many, tmp_path / "out", **HOW, progress=write)
    assert list(tmp_path.iterdir()) == []
