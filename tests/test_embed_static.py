"""The model ``static``: token vectors of a model, read by us and by sentence-transformers alike."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.questions import composed_terms, questions
from support.text_models import small_model
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from tosg.errors import ConfigError
from tosg.kg.embed import static
from tosg.kg.embed.models import DEFAULT_MODEL, load_model, locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.kg.embed.encoder import Encoder

pytestmark = pytest.mark.extras

TEXTS = ["Node 1 .", "5 4 3 Node", "unheard of", "", "Node " * 40]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Encoder]:
    """A model of twelve tokens, and its files."""
    from tosg.kg.embed.encoder import Encoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries
        folder = small_model(tmp_path_factory.mktemp("model") / "small", 0, 8)
        return folder, Encoder(folder, "cpu")


@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_a_static_model_is_made_and_read(
    small: tuple[Path, Encoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder, whole = small
    assert static.load_static("r1") is None
    made = static.distil(whole, folder, "r1")
    kept = static.load_static("r1")
    assert kept is not None
    vectors = kept.encode(TEXTS)
    assert vectors.shape == (5, 8)
    np.testing.assert_array_equal(vectors, made.encode(TEXTS))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    # By hand: what the model gives for one token, without what all have in common, weighted.
    tokens = np.array([[2, i, 3] for i in range(12)])
    table = whole.encode_ids(tokens.tolist())
    # The first four are no words; the fifth is the most frequent of eight.
    harmonic = sum(1 / n for n in range(2, 10))
    shares = np.array([1 / 2] * 4 + [1 / n for n in range(2, 10)]) / harmonic
    table = (table - table.mean(axis=0)) * (1e-4 / (1e-4 + shares))[:, None]
    mean = table[[4, 7, 5]].mean(axis=0)  # Node, 1, full stop
    np.testing.assert_allclose(vectors[0], mean / np.linalg.norm(mean), atol=1e-5)
    # The same folder is a model of sentence-transformers, which has no limit of length.
    (place,) = (tmp_path / "tosg" / "encoders").glob("r1-static*")
    theirs = locate(str(place)).load("cpu")
    known = [TEXTS[0], TEXTS[1], TEXTS[4]]
    np.testing.assert_allclose(theirs.encode(known), kept.encode(known), atol=1e-5)


def test_a_vocabulary_of_another_kind_is_refused(
    small: tuple[Path, Encoder], tmp_path: Path
) -> None:
    Tokenizer(WordLevel({"<s>": 0, "a": 1}, unk_token="<s>")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ConfigError, match=r"(?s)no static model .*no token \[CLS\]"):
        static.distil(small[1], tmp_path, "r2")


def test_it_is_named_by_the_weights_that_it_is_made_of() -> None:
    found = locate("static")
    assert (found.name, found.revision) == (
        "static",
        f"{locate(DEFAULT_MODEL).revision}-static-1",
    )
    with pytest.raises(ConfigError, match="the static model runs on the CPU"):
        found.load("cuda")


@pytest.mark.slow
def test_it_finds_most_of_what_the_model_finds(shared_data: Path) -> None:
    """Of the 64 questions of the test of search, by vectors alone, among the same terms."""
    names, texts = composed_terms(shared_data)
    asked = [text for _, text, _ in questions()]
    right = [{i for i, name in enumerate(names) if name in of} for _, _, of in questions()]
    firsts = {}
    for name in (DEFAULT_MODEL, "static"):
        model = load_model(name, "cpu")
        firsts[name] = _nearest(model.encode(texts), model.encode(asked))
    full, quick = firsts.values()
    assert _recall(full, right) > 0.85
    assert _recall(quick, right) > 0.8
    # Once it is made, it needs no torch.
    code = (
        "import sys; from tosg.kg.embed.models import locate; "
        "locate('static').load_for_questions().encode_query('IL2RA'); "
        "assert not {'torch', 'sentence_transformers', 'openvino'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def _nearest(vectors: NDArray[np.float32], asked: NDArray[np.float32]) -> NDArray[np.int64]:
    """Positions of the ten nearest vectors of each question."""
    return np.argsort(-(asked @ vectors.T), axis=1, kind="stable")[:, :10]


def _recall(nearest: NDArray[np.int64], right: list[set[int]]) -> float:
    """Share of the questions with a right answer among the ten nearest."""
    return float(np.mean([bool({*of} & {*n}) for of, n in zip(right, nearest, strict=True)]))
