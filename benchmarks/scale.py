"""The field's size: 533,458 nodes and 16.6 million relationships of one type, on one machine.

A first load by import, and loads over Bolt into the same graph: of the same file, of one where a
few rows say something else, of ten million rows of which a tenth say something else, and of the
first file where the graph is not known to hold anything, so that everything stored is read and
compared. Then what leaves the graph: `benchmarks.scale_export`. Each runs in a process of its own,
whose memory is measured without the database's.

``--small`` has a hundredth, ``--share F`` any part. ``--only import edges ...`` runs some of the
parts and keeps the graph for the next.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmarks import Comparison, drawn, note
from benchmarks.client import figures, run_client
from tosg.errors import UsageError
from tosg.kg import server
from tosg.kg.server.connect import connect
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks import Options
    from tosg.loaders.pipeline.load import Way

NODES, EDGES = 533_458, 16_600_000
#: Rows of the refreshed file that say something else.
FEW = 1_000
#: Rows of the file that is refreshed with many changes.
MANY = 10_000_000
#: What the project asks for, in MiB of client memory.
IMPORT_MIB, REFRESH_MIB = 4096.0, 2048.0

PARTS = ("import", "edges", "refresh", "compared", "export", "batches")

#: Heap and page cache of the server.
_MEMORY = "5g"


def run(options: Options) -> list[Comparison]:
    """Run the parts that are asked for; where that is all of them, the folder is removed."""
    from benchmarks import scale_export

    if wrong := set(options.only) - set(PARTS):
        raise UsageError("no such part", found=", ".join(wrong), expected=", ".join(PARTS))
    share = 0.01 if options.small else options.share
    folder = options.home / f"scale-{share:g}"
    graph = Graph(folder, int(NODES * share), int(EDGES * share), options.seed)
    parts = options.only or PARTS
    measures = {
        "import": graph.measure_import,
        "edges": lambda: scale_export.measure_edges(folder),
        "refresh": graph.measure_refresh,
        "compared": graph.measure_compared,
        "export": lambda: scale_export.measure_export(folder),
        "batches": lambda: scale_export.measure_batches(folder, options.seed),
    }
    found: list[Comparison] = []
    try:
        for part in parts:
            found += measures[part]()
    finally:
        server.stop(graph.settings)
        if not options.only:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def settings(folder: Path) -> Settings:
    """Settings of a managed server of its own below `folder`."""
    return load_settings({"home": folder / "home", "memory": _MEMORY}, folder=folder)


class Graph:
    """A drawn graph in a server of its own below `folder`."""

    def __init__(self, folder: Path, nodes: int, edges: int, seed: int) -> None:
        self.folder, self.nodes, self.edges, self.seed = folder, nodes, edges, seed
        self.settings = settings(folder)

    @cached_property
    def _pairs(self) -> NDArray[np.int64]:
        return drawn.draw_pairs(self.edges, self.nodes, self.seed)

    def measure_import(self) -> list[Comparison]:
        """First load against the time of ``neo4j-admin`` in it, and its memory."""
        server.stop(self.settings)
        shutil.rmtree(self.folder, ignore_errors=True)
        note(f"scale: drawing {self.edges:,} relationships ...")
        drawn.write_tables(self.folder, self.nodes, self.edges, self.seed)
        found = self._load("first", self.folder / "pairs.tsv", "import")
        assert (found["way"], found["relationships"]) == ("import", self.edges), found
        return [
            Comparison("import", found["seconds"], found["stages"]["import"], "s", found),
            Comparison("import memory", found["peak_mib"], IMPORT_MIB, "MiB"),
        ]

    def measure_refresh(self) -> list[Comparison]:
        """Loads over Bolt into the graph of `measure_import`, against reading all of a file."""
        runs = {"same": self._load("same", self.folder / "pairs.tsv")}
        rng = np.random.default_rng(self.seed)
        few = rng.choice(self.edges, min(FEW, self.edges // 10), replace=False)
        many = self._pairs[: int(MANY * self.edges / EDGES)]
        changed = np.arange(len(many) // 10)
        for name, pairs, rows in (("few", self._pairs, few), ("many", many, changed)):
            path = self.folder / f"{name}.tsv"
            drawn.write_edges(path, pairs, self.nodes, rows)
            runs[name] = self._load(name, path)
            path.unlink()
        # What one source says twice in one release is united, so only new numbers change anything.
        expected = [0, len(few), len(changed) - int((few < len(changed)).sum())]
        changes = [run["changed"] for run in runs.values()]
        again = [0] * len(runs)  # of a graph that has been refreshed before
        assert changes in (expected, again), (changes, expected)
        return [
            Comparison("refresh few", runs["few"]["seconds"], runs["many"]["seconds"], "s", runs),
            *(
                Comparison(f"refresh memory, {name}", run["peak_mib"], REFRESH_MIB, "MiB")
                for name, run in runs.items()
            ),
        ]

    def measure_compared(self) -> list[Comparison]:
        """The first file again where nothing is known, so that everything stored is read."""
        with connect(self.settings) as db:
            db.write("CYPHER 5 MATCH (d:TosgDigest) DELETE d")
        found = self._load("compared", self.folder / "pairs.tsv")
        assert found["changed"] == 0
        return [
            Comparison("compared memory", found["peak_mib"], REFRESH_MIB, "MiB", found),
        ]

    def _load(self, name: str, edges: Path, way: Way = "auto") -> dict[str, Any]:
        note(f"scale: load, {name} ...")
        found = run_client("benchmarks.scale", str(self.folder), str(edges), way)
        note(f"scale: load, {name}: {json.dumps(found)}")
        assert found["relationships"] == self.edges
        return found


def _main() -> None:
    folder, edges = map(Path, sys.argv[1:3])
    way = cast("Way", sys.argv[3])
    from tosg.loaders.pipeline.load import load

    here = settings(folder)
    server.ensure_server(here)
    tables = drawn.Drawn(folder / "proteins.tsv", edges)
    start = time.perf_counter()
    report = load(here, tables.inputs(), settle=False, way=way)
    seconds = time.perf_counter() - start - report.seconds.get("server", 0.0)
    written = report.written.total("relationships")
    print(
        figures(
            seconds=round(seconds, 2),
            stages={k: round(v, 2) for k, v in report.seconds.items()},
            way=report.way,
            relationships=sum(report.after.relationships.values()),
            made=written.made,
            changed=written.changed,
            unchanged=written.unchanged,
        )
    )


if __name__ == "__main__":
    _main()
