"""Which of the selected cells an export takes, with a warning for each kind that it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tosg.errors import ExportError
from tosg.export.cells.targets import decode_column, has_value
from tosg.kg.cells.obs.donors import is_no_person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tosg.export.selection import Selection

_Mask = NDArray[np.bool_]


def filter_cells(
    table: pa.Table, selection: Selection, files: Mapping[str, Sequence[str]], warnings: list[str]
) -> pa.Table:
    """Leave out the cells that a training set must not have.

    Parameters
    ----------
    table : pa.Table
        The selected cells.
    selection : Selection
    files : mapping
        Data set to the hashes of its files.
    warnings : list of str
        Added to: how many cells are left out, and why.

    Raises
    ------
    ExportError
        No cell is left.
    """
    told = len(warnings)
    selected = table.num_rows
    if selection.primary_only and "is_primary_data" in table.column_names:
        table = _keep_primary(table, warnings)
    table = _drop_copies(table, files, warnings)
    if selection.split == "donor":
        table = _drop_cells_of_no_person(table, warnings)
    if selection.target is not None:
        table = _keep_labelled(table, selection.target, warnings)
    if table.num_rows == 0:
        raise ExportError(
            "no cell is left",
            where="cells",
            found="; ".join([f"{selected:,} cells selected", *warnings[told:]]),
            hint="select other cells, or change the option that leaves them out",
        )
    return table


def find_no_person(table: pa.Table) -> _Mask:
    """(rows,) bool: whether the donor of a cell is no person, as a pool or a doublet.

    Data sets that were attached by older versions have such words as ``donor_id``, newer ones as
    ``no_donor``.
    """
    found = np.zeros(table.num_rows, bool)
    if "no_donor" in table.column_names:
        found |= has_value(table.column("no_donor")).to_numpy()
    donors = pc.cast(decode_column(table.column("donor_id")), pa.string())
    words = [name for name in pc.unique(donors).to_pylist() if name and is_no_person(name)]
    found |= pc.is_in(donors, value_set=pa.array(words, pa.string())).to_numpy()
    return found


def _keep_primary(table: pa.Table, warnings: list[str]) -> pa.Table:
    primary = pc.fill_null(table.column("is_primary_data").cast(pa.bool_()), True).to_numpy()
    if not primary.all():
        warnings.append(
            f"{int((~primary).sum()):,} cells are left out because another data set is their "
            "primary one (is_primary_data is false); --all-cells keeps them"
        )
    return table.filter(pa.array(primary))


def _drop_copies(
    table: pa.Table, files: Mapping[str, Sequence[str]], warnings: list[str]
) -> pa.Table:
    """Take the cells of a file once, where it is attached under several ids."""
    if "row" not in table.column_names:
        return table
    sets = decode_column(table.column("dataset")).to_pylist()
    same: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(set(sets)):
        same.setdefault(tuple(sorted(files.get(name, ()))), []).append(name)
    first = {name: names[0] for key, names in same.items() if key for name in names}
    twins = {name for names in same.values() if len(names) > 1 for name in names}
    if not twins & first.keys():
        return table
    rows = table.column("row").to_pylist()
    seen: set[tuple[str, int]] = set()
    keep = np.ones(len(rows), bool)
    dropped: dict[tuple[str, str], int] = {}
    for k in sorted(range(len(rows)), key=lambda k: (sets[k], k)):
        name, row = sets[k], rows[k]
        if name not in first or row is None:  # a meta-cell is of several rows
            continue
        cell = (first[name], row)
        if cell in seen:
            keep[k] = False
            pair = (name, first[name])
            dropped[pair] = dropped.get(pair, 0) + 1
        seen.add(cell)
    for (name, other), n in sorted(dropped.items()):
        warnings.append(
            f"{n:,} cells of the data set {name} are left out: the same rows of the same file are "
            f"cells of {other}"
        )
    return table.filter(pa.array(keep))


def _drop_cells_of_no_person(table: pa.Table, warnings: list[str]) -> pa.Table:
    found = find_no_person(table)
    if not found.any():
        return table
    left = table.filter(pa.array(found))
    words = pc.cast(decode_column(left.column("donor_id")), pa.string())
    if "no_donor" in left.column_names:
        words = pc.coalesce(pc.cast(decode_column(left.column("no_donor")), pa.string()), words)
    counts = sorted((c["values"], c["counts"]) for c in pc.value_counts(words).to_pylist())
    warnings.append(
        f"{int(found.sum()):,} cells are left out of the donor split: they are of no one person ("
        + ", ".join(f"{word}: {n:,}" for word, n in counts)
        + ")"
    )
    return table.filter(pa.array(~found))


def _keep_labelled(table: pa.Table, target: str, warnings: list[str]) -> pa.Table:
    labelled = has_value(table.column(target)).to_numpy()
    if not labelled.all():
        warnings.append(f"{int((~labelled).sum()):,} cells are left out: no {target}")
    return table.filter(pa.array(labelled))
