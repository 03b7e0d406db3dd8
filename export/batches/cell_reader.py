"""Read cells of a training set: sparse rows from the shards, batches on a device."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from tosg.export.batches.batch import Batch, Topology
from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.batches.shards import ShardReader
from tosg.export.format.manifest import (
    Manifest,
    broken,
    check_parts,
    check_training_files,
    naming_damage,
    read_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class CellReader:
    """The cells of one training set over its graph. Opens files at first use; pickles as a path.

    Parameters
    ----------
    manifest : Manifest
        Of the training set.
    add_reverses : bool
        Whether `graph.edge_index` holds both directions of undirected edges.
    """

    def __init__(self, manifest: Manifest, *, add_reverses: bool = True) -> None:
        self.manifest = manifest
        self.add_reverses = add_reverses
        directed = [t["directed"] for t in manifest.content["edge_types"]]
        self.graph = GraphTensors(manifest.folder, directed, add_reverses=add_reverses)
        self._on_device: dict[str, tuple[Topology, Tensor]] = {}

    @classmethod
    def open(cls, folder: Path, *, add_reverses: bool = True) -> CellReader:
        """Open a training set and check the sizes of its files.

        Raises
        ------
        ExportError
            The folder is not a training set, a file of it is missing or has another size, or
            parts of its manifest do not fit each other.
        """
        manifest = read_manifest(folder)
        check_training_files(manifest)  # sizes only; hashing all of it takes as long as reading it
        check_parts(manifest)
        return cls(manifest, add_reverses=add_reverses)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_open, (self.manifest.folder, self.add_reverses))

    def read(self, rows: NDArray[np.int64] | Sequence[int], device: str = "cpu") -> Batch:
        """Read the given rows of ``cells.parquet`` as one batch, in their order."""
        (sparse,) = self.read_sparse(np.asarray(rows, dtype=np.int64))
        return self.assemble(sparse, device)

    def read_sparse(
        self, rows: NDArray[np.int64], cuts: Sequence[int] = ()
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Copy rows out of the files; what a reading thread does.

        Parameters
        ----------
        rows : (b,) int64
            Rows of ``cells.parquet``.
        cuts : sequence of int
            Places in `rows`, ascending, where a new batch begins.

        Yields
        ------
        dict
            For each batch ``indptr`` (B + 1,) int64, ``indices`` (nnz,) int32, ``values`` (nnz,)
            float32, ``cell``, ``dataset`` (B,) int64, ``y``.
        """
        per_cell = {name: values[rows] for name, values in self._per_cell.items()}
        per_cell["cell"] = rows
        batches = self.expression.read(rows, cuts)
        for (a, b), sparse in zip(pairwise([0, *cuts, len(rows)]), batches, strict=True):
            yield {
                "indptr": sparse.indptr,
                "indices": sparse.indices,
                "values": sparse.values,
                **{name: values[a:b] for name, values in per_cell.items()},
            }

    def assemble(self, sparse: Mapping[str, NDArray[Any] | Tensor], device: str) -> Batch:
        """Move sparse rows to a device and put them on the shared topology there."""
        moved = {
            name: torch.as_tensor(part).to(device, non_blocking=True)
            for name, part in sparse.items()
        }
        totals = moved.pop("n_counts", None)
        if totals is not None:
            moved["values"] = _log1p_cp10k(moved["values"], moved["indptr"], totals)
        topology, measured = self._on(device)
        return Batch(**moved, measured_by_dataset=measured, topology=topology)

    @cached_property
    def expression(self) -> ShardReader:
        """The stored values of every cell, in the unit they were attached in."""
        self.manifest.rows()
        shards = self.manifest.content["expression"]["shards"]
        rows = [shard["cells"] for shard in shards]
        return ShardReader(self.manifest.path("expression"), rows, self.manifest.n_nodes)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        self.manifest.rows()
        path = self.manifest.path("measured.npy")
        with naming_damage(path):
            loaded: NDArray[np.bool_] = np.load(path, allow_pickle=False)
        shape = (len(self.manifest.content["datasets"]), self.manifest.n_nodes)
        if loaded.shape != shape:
            raise broken(path, f"shape {loaded.shape}", f"{shape}, data sets and nodes")
        return loaded

    @cached_property
    def _per_cell(self) -> dict[str, NDArray[Any]]:
        """What a batch needs of each cell, as arrays."""
        content, n_cells = self.manifest.content, len(self.manifest.rows())
        target = content["target"]
        needed = {
            "dataset": True,
            "target": target is not None,
            "n_counts": content["expression"]["normalize"] == "log1p_cp10k",
        }
        path = self.manifest.path("cells.parquet")
        with naming_damage(path):
            cells = pq.read_table(path, columns=[name for name, used in needed.items() if used])
        if cells.num_rows != n_cells:
            raise broken(path, f"{cells.num_rows:,} rows", f"{n_cells:,}, as in counts")
        known = pa.array([d["id"] for d in content["datasets"]], pa.string())
        number = pa.compute.index_in(cells["dataset"], value_set=known)
        if number.null_count:
            raise broken(path, "a data set that the manifest does not have", "content.datasets")
        arrays: dict[str, NDArray[Any]] = {
            "dataset": number.to_numpy().astype(np.int64),
            "y": np.empty((n_cells, 0), np.float32),
        }
        if target is not None:
            # Classes are int64 positions; a numeric target is trained on as float32.
            kind = np.int64 if target["kind"] == "class" else np.float32
            arrays["y"] = cells["target"].to_numpy().astype(kind)
        if needed["n_counts"]:
            arrays["n_counts"] = cells["n_counts"].to_numpy().astype(np.float32)
        return arrays

    def _on(self, device: str) -> tuple[Topology, Tensor]:
        """The topology and the measured nodes on a device, kept there."""
        if device not in self._on_device:
            measured = torch.from_numpy(self.measured).to(device)
            graph = self.graph if device == "cpu" else self.graph.to(device)
            self._on_device[device] = (Topology(graph), measured)
        return self._on_device[device]


def _open(folder: Path, add_reverses: bool) -> CellReader:
    return CellReader.open(folder, add_reverses=add_reverses)


def _log1p_cp10k(values: Tensor, indptr: Tensor, totals: Tensor) -> Tensor:
    """log1p of counts per 10,000 of the cell's total over all variables of its file."""
    scale = 1e4 / totals.clamp(min=torch.finfo(torch.float32).tiny)
    if values.device.type == "cpu":  # in this thread, as in `tosg.export.batches.batch`
        per_value = np.repeat(scale.numpy(), np.diff(indptr.numpy()))
        return torch.from_numpy(np.log1p(values.numpy() * per_value))
    spread = torch.repeat_interleave(scale, indptr.diff(), output_size=len(values))
    return torch.log1p_(values * spread)
