"""Entities by name: who has a name, in whatever spelling, and whose name begins with it.

The full-text index finds names that have the words; here they are compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.kg.database import indexes as ddl
from tosg.kg.schema import names
from tosg.kg.schema.indexes import FULLTEXT_INDEX, NAMES_INDEX
from tosg.kg.search.lucene import escape
from tosg.kg.search.spelling import STOP_WORDS, fold, fold_spelling, key, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tosg.kg.database.connection import Database

#: Names that are compared for each text.
MOST_COMPARED = 1_000

#: Names that begin with a text, for each text.
MOST_PREFIXED = 200

#: Longer texts are no names.
LONGEST_NAME = 200

#: What a name has in common with a text, best first; a hit's ``rank`` is the position here.
NAME_RANKS = (
    "symbol",
    "name",
    "previous name",
    "synonym",
    "symbol but for punctuation",
    "name but for punctuation",
    "previous name but for punctuation",
    "synonym but for punctuation",
    "name but for spaces and plurals",
    "prefix of a symbol or name",
    "prefix of a synonym",
)
_PUNCTUATION, _SPACES, _PREFIX = 4, 8, 9
_PREVIOUS, _SYNONYM = 2, 3

_FIELDS = ("symbol", "name", "synonyms")

_FOUND = (
    "RETURN i, n.idx AS idx, n.id AS id, n.name AS name, n.symbol AS symbol, "
    "n.previous AS previous, n.synonyms AS synonyms, "
    "[l IN labels(n) WHERE l <> 'Entity'][0] AS type"
)


@dataclass(frozen=True, slots=True)
class Named:
    """An entity whose name, symbol or synonym is a text, or begins with it.

    Attributes
    ----------
    idx, id, type, name, symbol
        Of the entity.
    rank : int
        Position in `NAME_RANKS`.
    matched : str
        The name, symbol or synonym as the entity has it.
    is_own : bool
        Whether the words of its name or symbol, not only of a synonym, are those of the text.
    """

    idx: int
    id: str
    type: str
    name: str | None
    symbol: str | None
    rank: int
    matched: str
    is_own: bool

    @property
    def how(self) -> str:
        """What the text is to the entity."""
        return NAME_RANKS[self.rank]

    @property
    def is_exact(self) -> bool:
        """Whether it is the text, case and accents aside."""
        return self.rank < _PUNCTUATION

    @property
    def is_same(self) -> bool:
        """Whether it has the same words as the text."""
        return self.rank < _SPACES

    @property
    def is_prefixed(self) -> bool:
        """Whether it only begins with the text."""
        return self.rank >= _PREFIX


def find_named(
    db: Database, texts: Sequence[str], labels: Sequence[str] | None
) -> dict[str, list[Named]]:
    """Find the entities that have some texts as name, symbol or synonym.

    Parameters
    ----------
    db : Database
    texts : sequence of str
    labels : sequence of str, optional
        Only entities of these types.

    Returns
    -------
    dict
        Text to its entities, best first; texts that name nothing are absent.
    """
    rows = _rows(db, texts, labels, _exact_query, "toLower(v) = $lowered[i]", MOST_COMPARED)
    found = _ranked(texts, rows)
    same = {text: [hit for hit in hits if not hit.is_prefixed] for text, hits in found.items()}
    return {text: hits for text, hits in same.items() if hits}


def find_prefixed(db: Database, text: str, labels: Sequence[str] | None) -> list[Named]:
    """Find entities that have a name, symbol or synonym which is a text or begins with it."""
    if len(fold_spelling(text)) < 2:
        return []
    starts = "toLower(v) STARTS WITH $lowered[i]"
    rows = _rows(db, [text], labels, _prefix_query, starts, MOST_PREFIXED)
    return _ranked([text], rows).get(text, [])


def _rows(
    db: Database,
    texts: Sequence[str],
    labels: Sequence[str] | None,
    query: Any,
    condition: str,
    most: int,
) -> list[dict[str, Any]]:
    asked = [(i, query(t)) for i, t in enumerate(texts) if len(t) <= LONGEST_NAME and key(t)]
    if not asked:
        return []
    only = " AND (" + " OR ".join(f"n:{names.label(x)}" for x in labels) + ")" if labels else ""
    online = {f.name for f in ddl.found(db) if f.state == "ONLINE"}
    found: list[dict[str, Any]] = []
    for index, chosen in _by_index(asked, texts, with_names=NAMES_INDEX in online):
        found += db.rows(
            "CYPHER 5 UNWIND $positions AS i CALL (i) { "
            "CALL db.index.fulltext.queryNodes($index, $queries[i]) YIELD node AS n, score "
            f"WHERE n.id IS NOT NULL{only} "
            "WITH n, score, coalesce(any(v IN [n.name, n.symbol] + coalesce(n.synonyms, []) "
            f"WHERE {condition}), false) AS fits ORDER BY fits DESC, score DESC, n.id LIMIT $most "
            f"RETURN n }} {_FOUND}",
            positions=[i for i, _ in chosen],
            index=index,
            queries=[query(t) if len(t) <= LONGEST_NAME else "" for t in texts],
            lowered=[t.strip().lower() for t in texts],
            most=most,
        )
    return found


def _by_index(
    asked: Sequence[tuple[int, str]], texts: Sequence[str], *, with_names: bool
) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Texts by the index that can find them: that of names has no stop words."""
    stopped = [(i, q) for i, q in asked if set(key(texts[i]).split()) <= STOP_WORDS]
    other = [one for one in asked if one not in stopped]
    if stopped or not with_names:
        yield FULLTEXT_INDEX, stopped if with_names else list(asked)
    if with_names and other:
        yield NAMES_INDEX, other


def _exact_query(text: str) -> str:
    """Names that have all the words of a text, or are one word of its letters and digits."""
    words = key(text).split()
    groups = ["+" + " +".join(_word(w) for w in words)]
    spelled = dict.fromkeys((text.lower(), fold(text)))
    groups += [_phrase(plain.split()) for plain in spelled]
    if len(words) > 1 and len(fold_spelling(text)) <= 20:
        groups.append(fold_spelling(text))
    if len(words) == 1 and (split := re.match(r"([^\W\d]+)(\d\w*)$", words[0])):
        groups.append(_phrase(split.groups()))  # IL2X as IL-2X
    return _in_fields(groups)


def _prefix_query(text: str) -> str:
    *before, last = key(text).split()
    words = list(map(_word, before))
    if last not in STOP_WORDS or not before:  # else the index of names has no word for it
        words.append(f"{last}*")
    return _in_fields(["+" + " +".join(words)])


def _phrase(words: Iterable[str]) -> str:
    return f'"{" ".join(map(escape, words))}"'


def _word(word: str) -> str:
    # Lower case has none of Lucene's operators, and spellings none of its signs.
    return f"({' '.join(spellings(word))})"


def _in_fields(groups: Sequence[str]) -> str:
    return " ".join(f"{field}:({group})" for field in _FIELDS for group in groups)


def _ranked(texts: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for row in rows:
        text = texts[row["i"]]
        best = min(_ranks(text, row), default=None)
        if best is not None:
            about = {k: row[k] for k in ("idx", "id", "type", "name", "symbol")}
            own = key(text) in {key(row[k]) for k in ("name", "symbol") if row[k]}
            named = Named(**about, rank=best[0], matched=best[1], is_own=own)
            found.setdefault(text, []).append(named)
    return {t: sorted(of, key=lambda hit: (hit.rank, hit.id)) for t, of in found.items()}


def _ranks(text: str, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    wanted = (fold(text), key(text), fold_spelling(text))
    given = [(0, row["symbol"]), (1, row["name"])]
    given += [(_PREVIOUS, name) for name in row["previous"] or ()]
    given += [(_SYNONYM, name) for name in row["synonyms"] or ()]
    for position, name in given:
        if name:
            rank = _rank(wanted, position, name)
            if rank is not None:
                yield rank, name


def _rank(wanted: tuple[str, str, str], position: int, name: str) -> int | None:
    if fold(name) == wanted[0]:
        return position
    if key(name) == wanted[1]:
        return _PUNCTUATION + position
    if fold_spelling(name) == wanted[2]:
        return _SPACES
    if key(name).startswith(wanted[1]) or fold_spelling(name).startswith(wanted[2]):
        return _PREFIX + (position >= _PREVIOUS)
    return None
