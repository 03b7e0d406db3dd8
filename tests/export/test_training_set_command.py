"""``tosg training-set show|verify|diff`` on exports of a real graph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from support import signals

from tosg.cli import tosg
from tosg.export.write.workspace import describe_file
from tosg.training_sets import compare_training_sets, show_training_set, verify_training_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from tosg.export.write.result import ExportResult
    from tosg.kg.database.connection import Database

    Run = Callable[..., ExportResult]

ASKED = {"target": "cell_type", "split": "donor", "seed": 7, "shard_size": 32}


@pytest.fixture
def folder(cells: Database, run: Run) -> Path:
    return run(cells, **ASKED).folder


def call(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(tosg, ["training-set", *words])
    return done.exit_code, done.stdout, done.stderr


def found(folder: Path) -> list[tuple[str, str]]:
    return [(f.kind, f.file) for f in verify_training_set(folder).findings]


def test_show_says_what_was_asked_and_what_there_is(folder: Path) -> None:
    code, out, _ = call("show", str(folder), "--json")
    document = json.loads(out)
    assert code == 0
    assert document == json.loads(json.dumps(show_training_set(folder)))
    assert document["counts"]["cells"] == sum(s["cells"] for s in document["splits"].values())
    assert document["selection"]["target"] == "cell_type"
    assert {s["source"] for s in document["sources"]} >= {"hgnc", "intact"}
    text = call("show", str(folder / "manifest.json"))[1]
    assert "data set alpha: " in text
    assert "target cell_type, 3 classes" in text
    assert document["digest"] in text


def test_verify_finds_nothing_in_what_was_written(folder: Path) -> None:
    report = verify_training_set(folder)
    assert report.findings == ()
    assert report.digests == 5  # nodes, graph, cells, expression, measured
    assert call("verify", str(folder))[0] == 0


def test_verify_finds_everything_at_once(folder: Path) -> None:
    (folder / "measured.npy").unlink()
    (folder / "notes.txt").write_text("mine")
    shard = folder / "expression" / "00000.values.npy"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    nodes = folder / "nodes.parquet"
    nodes.write_bytes(nodes.read_bytes()[:-10])
    with (folder / "cells.parquet").open("ab") as stream:
        stream.write(b"x")
    expected = {
        ("missing", "measured.npy"),
        ("changed", "expression/00000.values.npy"),
        ("truncated", "nodes.parquet"),
        ("longer", "cells.parquet"),
        ("foreign", "notes.txt"),
    }
    assert set(found(folder)) == expected
    code, out, _ = call("verify", str(folder), "--json")
    assert code == 1
    assert {(f["kind"], f["file"]) for f in json.loads(out)["findings"]} == expected


def set_files(folder: Path, *names: str) -> None:
    """Write the hashes of changed files into the manifest, as a forger would."""
    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    for name in names:
        document["content"]["files"][name] = describe_file(folder / name)
    path.write_text(json.dumps(document))


def change_value(folder: Path) -> str:
    name = "expression/00000.values.npy"
    values = np.load(folder / name)
    values[0] += 1
    np.save(folder / name, values)
    return name


def change_text(folder: Path) -> str:
    table = pq.read_table(folder / "nodes.parquet")
    texts = pa.array(["another", *table["text"].to_pylist()[1:]], pa.string())
    table = table.set_column(table.column_names.index("text"), "text", texts)
    pq.write_table(table, folder / "nodes.parquet")
    return "nodes.parquet"


@pytest.mark.parametrize(("change", "part"), [(change_value, "expression"), (change_text, "nodes")])
def test_a_digest_shows_what_the_hash_of_a_file_does_not(
    folder: Path, change: Any, part: str
) -> None:
    set_files(folder, change(folder))
    assert found(folder) == [("digest", part)]


def test_a_rule_is_checked_where_digests_agree(folder: Path) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    names = document["content"]["splits"]
    names["train"]["stop"] -= 1
    names["val"]["start"] -= 1
    path.write_text(json.dumps(document))
    assert found(folder) == [("rule", "cells.parquet")]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    for words in (["show", str(tmp_path)], ["verify", str(tmp_path)]):
        done = CliRunner().invoke(tosg, ["training-set", *words])
        assert "not a training set" in str(done.exception)


def test_a_copy_is_the_same(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    document = compare_training_sets(folder, copy)
    assert document["same"]
    assert document["digests"] == []
    assert document["values"]["compared"] == document["cells"]["both"] > 0
    assert document["values"]["changed"] == document["vectors"]["changed"] == 0
    assert "the content is the same" in call("diff", str(folder), str(copy))[1]


def test_another_seed_has_the_same_values_in_other_splits(
    folder: Path, cells: Database, run: Run
) -> None:
    document = compare_training_sets(folder, run(cells, **{**ASKED, "seed": 8}).folder)
    assert not document["same"]
    assert document["selection"] == {"seed": [7, 8]}
    assert document["nodes"]["changed"] == {}
    assert document["cells"]["changed"]["split"] > 0
    assert set(document["cells"]["changed"]) == {"split"}
    assert document["values"] == {
        "compared": document["cells"]["both"],
        "nodes": len(signals.NODES),
        "changed": 0,
    }


def test_a_graph_that_grew(folder: Path, cells: Database, run: Run) -> None:
    cells.write(
        "MATCH (a:Entity {id: $a}), (b:Entity {id: $b}) CREATE (n:Entity:Gene {id: 'ncbigene:99', "
        "idx: 4000, name: 'G99', text: 'new', sources: ['hgnc'], licenses: [''], releases: ['1']}) "
        "CREATE (n)-[:INTERACTS_WITH {sources: ['x'], licenses: [''], releases: ['1']}]->(a) "
        "WITH b MATCH (:Entity {id: $a})-[r:INTERACTS_WITH]-(b) SET r.score = 0.125",
        a=signals.g(0),
        b=signals.g(1),
    )
    cells.write("MATCH (c:Cell {id: 'alpha:0001'}) DETACH DELETE c")
    document = compare_training_sets(folder, run(cells, **ASKED).folder)
    assert document["nodes"]["only_second"] == 1
    assert document["nodes"]["examples_second"] == ["ncbigene:99"]
    wiring = document["edges"]["INTERACTS_WITH"]
    assert (wiring["only_first"], wiring["only_second"], wiring["changed"]) == (0, 1, 1)
    assert document["cells"]["only_first"] == 1
    assert document["cells"]["examples_first"] == ["alpha:0001"]
    assert document["sources"]["only_second"] == ["hgnc 1", "x 1"]
    out = call("diff", str(folder), "--json", str(run(cells, **ASKED).folder))[1]
    assert json.loads(out)["nodes"] == document["nodes"]
