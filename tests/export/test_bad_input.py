"""Bad input: one clear error, the right exit code, nothing half done."""

from __future__ import annotations

import errno
import inspect
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file
from support import signals

from tosg.cli import export_main
from tosg.cli.export import _selection
from tosg.cli.export import export as command
from tosg.errors import (
    ConfigError,
    DatabaseError,
    ExportError,
    QueryError,
    TosgError,
    UsageError,
)
from tosg.export.format.manifest import read_manifest
from tosg.export.selection import Selection, resolve_selection
from tosg.export.write.export import export
from tosg.export.write.workspace import DiskFullError, Workspace
from tosg.graph import KnowledgeGraph
from tosg.kg import server as managed
from tosg.kg.database.connection import Database
from tosg.kg.query.limits import SELECTION_TIMEOUT
from tosg.settings import Settings


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


BAD: list[tuple[dict[str, Any], type[TosgError], str]] = [
    ({"nodes": "MATCH (n:Gene {symbol: 'none'}) RETURN n"}, QueryError, "returns nothing"),
    ({"nodes": "MATCH (n:Gene) RETURN n.name"}, QueryError, "no entity"),
    ({"nodes": "MATCH (n:Gene"}, QueryError, "MATCH"),
    ({"nodes": "MATCH (n:Gene) SET n.x = 1 RETURN n"}, QueryError, "r"),
    ({"cells": "MATCH (c:Cell {tissue: 'none'}) RETURN c"}, QueryError, "returns nothing"),
    ({"edges": "MATCH (g:Gene) RETURN g"}, QueryError, "no relationship"),
    ({"target": "cel_type"}, UsageError, "did you mean cell_type"),
    ({"split": "tisue"}, UsageError, "did you mean tissue"),
    ({"split": "donr"}, UsageError, "did you mean donor or"),
    ({"params": {"name": "x"}}, UsageError, "unknown parameter"),
    (
        {
            "nodes": "MATCH (g:Gene {symbol: $symbol}) RETURN g",
            "params": {"symbol": "G0", "symbl": "G1"},
        },
        UsageError,
        "did you mean symbol",
    ),
    ({"target": "cell_type", "balance": ("tisue",)}, UsageError, "did you mean tissue"),
    ({"target": "note", "split": "donor"}, ExportError, "too few"),
    ({"target": "cell_type", "split": "note"}, ExportError, "without a value"),
    ({"target": "cell_type", "split": "tissue"}, ExportError, "too few"),
    ({"target": "age_years", "balance": ("tissue",)}, ExportError, "holds numbers"),
]


@pytest.mark.parametrize(("how", "kind", "says"), BAD, ids=[str(b[0]) for b in BAD])
def test_of_a_selection(
    cells: Database, run: Any, tmp_path: Path, how: dict[str, Any], kind: type[TosgError], says: str
) -> None:
    with pytest.raises(kind) as caught:
        run(cells, **how)
    assert says in str(caught.value)
    assert left(tmp_path) == []


#: Runs for hours.
FOREVER = (
    "MATCH (g:Gene) UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b "
    "WITH g, a, b WHERE a * b = -1 RETURN g"
)


@pytest.mark.parametrize("option", ["nodes", "edges", "cells"])
def test_a_query_past_its_time_is_stopped(
    cells: Database, run: Any, tmp_path: Path, option: str
) -> None:
    with pytest.raises(QueryError, match="ran past its time limit") as caught:
        run(cells, **{option: FOREVER}, timeout=0.5)
    assert caught.value.where == option
    assert left(tmp_path) == []


@pytest.mark.parametrize("function", [export, KnowledgeGraph.export])
def test_queries_have_a_time_limit_unless_told_otherwise(function: Any) -> None:
    assert inspect.signature(function).parameters["timeout"].default == SELECTION_TIMEOUT > 0


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({"target": "cel_type"}, "--target"),
        ({"split": "donor"}, "--split"),
        ({"target": "cell_type", "split": "cell", "balance": ("tissue",)},
         "--target, --split, --balance"),
        ({"sample": 5, "normalize": "log1p_cp10k"}, "--sample, --normalize"),
    ],
)  # fmt: skip
def test_what_only_cells_have_without_cells(
    graph: Database, run: Any, tmp_path: Path, how: dict[str, Any], names: str
) -> None:
    for selected, found in ((None, "the graph has no cells"), (False, "no cells are selected")):
        with pytest.raises(ConfigError, match="need cells") as caught:
            run(graph, **how, cells=selected)
        assert caught.value.where == names
        assert found in str(caught.value.found)
    assert left(tmp_path) == []


def test_properties_whose_column_is_taken(cells: Database, run: Any) -> None:
    cells.write("MATCH (c:Cell {tissue: 'lung'}) SET c.split = 'mine', c.target = 5")
    done = run(cells, primary_only=False)
    lung = 45
    for name in ("split", "target"):
        assert [w for w in done.warnings if f"the property {name} of {lung} cells" in w]
    table = pq.read_table(done.folder / "cells.parquet")
    assert set(table.column("split").to_pylist()) == {"train"}
    assert table.column("target").null_count == table.num_rows
    # Learned from and split by, nothing of them is lost.
    cells.write("MATCH (c:Cell) SET c.split = ['train', 'val', 'test'][c.idx % 3], c.target = 5")
    used = run(cells, target="target", split="split")
    assert not [w for w in used.warnings if "the property" in w]
    # Of other cells only: nothing to say.
    cells.write("MATCH (c:Cell {dataset: 'alpha'}) REMOVE c.split, c.target")
    alpha = run(cells, cells="MATCH (c:Cell {dataset: 'alpha'}) RETURN c")
    assert not [w for w in alpha.warnings if "the property" in w]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"edge_types": ("INTERACTS",)}, "INTERACTS_WITH"),
        ({"level": "genes"}, "gene"),
        ({"normalize": "log"}, "log1p_cp10k"),
        ({"text_dtype": "float8"}, "float16"),
        ({"fractions": (0.5, 0.4, 0.4)}, "add up to 1"),
        ({"fractions": (0.0, 0.5, 0.5)}, "train above 0"),
        ({"sample": 0}, "1 or more"),
        ({"shard_size": 0}, "1 or more"),
        ({"balance": ("tissue",)}, "--target"),
        ({"params": {"x": {1, 2}}}, "parameter"),
    ],
)
def test_of_options(how: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Selection(**how)
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_unknown_keys_and_types_of_a_spec() -> None:
    with pytest.raises(UsageError, match="unknown key") as caught:
        Selection.from_dict({"targt": "x"}, where="spec.yaml")
    assert "did you mean target" in str(caught.value)
    with pytest.raises(ConfigError, match="wrong type"):
        Selection.from_dict({"seed": "seven"}, where="spec.yaml")
    spec = Selection.from_dict(
        {"edge-type": "TARGETS, ENCODES", "fractions": [1, 0, 0], "all-cells": True}, where="spec"
    )
    assert spec.edge_types == ("TARGETS", "ENCODES")
    assert spec.primary_only is False
    assert Selection.from_dict(json.loads(json.dumps(spec.as_dict())), where="x") == spec


def test_an_empty_graph(database: Database, run: Any, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no nodes"):
        run(database)
    assert left(tmp_path) == []


def test_output_that_is_in_the_way(graph: Database, run: Any, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="not empty") as caught:
        run(graph, full)
    assert caught.value.found == "thesis.txt"
    with pytest.raises(ConfigError, match="not empty"):
        run(graph, full, resume=True)
    with pytest.raises(ConfigError, match="is a file"):
        run(graph, full / "thesis.txt")
    assert (full / "thesis.txt").read_text() == "years of work"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(graph, empty).folder == empty
    assert (empty / "manifest.json").is_file()


def test_a_link_to_an_empty_folder(graph: Database, run: Any, tmp_path: Path) -> None:
    elsewhere, link = tmp_path / "disk" / "real", tmp_path / "link"
    elsewhere.mkdir(parents=True)
    link.symlink_to(elsewhere)
    done = run(graph, link)
    assert done.folder == elsewhere
    assert (link / "manifest.json").is_file()
    assert left(elsewhere) == ["graph.safetensors", "manifest.json", "nodes.parquet"]
    assert left(tmp_path) == ["disk", "link"]


def test_something_that_comes_into_the_output_meanwhile(
    graph: Database, run: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def write(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if (stage, done) == ("writing the graph", 2):
            (out / "log.txt").write_text("x")

    with pytest.raises(ConfigError, match="not empty") as caught:
        run(graph, out, progress=write)
    assert caught.value.found == "log.txt"
    assert "--resume" in str(caught.value.hint)
    (out / "log.txt").unlink()
    # Nothing is read again: the graph's file is the one that was written.
    made = (tmp_path / "out.partial" / "graph.safetensors").stat().st_ino
    assert run(graph, out, resume=True).counts["nodes"] == len(signals.NODES)
    assert (out / "graph.safetensors").stat().st_ino == made
    assert left(tmp_path) == ["out"]
    assert "work" not in left(out)


def test_a_second_export_to_the_same_folder(graph: Database, run: Any, tmp_path: Path) -> None:
    told: list[str] = []

    def again(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        for resume in (False, True):
            with pytest.raises(ExportError) as caught:
                run(graph, tmp_path / "out", resume=resume)
            told.append(caught.value.what)

    run(graph, tmp_path / "out", progress=again)
    assert set(told) == {"another export is writing there"}


def test_cells_that_measured_none_of_the_nodes(cells: Database, run: Any, tmp_path: Path) -> None:
    drugs = "MATCH (d:Drug) RETURN d"
    for dry_run in (True, False):
        with pytest.raises(ExportError, match="no cell has a value") as caught:
            run(cells, nodes=drugs, dry_run=dry_run)
        assert "alpha, beta" in str(caught.value.found)
        assert "--no-cells" in str(caught.value.hint)
    assert left(tmp_path) == []
    some = "MATCH (g:Gene) WHERE g.symbol IN ['G0', 'G3'] RETURN g"  # of alpha alone
    for dry_run in (True, False):
        done = run(cells, nodes=some, dry_run=dry_run)
        assert [w for w in done.warnings if "the data set beta measured none" in w]
    assert run(cells, nodes=drugs, cells=False).counts["cells"] == 0


def test_a_data_set_that_is_there_in_part(cells: Database, run: Any) -> None:
    cells.write("CREATE (:TosgStagedDataset {id: 'beta', state: 'switching'})")
    with pytest.raises(ExportError, match="is incomplete") as caught:
        run(cells, dry_run=True)
    assert caught.value.where == "dataset beta"
    run(cells, cells="MATCH (c:Cell {dataset: 'alpha'}) RETURN c", dry_run=True)


def test_mixed_units(graph: Database, run: Any, tmp_path: Path) -> None:
    signals.write_cells(graph, unit="log1p_cp10k")
    with pytest.raises(ExportError, match="different units") as caught:
        run(graph)
    assert caught.value.found == "counts: alpha; log1p_cp10k: beta"
    beta = "MATCH (c:Cell {dataset: 'beta'}) RETURN c"
    done = run(graph, cells=beta, normalize="log1p_cp10k")
    expression = read_manifest(done.folder).content["expression"]
    assert (expression["unit"], expression["normalize"]) == ("log1p_cp10k", "none")
    graph.write("MATCH (d:Dataset {id: 'beta'}) SET d.unit = 'scaled'")
    with pytest.raises(ExportError, match="cannot be normalised"):
        run(graph, cells=beta, normalize="log1p_cp10k")
    alpha = "MATCH (c:Cell {dataset: 'alpha'}) RETURN c"
    done = run(graph, cells=alpha, normalize="log1p_cp10k")
    assert read_manifest(done.folder).content["expression"]["normalize"] == "log1p_cp10k"


def test_cells_without_donors(cells: Database, run: Any, tmp_path: Path) -> None:
    cells.write("MATCH (c:Cell) WHERE c.idx % 2 = 0 REMOVE c.donor_id")
    with pytest.raises(ExportError, match="split needs") as caught:
        run(cells, split="donor")
    for option in ("donor_id=COLUMN", "--split cell", "--cells", "--split FIELD"):
        assert option in str(caught.value)
    done = run(cells, split="cell", target="cell_type")
    assert read_manifest(done.folder).content["splits"]["donor_safe"] is False
    assert any("not donor-safe" in w for w in done.warnings)


def test_given_edges_samples_and_half_precision(cells: Database, run: Any) -> None:
    done = run(
        cells,
        edges="MATCH (:Gene)-[r:REGULATES]->(:Gene) RETURN r",
        sample=20,
        text_dtype="float16",
        split="cell",
    )
    assert (done.counts["edges"], done.counts["nodes"], done.counts["cells"]) == (2, 13, 20)
    tensors = load_file(done.folder / "graph.safetensors")
    assert tensors["text_embedding"].dtype == np.float16
    ids = pq.read_table(done.folder / "cells.parquet").column("id").to_pylist()
    again = run(cells, sample=30, seed=0)
    more = pq.read_table(again.folder / "cells.parquet").column("id").to_pylist()
    assert set(ids) < set(more)  # a larger sample holds the smaller one
    path = run(
        cells, nodes="MATCH p = (:Drug)-[:TARGETS]->(:Gene)-[:ENCODES]->(:Protein) RETURN p",
        cells=False,
    )  # fmt: skip
    assert (path.counts["nodes"], path.counts["edges"], path.counts["cells"]) == (3, 3, 0)


def test_a_dry_run_writes_nothing(cells: Database, run: Any, tmp_path: Path) -> None:
    plan = run(cells, dry_run=True, target="cell_type", split="donor")
    assert left(tmp_path) == []
    real = run(cells, target="cell_type", split="donor")
    for name in ("nodes", "edges", "cells", "donors", "isolated_nodes"):
        assert plan.counts[name] == real.counts[name]
    assert plan.dry_run
    assert plan.bytes > 0


FULL = """
import os, resource, sys
from pathlib import Path
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.kg.database.connection import Database, Target
from tosg.errors import TosgError

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
db = Database(Target(os.environ["URI"], os.environ["NAME"], os.environ["SECRET"]))
try:
    export(db, Selection(), Path(sys.argv[1]))
except TosgError as error:
    print(type(error).__name__, error)
"""


# Room for nothing; for the plan's receipt; for the graph's files; for the plan's arrays.
@pytest.mark.parametrize("limit", [100, 1000, 5000, 20_000])
def test_a_full_disk(graph: Database, tmp_path: Path, limit: int) -> None:
    signals.write_cells(graph, per_donor=100)
    # A limit on the size of files fails in the same calls as a full disk does.
    environ = {**os.environ, "URI": graph.target.uri, "NAME": graph.target.username,
               "SECRET": graph.target.password}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "out"), str(limit)],
        env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(DiskFullError.__name__), done.stderr
    assert left(tmp_path) == []


def test_a_disk_that_is_full_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def full(path: Any, *rest: Any, **named: Any) -> int:
        if str(path).endswith("lock"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return opened(path, *rest, **named)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(DiskFullError):
        Workspace(tmp_path / "out").open()
    assert left(tmp_path) == []


def test_a_server_that_goes_away(
    cells: Database, settings: Settings, run: Any, tmp_path: Path
) -> None:
    def stop(stage: str, done: float | None = None, *_: object, **__: object) -> None:
        if (stage, done) == ("reading cells", 0):
            managed.stop(settings)

    out = tmp_path / "out"
    with pytest.raises(DatabaseError):
        run(cells, out, progress=stop)
    assert not out.exists()
    info = managed.ensure_server(settings)
    with Database(type(cells.target)(info.uri, info.username, info.password)) as again:
        done = run(again, out, resume=True)
    assert done.counts["cells"] > 0
    assert left(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--layout", "celltog"], "unknown layout"),
        (["--engine", "rai"], "unknown engine"),
        (["--no-cells", "--cells", "MATCH (c:Cell) RETURN c"], "contradict each other"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, words: list[str], says: str) -> None:
    result = CliRunner().invoke(
        command, [str(tmp_path / "out"), "--uri", "bolt://127.0.0.1:1", *words]
    )
    if isinstance(result.exception, ConfigError):
        assert says in result.exception.what
        assert str(result.exception.where) in (words[0], words[0].removeprefix("--"))
    else:
        assert result.exit_code == 2
        assert says in result.output


def selection_of(*words: str) -> Selection:
    given = command.make_context("tosg-export", ["OUT", *words]).params
    names = ("no_cells", "params", "manifest", "spec")
    return _selection({n: given[n] for n in (*names, *(f.name for f in fields(Selection)))})


def test_what_a_spec_says_goes_with_the_query_it_is_for(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "nodes: 'MATCH (g:Gene {name: $name}) RETURN g'\n"
        "cells: 'MATCH (c:Cell {tissue: $tissue}) RETURN c'\n"
        "params: {name: G0, tissue: lung, nmae: G1}\nsample: 5\nnormalize: log1p_cp10k\n"
    )
    assert selection_of("--spec", str(spec)).params.keys() == {"name", "tissue", "nmae"}
    with pytest.raises(UsageError, match="unknown parameter") as caught:
        resolve_selection(selection_of("--spec", str(spec)))
    assert "did you mean name" in str(caught.value)
    plain = selection_of("--spec", str(spec), "--no-cells")
    assert (plain.cells, plain.sample, plain.normalize) == (False, None, "none")
    assert plain.params == {"name": "G0"}
    other = selection_of("--spec", str(spec), "--nodes", "MATCH (g:Gene) RETURN g")
    assert other.params == {"tissue": "lung"}


def test_the_command(
    cells: Database,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEO4J_URI", cells.target.uri)
    monkeypatch.setenv("NEO4J_USERNAME", cells.target.username)
    monkeypatch.setenv("NEO4J_PASSWORD", cells.target.password)
    monkeypatch.chdir(tmp_path)

    def tosg_export(*arguments: str) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as left:
            export_main(arguments)
        said = capfd.readouterr()
        assert isinstance(left.value.code, int)
        return subprocess.CompletedProcess(arguments, left.value.code, said.out, said.err)

    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "nodes: 'MATCH (:Pathway {name: $name})<-[:PARTICIPATES_IN]-(g:Gene) RETURN g'\n"
        "params: {name: signals}\nlevel: gene\ntarget: cell_type\nsplit: donor\n"
    )
    first = tosg_export("one", "--spec", "spec.yaml", "--json")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["counts"]["nodes"] == 3
    assert "warning:" in first.stderr
    again = tosg_export("two", "--from", "one/manifest.json", "--json")
    assert json.loads(again.stdout)["digests"] == document["digests"]
    copy = tmp_path / "kept.json"
    copy.write_bytes((tmp_path / "one" / "manifest.json").read_bytes())
    assert tosg_export("four", "--from", "kept.json", "--dry-run").returncode == 0
    copy.write_text("{}")
    damaged = tosg_export("four", "--from", "kept.json", "--dry-run")
    assert damaged.returncode == 1
    assert "the manifest is damaged" in damaged.stderr
    copy.unlink()
    changed = tosg_export("three", "--from", "one", "--no-cells", "--level", "as-stored")
    assert changed.returncode == 0, changed.stderr
    assert changed.stdout.splitlines()[0] == str(tmp_path / "three")
    asked = read_manifest(tmp_path / "three").content["selection"]
    assert (asked["target"], asked["split"], asked["cells"]) == (None, "none", False)
    seeded = tosg_export("four", "--from", "one", "--seed", "7", "--dry-run", "--json")
    other = tosg_export(
        "four", "--from", "one", "--seed", "0", "--all-cells", "--dry-run", "--json"
    )
    assert (seeded.returncode, other.returncode) == (0, 0)
    assert json.loads(other.stdout)["counts"]["cells"] > document["counts"]["cells"]
    by_param = tosg_export(
        "four", "--no-cells", "--param", "name=signals", "--dry-run",
        "--nodes", "MATCH (p:Pathway {name: $name}) RETURN p",
    )  # fmt: skip
    assert by_param.returncode == 0, by_param.stderr
    assert "dry run" in by_param.stdout
    for arguments, code in (
        (("one",), 2),
        (("five", "--split", "dono"), 2),
        (("five", "--fractions", "a,b"), 2),
        (("five", "--spec", "none.yaml"), 2),
        (("five", "--no-cells", "--target", "cell_type"), 2),
        (("five", "--timeout", "0"), 2),
        (("five", "--nodes", FOREVER, "--timeout", "0.5"), 1),
        (("five", "--nodes", "MATCH (n:Gene) SET n.x = 1 RETURN n"), 1),
    ):
        failed = tosg_export(*arguments)
        assert failed.returncode == code, failed.stderr
        assert failed.stdout == ""
        assert "where:" in failed.stderr or "Usage:" in failed.stderr, failed.stderr
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    assert tosg_export("five").returncode == 3
    assert left(tmp_path) == ["one", "spec.yaml", "three", "two"]
