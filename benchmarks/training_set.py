"""A training set of a stated size, drawn with a fixed seed, for the benchmarks of reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from tosg.export.format.manifest import manifest_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Size:
    """How large the training set is."""

    nodes: int = 20_000
    edges: int = 500_000
    cells: int = 16_384
    genes_per_cell: int = 1_500
    shard_rows: int = 4_096
    width: int = 384


def write_training_set(folder: Path, size: Size, seed: int) -> None:
    """Write it, all cells in ``train``."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    _graph(folder, size, random)
    _write_cells(folder, size, random, {})


def write_cells(folder: Path, size: Size, seed: int, graph: Mapping[str, Any]) -> None:
    """Write drawn cells beside the files of a graph, which `graph` describes as a manifest does."""
    kept = ("counts", "node_types", "edge_keys", "edge_sources", "edge_types")
    of_graph = {name: graph[name] for name in kept}
    of_graph["counts"] = {**graph["counts"], "cells": size.cells}
    _write_cells(folder, size, np.random.default_rng(seed), of_graph)


def _write_cells(
    folder: Path, size: Size, random: np.random.Generator, of_graph: Mapping[str, Any]
) -> None:
    (folder / "expression").mkdir()
    shards = [
        _shard(folder, k, start, min(size.shard_rows, size.cells - start), size, random)
        for k, start in enumerate(range(0, size.cells, size.shard_rows))
    ]
    m = size.cells
    cells = {
        "id": [f"cell{j}" for j in range(m)],
        "dataset": pa.repeat("drawn", m),
        "split": pa.repeat("train", m),
        "target": pa.array(random.integers(0, 10, m), pa.int64()),
        "n_counts": pa.array(np.full(m, 1e4)),
    }
    pq.write_table(pa.table(cells), folder / "cells.parquet")
    np.save(folder / "measured.npy", np.ones((1, size.nodes), dtype=np.bool_))
    content = {**_content(folder, size, shards), **of_graph}
    (folder / "manifest.json").write_bytes(manifest_bytes(content, {}))


def _graph(folder: Path, size: Size, random: np.random.Generator) -> None:
    n, e = size.nodes, size.edges
    edges = random.integers(0, n, (2, e))
    edges = edges[:, np.lexsort(edges[::-1])]
    save_file(
        {
            "edge_index": np.ascontiguousarray(edges),
            "edge_type": np.zeros(e, np.int16),
            "edge_score": random.random(e, dtype=np.float32),
            "edge_sign": np.zeros(e, np.int8),
            "edge_lifted": np.zeros(e, np.bool_),
            "edge_key": np.zeros(e, np.int32),
            "edge_source": np.zeros(e, np.int32),
            "node_type": np.zeros(n, np.int16),
            "text_embedding": random.standard_normal((n, size.width), dtype=np.float32),
            "has_text": np.ones(n, np.bool_),
        },
        folder / "graph.safetensors",
    )
    nodes = {
        "idx": pa.array(range(n), pa.int64()),
        "id": [f"ncbigene:{i}" for i in range(n)],
        "type": pa.repeat("Gene", n),
        "name": pa.nulls(n, pa.string()),
        "symbol": pa.nulls(n, pa.string()),
        "text": pa.nulls(n, pa.string()),
    }
    pq.write_table(pa.table(nodes), folder / "nodes.parquet")


def _shard(
    folder: Path, k: int, start: int, rows: int, size: Size, random: np.random.Generator
) -> dict[str, Any]:
    kept = random.random((rows, size.nodes), dtype=np.float32) < size.genes_per_cell / size.nodes
    at, indices = np.nonzero(kept)
    indptr = np.searchsorted(at, np.arange(rows + 1)).astype(np.int64)
    parts: dict[str, NDArray[Any]] = {
        "indptr": indptr,
        "indices": indices.astype(np.int32),
        "values": random.integers(1, 50, len(indices)).astype(np.float32),
    }
    for name, array in parts.items():
        np.save(folder / "expression" / f"{k:05d}.{name}.npy", array)
    return {"name": f"{k:05d}", "start": start, "cells": rows, "values": len(indices)}


def _content(folder: Path, size: Size, shards: list[dict[str, Any]]) -> dict[str, Any]:
    def part(start: int, stop: int) -> dict[str, Any]:
        return {"start": start, "stop": stop, "cells": stop - start, "targets": {}, "donors": None}

    m = size.cells
    return {
        "format": 1,
        "layout": "tosg",
        "selection": {},
        "counts": {"nodes": size.nodes, "edges": size.edges, "cells": m},
        "node_types": [{"name": "Gene", "count": size.nodes}],
        "edge_keys": [{}],
        "edge_sources": [[]],
        "digests": {},
        "edge_types": [{"name": "REGULATES", "directed": True, "count": size.edges}],
        "datasets": [{"id": "drawn", "unit": "counts", "cells": m}],
        "expression": {
            "unit": "counts",
            "normalize": "none",
            "shard_rows": size.shard_rows,
            "shards": shards,
        },
        "target": {"field": "drawn", "kind": "class", "classes": [str(i) for i in range(10)]},
        "splits": {
            "by": "cell",
            "donor_safe": False,
            "train": part(0, m),
            "val": part(m, m),
            "test": part(m, m),
        },
        "files": {
            str(p.relative_to(folder)): {"bytes": p.stat().st_size, "sha256": ""}
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        },
    }
