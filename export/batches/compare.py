"""What differs between two training sets: selection, nodes, edges, cells, values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tosg.export.batches.cell_reader import CellReader
from tosg.export.format.columns import read_columns
from tosg.export.selection import compare_selections

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.format.manifest import Manifest

#: Cells whose values are compared at once.
_CELLS_AT_ONCE = 1024

#: Columns that tell edges of a type apart.
_EDGE_KEYS = ["source", "target", "type", "key", "sign"]


def compare_sets(first: CellReader, second: CellReader) -> dict[str, Any]:
    """Compare two training sets by the ids of their nodes and cells.

    Parameters
    ----------
    first, second : CellReader
        Of the training sets.

    Returns
    -------
    dict
        ``same`` (whether the content is), ``selection`` (keys with both values), ``nodes``,
        ``edges`` by type, ``cells``, ``values``, ``datasets`` and ``sources``: how many are only in
        the first, only in the second, in both, and in both but different, with examples.
    """
    ours, theirs = first.manifest, second.manifest
    nodes = (_read_table(ours, "nodes"), _read_table(theirs, "nodes"))
    return {
        "first": str(ours.folder),
        "second": str(theirs.folder),
        "same": ours.content["digests"] == theirs.content["digests"],
        "digests": sorted(
            compare_selections(ours.content["digests"], theirs.content["digests"]),
        ),
        "selection": {
            key: list(values)
            for key, values in compare_selections(
                ours.content["selection"], theirs.content["selection"]
            ).items()
        },
        "nodes": _compare_rows(*nodes, ["type", "name", "symbol", "text"]),
        "vectors": _compare_vectors(first, second, *nodes),
        "edges": _compare_edges(first, second, *nodes),
        "cells": _compare_cells(ours, theirs),
        "values": _compare_values(first, second, *nodes),
        "datasets": _compare_lists(_named(ours, "datasets"), _named(theirs, "datasets")),
        "sources": _compare_lists(_released(ours), _released(theirs)),
    }


def _read_table(manifest: Manifest, name: str) -> pl.DataFrame:
    table = pl.from_arrow(read_columns(manifest.path(f"{name}.parquet")))
    assert isinstance(table, pl.DataFrame)  # noqa: S101
    return table


def _compare_rows(first: pl.DataFrame, second: pl.DataFrame, columns: list[str]) -> dict[str, Any]:
    """Compare rows by id; `columns` are those in which they can differ."""
    both = first.join(second, on="id", suffix="_2")
    shared = [c for c in columns if c in first.columns and c in second.columns]
    changed = {c: both.filter(pl.col(c).ne_missing(pl.col(f"{c}_2")))["id"] for c in shared}
    return {
        **_counted(
            first.join(second, on="id", how="anti")["id"],
            second.join(first, on="id", how="anti")["id"],
        ),
        "both": both.height,
        "changed": {c: len(ids) for c, ids in changed.items() if len(ids)},
        "examples": {c: ids[:3].to_list() for c, ids in changed.items() if len(ids)},
    }


def _counted(only_first: pl.Series, only_second: pl.Series) -> dict[str, Any]:
    return {
        "only_first": len(only_first),
        "only_second": len(only_second),
        "examples_first": only_first[:3].to_list(),
        "examples_second": only_second[:3].to_list(),
    }


def _place(
    first: pl.DataFrame, second: pl.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the ids that both tables have, in each of them."""
    both = (
        first.select("id")
        .with_row_index("a")
        .join(second.select("id").with_row_index("b"), on="id", maintain_order="left")
    )
    return both["a"].to_numpy().astype(np.int64), both["b"].to_numpy().astype(np.int64)


def _compare_vectors(
    first: CellReader, second: CellReader, ours: pl.DataFrame, theirs: pl.DataFrame
) -> dict[str, int]:
    a, b = _place(ours, theirs)
    x, y = first.graph.text_embedding.numpy(), second.graph.text_embedding.numpy()
    if x.shape[1] != y.shape[1]:
        return {"compared": 0, "changed": len(a)}
    changed = sum(
        int((x[a[i : i + 8192]] != y[b[i : i + 8192]]).any(axis=1).sum())
        for i in range(0, len(a), 8192)
    )
    return {"compared": len(a), "changed": changed}


def _edges(reader: CellReader, nodes: pl.DataFrame) -> pl.DataFrame:
    content = reader.manifest.content
    graph = CellReader(reader.manifest, add_reverses=False).graph
    ids = nodes["id"]
    source, target = graph.edge_index.numpy()
    types = pl.Series([t["name"] for t in content["edge_types"]], dtype=pl.String)
    keys = pl.Series([json.dumps(k, sort_keys=True) for k in content["edge_keys"]], dtype=pl.String)
    sources = pl.Series([json.dumps(s) for s in content["edge_sources"]], dtype=pl.String)
    return pl.DataFrame(
        {
            "source": ids.gather(source),
            "target": ids.gather(target),
            "type": types.gather(graph.edge_type.numpy()),
            "key": keys.gather(graph.edge_key.numpy()),
            "sign": graph.edge_sign.numpy(),
            "score": graph.edge_score.numpy(),
            "sources": sources.gather(graph.edge_source.numpy()),
        }
    )


def _compare_edges(
    first: CellReader, second: CellReader, ours: pl.DataFrame, theirs: pl.DataFrame
) -> dict[str, dict[str, int]]:
    a, b = _edges(first, ours), _edges(second, theirs)
    both = a.join(b, on=_EDGE_KEYS, suffix="_2")
    changed = both.filter(
        pl.col("score").fill_nan(None).ne_missing(pl.col("score_2").fill_nan(None))
        | (pl.col("sources") != pl.col("sources_2"))
    )
    counts = {
        "only_first": a.join(b, on=_EDGE_KEYS, how="anti"),
        "only_second": b.join(a, on=_EDGE_KEYS, how="anti"),
        "both": both,
        "changed": changed,
    }
    found: dict[str, dict[str, int]] = {}
    for name, table in counts.items():
        for kind, n in table.group_by("type").len().sort("type").iter_rows():
            found.setdefault(kind, dict.fromkeys(counts, 0))[name] = n
    return dict(sorted(found.items()))


def _compare_cells(ours: Manifest, theirs: Manifest) -> dict[str, Any] | None:
    if not (ours.has_cells and theirs.has_cells):
        return None
    first, second = (_with_class(m, _read_table(m, "cells")) for m in (ours, theirs))
    own = {"id"}
    columns = sorted(set(first.columns) & set(second.columns) - own)
    return _compare_rows(first, second, columns)


def _with_class(manifest: Manifest, cells: pl.DataFrame) -> pl.DataFrame:
    """Cells with the name of their class: numbers of classes mean nothing beside other classes."""
    target = manifest.content["target"]
    if not target or target["kind"] != "class":
        return cells
    names = pl.Series(target["classes"], dtype=pl.String)
    return cells.with_columns(names.gather(cells["target"]).alias("target"))


def _compare_values(
    first: CellReader, second: CellReader, ours: pl.DataFrame, theirs: pl.DataFrame
) -> dict[str, int] | None:
    """Compare the stored values of cells and nodes that both have."""
    if not (first.manifest.has_cells and second.manifest.has_cells):
        return None
    a, b = _place(*(_read_table(m, "cells") for m in (first.manifest, second.manifest)))
    columns = _place(ours, theirs)
    changed = 0
    for start in range(0, len(a), _CELLS_AT_ONCE):
        rows = slice(start, start + _CELLS_AT_ONCE)
        x, y = (
            _select_columns(reader, places[rows], chosen)
            for reader, places, chosen in ((first, a, columns[0]), (second, b, columns[1]))
        )
        changed += int(np.count_nonzero(np.diff((x != y).tocsr().indptr)))
    return {"compared": len(a), "nodes": len(columns[0]), "changed": changed}


def _select_columns(reader: CellReader, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Any:
    import scipy.sparse as sp

    read = reader.expression.read(rows)
    parts = (np.array(read.values), np.array(read.indices), np.array(read.indptr))
    matrix = sp.csr_matrix(parts, shape=(len(rows), reader.manifest.n_nodes))
    return matrix[:, columns]


def _named(manifest: Manifest, name: str) -> list[str]:
    return [entry["id"] for entry in manifest.content[name]]


def _released(manifest: Manifest) -> list[str]:
    return [f"{s['source']} {s['release']}".strip() for s in manifest.content["sources"]]


def _compare_lists(first: list[str], second: list[str]) -> dict[str, list[str]]:
    return {
        "only_first": sorted(set(first) - set(second)),
        "only_second": sorted(set(second) - set(first)),
    }


def open_readers(first: Path, second: Path) -> tuple[CellReader, CellReader]:
    """Open two training sets to compare them."""
    return CellReader.open(first), CellReader.open(second)
