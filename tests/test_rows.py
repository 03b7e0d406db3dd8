"""Query results are what the database returned, in Arrow, JSON, CSV and the table for the eye."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fixture_graph import opened

from tosg.cli import tosg
from tosg.kg.query.rows import ENTITY_STRUCT, column_kind, is_declared, result_table
from tosg.kg.query.rows_text import as_csv, as_json, as_table, value_text
from tosg.kg.query.run import run_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

A1 = {"id": "ncbigene:1", "type": "Gene", "name": "a gene", "symbol": "A1"}
BINDING = {"id": "go:1", "type": "MolecularFunction", "name": "binding", "symbol": None}
DOWN = {
    "type": "REGULATES",
    "start": "go:1",
    "end": "ncbigene:1",
    "sign": -1,
    "score": None,
    "sources": None,
}


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    with opened(server_settings) as db:
        yield db


def table_of(columns: Sequence[str], *rows: Sequence[Any], **declared: str) -> pa.Table:
    """Make a table of plain values; a pair that begins with a kind stays as it is."""
    return result_table(columns, [[_cell(v) for v in row] for row in rows], declared)


def _cell(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else ["v", value]


def test_the_table_is_for_the_eye() -> None:
    assert value_text(A1, "NODE") == "ncbigene:1 A1"
    assert value_text(BINDING, "NODE") == "go:1 binding"
    assert value_text(DOWN, "RELATIONSHIP") == "go:1 -REGULATES(-)-> ncbigene:1"
    path = {"nodes": [A1, BINDING], "relationships": [DOWN]}
    assert value_text([path, path], "LIST<PATH>") == "; ".join(["A1 <-REGULATES(-)- binding"] * 2)
    assert value_text(A1) == json.dumps(A1)  # a map that only looks like an entity
    assert value_text(b"abc") == "<3 bytes>"
    assert value_text([0.5] * 384) == "<384 numbers>"
    assert value_text(["a", None, 1.23456789]) == "a; ; 1.235"
    assert value_text("two\nlines, \x1b[31mred\x00") == "two lines, \\x1b[31mred\\x00"
    table = table_of(["gene", "n", "t"], [("n", A1), 1, 'a "b"'], [None, 200, "x\ny"], gene="NODE")
    assert as_table(table).splitlines() == [
        "gene             n  t",
        "-------------  ---  -----",
        'ncbigene:1 A1    1  a "b"',
        "               200  x y",
    ]
    assert as_csv(table) == 'gene,gene_name,n,t\nncbigene:1,A1,1,"a ""b"""\n,,200,"x\ny"'


def test_the_header_does_not_depend_on_the_rows() -> None:
    declared = {"gene": "NODE", "n": "INTEGER"}
    some = table_of(["gene", "n"], [("n", A1), 1], **declared)
    none = table_of(["gene", "n"], **declared)
    assert as_csv(none) == "gene,gene_name,n"
    assert as_csv(some).splitlines()[0] == "gene,gene_name,n"
    assert none.schema == some.schema
    assert as_csv(table_of(["gene", "n"])) == "gene,n"
    assert as_csv(table_of(["gene", "n"], [("n", A1), 1])).splitlines() == [
        "gene,n",
        '"' + json.dumps(A1).replace('"', '""') + '",1',
    ]


def test_a_second_column_gets_a_name_that_is_free() -> None:
    row = [("n", A1), "x", ("n", A1)]
    table = table_of(["g", "g_name", "g_name_2"], row, g="NODE", g_name_2="NODE")
    heads = as_csv(table).splitlines()[0].split(",")
    assert heads == ["g", "g_name_3", "g_name", "g_name_2", "g_name_2_name"]


def test_maps_that_look_like_graph_values_stay_maps() -> None:
    maps = [
        A1,
        DOWN,
        {"nodes": ["x"], "relationships": "y"},
        {"id": 1, "type": None, "name": [2], "symbol": {"a": 1}},
    ]
    for value in maps:
        table = table_of(["x"], [value])
        assert column_kind(table.schema.field("x")) == ""
        assert json.loads(as_json(table)) == [{"x": value}]
        assert json.loads(as_csv(table).split("\n", 1)[1].strip('"').replace('""', '"')) == value
        assert as_table(table)


def test_maps_of_different_keys_get_no_nulls() -> None:
    table = table_of(["x"], [{"a": 1}], [{"b": "2"}], [None], [{}])
    assert column_kind(table.schema.field("x")) == "JSON"
    assert table["x"].to_pylist() == ['{"a": 1}', '{"b": "2"}', None, "{}"]
    assert json.loads(as_json(table)) == [
        {"x": {"a": 1}},
        {"x": {"b": "2"}},
        {"x": None},
        {"x": {}},
    ]
    nested = table_of(["x"], [[{"a": 1}, {"b": 2}]])
    assert json.loads(as_json(nested)) == [{"x": [{"a": 1}, {"b": 2}]}]


def test_numbers_stay_what_they_are() -> None:
    assert table_of(["x"], [1], [2.5])["x"].to_pylist() == [1.0, 2.5]
    big = table_of(["x"], [2**53 + 1], [0.5])  # has no equal among the floats
    assert json.loads(as_json(big)) == [{"x": 2**53 + 1}, {"x": 0.5}]
    mixed = table_of(["x"], [True], [1], ["1"], [b"1"])
    assert json.loads(as_json(mixed)) == [{"x": True}, {"x": 1}, {"x": "1"}, {"x": "MQ=="}]


def test_a_value_matters_more_than_what_the_header_says() -> None:
    table = table_of(["g", "n"], ["TP53", 2.5], g="NODE", n="INTEGER")
    assert table.to_pylist() == [{"g": "TP53", "n": 2.5}]
    plain = table_of(["g"], [A1], g="NODE")
    assert column_kind(plain.schema.field("g")) == ""
    assert is_declared(plain.schema.field("g"))
    assert as_csv(plain).splitlines()[0] == "g"
    whole = table_of(["s", "many"], [1, []], s="FLOAT", many="LIST<NODE>")
    assert whole.schema.field("s").type == pa.float64()
    assert whole.schema.field("many").type == pa.list_(ENTITY_STRUCT)


def test_a_column_of_json_is_marked_as_arrow_marks_it() -> None:
    table = table_of(["x"], [1], ["a"])
    written = io.BytesIO()
    with pa.ipc.new_stream(written, table.schema) as out:
        out.write_table(table)
    read = pa.ipc.open_stream(written.getvalue()).read_all()
    assert read.schema.field("x").type == pa.json_(pa.string())
    assert read["x"].to_pylist() == ["1", '"a"']


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["\x00\x1b[31m", "\r\n", '",', " ", "", "null", "\u2028", "'"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["id", "type", "name", "symbol", "nodes", "relationships", "x y", ""]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def in_json(value: Any) -> Any:
    """What JSON has for a value: bytes as base64, null for NaN and infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [in_json(v) for v in value]
    if isinstance(value, dict):
        return {k: in_json(v) for k, v in value.items()}
    return value


def in_csv(value: Any) -> str:
    """What one cell of CSV has for a value, as a reader sees it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    written = in_json(value)
    return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal, type by type; whole numbers may have become floats."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(right):
        return math.isnan(left)
    if isinstance(right, list):
        return (
            isinstance(left, list)
            and len(left) == len(right)
            and all(same(a, b) for a, b in zip(left, right, strict=True))
        )
    if isinstance(right, dict):
        return (
            isinstance(left, dict)
            and left.keys() == right.keys()
            and all(same(left[k], v) for k, v in right.items())
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def in_every_format(table: pa.Table, rows: list[list[Any]]) -> None:
    """Check that each format holds the rows whole."""
    for name, column in zip(table.column_names, zip(*rows, strict=True), strict=True):
        values = table[name].to_pylist()
        if column_kind(table.schema.field(name)) == "JSON":
            values = [None if v is None else json.loads(v) for v in values]
            assert same(values, [in_json(v) for v in column])
        else:
            assert same(values, list(column))
    documents = json.loads(as_json(table), parse_constant=pytest.fail)
    assert same([list(d.values()) for d in documents], [[in_json(v) for v in r] for r in rows])
    lines = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert lines[0] == table.column_names
    kinds = [column_kind(field) for field in table.schema]
    for line, row in zip(lines[1:], rows, strict=True):
        for cell, value, kind in zip(line, row, kinds, strict=True):
            if kind == "JSON" and value is not None:
                assert same(json.loads(cell), in_json(value))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                assert same(float(cell), float(value))
            elif isinstance(value, list | dict):
                assert same(json.loads(cell), in_json(value))
            else:
                assert cell == in_csv(value)
    assert len(as_table(table).split("\n")) == len(rows) + 2


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(VALUES, st.binary(max_size=4)), min_size=2, max_size=2)))
def test_any_values_come_through_every_format(rows: list[list[Any]]) -> None:
    table = table_of(["a", "b c"], *rows)
    if rows:
        in_every_format(table, rows)
    else:
        assert as_csv(table) == "a,b c"
        assert as_json(table) == "[]"


@pytest.mark.neo4j
@settings(max_examples=25, deadline=None)
@given(x=VALUES, y=st.binary(max_size=4))
def test_any_values_come_back_from_the_database(graph: Database, x: Any, y: bytes) -> None:
    table = run_query(graph, "RETURN $x AS x, $y AS y", {"x": x, "y": y}, timeout=60)
    in_every_format(table, [[x, y]])


@pytest.mark.neo4j
@pytest.mark.lts
def test_maps_of_graph_values_and_words_that_are_values(graph: Database) -> None:
    query = (
        "MATCH (n:Gene {symbol: 'IL2'})-[m:REGULATES]->(o:Gene {symbol: 'IL2RA'}) "
        "RETURN {nodes: n, relationships: m} AS x, {id: 1, type: n, name: [m], symbol: null} AS y, "
        "true, null, [n, null] AS some"
    )
    table = run_query(graph, query, {}, timeout=60)
    il2 = {"id": "ncbigene:3558", "type": "Gene", "name": "interleukin 2", "symbol": "IL2"}
    tie = {
        "type": "REGULATES",
        "start": "ncbigene:3558",
        "end": "ncbigene:3559",
        "sign": 1,
        "score": 0.9,
        "sources": ["trrust"],
    }
    (row,) = json.loads(as_json(table))
    assert row == {
        "x": {"nodes": il2, "relationships": tie},
        "y": {"id": 1, "type": il2, "name": [tie], "symbol": None},
        "true": True,
        "null": None,
        "some": [il2, None],
    }
    assert column_kind(table.schema.field("some")) == "LIST<NODE>"
    assert as_csv(table).splitlines()[0] == "x,y,true,null,some"
    assert as_table(table)


@pytest.mark.neo4j
def test_the_command_writes_control_characters_into_csv(graph: Database) -> None:
    target = graph.target
    options = ["--uri", target.uri, "--username", target.username, "--password", target.password]
    query = "RETURN 'a\\u001b[31mb' AS x"
    result = CliRunner().invoke(tosg, ["query", query, "--format", "csv", *options])
    assert result.stdout_bytes == b"x\na\x1b[31mb\n"
