"""Loading: against ``neo4j-admin`` alone, and against ``UNWIND ... MERGE`` over Bolt."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import Comparison, graph, note
from benchmarks.peers import admin_import, unwind
from tosg.kg import server
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.spool import Spool
from tosg.kg.database import counts as stats
from tosg.kg.merge.merged import merge
from tosg.kg.reader.bulk import read_relationships
from tosg.kg.schema.types import relationship_types
from tosg.kg.server.connect import connect
from tosg.kg.write.bulk_import import write_files
from tosg.loaders.pipeline.load import SourceInput, load
from tosg.loaders.reference.hetionet import METAEDGES
from tosg.loaders.sources.hetionet import Hetionet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from benchmarks import Options
    from tosg.kg.report.load_report import LoadReport
    from tosg.loaders.pipeline.load import Way
    from tosg.settings import Settings


class HetionetNodes(Hetionet):
    """Hetionet without its edges: the graph that both Bolt loaders start from."""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        yield from self._nodes(files["nodes"], log, release)


def run(options: Options) -> list[Comparison]:
    """Run both comparisons."""
    files = graph.sources(options)
    return [_import(options, files), _unwind(options, files)]


def _import(options: Options, files: graph.Sources) -> Comparison:
    best: tuple[float, LoadReport] | None = None
    for _ in range(options.repeat):
        here = _fresh(options, "load")
        note("import: source files to graph ...")
        seconds, report = _timed_load(here, files.inputs(), "import")
        if best is None or seconds < best[0]:
            best = seconds, report
    assert best is not None
    ours = _checksums(here)
    server.stop(here)
    there = _fresh(options, "load-peer")
    with tempfile.TemporaryDirectory(dir=options.home) as name, Spool() as spool:
        for given in files.inputs():
            for batch in given.loader.claims(given.files, SourceLog(given.loader.name)):
                spool.add(batch)
        written, counts = write_files(Path(name), merge(spool))
        note("import: neo4j-admin alone ...")
        peer = min(admin_import.run(there, written.arguments())[0] for _ in range(options.repeat))
    assert counts.total("relationships").made == files.n_edges
    theirs = _checksums(there)
    assert ours == theirs, "the two graphs differ"
    server.stop(there)
    seconds, report = best
    return Comparison(
        "import",
        seconds,
        peer,
        "s",
        {
            "stages": {k: round(v, 2) for k, v in report.seconds.items()},
            "nodes": report.after.nodes["Entity"],
            "relationships": sum(report.after.relationships.values()),
            "checksums": "equal",
        },
    )


def _unwind(options: Options, files: graph.Sources) -> Comparison:
    rates = []
    found = []
    detail: dict[str, object] = {}
    for side in ("bolt", "bolt-peer"):
        here = _fresh(options, side)
        nodes = [SourceInput(HetionetNodes(), _nodes_and_edges(files))]
        load(here, nodes, settle=False)
        note(f"unwind: {side} ...")
        if side == "bolt":
            given = [SourceInput(Hetionet(), _nodes_and_edges(files))]
            seconds, report = _timed_load(here, given)
            detail["stages"] = {k: round(v, 2) for k, v in report.seconds.items()}
            again_seconds, again = _timed_load(here, given)
            assert not again.changed, "the second run changed the graph"
            detail["second run"] = {"made": 0, "seconds": round(again_seconds, 2)}
        else:
            seconds = _timed_peer(here, files)
        rates.append(files.n_edges / seconds)
        found.append(_checksums(here))
        server.stop(here)
    assert found[0] == found[1], "the two graphs differ"
    assert sum(n for n, _ in found[0].values()) == files.n_edges
    detail["relationships"] = files.n_edges
    detail["checksums"] = "equal"
    return Comparison("unwind", rates[0], rates[1], "relationships/s", detail)


def _nodes_and_edges(files: graph.Sources) -> dict[str, Path]:
    return {"nodes": files.nodes, "edges": files.edges}


def _timed_load(
    here: Settings, given: list[SourceInput], way: Way = "auto"
) -> tuple[float, LoadReport]:
    """Load; the server's stop and start are not counted."""
    server.ensure_server(here)
    start = time.perf_counter()
    report = load(here, given, settle=False, way=way)
    return time.perf_counter() - start - report.seconds.get("server", 0.0), report


def _timed_peer(here: Settings, files: graph.Sources) -> float:
    with connect(here) as db:
        rows = db.rows("MATCH (n:Entity) UNWIND n.xrefs AS xref RETURN xref, n.id AS id")
        aliases = {r["xref"]: r["id"] for r in rows}
        target = db.target
    undirected = {t.name for t in relationship_types().values() if not t.directed}
    start = time.perf_counter()
    unwind.load(
        target.uri,
        (target.username, target.password),
        files.edges,
        METAEDGES,
        undirected,
        aliases,
        "1.0",
    )
    return time.perf_counter() - start


def _fresh(options: Options, name: str) -> Settings:
    """Settings of an empty managed server of its own, started."""
    here = graph.settings(options, name)
    server.stop(here)
    shutil.rmtree(here.home, ignore_errors=True)
    server.ensure_server(here)
    return here


def _checksums(here: Settings) -> dict[str, tuple[int, int]]:
    """Number of relationships per type, and a sum over their ends that knows their direction."""
    with connect(here) as db:
        found: dict[str, tuple[int, int]] = {}
        for name, n in stats.count(db).relationships.items():
            total = np.uint64(0)
            rows = 0
            for batch in read_relationships(db, [name]):
                start = batch.column("start_idx").to_numpy().astype(np.uint64)
                end = batch.column("end_idx").to_numpy().astype(np.uint64)
                with np.errstate(over="ignore"):
                    mixed = (start * np.uint64(0x9E3779B97F4A7C15)) ^ (end * np.uint64(0xC2B2AE35))
                    total += (mixed * mixed + end).sum(dtype=np.uint64)
                rows += batch.num_rows
            assert rows == n
            found[name] = (n, int(total))
    return found
