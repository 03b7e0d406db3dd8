"""annbatch, from a zarr collection that it made, with rows read in chunks as it recommends.

Preparing 200,000 cells takes some 10 GB of memory: the cells are in it twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Rows that are read together, and how many such chunks are mixed.
CHUNK_ROWS, CHUNKS = 32, 512


def prepare(folder: Path, home: Path) -> None:
    from annbatch import DatasetCollection

    file = measure.write_h5ad(folder, home)
    collection = DatasetCollection(home / "collection.zarr")
    collection.add_adatas([file], rng=np.random.default_rng(0))
    file.unlink()


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import zarr
    from annbatch import DatasetCollection, Loader

    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
    batches = Loader(
        batch_size=batch_size,
        chunk_size=CHUNK_ROWS,
        preload_nchunks=CHUNKS,
        shuffle=True,
        rng=np.random.default_rng(1),
    ).use_collection(DatasetCollection(home / "collection.zarr"))

    def epoch() -> Iterator[tuple[Any, Any]]:
        for batch in batches:
            matrix = batch["X"]
            yield (matrix.toarray() if kind == "dense" else matrix), batch["obs"]["row"].to_numpy()

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
