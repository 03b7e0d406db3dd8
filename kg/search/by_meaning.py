"""Search by meaning: the entities whose vectors are nearest to a vector or a text.

The vector index is approximate, so it is asked for many more than are wanted, and what it finds is
scored again exactly from ``embedding_f32``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.errors import ConfigError, TosgError, TosgWarning, unknown
from tosg.kg.embed.info import read_model_info
from tosg.kg.embed.vectors import index_name, index_states
from tosg.kg.schema import names
from tosg.kg.schema.types import entity_types
from tosg.kg.search.ranking import order_rows
from tosg.kg.search.spelling import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.embed.models import Model

#: What each way of searching is asked for at least.
LEAST_CANDIDATES = 100

#: How many times as many candidates the vector index is asked for: it is approximate, and finds
#: the near ones the better the wider it looks.
WIDER = 4

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
    return pa.Table.from_pylist(order_rows(rows)[:k], schema=NEAREST)


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
    text = clean_text(text, "text")
    info = read_model_info(db)
    if info is None:
        raise ConfigError(
            "nothing in the graph is embedded yet", where="text", hint="run `tosg embed` first"
        )
    vector = _model(info.name, info.revision, model).encode_query(text)
    return [float(v) for v in _direction(db, vector)]


def rank_by_vector(
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
    return order_rows(rows)[:most], note


def _direction(db: Database, vector: NDArray[Any]) -> NDArray[np.float32]:
    info = read_model_info(db)
    given = np.asarray(vector, np.float64)
    if given.ndim != 1 or (info is not None and given.size != info.dim):
        raise ConfigError(
            "the vector has another length than the graph's",
            where="vector",
            found=f"shape {given.shape}",
            expected=f"({info.dim if info else 'D'},)",
        )
    length = float(np.linalg.norm(given))
    if not np.isfinite(length) or length == 0:
        raise ConfigError(
            "the vector is zero or not finite", where="vector", found=f"length {length}"
        )
    scaled: NDArray[np.float32] = (given / length).astype(np.float32)
    return scaled


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
