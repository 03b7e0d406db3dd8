"""The one place that imports sentence-transformers: texts in, unit vectors out."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ConfigError
from tosg.kg.embed.batching import TOKENS_ON_CPU, TOKENS_ON_GPU, cut_batches, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class Encoder:
    """A sentence-transformers model on one device.

    Parameters
    ----------
    folder : Path
        Its files.
    device : str, optional
        As torch names it; by default a GPU where there is one, which computes at half precision.

    Raises
    ------
    ConfigError
        The extra ``embed`` is not installed, there is no such device, or the files are no model.
    """

    def __init__(self, folder: Path, device: str | None = None) -> None:
        with _offline():
            try:
                import torch
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging as quiet
            except ImportError as error:
                raise ConfigError(
                    "embedding needs packages that are not installed",
                    found=error,
                    hint="pip install 'tosg[embed]'",
                ) from error
            self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
            quiet.disable_progress_bar()
            try:
                model = SentenceTransformer(
                    str(folder), device=self.device, local_files_only=True
                ).eval()
            except (OSError, ValueError, RuntimeError, AssertionError, KeyError) as error:
                raise ConfigError(
                    "the embedding model cannot be loaded",
                    where=folder,
                    found=f"{type(error).__name__}: {error}",
                    expected=f"a sentence-transformers model, and the device {self.device}",
                ) from error
            finally:
                quiet.enable_progress_bar()
        on_gpu = not self.device.startswith("cpu")
        self.model: Any = model.half() if on_gpu else model
        self._tokens = TOKENS_ON_GPU if on_gpu else TOKENS_ON_CPU
        self.dim = int(_call(model, "get_embedding_dimension", "get_sentence_embedding_dimension"))
        limit = model.max_seq_length
        # A static model reads texts of any length.
        self.max_tokens = int(limit) if limit and math.isfinite(limit) else 512

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text as the model reads it, cut at its limit."""
        if not texts:
            return np.zeros(0, np.int64)
        tokenizer = self.model.tokenizer
        if not callable(tokenizer):  # that of a static model
            return np.array([len(e.ids) for e in tokenizer.encode_batch(list(texts))], np.int64)
        found = tokenizer(
            list(texts), truncation=True, max_length=self.max_tokens, return_attention_mask=False
        )["input_ids"]
        return np.array([len(ids) for ids in found], np.int64)

    def encode_ids(
        self, tokens: Sequence[Sequence[int]], batch_size: int = 256
    ) -> NDArray[np.float32]:
        """Vectors of texts that are tokens already, as many in each: (n, dim) of unit length."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(tokens), batch_size):
                ids = torch.tensor(tokens[start : start + batch_size], device=self.device)
                features = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
                parts.append(self.model(features)["sentence_embedding"].float().cpu().numpy())
        return unit(np.concatenate(parts))

    def encode(
        self, texts: Sequence[str], batch_size: int = 256, *, query: bool = False
    ) -> NDArray[np.float32]:
        """Vectors of texts.

        Parameters
        ----------
        texts : sequence of str
        batch_size : int
            Most texts in one batch. Batches hold texts of like length.
        query : bool
            Whether they are questions, for models that treat these differently.

        Returns
        -------
        (n, dim) float32
            Of unit length.

        Raises
        ------
        DataError
            The model gives values that are no numbers.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        lengths = self.lengths(texts)
        order = np.argsort(-lengths, kind="stable")
        method = "encode_query" if query else "encode_document"
        for batch in cut_batches(order, lengths, batch_size, self._tokens):
            found = _call(
                self.model,
                method,
                "encode",
                [texts[i] for i in batch],
                batch_size=len(batch),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
            vectors[batch] = unit(np.asarray(found))
        return vectors


def has_gpu() -> bool:
    """Whether torch is installed and finds a GPU."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _call(model: Any, method: str, older: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method by its present name, or by that of older sentence-transformers."""
    return getattr(model, method if hasattr(model, method) else older)(*args, **kwargs)


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the libraries from asking a hub: the files are all here, and asking may take minutes."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
