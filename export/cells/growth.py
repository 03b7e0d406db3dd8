"""Cells of a training set that grows: old rows stay where they are, new ones come after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import ExportError
from tosg.export.cells.splits import Classes, hash_names, read_split_names
from tosg.export.format.manifest import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tosg.export.selection import Selection

    Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class KeptCells:
    """Cells that a training set has already.

    Attributes
    ----------
    ids : pa.Array
        (n,) strings, in the order of its rows.
    split : (n,) int64
        Position in `SPLITS`.
    classes : tuple of str
        Of the target, by number; empty for other targets.
    ranges : dict
        Rows of each split, as pairs of start and stop.
    """

    ids: pa.Array
    split: Int64s
    classes: tuple[str, ...] = ()
    ranges: dict[str, list[list[int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, ids: pa.ChunkedArray) -> Int64s:
        """Row of each of some cells, -1 where it is new.

        Raises
        ------
        ExportError
            A cell that is kept is not among them.
        """
        found: Int64s = (
            pc.fill_null(pc.index_in(ids, value_set=self.ids), -1).to_numpy().astype(np.int64)
        )
        seen = np.zeros(len(self), bool)
        seen[found[found >= 0]] = True
        if not seen.all():
            gone = self.ids.filter(pa.array(~seen))
            raise ExportError(
                "cells of the training set are not in the selection any more",
                where="grow",
                found=f"{len(gone):,} cells, as {gone[0].as_py()}",
                expected="every cell that it has",
                hint="export the selection again, without --grow",
            )
        return found


def keep_classes(classes: Classes, kept: KeptCells) -> Classes:
    """Number classes as before; new ones come after."""
    names = [*kept.classes, *(n for n in classes.names if n not in kept.classes)]
    number = {name: i for i, name in enumerate(names)}
    codes = np.array([number[name] for name in classes.names], np.int64)[classes.codes]
    return Classes(codes, tuple(names), classes.field)


def extend_splits(
    row: Int64s, groups: Sequence[str], selection: Selection, kept: KeptCells
) -> Int64s:
    """Split of each cell: old ones keep theirs, new ones of a known group go with it.

    New groups are placed one by one, by a seeded hash of their name and the fractions, so that none
    depends on which others came with it.

    Parameters
    ----------
    row : (M,) int64
        Row of each cell in the kept ones, -1 for new cells.
    groups : sequence of str
        Group of each cell that stays whole: a donor, a value of a field, or the cell itself.
    selection : Selection
    kept : KeptCells
    """
    split = np.where(row >= 0, kept.split[row], -1).astype(np.int64)
    if selection.split == "none":
        return np.maximum(split, 0)
    known = {group: int(s) for group, s in zip(groups, split, strict=True) if s >= 0}
    fresh = sorted({group for group, s in zip(groups, split, strict=True) if s < 0} - set(known))
    names = sorted(set(groups))
    ready = None if selection.split in ("donor", "cell") else read_split_names(names)
    if ready is not None:
        known = dict(zip(names, ready.tolist(), strict=True))
    else:
        part = hash_names((f"grow\0{group}" for group in fresh), selection.seed) / 2.0**64
        bounds = np.cumsum(selection.fractions[:2])
        known |= zip(fresh, np.searchsorted(bounds, part, side="right").tolist(), strict=True)
    return np.array(
        [s if s >= 0 else known[group] for group, s in zip(groups, split, strict=True)], np.int64
    )


def extend_ranges(
    info: dict[str, Any], split: Int64s, kept: KeptCells, target: Any, n_classes: int
) -> dict[str, Any]:
    """Say in the manifest which rows each split has, old and new.

    Parameters
    ----------
    info : dict
        As `describe_splits` has it, of all cells sorted by split.
    split : (M,) int64
        Of the rows in their final order: old ones, then new ones by split.
    kept : KeptCells
    target : (M,) or None
        In the same order.
    n_classes : int
        0 where the target has none.
    """
    new = split[len(kept) :]
    for number, name in enumerate(SPLITS):
        start, stop = (len(kept) + int(np.searchsorted(new, number + i)) for i in (0, 1))
        ranges = [*kept.ranges[name], *([[start, stop]] if stop > start else [])]
        rows = np.flatnonzero(split == number)
        targets = None
        if n_classes:
            targets = np.bincount(target[rows], minlength=n_classes).tolist()
        info[name] |= {
            "start": ranges[0][0] if ranges else start,
            "stop": ranges[-1][1] if ranges else start,
            "ranges": ranges,
            "cells": len(rows),
            "targets": targets,
        }
    return info
