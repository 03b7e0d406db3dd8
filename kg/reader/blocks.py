"""Blocks of ``idx`` for bulk reads: how they are cut, and how several connections read them.

Bolt costs time per record, not per byte, so a bulk read asks for a few large records: one query
per block, each column one list. Blocks are cut from what is in the graph (``idx`` has gaps, and
entities and cells share its counter), so that each holds about the same number of rows.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database

    Int64s = NDArray[np.int64]

Item = TypeVar("Item")
_Result = TypeVar("_Result")

#: Buckets of the histogram by which blocks are cut: more give evener blocks.
BUCKETS = 1 << 13

#: Up to so many times more idx than nodes, nodes are read by ranges of equal width.
SPARSE = 2

#: A block of given ids is read as a range where at least this share of the range is wanted.
DENSE = 0.5


@dataclass(frozen=True)
class Block:
    """One block of a bulk read.

    Attributes
    ----------
    low, high : int
        Half-open range of ``idx``.
    wanted : int64 array or None
        The ``idx`` asked for, ascending; None for all of the range.
    """

    low: int
    high: int
    wanted: Int64s | None = None

    @property
    def by_range(self) -> bool:
        """Whether the range is read (and filtered here), not each id looked up."""
        return self.wanted is None or len(self.wanted) >= DENSE * (self.high - self.low)

    def parameters(self) -> dict[str, Any]:
        """Parameters of the query: ``low`` and ``high``, or ``ids``."""
        if self.wanted is None or self.by_range:
            return {"low": self.low, "high": self.high}
        return {"ids": self.wanted.tolist()}


def as_idx(values: NDArray[Any]) -> Int64s:
    """Return ``idx`` values ascending and unique, as int64."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"idx are integers, not {array.dtype}")
    array = array.astype(np.int64, copy=False)
    # Those of a selection come in order, and `np.unique` hashes before it sorts.
    return array if (array[1:] > array[:-1]).all() else np.unique(array)


def blocks_of(wanted: Int64s, rows: int, weights: Int64s | None = None) -> Iterator[Block]:
    """Cut given ids into blocks of about ``rows`` rows.

    Parameters
    ----------
    wanted : (n,) int64, ascending
    rows : int
        Rows that a block should hold.
    weights : (n,) int64, optional
        Rows that each id brings; by default one each. A single id may bring more than ``rows``.
    """
    if not len(wanted):
        return
    counts = np.ones(len(wanted), np.int64) if weights is None else weights
    for start, stop in _packs(counts, rows):
        part = wanted[start:stop]
        yield Block(int(part[0]), int(part[-1]) + 1, part)


def blocks_of_all(
    db: Database, match: str, weight: str | None, rows: int, connections: int = 1
) -> Iterator[Block]:
    """Cut all ``idx`` of a pattern into blocks of about ``rows`` rows.

    Parameters
    ----------
    db : Database
    match : str
        ``MATCH`` of one node ``n`` that has ``n.idx``, up to where ``WHERE`` stands.
    weight : str or None
        Aggregating expression: rows that a bucket of nodes brings; None where it is one a node.
    rows : int
        Rows that a block should hold.
    connections : int
        Parts of the graph whose weights are asked for at once.
    """
    low, high, count = _values(
        db, f"{match} WHERE n.idx IS NOT NULL RETURN min(n.idx), max(n.idx) + 1, count(*)"
    )
    if low is None:
        return
    if weight is None and high - low <= SPARSE * count:
        # idx is unique: a range as wide as a block has rows cannot hold more.
        for start in range(low, high, rows):
            yield Block(start, min(start + rows, high))
        return
    width = max(1, -(-(high - low) // BUCKETS))
    part = max(1, -(-(high - low) // (width * connections))) * width
    query = (
        f"{match} WHERE n.idx >= $low AND n.idx < $high "
        f"WITH (n.idx - $low) / $width AS bucket, {weight or 'count(*)'} AS weight "
        "RETURN collect(bucket), collect(weight)"
    )

    def histogram(start: int) -> tuple[Int64s, Int64s]:
        found = _values(db, query, low=start, high=start + part, width=width)
        buckets, weights = (np.array(v, np.int64) for v in found)
        order = np.argsort(buckets)
        return start + buckets[order] * width, weights[order]

    found = list(in_order(range(low, high, part), histogram, connections))
    starts = np.concatenate([s for s, _ in found])
    for first, stop in _packs(np.concatenate([w for _, w in found]), rows):
        yield Block(int(starts[first]), int(starts[stop - 1]) + width)


def _values(db: Database, query: str, **parameters: int) -> list[Any]:
    """Values of the one record of a query, as the driver gives them."""
    with db.session() as session:
        return session.run(f"CYPHER 5 {query}", parameters).single(strict=True).values()


def _packs(counts: Int64s, rows: int) -> Iterator[tuple[int, int]]:
    """Cut a sequence of counts into runs that sum to at most ``rows`` (or are of one count)."""
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(totals[start - 1]) if start else 0
        stop = int(np.searchsorted(totals, before + rows, side="right"))
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def in_order(
    items: Iterable[Item], work: Callable[[Item], _Result], connections: int
) -> Iterator[_Result]:
    """Do the work on several threads and yield the results in the order of the items.

    At most ``connections + 1`` results exist that have not been taken, so memory is bounded by
    the slowest consumer. Leaving the iterator cancels what has not begun.
    """
    if connections < 1:
        raise ValueError(f"connections must be at least 1, not {connections}")
    waiting: deque[Future[_Result]] = deque()
    pool = ThreadPoolExecutor(connections, "tosg-read")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > connections:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
