"""The graph that the benchmarks run on, of Hetionet's size.

The real node file, 2,250,197 relationships drawn with a fixed seed by the real counts per
metaedge, descriptions of real length, 384-wide unit vectors. ``--small`` makes a synthetic graph
of a few thousand nodes in the same formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks import Options
    from tosg.kg.database import Database
    from tosg.kg.settings import Settings

#: Width of the vectors.
DIMENSION = 384


@dataclass(frozen=True)
class Sources:
    """Generated source files.

    Attributes
    ----------
    nodes, edges, descriptions : Path
        Hetionet's node TSV, its edge SIF (gzip), and a TSV of id and description.
    n_nodes, n_edges : int
        What they hold.
    """

    nodes: Path
    edges: Path
    descriptions: Path
    n_nodes: int
    n_edges: int


def sources(options: Options) -> Sources:
    """Write the source files into ``options.home``, or find them there."""
    raise NotImplementedError


def settings(options: Options, name: str = "graph") -> Settings:
    """Give the settings of the benchmarks' own managed server `name` under ``options.home``."""
    raise NotImplementedError


def prepared(options: Options) -> Database:
    """Open the benchmark graph with vectors, loading it first where it is not there yet.

    Every node has ``embedding`` (LIST<FLOAT>, unit length) and ``embedding_f32`` (the same vector
    as little-endian float32 bytes), 384 wide. The server stays up: `stop` it when done.
    """
    raise NotImplementedError
