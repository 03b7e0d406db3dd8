"""The iterator over batches: reads ahead in a thread, resumes in the middle of an epoch."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from tosg.kg.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tosg.export.batch import Batch
    from tosg.export.sampler import Sampler
    from tosg.export.training_set import TrainingSet

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

#: A read costs some 50 microseconds whatever its size; this many rows make it small.
_ROWS_A_READ = 256

#: The batches of one read; taken out one by one, so that their memory is free once they are used.
Group = deque[dict[str, Tensor]]


class BatchLoader:
    """Batches of a training set, epoch after epoch.

    Each ``for`` over it is one epoch; the next one has another order. Made by
    `TrainingSet.batches`.
    """

    def __init__(
        self,
        training_set: TrainingSet,
        start: int,
        sampler: Sampler,
        device: str,
        *,
        epoch: int = 0,
        prefetch: int = 2,
    ) -> None:
        self.training_set = training_set
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
        for group in self._ahead(range(self._done, len(self))):
            while group:
                # Counted before it is handed out: a state saved in the loop's body is that of
                # after this batch.
                self._done += 1
                yield self.training_set.assemble(group.popleft(), self.device)
        self.epoch += 1
        self._done = 0

    def set_epoch(self, epoch: int) -> None:
        """Begin the given epoch at the next ``for``."""
        self.epoch, self._done, self._resume_at = epoch, 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: the batches handed out are done."""
        question = {name: getattr(self.sampler, name) for name in _QUESTION}
        return {"epoch": self.epoch, "done": self._done, "start": self.start, **question}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a loader with the same question stood.

        Raises
        ------
        ExportError
            The state belongs to another question (split, batch size, seed, ...).
        """
        mine = self.state_dict()
        for name in ("start", *_QUESTION):
            if state.get(name) != mine[name]:
                raise ExportError(
                    "the state belongs to batches of another kind",
                    where=name,
                    found=state.get(name),
                    expected=mine[name],
                    hint="make the batches with the same arguments as before",
                )
        self.epoch = int(state["epoch"])
        self._done = self._resume_at = int(state["done"])

    def sparse(self) -> Iterator[dict[str, Tensor]]:
        """The current epoch's batches as they are in the files: sparse, on the CPU.

        Yields
        ------
        dict
            ``indptr`` (B + 1,) int64, ``indices`` (nnz,) int32, ``values`` (nnz,) float32,
            ``cell``, ``dataset`` (B,) int64, ``y``; neighbouring batches share memory.
        """
        for group in self._ahead(range(len(self))):
            while group:
                yield group.popleft()

    def _read(self, epoch: int, numbers: Sequence[int]) -> Group:
        rows = [self.sampler.batch(epoch, i) + self.start for i in numbers]
        cuts = np.cumsum([len(r) for r in rows])[:-1].tolist()
        group = self.training_set.read_sparse(np.concatenate(rows), cuts)
        if self.device.startswith("cuda"):
            group = [{k: v.pin_memory() for k, v in tensors.items()} for tensors in group]
        return deque(group)

    def _ahead(self, numbers: range) -> Iterator[Group]:
        """Groups of batches: one read serves as many as make up `_ROWS_A_READ`."""
        epoch = self.epoch
        step = max(1, _ROWS_A_READ // self.sampler.batch_size)
        groups = [numbers[i : i + step] for i in range(0, len(numbers), step)]
        if self.prefetch < 1:
            yield from (self._read(epoch, group) for group in groups)
            return
        ready: queue.Queue[Group | BaseException | None] = queue.Queue(-(-self.prefetch // step))
        stop = threading.Event()

        def put(item: Group | BaseException | None) -> None:
            while not stop.is_set():
                try:
                    ready.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return

        def work() -> None:
            try:
                for group in groups:
                    if stop.is_set():
                        return
                    put(self._read(epoch, group))
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
