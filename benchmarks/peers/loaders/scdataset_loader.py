"""scDataset over memory-mapped CSR arrays, at its recommended blocks and fetches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure
import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK_ROWS, FETCH_FACTOR = 16, 16


def prepare(folder: Path, home: Path) -> None:
    indptr, indices, values, _ = measure.read_shards(folder)
    for name, array in (("indptr", indptr), ("indices", indices), ("values", values)):
        np.save(home / f"{name}.npy", array)


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    from scdataset import BlockShuffling, scDataset
    from torch.utils.data import DataLoader

    parts = {n: np.load(home / f"{n}.npy", mmap_mode="r") for n in ("indptr", "indices", "values")}
    n_nodes = int(np.load(folder / "measured.npy").shape[1])
    matrix = sp.csr_matrix(
        (parts["values"], parts["indices"], parts["indptr"]),
        shape=(len(parts["indptr"]) - 1, n_nodes),
        copy=False,
    )

    class Cells:
        def __len__(self) -> int:
            return int(matrix.shape[0])

    def fetch(_: Any, rows: Any) -> Any:
        return matrix[rows], np.asarray(rows)

    def take(fetched: Any, rows: Any) -> Any:
        batch, numbers = fetched[0][rows], fetched[1][rows]
        return (batch.toarray() if kind == "dense" else batch), numbers

    data = scDataset(
        Cells(),
        BlockShuffling(block_size=BLOCK_ROWS),
        batch_size=batch_size,
        fetch_factor=FETCH_FACTOR,
        fetch_callback=fetch,
        batch_callback=take,
        seed=1,
    )

    def epoch() -> Iterator[tuple[Any, Any]]:
        yield from DataLoader(data, batch_size=None, num_workers=0)

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
