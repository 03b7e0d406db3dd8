"""Drawing a graph of Hetionet's shape: real or synthetic nodes, edges by counts per metaedge."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

#: (abbreviation, kinds of its ends, edges, distinct nodes on either side)
Metaedge = tuple[str, str, str, int, int, int]

#: The small graph: kind -> (nodes, identifier of node i).
SMALL = {
    "Gene": (800, "Gene::{}"),
    "Biological Process": (300, "Biological Process::GO:{:07d}"),
    "Compound": (120, "Compound::DB{:05d}"),
    "Disease": (40, "Disease::DOID:{}"),
    "Anatomy": (60, "Anatomy::UBERON:{:07d}"),
}
SMALL_METAEDGES: list[Metaedge] = [
    ("GpBP", "Gene", "Biological Process", 6000, 700, 300),
    ("GiG", "Gene", "Gene", 3000, 500, 500),
    ("Gr>G", "Gene", "Gene", 4000, 300, 600),
    ("AeG", "Anatomy", "Gene", 5000, 60, 750),
    ("CbG", "Compound", "Gene", 600, 110, 200),
    ("CtD", "Compound", "Disease", 100, 60, 30),
]

_WORDS = (
    "receptor", "kinase", "binding", "signaling", "pathway", "membrane", "protein", "cell",
    "response to", "regulation of", "immune", "activation", "transcription factor", "cytokine",
    "interferon", "complex", "positive", "negative", "differentiation", "growth", "apoptosis",
    "inflammatory", "lymphocyte", "tissue", "disorder", "chronic", "acute", "inhibitor",
    "treatment", "syndrome", "vascular", "neuronal", "synapse", "transport", "metabolic process",
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One row of Hetionet's node file."""

    id: str
    name: str
    kind: str


def real_nodes(path: Path) -> list[Node]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Node(r["id"], r["name"], r["kind"]) for r in rows]


def real_metaedges(path: Path) -> list[Metaedge]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = []
    for r in rows:
        name = r["metaedge"].replace(" > ", " - ")
        source, _, target = name.split(" - ")
        numbers = (int(r["edges"]), int(r["source_nodes"]), int(r["target_nodes"]))
        found.append((r["abbreviation"], source, target, *numbers))
    return found


def small_nodes() -> list[Node]:
    return [
        Node(pattern.format(i + 1), f"{kind.lower()} {i + 1}", kind)
        for kind, (n, pattern) in SMALL.items()
        for i in range(n)
    ]


def draw_edges(
    nodes: list[Node], metaedges: list[Metaedge], rng: np.random.Generator
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Draw distinct edges for each metaedge.

    Returns
    -------
    list of (str, (E,) int64, (E,) int64)
        Abbreviation, row of each edge's source and target in `nodes`. No self-loops; an edge
        between two nodes of one kind is there in one direction only.
    """
    by_kind: dict[str, list[int]] = {}
    for i, node in enumerate(nodes):
        by_kind.setdefault(node.kind, []).append(i)
    drawn = []
    for abbreviation, source, target, n, n_sources, n_targets in metaedges:
        left = rng.permutation(np.array(by_kind[source]))[:n_sources]
        same = source == target
        right = rng.permutation(np.array(by_kind[target]))[:n_targets]
        a, b = _distinct_pairs(left, right, n, len(nodes), rng, same=same)
        drawn.append((abbreviation, a, b))
    return drawn


def _distinct_pairs(
    left: np.ndarray,
    right: np.ndarray,
    n: int,
    n_nodes: int,
    rng: np.random.Generator,
    *,
    same: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs with hubs: a node's chance falls with its place in the shuffled list."""
    keys = np.empty(0, np.int64)
    while len(keys) < n:
        size = int((n - len(keys)) * 1.3) + 100
        a = left[(len(left) * rng.random(size) ** 1.5).astype(np.int64)]
        b = right[(len(right) * rng.random(size) ** 1.5).astype(np.int64)]
        if same:
            a, b = np.minimum(a, b)[a != b], np.maximum(a, b)[a != b]
        keys = np.unique(np.concatenate([keys, a.astype(np.int64) * n_nodes + b]))
    keys = rng.permutation(keys)[:n]
    return keys // n_nodes, keys % n_nodes


def write_nodes(path: Path, nodes: list[Node]) -> None:
    lines = ["id\tname\tkind", *(f"{n.id}\t{n.name}\t{n.kind}" for n in nodes)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_edges(
    path: Path, nodes: list[Node], drawn: list[tuple[str, np.ndarray, np.ndarray]]
) -> int:
    """Write Hetionet's SIF; returns the number of edges."""
    import polars as pl

    ids = pl.Series([n.id for n in nodes])
    total = 0
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"source\tmetaedge\ttarget\n")
        for abbreviation, a, b in drawn:
            frame = pl.DataFrame({"s": ids.gather(a), "t": ids.gather(b)}).select(
                "s", pl.lit(abbreviation).alias("m"), "t"
            )
            text = io.BytesIO()
            frame.write_csv(text, include_header=False, separator="\t")
            file.write(text.getvalue())
            total += frame.height
    return total


def write_descriptions(path: Path, nodes: list[Node], rng: np.random.Generator) -> None:
    """Write a description of real length for every node: 60 to 700 characters, 300 on average."""
    lengths = np.clip(rng.lognormal(np.log(270), 0.45, len(nodes)), 60, 700).astype(int)
    words = np.array(_WORDS)
    with path.open("w", encoding="utf-8") as file:
        file.write("id\tkind\tdescription\n")
        for node, length in zip(nodes, lengths.tolist(), strict=True):
            text = " ".join(words[rng.integers(0, len(words), length // 6 + 1)])
            file.write(f"{node.id}\t{node.kind}\t{node.name}: {text[:length].strip()}.\n")
