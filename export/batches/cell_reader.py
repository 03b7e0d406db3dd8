"""Read cells of a training set: sparse rows from the shards, batches on a device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from tosg.export.batches.ahead import PagesAhead
from tosg.export.batches.batch import Batch, SparseTensors, Topology, scatter_rows
from tosg.export.batches.device import check_device, check_fits
from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.batches.shards import ShardReader, SparseRows
from tosg.export.format.damage import check_training_files
from tosg.export.format.manifest import (
    Manifest,
    check_parts,
    format_error,
    naming_damage,
    read_manifest,
)
from tosg.kg.cells.values.normalise import cp10k_factors, log1p_scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(slots=True)
class Forms:
    """Which forms of a batch's values are made, or were asked for."""

    sparse: bool = False
    dense: bool = False


SPARSE_FORM = Forms(sparse=True)


@dataclass(frozen=True, slots=True)
class CellArrays:
    """One batch in memory, before it goes to a device.

    Attributes
    ----------
    cell, dataset : (B,) int64
        Rows of ``cells.parquet``, positions of their data sets.
    y : (B,) int64 or float32, or (B, 0)
        Targets.
    sparse : SparseRows or None
        Values, in `TrainingSet.unit`.
    dense : (B, N) float32 or None
        The same values.
    """

    cell: NDArray[np.int64]
    dataset: NDArray[np.int64]
    y: NDArray[Any]
    sparse: SparseRows | None
    dense: NDArray[np.float32] | None

    def pin(self) -> CellArrays:
        """Copy what goes to a GPU into page-locked memory, from where copies do not wait."""
        pinned: dict[str, Any] = {
            name: _pinned(getattr(self, name)) for name in ("cell", "dataset", "y")
        }
        if self.sparse is not None:
            pinned["sparse"] = SparseRows(*(_pinned(part) for part in self.sparse))
        return replace(self, **pinned)


def _pinned(array: NDArray[Any]) -> NDArray[Any]:
    pinned: NDArray[Any] = torch.from_numpy(array).pin_memory().numpy()
    return pinned


def to_device(array: NDArray[Any], device: str) -> Tensor:
    """Move an array to a device; the copy from pinned memory does not block."""
    return torch.from_numpy(array).to(device, non_blocking=True)


@dataclass(slots=True)
class _CellValues:
    """Values of a batch: what was read ahead, or read when it is asked for."""

    reader: CellReader
    arrays: CellArrays
    device: str
    uses: Forms
    on_device: SparseTensors | None = None

    def sparse(self) -> SparseTensors:
        self.uses.sparse = True
        return self._sparse()

    def dense(self) -> Tensor:
        self.uses.dense = True
        cells, nodes = len(self.arrays.cell), self.reader.manifest.n_nodes
        if self.arrays.dense is None:
            check_fits(4 * cells * nodes, cells, self.device, "x")
        if self.device != "cpu":
            return scatter_rows(self._sparse(), self.reader.manifest.n_nodes)
        dense = self.arrays.dense
        if dense is None:
            dense = self.reader.make_dense(self.arrays.cell, self.arrays.sparse)
        return torch.from_numpy(dense)

    def _sparse(self) -> SparseTensors:
        if self.on_device is None:
            rows = self.arrays.sparse
            if rows is None:
                (read,) = self.reader.read_arrays(self.arrays.cell)
                rows = read.sparse
            assert rows is not None  # noqa: S101
            self.on_device = SparseTensors(*(to_device(part, self.device) for part in rows))
        return self.on_device


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
        (arrays,) = self.read_arrays(np.asarray(rows, dtype=np.int64))
        return self.assemble(arrays, device)

    def read_arrays(
        self, rows: NDArray[np.int64], cuts: Sequence[int] = (), forms: Forms = SPARSE_FORM
    ) -> Iterator[CellArrays]:
        """Read rows out of the files; what a reading thread does.

        Parameters
        ----------
        rows : (b,) int64
            Rows of ``cells.parquet``.
        cuts : sequence of int
            Places in `rows`, ascending, where a new batch begins.
        forms : Forms
            What to make of the values.

        Yields
        ------
        CellArrays
            For each batch.
        """
        per_cell = self._per_cell
        dataset, y = per_cell["dataset"][rows], per_cell["y"][rows]
        borders = [*pairwise([0, *cuts, len(rows)])]
        sparse: Iterable[SparseRows | None] = repeat(None, len(borders))
        if forms.sparse or self.normalizes:
            sparse = self._read_sparse(rows, cuts)
        whole = self.expression.read_dense(rows) if forms.dense and not self.normalizes else None
        for (a, b), values in zip(borders, sparse, strict=True):
            dense = None if whole is None else whole[a:b]
            if forms.dense and dense is None:
                dense = self.make_dense(rows[a:b], values)
            yield CellArrays(rows[a:b], dataset[a:b], y[a:b], values, dense)

    def _read_sparse(self, rows: NDArray[np.int64], cuts: Sequence[int]) -> Iterator[SparseRows]:
        batches = self.expression.read(rows, cuts)
        if not self.normalizes:
            return batches
        borders = pairwise([0, *cuts, len(rows)])
        return (
            values._replace(values=self._normalize(rows[a:b], values))
            for (a, b), values in zip(borders, batches, strict=True)
        )

    def _normalize(self, rows: NDArray[np.int64], stored: SparseRows) -> NDArray[np.float32]:
        """Genes as log1p of counts per 10,000, antibodies as centred log-ratios."""
        lengths, per_cell = np.diff(stored.indptr), self._per_cell
        factors = np.repeat(per_cell["gene_factor"][rows], lengths)
        if self.proteins is not None:
            of_protein = self.proteins[
                np.repeat(per_cell["dataset"][rows], lengths), stored.indices
            ]
            protein_factors = np.repeat(per_cell["protein_factor"][rows], lengths)
            factors = np.where(of_protein, protein_factors, factors)
        return log1p_scaled(stored.values, factors)

    def make_dense(self, rows: NDArray[np.int64], values: SparseRows | None) -> NDArray[np.float32]:
        """Make rows of ``cells.parquet`` dense (b, N), from their sparse values where given."""
        if values is None and self.normalizes:
            (values,) = self._read_sparse(rows, ())
        if values is None:
            return self.expression.read_dense(rows)
        return self.expression.make_dense(values)

    @property
    def normalizes(self) -> bool:
        """Whether values are stored as counts and read as log1p of counts per 10,000."""
        return bool(self.manifest.content["expression"]["normalize"] == "log1p_cp10k")

    def assemble(self, arrays: CellArrays, device: str, uses: Forms | None = None) -> Batch:
        """Move a batch to a device and put it on the shared topology there.

        Parameters
        ----------
        arrays : CellArrays
            The batch.
        device : str
            Where its tensors are made.
        uses : Forms, optional
            Noted in it: which forms of the values are asked for.
        """
        topology, measured = self._on(device)
        return Batch(
            y=to_device(arrays.y, device),
            cell=to_device(arrays.cell, device),
            dataset=to_device(arrays.dataset, device),
            values=_CellValues(self, arrays, device, uses or Forms()),
            measured_by_dataset=measured,
            topology=topology,
        )

    @cached_property
    def expression(self) -> ShardReader:
        """The stored values of every cell, in the unit they were attached in."""
        self.manifest.rows()
        shards = self.manifest.content["expression"]["shards"]
        rows = [shard["cells"] for shard in shards]
        return ShardReader(self.manifest.path("expression"), rows, self.manifest.n_nodes)

    @cached_property
    def pages(self) -> PagesAhead:
        """Brings pages of the expression into memory."""
        return PagesAhead(self.expression)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        self.manifest.rows()
        return self._per_dataset("measured.npy")

    @cached_property
    def proteins(self) -> NDArray[np.bool_] | None:
        """(datasets, N) bool: nodes with counts of antibodies; None where those stay counts."""
        if "protein_normalize" not in self.manifest.content["expression"]:
            return None
        return self._per_dataset("proteins.npy")

    def _per_dataset(self, name: str) -> NDArray[np.bool_]:
        path = self.manifest.path(name)
        with naming_damage(path):
            loaded: NDArray[np.bool_] = np.load(path, allow_pickle=False)
        shape = (len(self.manifest.content["datasets"]), self.manifest.n_nodes)
        if loaded.shape != shape:
            raise format_error(path, f"shape {loaded.shape}", f"{shape}, data sets and nodes")
        return loaded

    @cached_property
    def _per_cell(self) -> dict[str, NDArray[Any]]:
        """What a batch needs of each cell, as arrays."""
        content, n_cells = self.manifest.content, len(self.manifest.rows())
        target, total = content["target"], content["expression"].get("total", "n_counts")
        needed = {
            "dataset": True,
            "target": target is not None,
            total: self.normalizes,
            "protein_clr": self.proteins is not None,
        }
        path = self.manifest.path("cells.parquet")
        with naming_damage(path):
            cells = pq.read_table(path, columns=[name for name, used in needed.items() if used])
        if cells.num_rows != n_cells:
            raise format_error(path, f"{cells.num_rows:,} rows", f"{n_cells:,}, as in counts")
        known = pa.array([d["id"] for d in content["datasets"]], pa.string())
        number = pa.compute.index_in(cells["dataset"], value_set=known)
        if number.null_count:
            raise format_error(path, "a data set that is not in the manifest", "content.datasets")
        arrays: dict[str, NDArray[Any]] = {
            "dataset": number.to_numpy().astype(np.int64),
            "y": np.empty((n_cells, 0), np.float32),
        }
        if target is not None:
            # Classes are int64 positions; a numeric target is trained on as float32.
            kind = np.int64 if target["kind"] == "class" else np.float32
            arrays["y"] = cells["target"].to_numpy().astype(kind)
        if self.normalizes:
            arrays["gene_factor"] = cp10k_factors(_numbers(path, cells, total))
        if self.proteins is not None:
            # Cells of data sets without antibodies have no divisor and need none.
            divisors = cells["protein_clr"].fill_null(1.0).to_numpy()
            arrays["protein_factor"] = 1 / divisors
        return arrays

    def _on(self, device: str) -> tuple[Topology, Tensor]:
        """The topology and the measured nodes on a device, kept there."""
        if device not in self._on_device:
            check_device(device)
            measured = torch.from_numpy(self.measured).to(device)
            graph = self.graph if device == "cpu" else self.graph.to(device)
            topology = Topology(graph, self.manifest.node_types, self.manifest.edge_types)
            self._on_device[device] = (topology, measured)
        return self._on_device[device]


def _open(folder: Path, add_reverses: bool) -> CellReader:
    return CellReader.open(folder, add_reverses=add_reverses)


def _numbers(path: Path, cells: pa.Table, name: str) -> NDArray[np.float64]:
    """Read a column of numbers of which no cell may lack one."""
    column = cells[name]
    if column.null_count:
        raise format_error(path, f"{column.null_count:,} cells without {name}", "a number in each")
    return np.asarray(column.to_numpy(), np.float64)
