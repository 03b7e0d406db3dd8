"""Merging, sorting, lifting, mapping of variables and file formats, against plain Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save, save_file

from tosg.export.cells.node_map import NodeMap
from tosg.export.format.digest import digest_table
from tosg.export.format.writers import TableFile, TensorFile, cut_tables
from tosg.export.graph.edges import Edges, finish_edges, name_sources, place_edges
from tosg.export.graph.level import Fold, choose_final_nodes, lift
from tosg.kg.merge.agreement import NO_SIGN

TYPES = ("TARGETS", "INTERACTS_WITH", "REGULATES")
DIRECTED = {"TARGETS": True, "INTERACTS_WITH": False, "REGULATES": True}
KEYS = ("{}", '{"action": "b"}', '{"action": "a"}')
X, W, Y = ("x", "CC0", "1"), ("w", "", ""), ("y", "MIT", "2")
SOURCES = ((), (X,), (W, X), (Y,))

edge = st.tuples(
    st.integers(0, 2), st.integers(0, 4), st.integers(0, 4),
    st.sampled_from([None, 0.25, 0.5]), st.sampled_from([None, -1, 0, 1]),
    st.integers(0, 2), st.integers(0, 3), st.booleans(),
)  # fmt: skip


def edges_of(rows: list[tuple[Any, ...]]) -> Edges:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    return Edges(
        type=np.array(columns[0], np.int16),
        start=np.array(columns[1], np.int64),
        end=np.array(columns[2], np.int64),
        score=np.array([np.nan if s is None else s for s in columns[3]], np.float32),
        sign=np.array([NO_SIGN if s is None else s for s in columns[4]], np.int8),
        key=np.array(columns[5], np.int32),
        source=np.array(columns[6], np.int32),
        lifted=np.array(columns[7], bool),
        types=TYPES,
        keys=KEYS,
        sources=SOURCES,
    )


@settings(deadline=None, max_examples=300)
@given(st.lists(edge, max_size=40))
def test_merged_edges_are_those_of_a_dictionary(rows: list[tuple[Any, ...]]) -> None:
    merged: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for kind, start, end, score, sign, key, source, lifted in rows:
        name = TYPES[kind]
        if not DIRECTED[name] and start > end:
            start, end = end, start
        part = (sign if sign is not None else NO_SIGN) if name == "REGULATES" else 0
        merged.setdefault((name, start, end, KEYS[key], part), []).append(
            (score, sign, SOURCES[source], lifted)
        )
    expected = []
    for key_ in merged:
        claims = merged[key_]
        given_signs = {c[1] for c in claims} - {None}
        signs = given_signs - {0}
        scores = [c[0] for c in claims if c[0] is not None]
        expected.append(
            (
                *key_[:4],
                signs.pop() if len(signs) == 1 else 0 if given_signs else NO_SIGN,
                max(scores, default=None),
                tuple(sorted({s for c in claims for s in c[2]})),
                all(c[3] for c in claims),
            )
        )
    out = finish_edges(edges_of(rows), 5, DIRECTED, frozenset({"REGULATES"}))
    found = [
        (
            out.types[out.type[i]], int(out.start[i]), int(out.end[i]), out.keys[out.key[i]],
            int(out.sign[i]), None if np.isnan(out.score[i]) else float(out.score[i]),
            out.sources[out.source[i]], bool(out.lifted[i]),
        )
        for i in range(len(out))
    ]  # fmt: skip
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert out.types == tuple(sorted(out.types))
    assert out.sources == tuple(sorted(out.sources))
    assert out.keys[0] == "{}"
    order = np.lexsort((out.sign, out.key, out.end, out.start, out.type))
    assert (order == np.arange(len(out))).all()
    # nothing depends on the order in which edges were read
    other = finish_edges(edges_of(rows[::-1]), 5, DIRECTED, frozenset({"REGULATES"}))
    for name in ("type", "start", "end", "score", "sign", "key", "source", "lifted"):
        np.testing.assert_array_equal(getattr(out, name), getattr(other, name))


@pytest.mark.parametrize(
    ("signs", "agreed"),
    [([0, 1], 1), ([0, -1], -1), ([0, None], 0), ([1, 0, -1], 0), ([None, None], NO_SIGN)],
)
def test_an_unknown_sign_does_not_hide_a_known_one(signs: list[int | None], agreed: int) -> None:
    # As `merge_relationships` merges claims.
    rows = [(0, 1, 2, None, sign, 0, 0, True) for sign in signs]
    assert finish_edges(edges_of(rows), 3, DIRECTED, frozenset()).sign.tolist() == [agreed]


def test_sources_are_those_of_the_edges_that_are_left() -> None:
    rows = [(0, 3, 5, None, None, 0, 2, False), (0, 3, 7, None, None, 0, 3, False)]
    other = (("x", "CC BY 4.0", "1"),)
    edges = edges_of([*rows, (0, 5, 3, None, None, 0, 4, False)])
    edges = replace(edges, sources=(*SOURCES, other))
    edges = finish_edges(place_edges(edges, np.array([3, 5])), 2, DIRECTED, frozenset())
    named, claimants = name_sources(edges)
    assert claimants == {W, X, *other}  # not y, whose edge leads elsewhere
    assert [named.sources[s] for s in named.source] == [("w", "x"), ("x",)]


@pytest.mark.parametrize("nodes", [[3, 5, 9], [3, 5, 10**12]])
def test_placed(nodes: list[int]) -> None:
    rows = [(0, a, b, None, None, 0, 0, False) for a in (3, 5, 9, 4) for b in (5, 9, 10**12, 2)]
    out = place_edges(edges_of(rows), np.array(nodes))
    kept = [(a, b) for _, a, b, *_ in rows if a in nodes and b in nodes]
    assert [(nodes[s], nodes[e]) for s, e in zip(out.start, out.end, strict=True)] == kept


def test_fold() -> None:
    fold = Fold.of("gene", np.array([1, 1, 2, 3]), np.array([10, 11, 12, 12]))
    assert fold.kept_of(np.array([11, 12])).tolist() == [1, 2, 3]
    assert fold.folded_of(np.array([1])).tolist() == [10, 11]
    nodes, lost = choose_final_nodes(np.array([5, 10, 12, 13]), np.array([10, 12, 13]), fold)
    assert nodes.tolist() == [1, 2, 3, 5]
    assert lost.tolist() == [13]
    rows = [(1, 10, 12, None, None, 0, 0, False), (1, 5, 12, None, None, 0, 0, False)]
    out = lift(edges_of(rows), fold)
    assert sorted(zip(out.start.tolist(), out.end.tolist(), strict=True)) == [
        (1, 2), (1, 3), (5, 2), (5, 3),
    ]  # fmt: skip
    assert out.lifted.all()


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12, unique=True),
    st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), max_size=4),
    st.sampled_from(["counts", "log1p_cp10k", "scaled"]),
)
def test_variables_to_nodes(
    pairs: list[tuple[int, int]], matrix: list[list[int]], unit: str
) -> None:
    dense = np.array(matrix, np.float32).reshape(-1, 6)
    position = np.array([p for p, _ in pairs], np.int64)
    node = np.array([n for _, n in pairs], np.int64)
    variables = NodeMap.of(position, node, 6, unit, 4)
    row, column = np.nonzero(dense)
    indptr = np.searchsorted(row, np.arange(len(dense) + 1))
    counts, nodes, values = variables.apply(indptr, column, dense[row, column])
    expected = np.zeros((len(dense), 4))
    for n in range(4):
        own = [p for p, m in pairs if m == n]
        if not own:
            continue
        wide = dense[:, own].astype(np.float64)
        if unit == "counts":
            expected[:, n] = wide.sum(axis=1)
        elif unit == "scaled":
            expected[:, n] = wide.mean(axis=1)
        else:
            expected[:, n] = np.log1p(np.expm1(wide).sum(axis=1))
    found = np.zeros((len(dense), 4))
    found[np.repeat(np.arange(len(dense)), counts), nodes] = values
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (values != 0).all()
    assert variables.measured.tolist() == [n in node for n in range(4)]


def test_a_tensor_file_is_the_library_s(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors: dict[str, Any] = {
        "edge_index": rng.integers(0, 9, (2, 5)),
        "edge_score": np.array([0.5, np.nan, 1, 0, 0.25], np.float32),
        "edge_sign": np.array([0, 1, -1, 0, 0], np.int8),
        "edge_lifted": np.array([1, 0, 0, 1, 0], bool),
        "edge_type": np.arange(5, dtype=np.int16),
        "text_embedding": rng.random((3, 7)).astype(np.float16),
        "empty": np.empty((3, 0), np.float32),
    }
    path = tmp_path / "x"
    with TensorFile(path, {k: (v.dtype, v.shape) for k, v in tensors.items()}) as file:
        for name in reversed(tensors):
            array = tensors[name]
            file.write(name, array if name != "text_embedding" else iter([array[:1], array[1:]]))
        digest = file.digest()
    assert path.read_bytes() == save(tensors)
    assert len(digest) == 64
    with (
        pytest.raises(ValueError, match="4 elements"),
        TensorFile(path, {"a": (np.dtype("int8"), (5,))}) as file,
    ):
        file.write("a", np.zeros(4, np.int8))


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text(),
            st.none() | st.lists(st.text()),
            st.none() | st.booleans(),
        ),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_digests_do_not_depend_on_chunks(rows: list[tuple[Any, ...]], size: int) -> None:
    schema = pa.schema(
        [("i", pa.int64()), ("f", pa.float64()), ("s", pa.string()),
         ("l", pa.list_(pa.string())), ("b", pa.bool_())]
    )  # fmt: skip
    names = schema.names
    table = pa.Table.from_pylist([dict(zip(names, r, strict=True)) for r in rows], schema)
    parts = [table.slice(i, size) for i in range(0, len(rows), size)] or [table]
    assert digest_table(pa.concat_tables(parts)) == digest_table(table)
    if len(rows) > 1:
        assert digest_table(table.slice(1)) != digest_table(table)
    again = list(cut_tables(iter(parts), 5))
    assert [t.num_rows for t in again[:-1]] == [5] * (len(again) - 1)
    assert sum(t.num_rows for t in again) == len(rows)
    if rows:
        assert pa.concat_tables(again).equals(table)


def test_golden_digest(tmp_path: Path) -> None:
    # Worked out from the page of spec, byte by byte.
    import hashlib

    table = pa.table({"id": ["a", None, "é"], "n": pa.array([1, 2, None], pa.int64())})
    head = (3).to_bytes(8, "little")
    ids = b"id\0string\0" + b"\1\0\1" + b"\1\0\0\0" + b"\2\0\0\0" + b"a" + "é".encode()
    n = b"n\0int64\0" + b"\1\1\0" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert digest_table(table) == hashlib.sha256(head + ids + n).hexdigest()
    with TableFile(tmp_path / "t.parquet", table.schema) as file:
        file.write(table)
    assert pq.read_table(tmp_path / "t.parquet").equals(table)
    with TableFile(tmp_path / "u.parquet", table.schema) as file:
        file.write(table)
    assert (tmp_path / "t.parquet").read_bytes() == (tmp_path / "u.parquet").read_bytes()


@pytest.mark.extras
@pytest.mark.parametrize(("n", "packed"), [(50, False), (40_000, True)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_vectors_of_nodes_without_text_take_no_room(
    tmp_path: Path, n: int, packed: bool, dtype: str
) -> None:
    from tosg.export.batches.graph_tensors import GraphTensors
    from tosg.export.write.graph_files import write_tensors

    has_text = np.arange(n) % 10 == 3
    vectors = np.random.default_rng(0).random((int(has_text.sum()), 16)).astype(dtype)
    path = tmp_path / "graph.safetensors"
    digest_of = write_tensors(path, {"node_type": np.zeros(n, np.int16)}, vectors, has_text)
    whole = np.zeros((n, 16), dtype)
    whole[has_text] = vectors
    assert path.stat().st_size < vectors.nbytes + 3 * n + 500 if packed else True
    assert ("text_vectors" in load_file(path)) is packed
    graph = GraphTensors(tmp_path, [])
    np.testing.assert_array_equal(graph.text_embedding.numpy(), whole)
    np.testing.assert_array_equal(graph.text_vectors.numpy(), vectors)
    assert len(digest_of) == 64


def test_a_graph_where_every_node_has_a_vector_is_as_before(tmp_path: Path) -> None:
    from tosg.export.write.graph_files import write_tensors

    n = 40_000
    vectors = np.random.default_rng(0).random((n, 16)).astype(np.float32)
    arrays = {"node_type": np.zeros(n, np.int16)}
    write_tensors(tmp_path / "ours", arrays, vectors, np.ones(n, bool))
    save_file({**arrays, "has_text": np.ones(n, bool), "text_embedding": vectors}, tmp_path / "lib")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "lib").read_bytes()


def test_the_empty_key_is_first_where_every_edge_has_another() -> None:
    edges = replace(edges_of([(0, 1, 2, None, None, 0, 0, False)]), keys=('{"site":"S1"}',))
    out = finish_edges(edges, 3, DIRECTED, frozenset())
    assert out.keys == ("{}", '{"site":"S1"}')
    assert out.key.tolist() == [1]


@pytest.mark.parametrize("missing", [None, 6])
def test_places_with_and_without_a_gap(missing: int | None) -> None:
    from tosg.kg.schema.positions import lookup

    numbers = np.array([n for n in range(5, 9) if n != missing])
    asked = np.array([4, 5, 6, 8, 9, -1, 2**63 - 1, -(2**63)])
    expected = [numbers.tolist().index(a) if a in numbers else -1 for a in asked.tolist()]
    assert lookup(numbers)(asked).tolist() == expected
