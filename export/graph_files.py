"""The graph's files: ``nodes.parquet`` and ``graph.safetensors``, written in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.export.arrays import NO_SIGN
from tosg.export.files import TableFile, TensorFile, regrouped
from tosg.export.nodes import NODES, node_tables
from tosg.export.workspace import about, writing
from tosg.kg.errors import ExportError
from tosg.kg.reader import read_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.edge_columns import Claimant
    from tosg.export.nodes import Graph
    from tosg.kg.database import Database

    Specs = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]

NODE_ROWS = 65_536
_VECTOR_ROWS = 32_768


def write_nodes(path: Path, db: Database, graph: Graph) -> tuple[str, set[Claimant]]:
    """Write ``nodes.parquet``.

    Returns
    -------
    digest, claimants
        The digest of the content, and who claims the nodes.
    """
    claimants: set[Claimant] = set()
    with writing(path) as temporary, TableFile(temporary, NODES) as file:
        for table in regrouped(node_tables(db, graph, claimants), NODE_ROWS):
            file.write(table)
        return file.digest(), claimants


def write_graph(
    path: Path, db: Database, graph: Graph, dimension: int, dtype: str
) -> tuple[str, int]:
    """Write ``graph.safetensors``.

    Returns
    -------
    digest, nodes_with_text
        The digest of the content, and how many nodes have a text vector.
    """
    arrays = edge_arrays(graph)
    specs: Specs = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    specs["has_text"] = (np.dtype(bool), (graph.n,))
    specs["text_embedding"] = (np.dtype(dtype), (graph.n, dimension))
    has_text = np.zeros(graph.n, dtype=bool)
    with writing(path) as temporary, TensorFile(temporary, specs) as file:
        for name, array in arrays.items():
            file.write(name, array)
        file.write("text_embedding", _vectors(db, graph, dimension, has_text))
        file.write("has_text", has_text)
        return file.digest(), int(has_text.sum())


def edge_arrays(graph: Graph) -> dict[str, NDArray[Any]]:
    """Tensors of the edges and the types of nodes, as in the format."""
    edges = graph.edges
    return {
        "edge_index": np.stack([edges.start, edges.end]),
        "edge_type": edges.type.astype(np.int16),
        "edge_score": edges.score,
        "edge_sign": np.where(edges.sign == NO_SIGN, 0, edges.sign).astype(np.int8),
        "edge_lifted": edges.lifted,
        "edge_key": edges.key.astype(np.int32),
        "edge_source": edges.source.astype(np.int32),
        "node_type": graph.type.astype(np.int16),
    }


def vector_width(db: Database) -> int:
    """Width of the graph's text vectors, 0 where it has none."""
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity) WHERE n.embedding_f32 IS NOT NULL "
        "RETURN n.embedding_f32 AS vector LIMIT 1"
    )
    return len(rows[0]["vector"]) // 4 if rows else 0


def _vectors(
    db: Database, graph: Graph, dimension: int, has_text: NDArray[np.bool_]
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, graph.n if dimension else 0, _VECTOR_ROWS):
        part = slice(start, min(start + _VECTOR_ROWS, graph.n))
        vectors, present = read_embeddings(db, graph.idx[part])
        if not present.any():
            vectors = np.zeros((part.stop - start, dimension), dtype=np.float32)
        if vectors.shape[1] != dimension:
            raise ExportError(
                "text vectors of several widths",
                where="embedding_f32",
                found=f"{vectors.shape[1]} and {dimension}",
                hint="run `tosg embed` again",
            )
        has_text[part] = present
        yield vectors


def write_graph_files(
    folder: Path, db: Database, graph: Graph, dtype: str, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Write both files of the graph.

    Returns
    -------
    dict
        The receipt: digests, files, and what the manifest says of the graph.
    """
    dimension = vector_width(db)
    nodes_digest, claimants = write_nodes(folder / "nodes.parquet", db, graph)
    progress(1)
    graph_digest, with_text = write_graph(folder / "graph.safetensors", db, graph, dimension, dtype)
    progress(2)
    edges = graph.edges
    return {
        "digests": {"nodes": nodes_digest, "graph": graph_digest},
        "files": {n: about(folder / n) for n in ("nodes.parquet", "graph.safetensors")},
        "dimension": dimension,
        "nodes": graph.n,
        "edges": len(edges),
        "lifted_edges": int(edges.lifted.sum()),
        "isolated_nodes": graph.isolated,
        "nodes_with_text": with_text,
        "node_types": _tally(graph.types, graph.type),
        "edge_types": _tally(edges.types, edges.type),
        "edge_keys": list(edges.keys),
        "edge_sources": [list(s) for s in edges.sources],
        "claimants": sorted(claimants | graph.claimants),
        "warnings": list(graph.warnings),
    }


def _tally(names: tuple[str, ...], codes: NDArray[Any]) -> list[list[Any]]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return [list(pair) for pair in zip(names, counts, strict=True)]
