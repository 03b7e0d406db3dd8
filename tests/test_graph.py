"""The facade: what a command does, one call does."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import pytest
from support import signals
from support.sources import old, write_source

import tosg
from tosg.graph import KnowledgeGraph
from tosg.kg.database.connection import Database
from tosg.kg.query.limits import QUERY_TIMEOUT
from tosg.settings import Settings

pytestmark = pytest.mark.neo4j

#: Runs for hours.
FOREVER = (
    "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a * b = -1 "
    "RETURN count(*) AS n"
)


def test_query_stats_and_export(settings: Settings, database: Database, tmp_path: Path) -> None:
    signals.write_all(database)
    with KnowledgeGraph(settings) as graph:
        counts = graph.stats()
        assert counts.nodes["Gene"] > 0
        table = graph.query("MATCH (g:Gene) RETURN count(g) AS n")
        assert table.to_pylist() == [{"n": counts.nodes["Gene"]}]
        result = graph.export(tmp_path / "out", target="cell_type", split="cell", seed=3)
        assert result.counts["nodes"] == counts.nodes["Entity"]
        named = graph.query("RETURN $limit AS limit, $query AS q", params={"limit": 7}, query="x")
        assert named.to_pylist() == [{"limit": 7, "q": "x"}]
        assert sum(info.n_cells for info in graph.datasets()) == counts.nodes["Cell"]
        with pytest.raises(tosg.QueryError):
            graph.query("CREATE (:Gene)")
        with pytest.raises(tosg.QueryTimeoutError, match="ran past its time limit"):
            graph.query(FOREVER, timeout=0.5)
    ts = tosg.TrainingSet(tmp_path / "out")
    assert sum(len(batch) for batch in ts.batches(None, 4)) == result.counts["cells"]
    assert pickle.loads(pickle.dumps(graph)).settings == settings


def test_a_source_is_loaded_with_its_options_and_withdrawn(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    write_source(old("ncbi_gene"), tmp_path)
    with KnowledgeGraph(settings) as graph:
        report = graph.load(
            "ncbi_gene", tmp_path, source_options={"release": "2026-11", "excerpt": "false"}
        )
        assert report.changed
        assert graph.report()["id"] == report.id
        assert graph.check() == []
        found = graph.query("MATCH (g:Gene) RETURN DISTINCT g.releases AS releases")
        assert found.to_pylist() == [{"releases": ["2026-11"]}]
        graph.load("ncbi_gene", prune=True)
        assert graph.stats().nodes.get("Gene", 0) == 0
        with pytest.raises(tosg.ConfigError, match="no files were given"):
            graph.load("ncbi_gene")


def test_a_query_has_a_time_limit_unless_told_otherwise() -> None:
    default = inspect.signature(KnowledgeGraph.query).parameters["timeout"].default
    assert default == QUERY_TIMEOUT > 0
