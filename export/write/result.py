"""What an export did, or would do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, ExportError
from tosg.export.cells.coverage import describe_coverage
from tosg.export.format.manifest import SPLITS, read_manifest
from tosg.export.selection import Selection, compare_selections
from tosg.export.write.graph_files import check_vectors, make_edge_arrays
from tosg.html_text import facts_html
from tosg.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tosg.export.cells.node_map import NodeMap
    from tosg.export.cells.table import CellTable
    from tosg.export.graph.read import Graph


@dataclass(frozen=True)
class ExportResult:
    """What an export did.

    Attributes
    ----------
    folder : Path
        Where the training set stands (or would stand).
    counts : dict
        As in the manifest.
    digests : dict
        As in the manifest; empty for a dry run.
    warnings : list of str
        What the user should know.
    bytes : int
        Size of the training set; for a dry run an estimate.
    seconds : float
        How long it took.
    dry_run : bool
        Whether nothing was written.
    coverage : list of dict
        ``type``, ``cells``, ``nodes``: how many nodes of a type were measured in how many cells.
    """

    folder: Path
    counts: dict[str, int]
    digests: dict[str, str | None]
    warnings: list[str]
    bytes: int
    seconds: float
    dry_run: bool = False
    coverage: list[dict[str, Any]] = field(default_factory=list)

    def _repr_html_(self) -> str:
        planned = " (dry run, nothing written)" if self.dry_run else ""
        return facts_html(
            f"{self.folder}{planned}",
            [*((k.replace("_", " "), n) for k, n in self.counts.items()), ("bytes", self.bytes)],
            [*self.coverage_lines(), *(f"warning: {w}" for w in self.warnings)],
        )

    def coverage_lines(self) -> list[str]:
        """One sentence per type of nodes: how many were measured in how many cells."""
        return describe_coverage(self.coverage, self.counts["cells"])


def summarize_written(
    folder: Path, content: Mapping[str, Any], started: float, deaths: int = 0
) -> ExportResult:
    """Sum up a training set that stands; `deaths` of workers on the way are told."""
    warnings = list(content["warnings"])
    if deaths:
        warnings.append(f"deaths of workers: {deaths}; what they were doing was done again")
    return ExportResult(
        folder=folder,
        counts=dict(content["counts"]),
        digests=dict(content["digests"]),
        warnings=warnings,
        bytes=sum(f["bytes"] for f in content["files"].values()),
        seconds=time.time() - started,
        coverage=list(content.get("coverage", [])),  # none in those of older versions
    )


def summarize_existing(folder: Path, selection: Selection, bookmark: str) -> ExportResult:
    """Sum up a training set that was there before, if it is of this selection and graph.

    Raises
    ------
    ConfigError
        It is of another selection.
    ExportError
        The graph has changed since.
    """
    manifest = read_manifest(folder)
    content = manifest.content
    differs = compare_selections(selection.as_dict(), content["selection"])
    if differs:
        raise ConfigError(
            "the folder holds a training set of another selection",
            where=folder,
            found="; ".join(f"{k}: {json_text(then)}" for k, (_, then) in differs.items()),
            expected="; ".join(f"{k}: {json_text(now)}" for k, (now, _) in differs.items()),
            hint="name another folder",
        )
    was = manifest.run.get("bookmark")
    if was != bookmark:
        raise ExportError(
            "the graph has changed since the training set was exported",
            where=folder,
            found=f"bookmark {bookmark}",
            expected=f"bookmark {was}",
            hint=f"remove {folder}, or export to another folder",
        )
    return summarize_written(folder, content, time.time())


def summarize_planned(
    folder: Path,
    selection: Selection,
    graph: Graph,
    cells: CellTable | None,
    maps: list[NodeMap],
    coverage: list[dict[str, Any]],
    width: int,
    started: float,
) -> ExportResult:
    """Counts and estimated size of an export that is not written; `width` is D."""
    item = 2 if selection.text_dtype == "float16" else 4
    size = sum(a.nbytes for a in make_edge_arrays(graph).values()) + graph.nodes.n * (
        200 + width * item
    )
    counts = {
        "nodes": graph.nodes.n,
        "edges": len(graph.edges),
        "lifted_edges": int(graph.edges.lifted.sum()),
        "isolated_nodes": graph.isolated,
        "cells": 0,
    }
    warnings = list(graph.warnings)
    if not width:
        warnings += check_vectors(graph.nodes.n, 0)
    if cells is not None:
        share = max((m.variables_mapped / max(len(m.start) - 1, 1) for m in maps), default=0.0)
        size += int(8 * cells.values_bound * share) + 108 * len(cells) + len(maps) * graph.nodes.n
        counts |= {"cells": len(cells), "donors": cells.donors}
        counts |= {name: cells.splits_info[name]["cells"] for name in SPLITS}
        warnings += cells.warnings
    seconds = time.time() - started
    return ExportResult(
        folder, counts, {}, warnings, size, seconds, dry_run=True, coverage=coverage
    )
