"""Cells as text, for models that read: genes by rank, with what the graph says of them.

::

    Genes by abundance: LYZ, S100A8, CD3D.
    Known of them: LYZ: Lysozyme. ... S100A8: ...
    Between them: CD3D interacts with CD3E; LYZ ...

Ranks are within a cell, so that neither the unit nor the size of its library matters. Texts and
edges come from the training set alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tosg.errors import ConfigError
from tosg.files import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.layouts.stored import StoredSet
    from tosg.progress import Progress

_CELLS_AT_ONCE = 1024

#: How a sign reads, before the verb of the relationship.
_SIGNS = {1: " (raises)", -1: " (lowers)"}


@dataclass(frozen=True)
class CellTextOptions:
    """What a cell's text holds.

    Attributes
    ----------
    genes : int
        Most nodes that are named, by rank.
    facts : int
        How many of these the graph's text is quoted of.
    fact_characters : int
        Most characters of one quotation; whole sentences where one fits.
    edges : int
        Most edges between the named nodes.
    """

    genes: int = 100
    facts: int = 10
    fact_characters: int = 200
    edges: int = 20

    def __post_init__(self) -> None:
        for name in ("genes", "facts", "fact_characters", "edges"):
            least = 1 if name == "genes" else 0
            if getattr(self, name) < least:
                raise ConfigError(
                    "a number is too small",
                    where=name,
                    found=getattr(self, name),
                    expected=f"{least} or more",
                )


class CellWriter:
    """Writes the texts of cells of one training set.

    Parameters
    ----------
    stored : StoredSet
    options : CellTextOptions
    """

    def __init__(self, stored: StoredSet, options: CellTextOptions) -> None:
        nodes = stored.nodes
        self.options = options
        columns = (nodes[name].to_pylist() for name in ("symbol", "name", "id"))
        self.names = [symbol or name or id_ for symbol, name, id_ in zip(*columns, strict=True)]
        self._texts = nodes["text"].to_pylist()
        edges = stored.edges
        self._target, self._sign = edges["target"], edges["edge_sign"]
        kinds = [t["name"].lower().replace("_", " ") for t in stored.manifest.content["edge_types"]]
        self._verbs = [kinds[k] for k in edges["edge_type"].tolist()]
        self._order = np.argsort(edges["source"], kind="stable")
        counts = np.bincount(edges["source"], minlength=len(self.names))
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def write(self, nodes: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[list[str], str]:
        """Write the text of one cell.

        Parameters
        ----------
        nodes : (nnz,) integers
            Nodes with a value.
        values : (nnz,) float32

        Returns
        -------
        names : list of str
            Of the nodes above 0, greatest value first; of equal ones that with the lower row.
        text : str
        """
        above = values > 0
        nodes, values = nodes[above], values[above]
        ranked = nodes[np.lexsort((nodes, -values))][: self.options.genes]
        named = [self.names[node] for node in ranked.tolist()]
        if not named:
            return [], "No gene was seen."
        parts = [f"Genes by abundance: {', '.join(named)}."]
        known = [f"{self.names[n]}: {fact}" for n in ranked[: self.options.facts].tolist()
                 if (fact := self._fact(n))]  # fmt: skip
        if known:
            parts.append(f"Known of them: {' '.join(known)}")
        if between := self._edges_between(ranked):
            parts.append(f"Between them: {'; '.join(between)}.")
        return named, "\n".join(parts)

    def _fact(self, node: int) -> str:
        """The first sentences of a node's text, as many as fit; else its beginning."""
        text, most = self._texts[node] or "", self.options.fact_characters
        if len(text) <= most:
            return text
        ends = [m.end() for m in re.finditer(r"[.;!?](?=\s)", text[: most + 1])]
        return text[: ends[-1]] if ends else text[:most].rsplit(" ", 1)[0] + " ..."

    def _edges_between(self, ranked: NDArray[np.int64]) -> list[str]:
        inside = set(ranked.tolist())
        found: list[str] = []
        for node in ranked.tolist():
            for edge in self._order[self._start[node] : self._start[node + 1]].tolist():
                if len(found) >= self.options.edges:
                    return found
                target = int(self._target[edge])
                if target in inside and target != node:
                    sign = _SIGNS.get(int(self._sign[edge]), "")
                    said = f"{self.names[node]} {self._verbs[edge]}{sign} {self.names[target]}"
                    if said not in found:
                        found.append(said)
        return found


def cell_texts(stored: StoredSet, options: CellTextOptions) -> Iterator[pa.Table]:
    """Yield the texts of all cells in blocks: id, split, target, genes, text."""
    writer = CellWriter(stored, options)
    target = pa.array(stored.class_names())
    for start, block in stored.value_blocks(_CELLS_AT_ONCE):
        made = [
            writer.write(block.indices[a:b], block.data[a:b])
            for a, b in zip(block.indptr[:-1], block.indptr[1:], strict=True)
        ]
        here = stored.cells.slice(start, len(made))
        yield pa.table(
            {
                "id": here["id"],
                "split": here["split"],
                "target": target.slice(start, len(made)),
                "genes": pa.array([names for names, _ in made], pa.list_(pa.string())),
                "text": [text for _, text in made],
            }
        )


def write_cell_texts(
    stored: StoredSet, path: Path, progress: Progress, options: CellTextOptions | None = None
) -> None:
    """Write the texts of all cells as Parquet.

    Raises
    ------
    ExportError
        The training set has no cells.
    """
    stored.manifest.rows()
    total, done = stored.manifest.n_cells, 0
    progress("writing cells", 0, total)
    writer: Any = None
    with writing(path) as temporary:
        for table in cell_texts(stored, options or CellTextOptions()):
            if writer is None:
                writer = pq.ParquetWriter(temporary, table.schema, compression="zstd")
            writer.write_table(table)
            done += table.num_rows
            progress("writing cells", done, total)
        writer.close()
