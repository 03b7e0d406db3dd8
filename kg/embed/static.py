"""The model ``static``: one vector for each token, made from the default model's weights.

A text's vector is the mean of its tokens' vectors, so texts are embedded some hundred times as fast
as by the model itself, and less well: order and context of words are lost. Making it takes the
model one pass over its vocabulary, once; it is kept in the user's cache folder, in the format of
model2vec, which sentence-transformers reads too.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ConfigError
from tosg.kg.embed.batching import unit
from tosg.kg.embed.cache import encoder_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tosg.kg.embed.compiled import CompiledEncoder
    from tosg.kg.embed.encoder import Encoder

#: Name that ``--model`` takes.
STATIC = "static"

#: Number of the recipe: another one makes other vectors.
RECIPE = "static-1"

#: Weight of a token of probability p is a / (a + p) (Arora et al., "A simple but tough-to-beat
#: baseline for sentence embeddings", ICLR 2017); probabilities by Zipf's law from the rank, since
#: a vocabulary of word pieces is ordered by frequency.
_SIF = 1e-4

_WEIGHTS, _TOKENIZER = "model.safetensors", "tokenizer.json"


def static_revision(revision: str) -> str:
    """Name the vectors that are made of a model's weights."""
    return f"{revision}-{RECIPE}"


class StaticEncoder:
    """Means of token vectors on the CPU; see `Encoder` for what its methods do.

    Parameters
    ----------
    folder : Path
        Where `distil` kept them.
    """

    device = "cpu"

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(folder / _TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._table: NDArray[np.float32] = load_file(folder / _WEIGHTS)["embeddings"]
        self._unknown = [_id(self._tokenizer, "[UNK]")]
        self.dim = int(self._table.shape[1])

    def encode(
        self,
        texts: Sequence[str],
        batch_size: int = 256,  # noqa: ARG002 - nothing is padded
        *,
        query: bool = False,  # noqa: ARG002 - questions are texts as others
    ) -> NDArray[np.float32]:
        """Vectors of texts: (n, dim) float32 of unit length."""
        means = np.empty((len(texts), self.dim), np.float32)
        tokens = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for row, text in enumerate(tokens):
            self._table[text.ids or self._unknown].mean(axis=0, out=means[row])
        return unit(means)


def load_static(revision: str) -> StaticEncoder | None:
    """Load what was made before of the weights of a revision; None where there is nothing."""
    folder = encoder_folder(static_revision(revision))
    return StaticEncoder(folder) if (folder / _WEIGHTS).is_file() else None


def distil(encoder: Encoder | CompiledEncoder, folder: Path, revision: str) -> StaticEncoder:
    """Make the vectors of all tokens and keep them.

    Parameters
    ----------
    encoder : Encoder or CompiledEncoder
        The model itself.
    folder : Path
        Its files.
    revision : str
        What names its weights.
    """
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    first, last = (_id(tokenizer, name) for name in ("[CLS]", "[SEP]"))
    table = encoder.encode_ids([[first, i, last] for i in range(tokenizer.get_vocab_size())])
    table -= table.mean(axis=0)  # what all tokens share says nothing
    table *= weights(_is_word(tokenizer))[:, None]
    kept = encoder_folder(static_revision(revision))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as made:
        place = Path(made) / "model"
        place.mkdir()
        save_file({"embeddings": table}, place / _WEIGHTS)
        shutil.copy(folder / _TOKENIZER, place / _TOKENIZER)
        (place / "config.json").write_text(json.dumps({"normalize": True}), encoding="utf-8")
        (place / "modules.json").write_text(json.dumps(_MODULES), encoding="utf-8")
        if not kept.is_dir():
            place.rename(kept)
    return StaticEncoder(kept)


def _id(tokenizer: Any, name: str) -> int:
    found: int | None = tokenizer.token_to_id(name)
    if found is None:
        raise ConfigError(
            "no static model can be made of this model",
            where=_TOKENIZER,
            found=f"no token {name}",
            expected="a vocabulary of BERT's kind",
        )
    return found


def _is_word(tokenizer: Any) -> NDArray[np.bool_]:
    """Whether each token is a piece of text: not ``[CLS]``, nor ``[unused7]``."""
    names = (tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size()))
    return np.array([len(n) < 3 or not (n[0] == "[" and n[-1] == "]") for n in names])


def weights(is_word: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights of tokens ordered by frequency, the most frequent first; (n,) float32.

    What is no word weighs as little as the most frequent one.
    """
    probability = 1 / np.arange(2, is_word.sum() + 2)
    probability /= probability.sum()
    of_words = _SIF / (_SIF + probability)
    found = np.full(len(is_word), of_words[0], np.float32)
    found[is_word] = of_words
    return found


_MODULES = [
    {
        "idx": i,
        "name": str(i),
        "path": path,
        "type": f"sentence_transformers.models.{name}",
    }
    for i, (path, name) in enumerate([(".", "StaticEmbedding"), ("1_Normalize", "Normalize")])
]
