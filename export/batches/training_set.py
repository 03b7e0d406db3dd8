"""Open a training set and read batches of cells from it (``docs/formats/training-set.md``)."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from tosg.errors import ConfigError, ExportError, unknown
from tosg.export.batches.batch import Batch, Topology
from tosg.export.batches.batch_loader import BatchLoader
from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.batches.sampler import Sampler
from tosg.export.batches.shards import ShardReader
from tosg.export.format.manifest import broken, check_files, check_parts, read_manifest, reading

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch_geometric.data import HeteroData

    from tosg.export.batches.pyg import CellGraphs

SPLITS = ("train", "val", "test")


class TrainingSet:
    """A training set on disk: one graph, many cells, opened lazily and memory-mapped.

    Parameters
    ----------
    folder : str or Path
        What ``tosg-export`` wrote.
    add_reverses : bool
        Whether `graph.edge_index` holds both directions of undirected edges.

    Raises
    ------
    ExportError
        The folder is not a training set, a file of it is missing or has another size, or parts of
        its manifest do not fit each other.
    """

    def __init__(self, folder: str | os.PathLike[str], *, add_reverses: bool = True) -> None:
        self.folder = Path(folder).absolute()  # read from later, wherever the process is then
        self.add_reverses = add_reverses
        self.manifest = read_manifest(self.folder)
        check_files(self.manifest)  # sizes only; hashing all of it takes as long as reading it
        check_parts(self.manifest)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_open, (self.folder, self.add_reverses))

    def __repr__(self) -> str:
        counts = self.content["counts"]
        return (
            f"TrainingSet({str(self.folder)!r}: {counts['nodes']:,} nodes, "
            f"{counts['edges']:,} edges, {counts['cells']:,} cells)"
        )

    @property
    def content(self) -> Mapping[str, Any]:
        """The manifest's ``content``: the same for the same graph and selection."""
        return self.manifest.content

    @cached_property
    def digest(self) -> str:
        """Hash of the digests of its content: equal where graph, cells and their order are."""
        text = json.dumps(self.content["digests"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def verify(self) -> None:
        """Read everything and check hashes, order and ranges; see the page of the format.

        Raises
        ------
        ExportError
            A file was changed or breaks a rule of the format.
        """
        from tosg.export.batches.verify import verify

        verify(self)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, N."""
        return int(self.content["counts"]["nodes"])

    @property
    def n_cells(self) -> int:
        """Number of cells, M."""
        return int(self.content["counts"]["cells"])

    @property
    def node_types(self) -> list[str]:
        """Labels; `graph.node_type` holds positions in it."""
        return [t["name"] for t in self.content["node_types"]]

    @property
    def edge_types(self) -> list[str]:
        """Relationship types; `graph.edge_type` holds positions in it."""
        return [t["name"] for t in self.content["edge_types"]]

    @property
    def classes(self) -> list[str]:
        """Classes of a categorical target; `Batch.y` holds positions in it."""
        target = self.content["target"]
        return list(target.get("classes", [])) if target else []

    @property
    def unit(self) -> str | None:
        """Unit of `Batch.x`: as stored, or ``log1p_cp10k`` where the loader normalizes."""
        expression = self.content["expression"]
        if expression is None:
            return None
        normalize = expression["normalize"]
        return str(expression["unit"] if normalize == "none" else normalize)

    @cached_property
    def graph(self) -> GraphTensors:
        """The shared topology and texts, as tensors on the CPU."""
        directed = [t["directed"] for t in self.content["edge_types"]]
        return GraphTensors(self.folder, directed, add_reverses=self.add_reverses)

    @cached_property
    def cells(self) -> pa.Table:
        """``cells.parquet``: row j is row j of the expression."""
        self._need_cells()
        path = self.folder / "cells.parquet"
        with reading(path):
            return pq.read_table(path)

    def rows(self, split: str | None = None) -> range:
        """Rows of a split in ``cells.parquet``; of all cells without one.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            There is no such split.
        """
        self._need_cells()
        if split is None:
            return range(self.n_cells)
        if split not in SPLITS or self.content["splits"] is None:
            known = SPLITS if self.content["splits"] else ()
            raise unknown("split", split, known, where=self.folder)
        part = self.content["splits"][split]
        return range(part["start"], part["stop"])

    def batches(
        self,
        split: str | None = "train",
        batch_size: int = 256,
        *,
        device: str | torch.device = "cpu",
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool | None = None,
        drop_last: bool = False,
        prefetch: int = 2,
        rank: int | None = None,
        world_size: int | None = None,
        run: int | None = None,
    ) -> BatchLoader:
        """Batches of a split; each pass over it is an epoch with an order of its own.

        Parameters
        ----------
        split : {"train", "val", "test"} or None
            Which cells; None is all.
        batch_size : int
            Cells a batch.
        device : str or torch.device
            Where the tensors are made.
        seed, epoch : int
            The order is a function of (seed, epoch, rank, world size) and of nothing else.
        shuffle : bool, optional
            By default only ``train`` is shuffled.
        drop_last : bool
            Leave out a last batch that is not full.
        prefetch : int
            Batches that a thread reads ahead; 0 reads in the caller's.
        rank, world_size : int, optional
            By default those of `torch.distributed` where it is initialised, else 0 and 1; without
            it, one needs the other.
        run : int, optional
            Cells that are neighbours on disk, where cells lie in the order of a hash, and stay
            together in a shuffled epoch. By default 1 (every cell by itself) up to 8,192 cells,
            where reading is no matter, else 16, which reads three times as fast.
        """
        rows = self.rows(split)
        rank, world_size = _distributed(rank, world_size)
        sampler = Sampler(
            n=len(rows),
            batch_size=batch_size,
            seed=seed,
            shuffle=split == "train" if shuffle is None else shuffle,
            drop_last=drop_last,
            rank=rank,
            world_size=world_size,
            run=run or (1 if len(rows) <= 8192 else 16),
        )
        return BatchLoader(self, rows.start, sampler, str(device), epoch=epoch, prefetch=prefetch)

    def read(
        self,
        rows: NDArray[np.int64] | Sequence[int],
        *,
        device: str | torch.device = "cpu",
    ) -> Batch:
        """Read the given rows of ``cells.parquet`` as one batch, in their order."""
        self._need_cells()
        (sparse,) = self.read_sparse(np.asarray(rows, dtype=np.int64))
        return self.assemble(sparse, str(device))

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
        self._need_cells()
        shards = self.content["expression"]["shards"]
        rows = [shard["cells"] for shard in shards]
        return ShardReader(self.folder / "expression", rows, self.n_nodes)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        self._need_cells()
        path = self.folder / "measured.npy"
        with reading(path):
            loaded: NDArray[np.bool_] = np.load(path, allow_pickle=False)
        shape = (len(self.content["datasets"]), self.n_nodes)
        if loaded.shape != shape:
            raise broken(path, f"shape {loaded.shape}", f"{shape}, data sets and nodes")
        return loaded

    def as_dataset(self, split: str = "train") -> CellGraphs:
        """A `torch` data set of `torch_geometric` graphs, one cell each (extra ``pyg``)."""
        from tosg.export.batches.pyg import CellGraphs

        return CellGraphs(self, split)

    def to_hetero(self) -> HeteroData:
        """The graph by type as `HeteroData` (extra ``pyg``).

        For each label ``x`` (n, D) the text embeddings, ``has_text`` (n,) bool, ``node_id`` (n,)
        into the rows of ``nodes.parquet``, and ``num_nodes``; for each (label, relationship type,
        label) ``edge_index`` (2, e), ``edge_score``, ``edge_sign``, ``edge_lifted``.
        """
        from tosg.export.batches.pyg import to_hetero

        return to_hetero(self)

    @cached_property
    def _per_cell(self) -> dict[str, NDArray[Any]]:
        """What a batch needs of each cell, as arrays."""
        target, normalize = self.content["target"], self.content["expression"]["normalize"]
        needed = {
            "dataset": True,
            "target": target is not None,
            "n_counts": normalize == "log1p_cp10k",
        }
        path = self.folder / "cells.parquet"
        with reading(path):
            cells = pq.read_table(path, columns=[name for name, used in needed.items() if used])
        if cells.num_rows != self.n_cells:
            raise broken(path, f"{cells.num_rows:,} rows", f"{self.n_cells:,}, as in counts")
        known = pa.array([d["id"] for d in self.content["datasets"]], pa.string())
        number = pa.compute.index_in(cells["dataset"], value_set=known)
        if number.null_count:
            raise broken(path, "a data set that the manifest does not have", "content.datasets")
        arrays: dict[str, NDArray[Any]] = {
            "dataset": number.to_numpy().astype(np.int64),
            "y": np.empty((self.n_cells, 0), np.float32),
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
        if device not in self._devices:
            measured = torch.from_numpy(self.measured).to(device)
            self._devices[device] = (Topology(self.graph.to(device)), measured)
        return self._devices[device]

    @cached_property
    def _devices(self) -> dict[str, tuple[Topology, Tensor]]:
        return {}

    def _need_cells(self) -> None:
        if self.content["expression"] is None:
            raise ExportError(
                "this training set has no cells, only a graph",
                where=self.folder,
                hint="export with --cells, or use `graph` and `to_hetero()`",
            )


def _open(folder: Path, add_reverses: bool) -> TrainingSet:
    return TrainingSet(folder, add_reverses=add_reverses)


def _log1p_cp10k(values: Tensor, indptr: Tensor, totals: Tensor) -> Tensor:
    """log1p of counts per 10,000 of the cell's total over all variables of its file."""
    scale = 1e4 / totals.clamp(min=torch.finfo(torch.float32).tiny)
    if values.device.type == "cpu":  # in this thread, as in `tosg.export.batches.batch`
        per_value = np.repeat(scale.numpy(), np.diff(indptr.numpy()))
        return torch.from_numpy(np.log1p(values.numpy() * per_value))
    spread = torch.repeat_interleave(scale, indptr.diff(), output_size=len(values))
    return torch.log1p_(values * spread)


def _distributed(rank: int | None, world_size: int | None) -> tuple[int, int]:
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        rank = distributed.get_rank() if rank is None else rank
        return rank, distributed.get_world_size() if world_size is None else world_size
    if (rank is None) != (world_size is None):
        # Every process of several would be taken for the first.
        raise ConfigError(
            "rank and world_size go together",
            where="batches",
            found=f"rank {rank}, world_size {world_size}",
            expected="both, or torch.distributed initialised, which knows them",
        )
    return rank or 0, world_size or 1
