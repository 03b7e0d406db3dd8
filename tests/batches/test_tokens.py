"""Texts of nodes and their tokens, made once per tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.training_sets import write_training_set

import tosg

WORDS = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "node", ".", "0", "1", "2", "3", "4", "5"]


def make_tokenizer(words: list[str] = WORDS, **options: Any) -> Any:
    """A real tokenizer over a few words, trained on nothing and fetched from nowhere."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    model = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]")
    backend = tokenizers.Tokenizer(model)
    backend.normalizer = tokenizers.normalizers.Lowercase()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"} | options
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **special)


@pytest.fixture
def ts(tmp_path: Path) -> tosg.TrainingSet:
    return tosg.TrainingSet(write_training_set(tmp_path / "set"))


def test_texts(ts: tosg.TrainingSet) -> None:
    assert ts.texts == [f"Node {i}." for i in range(6)]


def test_tokens_are_those_of_the_tokenizer(ts: tosg.TrainingSet) -> None:
    tokenizer = make_tokenizer()
    tokens = ts.tokens(tokenizer, max_length=5)
    assert len(tokens) == 6
    for nodes in ([0, 5, 3], [2], []):
        found = tokens.batch(nodes)
        texts = [ts.texts[i] for i in nodes]
        if not texts:
            assert found["input_ids"].shape == (0, 0)
            continue
        expected = tokenizer(
            texts, truncation=True, max_length=5, padding=True, return_tensors="pt"
        )
        for name in ("input_ids", "attention_mask"):
            assert torch.equal(found[name], expected[name]), name


def test_short_texts_are_filled_up(tmp_path: Path) -> None:
    from tosg.export.batches.tokens import make_tokens

    tokens = make_tokens(tmp_path, ["node 1 . 2", "", "node"], make_tokenizer(), 5)
    found = tokens.batch(torch.tensor([1, 0, 2]))
    assert found["input_ids"].tolist() == [[2, 3, 1, 1, 1], [2, 4, 7, 5, 3], [2, 4, 3, 1, 1]]
    assert found["attention_mask"].sum(dim=1).tolist() == [2, 5, 3]


def test_they_are_made_once_and_mapped(
    ts: tosg.TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = make_tokenizer()
    first = ts.tokens(tokenizer, 4)
    kept = sorted(p.name for p in ts.folder.with_name("set.tokens").iterdir())
    assert len(kept) == 2
    monkeypatch.setattr(type(tokenizer), "__call__", None)  # a second run needs no tokenizing
    again = tosg.TrainingSet(ts.folder).tokens(make_tokenizer(), 4)
    assert isinstance(again.ids, np.memmap)
    np.testing.assert_array_equal(again.ids, first.ids)
    ts.verify()  # what stands beside a training set is none of its files


@pytest.mark.parametrize(
    "other",
    [{"max_length": 5}, {"words": [*WORDS[:6], *WORDS[:5:-1]]}, {"truncation_side": "left"}],
)
def test_another_question_has_other_tokens(ts: tosg.TrainingSet, other: dict[str, Any]) -> None:
    ts.tokens(make_tokenizer(), 4)
    length = other.pop("max_length", 4)
    ts.tokens(make_tokenizer(**other), length)
    assert len(list(ts.folder.with_name("set.tokens").iterdir())) == 4


def test_bad_input(ts: tosg.TrainingSet, tmp_path: Path) -> None:
    with pytest.raises(tosg.ConfigError, match="no padding token"):
        ts.tokens(make_tokenizer(pad_token=None))
    with pytest.raises(tosg.ConfigError, match="max_length"):
        ts.tokens(make_tokenizer(), 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(tosg.ConfigError, match="cannot be written"):
        ts.tokens(make_tokenizer(), folder=tmp_path / "file")
    ts.tokens(make_tokenizer())
    (path,) = ts.folder.with_name("set.tokens").glob("*.ptr.npy")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(tosg.ExportError, match="cannot be read") as caught:
        ts.tokens(make_tokenizer())
    assert caught.value.where == str(path)
