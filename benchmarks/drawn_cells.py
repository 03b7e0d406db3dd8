"""A file of cells of any size: counts of genes in an h5ad, drawn and written block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import h5py

_CELL_TYPES, _DONORS = 20, 16
_ROWS = 10_000


def write_cells(path: Path, cells: int, genes: Sequence[str], values: int, seed: int) -> None:
    """Write cells with `values` counts each, in memory for one block of them.

    Parameters
    ----------
    path : Path
        The h5ad.
    cells : int
        How many.
    genes : sequence of str
        Names of the variables; at least `values`.
    values : int
        Genes that each cell expresses.
    seed : int
        Of the drawing.
    """
    import anndata
    import h5py
    import pandas as pd

    rows = np.arange(cells)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical.from_codes(
                rows % _CELL_TYPES, [f"type {i}" for i in range(_CELL_TYPES)]
            ),
            "donor_id": pd.Categorical.from_codes(
                rows // _CELL_TYPES % _DONORS, [f"donor {i}" for i in range(_DONORS)]
            ),
        },
        index=[f"cell{i}" for i in rows],
    )
    anndata.AnnData(None, obs, pd.DataFrame(index=list(genes))).write_h5ad(path)
    with h5py.File(path, "a") as file:
        if "X" in file:
            del file["X"]
        _write_matrix(file.create_group("X"), cells, len(genes), values, seed)


def _write_matrix(group: h5py.Group, cells: int, genes: int, values: int, seed: int) -> None:
    group.attrs["encoding-type"] = "csr_matrix"
    group.attrs["encoding-version"] = "0.1.0"
    group.attrs["shape"] = np.array([cells, genes])
    group["indptr"] = np.arange(0, cells * values + 1, values, dtype=np.int64)
    data = group.create_dataset("data", (cells * values,), np.float32)
    indices = group.create_dataset("indices", (cells * values,), np.int32)
    rng = np.random.default_rng(seed)
    # One gene of each of so many runs: ascending, and none twice.
    starts = np.arange(values + 1) * genes // values
    lengths = np.diff(starts)
    for start in range(0, cells, _ROWS):
        shape = (min(_ROWS, cells - start), values)
        places = np.minimum((rng.random(shape, np.float32) * lengths).astype(np.int32), lengths - 1)
        part = slice(start * values, (start + shape[0]) * values)
        indices[part] = (starts[:-1] + places).astype(np.int32).ravel()
        data[part] = rng.integers(1, 50, shape[0] * values, np.int16).astype(np.float32)
