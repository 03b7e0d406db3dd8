"""What every script of a loader measures; needs numpy alone."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds after which an epoch is left: the rate of what was read counts.
LONGEST_EPOCH = 20.0


def read_shards(folder: Path) -> tuple[Any, Any, Any, Any]:
    """CSR arrays of all cells of a training set in memory: indptr, indices, values, targets."""
    shards = json.loads((folder / "manifest.json").read_text())["content"]["expression"]["shards"]
    parts: dict[str, list[Any]] = {"indptr": [], "indices": [], "values": []}
    for shard in shards:
        for name, arrays in parts.items():
            arrays.append(np.load(folder / "expression" / f"{shard['name']}.{name}.npy"))
    ends = np.cumsum([0, *(int(p[-1]) for p in parts["indptr"])])
    indptr = np.concatenate(
        [[0], *(p[1:] + e for p, e in zip(parts["indptr"], ends, strict=False))]
    )
    targets = np.load(folder / "targets.npy")
    return indptr, np.concatenate(parts["indices"]), np.concatenate(parts["values"]), targets


def read_matrix(folder: Path) -> tuple[Any, Any]:
    """All cells of a training set as one `scipy.sparse.csr_matrix`, and their targets."""
    import scipy.sparse as sp

    indptr, indices, values, targets = read_shards(folder)
    shape = len(indptr) - 1, int(np.load(folder / "measured.npy").shape[1])
    return sp.csr_matrix((values, indices, indptr), shape=shape), targets


def write_h5ad(folder: Path, home: Path) -> Path:
    """Write all cells of a training set, with ``row`` and ``target`` of each in `obs`.

    What a peer that reads h5ad files does to prepare; others remove the file when they have it in
    their own format.
    """
    import anndata as ad
    import pandas as pd

    matrix, targets = read_matrix(folder)
    n = matrix.shape[0]
    obs = pd.DataFrame({"row": np.arange(n), "target": targets}, index=[str(i) for i in range(n)])
    file = home / "cells.h5ad"
    ad.AnnData(matrix, obs=obs).write_h5ad(file)
    return file


def forget(path: Path) -> None:
    """Drop the pages of all files below a folder from the page cache."""
    for file in path.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def mixing(epochs: list[list[Any]], targets: Any) -> dict[str, float]:
    """Entropy of the labels of a batch, and how often its pairs meet again, times chance."""
    n, per_batch = len(targets), len(epochs[0][0])
    place = np.full((2, n), -1, np.int64)
    for e, batches in enumerate(epochs):
        for i, rows in enumerate(batches):
            place[e, rows] = i
    shares = [np.bincount(targets[rows]) / len(rows) for rows in epochs[0]]
    entropy = float(np.mean([-(p[p > 0] * np.log2(p[p > 0])).sum() for p in shares]))
    both = place[:, (place >= 0).all(axis=0)]
    _, together = np.unique(both[0] * (both[1].max() + 1) + both[1], return_counts=True)
    _, first = np.unique(both[0], return_counts=True)
    pairs, again = (float((c * (c - 1) / 2).sum()) for c in (first, together))
    # An epoch that was left early has fewer cells to meet.
    chance = (per_batch - 1) / (n - 1)
    return {"entropy": round(entropy, 4), "meets_again": round(again / (pairs * chance), 3)}


def run(
    prepare: Callable[[Path, Path], object],
    loader: Callable[[Path, Path, str, int], Callable[[], Iterator[tuple[Any, Any]]]],
) -> None:
    """Be the script: prepare the files, or measure.

    Parameters
    ----------
    prepare : callable
        Of the training set and the peer's own folder.
    loader : callable
        Of these, the kind (``sparse`` or ``dense``) and cells a batch, to what begins an epoch: an
        iterator of (matrix, rows of ``cells.parquet``).
    """
    what, folder, home, *rest = sys.argv[1:]
    if what == "prepare":
        prepare(Path(folder), Path(home))
        return
    kind, batch_size, cold = rest[0], int(rest[1]), rest[2:] == ["cold"]
    if cold:
        forget(Path(folder))
        forget(Path(home))
    started = time.perf_counter()
    epoch = loader(Path(folder), Path(home), kind, batch_size)
    rates, epochs, total = [], [], 0.0
    for e in range(1 if cold else 3):
        batches, n = [], 0
        begun = time.perf_counter()
        for matrix, rows in epoch():
            if e == 0 and not batches:
                first = time.perf_counter() - started
                total = float(matrix.sum())
            n += matrix.shape[0]
            batches.append(np.asarray(rows))
            if time.perf_counter() - begun > LONGEST_EPOCH:
                break
        rates.append(n / (time.perf_counter() - begun))
        epochs.append(batches)
    targets = np.load(Path(folder) / "targets.npy")
    result: dict[str, Any] = {
        "first": rates[0],
        "later": rates[-1],
        "to_first_batch_s": first,
        "rows_of_first_batch": epochs[0][0].tolist(),
        "sum_of_first_batch": total,
    }
    if not cold:
        result |= mixing(epochs[1:], targets)
    print(json.dumps(result))
