"""How names are compared: without accents, case, punctuation, and with Greek letters spelled."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from tosg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Letters that Unicode does not take apart into a letter and a mark; the last is a dotless i.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)

_GREEK = "GREEK SMALL LETTER "
_GREEK_LETTERS = [chr(code) for code in range(0x3B1, 0x3CA)]


#: Words that say nothing, and that the index of names leaves out: those of Lucene's English
#: analyzer.
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "if",
        "in",
        "into",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "will",
        "with",
    ]
)


def clean_text(text: str, where: str) -> str:
    """Put blanks for lone surrogates, which no model and no database takes; refuse blank text."""
    clean = re.sub(r"[\ud800-\udfff]", " ", text)
    if not clean.strip():
        raise ConfigError("there is nothing to search for", where=where, found=json.dumps(text))
    return clean


def fold(text: str) -> str:
    """Spell a text without case and accents: ``Sjögren`` and ``SJOGREN`` become ``sjogren``."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(_spell(c) for c in parted if not unicodedata.combining(c))
    return " ".join(plain.translate(_LETTERS).split())


def _spell(letter: str) -> str:
    """Spell a Greek letter; any other stays."""
    if letter.isascii():
        return letter
    name = unicodedata.name(letter, "")
    spelled = name.removeprefix(_GREEK).split()[-1].lower() if name.startswith(_GREEK) else letter
    return "lambda" if spelled == "lamda" else spelled


def key(text: str) -> str:
    """Words of a text, folded, without punctuation and the ``'s`` of possessives."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"['\u2019]s\b", "", fold(text))))


def fold_spelling(text: str) -> str:
    """Letters and digits of a text, without plural endings: ``IL-2`` and ``IL2`` become ``il2``."""
    return "".join(singular(word) for word in key(text).split())


def singular(word: str) -> str:
    """A word without the s of a plural (or of a possessive that lost its mark)."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def spellings(word: str) -> list[str]:
    """How a word of a key may stand in a name that has the same `fold_spelling`, folded."""
    one = singular(word)
    greek = [letter for letter in _GREEK_LETTERS if _spell(letter) == word]
    return list(dict.fromkeys([word, one, f"{one}s", f"{one}'s", *greek]))


def content_words(text: str, *, fold: bool = True) -> list[str]:
    """Words of a text, without those that say nothing (unless it has no others).

    Parameters
    ----------
    text : str
    fold : bool
        Whether they are folded and without punctuation (`key`); else they stand as they are.
    """
    words = key(text).split() if fold else text.split()
    return [word for word in words if key(word) not in STOP_WORDS] or words


#: Letters that a stem has at least.
SHORTEST_STEM = 4

_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s", "y", "e")


def stem(word: str) -> str:
    """A folded word without its ending, as far as that is plain: ``bleeding`` is ``bleed``."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def coverage(words: Sequence[str], text: str) -> float:
    """Share of the stems of some folded words that a text has; 1 for no words."""
    known = {stem(word) for word in key(text).split()}
    wanted = {stem(word) for word in words}
    return len(wanted & known) / len(wanted) if wanted else 1.0
