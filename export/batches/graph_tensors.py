"""The shared topology of a training set as tensors, read when asked for."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tosg.errors import ExportError
from tosg.export.format.columns import read_columns
from tosg.export.format.manifest import format_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


class GraphTensors:
    """``graph.safetensors`` and ``nodes.parquet``, memory-mapped and read lazily.

    Parameters
    ----------
    folder : Path
        The training set.
    directed : sequence of bool
        Whether each edge type is directed.
    add_reverses : bool
        Whether `edge_index` holds both directions of undirected edges: the stored edges come
        first, in their order, then the reverses of the undirected ones in the same order.
    device : str
        Device of the tensors.
    """

    def __init__(
        self, folder: Path, directed: list[bool], *, add_reverses: bool = True, device: str = "cpu"
    ) -> None:
        self.folder = folder
        self.directed = list(directed)
        self.add_reverses = add_reverses
        self.device = device

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.folder, self.directed, self.add_reverses, self.device))

    def to(self, device: str | torch.device) -> Self:
        """The same topology on another device."""
        return type(self)(
            self.folder, self.directed, add_reverses=self.add_reverses, device=str(device)
        )

    def _has(self, name: str) -> bool:
        with self._file() as file:
            return name in file.keys()  # noqa: SIM118  # not iterable

    def _read(self, name: str) -> Tensor:
        with self._file() as file:
            tensor: Tensor = file.get_tensor(name)
        return tensor.to(self.device)

    @contextmanager
    def _file(self) -> Iterator[Any]:
        path = self.folder / "graph.safetensors"
        try:
            with safe_open(path, framework="pt", device="cpu") as file:
                yield file
        except (OSError, SafetensorError) as error:
            raise ExportError(
                "the graph of a training set cannot be read", where=path, found=error
            ) from error

    @cached_property
    def _reversed(self) -> Tensor | slice:
        """The stored edges whose reverse is added: their numbers, or a run of them."""
        if not self.add_reverses:
            return slice(0, 0)
        directed = torch.tensor(self.directed or [True], device=self.device)
        edge_type, index = self._read("edge_type").int(), self._read("edge_index")
        # A self-loop is its own reverse.
        added = ~directed[edge_type] & (index[0] != index[1])
        n = int(added.sum())
        # Edges stand by type, so of a few types, or of one, they are a run: no rows are picked.
        first = int(added.to(torch.uint8).argmax()) if n else 0
        if bool(added[first : first + n].all()):
            return slice(first, first + n)
        return torch.nonzero(added).flatten()

    def _edges(self, name: str) -> Tensor:
        stored = self._read(name)
        more = stored[self._reversed]
        return torch.cat([stored, more]) if len(more) else stored

    @cached_property
    def edge_index(self) -> Tensor:
        """(2, E) int64: source and target nodes."""
        stored = self._read("edge_index")
        if stored.numel() and not 0 <= stored.min() <= stored.max() < self.num_nodes:
            raise format_error(
                self.folder / "graph.safetensors",
                f"edge_index from {stored.min()} to {stored.max()}",
                f"0 <= node < {self.num_nodes}",
            )
        more = stored[:, self._reversed]
        return torch.cat([stored, more.flip(0)], dim=1) if more.shape[1] else stored

    @cached_property
    def edge_type(self) -> Tensor:
        """(E,) int64: number of the relationship type, into `TrainingSet.edge_types`."""
        return self._edges("edge_type").long()

    @cached_property
    def edge_score(self) -> Tensor:
        """(E,) float32 in 0..1, NaN where no source gives one."""
        return self._edges("edge_score")

    @cached_property
    def edge_sign(self) -> Tensor:
        """(E,) int8: 1 raises, -1 lowers, 0 unknown or without sign."""
        return self._edges("edge_sign")

    @cached_property
    def edge_lifted(self) -> Tensor:
        """(E,) bool: whether the edge was lifted from another level."""
        return self._edges("edge_lifted")

    @cached_property
    def edge_key(self) -> Tensor:
        """(E,) int32: other properties that tell parallel edges apart, as an action.

        Position in the manifest's ``content.edge_keys``.
        """
        return self._edges("edge_key")

    @cached_property
    def edge_source(self) -> Tensor:
        """(E,) int32: who claims the edge.

        Position in the manifest's ``content.edge_sources``.
        """
        return self._edges("edge_source")

    @cached_property
    def node_type(self) -> Tensor:
        """(N,) int16: number of the type, into `TrainingSet.node_types`."""
        return self._read("node_type")

    @cached_property
    def text_embedding(self) -> Tensor:
        """(N, D) float32 or float16, unit length; rows of nodes without text are 0."""
        if not self._has("text_vectors"):
            return self._read("text_embedding")
        vectors = self.text_vectors
        whole = torch.zeros(
            self.num_nodes, vectors.shape[1], dtype=vectors.dtype, device=vectors.device
        )
        whole[self.has_text] = vectors
        return whole

    @cached_property
    def text_vectors(self) -> Tensor:
        """(T, D) float32 or float16: the embeddings of the nodes with text alone, in their order.

        Takes no memory for nodes without text; row ``t`` is node ``has_text.nonzero()[t]``.
        """
        if not self._has("text_vectors"):
            return self.text_embedding[self.has_text]
        vectors, n = self._read("text_vectors"), int(self.has_text.sum())
        if len(vectors) != n:
            raise format_error(
                self.folder / "graph.safetensors",
                f"{len(vectors)} text_vectors",
                f"{n}, as has_text",
            )
        return vectors

    @cached_property
    def has_text(self) -> Tensor:
        """(N,) bool: whether the node has an embedding."""
        return self._read("has_text")

    @cached_property
    def nodes(self) -> pa.Table:
        """``nodes.parquet``: row i is node i: idx, id, type, name, symbol, text."""
        return read_columns(self.folder / "nodes.parquet")

    @property
    def num_nodes(self) -> int:
        """Number of nodes, N."""
        return len(self.node_type)


def _rebuild(folder: Path, directed: list[bool], add_reverses: bool, device: str) -> GraphTensors:
    return GraphTensors(folder, directed, add_reverses=add_reverses, device=device)
