"""AnnLoader of anndata: the cells in memory, dense batches made by its own converters.

Its batches are cycles of references, 20 MB each: without a collection now and then, an epoch fills
the memory.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Batches between two collections of garbage.
COLLECT_EVERY = 50


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import anndata
    import torch
    from anndata.experimental import AnnLoader

    torch.manual_seed(1)
    cells = anndata.read_h5ad(home / "cells.h5ad")
    batches = AnnLoader(cells, batch_size=batch_size, shuffle=True)

    def epoch() -> Iterator[tuple[Any, Any]]:
        for number, batch in enumerate(batches):
            yield batch.X, batch.obs["row"].numpy()
            if number % COLLECT_EVERY == 0:
                gc.collect()

    return epoch


if __name__ == "__main__":
    measure.run(measure.write_h5ad, loader)
