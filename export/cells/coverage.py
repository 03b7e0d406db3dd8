"""How many of the nodes were measured, in how many cells. Unmeasured is not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

#: Types whose abundance cells have: they are listed even if nothing measured them.
_WITH_ABUNDANCE = ("Gene", "Protein")


def count_coverage(
    measured: NDArray[np.bool_],
    cells: Sequence[int],
    node_type: NDArray[np.int64],
    types: Sequence[str],
) -> list[dict[str, Any]]:
    """Count nodes by type and by the number of cells that they were measured in.

    Parameters
    ----------
    measured : (datasets, N) bool
        Which data set measured which node.
    cells : sequence of int
        Cells of each data set.
    node_type : (N,) int64
        Position in `types`.
    types : sequence of str

    Returns
    -------
    list of dict
        ``type``, ``cells`` and ``nodes``, by type, most cells first. Types that have no abundance
        (pathways, say) are left out unless a node of theirs was measured.
    """
    per_node = np.asarray(cells, np.int64) @ measured.astype(np.int64)
    rows = []
    for code, name in enumerate(types):
        of_type = per_node[node_type == code]
        if name not in _WITH_ABUNDANCE and not of_type.any():
            continue
        values, nodes = np.unique(of_type, return_counts=True)
        pairs = zip(values.tolist(), nodes.tolist(), strict=True)
        rows += [{"type": name, "cells": c, "nodes": n} for c, n in reversed(list(pairs))]
    return rows


def describe_coverage(coverage: Sequence[Mapping[str, Any]], n_cells: int) -> list[str]:
    """One sentence per type, as in ``Gene: 90 of 97 measured in all 1,000 cells, 7 in none``."""
    lines = []
    for name in dict.fromkeys(row["type"] for row in coverage):
        rows = [row for row in coverage if row["type"] == name]
        total = sum(row["nodes"] for row in rows)
        parts = [f"{row['nodes']:,} {_in_cells(row['cells'], n_cells)}" for row in rows]
        lines.append(f"{name}: of {total:,} nodes measured {', '.join(parts)}")
    return lines


def _in_cells(cells: int, n_cells: int) -> str:
    if cells == 0:
        return "in none"
    return f"in all {n_cells:,} cells" if cells == n_cells else f"in {cells:,} cells"
