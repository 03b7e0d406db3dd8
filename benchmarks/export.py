"""Export of the whole graph with its vectors, against the plain script of a user.

Both sides run in a process of their own, so that the memory of each is its own: what is timed is
from the first query to the flushed file, without starting Python and importing. Medians of as many
runs of each side, turn by turn on a server that is warm; and one run of each right after a start of
the server, whose code is not compiled then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import ROOT, Comparison, Options, note
from benchmarks.client import peak_mib
from benchmarks.graph import prepared, stop
from tosg.errors import DataError

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database, Target


#: Runs of each side on a warm server, at least.
RUNS = 3


def run(options: Options) -> list[Comparison]:
    """Measure seconds from the first query to the file on disk, warm and after a start."""
    folder = options.home / "export"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cold: dict[str, dict[str, Any]] = {}
    warm: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": []}
    try:
        prepared(options).close()
        for side in warm:
            stop(options)
            with prepared(options) as db:
                cold[side] = _in_process(side, db.target, folder, "after a start")
        with prepared(options) as db:
            _warm(db)
            for k in range(max(options.repeat, RUNS)):
                for side, runs in warm.items():
                    runs.append(_in_process(side, db.target, folder, f"run {k + 1}"))
                    note(f"{side}: {runs[-1]}")
        checked = _compare(folder)
    finally:
        stop(options)
        shutil.rmtree(folder, ignore_errors=True)
    ours, peer = (statistics.median(r["seconds"] for r in runs) for runs in warm.values())
    detail = {**checked, "runs": warm}
    return [
        Comparison("script", ours, peer, "s", detail),
        Comparison("script cold", cold["ours"]["seconds"], cold["peer"]["seconds"], "s", cold),
    ]


def _warm(db: Database) -> None:
    """Let a server that has just started read its store and compile, for both sides alike."""
    from benchmarks.peers.script import EDGES, NODES
    from tosg.export.selection import Selection
    from tosg.export.write.export import export

    note("warming up ...")
    for query in (NODES, EDGES):
        db.driver.execute_query(f"{query} LIMIT 100000", routing_="r")
    export(db, Selection(cells=False), "warm-up", dry_run=True)


def _in_process(side: str, target: Target, folder: Path, what: str) -> dict[str, Any]:
    out = folder / ("training-set" if side == "ours" else "data.pt")
    if out.is_dir():
        shutil.rmtree(out)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environ = {**os.environ, "BENCHMARK_PASSWORD": target.password, "PYTHONPATH": paths}
    command = [sys.executable, "-m", "benchmarks.export", side, target.uri, target.username]
    note(f"{side}, {what} ...")
    done = subprocess.run(
        [*command, str(out)], cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _compare(folder: Path) -> dict[str, object]:
    """Compare the tensors of both sides value by value, edges as sorted rows."""
    import pyarrow.parquet as pq
    import torch
    from safetensors.numpy import load_file

    from tosg.export.format.damage import check_training_files
    from tosg.export.format.manifest import read_manifest
    from tosg.kg.schema.types import relationship_types

    manifest = read_manifest(folder / "training-set")
    check_training_files(manifest, sha256=True)
    ours = load_file(folder / "training-set" / "graph.safetensors")
    nodes = pq.read_table(folder / "training-set" / "nodes.parquet")
    peer = torch.load(folder / "data.pt", weights_only=False)
    for column, values in (
        ("id", peer.ids), ("name", peer.names), ("symbol", peer.symbols), ("text", peer.texts),
    ):  # fmt: skip
        _same(column, nodes.column(column).to_pylist() == values)
    _same("node_type", np.array_equal(ours["node_type"], peer.node_type.numpy()))
    _same("vectors", np.array_equal(ours["text_embedding"], peer.x.numpy()))
    types = [t["name"] for t in manifest.content["edge_types"]]
    directed = np.array([relationship_types()[t].directed for t in types])
    start, end = peer.edge_index.numpy()
    kind = peer.edge_type.numpy()
    swap = ~directed[kind] & (start > end)
    start, end = np.where(swap, end, start), np.where(swap, start, end)
    sign, score = peer.edge_sign.numpy(), peer.edge_score.numpy()
    order = np.lexsort((score, sign, end, start, kind))
    columns = (kind, start, end, sign, score)
    mine = (
        ours["edge_type"], *ours["edge_index"], ours["edge_sign"], ours["edge_score"],
    )  # fmt: skip
    mine_order = np.lexsort((mine[4], mine[3], mine[2], mine[1], mine[0]))
    for name, a, b in zip(
        ("edge_type", "source", "target", "sign", "score"), mine, columns, strict=True
    ):
        _same(name, np.array_equal(a[mine_order], b[order], equal_nan=name == "score"))
    return {
        "nodes": len(ours["node_type"]),
        "edges": len(start),
        "vectors": int(ours["has_text"].sum()),
        "checksum_of_vectors": float(np.abs(ours["text_embedding"], dtype=np.float64).sum()),
        "megabytes": {
            "ours": sum(f["bytes"] for f in manifest.content["files"].values()) / 1e6,
            "peer": (folder / "data.pt").stat().st_size / 1e6,
        },
    }


def _same(what: str, same: bool) -> None:
    if not same:
        raise DataError("ours and the peer's differ", where=what)


def _forget_peak() -> None:
    """Begin a new peak: Linux hands a parent's down to the process it starts."""
    clear = Path("/proc/self/clear_refs")
    if clear.is_file():
        clear.write_text("5")


def _side() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=("ours", "peer"))
    parser.add_argument("uri")
    parser.add_argument("username")
    parser.add_argument("out", type=Path)
    a = parser.parse_args()
    password = os.environ["BENCHMARK_PASSWORD"]
    _forget_peak()
    if a.side == "ours":
        from tosg.export.selection import Selection
        from tosg.export.write.export import export
        from tosg.kg.database.connection import Database, Target

        with Database(Target(a.uri, a.username, password)) as db:
            idle, busy, begin = peak_mib(), time.process_time(), time.perf_counter()
            export(db, Selection(cells=False), a.out)
            seconds = time.perf_counter() - begin
    else:
        from benchmarks.peers.script import script

        idle, busy, begin = peak_mib(), time.process_time(), time.perf_counter()
        script(a.uri, (a.username, password), a.out)
        descriptor = os.open(a.out, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        seconds = time.perf_counter() - begin
    cpu = round(time.process_time() - busy, 3)
    figures = {"seconds": round(seconds, 3), "cpu": cpu, "peak_mb": peak_mib(), "idle_mb": idle}
    print(json.dumps(figures))


if __name__ == "__main__":
    _side()
