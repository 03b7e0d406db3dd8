"""The iterator over batches: reads ahead in threads, resumes in the middle of an epoch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tosg.errors import ConfigError, ExportError
from tosg.export.batches.ahead import read_ahead
from tosg.export.batches.cell_tensors import SPARSE_FORM, Forms
from tosg.export.batches.kernels import load_kernels
from tosg.export.format.manifest import take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.cell_reader import CellReader
    from tosg.export.batches.cell_tensors import CellTensors
    from tosg.export.batches.sampler import Sampler
    from tosg.export.format.manifest import SplitRows

#: What has to be the same for a state to be taken up again.
_QUESTION = (
    "n",
    "batch_size",
    "seed",
    "shuffle",
    "drop_last",
    "world_size",
    "block",
    "buffer",
    "run",
)

#: Bytes that one task of a reading thread makes: little enough to stay in the processor's cache.
TASK_BYTES = 1 << 24

#: Rows that one task reads at most, where they are short.
TASK_ROWS = 4096


class BatchLoader:
    """Batches of a training set, epoch after epoch.

    Each ``for`` over it is one epoch; the next one has another order. Made by
    `TrainingSet.batches`.
    """

    def __init__(
        self,
        reader: CellReader,
        rows: range | SplitRows,
        sampler: Sampler,
        device: str,
        *,
        epoch: int = 0,
        prefetch: int = 2,
        threads: int = 2,
    ) -> None:
        self.reader = reader
        self.rows = rows
        self.sampler = sampler
        self.device = device
        self.epoch = epoch
        self.prefetch = prefetch
        self.threads = threads
        self._uses = Forms()
        load_kernels()
        self._done = 0
        self._resume_at = 0

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        # A loop that was left begins its epoch again, unless a state was loaded in between.
        self._done, self._resume_at = self._resume_at, 0
        for cells in self._ahead(range(self._done, len(self)), self._forms):
            # Counted before it is handed out: a state saved in the loop's body is that of after
            # this batch.
            self._done += 1
            yield self.reader.assemble(cells, self.device, self._uses)
        self.epoch += 1
        self._done = 0

    def set_epoch(self, epoch: int) -> None:
        """Begin the given epoch at the next ``for``."""
        self.epoch, self._done, self._resume_at = epoch, 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: the batches handed out are done."""
        question = {name: getattr(self.sampler, name) for name in _QUESTION}
        return {
            "epoch": self.epoch,
            "done": self._done,
            "training_set": self.reader.manifest.digest,
            "start": self.rows[0] if len(self.rows) else 0,
            **question,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a loader with the same question stood.

        Raises
        ------
        ExportError
            The state belongs to another question (training set, split, batch size, seed, ...), or
            says what cannot be.
        """
        mine = self.state_dict()
        for name in ("training_set", "start", *_QUESTION):
            if state.get(name) != mine[name]:
                raise ExportError(
                    "the state was saved by a loader with other arguments",
                    where=name,
                    found=state.get(name),
                    expected=mine[name],
                    hint="make the batches with the same arguments as before",
                )
        for name, most in (("epoch", None), ("done", len(self))):
            value = state.get(name)
            if not isinstance(value, int) or value < 0 or (most is not None and value > most):
                raise ExportError(
                    "not a state saved by a BatchLoader",
                    where=name,
                    found=value,
                    expected="0 or more" if most is None else f"0 to {most}",
                )
        self.epoch = state["epoch"]
        self._done = self._resume_at = state["done"]

    def sparse(self) -> Iterator[dict[str, NDArray[Any]]]:
        """The current epoch's batches as they are in the files: sparse arrays, no tensors yet.

        Yields
        ------
        dict
            ``indptr`` (B + 1,) int64, ``indices`` (nnz,) int32, ``values`` (nnz,) float32,
            ``cell``, ``dataset`` (B,) int64, ``y`` (B,).
        """
        for cells in self._ahead(range(len(self)), lambda: SPARSE_FORM):
            assert cells.sparse is not None  # noqa: S101
            per_cell = {"cell": cells.cell, "dataset": cells.dataset, "y": cells.y}
            tensors = {**cells.sparse._asdict(), **per_cell}
            yield {name: tensor.numpy() for name, tensor in tensors.items()}

    def _forms(self) -> Forms:
        """What to read ahead: what the batches so far were asked for."""
        if self.device != "cpu" or not self._uses.dense:
            return SPARSE_FORM
        return self._uses

    def _ahead(self, numbers: range, forms: Callable[[], Forms]) -> Iterator[CellTensors]:
        reader, threads = self.reader, self.threads if self.prefetch > 0 else 0
        sampler, epoch = self.sampler, self.epoch
        _ = reader.expression.nbytes  # open the files: an error here is raised in this thread
        every = take_rows(self.rows, np.arange(sampler.n))

        def window(w: int) -> NDArray[np.int64]:
            return take_rows(self.rows, sampler.window(epoch, w))

        with reader.pages.running(every, window, sampler.windows) as advance:

            def tasks() -> Iterator[Callable[[], list[CellTensors]]]:
                start = numbers.start
                while start < numbers.stop:
                    stop = min(start + self._batches_a_task(forms()), numbers.stop)
                    advance(sampler.window_of(start))
                    yield partial(self._read, epoch, range(start, stop), forms())
                    start = stop

            ahead = max(threads, -(-self.prefetch // self._batches_a_task(forms())))
            yield from read_ahead(tasks(), threads=threads, ahead=ahead)

    def _batches_a_task(self, forms: Forms) -> int:
        """Batches that one task reads: so many that calls cost little beside the copy."""
        reader = self.reader
        cell_bytes = 4 * reader.manifest.n_nodes if forms.dense else 0
        if forms.sparse or not forms.dense:
            cell_bytes += reader.expression.nbytes // max(len(reader.expression), 1)
        rows = min(TASK_BYTES // max(cell_bytes, 1), TASK_ROWS)
        return int(max(1, rows // self.sampler.batch_size))

    def _read(self, epoch: int, numbers: range, forms: Forms) -> list[CellTensors]:
        rows, sizes = self.sampler.batches(epoch, numbers)
        cells = self.reader.read_tensors(take_rows(self.rows, rows), forms)
        if self.device.startswith("cuda"):
            cells = cells.pin()
        return cells.split(sizes)


def find_rank(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Rank and world size: as given, else those of `torch.distributed`, else 0 and 1.

    Raises
    ------
    ConfigError
        Only one is given, and `torch.distributed` is not initialised.
    """
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
