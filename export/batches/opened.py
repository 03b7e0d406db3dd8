"""What a training set on disk says of itself: its manifest, its graph, its cells and their rows."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.export.batches.cell_reader import CellReader
from tosg.export.batches.verify import verify
from tosg.export.format.columns import read_columns
from tosg.export.format.manifest import SPLITS
from tosg.html_text import facts_html

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tosg.export.batches.graph_tensors import GraphTensors
    from tosg.export.batches.shards import ShardReader
    from tosg.export.format.manifest import SplitRows


class OpenedSet:
    """Base of `TrainingSet`: the opened folder, without batches and exits.

    Parameters
    ----------
    folder : str or Path
        What ``tosg-export`` wrote.
    add_reverses : bool
        Whether `graph.edge_index` holds both directions of undirected edges.
    """

    def __init__(self, folder: str | os.PathLike[str], *, add_reverses: bool = True) -> None:
        self.folder = Path(folder).absolute()  # read from later, wherever the process is then
        self.add_reverses = add_reverses
        self.reader = CellReader.open(self.folder, add_reverses=add_reverses)
        self.manifest = self.reader.manifest

    def __reduce__(self) -> tuple[Any, ...]:
        return (_open, (type(self), self.folder, self.add_reverses))

    def __repr__(self) -> str:
        counts = self.content["counts"]
        return (
            f"{type(self).__name__}({str(self.folder)!r}: {counts['nodes']:,} nodes, "
            f"{counts['edges']:,} edges, {counts['cells']:,} cells)"
        )

    def _repr_html_(self) -> str:
        splits = self.content["splits"] or {}
        sizes = ", ".join(
            f"{name} {splits[name]['cells']:,}" for name in SPLITS if splits.get(name)
        )
        target = self.content["target"]
        return facts_html(
            f"Training set {self.folder.name}",
            [
                ("nodes", self.n_nodes),
                ("edges", self.content["counts"]["edges"]),
                ("cells", self.n_cells),
                ("splits", sizes),
                ("target", f"{target['field']}, {len(self.classes)} classes" if target else None),
                ("unit", self.unit),
                ("folder", self.folder),
            ],
        )

    @property
    def content(self) -> Mapping[str, Any]:
        """The manifest's ``content``: the same for the same graph and selection."""
        return self.manifest.content

    @property
    def digest(self) -> str:
        """Hash of the digests of its content: equal where graph, cells and their order are."""
        return self.manifest.digest

    def verify(self) -> None:
        """Read everything and check hashes, order and ranges; see the page of the format.

        Raises
        ------
        ExportError
            A file was changed or breaks a rule of the format.
        """
        verify(CellReader(self.manifest))

    @property
    def n_nodes(self) -> int:
        """Number of nodes, N."""
        return self.manifest.n_nodes

    @property
    def n_cells(self) -> int:
        """Number of cells, M."""
        return self.manifest.n_cells

    @property
    def node_types(self) -> list[str]:
        """Labels; `graph.node_type` holds positions in it."""
        return self.manifest.node_types

    @property
    def edge_types(self) -> list[str]:
        """Relationship types; `graph.edge_type` holds positions in it."""
        return self.manifest.edge_types

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

    @property
    def protein_unit(self) -> str | None:
        """Unit of the nodes that antibodies measured, where it is another than `unit` (``clr``)."""
        expression = self.content["expression"] or {}
        unit = expression.get("protein_normalize")
        return None if unit is None else str(unit)

    @property
    def coverage(self) -> list[dict[str, Any]]:
        """``type``, ``cells``, ``nodes``: how many nodes of a type were measured in how many cells.

        Empty for training sets of older versions.
        """
        return list(self.content.get("coverage", []))

    @property
    def graph(self) -> GraphTensors:
        """The topology and texts that all cells share, on the CPU.

        ``edge_index`` (2, E) int64, ``edge_type`` (E,), ``edge_score`` (E,) float32, NaN where
        none, ``text_embedding`` (N, D) float32 or float16, and more: see `GraphTensors`.
        """
        return self.reader.graph

    @property
    def expression(self) -> ShardReader:
        """The stored values, (M, N) float32 as sparse rows, in the unit that was attached."""
        return self.reader.expression

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        return self.reader.measured

    @cached_property
    def cells(self) -> pa.Table:
        """``cells.parquet``: row j is row j of the expression."""
        self.rows()
        return read_columns(self.folder / "cells.parquet")

    def rows(self, split: str | None = None) -> range | SplitRows:
        """Rows of a split in ``cells.parquet``; of all cells without one.

        Parameters
        ----------
        split : {"train", "val", "test"}, optional
            Which cells.

        Returns
        -------
        range or SplitRows
            Consecutive rows; of a training set that grew, those of each generation.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            There is no such split.
        """
        return self.manifest.rows(split)

    def _beside(self, name: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{name}")


def _open(kind: type[OpenedSet], folder: Path, add_reverses: bool) -> OpenedSet:
    return kind(folder, add_reverses=add_reverses)
