"""Read cells of a training set: sparse rows from the shards, batches on a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tosg.export.batches.ahead import PagesAhead
from tosg.export.batches.batch import Batch, SparseTensors, Topology, scatter_rows
from tosg.export.batches.cell_tensors import SPARSE_FORM, CellTensors, Forms
from tosg.export.batches.device import check_device, check_fits
from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.batches.shards import ShardReader, SparseRows
from tosg.export.format.columns import read_columns
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
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray


def to_device(tensor: Tensor, device: str) -> Tensor:
    """Move a tensor to a device; the copy from pinned memory does not block."""
    return tensor if device == "cpu" else tensor.to(device, non_blocking=True)


@dataclass(slots=True)
class _CellValues:
    """Values of a batch: what was read ahead, or read when it is asked for."""

    reader: CellReader
    cells: CellTensors
    device: str
    uses: Forms
    on_device: SparseTensors | None = None

    def sparse(self) -> SparseTensors:
        self.uses.sparse = True
        return self._sparse()

    def dense(self) -> Tensor:
        self.uses.dense = True
        n, nodes = len(self.cells.cell), self.reader.manifest.n_nodes
        if self.cells.dense is None:
            check_fits(4 * n * nodes, n, self.device, "x")
        if self.device != "cpu":
            return scatter_rows(self._sparse(), nodes)
        dense = self.cells.dense
        if dense is None:
            dense = self.reader.make_dense(self.cells.cell.numpy(), self.cells.sparse)
        return dense

    def _sparse(self) -> SparseTensors:
        if self.on_device is None:
            sparse = self.cells.sparse
            if sparse is None:
                sparse = self.reader.read_sparse(self.cells.cell.numpy())
            if self.device != "cpu":
                sparse = SparseTensors(*(to_device(part, self.device) for part in sparse))
            self.on_device = sparse
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
        return self.assemble(self.read_tensors(np.asarray(rows, dtype=np.int64)), device)

    def read_tensors(self, rows: NDArray[np.int64], forms: Forms = SPARSE_FORM) -> CellTensors:
        """Read rows out of the files; what a reading thread does.

        Parameters
        ----------
        rows : (b,) int64
            Rows of ``cells.parquet``.
        forms : Forms
            What to make of the values.
        """
        per_cell = self._per_cell
        sparse = self.read_sparse(rows) if forms.sparse or self.normalizes else None
        dense = None
        if forms.dense:  # straight from the files, where they have the values that are asked for
            dense = self.make_dense(rows, sparse if self.normalizes else None)
        dataset, y = (torch.from_numpy(per_cell[name][rows]) for name in ("dataset", "y"))
        return CellTensors(torch.from_numpy(rows), dataset, y, sparse, dense)

    def read_sparse(self, rows: NDArray[np.int64]) -> SparseTensors:
        """Read the values of rows of ``cells.parquet``, in `TrainingSet.unit`."""
        stored = self.expression.read(rows)
        if self.normalizes:
            stored = stored._replace(values=self._normalize(rows, stored))
        return SparseTensors(*map(torch.from_numpy, stored))

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

    def make_dense(self, rows: NDArray[np.int64], values: SparseTensors | None) -> Tensor:
        """Make rows of ``cells.parquet`` dense (b, N), from their sparse values where given."""
        if values is None and self.normalizes:
            values = self.read_sparse(rows)
        if values is None:
            return torch.from_numpy(self.expression.read_dense(rows))
        sparse = SparseRows(*(part.numpy() for part in values))
        return torch.from_numpy(self.expression.make_dense(sparse))

    @property
    def normalizes(self) -> bool:
        """Whether values are stored as counts and read as log1p of counts per 10,000."""
        return bool(self.manifest.content["expression"]["normalize"] == "log1p_cp10k")

    def assemble(self, cells: CellTensors, device: str, uses: Forms | None = None) -> Batch:
        """Move cells to a device and put them on the shared topology there.

        Parameters
        ----------
        cells : CellTensors
            The cells of the batch.
        device : str
            Where its tensors are made.
        uses : Forms, optional
            Noted in it: which forms of the values are asked for.
        """
        topology, measured = self._on(device)
        return Batch(
            y=to_device(cells.y, device),
            cell=to_device(cells.cell, device),
            dataset=to_device(cells.dataset, device),
            values=_CellValues(self, cells, device, uses or Forms()),
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
        cells = read_columns(path, [name for name, used in needed.items() if used])
        if cells.num_rows != n_cells:
            raise format_error(path, f"{cells.num_rows:,} rows", f"{n_cells:,}, as in counts")
        arrays: dict[str, NDArray[Any]] = {
            "dataset": self._numbers_of_datasets(cells["dataset"], path),
            "y": np.empty((n_cells, 0), np.float32),
        }
        if target is not None:
            # Classes are int64 positions; a numeric target is trained on as float32.
            kind = np.int64 if target["kind"] == "class" else np.float32
            arrays["y"] = _numbers(path, cells, "target").astype(kind)
        if self.normalizes:
            arrays["gene_factor"] = cp10k_factors(_numbers(path, cells, total).astype(np.float64))
        if self.proteins is not None:
            # Cells of data sets without antibodies have no divisor and need none.
            divisors = cells["protein_clr"].fill_null(1.0).to_numpy()
            arrays["protein_factor"] = 1 / divisors
        return arrays

    def _numbers_of_datasets(self, column: pa.ChunkedArray, path: Path) -> NDArray[np.int64]:
        """Position of each cell's data set in the manifest."""
        number = {d["id"]: i for i, d in enumerate(self.manifest.content["datasets"])}
        encoded = column.combine_chunks().dictionary_encode()
        names = encoded.dictionary.to_pylist()
        if encoded.null_count or not number.keys() >= set(names):
            raise format_error(path, "a data set that is not in the manifest", "content.datasets")
        numbers = np.array([number[name] for name in names], np.int64)
        of_cells: NDArray[np.int64] = numbers[np.from_dlpack(encoded.indices)]
        return of_cells

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


def _numbers(path: Path, cells: pa.Table, name: str) -> NDArray[Any]:
    """Read a column of numbers of which no cell may lack one, (m,), not to be written to."""
    column = cells[name]
    if column.null_count:
        raise format_error(path, f"{column.null_count:,} cells without {name}", "a number in each")
    # `to_numpy` imports pandas, as `pyarrow.array` does: see `read_columns`.
    numbers: NDArray[Any] = np.from_dlpack(column.combine_chunks())
    return numbers
