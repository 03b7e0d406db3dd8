"""The iterator over batches: reads ahead in a thread, resumes in the middle of an epoch."""

from __future__ import annotations

import queue
import threading
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tosg.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.cell_reader import CellReader
    from tosg.export.batches.sampler import Sampler

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

#: Working out where rows lie costs some 100 microseconds, however few they are: it is done for this
#: many at once.
_ROWS_AT_ONCE = 4096


class BatchLoader:
    """Batches of a training set, epoch after epoch.

    Each ``for`` over it is one epoch; the next one has another order. Made by
    `TrainingSet.batches`.
    """

    def __init__(
        self,
        reader: CellReader,
        start: int,
        sampler: Sampler,
        device: str,
        *,
        epoch: int = 0,
        prefetch: int = 2,
    ) -> None:
        self.reader = reader
        self.start = start
        self.sampler = sampler
        self.device = device
        self.epoch = epoch
        self.prefetch = prefetch
        self._done = 0
        self._resume_at = 0

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        # A loop that was left begins its epoch again, unless a state was loaded in between.
        self._done, self._resume_at = self._resume_at, 0
        for sparse in self._ahead(range(self._done, len(self)), pin=self.device.startswith("cuda")):
            # Counted before it is handed out: a state saved in the loop's body is that of after
            # this batch.
            self._done += 1
            yield self.reader.assemble(sparse, self.device)
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
            "start": self.start,
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
            As of `CellReader.read_sparse`.
        """
        yield from self._ahead(range(len(self)), pin=False)

    def _read(self, epoch: int, numbers: range, *, pin: bool) -> Iterator[dict[str, Any]]:
        step = max(1, _ROWS_AT_ONCE // self.sampler.batch_size)
        for i in range(0, len(numbers), step):
            rows = [self.sampler.batch(epoch, n) for n in numbers[i : i + step]]
            cuts = [*accumulate(map(len, rows[:-1]))]
            for sparse in self.reader.read_sparse(np.concatenate(rows) + self.start, cuts):
                if pin:
                    yield {k: torch.from_numpy(v).pin_memory() for k, v in sparse.items()}
                else:
                    yield sparse

    def _ahead(self, numbers: range, *, pin: bool) -> Iterator[dict[str, Any]]:
        batches = self._read(self.epoch, numbers, pin=pin)
        if self.prefetch < 1:
            yield from batches
            return
        ready: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue(self.prefetch)
        stop = threading.Event()

        def put(item: dict[str, Any] | BaseException | None) -> None:
            while not stop.is_set():
                try:
                    ready.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return

        def work() -> None:
            try:
                for sparse in batches:
                    put(sparse)
                    if stop.is_set():
                        return
                put(None)
            except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
                put(error)

        thread = threading.Thread(target=work, name="tosg-batches", daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            thread.join()
