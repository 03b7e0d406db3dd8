"""``tosg cells``: attach, list, show, remap, detach, through the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.cells import MAPS, small_graph, write

from tosg.cli.cells import cells
from tosg.errors import UsageError
from tosg.kg.cells.stored import staging
from tosg.kg.query import run as user_query

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j


def test_the_commands(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_graph(database)
    target = database.target
    monkeypatch.setenv("NEO4J_URI", target.uri)
    monkeypatch.setenv("NEO4J_USERNAME", target.username)
    monkeypatch.setenv("NEO4J_PASSWORD", target.password)
    path = write(tmp_path / "x.h5ad")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cells, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    maps = [part for pair in MAPS for part in ("--map", pair)]
    options = ["--id", "mine", "--markers", "CD3D,LYZ", "--title", "My cells", "--keep", "score"]
    assert run("list") == ""
    plan = json.loads(run("attach", str(path), *maps, *options, "--dry-run", "--json"))
    assert (plan["status"], plan["cells"], plan["groups"]) == ("planned", 12, 8)
    text = run("attach", str(path), *maps, *options)
    assert text.startswith("mine: attached 12 cells in ")
    assert "7: 5 mapped (5 by symbol)" in text
    assert "2 unmapped: UNKNOWN, ERCC-00002" in text
    assert "expr_CD3D, expr_LYZ" in text
    assert "unchanged" in run("attach", str(path), *maps, *options)
    listed = json.loads(run("list", "--json"))
    assert listed[0] | {"license": ""} == {
        "id": "mine",
        "title": "My cells",
        "cells": 12,
        "variables": 7,
        "mapped": 5,
        "unit": "counts",
        "storage": "inline",
        "license": "",
    }
    assert "mine\t12 cells\t5 of 7 variables mapped\tcounts" in run("list")
    assert json.loads(run("show", "mine", "--json"))["status"] == "attached"
    assert "mine: unchanged" in run("remap", "mine")
    database.write(
        f"CREATE (:{staging.DATASET} {{id: 'other', key: 'x', state: 'switching', first_idx: 0}})"
    )
    told = CliRunner().invoke(cells, ["list"]).stderr
    assert "only a part of data set other is visible" in told
    warnings: list[str] = []
    user_query.run_query(
        database, "MATCH (c:Cell) RETURN c.id", {}, timeout=60, limit=1, warnings=warnings
    )
    assert f"note: {warnings[0]}" in told
    database.write(f"MATCH (d:{staging.DATASET}) DELETE d")
    assert run("detach", "mine") == "mine: detached, 12 cells\n"
    with pytest.raises(UsageError, match="unknown dataset"):
        run("show", "mine")
