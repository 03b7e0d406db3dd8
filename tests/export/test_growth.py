"""A training set that grows: old rows stay, new shards come, and what is new is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import signals

import tosg
from tosg.cli.export import export as command
from tosg.errors import ConfigError, ExportError
from tosg.export.selection import Selection
from tosg.export.write.export import grow
from tosg.export.write.result import ExportResult
from tosg.graph import KnowledgeGraph
from tosg.kg.database.connection import Database
from tosg.settings import Settings
from tosg.training_sets import show_training_set, verify_training_set

Run = Callable[..., ExportResult]
ASKED: dict[str, Any] = {"target": "cell_type", "split": "donor", "seed": 7, "shard_size": 32}


def add_cells(db: Database, *, donors: int = 3) -> list[str]:
    """A third data set, over variables of its own; gives the ids of its cells."""
    signals.VARIABLES["gamma"] = (signals.g(2), signals.g(0), None, signals.p(4))
    signals.MEASURED["gamma"] = (True, True, True, True)
    rows = signals.cell_rows("gamma", donors, 9, 90)
    for k, row in enumerate(rows):
        row |= {"is_primary_data": True, "cell_type": row["cell_type"] if k % 4 else "A new type"}
    db.write(
        "CREATE (d:Dataset) SET d = $p",
        p={
            "id": "gamma",
            "title": "more",
            "license": "",
            "unit": "counts",
            "storage": "inline",
            "files": ["g.h5ad"],
            "sha256s": ["gamma-hash"],
            "variables": [f"gamma_v{i}" for i in range(4)],
            "variable_entities": [e or "" for e in signals.VARIABLES["gamma"]],
            "measured": list(signals.MEASURED["gamma"]),
            "n_cells": len(rows),
            "path": "g.h5ad",
            "matrix": "X",
            "mean_unit": "log1p_cp10k",
        },
    )
    db.write("UNWIND $rows AS row CREATE (c:Cell) SET c = row", rows=rows)
    return [row["id"] for row in rows]


@pytest.fixture(autouse=True)
def _two_data_sets() -> Any:
    yield
    for table in (signals.VARIABLES, signals.MEASURED):
        table.pop("gamma", None)


def add_node(db: Database) -> None:
    db.write(
        "MATCH (a:Entity {id: $a}) CREATE (n:Entity:Gene {id: 'ncbigene:99', idx: 4000, name: "
        "'G99', text: 'new', sources: ['hgnc'], licenses: [''], releases: ['1']}) CREATE "
        "(n)-[:INTERACTS_WITH {sources: ['x'], licenses: [''], releases: ['1']}]->(a)",
        a=signals.g(0),
    )


def test_old_rows_stay_and_new_shards_come(cells: Database, run: Run, tmp_path: Path) -> None:
    old = tosg.TrainingSet(run(cells, **ASKED).folder)
    added = add_cells(cells)
    add_node(cells)
    result = grow(cells, old.folder, tmp_path / "grown")
    new = tosg.TrainingSet(result.folder)
    assert new.n_cells == old.n_cells + len(added)
    ids, nodes = new.cells["id"].to_pylist(), new.graph.nodes["id"].to_pylist()
    assert ids[: old.n_cells] == old.cells["id"].to_pylist()
    assert sorted(ids[old.n_cells :]) == sorted(added)
    assert nodes == [*old.graph.nodes["id"].to_pylist(), "ncbigene:99"]
    # Values of every cell, old and new, are those of the graph.
    x = new.read(np.arange(new.n_cells)).x.numpy()
    np.testing.assert_array_equal(x, signals.dense(ids, nodes))
    # Old shards are the same files; only new ones were written.
    before = {s["name"] for s in old.content["expression"]["shards"]}
    after = [s["name"] for s in new.content["expression"]["shards"]]
    assert after[: len(before)] == sorted(before)
    for name in before:
        part = f"expression/{name}.values.npy"
        assert (old.folder / part).stat().st_ino == (new.folder / part).stat().st_ino
    assert new.content["changes"] == [
        {
            "from": old.digest,
            "nodes": 1,
            "edges": 1,
            "cells": len(added),
            "values": new.content["counts"]["values"] - old.content["counts"]["values"],
            "donors": 3,
            "datasets": ["gamma"],
            "classes": ["A new type"],
            "shards": after[len(before) :],
        }
    ]
    assert new.classes == [*old.classes, "A new type"]
    assert verify_training_set(new.folder).findings == ()
    assert show_training_set(new.folder)["changes"] == new.content["changes"]


def test_splits_are_ranges_that_no_donor_crosses(cells: Database, run: Run, tmp_path: Path) -> None:
    old = tosg.TrainingSet(run(cells, **ASKED).folder)
    add_cells(cells, donors=12)
    first = tosg.TrainingSet(grow(cells, old.folder, tmp_path / "first").folder)
    splits = first.cells["split"].to_pylist()
    assert splits[: old.n_cells] == old.cells["split"].to_pylist()
    donors: dict[tuple[str, str], set[str]] = {}
    rows = first.cells.select(["dataset", "donor_id", "split"]).to_pylist()
    for row in rows:
        donors.setdefault((row["dataset"], row["donor_id"]), set()).add(row["split"])
    assert {len(found) for found in donors.values()} == {1}
    assert {row["split"] for row in rows if row["dataset"] == "gamma"} > {"train"}
    for name in ("train", "val", "test"):
        chosen = first.rows(name)
        assert {splits[row] for row in chosen} == {name}
        assert len(chosen) == splits.count(name) == first.content["splits"][name]["cells"]
        seen = [int(j) for b in first.batches(name, batch_size=7, shuffle=True) for j in b.cell]
        assert sorted(seen) == list(chosen)
        assert chosen[-1] == max(chosen)
        assert chosen[:2] == [chosen[0], chosen[1]]
        in_order = [
            int(j) for b in first.batches(name, batch_size=7, shuffle=False) for j in b.cell
        ]
        assert in_order == list(chosen)
        assert [int(one.cell) for one in first.as_dataset(name)] == list(chosen)
    with pytest.raises(IndexError):
        first.rows("train")[10_000]
    # Grown again, by nothing: the same rows, and another entry of changes.
    again = tosg.TrainingSet(grow(cells, first.folder, tmp_path / "again").folder)
    assert again.cells.equals(first.cells)
    assert [c["cells"] for c in again.content["changes"]] == [108, 0]
    assert verify_training_set(again.folder).findings == ()
    loader = again.batches("train", batch_size=5)
    next(iter(loader))
    state = loader.state_dict()
    loader.load_state_dict(state)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("MATCH (c:Cell {id: 'alpha:0001'}) DETACH DELETE c", "not in the selection any more"),
        ("MATCH (n:Entity {id: 'drugbank:DB1'}) DETACH DELETE n", "would not keep their rows"),
        ("MATCH (d:Dataset {id: 'alpha'}) SET d.sha256s = ['other']", "data set of the training"),
        (
            "MATCH (d:Dataset {id: 'beta'}) SET d.variable_entities = ['ncbigene:2', '', '', '']",
            "data set of the training",
        ),
    ],
)
def test_what_does_not_stay_is_refused(
    cells: Database, run: Run, tmp_path: Path, change: str, says: str
) -> None:
    old = run(cells, **ASKED).folder
    cells.write(change)
    with pytest.raises(ExportError, match=says):
        grow(cells, old, tmp_path / "grown")
    assert not (tmp_path / "grown").exists()


def test_what_cannot_grow(cells: Database, run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--sample cannot grow"):
        grow(cells, run(cells, **{**ASKED, "sample": 30, "split": "none"}).folder, tmp_path / "x")
    with pytest.raises(ExportError, match="no cells"):
        grow(cells, run(cells, cells=False).folder, tmp_path / "x")
    old = run(cells, **ASKED).folder
    with pytest.raises(ConfigError, match="by its own selection"):
        grow(cells, old, tmp_path / "x", selection=Selection(**{**ASKED, "seed": 8}))
    shard = old / "expression" / "00000.values.npy"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ExportError, match="that grows is damaged"):
        grow(cells, old, tmp_path / "x")
    path = old / "manifest.json"
    document = json.loads(path.read_bytes())
    for entry in document["content"]["datasets"]:
        del entry["map"]
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="version of tosg that cannot grow"):
        grow(cells, old, tmp_path / "x")


def test_the_command_and_the_facade(
    cells: Database, run: Run, tmp_path: Path, settings: Settings
) -> None:
    old = run(cells, **ASKED).folder
    added = add_cells(cells)
    with KnowledgeGraph(settings) as graph:
        result = graph.export(tmp_path / "grown", grow=old)
        assert result.counts["cells"] == 90 - 9 + len(added)
        with pytest.raises(ConfigError, match="own selection and layout"):
            graph.export(tmp_path / "x", grow=old, seed=3)
    words = [str(tmp_path / "y"), "--grow", str(old), "--seed", "3"]
    done = CliRunner().invoke(command, [*words, "--uri", "bolt://127.0.0.1:1"])
    assert done.exit_code == 2
    assert "--grow uses the selection of OLD" in done.output
