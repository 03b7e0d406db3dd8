"""Tokens of the nodes' texts, made once per tokenizer and kept beside the training set."""

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
from tosg.files import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: Texts that the tokenizer gets at once.
_TEXTS_AT_ONCE = 8192


@dataclass(frozen=True)
class Tokens:
    """Tokens of all nodes, memory-mapped.

    Attributes
    ----------
    ids : (total,) int32
        Tokens of node ``i`` are ``ids[ptr[i]:ptr[i + 1]]``, special tokens included.
    ptr : (N + 1,) int64
    pad : int
        Token that fills short rows.
    """

    ids: NDArray[np.int32]
    ptr: NDArray[np.int64]
    pad: int

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def batch(self, nodes: NDArray[np.int64] | Tensor | Sequence[int]) -> dict[str, Tensor]:
        """Tokens of some nodes, as a `transformers` model takes them.

        Parameters
        ----------
        nodes : (n,) integers
            Rows of ``nodes.parquet``.

        Returns
        -------
        dict
            ``input_ids`` (n, L) int64, filled up with `pad`, and ``attention_mask`` (n, L) int64; L
            is the length of the longest of these texts.
        """
        rows = np.asarray(nodes, np.int64)
        start, length = self.ptr[rows], np.diff(self.ptr)[rows]
        place = np.arange(length.max(initial=0))
        inside = place < length[:, None]
        ids = np.full(inside.shape, self.pad, np.int64)
        ids[inside] = self.ids[(start[:, None] + place)[inside]]
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(inside.astype(np.int64)),
        }


def make_tokens(folder: Path, texts: Sequence[str], tokenizer: Any, max_length: int) -> Tokens:
    """Read the tokens that are kept in a folder, or make and keep them.

    Parameters
    ----------
    folder : Path
        Where tokens of any tokenizer are kept.
    texts : sequence of str
        One per node.
    tokenizer : transformers.PreTrainedTokenizerBase
    max_length : int
        Tokens of a text, special ones included; longer texts are cut.

    Raises
    ------
    ConfigError
        The tokenizer has no token to fill up with, or the folder cannot be written.
    ExportError
        A file that was kept is damaged.
    """
    if max_length < 1:
        raise ConfigError("max_length must be 1 or more", where="tokens", found=max_length)
    pad = tokenizer.pad_token_id
    if pad is None:
        raise ConfigError(
            "the tokenizer has no padding token",
            where="tokens",
            found="pad_token is None",
            hint="set tokenizer.pad_token, as to tokenizer.eos_token",
        )
    key = hash_texts(texts, tokenizer, max_length)
    paths = {name: folder / f"{key}.{name}.npy" for name in ("ids", "ptr")}
    if not all(path.is_file() for path in paths.values()):
        _write(paths, texts, tokenizer, max_length)
    arrays = {}
    for name, path in paths.items():
        with naming_damage(path):
            arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(arrays["ptr"]) != len(texts) + 1 or arrays["ptr"][-1] != len(arrays["ids"]):
        raise ExportError(
            "the cached tokens do not fit the texts", where=paths["ptr"], hint="remove the file"
        )
    return Tokens(arrays["ids"], arrays["ptr"], int(pad))


def hash_texts(texts: Sequence[str], tokenizer: Any, max_length: int) -> str:
    """Hash of the tokenizer, the texts and the length: 32 hexadecimal digits."""
    hasher = hashlib.sha256(f"{_describe(tokenizer)}\0{max_length}\0".encode())
    for text in texts:
        encoded = text.encode()
        hasher.update(len(encoded).to_bytes(8, "little") + encoded)
    return hasher.hexdigest()[:32]


def _describe(tokenizer: Any) -> str:
    """All that decides a tokenizer's result, as JSON."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        document: dict[str, Any] = {"vocabulary": tokenizer.get_vocab()}
    else:
        document = json.loads(backend.to_str())
        # Left there by the last call, and given again by ours.
        document.pop("truncation", None)
        document.pop("padding", None)
    document["class"] = type(tokenizer).__name__
    document["special"] = {k: str(v) for k, v in tokenizer.special_tokens_map.items()}
    document["sides"] = [
        getattr(tokenizer, name, None) for name in ("truncation_side", "padding_side")
    ]
    return json.dumps(document, sort_keys=True)


def _write(paths: dict[str, Path], texts: Sequence[str], tokenizer: Any, max_length: int) -> None:
    parts: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        given = list(texts[start : start + _TEXTS_AT_ONCE])
        found = tokenizer(given, truncation=True, max_length=max_length)["input_ids"]
        lengths += map(len, found)
        parts += [np.fromiter((t for row in found for t in row), np.int32)]
    arrays = {
        "ids": np.concatenate([np.empty(0, np.int32), *parts]),
        "ptr": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    }
    folder = paths["ids"].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            with writing(path) as temporary, temporary.open("wb") as stream:
                np.save(stream, arrays[name])
    except OSError as error:
        raise ConfigError(
            "the tokens cannot be written",
            where=folder,
            found=error.strerror or error,
            hint="name another folder with folder=...",
        ) from error
