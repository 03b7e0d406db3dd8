"""The parts of search that need no database: fusing ranks, Lucene's syntax, snippets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tosg.kg.search.lucene import MOST_WORDS, escape, lucene_query, words
from tosg.kg.search.ranking import fuse
from tosg.kg.search.snippets import snippet
from tosg.kg.search.spelling import content_words, coverage, fold_spelling, key


def test_fusing_by_hand() -> None:
    found = fuse([["a", "b", "c"], ["c", "a", "d"]])
    assert [id_ for id_, _ in found] == ["a", "c", "b", "d"]
    scores = dict(found)
    assert scores["a"] == pytest.approx(1 / 61 + 1 / 62)
    assert scores["c"] == pytest.approx(1 / 63 + 1 / 61)
    assert scores["b"] == pytest.approx(1 / 62)
    assert scores["d"] == pytest.approx(1 / 63)


def test_weights_by_hand() -> None:
    found = dict(fuse([["a", "b"], ["b", "c"]], [{}, {"b": 0.25, "c": 0.0}]))
    assert found == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 0.25 / 61, "c": 0.0})


def test_names_are_compared_without_case_accents_and_punctuation() -> None:
    same = [
        ("L\u00f6fgren  Syndrome", "lofgren syndrome"),
        ("Alzheimer's disease", "alzheimer disease"),
        ("IFN-\u03b3", "ifn gamma"),
        ("\u03bb/\u00d8rsted\u2019s", "lambda orsted"),
        ("HLA.DRA", "hla dra"),
        ("++", ""),
    ]
    for text, plain in same:
        assert key(text) == plain
    assert fold_spelling("IL-2") == fold_spelling("il2") == "il2"
    assert fold_spelling("B cells") == fold_spelling("B-cell")
    assert fold_spelling("abscess") == "abscess"
    assert content_words("The eyes of a cat") == ["eyes", "cat"]
    assert content_words("To be") == ["to", "be"]
    assert coverage(["bleeding", "cats", "dog"], "A cat's nose bleeds.") == pytest.approx(1 / 3)


def test_ties_go_by_id() -> None:
    assert [id_ for id_, _ in fuse([["b"], ["a"]])] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("STAT5", r"STAT5"),
        ("IL-2/STAT5", r"IL\-2\/STAT5"),
        ("a AND b", "a and b"),
        ('"quoted', r"\"quoted"),
    ],
)
def test_escaping(text: str, query: str) -> None:
    assert " ".join(escape(word) for word in words(text)) == query


def test_no_words_no_query() -> None:
    assert lucene_query("") == lucene_query("--- / && \x00") == ""


@given(st.text(max_size=400))
def test_every_sign_is_escaped(text: str) -> None:
    found = words(text)
    assert len(found) <= MOST_WORDS
    for word in found:
        plain = escape(word)
        at = 0
        while at < len(plain):
            if plain[at] == "\\":
                at += 2
                continue
            assert plain[at] not in '+-&|!(){}[]^"~*?:/<>=@#'
            at += 1


def test_snippet_shows_the_words() -> None:
    text = "one two " * 60 + "here lupus stands " + "three four " * 60
    found = snippet(text, "Lupus")
    assert "lupus" in found
    assert found.startswith("... ")
    assert found.endswith(" ...")


@given(st.text(max_size=600), st.text(max_size=20), st.integers(5, 200))
def test_snippet_is_a_piece(text: str, query: str, length: int) -> None:
    found = snippet(text, query, length)
    middle = found.removeprefix("... ").removesuffix(" ...")
    assert middle in text or found in text
    assert len(found) <= length + 8
