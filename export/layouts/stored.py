"""A training set that stands, as NumPy arrays and Arrow tables in blocks, for other layouts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.export.format.columns import read_columns
from tosg.export.format.manifest import naming_damage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from tosg.export.format.manifest import Manifest

    Int64s = NDArray[np.int64]

#: Rows of text vectors that are read at once.
VECTOR_ROWS = 16_384


class StoredSet:
    """The files of a training set, read when asked for.

    Parameters
    ----------
    manifest : Manifest
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @cached_property
    def nodes(self) -> pa.Table:
        """``nodes.parquet``, N rows."""
        return read_columns(self.manifest.path("nodes.parquet"))

    @cached_property
    def cells(self) -> pa.Table:
        """``cells.parquet``, M rows."""
        self.manifest.rows()
        return read_columns(self.manifest.path("cells.parquet"))

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        path = self.manifest.path("measured.npy")
        with naming_damage(path):
            loaded: NDArray[np.bool_] = np.load(path, allow_pickle=False)
        return loaded

    def tensor(self, name: str) -> NDArray[Any]:
        """One tensor of the graph as an array, such as ``edge_index`` (2, E) int64."""
        from safetensors import safe_open

        path = self.manifest.path("graph.safetensors")
        with naming_damage(path), safe_open(path, framework="np") as file:
            tensor: NDArray[Any] = file.get_tensor(name)
        return tensor

    @cached_property
    def edges(self) -> dict[str, NDArray[Any]]:
        """Edges as stored, each undirected one once: ``source``, ``target``, ``edge_type``, ..."""
        source, target = self.tensor("edge_index")
        names = ("type", "score", "sign", "lifted", "key", "source")
        found = {f"edge_{name}": self.tensor(f"edge_{name}") for name in names}
        return {"source": source, "target": target, **found}

    @cached_property
    def undirected(self) -> NDArray[np.bool_]:
        """(E,) bool: edges whose type has no direction."""
        types = self.manifest.content["edge_types"]
        flags = np.array([not t["directed"] for t in types], dtype=bool)
        kinds = self.edges["edge_type"]
        return flags[kinds] if len(flags) else np.zeros(len(kinds), bool)

    @property
    def width(self) -> int:
        """Width of the text vectors, D; 0 where there are none."""
        return self._vectors()[0]

    def _vectors(self) -> tuple[int, str, bool]:
        from safetensors import safe_open

        path = self.manifest.path("graph.safetensors")
        with naming_damage(path), safe_open(path, framework="np") as file:
            packed = "text_vectors" in file.keys()  # noqa: SIM118  # not iterable
            name = "text_vectors" if packed else "text_embedding"
            return int(file.get_slice(name).get_shape()[1]), name, packed

    def vector_blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the text vectors of all nodes in blocks of rows; zeros for nodes without text."""
        from safetensors import safe_open

        width, name, packed = self._vectors()
        has_text = self.tensor("has_text")
        path, done = self.manifest.path("graph.safetensors"), 0
        with safe_open(path, framework="np") as file:
            stored = file.get_slice(name)
            for start in range(0, len(has_text), VECTOR_ROWS):
                present = has_text[start : start + VECTOR_ROWS]
                if not packed:
                    yield stored[start : start + len(present)]
                    continue
                count = int(present.sum())
                rows = stored[done : done + count]
                block = np.zeros((len(present), width), rows.dtype)
                block[present] = rows
                done += count
                yield block

    def value_blocks(self, rows: int) -> Iterator[tuple[int, Any]]:
        """Yield stored values in blocks of at most `rows` cells: first row, (b, N) CSR matrix."""
        import scipy.sparse as sp

        folder, n = self.manifest.path("expression"), self.manifest.n_nodes
        for shard in self.manifest.content["expression"]["shards"]:
            arrays = {}
            for part in ("indptr", "indices", "values"):
                path = folder / f"{shard['name']}.{part}.npy"
                with naming_damage(path):
                    arrays[part] = np.load(path, mmap_mode="r", allow_pickle=False)
            indptr = np.asarray(arrays["indptr"])
            for start in range(0, shard["cells"], rows):
                stop = min(start + rows, shard["cells"])
                span = slice(int(indptr[start]), int(indptr[stop]))
                parts = (
                    np.array(arrays["values"][span]),
                    np.array(arrays["indices"][span]),
                    indptr[start : stop + 1] - indptr[start],
                )
                yield shard["start"] + start, sp.csr_matrix(parts, shape=(stop - start, n))

    def class_names(self) -> list[str | float | None]:
        """Target of each cell: the name of its class, its number, or None."""
        target = self.manifest.content["target"]
        values: list[Any] = self.cells["target"].to_pylist()
        if target is None or target["kind"] != "class":
            return values
        names: list[str] = target["classes"]
        return [None if value is None else names[value] for value in values]
