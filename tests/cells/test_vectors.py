"""The byte format of expression vectors: exact bytes, round trips, forbidden cases."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tosg.errors import DataError
from tosg.kg.cells.csr import CsrRows
from tosg.kg.cells.values.codec import decode, decode_block, encode, encode_block

COUNTS = "01020200 03000000 0100 0500 bc02 0100 0200 2c01"
HALF = "01021400 01000000 0000 0000003f"
EMPTY = "01020100 00000000"


@pytest.mark.parametrize(
    ("indices", "values", "expected"),
    [
        ([1, 5, 700], [1, 2, 300], COUNTS),
        ([0], [0.5], HALF),
        ([], [], EMPTY),
        ([3], [0], EMPTY),
        ([65535], [255], "01020100 01000000 ffff ff"),
        ([65536], [256], "01040200 01000000 00000100 0001"),
        ([2], [65536.0], "01020400 01000000 0200 00000100"),
        ([2], [2**32 - 1], "01020400 01000000 0200 ffffffff"),
        ([2], [-1.0], "01021400 01000000 0200 000080bf"),
        # What float32 rounds to 0 or to a whole number is that number.
        ([3], [1e-46], EMPTY),
        ([3], [1 + 1e-12], "01020100 01000000 0300 01"),
        ([1, 2], [1.0, 0.25], "01021400 02000000 0100 0200 0000803f 0000803e"),
    ],
)
def test_exact_bytes(indices: list[int], values: list[float], expected: str) -> None:
    assert encode(np.array(indices, int), np.array(values)) == bytes.fromhex(expected)


def test_decode_keeps_whole_numbers() -> None:
    indices, values = decode(bytes.fromhex(COUNTS), 701)
    assert indices.tolist() == [1, 5, 700]
    assert indices.dtype == np.int32
    assert values.tolist() == [1, 2, 300]
    assert values.dtype == np.uint16
    with pytest.raises(DataError, match="too large for float32"):
        decode_block([encode([2], [2**24])])
    assert decode(encode([2], [2**32 - 1]))[1].tolist() == [2**32 - 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "shorter than its header"),
        ("01020100 000000", "shorter than its header"),
        ("02020100 00000000", "unknown format"),
        ("01030100 00000000", "unknown index width"),
        ("01020300 00000000", "unknown value type"),
        ("01020101 00000000", "unknown reserved byte"),
        ("01020100 00000000 00", "wrong length"),
        ("01020100 01000000 0000", "wrong length"),
        ("01020100 02000000 0500 0500 01 01", "strictly increasing"),
        ("01020100 02000000 0600 0500 01 01", "strictly increasing"),
        ("01020100 01000000 0a00 01", "outside the data set's variables"),
        ("01020100 01000000 0000 00", "stores a zero"),
        ("01021400 01000000 0000 0000c07f", "not finite"),
        ("01021400 01000000 0000 0000807f", "not finite"),
        ("01020200 01000000 0000 0100", "one encoding"),
        ("01040100 01000000 00000000 01", "one encoding"),
        ("01021400 01000000 0000 0000803f", "one encoding"),
    ],
)
def test_forbidden(data: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode(bytes.fromhex(data), 10)


@pytest.mark.parametrize(
    ("indices", "values"),
    [
        ([1, 1], [1, 1]),
        ([2, 1], [1, 1]),
        ([-1], [1]),
        ([0], [np.nan]),
        ([0], [np.inf]),
        ([0], [1e39]),
        ([1], []),
    ],
)
def test_what_is_not_encoded(indices: list[int], values: list[float]) -> None:
    with pytest.raises(DataError):
        encode(np.array(indices, int), np.array(values))


def test_a_null_vector_is_refused() -> None:
    with pytest.raises(DataError, match="no expression vector"):
        decode_block(pa.array([None], pa.binary()))


WHOLE = st.integers(1, 2**24 - 1)
FRACTION = st.floats(width=32, allow_nan=False, allow_infinity=False).filter(
    lambda x: x != 0 and not 2**24 <= x < 2**32
)
ROW = st.dictionaries(
    st.one_of(st.integers(0, 300), st.integers(0, 2**31 - 1)),
    st.one_of(WHOLE, FRACTION),
    max_size=12,
) | st.dictionaries(st.integers(0, 70000), st.integers(1, 300), max_size=12)


@settings(deadline=None)
@given(st.lists(ROW, max_size=8), st.integers(0, 3))
def test_round_trip(rows: list[dict[int, float]], skip: int) -> None:
    ordered = [sorted(row.items()) for row in rows]
    indptr = np.cumsum([0, *map(len, ordered)])
    indices = np.array([i for row in ordered for i, _ in row], np.int64)
    values = np.array([v for row in ordered for _, v in row], np.float64)
    vectors = encode_block(CsrRows(np.arange(len(rows)), indptr, indices, values))
    assert vectors == [encode([i for i, _ in row], [v for _, v in row]) for row in ordered]
    block = decode_block(pa.array(vectors, pa.binary()).slice(skip))
    skipped = sum(map(len, ordered[:skip]))
    assert block.indptr.tolist() == [max(0, p - skipped) for p in indptr[min(skip, len(rows)) :]]
    assert block.indices.tolist() == indices[skipped:].tolist()
    assert block.values.tolist() == values[skipped:].astype(np.float32).tolist()
    for vector, row in zip(vectors, ordered, strict=True):
        one = decode(vector)
        assert one[0].tolist() == [i for i, _ in row]
        assert one[1].tolist() == np.array([v for _, v in row], np.float32).tolist()


@pytest.mark.parametrize("per_row", [3, 400])
def test_short_and_long_rows_decode_alike(per_row: int) -> None:
    generator = np.random.default_rng(7)
    rows = [np.sort(generator.choice(5000, per_row, replace=False)) for _ in range(50)]
    for values in (generator.integers(1, 200, (50, per_row)), generator.random((50, per_row)) + 1):
        block = decode_block([encode(i, v) for i, v in zip(rows, values, strict=True)], 5000)
        assert np.array_equal(block.indices, np.concatenate(rows))
        assert np.array_equal(block.values, values.ravel().astype(np.float32))
