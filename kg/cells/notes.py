"""What a report says beside its counts: what was guessed, what is missing, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.kg.cells.obs.chosen import cells_of_no_person
from tosg.kg.cells.obs.outcomes import outcomes_of
from tosg.kg.cells.obs.terms import REFUSED, SEVERAL
from tosg.kg.cells.var.variables import ID_COLUMNS, SYMBOL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tosg.kg.cells.files.source import CellSource, Matrix
    from tosg.kg.cells.obs.columns import FieldColumn
    from tosg.kg.cells.report import AttachReport


def describe_fields(
    columns: Mapping[str, FieldColumn], left_out: Mapping[str, FieldColumn]
) -> dict[str, Any]:
    """Describe each field: where it comes from, and every distinct value with its outcome.

    Parameters
    ----------
    columns : mapping
        Fields of the cells that are attached.
    left_out : mapping
        Fields of the cells that are not: of their values only wrong ones are named.
    """
    return {
        name: {
            "from": column.source.origin,
            "detected": column.source.found,
            **_outcomes(column),
            "left_out": _refused(left_out[name]),
        }
        for name, column in columns.items()
    }


def _outcomes(column: FieldColumn) -> dict[str, Any]:
    used = {column.labels[c].raw: column.labels[c] for c in np.unique(column.codes).tolist()}
    return outcomes_of(used.values(), column.cells())


def _refused(column: FieldColumn) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    kinds = {label.raw: label.kind for label in column.labels}
    for value, n in column.cells().items():
        if kinds[value] in REFUSED:
            found.setdefault(kinds[value], {})[value] = n
    return found


def notes_of(
    report: AttachReport,
    source: CellSource,
    matrix: Matrix,
    columns: Mapping[str, FieldColumn],
) -> list[str]:
    """Say what a reader of the report has to know."""
    return [
        *_about_variables(report),
        *_about_donors(columns, source.obs),
        *_about_several(columns),
        *_about_matrices(report, source, matrix),
    ]


def _about_variables(report: AttachReport) -> list[str]:
    if sum(report.variables["mapped"].values()):
        return []
    note = (
        "no variable is a gene or protein of the graph, so an export of these cells has no "
        "value: `tosg stats` shows what is loaded, a later load maps the variables again, and "
        f"their names are looked for in the index of var, in {', '.join(ID_COLUMNS[:3])}, ... and "
        f"in {', '.join(SYMBOL_COLUMNS[:3])}, ..."
    )
    return [note]


def _about_donors(columns: Mapping[str, FieldColumn], obs: pd.DataFrame) -> list[str]:
    column = columns.get("donor_id")
    if column is None:
        return ["no donor is known: a split by donor will refuse these cells"]
    notes = []
    words = cells_of_no_person(columns)
    if words:
        shown = ", ".join(f"{word} ({n:,})" for word, n in words.items())
        notes.append(
            f"{sum(words.values()):,} cells are of no one person and in no split by donor and no "
            f"meta-cell: {shown}; if one of these is a donor's name, name it with "
            f"--map 'donor_id:{next(iter(words))}=NAME'"
        )
    if not column.source.parts and (repeated := _repeated(column, obs)):
        notes.append(
            f"{len(repeated):,} donors have cells in several dataset_id ({', '.join(repeated[:5])}"
            f"{', ...' if len(repeated) > 5 else ''}) and count as one person each; "
            f"--map donor_id=dataset_id+{column.source.column} tells them apart"
        )
    return notes


def _repeated(column: FieldColumn, obs: pd.DataFrame) -> list[str]:
    """Donors that occur in several studies of a file."""
    name = column.source.column
    if name is None or name not in obs.columns or "dataset_id" not in obs.columns:
        return []
    studies = obs.groupby(name, observed=True)["dataset_id"].nunique()
    return [str(donor) for donor in studies.index[studies > 1]]


def _about_several(columns: Mapping[str, FieldColumn]) -> list[str]:
    notes = []
    for name, column in columns.items():
        cells = {t: n for t, n in column.cells().items() if SEVERAL in t}
        if cells:
            notes.append(
                f"{sum(cells.values()):,} cells have several values of {name} "
                f"({next(iter(cells))}): their group is linked to each of them, and "
                f"`WHERE c.{name} CONTAINS 'NAME'` finds them"
            )
    return notes


def _about_matrices(report: AttachReport, source: CellSource, matrix: Matrix) -> list[str]:
    notes = []
    if not source.obs.index.is_unique:
        notes.append("names of cells are not unique: cells are named by row")
    widest = max(source.matrices, key=lambda m: m.shape[1])
    if report.unit == "counts" and widest.shape[1] > matrix.shape[1]:
        notes.append(
            f"{matrix.name} has {matrix.shape[1]:,} of the {widest.shape[1]:,} variables of "
            f"{widest.name}: totals, means and markers are over that selection"
        )
    notes += [
        f"{x['matrix']} is not used: {x['reason']}"
        for x in report.looked_at
        if x["unit"] is None and x["matrix"] != matrix.name
    ]
    if report.unit == "scaled":
        notes.append("z-scores: groups have no EXPRESSES")
    return notes
