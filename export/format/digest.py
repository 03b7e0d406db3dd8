"""Digests of logical content: independent of file formats and of the libraries that write them.

The bytes that are hashed are in ``docs/formats/training-set.md``.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping


class Hash(Protocol):
    """What is used of a `hashlib` object."""

    def update(self, data: Any, /) -> None:
        """Take in more bytes."""
        ...


def start_array(hasher: Hash, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Hash the head of an array; its elements in C order follow in any number of parts."""
    head = name.encode() + b"\0" + dtype.newbyteorder("<").str.encode() + b"\0"
    head += struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
    hasher.update(head)


def add_elements(hasher: Hash, array: np.ndarray[Any, Any]) -> None:
    """Hash elements of an array, without a copy where it is contiguous and little-endian."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if array.size:
        hasher.update(array.data.cast("B"))


def digest_arrays(arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """Digest of arrays in the order given."""
    hasher = hashlib.sha256()
    for name, array in arrays.items():
        start_array(hasher, name, array.dtype, array.shape)
        add_elements(hasher, array)
    return hasher.hexdigest()


def digest_table(table: pa.Table) -> str:
    """Digest of a table of int64, float64, bool and string columns, and of lists of these."""
    hasher = hashlib.sha256(struct.pack("<Q", table.num_rows))
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # no chunks at all
            column = pa.array([], column.type)
        _add_column(hasher, name, column)
    return hasher.hexdigest()


def _add_column(hasher: Hash, name: str, column: pa.Array) -> None:
    kind = type_name(column.type)
    hasher.update(name.encode() + b"\0" + kind.encode() + b"\0")
    add_elements(hasher, column.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8))
    _add_values(hasher, column.drop_null())


def _add_values(hasher: Hash, column: pa.Array) -> None:
    if pa.types.is_list(column.type):
        add_elements(hasher, pc.list_value_length(column).to_numpy().astype("<u4"))
        _add_values(hasher, pc.list_flatten(column))
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        _add_strings(hasher, column)
    elif pa.types.is_boolean(column.type):
        add_elements(hasher, column.to_numpy(zero_copy_only=False).astype(np.uint8))
    else:
        wide = pa.float64() if pa.types.is_floating(column.type) else pa.int64()
        add_elements(hasher, column.cast(wide).to_numpy(zero_copy_only=False))


def type_name(type_: pa.DataType) -> str:
    """Name of a column's type as the format knows it."""
    if pa.types.is_list(type_):
        return f"list {type_name(type_.value_type)}"
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "string"
    if pa.types.is_boolean(type_):
        return "bool"
    return "float64" if pa.types.is_floating(type_) else "int64"


def _add_strings(hasher: Hash, column: pa.Array) -> None:
    column = column.cast(pa.string())
    add_elements(hasher, pc.binary_length(column).to_numpy().astype("<u4"))
    _, offsets, data = column.buffers()
    if len(column) and data is not None:
        ends = np.frombuffer(offsets, dtype="<i4")
        first, last = ends[column.offset], ends[column.offset + len(column)]
        add_elements(hasher, np.frombuffer(data, dtype=np.uint8)[first:last])
