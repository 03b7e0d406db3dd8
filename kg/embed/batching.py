"""What every encoder does with texts and vectors: batches of like length, unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Tokens of one batch, padding included: enough to fill the machine, small enough for its caches.
TOKENS_ON_CPU = 4_096
TOKENS_ON_GPU = 131_072


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Scale rows to length 1, computed in float64; (n, D) of any float to (n, D) float32."""
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise DataError(
            "the embedding model returned a vector that is zero or not finite",
            found="NaN, infinite, or all 0",
            hint="try --device cpu, which computes at full precision",
        )
    scaled: NDArray[np.float32] = (wide / norms).astype(np.float32)
    return scaled


def cut_batches(
    order: NDArray[np.int64], lengths: NDArray[np.int64], most: int, tokens: int
) -> Iterator[NDArray[np.int64]]:
    """Cut texts, longest first, so that texts times the longest stays below `tokens`."""
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        stop = start + max(1, min(most, tokens // longest))
        yield order[start:stop]
        start = stop
