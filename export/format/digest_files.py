"""Digests of logical content, computed from the files of a training set that stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from tosg.export.format.digest import add_elements, digest_arrays, digest_table, start_array
from tosg.export.format.manifest import naming_damage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tosg.export.format.manifest import Manifest

#: Bytes of a tensor that are in memory at once.
_BLOCK_BYTES = 1 << 26

SHARD_PARTS = ("indptr", "indices", "values")


@dataclass(frozen=True)
class DigestPart:
    """One digest of the manifest.

    Attributes
    ----------
    name : str
        Its key in ``content.digests``.
    files : tuple of str
        What it is computed from.
    compute : callable
    """

    name: str
    files: tuple[str, ...]
    compute: Callable[[], str]


def digest_parts(manifest: Manifest) -> list[DigestPart]:
    """List the digests that a training set must have, each with the way to compute it."""
    folder, graph = manifest.folder, "graph.safetensors"
    parts = [
        DigestPart("nodes", ("nodes.parquet",), partial(_table, folder / "nodes.parquet")),
        DigestPart("graph", (graph,), partial(_tensors, folder / graph)),
    ]
    if not manifest.has_cells:
        return parts
    names = [shard["name"] for shard in manifest.content["expression"]["shards"]]
    files = tuple(f"expression/{name}.{part}.npy" for name in names for part in SHARD_PARTS)
    arrays = [n for n in ("measured", "proteins") if f"{n}.npy" in manifest.content["files"]]
    return [
        *parts,
        DigestPart("cells", ("cells.parquet",), partial(_table, folder / "cells.parquet")),
        DigestPart("expression", files, partial(_shards, folder, names)),
        *(DigestPart(n, (f"{n}.npy",), partial(_array, folder, n)) for n in arrays),
    ]


def _table(path: Path) -> str:
    """Digest of a table: of its row groups, in their order."""
    with naming_damage(path), pq.ParquetFile(path) as file:
        groups = (digest_table(file.read_row_group(k)) for k in range(file.num_row_groups))
        return hashlib.sha256("".join(groups).encode()).hexdigest()


def _tensors(path: Path) -> str:
    """Digest of a safetensors file: of its tensors, by name."""
    from safetensors import safe_open

    digests = []
    with naming_damage(path), safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            tensor = file.get_slice(name)
            shape = tuple(tensor.get_shape())
            hasher = hashlib.sha256()
            head = tensor[0:0] if shape else file.get_tensor(name)
            start_array(hasher, name, head.dtype, shape)
            width = max(1, int(np.prod(shape[1:]))) * head.dtype.itemsize
            rows = max(1, _BLOCK_BYTES // width)
            for start in range(0, shape[0] if shape else 0, rows):
                add_elements(hasher, tensor[start : min(start + rows, shape[0])])
            digests.append(hasher.hexdigest())
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _shards(folder: Path, names: list[str]) -> str:
    digests = []
    for name in names:
        arrays = {}
        for part in SHARD_PARTS:
            path = folder / "expression" / f"{name}.{part}.npy"
            with naming_damage(path):
                arrays[part] = np.load(path, mmap_mode="r", allow_pickle=False)
        digests.append(digest_arrays(arrays))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _array(folder: Path, name: str) -> str:
    path = folder / f"{name}.npy"
    with naming_damage(path):
        return digest_arrays({name: np.load(path, allow_pickle=False)})
