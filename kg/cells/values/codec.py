"""The bytes of one cell's sparse expression vector, format 1 (``docs/formats/expression.md``).

::

    byte 0      1, the format
    byte 1      width of an index in bytes: 2 (uint16) or 4 (uint32)
    byte 2      type of the values: 0x01 uint8, 0x02 uint16, 0x04 uint32, 0x14 float32
    byte 3      0
    bytes 4-7   n, the number of entries, uint32
    then        n indices, strictly increasing; then n values, none of them zero

Everything is little-endian. An index is a position in the data set's own list of variables. Each
vector has one encoding only: the narrowest index and value types that hold it exactly.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tosg.errors import DataError
from tosg.kg.cells.csr import CsrRows

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
HEADER = 8

#: Code of the value type -> its little-endian dtype.
VALUE_TYPES: dict[int, str] = {0x01: "<u1", 0x02: "<u2", 0x04: "<u4", 0x14: "<f4"}
_FLOAT = 0x14

#: Whole numbers above this may not be exact in float32, the type that blocks of cells have.
EXACT = 2**24 - 1

#: Mean entries per row below which a block is gathered instead of copied row by row.
_SHORT = 128

_Array = npt.NDArray[Any]


def encode(indices: npt.ArrayLike, values: npt.ArrayLike) -> bytes:
    """Encode one vector.

    Parameters
    ----------
    indices : (n,) integers
        Strictly increasing, 0 or more.
    values : (n,) numbers
        Zeros are left out. Fractions and negative numbers are rounded to float32; whole numbers
        from 1 to 2**32 - 1 stay exact.

    Raises
    ------
    DataError
        An index or value that the format forbids.
    """
    idx, val = np.asarray(indices), np.asarray(values)
    if idx.shape != val.shape or idx.ndim != 1:
        raise _bad("indices and values differ in length", f"{idx.shape} and {val.shape}")
    rows = CsrRows(np.zeros(1, np.int64), np.array([0, len(idx)], np.int64), idx, val)
    return encode_block(rows)[0]


def encode_block(block: CsrRows) -> list[bytes]:
    """Encode rows; see `encode`.

    Returns
    -------
    list of bytes
        One per row.
    """
    values = _rounded(block.values)
    if not np.all(np.isfinite(values)):
        wrong = block.values[~np.isfinite(values)][0]
        raise _bad("a value is not a finite number", wrong, "float32")
    block = block.with_values(values).without_zeros()
    indptr, indices, values = block.indptr, block.indices, block.values
    _check_indices(indptr, indices)
    codes = _value_codes(indptr, values)
    rows: list[bytes] = []
    narrow, wide = indices.astype("<u2"), indices.astype("<u4")
    typed = {int(code): _typed(values, int(code)) for code in np.unique(codes)}
    # The last index of a row is its largest one.
    last = (
        np.where(np.diff(indptr) > 0, indices[np.maximum(indptr[1:] - 1, 0)], 0)
        if len(indices)
        else np.zeros(len(indptr) - 1, np.int64)
    )
    widths = np.where(last < 2**16, 2, 4)
    bounds = indptr.tolist()
    for row, (code, width) in enumerate(zip(codes.tolist(), widths.tolist(), strict=True)):
        a, b = bounds[row], bounds[row + 1]
        head = struct.pack("<BBBBI", FORMAT, width, code, 0, b - a)
        idx = narrow if width == 2 else wide
        rows.append(b"".join((head, idx[a:b].tobytes(), typed[code][a:b].tobytes())))
    return rows


def _rounded(values: _Array) -> _Array:
    """Values as they are stored: what float32 rounds to 0, 1 or infinity is that."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 4:
        return values
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(np.float32).astype(values.dtype)
    whole = (values > 0) & (values < 2.0**32) & (np.floor(values) == values)
    return np.where(whole, values, rounded)


def decode(data: bytes, n_variables: int | None = None) -> tuple[_Array, _Array]:
    """Decode one vector, checking everything that the format forbids.

    Returns
    -------
    indices : (n,) int32
    values : (n,) uint8, uint16, uint32 or float32
        As stored: whole numbers are exact.

    Raises
    ------
    DataError
        The bytes are not a vector of format 1, or an index is not below ``n_variables``.
    """
    array = pa.array([data], pa.binary())
    rows = _decode(array, n_variables)
    start = HEADER + len(rows.indices) * data[1]
    values = np.frombuffer(data, VALUE_TYPES[data[2]], offset=start)
    _check_narrow(data, rows.indices, values)
    return rows.indices, values.astype(values.dtype.newbyteorder("="))


def decode_block(vectors: pa.Array | Sequence[bytes], n_variables: int | None = None) -> CsrRows:
    """Decode many vectors into one block; its rows are numbered from 0.

    Parameters
    ----------
    vectors : Array of binary, or sequence of bytes
        None of them null.
    n_variables : int, optional
        Number of the data set's variables: every index must be below it.

    Raises
    ------
    DataError
        A vector is not of format 1; a whole number is above `EXACT`.
    """
    array = vectors if isinstance(vectors, pa.Array) else pa.array(vectors, pa.binary())
    rows = _decode(array, n_variables)
    if len(rows.values) and rows.values.max() > EXACT:
        _check_exact(array, rows)
    return rows


def _check_exact(array: pa.Array, rows: CsrRows) -> None:
    data, offsets = _buffers(array)
    whole = _headers(data, offsets)[:, 2] != _FLOAT
    most = np.where(np.repeat(whole, np.diff(rows.indptr)), rows.values, 0).max()
    if most > EXACT:
        raise _bad("a count is too large for float32", int(most), f"at most {EXACT}")


def _decode(array: pa.Array, n_variables: int | None) -> CsrRows:
    data, offsets = _buffers(array)
    head = _headers(data, offsets)
    counts = head[:, 4:8].copy().view("<u4")[:, 0].astype(np.int64)
    value_widths = (head[:, 2] & 0x0F).astype(np.int64)
    lengths = HEADER + counts * (head[:, 1] + value_widths)
    if np.any(lengths != np.diff(offsets)):
        row = int(np.flatnonzero(lengths != np.diff(offsets))[0])
        raise _bad(
            "an expression vector has the wrong length",
            f"{offsets[row + 1] - offsets[row]} bytes in row {row} of the block",
            f"{lengths[row]} bytes",
        )
    indptr = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    rows = CsrRows(
        np.arange(len(counts)),
        indptr,
        np.empty(indptr[-1], np.int32),
        np.empty(indptr[-1], np.float32),
    )
    _fill(rows, data, offsets, head)
    _check_rows(rows, head, n_variables)
    return rows


def _fill(rows: CsrRows, data: _Array, offsets: _Array, head: _Array) -> None:
    # Copying a long row costs less than gathering its bytes; with short rows Python's own time
    # per row counts more.
    short = len(rows.indices) < _SHORT * len(head)
    kinds = np.unique(head[:, 1:3].copy().view("<u2")) if short else ()
    if short and len(kinds) == 1:
        _fill_gathering(rows, data, offsets, int(head[0, 1]), int(head[0, 2]))
    else:
        _fill_copying(rows, data, offsets, head)


def _fill_gathering(rows: CsrRows, data: _Array, offsets: _Array, width: int, code: int) -> None:
    counts = np.diff(rows.indptr)
    entry = np.arange(len(rows.indices)) - np.repeat(rows.indptr[:-1], counts)
    start = np.repeat(offsets[:-1] + HEADER, counts)
    rows.indices[:] = _little(data, start + entry * width, width)
    start += np.repeat(counts, counts) * width
    whole = _little(data, start + entry * (code & 0x0F), code & 0x0F)
    rows.values[:] = whole.view("<f4") if code == _FLOAT else whole


def _little(data: _Array, at: _Array, width: int) -> _Array:
    """Little-endian unsigned numbers of 1, 2 or 4 bytes at any byte positions, as uint32."""
    number = data[at].astype(np.uint32)
    for byte in range(1, width):
        number |= data[at + byte].astype(np.uint32) << np.uint32(8 * byte)
    return number


def _fill_copying(rows: CsrRows, data: _Array, offsets: _Array, head: _Array) -> None:
    bounds, starts = rows.indptr.tolist(), offsets.tolist()
    for row, (width, code) in enumerate(zip(head[:, 1].tolist(), head[:, 2].tolist(), strict=True)):
        a, b = bounds[row], bounds[row + 1]
        if a == b:
            continue
        start = starts[row] + HEADER
        rows.indices[a:b] = np.frombuffer(data, "<u2" if width == 2 else "<u4", b - a, start)
        rows.values[a:b] = np.frombuffer(data, VALUE_TYPES[code], b - a, start + (b - a) * width)


def _buffers(array: pa.Array) -> tuple[_Array, _Array]:
    if array.null_count:
        raise _bad("a cell has no expression vector", f"{array.null_count} missing")
    array = array.cast(pa.large_binary())
    if len(array) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64, len(array) + 1, array.offset * 8)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.empty(0, np.uint8)
    return data, offsets


def _headers(data: _Array, offsets: _Array) -> _Array:
    short = np.diff(offsets) < HEADER
    if np.any(short):
        row = int(np.flatnonzero(short)[0])
        raise _bad(
            "an expression vector is shorter than its header",
            f"{offsets[row + 1] - offsets[row]} bytes in row {row} of the block",
            f"{HEADER} bytes or more",
        )
    head: _Array = data[offsets[:-1, None] + np.arange(HEADER)]
    for column, allowed, what in (
        (0, (FORMAT,), "format"),
        (1, (2, 4), "index width"),
        (2, tuple(VALUE_TYPES), "value type"),
        (3, (0,), "reserved byte"),
    ):
        wrong = ~np.isin(head[:, column], allowed)
        if np.any(wrong):
            row = int(np.flatnonzero(wrong)[0])
            raise _bad(
                f"an expression vector has an unknown {what}",
                f"{head[row, column]} in row {row} of the block",
                " or ".join(str(a) for a in allowed),
            )
    return head


def _check_indices(indptr: _Array, indices: _Array) -> None:
    if not len(indices):
        return
    if indices.min() < 0 or indices.max() >= 2**32:
        raise _bad("an index does not fit the format", indices.min())
    rising = np.diff(indices.astype(np.int64)) > 0
    starts = indptr[1:-1]
    rising[starts[(starts > 0) & (starts < len(indices))] - 1] = True
    if not np.all(rising):
        raise _bad("the indices of a row are not strictly increasing", indices[:-1][~rising][0])


def _check_rows(rows: CsrRows, head: _Array, n_variables: int | None) -> None:
    indices, values = rows.indices, rows.values
    if not len(indices):
        return
    rising = indices[1:] > indices[:-1]
    starts = rows.indptr[1:-1]
    rising[starts[(starts > 0) & (starts < len(indices))] - 1] = True
    if not rising.all():
        raise _bad("the indices of a row are not strictly increasing", indices[:-1][~rising][0])
    if indices.min() < 0 or (n_variables is not None and indices.max() >= n_variables):
        raise _bad(
            "an index is outside the data set's variables", indices.max(), f"below {n_variables}"
        )
    if not values.all():
        raise _bad("an expression vector stores a zero", 0)
    if np.any(head[:, 2] == _FLOAT) and not np.isfinite(values).all():
        raise _bad("an expression vector stores a value that is not finite", "NaN or infinity")


def _check_narrow(data: bytes, indices: _Array, values: _Array) -> None:
    """Refuse a vector whose types are wider than they need be: it would have two encodings."""
    if encode(indices, values) != data:
        raise _bad("an expression vector is not in its one encoding", "types wider than needed")


def _value_codes(indptr: _Array, values: _Array) -> npt.NDArray[np.uint8]:
    """Code of the narrowest value type of each row."""
    n = len(indptr) - 1
    codes = np.full(n, 0x01, np.uint8)
    filled = np.diff(indptr) > 0
    if not filled.any():
        return codes
    starts = indptr[:-1][filled]
    most = np.maximum.reduceat(values, starts)
    codes[filled] = np.where(most < 2**8, 0x01, np.where(most < 2**16, 0x02, 0x04))
    whole = values > 0
    if values.dtype.kind not in "iub":
        whole &= (np.floor(values) == values) & (values < 2.0**32)
    elif values.dtype.itemsize > 4:
        whole &= values < 2**32
    if not whole.all():
        codes[filled] = np.where(
            np.logical_and.reduceat(whole, starts), codes[filled], np.uint8(_FLOAT)
        )
    return codes


def _typed(values: _Array, code: int) -> _Array:
    # Rows of another code overflow here and are not used.
    with np.errstate(all="ignore"):
        return values.astype(VALUE_TYPES[code])


def _bad(what: str, found: object, expected: object = None) -> DataError:
    return DataError(what, where="format 1 of expression vectors", found=found, expected=expected)
