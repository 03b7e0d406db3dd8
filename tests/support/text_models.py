"""Small models of texts, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def small_model(folder: Path, seed: int, width: int) -> Path:
    """A real sentence-transformers model of one layer, trained on nothing."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    words = {
        w: i for i, w in enumerate(["[UNK]", "[PAD]", "[CLS]", "[SEP]", "Node", ".", *"012345"])
    }
    backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    config = BertConfig(
        vocab_size=len(words), hidden_size=width, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, max_position_embeddings=16,
    )  # fmt: skip
    inner = folder.with_name(f"{folder.name}-inner")
    BertModel(config).save_pretrained(inner)
    make_tokenizer: Any = PreTrainedTokenizerFast
    tokenizer = make_tokenizer(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", model_max_length=16
    )
    tokenizer.save_pretrained(inner)
    model = SentenceTransformer(modules=[Transformer(str(inner)), Pooling(width)], device="cpu")
    model.save(str(folder))
    return folder
