"""What the numbers of a matrix are: found by looking, checked to the last value.

============== =================================================================================
counts         whole numbers, 0 or more
log1p_cp10k    log(1 + counts per 10,000); the rows, taken back, each sum to 10,000
log1p          logarithms of 1 + something normalised whose total cannot be verified, as where
               only some of the variables were kept
cp10k, cpm     counts per 10,000 or per million; the rows sum to that
scaled         z-scores or other numbers below 0; refused unless asked for
============== =================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError, unknown
from tosg.kg.cells.values.codec import EXACT

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.files.source import CellSource, Matrix

#: Units from the most to the least wanted.
UNITS = ("counts", "log1p_cp10k", "log1p", "cp10k", "cpm", "scaled")

#: Unit of group means and markers made from each unit.
MEAN_UNIT = {
    "counts": "log1p_cp10k",
    "cp10k": "log1p_cp10k",
    "cpm": "log1p_cp10k",
    "log1p_cp10k": "log1p_cp10k",
    "log1p": "log1p",
    "scaled": "scaled",
}

#: No logarithm of a normalised count is greater: exp(20) is 485 million per 10,000.
_LARGEST_LOG = 20.0
#: How far a row's sum may be from what it is normalised to.
_TOLERANCE = 0.01
_PROBES = 3
_PROBE_ROWS = 512

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """The unit of one matrix, and why; the error of one whose values cannot be used."""

    matrix: Matrix
    unit: str | None
    reason: str
    error: DataError | None = None


def choose(
    source: CellSource,
    *,
    matrix: str | None = None,
    unit: str | None = None,
    allow_scaled: bool = False,
) -> tuple[Matrix, str, list[Finding]]:
    """Find the matrix to attach and its unit: the best unit, and of that the most variables.

    Parameters
    ----------
    source : CellSource
    matrix : str, optional
        Use this one (``X``, ``raw.X``, a layer's name) instead of looking.
    unit : str, optional
        What the user says the unit is; refused where the values contradict it.
    allow_scaled : bool
        Whether numbers below 0 may be attached.

    Returns
    -------
    matrix, unit, findings

    Raises
    ------
    DataError
        No matrix, no cells, no variables, values that are not numbers, only z-scores, or a unit
        that the values contradict.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    candidates = [source.matrix(matrix)] if matrix else source.matrices
    findings: list[Finding] = []
    for candidate in candidates:
        # Counts of all genes win over counts of a selection; nothing else wins over counts.
        counts = [f.matrix.shape[1] for f in findings if f.unit == "counts"]
        if unit in (None, "counts") and counts and candidate.shape[1] <= max(counts):
            continue
        findings.append(look(source.path, candidate))
    if not findings:
        raise DataError(
            "the file has no expression values",
            where=source.path,
            found="no X, no raw.X and no layers",
            expected="raw counts in X, raw.X or a layer",
        )
    unusable = [f.error for f in findings if f.error is not None]
    if len(unusable) == len(findings):
        others = [m.name for m in source.matrices if m is not findings[0].matrix]
        if matrix and others:
            unusable[0].hint = f"--matrix takes another one: {', '.join(others)}"
        raise unusable[0]
    if unit is not None:
        return _as_told(source.path, findings, unit)
    known = [f for f in findings if f.unit is not None]
    if not known:
        raise _refused(source.path, findings, "the unit of the values cannot be told")
    best = min(known, key=lambda f: (UNITS.index(str(f.unit)), -f.matrix.shape[1]))
    if best.unit == "scaled" and not allow_scaled:
        raise _refused(
            source.path, findings, "the file has neither counts nor log-normalised values"
        )
    return best.matrix, str(best.unit), findings


def look(path: Path, matrix: Matrix) -> Finding:
    """Tell the unit of a matrix from rows at its start, middle and end."""
    n = matrix.shape[0]
    starts = sorted({0, max(0, n // 2 - _PROBE_ROWS // 2), max(0, n - _PROBE_ROWS)})
    rows = np.unique(
        np.concatenate([np.arange(s, min(n, s + _PROBE_ROWS)) for s in starts[:_PROBES]])
    )
    parts = [
        matrix.block(rows[i : i + matrix.block_rows])
        for i in range(0, len(rows), matrix.block_rows)
    ]
    try:
        for part in parts:
            finite(path, matrix, part)
    except DataError as error:  # a file may have a matrix that is of use beside one that is not
        return Finding(matrix, None, f"{error.what}: {error.found} at {error.where}", error)
    values = np.concatenate([p.values for p in parts]) if parts else np.empty(0)
    if not len(values):
        return Finding(matrix, None, "every value looked at is 0")
    if values.min() < 0:
        return Finding(matrix, "scaled", f"values below 0, down to {values.min():.4g}")
    if np.all(values == np.floor(values)):
        return Finding(matrix, "counts", f"whole numbers from 0 to {values.max():g}")
    sums = np.concatenate([p.row_sums() for p in parts])
    for unit, total in (("cp10k", 1e4), ("cpm", 1e6)):
        if _all_near(sums, total):
            return Finding(matrix, unit, f"every cell sums to {total:,.0f}")
    if values.max() > _LARGEST_LOG:
        return Finding(matrix, None, f"fractions up to {values.max():.4g}, and sums that differ")
    back = np.concatenate([p.row_sums(np.expm1(p.values.astype(np.float64))) for p in parts])
    if _all_near(back, 1e4):
        return Finding(matrix, "log1p_cp10k", "exp(x) - 1 sums to 10,000 in every cell")
    return Finding(
        matrix,
        "log1p",
        f"fractions up to {values.max():.4g}; exp(x) - 1 sums to {back.min():,.0f} ... "
        f"{back.max():,.0f} over the variables of the file",
    )


def finite(path: Path, matrix: Matrix, block: CsrRows) -> None:
    """Refuse values that are not finite numbers, naming the first."""
    if block.values.dtype.kind not in "fiub":
        raise DataError(
            "the values are not numbers",
            where=f"{path}: {matrix.name}",
            found=block.values.dtype,
            expected="integers or floating-point numbers",
        )
    what, most = "a value is not a finite number", np.finfo(np.float32).max
    expected = f"a finite number that float32 can hold, at most {most:.2g}"
    _first(path, matrix, block, ~np.isfinite(block.values), what, expected)


def check(path: Path, matrix: Matrix, unit: str, block: CsrRows) -> None:
    """Refuse a block whose values do not fit the unit, naming the first that does not.

    Raises
    ------
    DataError
        A value is NaN, infinite, below 0, not whole among counts, or a sum that contradicts.
    """
    finite(path, matrix, block)
    values = block.values
    if unit == "scaled" or not len(values):
        return
    _first(path, matrix, block, values < 0, "a value is below 0", f"{unit}: 0 or more")
    if unit == "counts":
        whole = values == np.floor(values)
        _first(path, matrix, block, ~whole, "a count is not a whole number", "whole numbers")
        _first(path, matrix, block, values > EXACT, "a count is too large", f"at most {EXACT:,}")
    if unit in ("log1p_cp10k", "log1p"):
        what = "a value is too large for a logarithm"
        _first(
            path, matrix, block, values > _LARGEST_LOG, what, f"{unit}: at most {_LARGEST_LOG:g}"
        )
    total = {"cp10k": 1e4, "log1p_cp10k": 1e4, "cpm": 1e6}.get(unit)
    if total is not None:
        linear = np.expm1(values.astype(np.float64)) if unit.startswith("log") else values
        sums = block.row_sums(linear)
        over = sums > total * (1 + _TOLERANCE)
        if over.any():
            row = int(block.rows[np.flatnonzero(over)[0]])
            raise DataError(
                "the values of a cell sum to more than its unit allows",
                where=f"{path}: {matrix.name}, row {row}",
                found=f"{sums[over][0]:,.1f}",
                expected=f"{unit}: at most {total:,.0f}",
                hint="give the unit with --unit, or another matrix with --matrix",
            )


def _as_told(path: Path, findings: list[Finding], unit: str) -> tuple[Matrix, str, list[Finding]]:
    fitting = {
        # log1p of a selection of variables cannot be told from log1p of all of them.
        "log1p_cp10k": ("log1p_cp10k", "log1p"),
        "log1p": ("log1p", "log1p_cp10k"),
        "cp10k": ("cp10k", None),
        "cpm": ("cpm", None),
    }.get(unit, (unit,))
    for finding in sorted(findings, key=lambda f: -f.matrix.shape[1]):
        if finding.unit in fitting and finding.error is None:
            check_rows = finding.matrix.block(np.arange(min(_PROBE_ROWS, finding.matrix.shape[0])))
            check(path, finding.matrix, unit, check_rows)
            return finding.matrix, unit, findings
    raise _refused(path, findings, f"no values of the file are {unit}", told=True)


def _refused(path: Path, findings: list[Finding], what: str, *, told: bool = False) -> DataError:
    if all(f.unit == "scaled" for f in findings):
        hint = "--allow-scaled attaches z-scores as they are"
    elif told:
        hint = "leave --unit out, and what is found is attached"
    else:
        hint = "give the unit with --unit if you know it"
    return DataError(
        what,
        where=path,
        found="; ".join(f"{f.matrix.name}: {f.reason}" for f in findings),
        expected="raw counts in X, raw.X or a layer, or log-normalised values",
        hint=hint,
    )


def _first(
    path: Path, matrix: Matrix, block: CsrRows, wrong: _Array, what: str, expected: str
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
    )


def _all_near(sums: _Array, total: float) -> bool:
    sums = sums[sums > 0]
    return len(sums) > 0 and bool(np.all(np.abs(sums / total - 1) < _TOLERANCE))
