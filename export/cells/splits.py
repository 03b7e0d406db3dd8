"""Who learns and who is tested: splits that keep donors whole, and balanced training cells.

Everything here is a pure function of arrays; the order of cells does not matter, because every
choice falls back on a seeded hash of the cell's or the group's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tosg.errors import ExportError
from tosg.export.format.manifest import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CodeArray = NDArray[np.int64]
Counts = NDArray[np.int64]

#: Names of splits that a field may hold itself.
SPLIT_NAMES = {
    "train": 0,
    "training": 0,
    "val": 1,
    "valid": 1,
    "validation": 1,
    "dev": 1,
    "test": 2,
}

_TRIES = 32


def hash_names(names: Iterable[str], seed: int) -> NDArray[np.uint64]:
    """Seeded 64-bit hash of each name; see ``docs/formats/training-set.md``."""
    key = (seed % 2**64).to_bytes(8, "little")
    digests = [hashlib.blake2b(n.encode(), digest_size=8, key=key).digest() for n in names]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class Classes:
    """The classes of a target.

    Attributes
    ----------
    codes : (M,) int64
        Class of each cell.
    names : sequence of str
        Name of each class, for messages.
    field : str
        The target.
    """

    codes: CodeArray
    names: Sequence[str]
    field: str

    @classmethod
    def one(cls, n: int) -> Classes:
        """Make the one class of cells without a target."""
        return cls(np.zeros(n, dtype=np.int64), ("cells",), "")


def split_cells(
    order: NDArray[np.uint64], classes: Classes, fractions: Sequence[float]
) -> CodeArray:
    """Split single cells, stratified by class.

    Parameters
    ----------
    order : (M,) uint64
        Seeded hash of each cell.
    classes : Classes
        Strata.
    fractions : three floats
        Of train, val and test.

    Returns
    -------
    (M,) int64
        Position in `SPLITS`.

    Raises
    ------
    ExportError
        A class has fewer cells than there are splits.
    """
    split = np.zeros(len(order), dtype=np.int64)
    ranked = np.lexsort((order, classes.codes))
    starts = np.searchsorted(classes.codes[ranked], np.arange(len(classes.names) + 1))
    counts = np.diff(starts)
    _check_enough(counts, classes, fractions, "cells")
    for start, n in zip(starts[:-1], counts, strict=True):
        parts = _parts(int(n), fractions)
        split[ranked[start : start + n]] = np.repeat(np.arange(3), parts)
    return split


def split_groups(
    groups: CodeArray, names: Sequence[str], classes: Classes, fractions: Sequence[float], seed: int
) -> CodeArray:
    """Split groups of cells (donors) as wholes, each class in every split.

    The groups are assigned class by class, the rarest class first, each to the split that still
    wants most of that class (iterative stratification; Sechidis et al., "On the stratification
    of multi-label data", ECML PKDD 2011); of several seeded deals the one whose cells come
    closest to the fractions counts.

    Parameters
    ----------
    groups : (M,) int64
        Group of each cell, 0 <= g < len(names).
    names : sequence of str
        Name of each group.
    classes : Classes
        Strata.
    fractions : three floats
        Of train, val and test.
    seed : int
        Seed of the deals.

    Raises
    ------
    ExportError
        A class has fewer groups than there are splits, or no deal gives every split every class.
    """
    n_classes = len(classes.names)
    table = np.bincount(groups * n_classes + classes.codes, minlength=len(names) * n_classes)
    table = table.reshape(len(names), n_classes).astype(np.int64)
    _check_enough((table > 0).sum(axis=0), classes, fractions, "donors or groups")
    best: tuple[float, CodeArray] | None = None
    tries = int(np.clip(20_000 // max(len(names), 1), 4, _TRIES))
    for attempt in range(tries):
        order = np.argsort(hash_names((f"{attempt}\0{n}" for n in names), seed), kind="stable")
        deal = _repaired(_deal(table, order, fractions), table, fractions)
        if deal is not None:
            off = _distance(deal, table, fractions)
            if best is None or off < best[0]:
                best = (off, deal)
    if best is None:
        raise ExportError(
            "the donors or groups cannot be assigned so that every split has every class",
            where="split",
            found=_rarest(table, classes),
            hint="leave rare classes out in --cells, or set a fraction to 0",
        )
    return best[1][groups]


def read_split_names(values: Sequence[str]) -> CodeArray | None:
    """Take values that are names of splits as they are; None where they are not."""
    if not values or any(v.lower() not in SPLIT_NAMES for v in values):
        return None
    return np.array([SPLIT_NAMES[v.lower()] for v in values], dtype=np.int64)


def find_donor_spaces(files: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Find the data sets whose donors are the same people: those that share a file.

    The same cells may be attached twice, as they are and as meta-cells; a donor of the one is the
    donor of that name in the other.

    Parameters
    ----------
    files : mapping
        Hashes of the files of each data set.

    Returns
    -------
    dict
        Data set to the first data set, by name, that it shares files with, directly or through
        others.
    """
    root = {name: name for name in files}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    owner: dict[str, str] = {}
    for name in sorted(files):
        for file in files[name]:
            one, other = sorted((find(owner.setdefault(file, name)), find(name)))
            root[other] = one
    return {name: find(name) for name in files}


def balance(
    order: NDArray[np.uint64], split: CodeArray, strata: CodeArray, classes: Classes
) -> NDArray[np.bool_]:
    """Choose the cells to keep so that training classes are equal within each stratum.

    Within a stratum each class is cut to the size of its smallest; a stratum with one class only
    has no counterpart and leaves the training set. Cells of val and test all stay.

    Returns
    -------
    (M,) bool
        The cells to keep.

    Raises
    ------
    ExportError
        A class would leave the training set.
    """
    keep: NDArray[np.bool_] = split != 0
    train = np.flatnonzero(~keep)
    n_classes = len(classes.names)
    cell = strata[train] * n_classes + classes.codes[train]
    ranked = np.lexsort((order[train], cell))
    kinds, first, counts = np.unique(cell[ranked], return_index=True, return_counts=True)
    limit = _limits(kinds // n_classes, counts)
    place = np.arange(len(train)) - np.repeat(first, counts)
    keep[train[ranked[place < np.repeat(limit, counts)]]] = True
    kept = np.bincount(classes.codes[keep & (split == 0)], minlength=n_classes)
    had = np.bincount(classes.codes[train], minlength=n_classes)
    lost = [classes.names[int(c)] for c in np.flatnonzero((kept == 0) & (had > 0))]
    if lost:
        raise ExportError(
            "balancing would leave classes without training cells",
            where="balance",
            found=", ".join(lost),
            expected="in some combination of the fields, cells of at least one other class",
            hint="balance by fewer fields",
        )
    return keep


def _limits(stratum: CodeArray, counts: Counts) -> Counts:
    """Cells that each (stratum, class) may keep; rows are sorted by stratum."""
    _, first, sizes = np.unique(stratum, return_index=True, return_counts=True)
    smallest = np.minimum.reduceat(counts, first) if len(first) else counts
    limits: Counts = np.repeat(np.where(sizes > 1, smallest, 0), sizes)
    return limits


def _parts(n: int, fractions: Sequence[float]) -> Counts:
    """Divide n by the fractions, at least 1 for each above 0; the rest goes to train."""
    parts = np.array([max(1, round(n * f)) if f > 0 else 0 for f in fractions], dtype=np.int64)
    while parts.sum() > n:  # rounding up of small parts
        parts[np.argmax(parts)] -= 1
    parts[0] += n - parts.sum()
    return parts


def _deal(table: Counts, order: CodeArray, fractions: Sequence[float]) -> CodeArray:
    has = table > 0
    wanted = np.array([_parts(int(n), fractions) for n in has.sum(axis=0)], dtype=np.float64)
    room = np.array(fractions) * table.sum()
    split = np.full(len(table), -1, dtype=np.int64)
    active = np.array(fractions) > 0
    left = has.sum(axis=0)
    while (split < 0).any():
        open_classes = np.flatnonzero(left > 0)
        c = open_classes[np.argmin(left[open_classes])]
        for g in order[(split[order] < 0) & has[order, c]]:
            choice = np.lexsort((-room, -wanted[c], ~active))[0]
            split[g] = choice
            room[choice] -= table[g].sum()
            wanted[has[g], choice] -= 1
            left -= has[g]
    return split


def _repaired(split: CodeArray, table: Counts, fractions: Sequence[float]) -> CodeArray | None:
    """Move groups until every split has every class; None where that fails."""
    has = (table > 0).astype(np.int64)
    active = np.flatnonzero(np.array(fractions) > 0)
    for _ in range(4 * len(table)):
        cover = np.stack([has[split == s].sum(axis=0) for s in range(3)])
        missing = [(s, c) for s in active for c in np.flatnonzero(cover[s] == 0)]
        if not missing:
            return split
        s, c = missing[0]
        spare = (cover[split] - has > 0) | (has == 0)  # the group's split keeps its classes
        movable = np.flatnonzero((has[:, c] > 0) & spare.all(axis=1))
        if len(movable) == 0:
            return None
        split[movable[np.argmin(table[movable].sum(axis=1))]] = s
    return None


def _distance(split: CodeArray, table: Counts, fractions: Sequence[float]) -> float:
    cells = np.bincount(split, weights=table.sum(axis=1), minlength=3)
    return float(np.abs(cells / cells.sum() - np.array(fractions)).max())


def _check_enough(counts: Counts, classes: Classes, fractions: Sequence[float], unit: str) -> None:
    needed = sum(f > 0 for f in fractions)
    few = [
        f"{name} ({count})"
        for name, count in zip(classes.names, counts, strict=True)
        if count < needed
    ]
    if few:
        raise ExportError(
            f"a class has too few {unit} for the split",
            where=f"target {classes.field}" if classes.field else "split",
            found=", ".join(few),
            expected=f"at least {needed} {unit} in each class, one for each of "
            + ", ".join(n for n, f in zip(SPLITS, fractions, strict=True) if f > 0),
            hint="leave the class out in --cells, set a fraction to 0, or use --split cell",
        )


def _rarest(table: Counts, classes: Classes) -> str:
    n = (table > 0).sum(axis=0)
    return ", ".join(f"{classes.names[c]} ({n[c]})" for c in np.argsort(n, kind="stable")[:5])
