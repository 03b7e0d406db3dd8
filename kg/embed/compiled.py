"""The model compiled for this processor by OpenVINO: the same vectors, several times as fast.

Converting takes some seconds and needs torch, once for a model; what comes out is kept in the
user's cache folder and loaded without torch, so that a single question is answered quickly.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.imports import without_package
from tosg.kg.embed.batching import TOKENS_ON_CPU, cut_batches, unit
from tosg.kg.embed.cache import encoder_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tosg.kg.embed.encoder import Encoder

#: Least cosine to the model's own vectors; a converted model that is further off is not used.
LEAST_COSINE = 0.99999

#: Texts of several lengths and scripts on which the two are compared.
_PROBES = (
    "p53",
    "Interleukin-2 receptor (IL2RA) is a gene.",
    "Crohn's disease: an INFLAMMATORY bowel disease; ileitis, \u03b2-glucan, na\u00efve T cells.",
    "Systemic lupus erythematosus is a disease. " * 12,
    "Functions: protein binding; kinase activity; interferon response. " * 60,
)


class CompiledEncoder:
    """A converted model on the CPU; see `Encoder` for what its methods do.

    Parameters
    ----------
    folder : Path
        Where `convert` kept it.
    cached : bool
        Whether what the processor runs is kept there too.
    """

    device = "cpu"

    def __init__(self, folder: Path, *, cached: bool = True) -> None:
        from tokenizers import Tokenizer

        openvino = _openvino()
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        self.dim = int(about["dim"])
        self.max_tokens = int(about["max_tokens"])
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_tokens)
        core = openvino.Core()
        options = {"INFERENCE_PRECISION_HINT": "f32"}  # by default bfloat16 where the CPU has it
        if cached and os.access(folder, os.W_OK):
            # By model and processor; it loads twice as fast as the model itself.
            options["CACHE_DIR"] = str(folder / "compiled")
        self._model: Any = core.compile_model(str(folder / "model.xml"), "CPU", options)

    def encode(
        self,
        texts: Sequence[str],
        batch_size: int = 256,
        *,
        query: bool = False,  # noqa: ARG002 - models that treat questions differently stay in torch
    ) -> NDArray[np.float32]:
        """Vectors of texts: (n, dim) float32 of unit length."""
        return self.encode_ids(
            [e.ids for e in self._tokenizer.encode_batch(list(texts))], batch_size
        )

    def encode_ids(
        self, tokens: Sequence[Sequence[int]], batch_size: int = 256
    ) -> NDArray[np.float32]:
        """Vectors of texts that are tokens already: (n, dim) float32 of unit length."""
        vectors = np.zeros((len(tokens), self.dim), np.float32)
        lengths = np.array([len(ids) for ids in tokens], np.int64)
        order = np.argsort(-lengths, kind="stable")
        for batch in cut_batches(order, lengths, batch_size, TOKENS_ON_CPU):
            ids = np.zeros((len(batch), lengths[batch[0]]), np.int64)
            mask = np.zeros_like(ids)
            for row, text in enumerate(batch):
                ids[row, : lengths[text]] = tokens[text]
                mask[row, : lengths[text]] = 1
            found = self._model({"input_ids": ids, "attention_mask": mask})[0]
            vectors[batch] = unit(found)
        return vectors


def load_compiled(revision: str) -> CompiledEncoder | None:
    """Load a model that was converted before, without torch; None where there is none."""
    try:
        folder = _cache_folder(revision)
        return CompiledEncoder(folder) if (folder / "about.json").is_file() else None
    except (ImportError, OSError, ValueError, KeyError, RuntimeError):
        return None  # not installed, or not readable: the model itself answers


def convert(encoder: Encoder, folder: Path, revision: str) -> CompiledEncoder | None:
    """Convert a model that is loaded on the CPU and keep it; None where that cannot be done.

    Parameters
    ----------
    encoder : Encoder
    folder : Path
        The model's own files.
    revision : str
        What names the model's weights, see `ModelInfo`.
    """
    model = encoder.model
    if any((model.prompts or {}).values()) or not (folder / "tokenizer.json").is_file():
        return None  # it treats questions differently, or has no fast tokenizer
    if not math.isfinite(model.max_seq_length or 0):
        return None  # a mean of token vectors: nothing to compile
    try:
        kept = _cache_folder(revision)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            place = Path(made) / "model"
            place.mkdir()
            _write(encoder, folder, place)
            if not kept.is_dir():
                place.rename(kept)
        return CompiledEncoder(kept)
    except (ImportError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None  # a model that OpenVINO cannot take stays in torch


def _write(encoder: Encoder, folder: Path, place: Path) -> None:
    import torch

    openvino = _openvino()

    class Sentence(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = encoder.model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            return self.inner(features)["sentence_embedding"]

    example = torch.ones((2, 8), dtype=torch.long)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing: what it warns of is compared below
        inputs = {"input_ids": example, "attention_mask": example}
        converted = _convert(Sentence(), example_input=inputs)
    openvino.save_model(converted, place / "model.xml", compress_to_fp16=False)
    shutil.copy(folder / "tokenizer.json", place / "tokenizer.json")
    about = {"dim": encoder.dim, "max_tokens": encoder.max_tokens}
    (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
    made = CompiledEncoder(place, cached=False).encode(_PROBES)
    cosines = (made * encoder.encode(_PROBES)).sum(axis=1)
    if cosines.min() < LEAST_COSINE:
        raise ValueError("the converted model returns other vectors")


def _cache_folder(revision: str) -> Path:
    return encoder_folder(f"{revision}-{_openvino().__version__}")


def _openvino() -> Any:
    with without_package("openvino.tools"):  # what converts takes as long to import as all the rest
        import openvino

    return openvino


def _convert(module: Any, **options: Any) -> Any:
    with without_package("openvino_telemetry"):  # it sends usage reports unasked
        from openvino.tools.ovc import convert_model

    return convert_model(module, **options)
