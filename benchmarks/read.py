"""Reading: all relationships and all vectors into numpy, against one record each.

Every comparison compares the arrays value by value. Both sides read a store that is in memory,
on a server that has compiled what it runs: each is repeated for as long as the other, and its best
pass counts (a server's first pass takes ten times its twentieth).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import Comparison, graph, note
from benchmarks.peers import records
from tosg.kg.reader.bulk import read_embeddings, read_nodes, read_relationships

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks import Options
    from tosg.kg.database.connection import Database

#: Seconds that each side is repeated for. The driver's pass over all relationships takes longer:
#: there is one, after a warm-up of `WARM_EDGES`.
SECONDS = 15.0
WARM_EDGES = 200_000

#: Relationships that py2neo reads, for its rate alone; all would take minutes.
PY2NEO_EDGES = 100_000


def run(options: Options) -> list[Comparison]:
    """Run the comparisons on the benchmark graph."""
    with graph.prepared(options) as db:
        seconds = 1.0 if options.small else SECONDS
        found = [_edges(db, options.repeat, seconds), _embeddings(db, options.repeat, seconds)]
        found.append(_py2neo(db, found[0]))
    graph.stop(options)
    return found


def _edges(db: Database, repeat: int, seconds: float) -> Comparison:
    note("edges: ours ...")
    ours, (starts, ends) = _best(lambda: _our_edges(db), repeat, seconds)
    note("edges: driver records ...")
    records.edges(db.driver, WARM_EDGES)
    peer, (their_starts, their_ends) = _best(lambda: records.edges(db.driver), repeat)
    assert len(starts) == len(their_starts), (len(starts), len(their_starts))
    order, their_order = np.lexsort((ends, starts)), np.lexsort((their_ends, their_starts))
    assert np.array_equal(starts[order], their_starts[their_order])
    assert np.array_equal(ends[order], their_ends[their_order])
    detail: dict[str, object] = {
        "relationships": len(starts),
        "ours per second": round(len(starts) / ours),
        "peer per second": round(len(starts) / peer),
    }
    return Comparison("edges", ours, peer, "s", detail)


def _our_edges(db: Database) -> tuple[np.ndarray, np.ndarray]:
    """Read all with their types, which the peer leaves out."""
    batches = list(read_relationships(db, None))
    return (
        np.concatenate([b.column("start_idx").to_numpy() for b in batches]),
        np.concatenate([b.column("end_idx").to_numpy() for b in batches]),
    )


def _embeddings(db: Database, repeat: int, seconds: float) -> Comparison:
    note("embeddings: ours ...")
    ours, (idx, vectors, present) = _best(lambda: _our_embeddings(db), repeat, seconds)
    note("embeddings: lists by records ...")
    peer, (their_idx, their_vectors) = _best(lambda: records.embeddings(db.driver), repeat, seconds)
    order = np.argsort(their_idx)
    idx, vectors = idx[present], vectors[present]  # the peer reads the nodes that have one
    assert np.array_equal(idx, their_idx[order])
    assert np.array_equal(vectors, their_vectors[order])
    detail: dict[str, object] = {"vectors": len(idx), "width": vectors.shape[1]}
    return Comparison("embeddings", ours, peer, "s", detail)


def _our_embeddings(db: Database) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read those of all nodes, in rows as a model takes them, and which nodes have one."""
    batches = read_nodes(db, "Entity", [])
    idx = np.concatenate([b.column("idx").to_numpy() for b in batches])
    return idx, *read_embeddings(db, idx)


def _py2neo(db: Database, edges: Comparison) -> Comparison:
    """For information: py2neo's rate on part of the relationships against ours on all."""
    note("edges: py2neo ...")
    total = edges.detail["relationships"]
    assert isinstance(total, int)
    n = min(PY2NEO_EDGES, total)
    target = db.target
    seconds, found = _best(
        lambda: records.py2neo_edges(target.uri, target.username, target.password, n), 1
    )
    assert len(found) == n
    return Comparison("py2neo", total / edges.ours, n / seconds, "relationships/s", {"read": n})


def _best(work: Callable[[], Any], repeat: int, seconds: float = 0.0) -> tuple[float, Any]:
    """Shortest time of so many runs at least, over so many seconds at least; the last result."""
    times: list[float] = []
    result = None
    while len(times) < repeat or sum(times) < seconds:
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result
