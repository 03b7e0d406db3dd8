"""Which cells of a file are attached, and which are left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.obs.columns import humans

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tosg.kg.cells.obs.columns import FieldColumn

_NO_PERSON = "of no one person"


@dataclass(frozen=True)
class ChosenCells:
    """The cells of a file that are attached.

    Attributes
    ----------
    rows : (n_cells,) int64
        Rows of the file.
    columns, others : dict of str to FieldColumn
        Fields of the cells that are attached, and of those that are left out.
    left_out : dict of str to int
        Reason -> number of cells.
    """

    rows: npt.NDArray[np.int64]
    columns: dict[str, FieldColumn]
    others: dict[str, FieldColumn]
    left_out: dict[str, int]


def choose_cells(
    columns: Mapping[str, FieldColumn], n: int, where: Path, *, organism: str, metacells: bool
) -> ChosenCells:
    """Choose the cells to attach: human ones, and for meta-cells those of one person.

    Parameters
    ----------
    columns : mapping
        Fields of all cells.
    n : int
        Number of cells in the file.
    where : Path
        The file, for errors.
    organism : str
        ``human``, or ``any`` to attach every species.
    metacells : bool
        Whether cells are summed: a sum of cells of two donors belongs to neither.

    Raises
    ------
    DataError
        No cell is left.
    """
    human, others = humans(columns, n)
    keep, left_out = np.ones(n, bool), {}
    if organism == "human":
        keep = human
        left_out = {f"not human ({name})": count for name, count in others.items()}
        if not keep.any():
            raise DataError(
                "the file has no human cells",
                where=where,
                found=", ".join(f"{k}: {v:,}" for k, v in others.items()),
                expected="Homo sapiens (NCBITaxon:9606)",
                hint="--organism any attaches cells of every species",
            )
    if metacells:
        words = cells_of_no_person(columns, keep)
        left_out |= {f"{_NO_PERSON} ({word})": count for word, count in words.items()}
        keep = keep & ~_no_person(columns, n)
        if not keep.any():
            raise DataError(
                "no cell is of one person, and meta-cells are made within donors",
                where=where,
                found=", ".join(f"{k}: {v:,}" for k, v in words.items()),
                expected="names of donors in donor_id",
                hint="--map donor_id=COLUMN names another column",
            )
    rows = np.flatnonzero(keep).astype(np.int64)
    rest = np.flatnonzero(~keep).astype(np.int64)
    return ChosenCells(
        rows,
        {name: column.at(rows) for name, column in columns.items()},
        {name: column.at(rest) for name, column in columns.items()},
        left_out,
    )


def cells_of_no_person(
    columns: Mapping[str, FieldColumn], among: npt.NDArray[np.bool_] | None = None
) -> dict[str, int]:
    """Count cells whose donor is no person, by what the file has in its place."""
    column = columns.get("donor_id")
    if column is None:
        return {}
    chosen = column if among is None else column.at(np.flatnonzero(among))
    words = {label.raw for label in column.labels if label.kind == "no person"}
    return {word: n for word, n in chosen.cells().items() if word in words}


def _no_person(columns: Mapping[str, FieldColumn], n: int) -> npt.NDArray[np.bool_]:
    column = columns.get("donor_id")
    if column is None:
        return np.zeros(n, bool)
    words = np.array([label.kind == "no person" for label in column.labels], bool)
    return words[column.codes]
