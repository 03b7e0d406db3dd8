"""Files of one relationship type at any size, as anyone's own tables with their maps.

Proteins with names and descriptions, and distinct pairs of them with a score and one number of
evidence; a few proteins have many partners, as in real networks. Another release of the same file
can say something else about a few pairs, or about all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.loaders.pipeline.load import SourceInput
from tosg.loaders.sources.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_BASE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_NODES_MAP = """\
source: proteins
license: CC0 1.0
release: "1"
entities:
  - type: Protein
    id: {column: accession, prefix: uniprot}
    name: name
    description: description
"""

_EDGES_MAP = """\
source: pairs
license: CC0 1.0
release: "1"
relationships:
  - type: INTERACTS_WITH
    start: {type: Protein, column: a, prefix: uniprot}
    end: {type: Protein, column: b, prefix: uniprot}
    score: {formula: score, numbers: [score]}
    evidence: {n: n}
"""


@dataclass(frozen=True)
class Drawn:
    """Tables in one folder: nodes, and relationships of one type between them."""

    nodes: Path
    edges: Path

    def inputs(self, edges: Path | None = None) -> list[SourceInput]:
        """Both tables as tosg loads them, or `edges` instead of the first ones."""
        return [_input(self.nodes), _input(edges or self.edges)]


def _input(table: Path) -> SourceInput:
    return SourceInput.locate(Table(), [table, table.with_suffix(".yaml")])


def accessions(nodes: int) -> pl.Series:
    """Texts that have the form of UniProt's accessions, one a node; up to 14 million."""
    middle = np.array(["".join(x) for x in itertools.product(_BASE, repeat=3)])
    numbers = np.arange(nodes)
    tens, rest = numbers // len(middle) // 10, numbers // len(middle) % 10
    frame = pl.DataFrame(
        {
            "letter": np.array(list("OPQ"))[tens // 10],
            "digit": tens % 10,
            "middle": middle[numbers % len(middle)],
            "last": rest,
        }
    )
    return frame.select(pl.concat_str("letter", "digit", "middle", "last")).to_series()


def draw_pairs(edges: int, nodes: int, seed: int) -> NDArray[np.int64]:
    """Draw distinct pairs of different nodes: (edges,) int64, each ``low * nodes + high``."""
    rng = np.random.default_rng(seed)
    keys = np.empty(0, np.int64)
    while len(keys) < edges:
        ends = (nodes * rng.random((2, edges // 4 + 1_000)) ** 2).astype(np.int64)
        low, high = ends.min(axis=0), ends.max(axis=0)
        keys = np.unique(np.concatenate([keys, (low * nodes + high)[low != high]]))
    return rng.permutation(keys)[:edges]


def write_tables(folder: Path, nodes: int, edges: int, seed: int) -> Drawn:
    """Write both tables and their maps."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = Drawn(folder / "proteins.tsv", folder / "pairs.tsv")
    drawn.nodes.with_suffix(".yaml").write_text(_NODES_MAP)
    names = accessions(nodes)
    number = pl.int_range(nodes, eager=True)
    described = pl.format("what protein {} does, as its source tells it", number)
    pl.DataFrame({"accession": names}).with_columns(
        pl.format("protein {}", number).alias("name"), described.alias("description")
    ).write_csv(drawn.nodes, separator="\t")
    write_edges(drawn.edges, draw_pairs(edges, nodes, seed), nodes)
    return drawn


def write_edges(
    path: Path, pairs: NDArray[np.int64], nodes: int, changed: NDArray[np.int64] | None = None
) -> None:
    """Write a table of pairs; rows `changed` have another number in their evidence."""
    path.with_suffix(".yaml").write_text(_EDGES_MAP)
    names = accessions(nodes)
    told = pairs % 97
    if changed is not None:
        told[changed] += 1_000
    with path.open("wb") as file:
        for first in range(0, len(pairs), 1_000_000):
            part = pairs[first : first + 1_000_000]
            pl.DataFrame(
                {
                    "a": names.gather(part // nodes),
                    "b": names.gather(part % nodes),
                    "score": (part % 1000) / 1000.0,
                    "n": told[first : first + len(part)],
                }
            ).write_csv(file, separator="\t", include_header=first == 0)
