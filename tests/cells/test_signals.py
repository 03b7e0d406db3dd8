"""Scores of edges in groups of cells: written whole or not at all, replaced by method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.fixture_graph import opened

from tosg.errors import ConfigError, DataError
from tosg.kg.cells import signals
from tosg.kg.cells.signals import write_signals
from tosg.kg.report.check import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

IL2, IL2RA, JAK3 = "ncbigene:3558", "ncbigene:3559", "ncbigene:3718"


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    with opened(server_settings) as db:
        yield db


def scores(*rows: tuple[Any, ...], columns: str = "group source target score sd") -> pa.Table:
    names = columns.split()
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def stored(db: Database) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values())
        for row in db.rows(
            "MATCH (n)-[s:SIGNALS_IN]->(g:CellGroup) MATCH (t:Entity {idx: s.target_idx}) "
            "RETURN g.id AS g, n.id AS n, t.id AS t, s.score AS score, s.method AS m "
            "ORDER BY g, n, t, m"
        )
    ]


def test_scores_of_a_method_are_replaced_and_others_stay(graph: Database) -> None:
    graph.write("MATCH ()-[s:SIGNALS_IN]->() DELETE s")
    first = write_signals(graph, scores(("g1", IL2, IL2RA, 0.5, 0.1), ("g2", IL2, JAK3, 1, 0)), "a")
    assert (first.written, first.replaced, first.groups) == (2, 0, 2)
    write_signals(graph, scores(("g1", IL2, JAK3, -2.0, None)), "b")
    again = write_signals(graph, scores(("g1", JAK3, IL2RA, 0.25, 0.1)), "a")
    assert (again.written, again.replaced, again.groups) == (1, 1, 1)
    assert stored(graph) == [
        ("g1", IL2, JAK3, -2.0, "b"),
        ("g1", JAK3, IL2RA, 0.25, "a"),
        ("g2", IL2, JAK3, 1.0, "a"),
    ]


G = ("g1", IL2, IL2RA, 0.5, 0.1)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([("g1", IL2, IL2RA, float("nan"), 0.1)], "no number"),
        ([("g1", IL2, IL2RA, float("inf"), 0.1)], "no number"),
        ([("g1", IL2, IL2RA, None, 0.1)], "missing"),
        ([(None, IL2, IL2RA, 0.5, 0.1)], "missing"),
        ([("g1", IL2, IL2RA, 0.5, -0.1)], "deviation"),
        ([G, ("g1", IL2, IL2RA, 0.6, 0.1)], "two scores"),
        ([G, ("g99", IL2, IL2RA, 0.5, 0.1)], "no group of cells.*g99"),
        ([("g1", IL2, "ncbigene:1", 0.5, 0.1)], "ncbigene:1"),
        ([("g1", "IL2", IL2RA, 0.5, 0.1)], "no gene or protein"),
        ([("g1", IL2, "cl:0000084", 0.5, 0.1)], "no gene or protein.*cl:0000084"),
        ([("g1", IL2, IL2RA, "strong", 0.1)], "another kind.*strong"),
        ([(1, IL2, IL2RA, 0.5, 0.1)], "another kind.*texts"),
        ([], "0 rows"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    graph: Database, rows: list[tuple[Any, ...]], what: str
) -> None:
    before = stored(graph)
    with pytest.raises(DataError, match=f"(?s){what}"):
        write_signals(graph, scores(*rows), "a")
    assert stored(graph) == before


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("sign", 2, "sign of a signal is not"),
        ("sign", 0.5, "another kind.*sign.*whole numbers"),
        ("sign", True, "another kind.*sign"),
        ("seeds", 0, "mean of no seed"),
        ("seeds", float("nan"), "another kind.*seeds"),
        ("type", 7, "another kind.*type.*texts"),
        ("rank", 1, "other columns.*rank"),
    ],
)
def test_what_may_be_left_out_is_checked_too(
    graph: Database, column: str, value: Any, what: str
) -> None:
    before = stored(graph)
    table = scores((*G, value), columns=f"group source target score sd {column}")
    with pytest.raises(DataError, match=f"(?s){what}"):
        write_signals(graph, table, "a")
    assert stored(graph) == before


def test_columns_and_method(graph: Database) -> None:
    with pytest.raises(DataError, match="other columns"):
        write_signals(graph, scores((1, 2), columns="group rank"), "a")
    with pytest.raises(ConfigError, match="name of what made them"):
        write_signals(graph, scores(G), " ")


def test_more_than_the_server_has_memory_for(
    graph: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(graph)
    monkeypatch.setattr(signals, "BYTES_PER_SIGNAL", 1 << 40)
    with pytest.raises(DataError, match="no memory for so many"):
        write_signals(graph, scores(G), "a")
    assert stored(graph) == before


def test_check_finds_a_target_that_is_not_there(graph: Database) -> None:
    def found() -> list[tuple[str, int]]:
        return [(f.what, f.count) for f in check(graph) if "SIGNALS_IN" in f.what]

    write_signals(graph, scores(G), "a")
    assert found() == []
    graph.write(
        "MATCH ()-[s:SIGNALS_IN {method: 'a'}]->(:CellGroup {id: 'g1'}) SET s.target_idx = -5"
    )
    assert found() == [("SIGNALS_IN name a target that is not there", 1)]
