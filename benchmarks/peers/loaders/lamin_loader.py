"""Lamin's `MappedCollection` over an h5ad file, with a plain `DataLoader`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import torch
    from lamindb.core import MappedCollection
    from torch.utils.data import DataLoader

    torch.manual_seed(1)
    cells = MappedCollection([home / "cells.h5ad"], obs_keys=["row"])
    batches = DataLoader(cells, batch_size=batch_size, shuffle=True)

    def epoch() -> Iterator[tuple[Any, Any]]:
        for batch in batches:
            yield batch["X"], batch["row"].numpy()

    return epoch


if __name__ == "__main__":
    measure.run(measure.write_h5ad, loader)
