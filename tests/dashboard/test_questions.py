"""What the views ask: samples of cells that cost the same however many cells there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.dashboard import cell_questions as questions
from tosg.dashboard.questions import completions, last_loads, sources_table
from tosg.graph import KnowledgeGraph
from tosg.kg.claims.log import SourceLog
from tosg.kg.report.kept import write_node
from tosg.kg.report.load_report import LoadReport
from tosg.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j


@pytest.fixture
def connected(graph: Database) -> Iterator[KnowledgeGraph]:
    """The facade on the graph of the page's tests."""
    target = graph.target
    settings = Settings(
        uri=target.uri, username=target.username, password=target.password, database="neo4j"
    )
    with KnowledgeGraph(settings) as found:
        yield found


@pytest.mark.parametrize("chosen", [{}, {"cell_type": ["B cell"]}, {"tissue": ["blood"]}])
def test_a_sample_is_the_same_cells_by_either_way(
    connected: KnowledgeGraph, chosen: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = questions.sample_cells(connected, "alpha", chosen)
    where = " AND ".join(["c.dataset = 'alpha'", *(f"c.{k} IN ${k}" for k in chosen)])
    asked = f"MATCH (c:Cell) WHERE {where} RETURN c.idx AS idx ORDER BY idx"
    rows = connected.query(asked, params=chosen).to_pylist()
    assert every["idx"].tolist() == [row["idx"] for row in rows]
    monkeypatch.setattr(questions, "SCANNED_CELLS", 0)
    looked_up = questions.sample_cells(connected, "alpha", chosen)
    assert looked_up.equals(every)
    monkeypatch.setattr(questions, "MOST_CELLS", 3)
    few = questions.sample_cells(connected, "alpha", chosen)
    assert len(few) == min(3, len(every))
    assert set(few["idx"]) <= set(every["idx"])
    # Spread over all cells, and not the first of the file.
    assert few["idx"].max() > every["idx"].median()
    assert few.equals(questions.sample_cells(connected, "alpha", chosen))


def test_donors_are_counted_without_reading_cells_and_are_a_filter(
    connected: KnowledgeGraph, graph: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    donors = questions.donors_of(connected, ["alpha"])
    counted = graph.rows(
        "MATCH (c:Cell {dataset: 'alpha'}) WHERE c.donor_id IS NOT NULL "
        "RETURN c.donor_id AS donor, count(*) AS n"
    )
    known = {row["donor"]: row["n"] for row in counted}
    assert len(known) > 1
    assert dict(zip(donors["donor_id"], donors["cells"], strict=True)) == known
    first = min(known)
    for scanned in (questions.SCANNED_CELLS, 0):
        monkeypatch.setattr(questions, "SCANNED_CELLS", scanned)
        cells = questions.sample_cells(connected, "alpha", {}, {first: known[first]})
        assert set(cells["donor_id"]) == {first}
        assert len(cells) == known[first]


def test_sources_have_all_their_licences(connected: KnowledgeGraph, graph: Database) -> None:
    table = sources_table(connected).set_index("source")
    rows = graph.rows(
        "MATCH (n:Entity) WHERE n.sources IS NOT NULL UNWIND range(0, size(n.sources) - 1) AS i "
        "RETURN n.sources[i] AS source, n.licenses[i] AS licence, count(*) AS n"
    )
    rows += graph.rows(
        "MATCH ()-[r]->() WHERE r.sources IS NOT NULL UNWIND range(0, size(r.sources) - 1) AS i "
        "RETURN r.sources[i] AS source, r.licenses[i] AS licence, count(*) AS n"
    )
    assert set(table.index) == {row["source"] for row in rows}
    for source, shown in table.iterrows():
        of = [row for row in rows if row["source"] == source]
        assert shown["entities"] + shown["relationships"] == sum(row["n"] for row in of)
        assert shown["licences"] == "; ".join(sorted({row["licence"] for row in of}))


def test_names_are_completed(connected: KnowledgeGraph) -> None:
    assert completions(connected, "G1", "Gene") == []  # it is a name
    assert ("drugbank:DB1", "stopper (Drug)") in completions(connected, "stop", "Entity")
    assert completions(connected, "stop", "Gene") == []
    assert completions(connected, "", "Gene") == []


def test_a_sample_of_many_reads_no_more_than_it_looks_up(connected: KnowledgeGraph) -> None:
    """The plan has index seeks alone: no scan of all cells of the data set."""
    plan = connected.db.driver.execute_query(
        "EXPLAIN CYPHER 5 UNWIND range(0, size($idx) - 1) AS n MATCH (c:Cell {idx: $idx[n]}) "
        "WHERE c.dataset = 'alpha' RETURN c.id ORDER BY n",
        idx=[1, 2],
    ).summary.plan
    operators: list[str] = []

    def collect(part: dict[str, object]) -> None:
        operators.append(str(part["operatorType"]))
        for child in part.get("children", []):  # type: ignore[attr-defined]
            collect(child)

    assert plan is not None
    collect(plan)
    assert any("NodeUniqueIndexSeek" in o for o in operators), operators
    assert not any("Scan" in o for o in operators), operators


def test_the_last_loads_come_first_with_what_they_rejected(
    connected: KnowledgeGraph, tmp_path: Path
) -> None:
    assert last_loads(connected, 5) == []
    path = tmp_path / "a.tsv"
    path.write_text("x\n")
    for id_ in ("20260101T", "20260102T", "20260103T"):
        log = SourceLog("hgnc", "1")
        file = log.file(path)
        file.read(3)
        file.parsed(1)
        file.reject("bad identifier", 2, "x")
        file.reject("bad identifier", 3, "y")
        write_node(connected.db, LoadReport(id_, sources=[log]))
    connected.db.write("MERGE (r:TosgReport {id: '20260104T'}) SET r.json = '{'")
    try:
        found = last_loads(connected, 2)
        assert [row["load"] for row in found] == ["20260104T", "20260103T"]
        assert "damaged" in found[0]["note"]
        assert (found[1]["sources"], found[1]["rejected"]) == ("hgnc", 2)
    finally:
        connected.db.write("MATCH (r:TosgReport) DELETE r")
