"""Selections come back as idx, whatever shape the query gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import neo4j
import pytest
from support.fixture_graph import CELLS, ENTITIES, idx_of, opened

from tosg.errors import ConfigError, QueryError
from tosg.kg.query.select import RELATIONSHIP_VALUES, select_cells, select_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

IL2, IL2RA, JAK3, CD19 = "ncbigene:3558", "ncbigene:3559", "ncbigene:3718", "ncbigene:930"
FOXP3 = "ncbigene:50943"


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    with opened(server_settings) as db:
        yield db


def rows(*ids: str) -> list[int]:
    return sorted(idx_of(i) for i in ids)


SHAPES = [
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN g",
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN g AS `any name`, g.symbol, 1",
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN collect(g)",
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN [[collect(g)], null, 'x']",
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN {genes: collect(g), n: count(*)}",
    "MATCH (g:Gene) WHERE g.symbol IN ['IL2', 'IL2RA'] RETURN [{a: {b: [[g]]}}]",
    "MATCH (g:Gene {symbol: 'IL2RA'}) RETURN g UNION ALL MATCH (g:Gene {symbol: 'IL2'}) RETURN g",
    "MATCH (a:Gene {symbol: 'IL2'}), (b:Gene {symbol: 'IL2RA'}) RETURN *",
    "MATCH p = (:Gene {symbol: 'IL2'})-[:REGULATES]->(:Gene {symbol: 'IL2RA'}) RETURN nodes(p)",
    "MATCH (g:Gene) WHERE g.symbol STARTS WITH 'IL2' RETURN g ORDER BY g.symbol LIMIT 2 // x",
]


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize("query", SHAPES)
def test_nodes_of_any_shape(graph: Database, query: str) -> None:
    found = select_graph(graph, query, {})
    assert found.nodes.tolist() == rows(IL2, IL2RA)
    assert found.nodes.dtype.name == "int64"
    assert found.relationships is None
    assert found.warnings == []


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    "query",
    [
        "MATCH (:Gene {symbol: 'IL2'})-[r:REGULATES]->(:Gene) RETURN r",
        "MATCH p = (:Gene {symbol: 'IL2'})-[:REGULATES]->(:Gene) RETURN p",
        "MATCH (:Gene {symbol: 'IL2'})-[r:REGULATES]->(g:Gene) RETURN g, collect(r) AS all, [r]",
    ],
)
def test_relationships_and_paths_bring_their_ends(graph: Database, query: str) -> None:
    found = select_graph(graph, query, {})
    assert found.nodes.tolist() == rows(IL2, IL2RA, FOXP3)
    assert found.relationships is not None
    assert found.relationships.column_names == [
        "type",
        "start_idx",
        "end_idx",
        *RELATIONSHIP_VALUES,
    ]
    by_end = {r["end_idx"]: r for r in found.relationships.to_pylist()}
    assert sorted(by_end) == rows(IL2RA, FOXP3)
    assert by_end[idx_of(IL2RA)] == {
        "type": "REGULATES",
        "start_idx": idx_of(IL2),
        "end_idx": idx_of(IL2RA),
        "score": 0.9,
        "sign": 1,
        "action": None,
        "sources": ["trrust"],
        "licenses": None,
        "releases": None,
    }
    assert by_end[idx_of(FOXP3)]["score"] is None
    assert by_end[idx_of(FOXP3)]["sign"] == 0


@pytest.mark.neo4j
def test_the_whole_graph_and_every_cell(graph: Database) -> None:
    assert select_graph(graph, None, {}).nodes.tolist() == rows(*ENTITIES)
    assert select_cells(graph, None, {}).idx.tolist() == rows(*(c for c, _ in CELLS))


@pytest.mark.neo4j
@pytest.mark.lts
def test_named_statements_select(graph: Database) -> None:
    found = select_graph(graph, "genes_of_pathway", {"pathway": "B cell activation", "other": 1})
    assert found.nodes.tolist() == rows(JAK3, CD19)
    cells = select_cells(graph, "cells_of_type", {"cell_type": "T cell", "disease": "lupus"})
    assert cells.idx.tolist() == rows("c1", "c2")
    with pytest.raises(ConfigError, match="has no value"):
        select_graph(graph, "genes_of_pathway", {})


@pytest.mark.neo4j
@pytest.mark.lts
def test_cells_by_cypher(graph: Database) -> None:
    found = select_cells(graph, "MATCH (c:Cell {disease: $d}) RETURN collect(c)", {"d": "SLE"})
    assert found.idx.tolist() == rows("c1", "c2", "c4")
    assert found.warnings == []
    mixed = select_cells(graph, "MATCH (c) WHERE c:Cell OR c:Gene RETURN c", {})
    assert len(mixed.idx) == len(CELLS)
    assert mixed.warnings == ["6 nodes that are no cells are left out"]


@pytest.mark.neo4j
def test_what_is_no_entity_is_left_out_and_told(graph: Database) -> None:
    query = "MATCH (g:CellGroup)-[r:EXPRESSES]->(x {symbol: 'CD19'}) RETURN g, r, x"
    found = select_graph(graph, query, {})
    assert found.nodes.tolist() == rows(CD19)
    assert found.relationships is None
    assert found.warnings == [
        "1 nodes that are no entities (cells, groups, data sets) are left out",
        "1 relationships with an end that is no entity are left out",
    ]


@pytest.mark.neo4j
def test_limit_without_order_is_warned_about(graph: Database) -> None:
    found = select_graph(graph, "MATCH (g:Gene) RETURN g LIMIT 2", {})
    assert len(found.nodes) == 2
    assert "LIMIT (or SKIP) without ORDER BY" in found.warnings[0]
    again = select_graph(graph, "MATCH (g:Gene) RETURN g ORDER BY g.id LIMIT 2", {})
    assert again.warnings == []


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    ("query", "what", "detail"),
    [
        ("MATCH (g:Gene {symbol: 'nobody'}) RETURN g", "returns nothing", "no row"),
        ("MATCH (g:Gene) RETURN g.symbol", "returns no entity", "6 rows of g.symbol"),
        ("MATCH (c:Cell) RETURN c", "returns no entity", "4 cells"),
        ("MATCH (g:CellGroup) RETURN g", "returns no entity", "3 other nodes"),
        ("MATCH (g:Gene) RETURN g, [[[[[[g]]]]]]", "more than 5 deep", ""),
        ("MATCH (g:Gene) RETURN {a: {b: {c: {d: {e: [g]}}}}}", "more than 5 deep", ""),
        ("MATCH (g:Gnee) RETURN g", "names that the graph does not have", "did you mean Gene"),
        ("MATCH (g:Gene)-[:REGULATE]->(h) RETURN g", "does not have", "did you mean REGULATES"),
        ("MATCH (g:Gene {symbl: 'IL2'}) RETURN g", "does not have", "did you mean symbol"),
        ("MATCH (g:Gene) SET g.x = 1 RETURN g", "would write", ""),
        ("MATCH (g:Gene RETURN g", "not valid Cypher", "line 1, column 15"),
        ("SHOW INDEXES", "does more than read", ""),
        ("MATCH (g:Gene) WHERE g.id = $id RETURN g", "", "id"),
    ],
)
def test_a_bad_selection_says_what_is_wrong(
    graph: Database, query: str, what: str, detail: str
) -> None:
    with pytest.raises((QueryError, ConfigError)) as caught:
        select_graph(graph, query, {})
    assert what in str(caught.value)
    assert detail in str(caught.value)


@pytest.mark.neo4j
def test_a_selection_of_cells_that_are_none(graph: Database) -> None:
    with pytest.raises(QueryError, match="returns no cell"):
        select_cells(graph, "MATCH (g:Gene) RETURN g", {})
    with pytest.raises(QueryError, match="returns nothing"):
        select_cells(graph, "MATCH (c:Cell {disease: 'flu'}) RETURN c", {})


@pytest.mark.neo4j
def test_a_selection_past_its_time_is_stopped(graph: Database) -> None:
    query = (
        "MATCH (g:Gene) UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b "
        "WITH g, a, b WHERE a * b = -1 RETURN g"
    )
    with pytest.raises(QueryError, match="ran past its time limit"):
        select_graph(graph, query, {}, timeout=0.5)


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("select", "query"),
    [
        (select_graph, "MATCH (g:Gene) RETURN g.symbol"),
        (select_cells, "MATCH (g:Gene) RETURN g"),
    ],
)
def test_every_run_of_the_users_query_has_its_time_limit(
    graph: Database, monkeypatch: pytest.MonkeyPatch, select: Any, query: str
) -> None:
    """Also the second one, which counts the rows of a query that returned nothing of use."""
    limits: list[float | None] = []
    run = neo4j.Session.run

    def seen(session: neo4j.Session, text: Any, *args: Any, **more: Any) -> neo4j.Result:
        wrapped = "CALL () { MATCH (g:Gene) RETURN"
        if wrapped in getattr(text, "text", text) and "EXPLAIN" not in text.text:
            limits.append(getattr(text, "timeout", None))
        return run(session, text, *args, **more)

    monkeypatch.setattr(neo4j.Session, "run", seen)
    with pytest.raises(QueryError, match="returns no"):
        select(graph, query, {}, timeout=60)
    assert limits == [60, 60]
