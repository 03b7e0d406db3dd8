"""How results show themselves in notebooks: small, escaped, and of what they hold."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support import cells
from support.fixture_graph import ENTITIES, build
from support.training_sets import write_training_set

from tosg.export.write.result import ExportResult
from tosg.graph import KnowledgeGraph
from tosg.html_text import HTML_ROWS, facts_html, rows_html
from tosg.interop.notebooks import show_in_notebooks, table_html
from tosg.kg.cells.remap import RemapReport
from tosg.kg.database.connection import Database, Target
from tosg.kg.database.counts import GraphCounts
from tosg.kg.embed.info import EmbedReport, ModelInfo
from tosg.kg.report.load_report import LoadReport
from tosg.loaders.pipeline.build import BuildResult
from tosg.loaders.pipeline.repair import RepairReport
from tosg.settings import Settings

if TYPE_CHECKING:
    from tosg.kg.server import ServerInfo

EVIL = "<script>alert('x')</script> & \"quoted\""

#: Letters of one result at most.
SMALL = 20_000

VOID = {"br", "img"}


class Checked(HTMLParser):
    """Reads HTML strictly: every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert all(name == "style" for name, _ in attrs)
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def check(thing: Any) -> str:
    """The words of what a notebook shows of a thing, once it is small and well formed."""
    html = thing if isinstance(thing, str) else thing._repr_html_()
    assert len(html) < SMALL
    found = Checked(html)
    assert found.tags <= {"div", "strong", "small", "table", "thead", "tbody", "tr", "th", "td"}
    return "\n".join(found.words)


def test_everything_is_escaped() -> None:
    shown = check(facts_html(EVIL, [(EVIL, EVIL), ("n", 1234), ("none", None), ("", "")], [EVIL]))
    assert shown.count(EVIL) == 4
    assert "1,234" in shown
    assert "none" not in shown
    shown = check(rows_html(EVIL, [EVIL], [[EVIL], [0.123456]], notes=[EVIL]))
    assert shown.count(EVIL) == 4
    assert "0.1235" in shown


def test_long_tables_are_cut_and_said_to_be() -> None:
    shown = check(rows_html("t", ["n"], [[i] for i in range(100, 400)]))
    assert f"{HTML_ROWS} of 300 rows" in shown
    assert "119" in shown
    assert "120" not in shown


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (GraphCounts({"Gene": 1234}, {"ENCODES": 5}), ("Gene", "1,234", "-[ENCODES]-")),
        (LoadReport("20260101T", way="bolt"), ("20260101T", "changed nothing")),
        (RemapReport(EVIL, "remapped", 7, {"a": "b"}, {}, {}), (EVIL, "7")),
        (BuildResult(EVIL, loaded=["hgnc"]), (EVIL, "hgnc", "tosg embed")),
        (RepairReport({EVIL: 3}, LoadReport("x")), (EVIL, "3", "The graph was changed")),
        (
            EmbedReport(ModelInfo(EVIL, "r1", 2), "cpu", 10, 4, 4, 6, ("gene_embedding",), 1.5),
            (EVIL, "r1", "gene_embedding", "10"),
        ),
        (
            ExportResult(Path("OUT"), {"nodes": 1500, "cells": 0}, {}, [EVIL], 99, 1.0, True),
            ("OUT", "nothing written", "1,500", EVIL),
        ),
        (KnowledgeGraph(Settings(uri="bolt://h:7687")), ("bolt://h:7687", "not connected yet")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_results_show_what_they_hold(thing: Any, words: tuple[str, ...]) -> None:
    shown = check(thing)
    for word in words:
        assert word in shown


def test_a_training_set_shows_itself(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tosg.export.batches.training_set import TrainingSet

    ts = TrainingSet(write_training_set(tmp_path / "OUT <b>"))
    shown = check(ts)
    assert "Training set OUT <b>" in shown
    assert f"{ts.n_cells:,}" in shown
    assert "train " in shown
    assert f"{len(ts.classes)} classes" in shown


def test_tables_of_others_are_left_alone() -> None:
    assert table_html(pa.table({"a": [1]})) is None
    assert show_in_notebooks(table := pa.table({"a": [1]})) is table  # no notebook here


@pytest.mark.neo4j
def test_a_graph_and_its_cells_show_themselves(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    build(database)
    path = tmp_path / "mine.h5ad"
    cells.write(path, cells.counts())
    with KnowledgeGraph(settings) as graph:
        assert "not connected" in check(graph)
        report = graph.attach_cells(path, dry_run=True)
        assert "mine: would attach" in check(report)
        genes = sum(type_ == "Gene" for type_, *_ in ENTITIES.values())
        shown = check(graph)
        assert re.search(rf"Gene\n{genes}\n", shown)
        sub = graph.subgraph("MATCH (g:Gene) RETURN g")
        assert f"Subgraph({genes} nodes" in check(sub)
    with KnowledgeGraph(Settings(uri="bolt://127.0.0.1:1", password="x")) as away:
        away.db = Database(Target("bolt://127.0.0.1:1", "neo4j", "x"))  # it went away meanwhile
        assert "cannot be reached" in check(away)


@pytest.mark.neo4j
def test_in_a_real_notebook(database: Database, server: ServerInfo, tmp_path: Path) -> None:
    """Results of queries are tables of rows there, and a bar is a widget or text, never noise."""
    import nbformat
    from nbclient import NotebookClient

    build(database)
    code = (
        "import tosg\n"
        f"graph = tosg.connect({server.uri!r}, username={server.username!r}, "
        f"password={server.password!r})\n"
        "graph"
    )
    asked = (
        "graph.query('MATCH (g:Gene) RETURN g, g.symbol AS symbol, $evil AS evil ORDER BY symbol', "
        f"params={{'evil': {EVIL!r}}})"
    )
    other = "import pyarrow; pyarrow.table({'a': [1]})"
    bar = (
        "import time\n"
        "from tosg import progress\n"
        "progress.DELAY_SECONDS = 0.02\n"
        "with progress.ProgressBar() as bar:\n"
        "    assert bar.shown\n"
        "    for n in range(20):\n"
        "        bar('writing nodes', n, 20)\n"
        "        time.sleep(0.02)\n"
    )
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": []}
    cell["execution_count"] = None
    book = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {
            "nbformat": 4,
            "nbformat_minor": 4,
            "metadata": {},
            "cells": [{**cell, "source": text} for text in (code, asked, other, bar)],
        }
    )
    NotebookClient(book, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    drawn = book.cells[3].outputs
    assert all(output.output_type == "display_data" for output in drawn), drawn
    assert any("application/vnd.jupyter.widget-view+json" in output.data for output in drawn)
    shown = [cell.outputs[-1].data for cell in book.cells[:3]]
    assert "KnowledgeGraph" in check(shown[0]["text/html"])
    table = check(shown[1]["text/html"])
    assert "6 rows" in table
    assert "ncbigene:930 CD19" in table
    assert table.count(EVIL) == 6
    assert "text/html" not in shown[2]
    assert json.dumps(shown[2])
