"""An epoch of neighbour sampling over the files of a training set, against Cypher in the database.

Both sides sample the same seeds, all genes in batches, with the same numbers of neighbours, and
give edges and text vectors. Where the database would take minutes, it samples a part of the epoch
and its rate counts.
"""

from __future__ import annotations

import shutil
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch_geometric.loader import NeighborLoader

from benchmarks import Comparison, Options, graph, note
from benchmarks.peers import cypher_sampling
from tosg.export.batches.training_set import TrainingSet
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database

HOPS = (10, 5)
SEEDS = 256

#: Seconds that the database may take.
_MOST_SECONDS = 120.0


def run(options: Options) -> list[Comparison]:
    """Measure on the benchmarks' graph."""
    with graph.prepared(options) as db:
        folder = options.home / "neighbors"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.with_name("neighbors.sampling"), ignore_errors=True)
        note("exporting ...")
        export(db, Selection(cells=False), folder)
        ts = TrainingSet(folder)
        begin = time.perf_counter()
        stores = ts.stores(by_type=False)
        sorting = time.perf_counter() - begin
        genes = torch.nonzero(ts.graph.node_type == ts.node_types.index("Gene")).flatten()
        loader = NeighborLoader(
            stores.pair,
            num_neighbors=list(HOPS),
            neighbor_sampler=stores.sampler(HOPS),
            input_nodes=genes,
            batch_size=SEEDS,
        )
        ours = _epochs(loader, max(options.repeat, 3))
        peer, seeds = _in_database(db, ts, genes.numpy())
        _check(db, ts, loader)
    n = len(genes)
    return [
        Comparison(
            "cypher",
            n / ours,
            seeds / peer,
            "seeds/s",
            {
                "nodes": ts.n_nodes,
                "edges": ts.graph.edge_index.shape[1],
                "neighbors": list(HOPS),
                "seeds_a_batch": SEEDS,
                "seeds": n,
                "seconds_of_an_epoch": round(ours, 3),
                "seeds_in_database": seeds,
                "seconds_in_database": round(peer, 3),
                "seconds_of_sorting_once": round(sorting, 3),
                "sampler": "compiled, over memory-mapped files; no pyg-lib",
            },
        )
    ]


def _epochs(loader: NeighborLoader, rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for batch in loader:
            assert len(batch.x) == batch.num_nodes
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))


def _undirected() -> Sequence[str]:
    return [name for name, t in relationship_types().items() if not t.directed]


def _in_database(db: Database, ts: TrainingSet, genes: np.ndarray) -> tuple[float, int]:
    idx = ts.graph.nodes["idx"].to_numpy()[genes].tolist()
    undirected = _undirected()
    cypher_sampling.sample(db.driver, idx[:SEEDS], HOPS, undirected)  # compiled, pages read
    done, begin = 0, time.perf_counter()
    while done < len(idx) and time.perf_counter() - begin < _MOST_SECONDS:
        cypher_sampling.sample(db.driver, idx[done : done + SEEDS], HOPS, undirected)
        done = min(done + SEEDS, len(idx))
    return time.perf_counter() - begin, done


def _check(db: Database, ts: TrainingSet, loader: NeighborLoader) -> None:
    """Compare what one batch of each side holds: edges of the first hop, and vectors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = next(iter(loader))
    ids = ts.graph.nodes["idx"].to_numpy()
    seeds = ids[batch.node_id[: batch.batch_size].numpy()].tolist()
    nodes, edges, vectors = cypher_sampling.sample(db.driver, seeds, HOPS[:1], _undirected())
    first = int((batch.edge_index[1] < batch.batch_size).sum())
    assert first == len(edges), f"{first} and {len(edges)} edges of the first hop"
    place = {int(i): k for k, i in enumerate(ids)}
    rows = torch.tensor([place[node] for node in nodes])
    assert np.array_equal(ts.stores(by_type=False).features[None, "x", rows].numpy(), vectors)
    assert set(map(tuple, batch.node_id[batch.edge_index].T.tolist())) <= set(
        map(tuple, ts.graph.edge_index.T.tolist())
    )
