"""The graph's files: ``nodes.parquet`` and ``graph.safetensors``, written in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ExportError
from tosg.export.format.writers import TableFile, TensorFile, cut_tables
from tosg.export.graph.nodes import NODE_COLUMNS, node_tables
from tosg.export.write.workspace import describe_file
from tosg.files import writing
from tosg.kg.merge.agreement import NO_SIGN
from tosg.kg.reader.bulk import read_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.graph.edges import Claimant
    from tosg.export.graph.nodes import Nodes
    from tosg.export.graph.read import Graph
    from tosg.kg.database.connection import Database

    Array = NDArray[Any]
    Specs = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]

ROWS_PER_GROUP = 65_536
_VECTOR_ROWS = 32_768

#: Bytes of rows of zeros from which on the vectors of nodes that have one are stored alone.
PACK_BYTES = 1 << 20


def write_nodes(path: Path, db: Database, nodes: Nodes) -> tuple[str, set[Claimant]]:
    """Write ``nodes.parquet``.

    Returns
    -------
    digest, claimants
        The digest of the content, and who claims the nodes.
    """
    claimants: set[Claimant] = set()
    with writing(path) as temporary, TableFile(temporary, NODE_COLUMNS) as file:
        for table in cut_tables(node_tables(db, nodes, claimants), ROWS_PER_GROUP):
            file.write(table)
        return file.digest(), claimants


def write_graph(path: Path, graph: Graph, vectors: Array, has_text: Array) -> str:
    """Write ``graph.safetensors``; returns the digest of its content.

    Parameters
    ----------
    path : Path
    graph : Graph
    vectors : (T, D)
        Vectors of the nodes that have one, in the order of the nodes.
    has_text : (N,) bool
        Which nodes those are.
    """
    return write_tensors(path, make_edge_arrays(graph), vectors, has_text)


def write_tensors(path: Path, arrays: dict[str, Array], vectors: Array, has_text: Array) -> str:
    """Write arrays and text vectors: without the rows of nodes that have none where that is less.

    Rows of zeros stay where they are few, as in training sets of older versions.
    """
    arrays = {**arrays, "has_text": has_text}
    specs: Specs = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    n, width = len(has_text), vectors.shape[1]
    packed = (n - len(vectors)) * width * vectors.itemsize >= PACK_BYTES
    name = "text_vectors" if packed else "text_embedding"
    specs[name] = (vectors.dtype, (len(vectors) if packed else n, width))
    with writing(path) as temporary, TensorFile(temporary, specs) as file:
        for other, array in arrays.items():
            file.write(other, array)
        file.write(name, _in_blocks(vectors) if packed else _spread_blocks(vectors, has_text))
        return file.digest()


def _in_blocks(vectors: Array) -> Iterator[Array]:
    """Cut vectors into blocks of rows, so that a mapped file is never in memory as a whole."""
    for start in range(0, len(vectors), _VECTOR_ROWS):
        yield vectors[start : start + _VECTOR_ROWS]


def _spread_blocks(vectors: Array, has_text: Array) -> Iterator[Array]:
    """Give the rows of all nodes in blocks, zeros for those without a vector."""
    done = 0
    for start in range(0, len(has_text), _VECTOR_ROWS):
        present = has_text[start : start + _VECTOR_ROWS]
        block = np.zeros((len(present), vectors.shape[1]), vectors.dtype)
        count = int(present.sum())
        block[present] = vectors[done : done + count]
        done += count
        yield block


def make_edge_arrays(graph: Graph) -> dict[str, NDArray[Any]]:
    """Tensors of the edges and the types of nodes, as in the format."""
    edges = graph.edges
    return {
        "edge_index": np.stack([edges.start, edges.end]),
        "edge_type": edges.type,
        "edge_score": edges.score,
        "edge_sign": np.where(edges.sign == NO_SIGN, np.int8(0), edges.sign),
        "edge_lifted": edges.lifted,
        "edge_key": edges.key,
        "edge_source": edges.source,
        "node_type": graph.nodes.type.astype(np.int16),
    }


def read_vector_width(db: Database) -> int:
    """Width of the graph's text vectors, 0 where it has none."""
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity) WHERE n.embedding_f32 IS NOT NULL "
        "RETURN n.embedding_f32 AS vector LIMIT 1"
    )
    return len(rows[0]["vector"]) // 4 if rows else 0


def check_vectors(n_nodes: int, with_vector: int) -> list[str]:
    """Warn of nodes without a text vector."""
    if with_vector == 0:
        return ["the graph has no text vectors: run `tosg embed`, then export again to have them"]
    if with_vector < n_nodes:
        without = f"{n_nodes - with_vector:,} of {n_nodes:,} nodes have no text vector"
        return [f"{without}: run `tosg embed`, then export again"]
    return []


def spool_vectors(path: Path, db: Database, nodes: Nodes, dtype: str) -> tuple[Array, Array]:
    """Read the text vectors into a file.

    Returns
    -------
    vectors : (T, D) float32 or float16, mapped
        Of the nodes that have one, in their order; D is 0 where the graph has none.
    has_text : (N,) bool
    """
    width = read_vector_width(db)
    has_text = np.zeros(nodes.n, dtype=bool)
    with path.open("wb") as stream:
        for start in range(0, nodes.n if width else 0, _VECTOR_ROWS):
            part = slice(start, min(start + _VECTOR_ROWS, nodes.n))
            vectors, present = read_embeddings(db, nodes.idx[part])
            if not present.any():
                continue
            if vectors.shape[1] != width:
                raise ExportError(
                    "the text vectors in the graph differ in length",
                    where="embedding_f32",
                    found=f"{vectors.shape[1]} and {width}",
                    hint="run `tosg embed` again",
                )
            has_text[part] = present
            stream.write(np.ascontiguousarray(vectors[present], dtype=dtype).data)
    if not has_text.any():
        return np.empty((0, width), dtype=dtype), has_text
    shape = (int(has_text.sum()), width)
    return np.memmap(path, dtype=dtype, mode="r", shape=shape), has_text


def write_graph_files(
    folder: Path,
    db: Database,
    nodes: Nodes,
    read: Callable[[Event, Event], Graph],
    dtype: str,
    progress: Callable[[int], None],
) -> dict[str, Any]:
    """Write both files of the graph.

    Parameters
    ----------
    folder : Path
        Where they go; its ``work`` takes the vectors on their way.
    db : Database
    nodes : Nodes
    read : callable
        Reads the edges unless the first event it is given is set, and sets the second once it has
        them all. It runs in a thread: the server is busy with edges while texts are written here,
        and sends the vectors while the edges are sorted.
    dtype : str
        Of the vectors.
    progress : callable
        Called with the number of files that are done.

    Returns
    -------
    dict
        The receipt: digests, files, and what the manifest says of the graph.
    """
    stop, received = Event(), Event()
    spool = folder / "work" / "vectors"
    with ThreadPoolExecutor(1, "tosg-edges") as pool:
        later = pool.submit(read, stop, received)
        later.add_done_callback(lambda _: received.set())  # also where it fails
        try:
            nodes_digest, claimants = write_nodes(folder / "nodes.parquet", db, nodes)
            received.wait()
            vectors, has_text = spool_vectors(spool, db, nodes, dtype)
            progress(1)
            graph = later.result()
        except BaseException:
            stop.set()
            raise
    graph_digest = write_graph(folder / "graph.safetensors", graph, vectors, has_text)
    dimension = vectors.shape[1]
    del vectors
    spool.unlink()
    progress(2)
    edges = graph.edges
    return {
        "digests": {"nodes": nodes_digest, "graph": graph_digest},
        "files": {n: describe_file(folder / n) for n in ("nodes.parquet", "graph.safetensors")},
        "dimension": dimension,
        "nodes": nodes.n,
        "edges": len(edges),
        "lifted_edges": int(edges.lifted.sum()),
        "isolated_nodes": graph.isolated,
        "nodes_with_text": int(has_text.sum()),
        "node_types": _tally(nodes.types, nodes.type),
        "edge_types": _tally(edges.types, edges.type),
        "edge_keys": list(edges.keys),
        "edge_sources": [list(s) for s in edges.sources],
        "claimants": sorted(claimants | graph.claimants),
        "warnings": [*graph.warnings, *check_vectors(nodes.n, int(has_text.sum()))],
    }


def _tally(names: tuple[str, ...], codes: NDArray[Any]) -> list[list[Any]]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return [list(pair) for pair in zip(names, counts, strict=True)]
