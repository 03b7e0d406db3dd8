"""Any text as a Lucene query: every word a word, no sign a sign of the query language."""

from __future__ import annotations

import re

from tosg.kg.search.spelling import SHORTEST_STEM, key, stem

#: Words of a query; more make it slow and no better.
MOST_WORDS = 64

#: A word that is the symbol or the name counts for more than one in a long text.
_FIELDS = (("symbol", 4), ("name", 2), ("synonyms", 2))

#: Where words of the same stem count.
_STEMMED = ("name", "synonyms", "text")

_SPECIAL = re.compile(r'([+\-&|!(){}\[\]^"~*?:\\/<>=@#])')
_OPERATORS = frozenset({"AND", "OR", "NOT", "TO"})


def escape(text: str) -> str:
    """Escape one word, so that it stands for itself.

    Lucene's signs get a backslash; its operators, which are words in capitals, lower case (the
    analyzer folds case anyway).
    """
    if text in _OPERATORS:
        return text.lower()
    return _SPECIAL.sub(r"\\\1", text)


def words(text: str) -> list[str]:
    """Words of a text that have a letter or digit, each once, at most `MOST_WORDS`."""
    # A Lucene query is UTF-8 on its way, which lone surrogates and control characters are not.
    clean = "".join(c if c.isprintable() else " " for c in text)
    found = (w for w in clean.split() if any(c.isalnum() for c in w))
    return list(dict.fromkeys(found))[:MOST_WORDS]


def lucene_query(text: str) -> str:
    """Build a query that finds any of the words, best where symbol or name have them; "" for none.

    Words of the same stem ("bleeding" for "bleed") are found too, and count less.

    Parameters
    ----------
    text : str
        What a user typed.
    """
    found = words(text)
    escaped = " ".join(map(escape, found))
    if not escaped:
        return ""
    fields = " ".join(f"{field}:({escaped})^{weight}" for field, weight in _FIELDS)
    stems = dict.fromkeys(stem(w) for word in found for w in key(word).split())
    begun = " ".join(f"{s}*" for s in stems if len(s) >= SHORTEST_STEM)
    of_stem = " ".join(f"{field}:({begun})" for field in _STEMMED) if begun else ""
    return f"{fields} ({escaped}) {of_stem}".strip()
