"""What is loaded from an excerpt says so: the report, `tosg stats`, and answers that rest on it."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.loads import held
from support.sources import write_source

import tosg
from tosg.cli import tosg as command
from tosg.graph import KnowledgeGraph
from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput, load

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j]

REGULATES = "MATCH (:Gene)-[r:REGULATES]->(:Gene) RETURN count(r) AS n"
GENES = "MATCH (g:Gene) RETURN count(g) AS n"
ANY = "MATCH (:Gene)-[r]->() RETURN count(r) AS n"
NAMED = "MATCH (g:Gene) RETURN g.name AS name ORDER BY name"


def load_genes(settings: Settings, folder: Path) -> None:
    """Load the genes, which the source of the tests needs."""
    loader = registry.make("ncbi_gene", {"excerpt": "false"})
    load(settings, [SourceInput.locate(loader, [folder])], way="bolt")


def told(graph: KnowledgeGraph, query: str) -> list[str]:
    """What a query warns of excerpts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graph.query(query)
    said = [str(w.message) for w in caught if issubclass(w.category, tosg.TosgWarning)]
    return [text for text in said if "excerpt" in text]


def test_an_excerpt_is_marked_until_the_whole_is_loaded(empty: Settings, tmp_path: Path) -> None:
    write_source("collectri", tmp_path)
    load_genes(empty, tmp_path)
    with KnowledgeGraph(empty) as graph:
        assert told(graph, REGULATES) == []
        report = graph.load("collectri", tmp_path)  # far smaller than the whole table
        assert report.as_dict()["excerpts"] == {"collectri": ["REGULATES"]}
        notes = [
            n["kind"] for s in report.as_dict()["sources"] for f in s["files"] for n in f["notes"]
        ]
        assert "excerpt, not the whole file" in notes

        counts = graph.count_by_source()
        assert counts["collectri"]["from_excerpt"] == counts["collectri"]["relationships"] > 0
        assert counts["ncbi_gene"]["from_excerpt"] == 0
        said = "rests on excerpts, not on the whole of: collectri; see `tosg stats`"
        assert told(graph, REGULATES) == [said]
        assert told(graph, ANY) == [said]
        assert told(graph, GENES) == []
        assert told(graph, NAMED) == []

        before = held(empty)
        again = graph.load("collectri", tmp_path)
        assert not again.changed
        assert held(empty) == before
        assert told(graph, REGULATES) == [said]

        whole = graph.load("collectri", tmp_path, source_options={"excerpt": "false"}, prune=True)
        assert whole.as_dict()["excerpts"] == {}
        assert told(graph, REGULATES) == []
        assert graph.count_by_source()["collectri"]["from_excerpt"] == 0

        graph.load("collectri", tmp_path, source_options={"excerpt": "true"}, prune=True)
        assert told(graph, REGULATES) == [said]
        graph.load("collectri", prune=True)
        assert told(graph, REGULATES) == []


def test_commands_say_it_too(empty: Settings, tmp_path: Path) -> None:
    write_source("collectri", tmp_path)
    flags = {"TOSG_HOME": str(empty.home)}
    load_genes(empty, tmp_path)
    run = CliRunner().invoke

    loaded = run(command, ["load", "collectri", str(tmp_path)], env=flags)
    assert "EXCERPT, not the whole of collectri: REGULATES" in loaded.stdout
    stats = run(command, ["stats"], env=flags).stdout
    assert next(line for line in stats.splitlines() if "collectri" in line).split()[-1] == "excerpt"
    document = json.loads(run(command, ["stats", "--json"], env=flags).stdout)
    assert document["sources"]["collectri"]["from_excerpt"] > 0
    report = json.loads(run(command, ["report", "--json"], env=flags).stdout)
    assert report["excerpts"] == {"collectri": ["REGULATES"]}
    asked = run(command, ["query", REGULATES, "--json"], env=flags)
    assert json.loads(asked.stdout)[0]["n"] > 0
    assert "rests on excerpts, not on the whole of: collectri" in asked.stderr
