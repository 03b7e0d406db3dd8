"""Loops of neighbour sampling, compiled by numba; they release the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tosg.export.batches.kernels import compile_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]
    UInt64s = NDArray[np.uint64]


@compile_kernel
def _draw(state: UInt64s, below: int) -> int:
    """Draw a number from 0 to below - 1 (splitmix64)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int(z % np.uint64(below))


@compile_kernel
def pick_edges(
    targets: Int64s,
    colptr: Int64s,
    k: int,
    replace: bool,
    state: UInt64s,
    position: Int64s,
    place: Int64s,
) -> int:
    """Pick at most `k` edges that lead to each target, all where `k` is negative.

    Parameters
    ----------
    targets : (t,) int64
    colptr : (n + 1,) int64
        Edges to node ``v`` are ``colptr[v]:colptr[v + 1]``.
    k : int
    replace : bool
        Whether an edge may be picked more than once.
    state : (1,) uint64
        Of the random numbers; changed.
    position, place : (at least the number picked,) int64
        Written to: each edge, and the place of its target in `targets`.

    Returns
    -------
    int
        How many were picked.
    """
    n = 0
    for t in range(len(targets)):
        start = colptr[targets[t]]
        degree = colptr[targets[t] + 1] - start
        if degree == 0:
            continue
        first = n
        if k < 0 or (degree <= k and not replace):
            for i in range(degree):
                position[n] = start + i
                place[n] = t
                n += 1
        elif replace:
            for _ in range(k):
                position[n] = start + _draw(state, degree)
                place[n] = t
                n += 1
        else:
            # Floyd's way to draw k of a range without repeats.
            for i in range(degree - k, degree):
                chosen = start + _draw(state, i + 1)
                for j in range(first, n):
                    if position[j] == chosen:
                        chosen = start + i
                        break
                position[n] = chosen
                place[n] = t
                n += 1
    return n


@compile_kernel
def number_nodes(found: Int64s, place: Int64s, nodes: Int64s, n: int) -> int:
    """Number nodes in the order in which they come, and replace them by their numbers.

    Parameters
    ----------
    found : (m,) int64
        Nodes; replaced by their numbers.
    place : (N,) int64
        Number of each node, -1 where it has none yet; changed.
    nodes : (at least n + m,) int64
        Nodes by number; extended.
    n : int
        Nodes that have a number.

    Returns
    -------
    int
        Nodes that have a number now.
    """
    for i in range(len(found)):
        node = found[i]
        if place[node] < 0:
            place[node] = n
            nodes[n] = node
            n += 1
        found[i] = place[node]
    return n
