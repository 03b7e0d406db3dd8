"""Cellarr: its `DataModule` over TileDB, which draws the cells of a batch from one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Samples that the cells are cut into: an epoch has a batch of each.
SAMPLES = 200


def prepare(folder: Path, home: Path) -> None:
    import anndata as ad
    import pandas as pd
    from cellarr import MatrixOptions, build_cellarrdataset

    matrix, _ = measure.read_matrix(folder)
    n, n_nodes = matrix.shape
    genes = [f"gene{i}" for i in range(n_nodes)]
    parts = np.array_split(np.arange(n), SAMPLES)
    files = []
    for i, rows in enumerate(parts):
        part = ad.AnnData(matrix[rows], var=pd.DataFrame({"gene": genes}, index=genes))
        part.layers["counts"] = part.X
        files.append(home / f"sample{i}.h5ad")
        part.write_h5ad(files[-1])
    of_cells = np.repeat([f"sample_{i + 1}" for i in range(SAMPLES)], [len(p) for p in parts])
    (home / "cellarr").mkdir()
    build_cellarrdataset(
        files=[str(file) for file in files],
        output_path=str(home / "cellarr"),
        gene_annotation=genes,
        cell_metadata=pd.DataFrame(
            {"cellarr_sample": of_cells, "study": "all", "row": np.arange(n).astype(str)}
        ),
        matrix_options=MatrixOptions(matrix_name="counts", dtype=np.float32),
    )
    for file in files:
        file.unlink()


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import torch
    from cellarr.ml.dataloader import DataModule

    torch.manual_seed(1)
    module = DataModule(
        str(home / "cellarr"),
        matrix_uri="assays/counts",
        label_column_name="row",
        batch_size=1,
        sample_size=batch_size,
        num_workers=0,
        lognorm=False,
        sparse=kind == "sparse",
        multiprocessing_context=None,
    )

    def epoch() -> Iterator[tuple[Any, Any]]:
        for matrix, labels, _, _ in module.train_dataloader():
            rows = [int(module.int2label[label]) for label in labels.long().tolist()]
            yield matrix, np.array(rows)

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
