"""What the numbers of a matrix are: named only where the numbers leave one reading.

================= ==============================================================================
counts            whole numbers, 0 or more (2.9999998 is whole but for rounding, and is rounded)
log1p_cp10k       log(1 + counts per 10,000): exp(x) - 1 sums to 10,000 in every cell
cp10k, cpm        counts per 10,000 or per million (TPM too): the cells sum to that
normalized_counts counts times one number per cell: the cells sum to another constant, or the
                  values of a cell are whole multiples of one number
log1p             natural logarithms of 1 + normalized counts
log2p1, log10p1   the same in base 2 and base 10
corrected_counts  counts with decimals, as SoupX, CellBender or Salmon give them; only if said so
scaled            z-scores or other numbers below 0; refused unless asked for
================= ==============================================================================

`tosg.kg.cells.values.readings` tells each; here the matrix with the best one is chosen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from tosg.errors import DataError, unknown
from tosg.kg.cells.values.checked import CheckedMatrix
from tosg.kg.cells.values.mixtures import refuse_mixture
from tosg.kg.cells.values.readings import (
    PARTS,
    PROBE_ROWS,
    UnitFinding,
    are_counts_of,
    is_part,
    layer_of,
    look,
    part_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.cells.files.source import CellSource

#: Units from the most to the least wanted.
UNITS = (
    "counts",
    "log1p_cp10k",
    "cp10k",
    "cpm",
    "normalized_counts",
    "log1p",
    "log2p1",
    "log10p1",
    "corrected_counts",
    "scaled",
)


#: Names of layers that say that they are counts.
_SAYS_COUNTS = re.compile(r"count|raw|umi|matrix|molecule")


def choose(
    source: CellSource,
    *,
    matrix: str | None = None,
    unit: str | None = None,
    allow_scaled: bool = False,
    round_values: bool = False,
) -> tuple[CheckedMatrix, list[UnitFinding]]:
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
    round_values : bool
        Whether corrected counts are rounded to counts.

    Returns
    -------
    CheckedMatrix
    findings : list of Finding
        Of every matrix that was looked at.

    Raises
    ------
    DataError
        No matrix, no cells, no variables, values that are not numbers, only z-scores, a unit that
        is not certain, one that the values contradict, or antibodies of another unit.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    findings = _look_at_all(source, matrix, unit)
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
    if unit is not None or round_values:
        found = _as_said(source.path, findings, unit or "counts", round_values=round_values)
    else:
        found = _best(source.path, findings, allow_scaled=allow_scaled)
        refuse_mixture(source.path, found.matrix, str(found.unit))
    said = unit or ("counts" if round_values else found.unit)
    total = found.total if said == found.unit else None
    return CheckedMatrix(source.path, found.matrix, str(said), total, round_values), findings


def _look_at_all(source: CellSource, name: str | None, unit: str | None) -> list[UnitFinding]:
    findings: list[UnitFinding] = []
    parts = [m for m in source.matrices if layer_of(m) in PARTS]
    for candidate in [source.matrix(name)] if name else source.matrices:
        # Counts of all genes win over counts of a selection; nothing else wins over counts.
        counts = [f.matrix.shape[1] for f in findings if f.unit == "counts"]
        if unit in (None, "counts") and counts and candidate.shape[1] <= max(counts):
            continue
        found = look(source.path, candidate)
        whole = "counts" in found.possible
        part = part_of(candidate, parts) if whole else None
        if part is not None:
            reason = f"{part} counts, a part of each cell's counts"
            possible = ("counts",) if name else ()
            found = UnitFinding(candidate, None, reason, possible=possible)
        findings.append(found)
    return findings if name else [_compared(f, findings) for f in findings]


def _compared(found: UnitFinding, findings: list[UnitFinding]) -> UnitFinding:
    """Doubt a layer of whole numbers that is not what the file's logarithms were made of.

    A layer whose name says counts may be raw counts beside corrected logarithms.
    """
    layer = layer_of(found.matrix)
    if found.unit != "counts" or not layer or _SAYS_COUNTS.search(layer):
        return found
    for other in findings:
        logs = other.unit in ("log1p_cp10k", "log1p", "log2p1", "log10p1")
        if logs and other.matrix.shape == found.matrix.shape:
            if are_counts_of(found.matrix, other.matrix, str(other.unit)):
                continue
            reason = (
                f"{found.reason}, which {other.matrix.name} was not made of: bins, ranks or "
                f"another kind of numbers; --matrix {found.matrix.name} attaches them as counts"
            )
            return UnitFinding(found.matrix, None, reason, possible=("counts",))
    return found


def _best(path: Path, findings: list[UnitFinding], *, allow_scaled: bool) -> UnitFinding:
    known = [f for f in findings if f.unit is not None]
    if not known:
        raise _refused(path, findings, "the unit of the values is not certain")
    best = min(known, key=lambda f: (UNITS.index(str(f.unit)), -f.matrix.shape[1]))
    if best.unit == "scaled" and not allow_scaled:
        raise _refused(path, findings, "the file has neither counts nor log-normalised values")
    return best


def _as_said(
    path: Path, findings: list[UnitFinding], unit: str, *, round_values: bool
) -> UnitFinding:
    """Find the matrix that can be what the user says; it must not contradict."""
    wanted = {"counts", "corrected_counts"} if round_values else {unit}
    fitting = [f for f in findings if f.error is None and wanted & set(f.possible)]
    if round_values and unit != "counts":
        fitting = []
    if not fitting:
        raise _refused(path, findings, f"no values of the file are {unit}", said=unit)
    best = min(fitting, key=lambda f: (f.unit != unit, -f.matrix.shape[1]))
    refuse_mixture(path, best.matrix, unit)
    matrix = CheckedMatrix(path, best.matrix, unit, None, round_values)
    matrix.block(np.arange(min(PROBE_ROWS, best.matrix.shape[0])))
    return best


def _refused(
    path: Path, findings: list[UnitFinding], what: str, *, said: str | None = None
) -> DataError:
    possible = {unit for f in findings for unit in f.possible}
    ways = []
    if "corrected_counts" in possible and said != "corrected_counts":
        ways.append(
            "corrected counts (SoupX, CellBender, fractions of reads): --unit corrected_counts "
            "keeps the decimals, --round makes them whole"
        )
    logs = [u for u in ("log1p", "log2p1", "log10p1") if u in possible and u != said]
    if logs:
        ways.append(f"logarithms: --unit {' or '.join(logs)}")
    ways += [f"--unit {u}" for u in ("counts", "cp10k", "cpm") if u in possible and u != said]
    if "normalized_counts" in possible and said != "normalized_counts":
        ways.append("counts times a number per cell, as shares: --unit normalized_counts")
    if possible == {"scaled"}:
        ways = ["z-scores: --allow-scaled attaches them as they are"]
    parts = [layer_of(f.matrix) for f in findings if is_part(f.matrix)]
    if len(parts) > 1:
        ways.append(f"parts of the counts of each cell: --matrix {'+'.join(parts)} is their sum")
    return DataError(
        what,
        where=path,
        found="; ".join(f"{f.matrix.name}: {f.reason}" for f in findings),
        expected=said or "raw counts in X, raw.X or a layer, or log-normalised values",
        hint="if they are " + "; ".join(ways) if ways else "attach the file with the raw counts",
    )
