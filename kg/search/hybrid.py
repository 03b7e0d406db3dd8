"""Search by name, by meaning and by words.

Who has the text as its name comes first, then whose name begins with it, then what vectors and
words find, joined by reciprocal rank. The vector index is approximate, so it is asked for many
more than are wanted, and what it finds is scored again exactly from ``embedding_f32``.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.errors import ConfigError, TosgError, TosgWarning, unknown
from tosg.kg.embed.info import read_model_info
from tosg.kg.embed.vectors import index_name, index_states
from tosg.kg.schema import names
from tosg.kg.schema.indexes import FULLTEXT_INDEX
from tosg.kg.schema.names import choose_types
from tosg.kg.schema.types import entity_types
from tosg.kg.search.lucene import lucene_query
from tosg.kg.search.named import NAME_RANKS, Named, find_named, find_prefixed
from tosg.kg.search.snippets import snippet
from tosg.kg.search.spelling import content_words, coverage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.embed.models import Model

#: Constant of reciprocal rank fusion: how little the first ranks stand out.
RRF = 60

#: Entities that an ambiguous text is said to name.
SHOWN_HITS = 5

#: What each way of searching is asked for at least.
LEAST_CANDIDATES = 100

#: How many times as many candidates the vector index is asked for: it is approximate, and finds
#: the near ones the better the wider it looks.
WIDER = 4

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

NEAREST = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("type", pa.string()),
        pa.field("name", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("idx", pa.int64()),
        pa.field("score", pa.float64()),
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
    text = _clean(text, "TEXT")
    if k < 1:
        raise ConfigError("at least one result must be asked for", where="k", found=k)
    labels = choose_types(types)
    only = labels if types else None
    most = max(10 * k, LEAST_CANDIDATES)
    named = {hit.id: hit for hit in _by_name(db, text, only)}
    by_vector, note = _by_vector(db, text, labels, most, model)
    by_text = _by_text(db, text, only, most)
    rows = {row["id"]: row for row in [*map(asdict, named.values()), *by_vector, *by_text]}
    ranks = [{row["id"]: n for n, row in enumerate(by, 1)} for by in (by_vector, by_text)]
    weights = {row["id"]: row["covered"] ** 2 for row in by_text}
    scores = dict(fuse([list(rank) for rank in ranks], [{}, weights]))
    order = sorted(rows, key=lambda id_: _place(named.get(id_), scores.get(id_, 0.0), id_))
    best = order[:k]
    texts = _texts(db, [rows[id_]["idx"] for id_ in best])
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


def embed_text(db: Database, text: str, *, model: str | Model | None = None) -> list[float]:
    """Embed a text with the graph's own model, as a parameter for Cypher.

    Returns
    -------
    list of float
        Unit length, as wide as the graph's vectors.

    Raises
    ------
    ConfigError
        The text is blank, nothing is embedded yet, or the model is not the graph's.
    """
    text = _clean(text, "text")
    info = read_model_info(db)
    if info is None:
        raise ConfigError(
            "nothing in the graph is embedded yet", where="text", hint="run `tosg embed` first"
        )
    vector = _model(info.name, info.revision, model).encode_query(text)
    return [float(v) for v in _direction(db, vector)]


def note_of(found: pa.Table) -> str | None:
    """Which types `search` could not search by their vectors, and why; None for no such."""
    return _said(found, b"note")


def ambiguity_of(found: pa.Table) -> str | None:
    """What else the text of a `search` is a name of; None where it is clear."""
    return _said(found, b"ambiguity")


def _said(found: pa.Table, about: bytes) -> str | None:
    said = (found.schema.metadata or {}).get(about)
    return said.decode() if said else None


def fuse(
    rankings: Sequence[Sequence[str]], weights: Sequence[Mapping[str, float]] | None = None
) -> list[tuple[str, float]]:
    """Join rankings by reciprocal rank: best first, ties by id.

    Parameters
    ----------
    rankings : sequence of sequences of str
        Ids, best first; each once in a ranking.
    weights : sequence of mappings, optional
        For each ranking, what an id counts in it; 1 where nothing is said.
    """
    scores: dict[str, float] = {}
    for place, ranking in enumerate(rankings):
        counts = weights[place] if weights else {}
        for rank, id_ in enumerate(ranking, 1):
            scores[id_] = scores.get(id_, 0.0) + counts.get(id_, 1.0) / (RRF + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def find_nearest(
    db: Database, vector: NDArray[Any], label: str, k: int = 10, *, most: int | None = None
) -> pa.Table:
    """Find the entities of one type whose vectors are nearest to a vector.

    Parameters
    ----------
    db : Database
        The graph.
    vector : (D,) floats
        Need not have unit length.
    label : str
        The type.
    k : int
        Results at most.
    most : int, optional
        What the index is asked for; by default ``4 * max(10 * k, 100)``.

    Returns
    -------
    pa.Table
        In the schema `NEAREST`: ``score`` is the exact cosine, best first, ties by id. Empty
        where the type has no vectors or their index is not online yet, with a `TosgWarning`.

    Raises
    ------
    UsageError
        The schema has no such type.
    ConfigError
        The vector is not as wide as the graph's, or has no direction.
    """
    if label not in entity_types():
        raise unknown("type", label, entity_types())
    wanted = _direction(db, vector)
    states = index_states(db)
    rows = []
    if states.get(label) == "ONLINE":
        rows = _candidates(db, wanted, label, most or WIDER * max(10 * k, LEAST_CANDIDATES))
    elif why := _without_vectors(db, [label], states):
        warnings.warn(f"no neighbours: {why}", TosgWarning, stacklevel=2)
    return pa.Table.from_pylist(_ordered(rows)[:k], schema=NEAREST)


def _clean(text: str, where: str) -> str:
    """Put blanks for lone surrogates, which no model and no database takes; refuse blank text."""
    clean = re.sub(r"[\ud800-\udfff]", " ", text)
    if not clean.strip():
        raise ConfigError("there is nothing to search for", where=where, found=json.dumps(text))
    return clean


def _direction(db: Database, vector: NDArray[Any]) -> NDArray[np.float32]:
    info = read_model_info(db)
    given = np.asarray(vector, np.float64)
    if given.ndim != 1 or (info is not None and given.size != info.dim):
        raise ConfigError(
            "the vector is not as wide as the graph's",
            where="vector",
            found=f"shape {given.shape}",
            expected=f"({info.dim if info else 'D'},)",
        )
    length = float(np.linalg.norm(given))
    if not np.isfinite(length) or length == 0:
        raise ConfigError("the vector has no direction", where="vector", found=f"length {length}")
    scaled: NDArray[np.float32] = (given / length).astype(np.float32)
    return scaled


def _by_vector(
    db: Database, text: str, labels: Sequence[str], most: int, model: str | Model | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Ranked rows, and which types, if any, this way could not be used for and why."""
    info = read_model_info(db)
    if info is None:
        return [], "found by words alone: nothing is embedded yet (`tosg embed`)"
    states = index_states(db)
    usable = [label for label in labels if states.get(label) == "ONLINE"]
    why = _without_vectors(db, [label for label in labels if label not in usable], states)
    note = f"found by words alone: {why}" if why else None
    if not usable:
        return [], note
    try:
        loaded = _model(info.name, info.revision, model)
    except TosgError as error:
        if model is not None:
            raise
        return [], f"found by words alone: {error.what} ({error.found})"
    vector = loaded.encode_query(text)
    rows = [row for label in usable for row in _candidates(db, vector, label, WIDER * most)]
    return _ordered(rows)[:most], note


def _without_vectors(db: Database, labels: Sequence[str], states: Mapping[str, str]) -> str | None:
    """Say why types that the graph has cannot be searched by their vectors; None for no such."""
    reasons = {
        "not embedded yet (`tosg embed`)": [
            label for label in labels if label not in states and _has_nodes(db, label)
        ],
        "the vector index is not online yet (`tosg embed` waits for it)": [
            label for label in labels if label in states
        ],
    }
    return "; ".join(f"{', '.join(of)}: {why}" for why, of in reasons.items() if of) or None


def _has_nodes(db: Database, label: str) -> bool:
    return bool(db.rows(f"CYPHER 5 MATCH (n:{names.label(label)}) RETURN 1 AS one LIMIT 1"))


def _model(name: str, revision: str, model: str | Model | None) -> Model:
    from tosg.kg.embed.models import Model, load_once, locate

    given = model if isinstance(model, Model) else locate(model or name)
    found = given.info if isinstance(given, Model) else given
    if found.revision != revision:
        raise ConfigError(
            "the graph's vectors come from another model",
            where="--model",
            found=f"{found.name} (revision {found.revision})",
            expected=f"{name} (revision {revision})",
            hint="leave the model out, or embed the graph again (`tosg embed --rebuild`)",
        )
    return given if isinstance(given, Model) else load_once(given)


def _candidates(
    db: Database, vector: NDArray[np.float32], label: str, most: int
) -> list[dict[str, Any]]:
    """What the index of a type finds, with exact scores, in no order."""
    # The label's own index holds only its nodes; columns come as lists, one record.
    record = db.rows(
        "CYPHER 5 CALL db.index.vector.queryNodes($index, $most, $vector) YIELD node AS n "
        "WHERE n.embedding_f32 IS NOT NULL "
        "RETURN collect([n.idx, n.id, n.name, n.symbol]) AS nodes, "
        "collect(n.embedding_f32) AS vectors",
        index=index_name(label),
        most=most,
        vector=vector.tolist(),
    )[0]
    if not record["nodes"]:
        return []
    matrix = np.frombuffer(b"".join(record["vectors"]), "<f4").reshape(len(record["nodes"]), -1)
    scores = matrix.astype(np.float64) @ vector.astype(np.float64)
    return [
        {"idx": idx, "id": id_, "type": label, "name": name, "symbol": symbol, "score": score}
        for (idx, id_, name, symbol), score in zip(record["nodes"], scores.tolist(), strict=True)
    ]


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (-row["score"], row["id"]))


def _by_text(
    db: Database, text: str, labels: Sequence[str] | None, most: int
) -> list[dict[str, Any]]:
    """Ranked rows of the full-text index, each with the share of the words that it has."""
    wanted = content_words(text)
    # With accents and without: the index has them.
    spelled = dict.fromkeys(" ".join(words) for words in (content_words(text, fold=False), wanted))
    queries = [q for q in map(lucene_query, spelled) if q]
    only = ""
    if labels is not None:
        only = "WHERE " + " OR ".join(f"n:{names.label(label)}" for label in labels) + " "
    best: dict[str, dict[str, Any]] = {}
    for query in queries:
        rows = db.rows(
            "CYPHER 5 CALL db.index.fulltext.queryNodes($index, $words) YIELD node AS n, score "
            f"WITH n, score {only}LIMIT $most "
            "RETURN n.idx AS idx, n.id AS id, n.name AS name, n.symbol AS symbol, score, "
            "[l IN labels(n) WHERE l <> 'Entity'][0] AS type, "
            "coalesce(n.name, '') + ' ' + coalesce(n.text, n.description, '') AS text",
            index=FULLTEXT_INDEX,
            words=query,
            most=most,
        )
        for row in rows:
            if row["id"] not in best or row["score"] > best[row["id"]]["score"]:
                best[row["id"]] = row
    rows = _ordered(list(best.values()))[:most]
    return [{**row, "covered": coverage(wanted, row["text"])} for row in rows]


def _texts(db: Database, idx: list[int]) -> dict[int, str]:
    rows = db.rows(
        "CYPHER 5 UNWIND $idx AS i MATCH (n:Entity {idx: i}) "
        "RETURN i, coalesce(n.text, n.description, '') AS text",
        idx=idx,
    )
    return {row["i"]: row["text"] for row in rows}
