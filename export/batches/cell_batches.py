"""The cells of a training set: batches, single rows, streams and data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.export.batches.batch_loader import BatchLoader, find_rank
from tosg.export.batches.device import check_device
from tosg.export.batches.opened import OpenedSet
from tosg.export.batches.sampler import Sampler, choose_buffer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch
    from datasets import IterableDataset as CellStream
    from numpy.typing import NDArray

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.cell_graphs import CellGraphs
    from tosg.export.batches.streams import BatchStream


class CellBatches(OpenedSet):
    """Base of `TrainingSet`: every way to read cells."""

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
            it, one needs the other. Ranks get equal numbers of batches, and each cell is in one
            of them: the last batches may be smaller.
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
            There is no such split or device, `batch_size`, `rank` or `run` cannot be, of `rank` and
            `world_size` only one is given, or the ranks cannot get equal numbers of batches.
        """
        rows = self.rows(split)
        check_device(str(device))
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
