"""Time and memory against nodes, edges and cells, over three decades each.

For nodes and edges: a first load by import and an export of the whole graph. For cells: a file of
them attached linked, exported over all genes, and the first batch of the training set. Every step
is a process of its own, whose memory is measured without the database's. A curve's "peer" is its
time at a tenth of the last size, ten times: growth no worse than linear is a ratio of at least 1.

``--only nodes|edges|cells`` runs one of them; ``--share F`` takes the sizes times F. With all sizes
as they are it takes minutes; ``--share 10`` ends at the field's size.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import Comparison, note
from benchmarks.chart import draw_lines
from benchmarks.client import figures, run_client
from benchmarks.drawn_cells import write_cells
from benchmarks.scale import Graph
from tosg.errors import UsageError
from tosg.kg import server

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks import Options
    from tosg.settings import Settings

#: Sizes of each curve, and what stays the same along it.
NODES, EDGES_OF_NODES = (200, 2_000, 20_000, 200_000), 5_000
EDGES, NODES_OF_EDGES = (1_660, 16_600, 166_000, 1_660_000), 53_345
CELLS, GENES, VALUES = (1_000, 10_000, 100_000, 1_000_000), 20_000, 300

SMALL = 0.02
_BATCH = 256
#: Seconds in which the first batch is there.
FIRST_BATCH_SECONDS = 1.0


def run(options: Options) -> list[Comparison]:
    """Measure the curves and draw each as ``curve-NAME.svg``."""
    curves: dict[str, Callable[[Path, float, int], list[dict[str, Any]]]] = {
        "nodes": _nodes,
        "edges": _edges,
        "cells": _cells,
    }
    if wrong := set(options.only) - set(curves):
        raise UsageError("no such curve", found=", ".join(wrong), expected=", ".join(curves))
    share = SMALL if options.small else options.share
    found = []
    for name in options.only or curves:
        folder = options.home / f"curve-{name}"
        try:
            points = curves[name](folder, share, options.seed)
        finally:
            server.stop(Graph(folder, 0, 0, 0).settings)
            shutil.rmtree(folder, ignore_errors=True)
        draw_points(options.home / f"curve-{name}.svg", name, points)
        found += _compare(name, points)
    return found


def draw_points(path: Path, name: str, points: list[dict[str, Any]]) -> None:
    """Draw what was measured along a curve."""
    lines = [key for key in points[0] if key != name]
    values = {key: [point[key] for point in points] for key in lines}
    draw_lines(path, f"Growth with {name}", [p[name] for p in points], values, name, log=True)


def _compare(name: str, points: list[dict[str, Any]]) -> list[Comparison]:
    *_, before, last = points
    times = last[name] / before[name]
    found = [
        Comparison(f"{name}: {key}", last[key], before[key] * times, "s", {"points": points})
        for key in last
        if key.endswith(", s") and key != "first batch, s"
    ]
    if "first batch, s" in last:
        slowest = max(point["first batch, s"] for point in points)
        found.append(Comparison(f"{name}: first batch", slowest, FIRST_BATCH_SECONDS, "s"))
    return found


def _nodes(folder: Path, share: float, seed: int) -> list[dict[str, Any]]:
    return [
        {"nodes": n, **_load_and_export(folder, n, int(EDGES_OF_NODES * share), seed)}
        for n in (max(int(n * share), 100) for n in NODES)
    ]


def _edges(folder: Path, share: float, seed: int) -> list[dict[str, Any]]:
    nodes = max(int(NODES_OF_EDGES * share**0.5), 100)
    return [
        {"edges": n, **_load_and_export(folder, nodes, n, seed)}
        for n in (int(n * share) for n in EDGES)
    ]


def _load_and_export(folder: Path, nodes: int, edges: int, seed: int) -> dict[str, float]:
    graph = Graph(folder, nodes, edges, seed)
    loaded = graph.measure_import()[0].detail
    exported = run_client("benchmarks.scale_export", "edges", str(folder))
    note(f"curves: {nodes:,} nodes, {edges:,} edges: {json.dumps(exported)}")
    return {
        "load, s": _number(loaded["seconds"]),
        "load, MiB": _number(loaded["peak_mib"]),
        "export, s": exported["seconds"],
        "export, MiB": exported["peak_mib"],
    }


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _cells(folder: Path, share: float, seed: int) -> list[dict[str, Any]]:
    graph = Graph(folder, 0, 0, seed)
    server.stop(graph.settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    genes = max(int(GENES * share**0.5), 200)
    names = _load_genes(graph.settings, folder, genes)
    points = []
    for cells in (max(int(n * share), 100) for n in CELLS):
        path = folder / "cells.h5ad"
        note(f"curves: drawing {cells:,} cells ...")
        write_cells(path, cells, names, genes * VALUES // GENES, seed)
        steps = {
            step: run_client("benchmarks.curves", step, str(folder))
            for step in ("attach", "export", "first")
        }
        note(f"curves: {cells:,} cells: {json.dumps(steps)}")
        attach, export, first = steps.values()
        assert (attach["cells"], export["cells"]) == (cells, cells), steps
        points.append(
            {
                "cells": cells,
                "attach, s": attach["seconds"],
                "attach, MiB": attach["peak_mib"],
                "export, s": export["seconds"],
                "export, MiB": export["peak_mib"],
                "on disk, MB": export["megabytes"],
                "first batch, s": first["seconds"],
            }
        )
        _detach(graph.settings)
        path.unlink()
    return points


def _load_genes(settings: Settings, folder: Path, genes: int) -> list[str]:
    """Load genes as a table of anyone's own; returns their identifiers."""
    from tosg.loaders.pipeline.load import SourceInput, load
    from tosg.loaders.sources.table import Table

    table = folder / "genes.tsv"
    numbers = range(1, genes + 1)
    table.write_text("number\tname\n" + "".join(f"{i}\tgene number {i}\n" for i in numbers))
    config = table.with_suffix(".yaml")
    config.write_text(
        'source: genes\nlicense: CC0 1.0\nrelease: "1"\nentities:\n  - type: Gene\n'
        "    id: {column: number, prefix: ncbigene}\n    name: name\n"
    )
    server.ensure_server(settings)
    load(settings, [SourceInput.locate(Table(), [table, config])], settle=False)
    return [f"ncbigene:{i}" for i in numbers]


def _detach(settings: Settings) -> None:
    from tosg.graph import KnowledgeGraph

    with KnowledgeGraph(settings) as graph:
        graph.detach_cells("cells")


def _attach(folder: Path) -> str:
    from benchmarks.scale import settings
    from tosg.graph import KnowledgeGraph

    with KnowledgeGraph(settings(folder)) as graph:
        start = time.perf_counter()
        report = graph.attach_cells(
            folder / "cells.h5ad",
            {"cell_type": "cell_type", "donor_id": "donor_id", "tissue": {"constant": "blood"}},
            storage="linked",
        )
        seconds = time.perf_counter() - start
    return figures(seconds=round(seconds, 2), cells=report.cells)


def _export(folder: Path) -> str:
    from benchmarks.scale import settings
    from tosg.graph import KnowledgeGraph

    out = folder / "training-set"
    shutil.rmtree(out, ignore_errors=True)
    with KnowledgeGraph(settings(folder)) as graph:
        start = time.perf_counter()
        result = graph.export(out, target="cell_type", split="donor", seed=7)
        seconds = time.perf_counter() - start
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return figures(
        seconds=round(seconds, 2), cells=result.counts["cells"], megabytes=round(size / 1e6, 1)
    )


def _first(folder: Path) -> str:
    """The first shuffled batch, of a training set that this process has not seen."""
    import torch

    from tosg.export.batches.training_set import TrainingSet

    assert torch.zeros(1).item() == 0  # its import is not ours to count
    start = time.perf_counter()
    batch = next(iter(TrainingSet(folder / "training-set").batches("train", _BATCH, seed=1)))
    x = batch.x
    seconds = time.perf_counter() - start
    return figures(seconds=round(seconds, 3), cells=len(x), values=int((x != 0).sum()))


if __name__ == "__main__":
    print({"attach": _attach, "export": _export, "first": _first}[sys.argv[1]](Path(sys.argv[2])))
