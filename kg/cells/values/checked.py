"""A matrix whose unit is known: read in blocks, each value checked against the unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.values.codec import EXACT
from tosg.kg.cells.var.modality import GENE, modalities_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import Matrix

#: Reading -> the function that takes logarithms back.
UNLOG: dict[str, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    "linear": lambda x: x,
    "log1p": np.expm1,
    "log2p1": lambda x: np.exp2(x) - 1,
    "log10p1": lambda x: np.power(10.0, x) - 1,
}
#: Reading -> no logarithm of a normalised count is greater: 485 million per 10,000.
LARGEST_LOG = {
    "linear": np.inf,
    "log1p": 20.0,
    "log2p1": 20.0 / np.log(2),
    "log10p1": 20.0 / np.log(10),
}
#: How far the sum of a cell may be from what it is normalised to, as a share.
TOLERANCE = 0.01

#: Unit -> how it is read, and what no cell sums to more than.
_READINGS: dict[str, tuple[str, float | None]] = {
    "cp10k": ("linear", 1e4),
    "cpm": ("linear", 1e6),
    "log1p_cp10k": ("log1p", 1e4),
    "log1p": ("log1p", None),
    "log2p1": ("log2p1", None),
    "log10p1": ("log10p1", None),
}

_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class CheckedMatrix:
    """A matrix and the unit of its values.

    Attributes
    ----------
    path : Path
    matrix : Matrix
    unit : str
        See `tosg.kg.cells.values.units`.
    total : float or None
        What every cell sums to, logarithms taken back, where that told the unit.
    rounded : bool
        Whether corrected counts are rounded to counts.
    """

    path: Path
    matrix: Matrix
    unit: str
    total: float | None = None
    rounded: bool = False

    @cached_property
    def genes(self) -> npt.NDArray[np.bool_]:
        """Variables that a cell's total runs over: (n_variables,) bool."""
        return genes_of(self.matrix.var)

    def blocks(self, rows: npt.NDArray[np.int64]) -> Iterator[CsrRows]:
        """Yield the given rows (increasing) in bounded blocks; see `block`."""
        for block in self.matrix.blocks(rows):
            yield self._checked(block)

    def block(self, rows: npt.NDArray[np.int64]) -> CsrRows:
        """Read the given rows (increasing); counts come back as whole numbers.

        Raises
        ------
        DataError
            A value is NaN, infinite, below 0, not whole among counts, or a cell's sum
            contradicts the unit. The first one is named.
        """
        return self._checked(self.matrix.block(rows))

    def _checked(self, block: CsrRows) -> CsrRows:
        require_finite(self.path, self.matrix, block)
        if self.unit == "scaled" or not len(block.values):
            return block
        self._refuse(block, block.values < 0, "a value is below 0", f"{self.unit}: 0 or more")
        if self.unit == "counts":
            return self._counts(block)
        reading, most = _READINGS.get(self.unit, ("linear", None))
        largest = LARGEST_LOG[reading]
        too_large = block.values > largest
        what = "a value is too large for a logarithm"
        self._refuse(block, too_large, what, f"{self.unit}: at most {largest:.3g}")
        if most is not None or self.total is not None:
            self._check_sums(block, reading, most)
        return block

    def _counts(self, block: CsrRows) -> CsrRows:
        values = block.values
        whole = values if values.dtype.kind != "f" else np.rint(values)
        exact = whole is values or np.array_equal(whole, values)
        if not (exact or self.rounded):
            hint = (
                "if counts were corrected (SoupX, CellBender), --round makes them whole and "
                "--unit corrected_counts keeps the decimals"
            )
            what = "a count is not a whole number"
            self._refuse(block, ~is_whole(values), what, "whole numbers", hint)
        self._refuse(block, values > EXACT, "a count is too large", f"at most {EXACT:,}")
        return block if exact else block.with_values(whole).without_zeros()

    def _check_sums(self, block: CsrRows, reading: str, most: float | None) -> None:
        linear = UNLOG[reading](block.values.astype(np.float64))
        sums = block.row_sums(np.where(self.genes[block.indices], linear, 0.0))
        wrong = sums > (most or np.inf) * (1 + TOLERANCE)
        expected = f"{self.unit}: at most {most:,.0f}" if most else ""
        if self.total is not None:
            wrong |= (sums > 0) & (np.abs(sums / self.total - 1) > TOLERANCE)
            expected = f"{self.unit}: {self.total:,.0f}, as the cells that were looked at first"
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise DataError(
                "the values of a cell do not sum to what its unit says",
                where=f"{self.path}: {self.matrix.name}, row {int(block.rows[at])}",
                found=f"{sums[at]:,.1f}",
                expected=expected,
                hint="the cells may be normalised in two ways; give the unit with --unit, or "
                "another matrix with --matrix",
            )

    def _refuse(
        self, block: CsrRows, wrong: _Array, what: str, expected: str, hint: str | None = None
    ) -> None:
        _refuse_first(self.path, self.matrix, block, wrong, what, expected, hint)


def genes_of(var: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which variables a cell's total runs over: genes, or all of a file that has none."""
    genes = np.array([modality == GENE for modality in modalities_of(var)], bool)
    return genes if genes.any() else np.ones(len(var), bool)


def is_whole(values: _Array) -> npt.NDArray[np.bool_]:
    """Which values are whole numbers but for the rounding of floating-point arithmetic."""
    if values.dtype.kind != "f":
        return np.ones(len(values), bool)
    # float32 keeps seven digits, some of which normalising and back takes.
    allowed = np.clip(2e-6 * np.abs(values), 1e-4, 0.01)
    whole = np.rint(values)
    # What rounds to 0 is a small number, and no count.
    near: npt.NDArray[np.bool_] = (np.abs(values - whole) <= allowed) & (
        (whole != 0) | (values == 0)
    )
    return near


def require_finite(path: Path, matrix: Matrix, block: CsrRows) -> None:
    """Refuse values that are not finite numbers, naming the first.

    Raises
    ------
    DataError
        A value is NaN or infinite, or the values are no numbers.
    """
    if block.values.dtype.kind not in "fiub":
        raise DataError(
            "the values are not numbers",
            where=f"{path}: {matrix.name}",
            found=block.values.dtype,
            expected="integers or floating-point numbers",
        )
    expected = f"a finite number that float32 can hold, at most {np.finfo(np.float32).max:.2g}"
    hint = (
        "NaN is often a gene that one of several joined studies did not measure: attach the "
        "studies one by one, or leave the gene out"
    )
    wrong = ~np.isfinite(block.values)
    _refuse_first(path, matrix, block, wrong, "a value is not a finite number", expected, hint)


def _refuse_first(
    path: Path,
    matrix: Matrix,
    block: CsrRows,
    wrong: _Array,
    what: str,
    expected: str,
    hint: str | None,
) -> None:
    if not wrong.any():
        return
    at = int(np.flatnonzero(wrong)[0])
    row = int(block.rows[np.searchsorted(block.indptr, at, side="right") - 1])
    raise DataError(
        what,
        where=f"{path}: {matrix.name}, row {row}, variable {matrix.var.index[block.indices[at]]}",
        found=block.values[at],
        expected=expected,
        hint=hint,
    )
