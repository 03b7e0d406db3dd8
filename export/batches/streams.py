"""Batches for other frameworks' loops: a `torch` stream with a state, and cells for `datasets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from tosg.errors import ConfigError, ExportError
from tosg.export.batches.batch_loader import BatchLoader
from tosg.export.format.manifest import take_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasets import IterableDataset as CellStream

    from tosg.export.batches.cell_reader import CellReader
    from tosg.export.batches.sampler import Sampler
    from tosg.export.format.manifest import SplitRows

#: Cells of a part that a worker of `datasets` takes.
_PART = 1024


class BatchStream(IterableDataset[dict[str, Tensor]]):
    """Batches as a `torch` data set that a stateful loader can stop and resume.

    For ``torchdata.stateful_dataloader.StatefulDataLoader(stream, batch_size=None,
    num_workers=...)``: of the batches of this process's epoch, worker ``i`` of ``n`` makes every
    ``n``-th, so that each is made once. Each ``iter`` is an epoch with an order of its own.

    Batches are plain tensors, since they go from one process to another: ``x`` (B, N) float32,
    ``y``, ``cell`` and ``dataset`` (B,); the graph is `TrainingSet.graph`.

    Parameters
    ----------
    loader : BatchLoader
        What it takes its batches from.
    """

    def __init__(self, loader: BatchLoader) -> None:
        super().__init__()
        self.loader = loader
        self.epoch = loader.epoch
        self._done = self._resume_at = 0

    def __reduce__(self) -> tuple[Any, ...]:
        how = (self.loader.reader, self.loader.rows, self.loader.sampler, self.epoch)
        return (_open_stream, how)

    def set_epoch(self, epoch: int) -> None:
        """Begin the given epoch at the next ``iter``."""
        self.epoch, self._done, self._resume_at = epoch, 0, 0

    def __len__(self) -> int:
        """Batches of an epoch of this process."""
        return len(self.loader)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        reader, sampler = self.loader.reader, self.loader.sampler
        worker, workers = _worker()
        self._done, self._resume_at = self._resume_at, 0
        for number in range(worker, len(self.loader), workers)[self._done :]:
            rows = take_rows(self.loader.rows, sampler.batch(self.epoch, number))
            batch = reader.read(rows)
            self._done += 1
            yield {"x": batch.x, "y": batch.y, "cell": batch.cell, "dataset": batch.dataset}
        self.epoch += 1
        self._done = 0

    def state_dict(self) -> dict[str, Any]:
        """Where this worker stands: the batches handed out are done."""
        worker, workers = _worker()
        own = {"epoch": self.epoch, "done": self._done, "worker": worker, "workers": workers}
        return {**self.loader.state_dict(), **own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a worker of the same question stood.

        Raises
        ------
        ExportError
            The state is of another question or number of workers, or no state.
        """
        self.loader.load_state_dict({**state, "done": 0})
        mine = self.state_dict()
        for name in ("worker", "workers"):
            if state.get(name) != mine[name]:
                raise ExportError(
                    "the state was saved with another number of workers",
                    where=name,
                    found=state.get(name),
                    expected=mine[name],
                    hint="make the loader with the same num_workers as before",
                )
        done = state.get("done")
        if not isinstance(done, int) or not 0 <= done <= len(self.loader):
            raise ExportError("not a state saved by a BatchStream", where="done", found=done)
        self.epoch = state["epoch"]
        self._done = self._resume_at = done


def _worker() -> tuple[int, int]:
    """Number of this worker of a loader, and how many there are."""
    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)


def _open_stream(
    reader: CellReader, rows: range | SplitRows, sampler: Sampler, epoch: int
) -> BatchStream:
    return BatchStream(BatchLoader(reader, rows, sampler, "cpu", epoch=epoch))


def stream_cells(
    reader: CellReader, split: str | None, class_names: list[str] | None
) -> CellStream:
    """Cells as a `datasets.IterableDataset`; see `TrainingSet.to_huggingface`."""
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            "the package datasets is not installed",
            found=error,
            hint='pip install "tosg[huggingface]"',
        ) from error
    rows = take_rows(reader.manifest.rows(split), np.arange(len(reader.manifest.rows(split))))
    target = reader.manifest.content["target"]
    features: dict[str, Any] = {
        "row": datasets.Value("int64"),
        "nodes": datasets.List(datasets.Value("int32")),
        "values": datasets.List(datasets.Value("float32")),
    }
    if target is not None:
        features["label"] = (
            datasets.Value("float32")
            if class_names is None
            else datasets.ClassLabel(names=class_names)
        )
    if not len(rows):
        raise ExportError("the split has no cells", where=split)
    parts = [rows[i : i + _PART].tolist() for i in range(0, len(rows), _PART)]
    made: CellStream = datasets.IterableDataset.from_generator(
        _cells_of,
        features=datasets.Features(features),
        gen_kwargs={"parts": parts, "reader": reader},
    )
    return made


def _cells_of(parts: list[list[int]], reader: CellReader) -> Iterator[dict[str, Any]]:
    for part in parts:
        cells = reader.read_tensors(np.array(part, np.int64))
        assert cells.sparse is not None  # noqa: S101
        indptr, indices, values = (tensor.numpy() for tensor in cells.sparse)
        for i, row in enumerate(part):
            span = slice(int(indptr[i]), int(indptr[i + 1]))
            one = {
                "row": row,
                "nodes": np.array(indices[span]),
                "values": np.array(values[span]),
            }
            if cells.y.ndim == 1:
                one["label"] = cells.y[i].item()
            yield one
