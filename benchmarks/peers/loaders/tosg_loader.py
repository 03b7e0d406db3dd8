"""Ours, at its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.loaders import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def prepare(folder: Path, home: Path) -> None:
    """Nothing to do: the training set is there."""


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import tosg

    batches = tosg.TrainingSet(folder).batches("train", batch_size, seed=1)

    def epoch() -> Iterator[tuple[Any, Any]]:
        for batch in batches:
            if kind == "dense":
                yield batch.x, batch.cell.numpy()
            else:
                yield _Sparse(batch), batch.cell.numpy()

    return epoch


class _Sparse:
    """Sparse rows as they come, with the two things that are asked of a matrix."""

    def __init__(self, batch: Any) -> None:
        self.shape = (len(batch), batch.num_nodes)
        self.parts = batch.indptr, batch.indices, batch.values

    def sum(self) -> float:
        return float(self.parts[2].sum())


if __name__ == "__main__":
    measure.run(prepare, loader)
