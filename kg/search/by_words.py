"""Search by words: the full-text index, and how much of the text an entity has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.kg.schema import names
from tosg.kg.schema.indexes import FULLTEXT_INDEX
from tosg.kg.search.lucene import lucene_query
from tosg.kg.search.ranking import order_rows
from tosg.kg.search.spelling import content_words, coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database


def rank_by_words(
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
    rows = order_rows(list(best.values()))[:most]
    return [{**row, "covered": coverage(wanted, row["text"])} for row in rows]


def read_texts(db: Database, idx: list[int]) -> dict[int, str]:
    """Read the texts of entities by their ``idx``."""
    rows = db.rows(
        "CYPHER 5 UNWIND $idx AS i MATCH (n:Entity {idx: i}) "
        "RETURN i, coalesce(n.text, n.description, '') AS text",
        idx=idx,
    )
    return {row["i"]: row["text"] for row in rows}
