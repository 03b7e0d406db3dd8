"""What leaves a graph of the field's size: edges to a file, an export with vectors, batches.

The graph is the one of `benchmarks.scale`. Each side runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks import Comparison, note
from benchmarks.client import figures, run_client
from benchmarks.peers.records import EDGES, WHOLE_EDGES
from tosg.errors import UsageError
from tosg.export.format.manifest import read_manifest
from tosg.export.write.graph_files import read_vector_width
from tosg.kg import server
from tosg.kg.server.connect import connect

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

#: What the project asks for: MiB of client memory of an export, seconds in which it opens.
EXPORT_MIB, OPEN_SECONDS = 4096.0, 1.0

WIDTH = 384

#: Records that the driver reads for its rate: all would take minutes, and gigabytes.
RECORDS = 1_000_000

#: Runs of each side whose median counts.
RUNS = 3

#: Whole graphs in a batch.
GRAPHS = (2, 4, 8)
CELLS = 64

_VECTORS_A_WRITE = 2_000

#: Bytes of an edge in a batch that PyG makes: its ends twice, its type, score and sign.
_EDGE_BYTES = 48


def measure_edges(folder: Path) -> list[Comparison]:
    """Edges from server to file without vectors, against the driver's records.

    "edges" is against records of what the export reads of an edge, "edges, ends of the peer"
    against records of two numbers each, while ours reads all of it.
    """
    from benchmarks.scale import settings

    with connect(settings(folder)) as db:
        if read_vector_width(db):
            raise UsageError(
                "the graph has vectors, which the edges are measured without",
                where=folder,
                hint='the part "export" writes them: begin with --only import edges',
            )
    sides: dict[str, list[dict[str, Any]]] = {"edges": [], "records": [], "ends": []}
    for _ in range(RUNS):
        for side, runs in sides.items():
            runs.append(run_client("benchmarks.scale_export", side, str(folder)))
            note(f"scale: edges: {side}: {json.dumps(runs[-1])}")
    ours, peer, ends = (statistics.median(r["per_second"] for r in s) for s in sides.values())
    most = max(r["peak_mib"] for r in sides["edges"])
    return [
        Comparison("edges", ours, peer, "edges/s", dict(sides)),
        Comparison("edges, ends of the peer", ours, ends, "edges/s"),
        Comparison("edges memory", most, EXPORT_MIB, "MiB"),
    ]


def measure_export(folder: Path) -> list[Comparison]:
    """An export with vectors: time, memory, and how fast it opens."""
    from benchmarks.scale import settings

    with connect(settings(folder)) as db:
        write_vectors(db)
    found = run_client("benchmarks.scale_export", "export", str(folder))
    note(f"scale: export: {json.dumps(found)}")
    opened = [run_client("benchmarks.scale_export", "open", str(folder)) for _ in range(RUNS)]
    seconds = statistics.median(o["opened"] for o in opened)
    return [
        Comparison("export memory", found["peak_mib"], EXPORT_MIB, "MiB", found),
        Comparison("open", seconds, OPEN_SECONDS, "s", {"runs": opened}),
    ]


def measure_batches(folder: Path, seed: int) -> list[Comparison]:
    """Batches of whole graphs against `Batch.from_data_list`, without the server."""
    from benchmarks.scale import settings

    server.stop(settings(folder))
    _add_cells(folder / "export", folder / "cells", seed)
    edges = read_manifest(folder / "export").content["counts"]["edges"]
    found = []
    for graphs in GRAPHS:
        # Both directions; PyG holds shifted ends beside the result.
        need = 2 * edges * graphs * _EDGE_BYTES
        if need > (free := psutil.virtual_memory().available):
            note(f"scale: no batches of {graphs}: {need:,} bytes needed, {free:,} free")
            continue
        sides = {
            side: run_client("benchmarks.scale_export", side, str(folder), str(graphs))
            for side in ("batches", "data list")
        }
        note(f"scale: batches of {graphs}: {json.dumps(sides)}")
        ours, peer = (one["per_second"] for one in sides.values())
        assert sides["batches"]["sums"] == sides["data list"]["sums"], sides
        found.append(Comparison(f"batches {graphs}", ours, peer, "cells/s", sides))
    return found


def write_vectors(db: Database) -> None:
    """Give every node that has none a drawn unit vector, as bytes alone."""
    query = (
        "CYPHER 5 UNWIND range(0, size($idx) - 1) AS i "
        "MATCH (n:Entity {idx: $idx[i]}) SET n.text = n.description, n.embedding_f32 = $bytes[i]"
    )
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity) WHERE n.embedding_f32 IS NULL RETURN collect(n.idx) AS idx"
    )
    idx = sorted(rows[0]["idx"])
    note(f"scale: writing {len(idx):,} vectors ...")
    rng = np.random.default_rng(1)
    for start in range(0, len(idx), _VECTORS_A_WRITE):
        some = idx[start : start + _VECTORS_A_WRITE]
        block = rng.standard_normal((len(some), WIDTH), np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        db.write(query, idx=some, bytes=[row.astype("<f4").tobytes() for row in block])


def _export(folder: Path, name: str) -> str:
    from benchmarks.scale import settings
    from tosg.export.selection import Selection
    from tosg.export.write.export import export

    out = folder / name
    shutil.rmtree(out, ignore_errors=True)
    with connect(settings(folder)) as db:
        start = time.perf_counter()
        result = export(db, Selection(cells=False), out)
        seconds = time.perf_counter() - start
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return figures(
        seconds=round(seconds, 2),
        edges=result.counts["edges"],
        per_second=round(result.counts["edges"] / seconds),
        megabytes=round(size / 1e6),
    )


def _records(folder: Path, query: str) -> str:
    from benchmarks.scale import settings

    with connect(settings(folder)) as db, db.driver.session(database=db.target.database) as session:
        start = time.perf_counter()
        records = [r.values() for r in session.run(f"{query} LIMIT {RECORDS}")]
        ends = np.array([r[:2] for r in records], np.int64)
        seconds = time.perf_counter() - start
    return figures(records=len(ends), per_second=round(len(ends) / seconds))


def _open(folder: Path) -> str:
    import torch  # noqa: F401  # its import is not ours to count

    from tosg.export.batches.training_set import TrainingSet

    start = time.perf_counter()
    ts = TrainingSet(folder / "export")
    opened = time.perf_counter() - start
    edges = ts.graph.edge_index.shape[1]
    topology = time.perf_counter() - start
    vectors = ts.graph.text_embedding.shape
    return figures(
        opened=round(opened, 4),
        with_topology=round(topology, 3),
        with_vectors=round(time.perf_counter() - start, 3),
        edges=edges,
        vectors=list(vectors),
    )


def _add_cells(export: Path, out: Path, seed: int) -> None:
    """A training set of the graph of `export` with drawn cells, its graph's files linked."""
    from benchmarks.training_set import Size, write_cells

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    for name in ("graph.safetensors", "nodes.parquet"):
        os.link(export / name, out / name)
    counts = read_manifest(export).content["counts"]
    size = Size(counts["nodes"], counts["edges"], CELLS, min(2_000, counts["nodes"] // 10), CELLS)
    write_cells(out, size, seed, read_manifest(export).content)


def _batches(folder: Path, graphs: int) -> str:
    """Batches of whole graphs from the files on, the topology repeated before."""
    from tosg.export.batches.training_set import TrainingSet

    ts = TrainingSet(folder / "cells")
    rows = [np.arange(k, k + graphs) for k in range(0, CELLS, graphs)]
    start = time.perf_counter()
    first = ts.read(rows[0]).to_pyg()
    first_seconds = time.perf_counter() - start
    sums = _sums(first)
    del first
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for some in rows:
            ts.read(some).to_pyg()
        times.append((time.perf_counter() - start) / len(rows))
    seconds = statistics.median(times)
    return figures(per_second=round(graphs / seconds, 3), first=round(first_seconds, 2), sums=sums)


def _data_list(folder: Path, graphs: int) -> str:
    """The same batches by PyG alone, of dense rows in memory."""
    from benchmarks.batches import EDGE_ATTRIBUTES
    from benchmarks.peers import data_list
    from tosg.export.batches.training_set import TrainingSet

    ts = TrainingSet(folder / "cells")
    graph = {name: getattr(ts.graph, name) for name in EDGE_ATTRIBUTES}
    cells = ts.read(np.arange(graphs))
    x, y = cells.x, cells.y
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        batch = data_list.batch(x, y, graph)
        times.append(time.perf_counter() - start)
        sums = _sums(batch)
        del batch
    return figures(per_second=round(graphs / statistics.median(times), 3), sums=sums)


def _sums(batch: Any) -> dict[str, float]:
    names = ("x", "y", "batch", "ptr", "edge_index", "edge_type", "edge_sign")
    return {name: float(batch[name].sum()) for name in names}


def _main() -> None:
    side, folder, *more = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    graphs = int(more[0]) if more else 0
    sides = {
        "edges": lambda: _export(folder, "edges"),
        "records": lambda: _records(folder, WHOLE_EDGES),
        "ends": lambda: _records(folder, EDGES),
        "export": lambda: _export(folder, "export"),
        "open": lambda: _open(folder),
        "batches": lambda: _batches(folder, graphs),
        "data list": lambda: _data_list(folder, graphs),
    }
    print(sides[side]())


if __name__ == "__main__":
    _main()
