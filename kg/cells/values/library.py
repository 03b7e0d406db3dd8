"""Library sizes: the RNA counts of a cell, by which its values are divided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.obs.field_source import FieldSource

#: A file with fewer genes is a panel or a selection: its own sums are no library sizes.
PANEL_GENES = 8_000

#: Columns in which tools keep the counts of the whole library.
_COLUMNS = ("total_counts", "n_counts", "ncount_rna", "n_umi", "numi", "raw_sum", "n_umis")

_Int64s = npt.NDArray[np.int64]


def read_library_sizes(obs: pd.DataFrame, source: FieldSource, where: Path) -> _Int64s:
    """Read the library size of each cell from the column that the user names.

    Returns
    -------
    (n_cells,) int64

    Raises
    ------
    UsageError
        A constant or a translation instead of a column.
    DataError
        A value is missing, not a whole number or not above 0; the first one is named.
    """
    if source.column is None or source.values:
        raise UsageError(
            "the library size cannot be one value for all cells",
            where="n_counts",
            found=source.constant or "values",
            expected="--map n_counts=COLUMN",
        )
    values = _numbers(obs[source.column])
    whole = np.abs(values - np.rint(values)) < 1e-3
    wrong = ~(np.isfinite(values) & (values > 0) & (values < 2**53) & whole)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            "a library size is not a whole number above 0",
            where=f"{where}: obs, {source.column}, {obs.index[at]}",
            found=obs[source.column].iloc[at],
            expected="the RNA counts of the cell over all genes",
        )
    return np.rint(values).astype(np.int64)


def _numbers(series: pd.Series[Any]) -> npt.NDArray[np.float64]:
    import pandas as pd

    return np.asarray(pd.to_numeric(series.astype(str), errors="coerce"), np.float64)


def check_library_sizes(
    rows: CsrRows, sums: npt.NDArray[Any], sizes: _Int64s, column: str, where: Path
) -> None:
    """Refuse a library size that is less than the counts that the file has of the cell."""
    short = sums > sizes
    if short.any():
        at = int(np.flatnonzero(short)[0])
        raise DataError(
            "a library size is less than the counts of the cell",
            where=f"{where}: obs, {column}, row {int(rows.rows[at])}",
            found=int(sizes[at]),
            expected=f"{int(sums[at])} or more",
            hint="map the column with the counts of the whole library",
        )


def panel_note(n_genes: int, unit: str, columns: Sequence[str], *, mapped: bool) -> str | None:
    """Say that the sums of a panel are no library sizes, and which column may have them."""
    if mapped or unit not in ("counts", "corrected_counts") or n_genes >= PANEL_GENES:
        return None
    near = [c for c in columns if c.lower() in _COLUMNS]
    perhaps = f"; perhaps {', '.join(near)}" if near else ""
    return (
        f"{n_genes:,} genes are a panel or a selection: sums over them are no library sizes, and "
        f"n_counts, means and markers are over the panel; --map n_counts=COLUMN takes the sizes of "
        f"the whole libraries{perhaps}"
    )
