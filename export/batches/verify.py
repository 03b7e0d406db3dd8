"""Check all that the format promises of a training set, by reading the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.format.columns import read_columns
from tosg.export.format.damage import check_training_files
from tosg.export.format.manifest import SPLITS, format_error, take_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.export.batches.cell_reader import CellReader
    from tosg.export.format.manifest import Manifest


def verify(reader: CellReader) -> None:
    """Check the files' hashes, and order and ranges of what is in them.

    Raises
    ------
    ExportError
        A file was changed, or breaks a rule of ``docs/formats/training-set.md``.
    """
    manifest = reader.manifest
    check_training_files(manifest, sha256=True)
    _check_nodes(manifest)
    _check_edges(manifest)
    if manifest.has_cells:
        _check_cells(manifest)
        reader.read(range(0))  # checks the other columns, and what was measured
        reader.expression.verify()


def _check_nodes(manifest: Manifest) -> None:
    path = manifest.path("nodes.parquet")
    table = read_columns(path, ["idx", "id", "type"])
    types = pc.unique(table["type"]).to_pylist()
    if table.num_rows != manifest.n_nodes:
        raise format_error(path, f"{table.num_rows:,} rows", f"{manifest.n_nodes:,}")
    if not rises(table["idx"].to_numpy()).all():
        raise format_error(path, "idx that does not increase", "idx strictly increasing")
    if len(pc.unique(table["id"])) != table.num_rows:
        raise format_error(path, "an id that occurs twice", "unique ids")
    if others := sorted(set(types) - set(manifest.node_types)):
        raise format_error(path, f"type {others[0]}", "types of content.node_types")


def _check_edges(manifest: Manifest) -> None:
    content, path = manifest.content, manifest.path("graph.safetensors")
    graph = GraphTensors(manifest.folder, [], add_reverses=False)
    _ = graph.text_vectors  # as many as nodes with text
    source, target = graph.edge_index.numpy()
    places = {
        "edge_type": content["edge_types"],
        "edge_key": content["edge_keys"],
        "edge_source": content["edge_sources"],
        "node_type": content["node_types"],
    }
    for name, names in places.items():
        codes = getattr(graph, name).numpy()
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise format_error(path, f"{name} up to {codes.max()}", f"positions in content.{name}s")
    kind, key, sign = (getattr(graph, n).numpy() for n in ("edge_type", "edge_key", "edge_sign"))
    if not rises(kind, source, target, key, sign).all():
        raise format_error(
            path, "edges out of order, or one twice", "(type, source, target, key, sign) increasing"
        )
    undirected = np.array([not t["directed"] for t in content["edge_types"]], dtype=bool)[kind]
    if (undirected & (source > target)).any():
        raise format_error(path, "an undirected edge with source > target", "source <= target")


def _check_cells(manifest: Manifest) -> None:
    path = manifest.path("cells.parquet")
    table = read_columns(path, ["id", "split"])
    if len(pc.unique(table["id"])) != table.num_rows:
        raise format_error(path, "an id that occurs twice", "unique ids")
    if table.num_rows != manifest.n_cells:
        raise format_error(path, f"{table.num_rows:,} rows", f"{manifest.n_cells:,} rows")
    expected = np.full(table.num_rows, "", object)
    for name in SPLITS:
        rows = manifest.rows(name)
        expected[take_rows(rows, np.arange(len(rows)))] = name
    if table["split"].to_pylist() != expected.tolist():
        raise format_error(path, "splits out of order", "rows of content.splits")


def rises(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """(n - 1,) bool: whether each row of the columns comes after the one before it."""
    n = len(columns[0])
    later, same = np.zeros(max(n - 1, 0), bool), np.ones(max(n - 1, 0), bool)
    for column in columns:
        later |= same & (column[1:] > column[:-1])
        same &= column[1:] == column[:-1]
    return later
