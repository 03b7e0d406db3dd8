"""The graph that the benchmarks run on, of Hetionet's size.

The real node file, 2,250,197 relationships drawn with a fixed seed by the real counts per
metaedge, descriptions of real length, 384-wide unit vectors. ``--small`` makes a synthetic graph
of a thousand nodes in the same formats, which needs no shared data.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from benchmarks import draw, note
from tosg.errors import DataError
from tosg.kg import server
from tosg.kg.database import counts as stats
from tosg.kg.server.connect import connect
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.pipeline.load import SourceInput, load
from tosg.loaders.sources.hetionet import Hetionet
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks import Options
    from tosg.kg.claims.log import SourceLog
    from tosg.kg.database.connection import Database

#: Width of the vectors.
DIMENSION = 384

#: Changes when the drawn files would come out differently.
VERSION = 1


@dataclass(frozen=True)
class Sources:
    """Generated source files.

    Attributes
    ----------
    nodes, edges, descriptions : Path
        Hetionet's node TSV, its edge SIF (gzip), and a TSV of id, kind and description.
    n_nodes, n_edges : int
        What they hold.
    """

    nodes: Path
    edges: Path
    descriptions: Path
    n_nodes: int
    n_edges: int

    def inputs(self) -> list[SourceInput]:
        """The files as tosg loads them."""
        hetionet = Hetionet()
        descriptions = Descriptions()
        return [
            SourceInput.locate(hetionet, [self.nodes, self.edges]),
            SourceInput.locate(descriptions, [self.descriptions]),
        ]


class Descriptions(Loader):
    """Texts of real length for Hetionet's nodes, which have names only."""

    name: ClassVar[str] = "descriptions"
    title: ClassVar[str] = "Drawn descriptions"
    homepage: ClassVar[str] = "benchmarks/draw.py"
    license: ClassVar[str] = "CC0 1.0"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("descriptions", ("descriptions.tsv",), "id, kind, description"),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        from tosg.loaders.reference.hetionet import node_columns

        path = files["descriptions"]
        file = log.file(path)
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        file.read(len(rows))
        origin = self.origin(path, release)
        types, ids, _ = node_columns(pa.array([r["id"] for r in rows]))
        texts = [r["description"] for r in rows]
        file.parsed(len(rows))
        yield origin.entities(len(rows), None, type=types, id=ids, description=texts)


def sources(options: Options) -> Sources:
    """Write the source files into ``options.home``, or find them there."""
    folder = options.home / f"sources-v{VERSION}-{options.seed}"
    receipt = folder / "receipt.json"
    paths = (
        folder / "hetionet-v1.0-nodes.tsv",
        folder / "hetionet-v1.0-edges.sif.gz",
        folder / "descriptions.tsv",
    )
    if not receipt.exists():
        note("drawing the source files ...")
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(options.seed)
        nodes, metaedges = _shape(options)
        draw.write_nodes(paths[0], nodes)
        n_edges = draw.write_edges(paths[1], nodes, draw.draw_edges(nodes, metaedges, rng))
        draw.write_descriptions(paths[2], nodes, rng)
        receipt.write_text(json.dumps({"nodes": len(nodes), "edges": n_edges}))
    counts = json.loads(receipt.read_text())
    return Sources(*paths, n_nodes=counts["nodes"], n_edges=counts["edges"])


def _shape(options: Options) -> tuple[list[draw.Node], list[draw.Metaedge]]:
    if options.small:
        return draw.small_nodes(), draw.SMALL_METAEDGES
    if options.data is None:
        raise DataError(
            "the benchmark graph needs Hetionet's real node file",
            expected="hetionet/hetionet-v1.0-nodes.tsv and hetionet/metaedges.tsv below --data",
            hint="--data DIR, or --small for a synthetic graph",
        )
    folder = options.data / "hetionet"
    nodes = draw.real_nodes(folder / "hetionet-v1.0-nodes.tsv")
    return nodes, draw.real_metaedges(folder / "metaedges.tsv")


def settings(options: Options, name: str = "graph") -> Settings:
    """Give the settings of the benchmarks' own managed server `name` under ``options.home``."""
    return load_settings({"home": options.home / name}, folder=options.home)


def prepared(options: Options) -> Database:
    """Open the benchmark graph with vectors, loading it first where it is not there yet.

    Every node has ``embedding`` (LIST<FLOAT>, unit length) and ``embedding_f32`` (the same vector
    as little-endian float32 bytes), 384 wide. The server stays up; `stop` it when done.
    """
    here = settings(options)
    files = sources(options)
    receipt = options.home / "graph" / f"prepared-v{VERSION}-{options.seed}.json"
    if not receipt.exists():
        note("loading the benchmark graph ...")
        with connect(here) as db:
            found = stats.count(db)
        if found.nodes.get("Entity"):
            raise DataError(
                "the benchmarks' database holds a graph that was not finished",
                where=here.home,
                hint="remove that folder (after `tosg down`)",
            )
        report = load(here, files.inputs(), settle=False)
        n = sum(report.after.relationships.values())
        if n != files.n_edges:
            raise DataError("edges were lost", found=n, expected=files.n_edges)
        with connect(here) as db:
            write_texts_and_vectors(db, options.seed)
        receipt.write_text(json.dumps(report.after.as_dict()))
    return connect(here)


def stop(options: Options, name: str = "graph") -> None:
    """Stop the benchmarks' server."""
    server.stop(settings(options, name))


def vectors(idx: np.ndarray, seed: int) -> np.ndarray:
    """Unit vectors of nodes: (n,) int64 ``idx`` to (n, 384) float32, the same in every run."""
    out = np.empty((len(idx), DIMENSION), np.float32)
    for i, number in enumerate(idx.tolist()):
        out[i] = np.random.default_rng((seed, number)).standard_normal(DIMENSION, np.float32)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out


def write_texts_and_vectors(db: Database, seed: int, batch: int = 2000) -> None:
    """Give every entity ``text`` (its description), ``embedding`` and ``embedding_f32``."""
    rows = db.rows("CYPHER 5 MATCH (n:Entity) RETURN n.idx AS idx ORDER BY idx")
    idx = np.array([r["idx"] for r in rows], np.int64)
    query = (
        "CYPHER 5 UNWIND range(0, size($idx) - 1) AS i "
        "MATCH (n:Entity {idx: $idx[i]}) SET n.text = n.description, n.embedding_f32 = $bytes[i] "
        "WITH n, $vectors[i] AS vector CALL db.create.setNodeVectorProperty(n, 'embedding', vector)"
    )
    for start in range(0, len(idx), batch):
        some = idx[start : start + batch]
        block = vectors(some, seed)
        db.write(
            query,
            idx=some.tolist(),
            bytes=[row.astype("<f4").tobytes() for row in block],
            vectors=block.tolist(),
        )
