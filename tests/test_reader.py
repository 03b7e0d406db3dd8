"""The columnar reader gives what plain queries give, whatever is missing, gaps or no gaps."""

from __future__ import annotations

import struct
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tosg.errors import DataError, UsageError
from tosg.kg.database.indexes import ensure_schema
from tosg.kg.reader import blocks
from tosg.kg.reader import bulk as reader
from tosg.kg.reader import edge_blocks as relationship_blocks
from tosg.kg.reader.blocks import as_idx, blocks_of, in_order
from tosg.kg.reader.bulk import read_embeddings, read_nodes, read_relationships

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.connection import Database

TYPES = ("REGULATES", "INTERACTS_WITH", "TARGETS")
LABELS = ("Gene", "Drug", "Protein")

PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=4),
        "synonyms": st.lists(st.text(max_size=3), max_size=3),
        "age": st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False)),
        "flag": st.booleans(),
    },
)
EDGE_PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "score": st.floats(0, 1),
        "sign": st.sampled_from([-1, 0, 1]),
        "sources": st.lists(st.sampled_from("abc"), min_size=1, max_size=2),
    },
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]:
    """Nodes, relationships (also loops and doubles) and some idx, not all of them in the graph."""
    idx = draw(st.lists(st.integers(0, 300), min_size=1, max_size=12, unique=True))
    nodes = [{"idx": i, "label": draw(st.sampled_from(LABELS)), "p": draw(PROPERTIES)} for i in idx]
    ends = st.sampled_from(idx)
    edges = draw(
        st.lists(
            st.fixed_dictionaries(
                {"a": ends, "b": ends, "type": st.sampled_from(TYPES), "p": EDGE_PROPERTIES}
            ),
            max_size=20,
        )
    )
    wanted = draw(st.lists(st.one_of(ends, st.integers(0, 310)), max_size=12))
    return nodes, edges, wanted


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the tests' small graphs into many blocks too."""
    monkeypatch.setattr(reader, "_NODE_ROWS", 3)
    monkeypatch.setattr(reader, "_EDGE_ROWS", 4)
    monkeypatch.setattr(reader, "_EDGE_ROWS_WITH_LISTS", 2)
    monkeypatch.setattr(relationship_blocks, "IDS_PER_QUERY", 2)
    monkeypatch.setattr(relationship_blocks, "NUMBERS_PER_QUERY", 3)
    monkeypatch.setattr(reader, "_ENDS_SENT_MAX_NODES", 3)
    monkeypatch.setattr(blocks, "BUCKETS", 16)


@pytest.mark.neo4j
@pytest.mark.usefixtures("small_blocks")
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(graph=graphs())
def test_it_reads_what_plain_queries_read(
    indexed: Database, graph: tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]
) -> None:
    nodes, edges, wanted = graph
    _write(indexed, nodes, edges)
    for idx in (None, np.array(wanted, np.int64)):
        for label in ("Entity", "Gene"):
            _compare_nodes(indexed, label, idx)
        for types in (None, ["TARGETS", "REGULATES"]):
            _compare_edges(indexed, types, idx)


@pytest.fixture
def indexed(database: Database) -> Database:
    ensure_schema(database)
    return database


def _write(db: Database, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    db.write("MATCH (n) DETACH DELETE n")
    for label in LABELS:
        db.write(
            f"UNWIND $nodes AS x CREATE (n:Entity:{label} {{idx: x.idx}}) SET n += x.p",
            nodes=[node for node in nodes if node["label"] == label],
        )
    for type_ in TYPES:
        db.write(
            "UNWIND $edges AS x MATCH (a:Entity {idx: x.a}), (b:Entity {idx: x.b}) "
            f"CREATE (a)-[r:{type_}]->(b) SET r += x.p",
            edges=[edge for edge in edges if edge["type"] == type_],
        )


NODE_COLUMNS = ("name", "synonyms", "age", "flag", "nothing")
EDGE_COLUMNS = ("score", "sign", "sources", "nothing")


def _compare_nodes(db: Database, label: str, idx: np.ndarray | None) -> None:
    names = ", ".join(f"n.{p} AS {p}" for p in NODE_COLUMNS)
    rows = db.rows(f"MATCH (n:{label}) RETURN n.idx AS idx, {names} ORDER BY n.idx")
    if idx is not None:
        rows = [r for r in rows if r["idx"] in set(idx.tolist())]
    batches = list(read_nodes(db, label, NODE_COLUMNS, idx=idx))
    found = pa.Table.from_batches(batches)
    assert found.column_names == ["idx", *NODE_COLUMNS]
    assert all(b.num_rows <= 3 for b in batches)
    if pa.types.is_floating(found.schema.field("age").type):  # whole numbers beside fractions
        rows = [r | {"age": None if r["age"] is None else float(r["age"])} for r in rows]
    assert found.to_pylist() == rows


def _compare_edges(db: Database, types: list[str] | None, idx: np.ndarray | None) -> None:
    names = ", ".join(f"r.{p} AS {p}" for p in EDGE_COLUMNS)
    rows = db.rows(
        "MATCH (a:Entity)-[r]->(b:Entity) WHERE $types IS NULL OR type(r) IN $types "
        f"RETURN type(r) AS type, a.idx AS start_idx, b.idx AS end_idx, {names}",
        types=types,
    )
    if idx is not None:
        inside = set(idx.tolist())
        rows = [r for r in rows if r["start_idx"] in inside and r["end_idx"] in inside]
    batches = list(read_relationships(db, types, EDGE_COLUMNS, idx=idx))
    found = pa.Table.from_batches(batches)
    assert found.column_names == ["type", "start_idx", "end_idx", *EDGE_COLUMNS]
    assert all(b.num_rows <= 4 for b in batches)
    for batch in batches:
        keys = [(r["start_idx"], r["end_idx"], r["type"]) for r in batch.to_pylist()]
        assert keys == sorted(keys)
    starts = found["start_idx"].to_pylist()
    assert starts == sorted(starts)
    assert sorted(found.to_pylist(), key=repr) == sorted(rows, key=repr)


@pytest.fixture
def four(database: Database) -> Database:
    """Four genes with gaps between, one drug, two cells, a stray node, and vectors of two."""
    ensure_schema(database)
    for i, idx in enumerate((5, 100, 7000, 2**40)):
        database.write(
            "CREATE (:Entity:Gene {id: $id, idx: $idx, name: $id, embedding_f32: $v})",
            id=f"ncbigene:{i}",
            idx=idx,
            v=None if i == 1 else struct.pack("<2f", i, -i),
        )
    database.write("CREATE (:Entity:Drug {id: 'drugbank:DB00001', idx: 50})")
    database.write("CREATE (:Cell {id: 'c1', idx: 51, expression: $x, expr_IL2: 1})", x=b"\x00\xff")
    database.write("CREATE (:Cell {id: 'c2', idx: 7001, n_genes: 3, plate: date('2020-01-02')})")
    database.write(
        "MATCH (a:Gene {id: 'ncbigene:0'}), (b:Gene {id: 'ncbigene:3'}) "
        "CREATE (a)-[:REGULATES {sign: 1}]->(b), (a)-[:REGULATES]->(:Stray), (b)-[:REGULATES]->(b)"
    )
    return database


@pytest.mark.neo4j
@pytest.mark.lts
def test_gaps_cells_and_strays(four: Database) -> None:
    genes = pa.Table.from_batches(list(read_nodes(four, "Gene", ["id", "idx", "embedding_f32"])))
    assert genes["idx"].to_pylist() == [5, 100, 7000, 2**40]
    assert genes.schema.field("embedding_f32").type == pa.binary()
    cells = pa.Table.from_batches(
        list(read_nodes(four, "Cell", ["expression", "expr_IL2", "n_genes", "plate"]))
    )
    assert cells.to_pylist() == [
        {"idx": 51, "expression": b"\x00\xff", "expr_IL2": 1.0, "n_genes": None, "plate": None},
        {"idx": 7001, "expression": None, "expr_IL2": None, "n_genes": 3, "plate": "2020-01-02"},
    ]
    edges = pa.Table.from_batches(list(read_relationships(four, None, ["sign"])))
    assert edges.to_pylist() == [
        {"type": "REGULATES", "start_idx": 5, "end_idx": 2**40, "sign": 1},
        {"type": "REGULATES", "start_idx": 2**40, "end_idx": 2**40, "sign": None},
    ]


@pytest.mark.neo4j
def test_what_is_not_there_is_not_in_the_result(four: Database) -> None:
    found = pa.Table.from_batches(
        list(read_nodes(four, "Gene", ["id"], idx=np.array([7, 50, 100])))
    )
    assert found.to_pylist() == [{"idx": 100, "id": "ncbigene:1"}]
    none = list(read_nodes(four, "Gene", ["id"], idx=np.array([], np.int64)))
    assert [b.num_rows for b in none] == [0]
    assert none[0].schema.names == ["idx", "id"]
    edges = list(read_relationships(four, ["TARGETS"], ["action"]))
    assert [b.num_rows for b in edges] == [0]
    assert edges[0].schema.field("type").type == pa.dictionary(pa.int32(), pa.string())
    assert sum(b.num_rows for b in read_relationships(four, [])) == 0


@pytest.mark.neo4j
@pytest.mark.lts
def test_vectors_come_in_the_order_asked_for(four: Database) -> None:
    vectors, present = read_embeddings(four, np.array([2**40, 100, 5, 2**40, 50, 999]))
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[3, -3], [0, 0], [0, 0], [3, -3], [0, 0], [0, 0]]
    assert present.tolist() == [True, False, True, True, False, False]
    vectors, present = read_embeddings(four, np.array([], np.int64))
    assert vectors.shape == (0, 0)
    assert present.shape == (0,)
    vectors, present = read_embeddings(four, np.array([50]))
    assert vectors.shape == (1, 0)
    assert not present.any()


@pytest.mark.neo4j
@pytest.mark.parametrize("bad", [b"\x00" * 12, b"\x00" * 7, b""])
def test_vectors_of_another_length_are_named(four: Database, bad: bytes) -> None:
    four.write("MATCH (n:Gene {idx: 100}) SET n.embedding_f32 = $v", v=bad)
    with pytest.raises(DataError, match="differ in length"):
        read_embeddings(four, np.array([5, 100, 7000]))


@pytest.mark.neo4j
def test_bad_names_and_values(four: Database) -> None:
    with pytest.raises(UsageError, match="unknown label"):
        list(read_nodes(four, "Gnee", []))
    with pytest.raises(UsageError, match="unknown relationship type"):
        list(read_relationships(four, ["REGULATE"]))
    four.write("MATCH (n:Cell {id: 'c1'}) SET n.n_genes = 'many'")
    with pytest.raises(DataError, match="does not have the type"):
        list(read_nodes(four, "Cell", ["n_genes"]))


@pytest.mark.neo4j
def test_leaving_early_leaves_no_thread_behind(four: Database) -> None:
    batches: Any = read_nodes(four, "Entity", ["id"])
    next(batches)
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("tosg-read")]
    assert four.rows("RETURN 1 AS x") == [{"x": 1}]


def test_blocks_of_given_ids() -> None:
    idx = as_idx(np.array([9, 1, 1, 2, 3, 100, 200]))
    assert idx.tolist() == [1, 2, 3, 9, 100, 200]
    found = list(blocks_of(idx, 3))
    assert [b.wanted.tolist() for b in found if b.wanted is not None] == [[1, 2, 3], [9, 100, 200]]
    assert [b.by_range for b in found] == [True, False]
    weighted = list(blocks_of(idx, 10, np.array([4, 4, 4, 50, 1, 1])))
    assert [(b.low, b.high) for b in weighted] == [(1, 3), (3, 4), (9, 10), (100, 201)]
    assert list(blocks_of(as_idx(np.array([])), 3)) == []
    with pytest.raises(TypeError):
        as_idx(np.array([0.5]))


def test_results_come_in_order_and_bounded() -> None:
    started: list[int] = []

    def work(i: int) -> int:
        started.append(i)
        return i

    def items() -> Iterator[int]:
        for i in range(50):
            assert i - len(taken) <= 4
            yield i

    taken: list[int] = []
    taken.extend(in_order(items(), work, 3))
    assert taken == list(range(50))
    with pytest.raises(ValueError, match="at least 1"):
        list(in_order([1], work, 0))


def test_an_error_in_a_block_reaches_the_reader() -> None:
    def work(i: int) -> int:
        if i == 3:
            raise DataError("block 3")
        return i

    with pytest.raises(DataError, match="block 3"):
        list(in_order(range(100), work, 2))
