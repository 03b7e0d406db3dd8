"""Levels: proteins folded into their genes, or genes into their proteins, through ``ENCODES``.

Expression sits on genes, much of the wiring on proteins. At level ``gene`` a protein's edges are
lifted to the genes that encode it and no protein is left; level ``protein`` is the mirror.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.export.graph.edges import Edges, Ids

#: Edges from a gene to its products are not lifted: they would join a gene with itself.
NEVER_LIFTED = ("ENCODES", "TRANSCRIBED_TO", "TRANSLATED_TO")

#: level -> (label that stays, label that is folded into it)
FOLDS = {"gene": ("Gene", "Protein"), "protein": ("Protein", "Gene")}


@dataclass(frozen=True)
class Fold:
    """Which node each folded node becomes.

    Attributes
    ----------
    folded, kept : (P,) int64
        Pairs of ``idx``, sorted by (folded, kept); either may occur many times.
    """

    folded: Ids
    kept: Ids

    @classmethod
    def of(cls, level: str, genes: Ids, proteins: Ids) -> Fold:
        """Make the fold of a level from the ends of all ``ENCODES``."""
        folded, kept = (proteins, genes) if level == "gene" else (genes, proteins)
        pairs = np.unique(np.stack([folded, kept], axis=1), axis=0)
        return cls(pairs[:, 0], pairs[:, 1])

    def kept_of(self, nodes: Ids) -> Ids:
        """Nodes that folded `nodes` become, sorted and unique."""
        return np.unique(self.kept[np.isin(self.folded, nodes)])

    def folded_of(self, nodes: Ids) -> Ids:
        """Folded nodes that become one of `nodes`, sorted and unique."""
        return np.unique(self.folded[np.isin(self.kept, nodes)])

    def expand(self, ends: Ids) -> tuple[NDArray[np.int64], Ids]:
        """Pair each end with what it becomes: itself where it is not folded.

        Returns
        -------
        row, node : (R,) int64
            Position in `ends` and the node; an end with two genes has two rows.
        """
        left = np.searchsorted(self.folded, ends, side="left")
        fan = np.searchsorted(self.folded, ends, side="right") - left
        rows = np.repeat(np.arange(len(ends)), np.maximum(fan, 1))
        nodes = ends[rows].copy()
        moved = np.flatnonzero(fan[rows] > 0)
        begin = np.cumsum(np.maximum(fan, 1)) - np.maximum(fan, 1)
        nodes[moved] = self.kept[left[rows[moved]] + (moved - begin[rows[moved]])]
        return rows, nodes


def choose_final_nodes(nodes: Ids, folded: Ids, fold: Fold) -> tuple[Ids, Ids]:
    """Nodes of the level, and those that are lost because nothing encodes them.

    Parameters
    ----------
    nodes : (n,) int64
        Selected nodes, sorted.
    folded : (f,) int64
        Those of them that have the label that is folded.
    fold : Fold
        Of the level.

    Returns
    -------
    nodes, lost : int64
        Both sorted; nodes of other labels stay as they are.
    """
    stay = np.setdiff1d(nodes, folded, assume_unique=True)
    return np.union1d(stay, fold.kept_of(folded)), np.setdiff1d(folded, fold.folded)


def lift(edges: Edges, fold: Fold) -> Edges:
    """Lift the edges of folded nodes.

    Returns
    -------
    Edges
        Ends are ``idx``. Edges that make gene products are dropped where an end is folded, and
        so are edges that become self-loops by lifting; edges of folded nodes that nothing
        encodes keep their ends, and drop out when they are placed.
    """
    touched = np.isin(edges.start, fold.folded) | np.isin(edges.end, fold.folded)
    if not touched.any():
        return edges
    edges = edges.take(~(touched & edges.named(*NEVER_LIFTED)))
    row, start = fold.expand(edges.start)
    half = replace(edges.take(row), start=start)
    row2, end = fold.expand(half.end)
    lifted = replace(half.take(row2), end=end)
    original = row[row2]
    moved = (lifted.start != edges.start[original]) | (lifted.end != edges.end[original])
    loop = (lifted.start == lifted.end) & (edges.start[original] != edges.end[original])
    return replace(lifted, lifted=lifted.lifted | moved).take(~loop)
