"""From whole numbers to what belongs to them, for whole arrays at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]

#: A table may have this many places per number, and this many more.
_TABLE_PLACES_PER_NUMBER = 8
_TABLE_PLACES = 1_000_000


def lookup(numbers: Int64s, values: Int64s | None = None) -> Callable[[Int64s], Int64s]:
    """Make the function from numbers to their values, -1 for numbers that are not there.

    Where the numbers lie close together it reads a table, which is several times faster than a
    search.

    Parameters
    ----------
    numbers : (n,) int64
        Ascending, distinct.
    values : (n,) int64, optional
        What belongs to each; by default its position.
    """
    if not len(numbers):
        return lambda asked: np.full(len(asked), -1, np.int64)
    found = np.arange(len(numbers)) if values is None else values
    low, high = int(numbers[0]), int(numbers[-1])
    if values is None and high - low < len(numbers):  # none is missing

        def by_difference(asked: Int64s) -> Int64s:
            place = asked - low
            outside = place.view(np.uint64) >= np.uint64(len(numbers))
            if outside.any():
                place[outside] = -1
            return place

        return by_difference
    if high - low < _TABLE_PLACES_PER_NUMBER * len(numbers) + _TABLE_PLACES:
        table = np.full(high - low + 1, -1, np.int64)
        table[numbers - low] = found

        def by_table(asked: Int64s) -> Int64s:
            inside = np.clip(asked, low, high)
            return np.where(inside == asked, table[inside - low], -1)

        return by_table

    def by_search(asked: Int64s) -> Int64s:
        at = np.minimum(np.searchsorted(numbers, asked), len(numbers) - 1)
        return np.where(numbers[at] == asked, found[at], -1)

    return by_search
