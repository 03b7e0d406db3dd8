"""Steps that finish the rows of a statement where Cypher ends: ``// after: NAME``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.kg.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def hypergeometric_tail(k: int, n: int, good: int, total: int) -> float:
    """Chance of at least ``k`` hits in ``n`` draws without putting back.

    Parameters
    ----------
    k : int
        Hits seen.
    n : int
        Draws.
    good, total : int
        Members that count as hits, and all members.

    Returns
    -------
    float
        Sum over i >= k of C(good, i) C(total - good, n - i) / C(total, n), from logarithms of
        factorials, so that no term overflows.
    """

    def choose(a: int, b: int) -> float:
        return math.lgamma(a + 1) - math.lgamma(b + 1) - math.lgamma(a - b + 1)

    low, high = max(k, n - (total - good), 0), min(n, good)
    whole = choose(total, n)
    terms = [choose(good, i) + choose(total - good, n - i) - whole for i in range(low, high + 1)]
    return min(1.0, math.fsum(math.exp(t) for t in terms))


def benjamini_hochberg(p: np.ndarray[Any, np.dtype[np.float64]], tests: int) -> list[float]:
    """Adjust p values for the false discovery rate.

    Parameters
    ----------
    p : (m,) float64
    tests : int
        Tests that were made; those beyond ``m`` had p = 1.

    References
    ----------
    Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995) 289-300.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * tests / np.arange(1, len(p) + 1)
    lowest = np.minimum.accumulate(scaled[::-1])[::-1]
    q = np.empty(len(p))
    q[order] = np.minimum(lowest, 1.0)
    return [float(v) for v in q]


def _enrichment(table: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    """Add ``p`` and ``q`` from the counts and sort; ``tests`` goes into the adjustment."""
    counts = [table[name].to_pylist() for name in ("hits", "given", "size", "background")]
    p = np.array([hypergeometric_tail(*row) for row in zip(*counts, strict=True)], np.float64)
    tests = table["tests"][0].as_py() if table.num_rows else 0
    table = table.append_column("p", pa.array(p, pa.float64()))
    table = table.append_column("q", pa.array(benjamini_hochberg(p, tests), pa.float64()))
    order = sorted(range(table.num_rows), key=lambda i: (p[i], table["pathway"][i].as_py()["id"]))
    kept = [i for i in order if table["q"][i].as_py() <= values["max_q"]]
    return table.take(pa.array(kept[: values["limit"]], pa.int64()))


STEPS: dict[str, Callable[[pa.Table, Mapping[str, Any]], pa.Table]] = {"enrichment": _enrichment}


def finish(step: str, table: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    """Apply a step by its name.

    Raises
    ------
    SchemaError
        There is no such step.
    """
    if step not in STEPS:
        raise SchemaError(
            "a statement names a step that there is not",
            where="// after:",
            found=step,
            expected=", ".join(STEPS),
        )
    return STEPS[step](table, values)
