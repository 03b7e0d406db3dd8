"""Search by name, by meaning and by words.

Who has the text as its name comes first, then whose name begins with it, then what vectors and
words find, joined by reciprocal rank.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from tosg.errors import ConfigError
from tosg.kg.schema.names import choose_types
from tosg.kg.search.by_meaning import LEAST_CANDIDATES, rank_by_vector
from tosg.kg.search.by_words import rank_by_words, read_texts
from tosg.kg.search.named import NAME_RANKS, Named, find_named, find_prefixed
from tosg.kg.search.ranking import fuse
from tosg.kg.search.snippets import snippet
from tosg.kg.search.spelling import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database
    from tosg.kg.embed.models import Model

#: Entities that an ambiguous text is said to name.
SHOWN_HITS = 5

FOUND = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("type", pa.string()),
        pa.field("name", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("vector_rank", pa.int32()),  # from 1; null where this way did not find it
        pa.field("text_rank", pa.int32()),
        pa.field("similarity", pa.float64()),  # cosine, exact
        pa.field(
            "match", pa.string()
        ),  # what the text is to it (`tosg.kg.search.named.NAME_RANKS`)
        pa.field("matched", pa.string()),  # the name that is the text or begins with it
        pa.field("snippet", pa.string()),
    ]
)


def search(
    db: Database,
    text: str,
    *,
    types: Sequence[str] | None = None,
    k: int = 10,
    model: str | Model | None = None,
) -> pa.Table:
    """Find entities by name, by meaning and by words.

    Parameters
    ----------
    db : Database
        The graph.
    text : str
        Any text; nothing in it is syntax.
    types : sequence of str, optional
        Only entities of these types.
    k : int
        Results at most.
    model : str or Model, optional
        The graph's own model, loaded already or by name; by default it is loaded.

    Returns
    -------
    pa.Table
        In the schema `FOUND`, best first: entities that have the text as symbol, name or synonym
        (genes first), then those with a name that begins with it, then the others by ``score``,
        ties by id. ``score`` is 1 / (60 + vector rank), plus 1 / (60 + text rank) times the square
        of the share of the text's words that the entity has. Where one way could not be used,
        `note_of` says why; where the text is the name of several, `ambiguity_of` lists them.

    Raises
    ------
    ConfigError
        The text is blank, or the model is not the graph's.
    UsageError
        The schema has no such type.
    """
    text = clean_text(text, "TEXT")
    if k < 1:
        raise ConfigError("k must be 1 or more", where="k", found=k)
    labels = choose_types(types)
    only = labels if types else None
    most = max(10 * k, LEAST_CANDIDATES)
    named = {hit.id: hit for hit in _by_name(db, text, only)}
    by_vector, note = rank_by_vector(db, text, labels, most, model)
    by_text = rank_by_words(db, text, only, most)
    rows = {row["id"]: row for row in [*map(asdict, named.values()), *by_vector, *by_text]}
    ranks = [{row["id"]: n for n, row in enumerate(by, 1)} for by in (by_vector, by_text)]
    weights = {row["id"]: row["covered"] ** 2 for row in by_text}
    scores = dict(fuse([list(rank) for rank in ranks], [{}, weights]))
    order = sorted(rows, key=lambda id_: _place(named.get(id_), scores.get(id_, 0.0), id_))
    best = order[:k]
    texts = read_texts(db, [rows[id_]["idx"] for id_ in best])
    similarity = {row["id"]: row["score"] for row in by_vector}
    found = [
        {
            **{c: rows[id_][c] for c in ("id", "type", "name", "symbol")},
            "score": scores.get(id_, 0.0),
            "vector_rank": ranks[0].get(id_),
            "text_rank": ranks[1].get(id_),
            "similarity": similarity.get(id_),
            "match": named[id_].how if id_ in named else None,
            "matched": named[id_].matched if id_ in named else None,
            "snippet": snippet(texts.get(rows[id_]["idx"], ""), text),
        }
        for id_ in best
    ]
    said = {
        "note": note,
        "ambiguity": _ambiguity(text, [named[id_] for id_ in order if id_ in named]),
    }
    table = pa.Table.from_pylist(found, schema=FOUND)
    return table.replace_schema_metadata({k: v for k, v in said.items() if v} or None)


def _by_name(db: Database, text: str, labels: Sequence[str] | None) -> list[Named]:
    same = find_named(db, [text], labels).get(text, [])
    known = {hit.id for hit in same}
    return same + [hit for hit in find_prefixed(db, text, labels) if hit.id not in known]


def _place(named: Named | None, score: float, id_: str) -> tuple[int, bool, bool, float, str]:
    """What results are sorted by: the name, genes before what they make, the score, the id."""
    if named is None:
        return (len(NAME_RANKS), False, False, -score, id_)
    after = named.type != "Gene" and not named.is_prefixed
    return (named.rank, not named.is_own, after, -score, id_)


def _ambiguity(text: str, named: Sequence[Named]) -> str | None:
    """List what a text could be, where several entities have it as a name."""
    exact = [hit for hit in named if hit.is_exact]
    genes = {hit.symbol for hit in exact if hit.type == "Gene"}
    meant = [hit for hit in exact if not (hit.type == "Protein" and hit.symbol in genes)]
    if len(meant) < 2:
        return None
    listed = [
        f"{f'{hit.symbol} - ' if hit.symbol else ''}{hit.name or hit.id} ({hit.type}, {hit.id})"
        for hit in meant[:SHOWN_HITS]
    ]
    more = f", and {len(meant) - SHOWN_HITS:,} more" if len(meant) > SHOWN_HITS else ""
    return f"{text.strip()} could be {'; '.join(listed)}{more}"


def note_of(found: pa.Table) -> str | None:
    """Which types `search` could not search by their vectors, and why; None for no such."""
    return _said(found, b"note")


def ambiguity_of(found: pa.Table) -> str | None:
    """What else the text of a `search` is a name of; None where it is clear."""
    return _said(found, b"ambiguity")


def _said(found: pa.Table, about: bytes) -> str | None:
    said = (found.schema.metadata or {}).get(about)
    return said.decode() if said else None
