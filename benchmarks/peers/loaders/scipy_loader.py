"""The same cells held in memory as one `scipy.sparse.csr_matrix`, shuffled whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def prepare(folder: Path, home: Path) -> None:
    """Nothing to do: the cells are read into memory."""


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    matrix, _ = measure.read_matrix(folder)
    random = np.random.default_rng(1)

    def epoch() -> Iterator[tuple[Any, Any]]:
        order = random.permutation(matrix.shape[0])
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = matrix[rows]
            yield (batch.toarray() if kind == "dense" else batch), rows

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
