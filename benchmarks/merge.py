"""The merge alone: time and peak memory at growing numbers of relationships of one type.

Each size runs in a process of its own: claims of drawn relationships go into a spool, are merged,
and are written as the files of an import; no database is involved. The peer of the time is a
straight line through the smallest two sizes: growth no worse than linear is a ratio of at least 1.
Time is seconds of processor, which other work on the machine hardly changes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import Comparison, note
from benchmarks.chart import draw_lines
from benchmarks.client import figures, run_client
from benchmarks.drawn import draw_pairs
from tosg.kg.claims.schemas import entity_claims, relationship_claims
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge
from tosg.kg.write.bulk_import import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

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
    draw_lines(
        options.home / "merge.svg",
        "Merge of relationships of one type",
        [r["edges"] / 1e6 for r in results],
        {
            "seconds of processor": [r["processor_seconds"] for r in results],
            "peak memory, 100 MiB": [r["peak_mib"] / 100 for r in results],
        },
        "million relationships",
    )
    first, second, last = results
    slope = (second["processor_seconds"] - first["processor_seconds"]) / (
        second["edges"] - first["edges"]
    )
    straight = first["processor_seconds"] + slope * (last["edges"] - first["edges"])
    detail = {"runs": results, "chart": str(options.home / "merge.svg")}
    return [
        Comparison("merge growth", last["processor_seconds"], straight, "s", detail),
        Comparison("merge memory", last["peak_mib"], 4096.0, "MiB"),
    ]


def _run_apart(edges: int, nodes: int, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pairs.npy"
        np.save(path, draw_pairs(edges, nodes, seed))
        found: dict[str, float] = run_client("benchmarks.merge", str(path), str(nodes))
    return found


def _measure(path: Path, nodes: int) -> str:
    pairs = np.load(path, mmap_mode="r")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, Spool() as spool:
        for batch in _nodes(nodes):
            spool.add(batch)
        for batch in _edges(pairs, nodes):
            spool.add(batch)
        spooled = time.perf_counter()
        merged = merge(spool)
        entities = time.perf_counter()
        _, counts = write_files(Path(name), merged)
    made = counts.total("relationships").made
    assert made == len(pairs), f"{made:,} relationships of {len(pairs):,}"
    return figures(
        edges=len(pairs),
        nodes=nodes,
        seconds=round(time.perf_counter() - start, 2),
        spool=round(spooled - start, 2),
        entities=round(entities - spooled, 2),
    )


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


def _edges(pairs: NDArray[np.int64], nodes: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(pairs), _BATCH_ROWS):
        part = np.asarray(pairs[first : first + _BATCH_ROWS])
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
    print(_measure(Path(sys.argv[1]), int(sys.argv[2])))
