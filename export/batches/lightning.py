"""A training set as a Lightning `DataModule` (extra ``lightning``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning import LightningDataModule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.export.batches.batch import Batch
    from tosg.export.batches.batch_loader import BatchLoader
    from tosg.export.batches.training_set import TrainingSet


class LoaderView:
    """A `BatchLoader` as a trainer takes it: an iterable with a state, without a sampler."""

    def __init__(self, loader: BatchLoader) -> None:
        self._loader = loader

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        # A trainer counts batches and never asks for one more, by which an epoch would end.
        if self._loader.state_dict()["done"] == len(self._loader):
            self._loader.set_epoch(self._loader.epoch + 1)
        return iter(self._loader)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands; the trainer keeps it in its checkpoints."""
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where a loader of the same arguments stood."""
        self._loader.load_state_dict(state)


class CellModule(LightningDataModule):
    """Batches of train, val and test for a `Trainer`.

    Batches are `Batch` objects on the trainer's device. Each pass of the trainer is an epoch of
    its own; checkpoints hold where the loader stands, so that ``fit(ckpt_path=...)`` goes on in the
    middle of an epoch. Several processes share an epoch by `torch.distributed`.

    Parameters
    ----------
    training_set : TrainingSet
    batch_size : int
    options
        Of `TrainingSet.batches`, such as ``seed``, ``threads``, ``prefetch``, ``drop_last``.
    """

    def __init__(self, training_set: TrainingSet, batch_size: int = 256, **options: Any) -> None:
        super().__init__()
        self.training_set = training_set
        self.batch_size = batch_size
        self.options = options

    def _batches(self, split: str) -> LoaderView:
        device = "cpu" if self.trainer is None else self.trainer.strategy.root_device
        return LoaderView(
            self.training_set.batches(split, self.batch_size, device=str(device), **self.options)
        )

    def train_dataloader(self) -> LoaderView:
        """Batches of ``train``, shuffled."""
        return self._batches("train")

    def val_dataloader(self) -> LoaderView | list[LoaderView]:
        """Batches of ``val`` in stored order; none where it has no cells."""
        return self._batches("val") if len(self.training_set.rows("val")) else []

    def test_dataloader(self) -> LoaderView:
        """Batches of ``test`` in stored order."""
        return self._batches("test")

    def predict_dataloader(self) -> LoaderView:
        """Batches of ``test`` in stored order."""
        return self._batches("test")

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Leave batches where they are: they are made on the trainer's device."""
        return batch
