"""scvi-tools: `AnnDataLoader` over cells in memory, as its models are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import anndata
    import torch
    from scvi.data import AnnDataManager
    from scvi.data.fields import LayerField, NumericalObsField
    from scvi.dataloaders import AnnDataLoader

    torch.manual_seed(1)
    cells = anndata.read_h5ad(home / "cells.h5ad")
    manager = AnnDataManager(
        [LayerField("X", None, is_count_data=False), NumericalObsField("row", "row")]
    )
    manager.register_fields(cells)
    batches = AnnDataLoader(
        manager, shuffle=True, batch_size=batch_size, load_sparse_tensor=kind == "sparse"
    )

    def epoch() -> Iterator[tuple[Any, Any]]:
        for batch in batches:
            yield batch["X"], batch["row"].numpy().ravel().astype(int)

    return epoch


if __name__ == "__main__":
    measure.run(measure.write_h5ad, loader)
