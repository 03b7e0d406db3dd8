"""The field's size: 533,458 nodes and 16.6 million relationships of one type, on one machine.

A first load by import, and loads over Bolt into the same graph: of the same file, of one where a
few rows say something else, and of that again where the graph is not known to hold anything, so
that everything stored is read and compared. Then a file of a tenth of the rows where every row says
something else. Each runs in a process of its own, whose memory is measured without the database's.
``--small`` has a hundredth.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import Comparison, drawn, note
from benchmarks.client import figures, run_client
from tosg.kg import server
from tosg.kg.server.connect import connect
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    from benchmarks import Options

NODES, EDGES = 533_458, 16_600_000
#: Rows of the refreshed file that say something else.
FEW = 1_000
#: What the project asks for, in MiB of client memory.
IMPORT_MIB, REFRESH_MIB = 4096.0, 2048.0

#: Heap and page cache of the server.
_MEMORY = "3g"


def run(options: Options) -> list[Comparison]:
    """Run all comparisons; the folder is removed afterwards."""
    scale = 100 if options.small else 1
    folder = options.home / "scale"
    shutil.rmtree(folder, ignore_errors=True)
    graph = Graph(folder, NODES // scale, EDGES // scale, options.seed)
    try:
        graph.draw()
        return [*graph.measure_import(), *graph.measure_refresh()]
    finally:
        server.stop(graph.settings)
        shutil.rmtree(folder, ignore_errors=True)


def settings(folder: Path) -> Settings:
    """Settings of a managed server of its own below `folder`."""
    return load_settings({"home": folder / "home", "memory": _MEMORY}, folder=folder)


class Graph:
    """A drawn graph in a server of its own below `folder`."""

    def __init__(self, folder: Path, nodes: int, edges: int, seed: int) -> None:
        self.folder, self.nodes, self.edges, self.seed = folder, nodes, edges, seed
        self.settings = settings(folder)

    def draw(self) -> None:
        """Write the files of the first load."""
        note(f"scale: drawing {self.edges:,} relationships ...")
        drawn.write_tables(self.folder, self.nodes, self.edges, self.seed)

    def measure_import(self) -> list[Comparison]:
        """First load against the time of ``neo4j-admin`` in it, and its memory."""
        found = self._load("first", self.folder / "pairs.tsv")
        assert (found["way"], found["relationships"]) == ("import", self.edges), found
        return [
            Comparison("import", found["seconds"], found["stages"]["import"], "s", found),
            Comparison("import memory", found["peak_mib"], IMPORT_MIB, "MiB"),
        ]

    def measure_refresh(self) -> list[Comparison]:
        """Loads over Bolt into the graph of `measure_import`, and their memory."""
        runs = {"same": self._load("same", self.folder / "pairs.tsv")}
        assert runs["same"]["changed"] == 0
        rng = np.random.default_rng(self.seed)
        few = rng.choice(self.edges, min(FEW, self.edges // 10), replace=False)
        pairs = drawn.draw_pairs(self.edges, self.nodes, self.seed)
        path = self.folder / "few.tsv"
        drawn.write_edges(path, pairs, self.nodes, few)
        runs["few"] = self._load("few", path)
        assert runs["few"]["changed"] == len(few)
        with connect(self.settings) as db:
            db.write("CYPHER 5 MATCH (d:TosgDigest) DELETE d")
        runs["compared"] = self._load("compared", path)
        assert runs["compared"]["changed"] == 0
        path.unlink()
        some = pairs[: self.edges // 10]
        drawn.write_edges(path, some, self.nodes, np.arange(len(some)))
        runs["a tenth"] = self._load("a tenth", path)
        assert runs["a tenth"]["changed"] == len(some) - int((few < len(some)).sum())
        most = max(found["peak_mib"] for found in runs.values())
        return [
            Comparison(
                "refresh few", runs["few"]["seconds"], runs["compared"]["seconds"], "s", runs
            ),
            Comparison("refresh memory", most, REFRESH_MIB, "MiB"),
        ]

    def _load(self, name: str, edges: Path) -> dict[str, Any]:
        note(f"scale: load, {name} ...")
        found = run_client("benchmarks.scale", str(self.folder), str(edges))
        note(f"scale: load, {name}: {found}")
        assert found["relationships"] == self.edges
        return found


def _main() -> None:
    folder, edges = map(Path, sys.argv[1:3])
    from tosg.loaders.pipeline.load import load

    here = settings(folder)
    server.ensure_server(here)
    tables = drawn.Drawn(folder / "proteins.tsv", edges)
    start = time.perf_counter()
    report = load(here, tables.inputs(), settle=False)
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
