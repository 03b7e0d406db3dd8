"""Steps that finish the rows of a statement where Cypher ends: ``// after: NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.errors import ConfigError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _enrichment(table: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    """Add ``p`` and ``q`` from the counts and sort.

    ``p`` is the hypergeometric chance of at least so many hits, ``q`` is ``p`` adjusted over all
    tests (Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995) 289-300), of which those without
    a row had no hit and so ``p`` = 1.
    """
    from scipy.stats import false_discovery_control, hypergeom  # a second to import

    limit = values["limit"]
    if limit < 0:  # as Cypher has it for LIMIT
        raise ConfigError(
            "a parameter is too small", where="limit", found=limit, expected="0 or more"
        )
    hits, given, size, background = (
        table[name].to_numpy() for name in ("hits", "given", "size", "background")
    )
    p = hypergeom.sf(hits - 1, background, size, given)
    tests = table["tests"][0].as_py() if table.num_rows else 0
    q = false_discovery_control(np.concatenate([p, np.ones(tests - len(p))]))[: len(p)]
    table = table.append_column("p", pa.array(p, pa.float64()))
    table = table.append_column("q", pa.array(q, pa.float64()))
    ids = [pathway["id"] for pathway in table["pathway"].to_pylist()]
    kept = [
        i for i in sorted(range(len(ids)), key=lambda i: (p[i], ids[i])) if q[i] <= values["max_q"]
    ]
    return table.take(pa.array(kept[:limit], pa.int64()))


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
            "a statement names an unknown step",
            where="// after:",
            found=step,
            expected=", ".join(STEPS),
        )
    return STEPS[step](table, values)
