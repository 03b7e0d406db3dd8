"""Looks at a matrix and tells what its numbers are, where they leave one reading.

A logarithm shows in two ways: taken back, the values of every cell sum to one number, or they are
whole multiples of the smallest (one count), which holds also where only some of the genes were
kept. Decimals that do neither in exactly one base are left to the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.values.checked import (
    LARGEST_LOG,
    TOLERANCE,
    UNLOG,
    genes_of,
    is_whole,
    require_finite,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import Matrix

#: Layers of velocyto, scVelo and kb-python that hold a part of a cell's counts.
PARTS = frozenset({"spliced", "unspliced", "ambiguous", "mature", "nascent"})

_PROBES = 3
PROBE_ROWS = 512
#: Cells from which on a constant sum is no accident.
_MIN_CELLS = 3
#: Multiples of the smallest value of a cell that are looked at: rounding to three decimals, as
#: some files have, blurs greater ones.
_MOST_MULTIPLE = 12
_MULTIPLE_TOLERANCE = 0.03
#: The smallest value of a cell may be so many counts.
_MOST_SMALLEST = 4
_MIN_INFORMATIVE = 10
_MIN_RANKS = 10
_MIN_GENES = 5
_MIN_SHARE = 0.95

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class UnitFinding:
    """What one matrix holds.

    Attributes
    ----------
    matrix : Matrix
    unit : str or None
        None where the values leave several readings or none.
    reason : str
    error : DataError or None
        Of a matrix whose values cannot be used.
    possible : tuple of str
        Units that the values do not contradict: what the user may say that it is.
    total : float or None
        What every cell sums to, taken back from logarithms, where that was found.
    """

    matrix: Matrix
    unit: str | None
    reason: str
    error: DataError | None = None
    possible: tuple[str, ...] = ()
    total: float | None = None


def is_part(matrix: Matrix) -> bool:
    """Whether a layer holds a part of each cell's counts by its name."""
    return layer_of(matrix) in PARTS


def layer_of(matrix: Matrix) -> str:
    """Name of a layer in lower case; "" for other matrices."""
    return matrix.name.rpartition("/")[2].lower() if "/" in matrix.name else ""


def part_of(matrix: Matrix, parts: Sequence[Matrix]) -> str | None:
    """Name of the layer of a part of the counts that a matrix is, or has the same values as."""
    if layer_of(matrix) in PARTS:
        return layer_of(matrix)
    if len(parts) < 2:  # a part that stands alone may be all there is
        return None
    rows = probe_rows(matrix)
    own = matrix.block(rows).to_scipy(matrix.shape[1])
    for part in parts:
        if part.shape == matrix.shape and not (part.block(rows).to_scipy(part.shape[1]) != own).nnz:
            return layer_of(part)
    return None


def look(path: Path, matrix: Matrix) -> UnitFinding:
    """Tell the unit of a matrix from rows at its start, middle and end.

    Only variables that are genes are looked at, where the file says which are.
    """
    rows = probe_rows(matrix)
    parts = [
        matrix.block(rows[i : i + matrix.block_rows])
        for i in range(0, len(rows), matrix.block_rows)
    ]
    try:
        for part in parts:
            require_finite(path, matrix, part)
    except DataError as error:  # a file may have a matrix that is of use beside one that is not
        return UnitFinding(matrix, None, f"{error.what}: {error.found} at {error.where}", error)
    genes = genes_of(matrix.var)
    parts = [p.keep(genes[p.indices]) for p in parts]
    values = np.concatenate([p.values for p in parts]) if parts else np.empty(0)
    if not len(values):
        return UnitFinding(matrix, None, "every value looked at is 0", possible=("counts",))
    if values.min() < 0:
        reason = f"values below 0, down to {values.min():.4g}"
        return UnitFinding(matrix, "scaled", reason, possible=("scaled",))
    if is_whole(values).all():
        return _whole(matrix, parts, values)
    return _decimals(matrix, parts, values)


def are_counts_of(layer: Matrix, logs: Matrix, unit: str) -> bool:
    """Whether whole numbers are the counts that logarithms of the same cells were made of.

    Then the logarithms, taken back, are the counts times one number in each cell. Bins and ranks
    of expression are no such multiples.

    Parameters
    ----------
    layer, logs : Matrix
        Of one shape.
    unit : str
        Of the logarithms.
    """
    take_back = UNLOG["log1p" if unit == "log1p_cp10k" else unit]
    rows = probe_rows(layer)
    counts = layer.block(rows).to_scipy(layer.shape[1]).tocsr()
    linear = logs.block(rows).to_scipy(logs.shape[1]).tocsr().astype(np.float64)
    linear.data = take_back(linear.data)
    told = fitting = 0
    for row in range(counts.shape[0]):
        own, other = counts[row].toarray().ravel(), linear[row].toarray().ravel()
        both = (own > 0) & (other > 0)
        if both.sum() < _MIN_GENES:
            continue
        told += 1
        ratios = other[both] / own[both]
        same = np.abs(ratios / np.median(ratios) - 1) < _MULTIPLE_TOLERANCE
        fitting += bool(same.mean() >= _MIN_SHARE)
    return told == 0 or fitting >= _MIN_SHARE * told


def probe_rows(matrix: Matrix) -> npt.NDArray[np.int64]:
    """Rows at the start, the middle and the end of a matrix."""
    n = matrix.shape[0]
    starts = sorted({0, max(0, n // 2 - PROBE_ROWS // 2), max(0, n - PROBE_ROWS)})
    spans = [np.arange(s, min(n, s + PROBE_ROWS)) for s in starts[:_PROBES]]
    return np.unique(np.concatenate(spans))


def _whole(matrix: Matrix, parts: list[CsrRows], values: _Array) -> UnitFinding:
    """Whole numbers are counts, but for masks, ranks and rounded counts per 10,000."""
    if np.rint(values.max()) <= 1:
        reason = "only 0 and 1, as a mask or a binarised matrix has"
        return UnitFinding(matrix, None, reason, possible=("counts",))
    if _one_value_a_cell(parts):
        reason = "one value in each cell, as a mask or labels of cells have"
        return UnitFinding(matrix, None, reason, possible=("counts",))
    if _are_ranks(parts):
        return UnitFinding(matrix, None, "the values of each cell are its ranks 1, 2, 3, ...")
    sums = _sums(parts, lambda x: x)
    for unit, total in (("cp10k", 1e4), ("cpm", 1e6)):
        if _all_near(sums, total) and len(sums) >= _MIN_CELLS and np.ptp(sums) > 0:
            reason = f"whole numbers whose cells sum to about {total:,.0f}: counts, or rounded"
            return UnitFinding(matrix, None, f"{reason} {unit}", possible=("counts", unit))
    total = float(np.median(sums))
    if len(sums) >= _MIN_INFORMATIVE and _all_near(sums, total) and np.ptp(sums) > 0:
        reason = f"whole numbers whose cells sum to about {total:,.0f}: counts, or rounded"
        possible = ("counts", "normalized_counts")
        return UnitFinding(matrix, None, f"{reason} normalized_counts", possible=possible)
    off = float(np.abs(values - np.rint(values)).max())
    reason = f"whole numbers from 0 to {values.max():g}"
    if off:
        reason += f", but for rounding: off by at most {off:.1g}"
    return UnitFinding(matrix, "counts", reason, possible=("counts", "corrected_counts"))


def _one_value_a_cell(parts: list[CsrRows]) -> bool:
    """Whether every cell has one value only, in many genes: masks, numbers of clusters."""
    wide = 0
    for part in parts:
        for a, b in zip(part.indptr[:-1].tolist(), part.indptr[1:].tolist(), strict=True):
            if b - a and np.ptp(part.values[a:b]):
                return False
            wide += b - a >= _MIN_GENES
    return wide >= _MIN_INFORMATIVE


def _are_ranks(parts: list[CsrRows]) -> bool:
    """Whether the values of every cell are 1 ... k in some order, in many cells for a large k."""
    long = 0
    for part in parts:
        for a, b in zip(part.indptr[:-1].tolist(), part.indptr[1:].tolist(), strict=True):
            if b - a:
                if not np.array_equal(np.sort(part.values[a:b]), np.arange(1, b - a + 1)):
                    return False
                long += b - a >= _MIN_RANKS
    return long >= _MIN_INFORMATIVE


def _decimals(matrix: Matrix, parts: list[CsrRows], values: _Array) -> UnitFinding:
    largest = float(values.max())
    shown = f"fractions up to {largest:.4g}"
    readings = {u: _sums(parts, f) for u, f in UNLOG.items() if largest <= LARGEST_LOG[u]}
    totals = {u: float(np.median(s)) for u, s in readings.items() if _constant(u, s)}
    possible = _possible(readings)
    if len(totals) == 1:
        ((reading, total),) = totals.items()
        unit, nominal = _named(reading, total)
        reason = f"{_TAKEN_BACK[reading]} sums to {nominal:,.0f} in every cell"
        return UnitFinding(matrix, unit, reason, possible=_alike(unit, possible), total=nominal)
    multiples = [u for u in readings if _are_multiples(parts, UNLOG[u])] if not totals else []
    if len(multiples) == 1:
        unit = _named(multiples[0], None)[0]
        taken = _TAKEN_BACK[multiples[0]]
        reason = f"{taken} is a whole multiple of one number in each cell, as counts are"
        return UnitFinding(matrix, unit, reason, possible=_alike(unit, possible))
    if totals or multiples:
        several = " and ".join(_TAKEN_BACK[u] for u in totals or multiples)
        return UnitFinding(matrix, None, f"{shown}, which fit {several} alike", possible=possible)
    ranges = "; ".join(
        f"{_TAKEN_BACK[u]} sums to {s.min():,.0f} ... {s.max():,.0f}"
        for u, s in readings.items()
        if u in ("linear", "log1p")
    )
    return UnitFinding(matrix, None, f"{shown}: {ranges}", possible=possible)


#: What the text of a reading says was added up.
_TAKEN_BACK = {
    "linear": "x",
    "log1p": "exp(x) - 1",
    "log2p1": "2^x - 1",
    "log10p1": "10^x - 1",
}


def _named(reading: str, total: float | None) -> tuple[str, float]:
    """Unit of a reading whose cells sum to a total, and the total without rounding."""
    known = {"linear": {1e4: "cp10k", 1e6: "cpm"}, "log1p": {1e4: "log1p_cp10k"}}
    for nominal, unit in known.get(reading, {}).items():
        if total is not None and abs(total / nominal - 1) < TOLERANCE:
            return unit, nominal
    return "normalized_counts" if reading == "linear" else reading, total or 0.0


def _alike(unit: str, possible: tuple[str, ...]) -> tuple[str, ...]:
    """Units that a certain one may be said to be as well."""
    families = (
        # log1p of a selection of variables cannot be told from log1p of all of them.
        ("log1p_cp10k", "log1p"),
        ("cp10k", "cpm", "normalized_counts", "corrected_counts"),
    )
    family = next((f for f in families if unit in f), (unit,))
    return tuple(dict.fromkeys((unit, *(u for u in family if u in possible))))


def _possible(readings: dict[str, npt.NDArray[np.float64]]) -> tuple[str, ...]:
    found = ["corrected_counts", "normalized_counts"]
    found += [u for u in readings if u != "linear"]
    for unit, reading, total in (
        ("cp10k", "linear", 1e4),
        ("cpm", "linear", 1e6),
        ("log1p_cp10k", "log1p", 1e4),
    ):
        if reading in readings and readings[reading].max() <= total * (1 + TOLERANCE):
            found.append(unit)
    return tuple(found)


def _sums(parts: list[CsrRows], take_back: Callable[[_Array], _Array]) -> npt.NDArray[np.float64]:
    """Sum of each cell that has a value, after logarithms were taken back."""
    with np.errstate(over="ignore"):
        sums = [p.row_sums(take_back(p.values.astype(np.float64))) for p in parts]
    found = np.concatenate(sums)
    return found[found > 0]


def _constant(reading: str, sums: npt.NDArray[np.float64]) -> bool:
    """Whether cells sum to one number; of one or two cells only a customary number counts."""
    if _named(reading, float(np.median(sums)))[0] in ("cp10k", "cpm", "log1p_cp10k"):
        return _all_near(sums, float(np.median(sums)))
    return len(sums) >= _MIN_CELLS and _all_near(sums, float(np.median(sums)))


def _are_multiples(parts: list[CsrRows], take_back: Callable[[_Array], _Array]) -> bool:
    """Whether the values of nearly every cell are whole multiples of one number per cell.

    Counts scaled by a number per cell are; decimals of another origin are not. The smallest value
    of a cell may be 1 ... `_MOST_SMALLEST` counts. A cell tells something if it has two or more
    different small multiples.
    """
    informative = fitting = 0
    for part in parts:
        linear = take_back(part.values.astype(np.float64))
        for a, b in zip(part.indptr[:-1].tolist(), part.indptr[1:].tolist(), strict=True):
            if b - a < 3:
                continue
            ratios = np.unique(np.round(linear[a:b] / linear[a:b].min(), 2))
            ratios = ratios[(ratios > 1 + _MULTIPLE_TOLERANCE) & (ratios <= _MOST_MULTIPLE)]
            if len(ratios) >= 2:
                informative += 1
                fitting += any(
                    _near_whole(ratios[ratios * d <= _MOST_MULTIPLE] * d)
                    for d in range(1, _MOST_SMALLEST + 1)
                )
    return informative >= _MIN_INFORMATIVE and fitting >= _MIN_SHARE * informative


def _near_whole(ratios: _Array) -> bool:
    return len(ratios) >= 2 and bool(
        (np.abs(ratios - np.rint(ratios)) <= _MULTIPLE_TOLERANCE).all()
    )


def _all_near(sums: _Array, total: float) -> bool:
    return len(sums) > 0 and bool(np.all(np.abs(sums / total - 1) < TOLERANCE))
