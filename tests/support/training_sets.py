"""Write a small training set of format 1 by hand, from the page of spec alone.

Values encode their origin: node ``i`` of row ``j`` is ``(i + 1) + j / 1024`` (exact in float32),
so that a shifted row or a swapped node shows at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tosg.export.write.workspace import describe_file

EDGE_TYPES = (("INTERACTS_WITH", False), ("REGULATES", True))
NODE_TYPES = ("Gene", "Protein")
EDGES = np.array([[0, 1, 2, 2, 0, 4], [1, 3, 2, 3, 4, 0]], dtype=np.int64)
EDGE_TYPE = np.array([0, 0, 0, 0, 1, 1], dtype=np.int16)


def value(node: int, row: int) -> float:
    """Abundance of a node in a row where it is stored."""
    return (node + 1) + row / 1024


def stored(node: int, row: int, n_nodes: int) -> bool:
    """Whether a node has a value in a row: two in three, nothing in every seventh row."""
    return row % 7 != 3 and (node + row) % 3 != 0 and measured(row % 2, node, n_nodes)


def measured(dataset: int, node: int, n_nodes: int) -> bool:
    """Data set 1 did not measure the last node."""
    return dataset == 0 or node != n_nodes - 1


def dense(rows: list[int], n_nodes: int) -> NDArray[np.float32]:
    """What a batch of these rows has to be, from the formulas alone."""
    return np.array(
        [[value(i, j) if stored(i, j, n_nodes) else 0 for i in range(n_nodes)] for j in rows],
        dtype=np.float32,
    ).reshape(len(rows), n_nodes)


def write_training_set(
    folder: Path,
    *,
    sizes: tuple[int, int, int] = (23, 5, 7),
    n_nodes: int = 6,
    shard_rows: int = 8,
    normalize: str = "none",
) -> Path:
    """Write a training set with ``sizes`` cells in train, val and test."""
    (folder / "expression").mkdir(parents=True)
    m = sum(sizes)
    _graph(folder, n_nodes)
    shards = _expression(folder, m, n_nodes, shard_rows)
    names = np.repeat(["train", "val", "test"], sizes)
    cells = pa.table(
        {
            "id": [f"cell{j}" for j in range(m)],
            "dataset": [f"d{j % 2}" for j in range(m)],
            "split": names.tolist(),
            "target": pa.array([j % 3 for j in range(m)], pa.int64()),
            "n_counts": pa.array([100.0 + j for j in range(m)], pa.float64()),
        }
    )
    pq.write_table(cells, folder / "cells.parquet", row_group_size=shard_rows)
    np.save(
        folder / "measured.npy",
        np.array([[measured(d, i, n_nodes) for i in range(n_nodes)] for d in range(2)]),
    )
    _manifest(folder, sizes, n_nodes, shards, shard_rows, normalize)
    return folder


def _graph(folder: Path, n_nodes: int) -> None:
    e = EDGES.shape[1]
    types = [NODE_TYPES[i % 2] for i in range(n_nodes)]
    text = np.zeros((n_nodes, 3), dtype=np.float32)
    text[np.arange(n_nodes - 1), np.arange(n_nodes - 1) % 3] = 1
    save_file(
        {
            "edge_index": EDGES,
            "edge_type": EDGE_TYPE,
            "edge_score": np.array([0.5, np.nan, 1, 0.25, np.nan, 0.75], dtype=np.float32),
            "edge_sign": np.array([0, 0, 0, 0, 1, -1], dtype=np.int8),
            "edge_lifted": np.array([True] + [False] * (e - 1)),
            "edge_key": np.array([0] * (e - 1) + [1], dtype=np.int32),
            "edge_source": np.array([1] + [0] * (e - 1), dtype=np.int32),
            "node_type": np.array([NODE_TYPES.index(t) for t in types], dtype=np.int16),
            "text_embedding": text,
            "has_text": np.arange(n_nodes) < n_nodes - 1,
        },
        folder / "graph.safetensors",
    )
    nodes = {
        "idx": pa.array(range(10, 10 + n_nodes), pa.int64()),
        "id": [f"x:{i}" for i in range(n_nodes)],
        "type": types,
        "name": [f"node {i}" for i in range(n_nodes)],
        "symbol": pa.nulls(n_nodes, pa.string()),
        "text": [f"Node {i}." for i in range(n_nodes)],
    }
    pq.write_table(pa.table(nodes), folder / "nodes.parquet")


def _expression(folder: Path, m: int, n_nodes: int, shard_rows: int) -> list[dict[str, Any]]:
    shards = []
    for k, start in enumerate(range(0, m, shard_rows)):
        rows = range(start, min(start + shard_rows, m))
        kept = [[i for i in range(n_nodes) if stored(i, j, n_nodes)] for j in rows]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in kept])]).astype(np.int64)
        indices = np.array([i for row in kept for i in row], dtype=np.int32)
        values = np.array(
            [value(i, j) for j, row in zip(rows, kept, strict=True) for i in row], dtype=np.float32
        )
        for part, array in (("indptr", indptr), ("indices", indices), ("values", values)):
            np.save(folder / "expression" / f"{k:05d}.{part}.npy", array)
        shards.append(
            {"name": f"{k:05d}", "start": start, "cells": len(rows), "values": len(values)}
        )
    return shards


def _manifest(
    folder: Path,
    sizes: tuple[int, int, int],
    n_nodes: int,
    shards: list[dict[str, Any]],
    shard_rows: int,
    normalize: str,
) -> None:
    stops = np.cumsum(sizes).tolist()
    starts = [0, *stops[:2]]
    splits: dict[str, Any] = {
        name: {"start": a, "stop": b, "cells": b - a, "targets": {}, "donors": None}
        for name, a, b in zip(("train", "val", "test"), starts, stops, strict=True)
    }
    m = sum(sizes)
    content = {
        "format": 1,
        "layout": "tosg",
        "selection": {},
        "counts": {"nodes": n_nodes, "edges": EDGES.shape[1], "cells": m},
        "node_types": [{"name": t, "count": n_nodes // 2} for t in NODE_TYPES],
        "edge_types": [{"name": t, "directed": d, "count": 3} for t, d in EDGE_TYPES],
        "edge_keys": [{}, {"action": "x"}],
        "edge_sources": [["a"], ["a", "b"]],
        "datasets": [
            {"id": f"d{d}", "unit": "counts", "cells": len(range(d, m, 2))} for d in range(2)
        ],
        "expression": {
            "unit": "counts",
            "normalize": normalize,
            "shard_rows": shard_rows,
            "shards": shards,
        },
        "target": {"field": "cell_type", "kind": "class", "classes": ["a", "b", "c"]},
        "splits": {"by": "cell", "donor_safe": False, **splits},
        "digests": {"cells": f"{sizes} {shard_rows}"},
        "files": {
            str(p.relative_to(folder)): describe_file(p)
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        },
    }
    document = {"content": content, "run": {}}
    (folder / "manifest.json").write_text(json.dumps(document, indent=2, sort_keys=True))
