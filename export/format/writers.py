"""Writers of the training set's files: the same content gives the same bytes.

safetensors files are laid out here, in the order and with the padding of the library, because
the library takes whole tensors only and the text vectors of a large graph come in blocks.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tosg.closing import Closing
from tosg.export.format.digest import add_elements, digest_table, start_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Array = np.ndarray[Any, Any]

# NumPy dtype -> name in a safetensors header, in the library's order of tensors in the file.
_DTYPES = {
    "int64": "I64",
    "float32": "F32",
    "int32": "I32",
    "float16": "F16",
    "int16": "I16",
    "int8": "I8",
    "bool": "BOOL",
}


class TensorFile(Closing):
    """A safetensors file without metadata, written tensor by tensor in any order.

    Parameters
    ----------
    path : Path
        The file; replaced.
    specs : mapping
        Name to (dtype, shape) of every tensor.
    """

    def __init__(
        self, path: Path, specs: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]
    ) -> None:
        self.specs = {n: (np.dtype(d), tuple(s)) for n, (d, s) in specs.items()}
        head, self._offsets = _layout(self.specs)
        self._digests: dict[str, str] = {}
        self._stream = path.open("wb")
        self._hashing = ThreadPoolExecutor(1, "tosg-digest")  # of a block while it is written
        self._stream.write(head)

    def close(self) -> None:
        """Close the file."""
        self._hashing.shutdown()
        self._stream.close()

    def write(self, name: str, blocks: Array | Iterable[Array]) -> None:
        """Write one tensor, whole or as blocks along its first axis."""
        dtype, shape = self.specs[name]
        hasher = hashlib.sha256()
        start_array(hasher, name, dtype, shape)
        self._stream.seek(self._offsets[name])
        written = 0
        for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
            data = np.ascontiguousarray(block, dtype=dtype)
            hashed = self._hashing.submit(add_elements, hasher, data)
            if data.size:
                self._stream.write(data.reshape(-1).data.cast("B"))
            hashed.result()
            written += data.size
        if written != int(np.prod(shape)):
            raise ValueError(f"tensor {name}: {written} elements, expected shape {shape}")
        self._digests[name] = hasher.hexdigest()

    def digest(self) -> str:
        """Digest of the logical content; every tensor must be written."""
        joined = "".join(self._digests[name] for name in sorted(self.specs))
        return hashlib.sha256(joined.encode()).hexdigest()


def _layout(
    specs: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]],
) -> tuple[bytes, dict[str, int]]:
    order = list(_DTYPES)
    names = sorted(specs, key=lambda n: (order.index(specs[n][0].name), n))
    head: dict[str, Any] = {}
    end = 0
    for name in names:
        dtype, shape = specs[name]
        start, end = end, end + dtype.itemsize * int(np.prod(shape))
        kind = _DTYPES[dtype.name]
        head[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    base = 8 + len(text)
    offsets = {name: base + head[name]["data_offsets"][0] for name in names}
    return len(text).to_bytes(8, "little") + text, offsets


def save_npy(path: Path, array: Array) -> None:
    """Write an ``.npy`` file of version 1.0, C order, little-endian."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, np.lib.format.header_data_from_array_1_0(array)
        )
        # Not `write_array`: on a full disk its error does not say that the disk is full.
        stream.write(array.reshape(-1).view(np.uint8).data)


def read_npy_part(path: Path, dtype: type[np.generic], start: int, stop: int) -> Array:
    """Read some elements of a file of `save_npy`: in a tenth of the time that a map of it takes.

    Raises
    ------
    ValueError
        The file is shorter.
    """
    size = np.dtype(dtype).itemsize
    with path.open("rb", buffering=0) as stream:
        head = stream.read(10)  # of version 1.0: magic, version, length of the header
        stream.seek(len(head) + int.from_bytes(head[8:], "little") + start * size)
        data = stream.read((stop - start) * size)
    if len(data) != (stop - start) * size:
        raise ValueError(f"{path} ends before element {stop:,}")
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))


class TableFile(Closing):
    """A Parquet file written row group by row group.

    Parameters
    ----------
    path : Path
        The file; replaced.
    schema : pa.Schema
        Of every row group.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema.remove_metadata()
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", version="2.6")
        self._digests: list[str] = []

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Write one row group."""
        table = table.select(self._schema.names).cast(self._schema)
        self._digests.append(digest_table(table))
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def digest(self) -> str:
        """Digest of the logical content of all row groups."""
        return hashlib.sha256("".join(self._digests).encode()).hexdigest()


def cut_tables(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Cut a stream of tables into tables of exactly `rows` rows, the last one shorter."""
    held: list[pa.Table] = []
    n = 0
    for table in tables:
        held.append(table)
        n += table.num_rows
        while n >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows).combine_chunks()
            held = [whole.slice(rows)]
            n -= rows
    if n:
        yield pa.concat_tables(held).combine_chunks()
