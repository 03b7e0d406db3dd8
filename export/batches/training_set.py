"""Open a training set and read batches of cells from it (``docs/formats/training-set.md``)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from tosg.export.batches.batch_loader import BatchLoader, find_rank
from tosg.export.batches.cell_reader import CellReader
from tosg.export.batches.embeddings import NodeVectors, list_embeddings, make_embeddings
from tosg.export.batches.sampler import Sampler, choose_buffer
from tosg.export.batches.tokens import Tokens, make_tokens
from tosg.export.batches.verify import verify
from tosg.export.format.manifest import SPLITS, naming_damage
from tosg.html_text import facts_html

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    import torch
    from anndata import AnnData
    from datasets import IterableDataset as CellStream
    from numpy.typing import NDArray
    from torch_geometric.data import HeteroData

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.cell_graphs import CellGraphs
    from tosg.export.batches.graph_tensors import GraphTensors
    from tosg.export.batches.pyg_stores import PygStores
    from tosg.export.batches.shards import ShardReader
    from tosg.export.batches.streams import BatchStream
    from tosg.export.format.manifest import SplitRows
    from tosg.kg.embed.models import Model


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
        self.reader = CellReader.open(self.folder, add_reverses=add_reverses)
        self.manifest = self.reader.manifest

    def __reduce__(self) -> tuple[Any, ...]:
        return (_open, (self.folder, self.add_reverses))

    def __repr__(self) -> str:
        counts = self.content["counts"]
        return (
            f"TrainingSet({str(self.folder)!r}: {counts['nodes']:,} nodes, "
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

    @cached_property
    def texts(self) -> list[str]:
        """Text of each node, N of them; "" where it has none."""
        return [text or "" for text in self.graph.nodes["text"].to_pylist()]

    def tokens(
        self,
        tokenizer: Any,
        max_length: int = 128,
        *,
        folder: str | os.PathLike[str] | None = None,
    ) -> Tokens:
        """Tokens of the nodes' texts, to train a text encoder together with the graph model.

        Made once and kept, memory-mapped, under a hash of tokenizer, texts and length; another
        process finds them there.

        Parameters
        ----------
        tokenizer : transformers.PreTrainedTokenizerBase
            As of ``AutoTokenizer.from_pretrained``.
        max_length : int
            Tokens of a text, special ones included; longer texts are cut.
        folder : path, optional
            Where they are kept; by default beside the training set, ``OUT.tokens``.

        Returns
        -------
        Tokens
            ``tokens.batch(nodes)`` gives ``input_ids`` and ``attention_mask`` (n, L) int64.

        Raises
        ------
        ConfigError
            The tokenizer has no padding token, or the folder cannot be written.
        ExportError
            Tokens that were kept are damaged.
        """
        place = Path(folder or self._beside("tokens"))
        return make_tokens(place, self.texts, tokenizer, max_length)

    def embeddings(
        self,
        model: str | Model,
        *,
        device: str | None = None,
        batch_size: int = 256,
        folder: str | os.PathLike[str] | None = None,
    ) -> NodeVectors:
        """Vectors of the nodes' texts by another model than the graph's (extra ``embed``).

        Made once and kept, memory-mapped, so that several models stand side by side.

        Parameters
        ----------
        model : str or Model
            Name or folder of a sentence-transformers model, as of ``tosg embed``.
        device : str, optional
            As torch names it; by default a GPU where there is one.
        batch_size : int
            Most texts that the model sees at once.
        folder : path, optional
            Where they are kept; by default beside the training set, ``OUT.embeddings``.

        Returns
        -------
        NodeVectors
            ``vectors`` (N, D) float32 of unit length, zeros without text; ``take(nodes)`` (n, D).

        Raises
        ------
        ConfigError
            The model is not found, or the folder cannot be written.
        ExportError
            Vectors that were kept are damaged.
        """
        place = Path(folder or self._beside("embeddings"))
        return make_embeddings(place, self.texts, model, device, batch_size)

    def list_embeddings(self, *, folder: str | os.PathLike[str] | None = None) -> list[NodeVectors]:
        """List the vectors that `embeddings` has kept of these texts, by model.

        Parameters
        ----------
        folder : path, optional
            Where they are kept; by default ``OUT.embeddings``.

        Returns
        -------
        list of NodeVectors
            ``model``, ``revision`` and ``vectors`` (N, D) float32.

        Raises
        ------
        ExportError
            A file is damaged.
        """
        return list_embeddings(Path(folder or self._beside("embeddings")), self.texts)

    def cell_texts(
        self,
        *,
        genes: int = 100,
        facts: int = 10,
        fact_characters: int = 200,
        edges: int = 20,
    ) -> Iterator[pa.Table]:
        """Cells as text: genes by rank, what the graph says of them, and edges between them.

        Parameters
        ----------
        genes : int
            Most nodes that are named, greatest value first.
        facts : int
            How many of these are described by their text.
        fact_characters : int
            Most characters of one description.
        edges : int
            Most edges between the named nodes.

        Returns
        -------
        iterator of Table
            Blocks of rows of ``cells.parquet``: id, split, target, genes (list), text.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            A number is too small.
        """
        from tosg.export.layouts.cell_texts import CellTextOptions, cell_texts
        from tosg.export.layouts.stored import StoredSet

        self.rows()
        options = CellTextOptions(genes, facts, fact_characters, edges)
        return cell_texts(StoredSet(self.manifest), options)

    def _beside(self, name: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{name}")

    @cached_property
    def cells(self) -> pa.Table:
        """``cells.parquet``: row j is row j of the expression."""
        self.rows()
        path = self.folder / "cells.parquet"
        with naming_damage(path):
            return pq.read_table(path)

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
        threads: int = 2,
        rank: int | None = None,
        world_size: int | None = None,
        run: int = 1,
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
            Batches that are read ahead; 0 reads in the caller's thread.
        threads : int
            Threads that read ahead. The order does not depend on them. Where `device` is the CPU,
            they make batches dense from the second on, if the first was asked for `x`.
        rank, world_size : int, optional
            By default those of `torch.distributed` where it is initialised, else 0 and 1; without
            it, one needs the other.
        run : int
            A divisor of 32: cells that are neighbours on disk and stay together in a shuffled
            epoch. 1 mixes like a shuffle of all cells; above, cells of a batch meet again far more
            often than by chance.

        Returns
        -------
        BatchLoader
            Of batches with ``x`` (B, N) float32 in `unit`, ``measured`` (B, N) bool, ``y`` (B,) and
            the edges that all cells share; E may be 0.

        Raises
        ------
        ExportError
            The training set has no cells, or a file of it is damaged.
        ConfigError
            There is no such split, `batch_size`, `rank` or `run` cannot be, or of `rank` and
            `world_size` only one is given.
        """
        rows = self.rows(split)
        rank, world_size = find_rank(rank, world_size)
        sampler = Sampler(
            n=len(rows),
            batch_size=batch_size,
            seed=seed,
            shuffle=split == "train" if shuffle is None else shuffle,
            drop_last=drop_last,
            rank=rank,
            world_size=world_size,
            buffer=choose_buffer(len(rows)),
            run=run,
        )
        return BatchLoader(
            self.reader,
            rows,
            sampler,
            str(device),
            epoch=epoch,
            prefetch=prefetch,
            threads=threads,
        )

    def read(
        self,
        rows: NDArray[np.int64] | Sequence[int],
        *,
        device: str | torch.device = "cpu",
    ) -> Batch:
        """Read the given rows of ``cells.parquet`` as one batch, in their order.

        Parameters
        ----------
        rows : (B,) int64
            Positions, 0 to M - 1.
        device : str or torch.device
            Where the tensors are made.

        Returns
        -------
        Batch
            ``x`` (B, N) float32 in `unit`, ``measured`` (B, N) bool, ``y`` (B,), ``cell`` (B,).

        Raises
        ------
        ExportError
            The training set has no cells, or a file of it is damaged.
        """
        self.rows()
        return self.reader.read(rows, str(device))

    @property
    def expression(self) -> ShardReader:
        """The stored values, (M, N) float32 as sparse rows, in the unit that was attached."""
        return self.reader.expression

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(datasets, N) bool: which data set measured which node."""
        return self.reader.measured

    def as_dataset(
        self,
        split: str = "train",
        *,
        own: bool = False,
        threshold: float = 0.0,
        keep_unmeasured: bool = False,
    ) -> CellGraphs:
        """A `torch` data set of `torch_geometric` graphs, one cell each (extra ``pyg``).

        Parameters
        ----------
        split : {"train", "val", "test"}
            Which cells.
        own, threshold, keep_unmeasured
            Whether each cell has a graph of its own, of the nodes it expresses: see `Batch.to_pyg`.

        Returns
        -------
        CellGraphs
            ``x`` (n, 1) float32 in `unit`, ``edge_index`` (2, e), ``measured`` (n,) bool,
            ``node_id`` (n,) into the shared topology; n is N without `own`.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            There is no such split.
        """
        from tosg.export.batches.cell_graphs import CellGraphs

        return CellGraphs(
            self.reader, split, own=own, threshold=threshold, keep_unmeasured=keep_unmeasured
        )

    def to_anndata(self) -> AnnData:
        """The cells and the graph as an `anndata.AnnData` in memory (extra ``cells``).

        ``X`` (M, N) float32 are the stored values as sparse rows, ``varp`` the edges by type,
        ``varm["text_embedding"]`` (N, D) the vectors, ``obs`` has the split. Larger ones are
        written block by block by ``tosg-export --layout anndata``.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            anndata is not installed.
        """
        from tosg.export.layouts.annotated import make_anndata
        from tosg.export.layouts.stored import StoredSet

        self.rows()
        return make_anndata(StoredSet(self.manifest))

    def stream(
        self,
        split: str | None = "train",
        batch_size: int = 256,
        *,
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool | None = None,
        drop_last: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> BatchStream:
        """Batches as an `IterableDataset` for ``torchdata``'s `StatefulDataLoader`.

        Parameters
        ----------
        split : {"train", "val", "test"} or None
            Which cells; None is all.
        batch_size : int
            Cells a batch.
        seed, epoch, shuffle, drop_last, rank, world_size
            As of `batches`.

        Returns
        -------
        BatchStream
            Of mappings: ``x`` (B, N) float32, ``y``, ``cell``, ``dataset`` (B,) on the CPU;
            ``state_dict`` and ``load_state_dict`` per worker.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            There is no such split, or an option cannot be.
        """
        from tosg.export.batches.streams import BatchStream

        return BatchStream(
            self.batches(
                split,
                batch_size,
                seed=seed,
                epoch=epoch,
                shuffle=shuffle,
                drop_last=drop_last,
                rank=rank,
                world_size=world_size,
            )
        )

    def to_huggingface(self, split: str | None = "train") -> CellStream:
        """Cells as a `datasets.IterableDataset` over the files (extra ``huggingface``).

        Parameters
        ----------
        split : {"train", "val", "test"} or None
            Which cells; None is all.

        Returns
        -------
        datasets.IterableDataset
            Of cells: ``row`` in ``cells.parquet``, ``nodes`` (n,) int32 and ``values`` (n,) float32
            in `unit`, and ``label``.

        Raises
        ------
        ExportError
            The training set or the split has no cells.
        ConfigError
            There is no such split, or ``datasets`` is not installed.
        """
        from tosg.export.batches.streams import stream_cells

        return stream_cells(self.reader, split, self.classes or None)

    def to_hetero(self) -> HeteroData:
        """The graph by type as `HeteroData` (extra ``pyg``).

        For each label ``x`` (n, D) the text embeddings, ``has_text`` (n,) bool, ``node_id`` (n,)
        into the rows of ``nodes.parquet``, and ``num_nodes``; for each (label, relationship type,
        label) ``edge_index`` (2, e), ``edge_score``, ``edge_sign``, ``edge_lifted``.
        """
        from tosg.export.batches.pyg import to_hetero

        return to_hetero(self.graph, self.node_types, self.edge_types)

    def stores(
        self,
        *,
        by_type: bool = True,
        cells: NDArray[np.int64] | Sequence[int] = (),
        folder: str | os.PathLike[str] | None = None,
    ) -> PygStores:
        """The graph as `FeatureStore` and `GraphStore` for loaders of PyG (extra ``pyg``).

        `NeighborLoader(stores.pair, neighbor_sampler=stores.sampler([10, 10]), ...)` samples from
        the files, which stay memory-mapped; with ``pyg-lib`` installed, PyG's own sampler does too.

        Parameters
        ----------
        by_type : bool
            Whether nodes and edges are grouped by type, or are one group.
        cells : (B,) int64
            Rows of cells whose values become the features ``abundance`` (n, B) of the nodes.
        folder : path, optional
            Where edges sorted by their target are kept; by default ``OUT.sampling``.

        Returns
        -------
        PygStores
            ``pair``, ``sampler(num_neighbors)``, ``layer_sampler(num_samples)`` and
            ``add_edge_attributes``; features ``x`` (n, D), ``has_text`` and ``node_id`` (n,).

        Raises
        ------
        ExportError
            A file is damaged, or there are no cells.
        ConfigError
            The folder cannot be written.
        """
        from tosg.export.batches.by_target import NodeGroups, read_by_target
        from tosg.export.batches.pyg_stores import NodeFeatures, PygStores, StoredTopology

        groups = NodeGroups.of(self.graph, self.node_types if by_type else None)
        place = Path(folder or self._beside("sampling"))
        edges = read_by_target(place, self.digest, self.graph, groups, self.edge_types)
        batch = self.read(cells) if len(cells) else None
        features = NodeFeatures(
            self.graph,
            groups,
            None if batch is None else batch.x.T.contiguous(),
            None if batch is None else batch.measured.T.contiguous(),
        )
        return PygStores(features, StoredTopology(edges))


def _open(folder: Path, add_reverses: bool) -> TrainingSet:
    return TrainingSet(folder, add_reverses=add_reverses)
