"""Expression values made comparable between cells, each modality by its own total.

A cell's RNA is divided by its RNA counts, never by counts of antibodies, peaks or guides beside
them. Antibody counts, of which a panel has few and none is "the rest", are centred log-ratios.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.var.modality import GENE, OTHER, PROTEIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.cells.csr import CsrRows

#: Units that are linear in the counts of a cell.
LINEAR = ("counts", "corrected_counts", "normalized_counts", "cp10k", "cpm")

#: What `Normaliser` makes of antibody counts.
PROTEIN_UNIT = "clr"

_Floats = npt.NDArray[np.float64]


def log1p_scaled(values: npt.NDArray[Any], factors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Log of 1 + value times factor, in float64: (nnz,) float32."""
    logs: npt.NDArray[np.float32] = np.log1p(values * factors).astype(np.float32)
    return logs


def cp10k_factors(totals: npt.NDArray[Any]) -> _Floats:
    """What counts are multiplied by to be counts per 10,000 of a total: (n,) float64.

    A cell whose total is 0 has no counts.
    """
    return np.asarray(1e4 / np.where(totals > 0, totals, 1.0), np.float64)


def log1p_cp10k(rows: CsrRows, totals: npt.NDArray[Any] | None = None) -> npt.NDArray[np.float32]:
    """Log of 1 + counts per 10,000 of the cell's total.

    Parameters
    ----------
    rows : CsrRows
        Counts, or values proportional to them.
    totals : (n,), optional
        Total of each cell; by default the sum of its row. A cell whose total is 0 has no counts.

    Returns
    -------
    (nnz,) float32
    """
    sums = np.asarray(rows.row_sums() if totals is None else totals, np.float64)
    return log1p_scaled(rows.values, rows.spread(cp10k_factors(sums)))


def clr_divisors(rows: CsrRows, n_proteins: int) -> _Floats:
    """What the centred log-ratio of each cell divides by: exp of the mean of log(1 + x).

    Parameters
    ----------
    rows : CsrRows
        Antibody counts.
    n_proteins : int
        Antibodies of the panel, those without a count included.

    Returns
    -------
    (n,) float64, 1 or more
    """
    logs = rows.row_sums(np.log1p(rows.values.astype(np.float64)))
    return np.asarray(np.exp(logs / max(1, n_proteins)), np.float64)


def clr(rows: CsrRows, n_proteins: int) -> npt.NDArray[np.float32]:
    """Centred log-ratio within each cell: log(1 + x / g), with g as `clr_divisors` gives it.

    The form that Seurat uses (``NormalizeData``, method ``CLR``, margin 2) after Stoeckius et al.
    2017, https://doi.org/10.1038/nmeth.4380. A count of 0 stays 0.

    Returns
    -------
    (nnz,) float32
    """
    return log1p_scaled(rows.values, rows.spread(1 / clr_divisors(rows, n_proteins)))


@dataclass(frozen=True)
class Normaliser:
    """Makes values of whole cells comparable.

    Attributes
    ----------
    unit : str
        Unit of the values. Logarithms and z-scores stay as they are.
    modalities : sequence of str
        Of each variable; empty where all are genes.
    """

    unit: str
    modalities: Sequence[str] = ()

    @property
    def is_linear(self) -> bool:
        """Whether the values are divided by totals."""
        return self.unit in LINEAR

    @property
    def mean_unit(self) -> str:
        """Unit of the normalised values of genes."""
        return "log1p_cp10k" if self.is_linear else self.unit

    @cached_property
    def n_proteins(self) -> int:
        """Antibodies among the variables."""
        return sum(m == PROTEIN for m in self.modalities)

    def only(self, rows: CsrRows, modality: str) -> CsrRows:
        """Keep the entries of one modality."""
        if not self._kinds:
            return rows if modality == GENE else rows.keep(np.zeros(len(rows.indices), bool))
        kind = self._kinds.get(modality)
        return rows.keep(kind[rows.indices]) if kind is not None else rows.keep(self._none(rows))

    def normalise(self, rows: CsrRows, totals: npt.NDArray[Any] | None = None) -> CsrRows:
        """Values as group means and markers have them.

        Parameters
        ----------
        rows : CsrRows
            Whole cells: all variables of the file.
        totals : (n,), optional
            RNA counts of each cell where they are not the sum over the file's genes.

        Returns
        -------
        CsrRows
            float32: genes as log1p of counts per 10,000, antibodies as `clr`, others as log1p of
            shares per 10,000 of their own total.
        """
        if not self.is_linear:
            return rows.with_values(rows.values.astype(np.float32))
        if not self._kinds:
            return rows.with_values(log1p_cp10k(rows, totals))
        values = np.zeros(len(rows.values), np.float32)
        for modality, kind in self._kinds.items():
            chosen = kind[rows.indices]
            part = rows.keep(chosen)
            if modality == PROTEIN:
                values[chosen] = clr(part, self.n_proteins)
            else:
                values[chosen] = log1p_cp10k(part, totals if modality == GENE else None)
        return rows.with_values(values)

    @cached_property
    def _kinds(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Modality -> its variables; empty where all are genes."""
        kinds = np.array(self.modalities, object)
        if (kinds == GENE).all():
            return {}
        return {m: kinds == m for m in (GENE, PROTEIN, OTHER) if (kinds == m).any()}

    @staticmethod
    def _none(rows: CsrRows) -> npt.NDArray[np.bool_]:
        return np.zeros(len(rows.indices), bool)
