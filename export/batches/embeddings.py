"""Vectors of the nodes' texts by further models, made once and kept beside the training set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tosg.errors import ConfigError, ExportError
from tosg.export.format.manifest import naming_damage
from tosg.files import write_text, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.kg.embed.models import Model

#: Texts that are encoded before they are written.
_TEXTS_AT_ONCE = 4096


@dataclass(frozen=True)
class NodeVectors:
    """Vectors of all nodes by one model, memory-mapped.

    Attributes
    ----------
    model, revision : str
    vectors : (N, D) float32
        Of unit length; zeros for nodes without text.
    """

    model: str
    revision: str
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, nodes: NDArray[np.int64] | Tensor | Sequence[int]) -> Tensor:
        """Vectors of some nodes, (n, D) float32, read from the file."""
        return torch.from_numpy(np.array(self.vectors[np.asarray(nodes, np.int64)]))


def list_embeddings(folder: Path, texts: Sequence[str]) -> list[NodeVectors]:
    """Vectors of these texts that are kept in a folder, by the name of the model."""
    digest = _hash_all(texts)
    found = []
    for about in sorted(folder.glob("*.json")):
        with naming_damage(about):
            entry = json.loads(about.read_bytes())
        if entry["texts"] == digest:
            found.append(_open(about, entry, len(texts)))
    return sorted(found, key=lambda one: (one.model, one.revision))


def make_embeddings(
    folder: Path, texts: Sequence[str], model: str | Model, device: str | None, batch_size: int
) -> NodeVectors:
    """Read the vectors of a model that are kept in a folder, or make and keep them.

    Raises
    ------
    ConfigError
        The model is not found, or the folder cannot be written.
    ExportError
        A file that was kept is damaged.
    """
    from tosg.kg.embed.models import Model, locate

    chosen = model if isinstance(model, Model) else locate(model)
    info = chosen.info if isinstance(chosen, Model) else chosen
    name, revision = info.name, info.revision
    digest = _hash_all(texts)
    key = hashlib.sha256(f"{name}\0{revision}\0{digest}".encode()).hexdigest()[:32]
    about, path = folder / f"{key}.json", folder / f"{key}.npy"
    entry = {"model": name, "revision": revision, "texts": digest}
    if not (about.is_file() and path.is_file()):
        loaded = chosen if isinstance(chosen, Model) else chosen.load(device)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with writing(path) as temporary:
                shape = (len(texts), loaded.info.dim)
                _write(temporary, _encode(loaded, texts, batch_size), shape)
            write_text(about, json.dumps(entry))
        except OSError as error:
            raise ConfigError(
                "the vectors cannot be written",
                where=folder,
                found=error.strerror or error,
                hint="name another folder with folder=...",
            ) from error
    return _open(about, entry, len(texts))


def _open(about: Path, entry: dict[str, Any], n: int) -> NodeVectors:
    path = about.with_suffix(".npy")
    with naming_damage(path):
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    if vectors.ndim != 2 or len(vectors) != n or vectors.dtype != np.float32:
        raise ExportError(
            "the kept vectors do not fit the texts",
            where=path,
            found=f"{vectors.dtype} of shape {vectors.shape}",
            expected=f"float32, {n:,} rows",
            hint="remove the file",
        )
    return NodeVectors(entry["model"], entry["revision"], vectors)


def _encode(
    model: Model, texts: Sequence[str], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield rows and their vectors; each text once, nodes without one never."""
    place: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        if text:
            place.setdefault(text, []).append(row)
    distinct = list(place)
    for start in range(0, len(distinct), _TEXTS_AT_ONCE):
        part = distinct[start : start + _TEXTS_AT_ONCE]
        found = model.encoder.encode(part, batch_size)
        for text, vector in zip(part, found, strict=True):
            rows = np.array(place[text], np.int64)
            yield rows, np.broadcast_to(vector, (len(rows), len(vector)))


def _write(
    path: Path,
    parts: Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]],
    shape: tuple[int, int],
) -> None:
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for rows, vectors in parts:
        out[rows] = vectors
    out.flush()


def _hash_all(texts: Sequence[str]) -> str:
    hasher = hashlib.sha256()
    for text in texts:
        encoded = text.encode()
        hasher.update(len(encoded).to_bytes(8, "little") + encoded)
    return hasher.hexdigest()
