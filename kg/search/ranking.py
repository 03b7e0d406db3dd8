"""Orders of results: by score, and several rankings joined to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Constant of reciprocal rank fusion: how little the first ranks stand out.
RRF = 60


def order_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rows in the order of their scores: best first, ties by id."""
    return sorted(rows, key=lambda row: (-row["score"], row["id"]))


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
