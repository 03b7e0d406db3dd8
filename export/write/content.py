"""The two parts of the manifest, put together from what each stage found."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tosg.export.cells.datasets import choose_normalization, find_total
from tosg.export.format.manifest import FORMAT_VERSION, GROWN_VERSION, LAYOUT
from tosg.export.write.growth import OldSet, describe_change
from tosg.kg.cells.values.normalise import PROTEIN_UNIT
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tosg.export.cells.node_map import NodeMap
    from tosg.export.cells.table import CellTable
    from tosg.export.selection import Selection
    from tosg.kg.cells.stored.dataset import DatasetInfo
    from tosg.kg.database.connection import Database


@dataclass
class ExportParts:
    """What the stages of an export found; `meta` are properties of the bookkeeping node.

    What comes from the database is read before the bookmark is compared. `make_content` gets none,
    so that nothing it says can be of a later state of the graph.
    """

    selection: Selection
    cells: CellTable | None
    infos: tuple[DatasetInfo, ...]
    maps: list[NodeMap]
    meta: dict[str, Any]
    proteins: NDArray[np.bool_] | None = None
    coverage: list[dict[str, Any]] = field(default_factory=list)
    resumed: bool = False
    graph: dict[str, Any] = field(default_factory=dict)
    shards: list[dict[str, Any]] = field(default_factory=list)
    cells_digest: str | None = None
    measured_digest: str | None = None
    proteins_digest: str | None = None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    old: OldSet | None = None


def make_content(parts: ExportParts) -> dict[str, Any]:
    """Everything that is the same for the same graph and selection."""
    graph, cells = parts.graph, parts.cells
    directed = {name: t.directed for name, t in all_relationship_types().items()}
    files = {**graph["files"], **parts.files}
    for shard in parts.shards:
        files |= shard["files"]
    content = {
        "format": FORMAT_VERSION if parts.old is None else GROWN_VERSION,
        "layout": LAYOUT,
        "selection": parts.selection.as_dict(),
        "counts": _counts(parts),
        "node_types": [{"name": n, "count": c} for n, c in graph["node_types"]],
        "edge_types": [
            {"name": n, "count": c, "directed": directed[n]} for n, c in graph["edge_types"]
        ],
        "edge_keys": [json.loads(k) for k in graph["edge_keys"]],
        "edge_sources": graph["edge_sources"],
        "embedding": _embedding(parts),
        "sources": [{"source": s, "license": li, "release": r} for s, li, r in graph["claimants"]],
        "datasets": _datasets(parts),
        "coverage": parts.coverage,
        "expression": _expression(parts),
        "target": cells.target_info if cells else None,
        "splits": cells.splits_info if cells else None,
        "warnings": [*graph["warnings"], *(cells.warnings if cells else ())],
        "digests": _digests(parts),
        "files": files,
    }
    if parts.old is not None:
        content["changes"] = describe_change(parts.old, content)
    return content


def _counts(parts: ExportParts) -> dict[str, int]:
    names = ("nodes", "edges", "lifted_edges", "isolated_nodes", "nodes_with_text")
    return {
        **{name: parts.graph[name] for name in names},
        "cells": len(parts.cells) if parts.cells else 0,
        "values": sum(s["values"] for s in parts.shards),
        "donors": parts.cells.donors if parts.cells else 0,
    }


def _embedding(parts: ExportParts) -> dict[str, Any] | None:
    if not parts.graph["dimension"]:
        return None
    return {
        "model": parts.meta.get("embedding_model"),
        "revision": parts.meta.get("embedding_revision"),
        "dimension": parts.graph["dimension"],
        "dtype": parts.selection.text_dtype,
    }


def _datasets(parts: ExportParts) -> list[dict[str, Any]]:
    cells = parts.cells
    if cells is None:
        return []
    return [
        {
            "id": info.id,
            "title": info.title,
            "license": info.license,
            "unit": info.unit,
            "cells": int((cells.dataset == d).sum()),
            "variables": len(info.variables),
            "variables_mapped": variables.variables_mapped,
            "measured_nodes": int(variables.measured.sum()),
            "map": variables.digest(),
            "sha256s": list(info.sha256s),
            "notes": list(info.notes),
        }
        for d, (info, variables) in enumerate(zip(parts.infos, parts.maps, strict=True))
    ]


def _expression(parts: ExportParts) -> dict[str, Any] | None:
    if parts.cells is None:
        return None
    rows, start, shards = parts.selection.shard_size, 0, list[dict[str, Any]]()
    for k, shard in enumerate(parts.shards):
        entry = {"name": f"{k:05d}", "start": start}
        shards.append({**entry, "cells": shard["cells"], "values": shard["values"]})
        start += shard["cells"]
    normalize = choose_normalization(parts.selection, parts.infos[0].unit)
    total = find_total(parts.infos) if normalize != "none" else "n_counts"
    return {
        "unit": parts.infos[0].unit,
        "normalize": normalize,
        **({"total": total} if total != "n_counts" else {}),
        **({"protein_normalize": PROTEIN_UNIT} if parts.proteins is not None else {}),
        "shard_rows": rows,
        "shards": shards,
    }


def _digests(parts: ExportParts) -> dict[str, str | None]:
    joined = "".join(s["digest"] for s in parts.shards)
    return {
        **parts.graph["digests"],
        "cells": parts.cells_digest,
        "expression": hashlib.sha256(joined.encode()).hexdigest() if parts.cells else None,
        "measured": parts.measured_digest,
        **({"proteins": parts.proteins_digest} if parts.proteins_digest else {}),
    }


def make_run(
    db: Database, parts: ExportParts, *, started: float, bookmark: str, workers: int, deaths: int
) -> dict[str, Any]:
    """What is true of this run alone."""
    import neo4j
    import numpy as np
    import pyarrow as pa
    import safetensors

    from tosg.version import VERSION

    ended = time.time()
    return {
        "tosg": VERSION,
        "python": platform.python_version(),
        "libraries": {
            "numpy": np.__version__,
            "pyarrow": pa.__version__,
            "safetensors": safetensors.__version__,
            "neo4j": neo4j.__version__,
        },
        "database": {
            "version": ".".join(map(str, db.version)),
            "name": db.target.database,
        },
        "revision": parts.meta.get("revision"),
        "bookmark": bookmark,
        "started": _iso(started),
        "finished": _iso(ended),
        "seconds": round(ended - started, 3),
        "workers": workers,
        "worker_deaths": deaths,
        "resumed": parts.resumed,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
