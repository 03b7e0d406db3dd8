"""Expression values made comparable between cells: log1p of counts per 10,000."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tosg.kg.cells.csr import CsrRows

#: Units that are linear in the counts of a cell.
LINEAR = ("counts", "cp10k", "cpm")


def log1p_cp10k(
    rows: CsrRows, totals: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float32]:
    """Log of 1 + counts per 10,000 of the cell's total.

    Parameters
    ----------
    rows : CsrRows
        Counts, or values proportional to them.
    totals : (n,) float64, optional
        Total of each cell over all variables of its file; by default the sum of its row. A cell
        whose total is 0 has no counts.

    Returns
    -------
    (nnz,) float32
    """
    sums = np.asarray(rows.row_sums() if totals is None else totals, np.float64)
    per_value = rows.spread(1e4 / np.where(sums > 0, sums, 1.0))
    logs: npt.NDArray[np.float32] = np.log1p(rows.values * per_value).astype(np.float32)
    return logs


def normalise(unit: str, rows: CsrRows) -> npt.NDArray[np.float32]:
    """Values as group means and markers have them.

    Parameters
    ----------
    unit : str
        Unit of the values. Logarithms and z-scores come back as they are.
    rows : CsrRows
        Whole cells, all variables of the file: their sum is the cell's total.

    Returns
    -------
    (nnz,) float32
    """
    return log1p_cp10k(rows) if unit in LINEAR else rows.values.astype(np.float32)
