"""The merge alone: time and peak memory at growing numbers of relationships of one type.

Each size runs in a process of its own: claims of drawn relationships go into a spool, are merged,
and are written as the files of an import; no database is involved. The peer of the time is the
smallest size, scaled up: growth no worse than linear is a ratio of at most 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import Comparison, note
from benchmarks.chart import draw_lines
from tosg.kg.claims.schemas import entity_claims, relationship_claims
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge
from tosg.kg.write.bulk_import import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from benchmarks import Options

#: Relationships and nodes of each run; the last is the field's size.
SIZES = ((1_000_000, 533_458), (4_000_000, 533_458), (16_600_000, 533_458))
SMALL_SIZES = ((10_000, 2_000), (20_000, 2_000), (40_000, 2_000))

_BATCH_ROWS = 100_000
_ORIGIN = {"license": "CC0", "release": "1", "file": "drawn.tsv"}


def run(options: Options) -> list[Comparison]:
    """Run every size, draw the figures, and compare the growth of time with a straight line."""
    sizes = SMALL_SIZES if options.small else SIZES
    results = []
    for edges, nodes in sizes:
        note(f"merge: {edges:,} relationships ...")
        results.append(_run_apart(edges, nodes, options.seed))
        note(f"merge: {results[-1]['seconds']:.1f} s, {results[-1]['peak_mib']:,.0f} MiB")
    first, last = results[0], results[-1]
    draw_lines(
        options.home / "merge.svg",
        "Merge of relationships of one type",
        [r["edges"] / 1e6 for r in results],
        {
            "seconds": [r["seconds"] for r in results],
            "peak memory, 100 MiB": [r["peak_mib"] / 100 for r in results],
        },
        "million relationships",
    )
    straight = first["seconds"] * last["edges"] / first["edges"]
    detail = {"runs": results, "chart": str(options.home / "merge.svg")}
    return [
        Comparison("merge growth", last["seconds"], straight, "s", detail),
        Comparison("merge memory", last["peak_mib"], 4096.0, "MiB"),
    ]


def _run_apart(edges: int, nodes: int, seed: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.merge", str(edges), str(nodes), str(seed)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measure(edges: int, nodes: int, seed: int) -> dict[str, float]:
    import resource

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, Spool() as spool:
        for batch in _nodes(nodes):
            spool.add(batch)
        for batch in _edges(edges, nodes, seed):
            spool.add(batch)
        spooled = time.perf_counter()
        merged = merge(spool)
        entities = time.perf_counter()
        _, counts = write_files(Path(name), merged)
    made = counts.total("relationships").made
    assert made == edges, f"{made:,} relationships of {edges:,}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "edges": edges,
        "nodes": nodes,
        "seconds": round(time.perf_counter() - start, 2),
        "spool": round(spooled - start, 2),
        "entities": round(entities - spooled, 2),
        "peak_mib": round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1),
    }


def _nodes(nodes: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, nodes, _BATCH_ROWS):
        numbers = range(first, min(first + _BATCH_ROWS, nodes))
        columns: dict[str, object] = {
            "type": "Protein",
            "id": [f"uniprot:P{i:06d}" for i in numbers],
            "name": [f"protein {i}" for i in numbers],
            "description": [f"what protein {i} does, as its source tells" for i in numbers],
            "source": "a",
            **_ORIGIN,
        }
        yield entity_claims(columns, len(numbers))


def _edges(edges: int, nodes: int, seed: int) -> Iterator[pa.RecordBatch]:
    """Distinct pairs; a few proteins have many partners, as in real networks."""
    rng = np.random.default_rng(seed)
    keys = np.empty(0, np.int64)
    while len(keys) < edges:
        ends = (nodes * rng.random((2, edges // 4 + 1_000)) ** 2).astype(np.int64)
        low, high = ends.min(axis=0), ends.max(axis=0)
        fresh = (low * nodes + high)[low != high]
        keys = np.unique(np.concatenate([keys, fresh]))
    keys = rng.permutation(keys)[:edges]
    for first in range(0, edges, _BATCH_ROWS):
        part = keys[first : first + _BATCH_ROWS]
        columns: dict[str, object] = {
            "type": "INTERACTS_WITH",
            "start_type": "Protein",
            "start": [f"uniprot:P{i:06d}" for i in (part // nodes).tolist()],
            "end_type": "Protein",
            "end": [f"uniprot:P{i:06d}" for i in (part % nodes).tolist()],
            "score": (part % 1000) / 1000.0,
            "evidence": [f'{{"n":{i % 97}}}' for i in part.tolist()],
            "source": "a",
            "line": np.arange(first + 1, first + 1 + len(part)),
            **_ORIGIN,
        }
        yield relationship_claims(columns, len(part))


if __name__ == "__main__":
    print(json.dumps(_measure(*map(int, sys.argv[1:4]))))
