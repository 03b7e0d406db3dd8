"""Whether compressed shards are read faster from a cold disk: blocks of rows, as they are read.

Cells of a real file, drawn with replacement, lie in blocks of 32 rows, as the loader reads them:
column numbers (int32) and values (float32, log1p of 10,000) one after the other, raw or compressed.
Each block is read once, in a random order, by one thread, with the file dropped from the page cache
("cold") or in it ("warm"). A comparison's "ours" is raw, its "peer" the codec named; the detail has
the size on disk.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import Comparison, note
from tosg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numcodecs.abc import Codec
    from numpy.typing import NDArray

    from benchmarks import Options

FILE = "official/expression/combat-covid/combat-6donors-counts.h5ad"
CELLS, BLOCK_ROWS = 200_000, 32
CODECS = ("lz4", "zstd")


def run(options: Options) -> list[Comparison]:
    """Compare reading raw blocks with reading compressed ones."""
    from numcodecs.blosc import Blosc

    if options.data is None:
        raise DataError("this benchmark needs the shared data", expected="--data DIR")
    cells = 2_000 if options.small else CELLS
    blocks = _blocks(options.data / FILE, cells, options.seed)
    runs = max(options.repeat, 3)
    sides: dict[str, Codec | None] = {"raw": None}
    sides |= {name: Blosc(name, clevel=1, shuffle=Blosc.SHUFFLE) for name in CODECS}
    paths, places = {}, {}
    for name, codec in sides.items():
        paths[name] = options.home / f"compressed-{name}.bin"
        places[name] = _write(paths[name], blocks, codec)
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(runs):  # turn by turn: the machine's speed changes while it runs
        for state in ("cold", "warm"):
            for name, codec in sides.items():
                seconds = _read(paths[name], places[name], codec, options.seed, state == "cold")
                rates.setdefault((name, state), []).append(cells / seconds)
                note(f"{name} {state}: {cells / seconds:,.0f} cells/s")
    size = {name: path.stat().st_size for name, path in paths.items()}
    for path in paths.values():
        path.unlink()
    return [
        Comparison(
            f"{name} {state}",
            statistics.median(rates["raw", state]),
            statistics.median(rates[name, state]),
            "cells/s",
            {"of the raw size": round(size[name] / size["raw"], 3), "megabytes": size[name] / 1e6},
        )
        for name in CODECS
        for state in ("cold", "warm")
    ]


def _blocks(path: Path, cells: int, seed: int) -> list[NDArray[np.uint8]]:
    """Bytes of each block of rows."""
    import anndata
    import scipy.sparse as sp

    counts = sp.csr_matrix(anndata.read_h5ad(path).X)
    counts.sort_indices()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    values = np.log1p(counts.data / np.repeat(totals, np.diff(counts.indptr)) * 1e4)
    whole = sp.csr_matrix((values.astype("<f4"), counts.indices.astype("<i4"), counts.indptr))
    rows = np.random.default_rng(seed).integers(
        0, whole.shape[0], (cells // BLOCK_ROWS, BLOCK_ROWS)
    )
    found = []
    for some in rows:
        part = whole[some]
        columns = part.indices.astype("<i4").view(np.uint8)
        found.append(np.concatenate([columns, part.data.astype("<f4").view(np.uint8)]))
    return found


def _write(
    path: Path, blocks: list[NDArray[np.uint8]], codec: Codec | None
) -> list[tuple[int, int]]:
    """Write the blocks; returns the place and length of each."""
    places, at = [], 0
    with path.open("wb") as file:
        for block in blocks:
            data = block.tobytes() if codec is None else codec.encode(block.view("<u4"))
            file.write(data)
            places.append((at, len(data)))
            at += len(data)
        file.flush()
        os.fsync(file.fileno())
    return places


def _read(
    path: Path, places: list[tuple[int, int]], codec: Codec | None, seed: int, cold: bool
) -> float:
    order = np.random.default_rng(seed + 1).permutation(len(places))
    file = os.open(path, os.O_RDONLY)
    try:
        if cold:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        for at in range(0, len(order), 64):  # a long queue of reads, as the loader asks for them
            some = [places[i] for i in order[at : at + 64]]
            for place, length in some:
                os.posix_fadvise(file, place, length, os.POSIX_FADV_WILLNEED)
            for place, length in some:
                data = os.pread(file, length, place)
                if codec is not None:
                    codec.decode(data)
        return time.perf_counter() - start
    finally:
        os.close(file)
