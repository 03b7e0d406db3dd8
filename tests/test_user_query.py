"""Users' Cypher: what is refused and why, how values are read, what rows look like."""

from __future__ import annotations

import datetime
import io
import json
import pickle
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import neo4j
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from support.fixture_graph import opened

from tosg.cli import tosg
from tosg.cli.query import choose_candidate
from tosg.errors import (
    AmbiguousNameError,
    Candidate,
    ConfigError,
    DatabaseError,
    QueryError,
    SchemaError,
    TosgError,
    TosgWarning,
    UsageError,
)
from tosg.graph import KnowledgeGraph
from tosg.kg.query.finishing import finish
from tosg.kg.query.guard import Checked, run_checked
from tosg.kg.query.lookup import find_entities, find_entity
from tosg.kg.query.parameters import bind, parse_params
from tosg.kg.query.rows import ENTITY_STRUCT, PATH_STRUCT, RELATIONSHIP_STRUCT
from tosg.kg.query.run import run_query
from tosg.kg.query.statements import find_statement
from tosg.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    with opened(server_settings) as db:
        yield db


def ask(db: Database, query: str, **params: Any) -> pa.Table:
    return run_query(db, query, params, timeout=60)


REFUSED = [
    ("", "is empty"),
    ("  // nothing but words\n", "is empty"),
    ("MATCH (n) RETURN n; MATCH (m) RETURN m", "more than one statement"),
    ("MATCH (n) SET n.x = 1 RETURN n", "would write"),
    ("CREATE (n:Gene) RETURN n", "would write"),
    ("MATCH (n) DETACH DELETE n", "would write"),
    ("CREATE INDEX foo FOR (n:Gene) ON (n.foo)", "would write"),
    ("MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS", "would write"),
    ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", "does more than read"),
    ("MATCH (n) LOAD CSV FROM 'http://localhost/' AS line RETURN line", "does more than read"),
    ("CALL () { LOAD CSV FROM 'file:///x' AS l RETURN l } RETURN l", "does more than read"),
    ("SHOW DATABASES", "does more than read"),
    ("SHOW TRANSACTIONS YIELD username RETURN username", "does more than read"),
    ("TERMINATE TRANSACTIONS 'neo4j-transaction-1'", "does more than read"),
    ("CYPHER 5 /* x */ SHOW SETTINGS", "does more than read"),
    ("USE system SHOW USERS", "does more than read"),
    ("CALL dbms.listConfig()", "does more than read"),
    (
        "CALL () { CALL dbms.components() YIELD name RETURN name } RETURN name",
        "does more than read",
    ),
    ("CALL db.awaitIndexes(1)", "does more than read"),
    ("CALL db.createLabel('X')", "does more than read"),
    ("CALL tx.setMetaData({a: 1})", "does more than read"),
    # The plan does not show subqueries inside a list.
    ("RETURN [x IN [1] | EXISTS { CALL db.awaitIndexes(1) }] AS x", "does more than read"),
    (
        "RETURN [x IN [1] | COUNT { LOAD CSV FROM 'http://localhost/' AS l RETURN l }] AS x",
        "LOAD CSV",
    ),
    ("CYPHER 25 RETURN [x IN [1] | COUNT { SHOW SETTINGS }] AS x", "does more than read"),
    (
        "CYPHER 25 RETURN [x IN [1] | COUNT { UNWIND [1] AS by TERMINATE TRANSACTIONS 'x' }] AS x",
        "does more than read",
    ),
    # Neo4j reads an escaped quote as a quote, and the string ends there.
    (
        "RETURN ' AS q UNION CALL dbms.listConfig() YIELD name RETURN name AS q //\\u0027 + '1,2'",
        "outside a string",
    ),
    ("RETURN '\\u005c' AS x", "outside a string"),
    (
        "RETURN [x IN [1] | EXISTS { L\\u004fAD CSV FROM '' AS l RETURN l }] AS x",
        "outside a string",
    ),
    ("MATCH (n:Gene) RETURN n.`\\u0069d`", "outside a string"),
    ("CALL apoc.load.json('x') YIELD value RETURN value", "does more than read"),
    ("CALL apoc.path.nothing() YIELD value RETURN value", "no procedure"),
    ("CALL (*) { RETURN 1 AS x } IN TRANSACTIONS RETURN x", "transactions of its own"),
    ("PROFILE MATCH (n) RETURN n", "PROFILE"),
    ("EXPLAIN MATCH (n) RETURN n", "EXPLAIN"),
    ("MATCH (n) FINISH", "returns nothing"),
]


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(("query", "why"), REFUSED)
def test_what_does_more_than_read_is_refused(graph: Database, query: str, why: str) -> None:
    before = graph.bookmark()
    with pytest.raises(QueryError) as caught:
        ask(graph, query)
    assert why in str(caught.value)
    assert graph.bookmark() == before


@pytest.mark.neo4j
def test_what_runs_is_looked_at_as_it_runs(graph: Database) -> None:
    text = "CALL () { CALL dbms.components() YIELD name RETURN name } RETURN name"
    with pytest.raises(QueryError, match="does more than read"):
        run_checked(graph, Checked("CYPHER 5", text, ("name",), (), ()), text, {}, timeout=60)


@pytest.mark.neo4j
def test_what_cannot_be_wrapped_is_refused_without_the_wrapping(graph: Database) -> None:
    with pytest.raises(QueryError, match="cannot run as a subquery") as caught:
        ask(graph, "CYPHER 5 debug=tostring MATCH (n) RETURN n")
    assert "row" not in str(caught.value)


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    "query",
    [
        "CALL db.labels()",
        "CALL db.labels",
        "CALL `db` . labels() // all of them\n;",
        "CALL db.labels() /* all */ YIELD *",
        "CALL db.labels() YIELD label",
        "OPTIONAL CALL db.labels()",
    ],
)
def test_a_lone_call_needs_no_return(graph: Database, query: str) -> None:
    assert "Gene" in ask(graph, query)["label"].to_pylist()


@pytest.mark.neo4j
@pytest.mark.lts
def test_columns_are_named_as_written(graph: Database) -> None:
    found = ask(graph, "RETURN 'a\\\\b', '\\u00b0', '\\\\u0041', 1")
    assert found.to_pylist() == [{"'a\\\\b'": "a\\b", "'°'": "°", "'\\\\u0041'": "\\u0041", "1": 1}]


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("query", "where", "shown"),
    [
        ("MATCH (n RETURN n", "line 1, column 10", "MATCH (n RETURN n\n             ^"),
        ("// why\nMATCH (n)\n  RETRN n", "line 3, column 3", "  RETRN n\n      ^"),
        ("CYPHER 5 MATCH (g:Gene) RETURN h", "line 1, column 32", "^"),
        ("MATCH (n) RETURN n } RETURN 1 //", "line 1, column 20", "^"),
    ],
)
def test_a_mistake_is_shown_where_it_is(
    graph: Database, query: str, where: str, shown: str
) -> None:
    with pytest.raises(QueryError, match="not valid Cypher") as caught:
        ask(graph, query)
    assert caught.value.where == where
    assert caught.value.found is not None
    assert shown in caught.value.found
    assert "EXPLAIN" not in caught.value.found


@pytest.mark.neo4j
def test_a_query_past_its_time_is_stopped(graph: Database) -> None:
    query = (
        "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a * b = -1 "
        "RETURN count(*) AS n"
    )
    with pytest.raises(QueryError, match="ran past its time limit"):
        run_query(graph, query, {}, timeout=0.5)


@pytest.mark.neo4j
def test_values_are_only_parameters(graph: Database) -> None:
    found = ask(graph, "RETURN $x AS x", x="'}) DETACH DELETE n //")
    assert found.to_pylist() == [{"x": "'}) DETACH DELETE n //"}]


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    "query",
    [
        "MATCH (g:Gene) RETURN g ORDER BY g.symbol LIMIT 2",
        "MATCH (g:Gene) RETURN g ORDER BY g.symbol LIMIT 2; // the end",
        "CYPHER 5 MATCH (g:Gene) RETURN g ORDER BY g.symbol LIMIT 2 /* the end */",
        "CYPHER runtime=slotted MATCH (g:Gene)\nWITH g ORDER BY g.symbol LIMIT 2\nRETURN *",
        "// first words\nMATCH (g:Gene) RETURN DISTINCT g ORDER BY g.symbol SKIP 0 LIMIT 2",
    ],
)
def test_prefix_comments_and_semicolons(graph: Database, query: str) -> None:
    found = ask(graph, query)
    assert found.schema.field("g").type == ENTITY_STRUCT
    assert [row["g"]["symbol"] for row in found.to_pylist()] == ["CD19", "FOXP3"]


@pytest.mark.neo4j
@pytest.mark.lts
def test_graph_values_come_without_texts_and_vectors(graph: Database) -> None:
    found = ask(
        graph,
        "MATCH p = (a:Gene {symbol: 'IL2'})-[r:REGULATES]->(b:Gene {symbol: 'IL2RA'}) "
        "RETURN a, r, p, [a, b], [r], {one: [a]}, count(*), a.embedding_f32, null AS nothing, "
        "[[a]], 'x' + a.symbol AS word",
    )
    row = found.to_pylist()[0]
    il2 = {"id": "ncbigene:3558", "type": "Gene", "name": "interleukin 2", "symbol": "IL2"}
    tie = {
        "type": "REGULATES",
        "start": "ncbigene:3558",
        "end": "ncbigene:3559",
        "sign": 1,
        "score": 0.9,
        "sources": ["trrust"],
    }
    assert found.schema.field("r").type == RELATIONSHIP_STRUCT
    assert found.schema.field("p").type == PATH_STRUCT
    assert row["a"] == il2
    assert row["r"] == tie
    assert row["[r]"] == [tie]
    assert row["[a, b]"][0] == il2
    assert row["p"]["relationships"] == [tie]
    assert row["{one: [a]}"] == {"one": [il2]}
    assert row["[[a]]"] == [[il2]]
    assert row["count(*)"] == 1
    assert row["a.embedding_f32"] == b"\x00\x00\x80?\x00\x00\x00\x00"
    assert row["nothing"] is None
    assert row["word"] == "xIL2"
    assert "nobody needs" not in str(row)


@pytest.mark.neo4j
def test_values_of_no_common_type_and_of_neo4js_own(graph: Database) -> None:
    found = ask(graph, "UNWIND [1, 'a', [2], null, date('2020-01-02')] AS x RETURN x")
    assert found["x"].to_pylist() == ["1", '"a"', "[2]", None, '"2020-01-02"']
    found = ask(graph, "RETURN duration('P1D') AS d, point({x: 1, y: 2}) AS p, time('12:00Z') AS t")
    assert found.to_pylist() == [
        {"d": "P1D", "p": {"srid": 7203, "x": 1.0, "y": 2.0}, "t": "12:00:00.000000000+00:00"}
    ]
    found = ask(graph, "CYPHER 25 RETURN vector([1, 2], 2, FLOAT32) AS v")
    assert found["v"].to_pylist() == [[1.0, 2.0]]
    assert ask(graph, "MATCH (n:Metabolite) RETURN n").num_rows == 0


@pytest.mark.neo4j
@pytest.mark.lts
def test_names_that_are_not_there_are_told_with_the_nearest(graph: Database) -> None:
    warnings: list[str] = []
    query = "MATCH (g:Gnee)-[:REGULATE]->(x {symbl: 'a'}) RETURN g LIMIT 5"
    assert run_query(graph, query, {}, timeout=60, warnings=warnings).num_rows == 0
    told = "\n".join(warnings)
    assert "no label Gnee in the graph; did you mean Gene" in told
    assert "no relationship type REGULATE in the graph; did you mean REGULATES" in told
    assert "no property symbl in the graph; did you mean symbol" in told
    assert "LIMIT (or SKIP) without ORDER BY" in told
    warnings.clear()
    # a name of the schema is no mistake; the server forgets no name that it ever had
    run_query(graph, "MATCH ()-[r:TRANSLATED_TO]->() RETURN r", {}, timeout=60, warnings=warnings)
    assert warnings in ([], ["the graph has no relationship type TRANSLATED_TO yet"])


@pytest.mark.neo4j
def test_the_server_explains_a_query_once(graph: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    run = neo4j.Session.run

    def heard(self: neo4j.Session, query: Any, *arguments: Any, **more: Any) -> neo4j.Result:
        sent.append(getattr(query, "text", query))
        return run(self, query, *arguments, **more)

    monkeypatch.setattr(neo4j.Session, "run", heard)
    query = "MATCH (g:Gene) WHERE g.id <> $other RETURN g.id AS asked_once ORDER BY asked_once"
    found = []
    for other in ("ncbigene:930", "ncbigene:930", "ncbigene:3558"):
        sent.clear()
        found.append(run_query(graph, query, {"other": other}, timeout=60).to_pylist())
        assert any("EXPLAIN" in text for text in sent) == (len(found) == 1)
    assert found[0] == found[1] != found[2]


@pytest.mark.neo4j
@pytest.mark.lts
def test_a_name_that_comes_later_is_known_then(graph: Database) -> None:
    query = "MATCH (g:Gene) WHERE g.arrives_later = 1 RETURN count(g) AS n"
    warnings: list[str] = []
    before = run_query(graph, query, {}, timeout=60, warnings=warnings)
    assert (before["n"].to_pylist(), len(warnings)) == ([0], 1)
    graph.write("CREATE (:Gene {id: 'x:later', arrives_later: 1})")
    try:
        warnings.clear()
        after = run_query(graph, query, {}, timeout=60, warnings=warnings)
        assert (after["n"].to_pylist(), warnings) == ([1], [])
    finally:
        graph.write("MATCH (g:Gene {id: 'x:later'}) DELETE g")


@pytest.mark.neo4j
@pytest.mark.lts
def test_limit_cuts_the_rows(graph: Database) -> None:
    found = run_query(
        graph, "MATCH (g:Gene) RETURN g.symbol ORDER BY g.symbol", {}, timeout=60, limit=2
    )
    assert found.to_pylist() == [{"g.symbol": "CD19"}, {"g.symbol": "FOXP3"}]


def test_a_query_is_a_name_a_file_or_cypher(tmp_path: Path) -> None:
    assert find_statement("genes_of_pathway").name == "genes_of_pathway"
    assert not find_statement("MATCH (n) RETURN n").declared
    with pytest.raises(UsageError, match="unknown statement") as caught:
        find_statement("gene_of_pathway")
    assert "did you mean genes_of_pathway" in str(caught.value)
    file = tmp_path / "mine.cypher"
    file.write_text(find_statement("genes_of_pathway").text)
    assert find_statement(f"@{file}").params == find_statement("genes_of_pathway").params
    # what an export keeps is the text, and it means the same
    assert (
        find_statement(find_statement("genes_of_pathway").text).params
        == find_statement("genes_of_pathway").params
    )
    file.write_text(
        find_statement("genes_of_pathway").text.replace("{id: $pathway}", "{id: $path}")
    )
    with pytest.raises(SchemaError, match="not declared"):
        find_statement(f"@{file}")


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe\x00RETURN"])
def test_a_file_that_cannot_be_a_query(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "q.cypher"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="the file with the query"):
        find_statement(f"@{file}")


PROBE = """\
// name: probe
// mode: read
// param text: STRING = null - x
// param number: INTEGER = 1 - x
// param share: FLOAT = 0.5 - x
// param yes: BOOLEAN = false - x
// param list: LIST<STRING> = [] - x
// param numbers: LIST<INTEGER> = [] - x
// param any: ANY = null - x
// returns x: STRING - x
// help: Parameters of every type.
RETURN $text + $number + $share + $yes + $list + $numbers + $any AS x
"""


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("text=7157", "7157"),
        ("text=a=b", "a=b"),
        ("text=", ""),
        ("number=5", 5),
        ("share=1", 1),
        ("share=1e-3", 0.001),
        ("yes=TRUE", True),
        ('list=["a, b", "c"]', ["a, b", "c"]),
        ("list=a, b", ["a", "b"]),
        ("numbers=1,2", [1, 2]),
        ("any=7157", 7157),
        ('any={"a": [1]}', {"a": [1]}),
        ("any=TP53", "TP53"),
        ("any=NaN", "NaN"),
        ("any=null", None),
    ],
)
def test_values_are_read_as_declared_else_json_else_text(pair: str, value: Any) -> None:
    found = parse_params([pair], find_statement(PROBE))
    assert found == {pair.partition("=")[0]: value}


def test_undeclared_parameters_are_json_else_text_and_the_declared_type_wins() -> None:
    plain = find_statement("MATCH (n) WHERE n.id = $text RETURN n")
    assert parse_params(["text=7157"], plain) == {"text": 7157}
    assert parse_params(["text=7157"], plain, find_statement(PROBE)) == {"text": "7157"}


@pytest.mark.parametrize(
    ("pairs", "error", "what"),
    [
        (["number"], ConfigError, "has no value"),
        (["nmber=1"], UsageError, "unknown parameter"),
        (["number=1", "number=2"], ConfigError, "given twice"),
    ],
)
def test_bad_pairs(pairs: list[str], error: type[TosgError], what: str) -> None:
    with pytest.raises(error, match=what):
        parse_params(pairs, find_statement(PROBE))


@pytest.mark.neo4j
@pytest.mark.parametrize(
    "params",
    [
        {"number": "five"},
        {"number": 1.5},
        {"number": True},
        {"yes": 1},
        {"text": 5},
        {"list": [1]},
        {"number": None},  # its default is not null
        {"share": None},
        {"list": None},
    ],
)
def test_a_value_of_another_type_is_refused(graph: Database, params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="not of its type"):
        bind(graph, find_statement(PROBE), params)


@pytest.mark.neo4j
@pytest.mark.parametrize(
    "value",
    [
        2**63,
        [{"a": -(2**63) - 1}],
        "\udcff",
        {"a": ["\ud800"]},
        {"\udcff": 1},
        {1: 2},
        {1, 2},
        Decimal(1),
        object,
        np.array([2**64 - 1], np.uint64),
    ],
    ids=ascii,
)
def test_a_value_that_the_database_cannot_take_is_refused(graph: Database, value: Any) -> None:
    with pytest.raises(ConfigError, match="cannot be passed") as caught:
        ask(graph, "RETURN $x AS x", x=value)
    assert caught.value.where == "x"
    if not isinstance(value, str):
        with pytest.raises(ConfigError):
            bind(graph, find_statement(PROBE), {"number": value})


@pytest.mark.neo4j
def test_values_of_numpy_pandas_and_dates_are_taken(graph: Database) -> None:
    values = {
        "a": np.int64(3),
        "b": np.array([[1, 2], [3, 4]]),
        "c": pd.Series(["x", "y"]),
        "d": (np.True_, None),
        "e": [datetime.date(2020, 1, 2), np.datetime64("2020-01-02")],
        "f": [-(2**63), 2**63 - 1],
    }
    (row,) = ask(graph, "RETURN $x AS x", x=values)["x"].to_pylist()
    assert row == {
        "a": 3,
        "b": [[1, 2], [3, 4]],
        "c": ["x", "y"],
        "d": [True, None],
        "e": ["2020-01-02", "2020-01-02T00:00:00.000000000"],
        "f": [-(2**63), 2**63 - 1],
    }
    bound, _ = bind(
        graph,
        find_statement(PROBE),
        {"number": np.int64(2), "share": np.int32(1), "numbers": np.arange(2)},
    )
    assert (bound["number"], bound["share"], bound["numbers"]) == (2, 1.0, [0, 1])


def test_a_query_that_is_no_text() -> None:
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        find_statement("RETURN '\udcff' AS x")


@pytest.mark.neo4j
@pytest.mark.parametrize("name", ["enrichment", "nearest_to_text"])
def test_a_type_that_the_schema_has_not_is_named(graph: Database, name: str) -> None:
    values = {"genes": ["IL2"], "text": [1.0, 0.0], "type": "pathway"}
    taken = {p.name: values[p.name] for p in find_statement(name).params if p.name in values}
    with pytest.raises(UsageError, match="unknown label") as caught:
        ask(graph, name, **taken)
    assert caught.value.where == "type"
    assert "did you mean Pathway?" in str(caught.value)


@pytest.mark.neo4j
def test_a_missing_or_extra_parameter_is_named(graph: Database) -> None:
    for nothing in ({}, {"pathway": None}):
        with pytest.raises(ConfigError, match="has no value") as caught:
            ask(graph, "genes_of_pathway", **nothing)
    assert ask(graph, "RETURN $x AS x", x=None).to_pylist() == [{"x": None}]
    assert "pathway: Pathway - id or name of the pathway" in str(caught.value)
    with pytest.raises(UsageError, match="unknown parameter"):
        ask(graph, "genes_of_pathway", pathway="x", pathwy="y")


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    ("label", "value", "id_"),
    [
        ("Gene", "ncbigene:3559", "ncbigene:3559"),
        ("Gene", "IL2RA", "ncbigene:3559"),
        ("Gene", " il2ra ", "ncbigene:3559"),
        ("Gene", "CD25", "ncbigene:3559"),
        ("Protein", "IL2RA", "uniprot:P01589"),
        ("Entity", "IL2RA", "ncbigene:3559"),  # the gene before its protein
        ("Disease", "Systemic Lupus Erythematosus", "mondo:0007915"),
        ("Disease", "lupus", "mondo:0007915"),
        ("Disease", "DOID:9074", "mondo:0007915"),
    ],
)
def test_entities_are_found_by_what_people_call_them(
    graph: Database, label: str, value: str, id_: str
) -> None:
    assert find_entity(graph, label, value, "gene") == id_


@pytest.mark.neo4j
def test_entities_that_are_not_there_or_not_one(graph: Database) -> None:
    with pytest.raises(UsageError, match="no such Gene") as caught:
        find_entity(graph, "Gene", "IL2RB", "gene")
    assert "did you mean IL2RA" in str(caught.value)
    assert "ids as ncbigene:..., hgnc:..., ensembl:..." in str(caught.value)
    with two_of_one_name(graph):
        assert find_entity(graph, "Gene", "CD25", "gene") == "ncbigene:1"  # symbol before synonym
        graph.write("MATCH (n:Gene {symbol: 'JAK3'}) SET n.previous = ['twice']")
        assert find_entity(graph, "Gene", "Twice", "gene") == "ncbigene:3718"  # before synonyms
        graph.write("MATCH (n:Gene {symbol: 'JAK3'}) SET n.previous = null")
        with pytest.raises(AmbiguousNameError, match="the name of a Gene is ambiguous") as several:
            find_entity(graph, "Gene", "twice", "gene")
        assert [(c.id, c.relationships) for c in several.value.candidates] == [
            ("ncbigene:3718", 9),
            ("ncbigene:3558", 3),
        ]
        assert "ncbigene:3718 (JAK3, Gene, 9 relationships)" in str(several.value)
        assert "--first" in str(several.value)
        assert str(pickle.loads(pickle.dumps(several.value))) == str(several.value)
        found = find_entities(graph, "Gene", ["IL2", "twice", "nothing", "IL2", ""])
        assert found.ids == {"IL2": "ncbigene:3558"}
        assert found.ambiguous == {"twice": ["ncbigene:3558", "ncbigene:3718"]}
        assert sorted(found.missing) == ["", "nothing"]


@contextmanager
def two_of_one_name(graph: Database) -> Iterator[None]:
    """Give IL2 and JAK3 one synonym, and a third gene the symbol that is another's synonym."""
    graph.write("CREATE (:Entity:Gene {id: 'ncbigene:1', idx: 900000, symbol: 'CD25'})")
    graph.write("MATCH (n:Gene {symbol: 'IL2'}) SET n.synonyms = ['TCGF', 'twice', 'Größ-\u03b2']")
    graph.write(
        "MATCH (n:Gene {symbol: 'JAK3'}) SET n.synonyms = ['twice'], "
        "n.xrefs = ['ensembl:ENSG00000105639', 'hgnc:6193', 'hgnc:3558']"
    )
    try:
        yield
    finally:
        graph.write("MATCH (n:Gene {id: 'ncbigene:1'}) DELETE n")
        graph.write("MATCH (n:Gene) WHERE n.symbol IN ['IL2', 'JAK3'] REMOVE n.synonyms, n.xrefs")


@pytest.mark.neo4j
@pytest.mark.lts
def test_bare_identifiers_other_spellings_and_accents(graph: Database) -> None:
    with two_of_one_name(graph):
        spellings = {
            "ENSG00000105639": "ncbigene:3718",
            "3718": "ncbigene:3718",
            "NCBIGene:3718": "ncbigene:3718",
            "HGNC:6193": "ncbigene:3718",
            "gross-beta": "ncbigene:3558",
            "GROSS \u03b2": "ncbigene:3558",
            " tcgf": "ncbigene:3558",
        }
        found = find_entities(graph, "Gene", list(spellings))
        assert found.ids == spellings
        assert found.notes == []
        # a number that two prefixes know is that of the first, and the other is named
        found = find_entities(graph, "Gene", ["3558"])
        assert found.ids == {"3558": "ncbigene:3558"}
        assert found.notes == [
            (
                "3558 was read as ncbigene:3558, ncbigene:3558 (IL2, Gene, 3 relationships); with "
                "its prefix it could be hgnc:3558, ncbigene:3718 (JAK3, Gene, 9 relationships)"
            )
        ]
        told: list[str] = []
        rows = run_query(graph, "pathways_of_gene", {"gene": 3718}, timeout=60, warnings=told)
        assert rows.num_rows == 2
        assert told == []


@pytest.mark.neo4j
def test_the_first_of_several_is_taken_where_that_is_asked_for(graph: Database) -> None:
    with two_of_one_name(graph):
        told: list[str] = []
        values = {"gene": "twice"}
        rows = run_query(graph, "pathways_of_gene", values, timeout=60, warnings=told, first=True)
        assert rows.num_rows == 2
        assert told == [
            (
                "gene: twice is ambiguous, ncbigene:3718 (JAK3, Gene, 9 relationships) was taken "
                "instead of ncbigene:3558 (IL2, Gene, 3 relationships)"
            )
        ]
        told.clear()
        genes = {"genes": "twice, IL2RA", "min_size": 1, "max_q": 1.0}  # as on the command line
        run_query(graph, "enrichment", genes, timeout=60, warnings=told)
        assert told == [
            (
                "genes: 1 of 2 left out, ambiguous: twice could be "
                "ncbigene:3718 (JAK3, Gene, 9 relationships) or "
                "ncbigene:3558 (IL2, Gene, 3 relationships)"
            )
        ]
        code, _, err, _ = call(graph, "pathways_of_gene", "--param", "gene=twice")
        assert code == 2
        code, out, err, _ = call(graph, "pathways_of_gene", "--param", "gene=twice", "--first")
        assert (code, "was taken" in err) == (0, True)
        assert "Interleukin-2 signaling" in out


@pytest.mark.neo4j
def test_python_is_told_what_the_command_line_is_told(graph: Database) -> None:
    target = graph.target
    given = {"uri": target.uri, "username": target.username, "password": target.password}
    with KnowledgeGraph(load_settings(given)) as kg:
        with pytest.warns(TosgWarning, match="1 of 2 left out, not in the graph: XYZ9"):
            kg.query("enrichment", genes="IL2,XYZ9", min_size=1, max_q="1.0")
        with pytest.warns(TosgWarning, match="did you mean Gene"):
            kg.query("MATCH (n:Gnee) RETURN n")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('["TP53", "MDM2"', "from character 16"),
        ("[TP53]", "valid JSON"),
        ("{}}", "valid JSON"),
        ('{"a": }', "valid JSON"),
        ("[" * 50_000, "at most 100 deep"),
    ],
)
def test_malformed_json_is_one_clear_error(text: str, what: str) -> None:
    for name in ("list", "any"):
        with pytest.raises(ConfigError, match="is not valid JSON") as caught:
            parse_params([f"{name}={text}"], find_statement(PROBE))
        assert what in str(caught.value)
        assert caught.value.where == name
        assert len(str(caught.value)) < 500
    assert parse_params(["any=[18F]FDG"], find_statement(PROBE)) == {"any": "[18F]FDG"}
    assert parse_params(["list=[18F]FDG, [11C]x y"], find_statement(PROBE)) == {
        "list": ["[18F]FDG", "[11C]x y"]
    }


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("genes", "what", "found"),
    [
        ("[]", "a list of names is empty", None),
        ("", "a list of names is empty", None),
        ('["\\ud800"]', "cannot be passed to the database", '"\\ud800"'),
        ('[["TP53"]]', "is not of its type", '["TP53"]'),
        ("[true]", "is not of its type", "true"),
        ("[" * 200 + "]" * 200, "cannot be passed to the database", None),
    ],
)
def test_lists_that_are_no_names_are_one_clear_error(
    graph: Database, genes: str, what: str, found: str | None
) -> None:
    values = parse_params([f"genes={genes}"], find_statement("enrichment"))
    with pytest.raises(ConfigError, match=what) as caught:
        ask(graph, "enrichment", **values)
    assert caught.value.where == "genes"
    if found is not None:
        assert caught.value.found == found


@pytest.mark.neo4j
def test_a_list_says_what_was_left_out(graph: Database) -> None:
    warnings: list[str] = []
    params = {"genes": ["IL2", "XYZ9"], "min_size": 1, "max_q": 1.0}
    run_query(graph, "enrichment", params, timeout=60, warnings=warnings)
    assert warnings == ["genes: 1 of 2 left out, not in the graph: XYZ9"]
    with pytest.raises(UsageError, match="none of the names"):
        ask(graph, "enrichment", genes=["XYZ9"])


@pytest.mark.neo4j
def test_nearest_to_text_needs_vectors_in_the_graph(graph: Database) -> None:
    with pytest.raises(ConfigError, match="nothing in the graph is embedded"):
        ask(graph, "nearest_to_text", text="interferon response")
    with pytest.raises(ConfigError, match="not of its type"):
        ask(graph, "nearest_to_text", text=["a"])


def enriched(rows: list[tuple[int, int]], tests: int, **values: Any) -> list[dict[str, Any]]:
    """Finish counts of (hits, size), of 3 genes given and 10 that take part in anything."""
    table = pa.table(
        {
            "pathway": pa.array(
                [{"id": f"x:{i}"} for i in range(len(rows))], pa.struct([("id", pa.string())])
            ),
            "hits": pa.array([hits for hits, _ in rows], pa.int64()),
            "given": pa.array([3] * len(rows), pa.int64()),
            "size": pa.array([size for _, size in rows], pa.int64()),
            "background": pa.array([10] * len(rows), pa.int64()),
            "tests": pa.array([tests] * len(rows), pa.int64()),
        }
    )
    shown: list[dict[str, Any]] = finish(
        "enrichment", table, {"max_q": 1.0, "limit": 50, **values}
    ).to_pylist()
    return shown


def test_enrichment_by_hand() -> None:
    # an urn of 10 with 4 hits, 3 draws: P(>= 2) = (C(4,2) C(6,1) + C(4,3)) / C(10,3) = 40 / 120;
    # with 3 hits: P(3) = 1 / 120; and a third test without a hit, which has no row
    rows = enriched([(2, 4), (3, 3)], tests=3)
    assert [row["pathway"]["id"] for row in rows] == ["x:1", "x:0"]
    assert [row["p"] for row in rows] == pytest.approx([1 / 120, 1 / 3])
    assert [row["q"] for row in rows] == pytest.approx([3 / 120, 3 / 2 * 1 / 3])
    assert enriched([(2, 4), (3, 3)], tests=3, max_q=0.1) == rows[:1]
    assert enriched([(2, 4), (3, 3)], tests=3, limit=1) == rows[:1]
    assert enriched([], tests=0) == []
    with pytest.raises(ConfigError, match="too small"):
        enriched([(2, 4)], tests=1, limit=-1)


# --- the command ---


def call(db: Database, *arguments: str) -> tuple[int, str, str, bytes]:
    target = db.target
    options = ["--uri", target.uri, "--username", target.username, "--password", target.password]
    result = CliRunner().invoke(tosg, ["query", *arguments, *options])
    if result.exception is not None and not isinstance(result.exception, SystemExit | TosgError):
        raise result.exception
    code = (
        result.exception.exit_code if isinstance(result.exception, TosgError) else result.exit_code
    )
    return code, result.stdout, result.stderr, result.stdout_bytes


@pytest.mark.neo4j
def test_the_command_prints_rows_on_stdout_and_notes_on_stderr(graph: Database) -> None:
    query = "MATCH (g:Gene) RETURN g, g.embedding_f32 AS bytes ORDER BY g.symbol"
    code, out, err, _ = call(graph, query, "--limit", "1")
    assert code == 0
    assert out.splitlines()[2].split() == ["ncbigene:930", "CD19", "<8", "bytes>"]
    assert "only the first 1 rows" in err
    code, out, err, _ = call(graph, query, "--format", "json", "--limit", "0")
    assert len(json.loads(out)) == 6
    assert err == ""
    arguments = ["genes_of_pathway", "--param", "pathway=reactome:R-HSA-2", "--format", "csv"]
    code, out, err, _ = call(graph, *arguments)
    assert out.splitlines() == [
        "gene,gene_name,sources",
        'ncbigene:930,CD19,"[""pathways""]"',
        'ncbigene:3718,JAK3,"[""pathways""]"',
    ]
    code, _, _, raw = call(graph, query, "--format", "arrow")
    assert pa.ipc.open_stream(io.BytesIO(raw)).read_all().num_rows == 6
    code, out, err, _ = call(graph, "pathways_of_gene", "--param", "gene=FOXP3")
    assert (code, "no rows" in err) == (0, True)


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["MATCH (n) DELETE n"], 1),
        (["no_such_statement"], 2),
        (["genes_of_pathway"], 2),
        (["@/no/such/file.cypher"], 2),
        ([], 2),
        (["RETURN 1 AS x", "--json", "--format", "csv"], 2),
        (["RETURN 1 AS x", "--timeout", "0"], 2),
        (["RETURN $x AS x", "--param", "x=99999999999999999999"], 2),
        (["RETURN $x AS x", "--param", "x=\udcff"], 2),
        (["enrichment", "--param", "genes=IL2", "--param", "max_q=null"], 2),
        (["UNWIND range(1, 1000000000000) AS a RETURN max(a) AS a", "--timeout", "0.5"], 1),
    ],
)
def test_exit_codes_of_the_command(graph: Database, arguments: list[str], code: int) -> None:
    assert call(graph, *arguments)[0] == code


def test_the_list_and_a_description_need_no_database() -> None:
    listed = CliRunner().invoke(tosg, ["query", "--list"])
    assert listed.exit_code == 0
    assert "genes_of_pathway  pathway" in listed.stdout
    as_json = CliRunner().invoke(tosg, ["query", "--list", "--json"])
    assert len(json.loads(as_json.stdout)) == len(listed.stdout.splitlines()) // 2
    shown = CliRunner().invoke(tosg, ["query", "enrichment", "--describe"])
    assert "genes: LIST<Gene>" in shown.stdout
    assert "min_size: INTEGER (default 5)" in shown.stdout
    assert "CYPHER 5" in shown.stdout
    document = CliRunner().invoke(tosg, ["query", "enrichment", "--describe", "--json"])
    described = json.loads(document.stdout)
    assert {"name": "min_size", "type": "INTEGER", "required": False, "default": 5}.items() <= (
        next(p for p in described["params"] if p["name"] == "min_size").items()
    )
    assert described["cypher"] in shown.stdout + "\n"
    refused = CliRunner().invoke(tosg, ["query", "enrichment", "--describe", "--format", "csv"])
    assert refused.exit_code == 2


def test_a_database_that_is_not_there() -> None:
    result = CliRunner().invoke(tosg, ["query", "RETURN 1 AS x", "--uri", "bolt://127.0.0.1:1"])
    assert isinstance(result.exception, DatabaseError)


def test_on_a_terminal_one_of_several_is_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    several = [Candidate(f"ncbigene:{n}", "Gene", f"G{n}", 10 - n) for n in (1, 2)]
    error = AmbiguousNameError("ambiguous", candidates=several, where="gene", found="G")
    with pytest.raises(AmbiguousNameError):
        choose_candidate(error)  # no terminal here
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: "2")
    assert choose_candidate(error) == "ncbigene:2"
    said = capsys.readouterr()
    assert "2  ncbigene:2 (G2, Gene, 8 relationships)" in said.err
    assert said.out == ""
