"""What several claims about one relationship come to: greatest score, agreed sign, order of ends.

The merge and the export use the same functions, so that a lifted edge follows the same rules as a
stored relationship. Claims about one relationship stand side by side; ``firsts`` are the rows at
which each run of them begins, ascending, the first of them 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = TypeVar("Float", bound=np.floating[Any])
    Ids = NDArray[np.int64]

#: Sign of a claim that gives none.
NO_SIGN = -128


def greatest_scores(scores: NDArray[Float], firsts: Ids) -> NDArray[Float]:
    """Take the greatest score of each run, (runs,), in the dtype of `scores`.

    NaN stands for no score, and comes out where no claim of a run has one.
    """
    if not len(firsts):
        return scores[:0]
    with np.errstate(invalid="ignore"):
        best: NDArray[Float] = np.fmax.reduceat(scores, firsts)
    return best


def agreed_signs(signs: NDArray[np.int8], firsts: Ids) -> NDArray[np.int8]:
    """Find the sign that the claims of each run agree on, (runs,) int8.

    0 is unknown, and so are signs that contradict each other. `NO_SIGN` stands for no sign, and
    comes out where no claim of a run gives one.
    """
    if not len(firsts):
        return signs[:0]
    given = signs != NO_SIGN
    values = np.where(given, signs, 0).astype(np.int8)
    low, high = np.minimum.reduceat(values, firsts), np.maximum.reduceat(values, firsts)
    agreed = np.where((low < 0) & (high > 0), 0, low + high).clip(-1, 1)
    return np.where(any_in_runs(given, firsts), agreed, NO_SIGN).astype(np.int8)


def any_in_runs(values: NDArray[np.bool_], firsts: Ids) -> NDArray[np.bool_]:
    """Whether any value of each run is true, (runs,) bool."""
    if not len(firsts):
        return values[:0]
    found: NDArray[np.bool_] = np.logical_or.reduceat(values, firsts)
    return found


def ends_to_swap(
    start: NDArray[Any], end: NDArray[Any], undirected: NDArray[np.bool_] | bool
) -> NDArray[np.bool_]:
    """Find the relationships whose ends are to change places: undirected ones in falling order."""
    swap: NDArray[np.bool_] = (start > end) & undirected
    return swap
