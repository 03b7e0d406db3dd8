"""Batches: ``to_pyg`` against `Batch.from_data_list`, reading from disk against copying.

Each side is run over the same batches; the best of several rounds counts on both sides.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import Comparison, Options, note
from benchmarks.peers import data_list
from benchmarks.training_set import Size, write_training_set
from tosg.errors import ExportError
from tosg.export.batches.training_set import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CELLS_A_BATCH = 32
EDGE_ATTRIBUTES = ("edge_index", "edge_type", "edge_score", "edge_sign")


def run(options: Options) -> list[Comparison]:
    """Measure on a training set of 20,000 nodes and 500,000 edges."""
    size = (
        Size(nodes=1_000, edges=10_000, cells=512, genes_per_cell=200) if options.small else Size()
    )
    folder = options.home / f"batches-{size.nodes}-{size.cells}-{options.seed}"
    try:
        ts = TrainingSet(folder)
    except ExportError:  # none yet, not whole, or as an earlier version wrote it
        note(f"writing a training set of {size.cells:,} cells")
        shutil.rmtree(folder, ignore_errors=True)
        write_training_set(folder, size, options.seed)
        ts = TrainingSet(folder)
    rounds = max(options.repeat, 3)
    return [
        _from_data_list(ts, rounds, "from_data_list", EDGE_ATTRIBUTES),
        _from_data_list(ts, rounds, "from_data_list, no edge attributes", ("edge_index",)),
        *(_copy(ts, cells, rounds) for cells in (CELLS_A_BATCH, 256)),
        _densify(ts, rounds),
        _gcn_share(ts, small=options.small),
    ]


def _from_data_list(
    ts: TrainingSet, rounds: int, name: str, of_edges: tuple[str, ...]
) -> Comparison:
    """Compare with batches of `Data` that have some of what ours has of each edge."""
    graph = {part: getattr(ts.graph, part) for part in of_edges}
    batches = list(ts.batches("train", CELLS_A_BATCH, prefetch=0))[:8]
    dense = [(batch.x, batch.y) for batch in batches]
    ours_one, peer_one = batches[0].to_pyg(), data_list.batch(*dense[0], graph)
    for part in ("x", "y", "batch", "ptr", *of_edges):
        assert torch.equal(ours_one[part], peer_one[part]), f"{part} differs"
    peer_seconds = _best([lambda d=d: data_list.batch(*d, graph) for d in dense], rounds)
    rows = [batch.cell.numpy() for batch in batches]
    # Ours from the files on: read, put on the topology, make dense, make the batch.
    ours_seconds = _best([lambda r=r: ts.read(r).to_pyg() for r in rows], rounds)
    cells = CELLS_A_BATCH * len(rows)
    return Comparison(
        name,
        cells / ours_seconds,
        cells / peer_seconds,
        "cells/s",
        {
            "nodes": ts.n_nodes,
            "edges": ts.graph.edge_index.shape[1],
            "cells_a_batch": CELLS_A_BATCH,
            "ours": "from disk to batch",
            "peer": "from dense rows in memory to batch",
        },
    )


def _copy(ts: TrainingSet, cells: int, rounds: int) -> Comparison:
    # In this thread, so that both sides have one core.
    loader = ts.batches("train", cells, seed=1, prefetch=0)
    names = ("indptr", "indices", "values")
    sparse = [[batch[name] for name in names] for batch in loader.sparse()]
    total = sum(array.nbytes for arrays in sparse for array in arrays)
    # Turn by turn, since the speed of memory changes from second to second on a shared machine.
    ours = peer = float("inf")
    for _ in range(rounds):
        ours = min(ours, _best([lambda: deque(loader.sparse(), maxlen=0)], 1))
        peer = min(peer, _best([lambda s=s: [array.copy() for array in s] for s in sparse], 1))
    name = "copy" if cells == CELLS_A_BATCH else f"copy_{cells}"
    return Comparison(
        name,
        total / ours / 1e6,
        total / peer / 1e6,
        "MB/s",
        {"cells_a_batch": cells, "order": "shuffled", "bytes": total},
    )


def _densify(ts: TrainingSet, rounds: int) -> Comparison:
    batches = list(ts.batches("train", CELLS_A_BATCH, prefetch=0))[:16]
    plain = [np.zeros((CELLS_A_BATCH, ts.n_nodes), np.float32) for _ in batches]

    def scatter(batch: object) -> Tensor:
        vars(batch).pop("x", None)
        return batch.x  # type: ignore[attr-defined,no-any-return]

    def loop(i: int) -> None:
        batch, x = batches[i], plain[i]
        indptr, indices = batch.indptr.numpy(), batch.indices.numpy()
        x[:] = 0
        for row in range(len(batch)):
            part = slice(indptr[row], indptr[row + 1])
            x[row, indices[part]] = batch.values.numpy()[part]

    ours = _best([lambda b=b: scatter(b) for b in batches], rounds)
    peer = _best([lambda i=i: loop(i) for i in range(len(batches))], rounds)
    for i, batch in enumerate(batches):
        assert np.array_equal(batch.x.numpy(), plain[i])
    cells = CELLS_A_BATCH * len(batches)
    return Comparison(
        "densify",
        cells / ours,
        cells / peer,
        "cells/s",
        {"peer": "numpy, row by row, into memory that is there"},
    )


def _gcn_share(ts: TrainingSet, *, small: bool) -> Comparison:
    """The loader's share of a two-layer GCN step of width 16 over the shared topology."""
    n, width = ts.n_nodes, 16
    index = ts.graph.edge_index
    weight = 1 / torch.bincount(index[1], minlength=n).clamp(min=1).float()[index[1]]
    matrix = torch.sparse_coo_tensor(index.flip(0), weight, (n, n), check_invariants=False)
    matrix = matrix.coalesce().to_sparse_csr()
    first, second, last = nn.Linear(1, width), nn.Linear(width, width), nn.Linear(width, 10)
    parameters = [p for layer in (first, second, last) for p in layer.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1e-3)
    loading = training = 0.0
    loader = iter(ts.batches("train", CELLS_A_BATCH))
    for i in range(4 if small else 10):
        start = time.perf_counter()
        batch = next(loader)
        x = batch.x
        between = time.perf_counter()
        h = x.T.reshape(n, -1, 1)
        for layer in (first, second):
            mixed = matrix @ h.reshape(n, -1)
            h = torch.relu(layer(mixed.view(n, len(batch), -1)))
        loss = nn.functional.cross_entropy(last(h.mean(dim=0)), batch.y)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if i:  # the first step warms up
            loading += between - start
            training += time.perf_counter() - between
    return Comparison(
        "gcn_step",
        loading,
        training,
        "s",
        {"loader_share": round(loading / (loading + training), 4), "device": "cpu"},
    )


def _best(calls: Sequence[Callable[[], object]], rounds: int) -> float:
    """Seconds of the fastest of several rounds over all calls, after one that warms up."""
    best = float("inf")
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for call in calls:
            call()
        best = min(best, time.perf_counter() - start)
    return best
