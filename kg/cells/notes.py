"""What a report says beside its counts: what was guessed, what is missing, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.kg.cells.obs.chosen import cells_of_no_person
from tosg.kg.cells.obs.fields import LIBRARY_SIZE
from tosg.kg.cells.obs.outcomes import outcomes_of
from tosg.kg.cells.obs.terms import REFUSED, SEVERAL
from tosg.kg.cells.report_rows import some
from tosg.kg.cells.values.library import panel_note
from tosg.kg.cells.values.normalise import PROTEIN_UNIT
from tosg.kg.cells.values.pseudobulk import GROUP_RELATIONSHIPS
from tosg.kg.cells.values.readings import is_part
from tosg.kg.cells.var.modality import GENE, OTHER
from tosg.kg.cells.var.variables import ID_COLUMNS, SYMBOL_COLUMNS
from tosg.kg.cells.var.words import is_bare_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from tosg.kg.cells.files.source import CellSource
    from tosg.kg.cells.obs.columns import FieldColumn
    from tosg.kg.cells.obs.mapping import CellMapping
    from tosg.kg.cells.report import AttachReport
    from tosg.kg.cells.values.checked import CheckedMatrix
    from tosg.kg.cells.values.normalise import Normaliser
    from tosg.kg.cells.values.readings import UnitFinding


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
    columns: Mapping[str, FieldColumn],
) -> list[str]:
    """Say what a reader of the report has to know of the cells and variables."""
    unique = source.obs.index.is_unique
    return [
        *source.notes,
        *_about_variables(report),
        *_about_donors(columns, source.obs),
        *_about_several(columns),
        *([] if unique else ["names of cells are not unique: cells are named by row"]),
    ]


def notes_of_values(
    source: CellSource,
    values: CheckedMatrix,
    normaliser: Normaliser,
    findings: Sequence[UnitFinding],
    mapping: CellMapping,
) -> list[str]:
    """Say what a reader of the report has to know of the values and their totals."""
    return [
        *_about_matrices(source, values, findings),
        *_about_totals(source, values, normaliser, mapping),
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
    if all(is_bare_number(name) for name in report.variables["unmapped"]):
        note += (
            "; they are numbers: if these are Entrez numbers, call the column so "
            '(`adata.var["entrez_id"] = adata.var_names`)'
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
    notes += _about_namesakes(columns)
    if not column.source.parts and (repeated := _repeated(column, obs)):
        notes.append(
            f"{len(repeated):,} donors have cells in several dataset_id ({some(repeated)}) and "
            "count as one person each; "
            f"--map donor_id=dataset_id+{column.source.column} tells them apart"
        )
    return notes


def _about_namesakes(columns: Mapping[str, FieldColumn]) -> list[str]:
    """Name donors who are of both sexes: one name for two people, or a wrong column."""
    if "sex" not in columns:
        return []
    donors, sexes = columns["donor_id"].names(), columns["sex"].names()
    found: dict[str, set[str]] = {}
    for donor, sex in zip(donors, sexes, strict=True):
        if donor is not None and sex in ("female", "male"):
            found.setdefault(donor, set()).add(sex)
    both = sorted(donor for donor, said in found.items() if len(said) > 1)
    if not both:
        return []
    note = (
        f"{len(both):,} donors have cells of both sexes ({some(both)}): if that is one name for "
        "several people, --map donor_id=COLUMN+COLUMN tells them apart"
    )
    return [note]


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
            linked = " and their group is linked to each" if name in GROUP_RELATIONSHIPS else ""
            notes.append(
                f"{sum(cells.values()):,} cells have several values of {name} "
                f"({next(iter(cells))}): the text of {name} has all of them{linked}"
            )
    return notes


def _about_matrices(
    source: CellSource, values: CheckedMatrix, findings: Sequence[UnitFinding]
) -> list[str]:
    notes = []
    matrix = values.matrix
    if values.rounded:
        notes.append(f"values of {matrix.name} are rounded to whole numbers, as --round says")
    widest = max(source.matrices, key=lambda m: m.shape[1])
    if values.unit == "counts" and widest.shape[1] > matrix.shape[1]:
        notes.append(
            f"{matrix.name} has {matrix.shape[1]:,} of the {widest.shape[1]:,} variables of "
            f"{widest.name}: totals, means and markers are over that selection"
        )
    unused = [f for f in findings if f.unit is None and f.matrix is not matrix]
    notes += [f"{f.matrix.name} is not used: {f.reason}" for f in unused]
    parts = [f.matrix.name.removeprefix("layers/") for f in unused if is_part(f.matrix)]
    if len(parts) > 1 and values.unit != "counts":
        notes.append(f"--matrix {'+'.join(parts)} attaches the sum of these layers as counts")
    if values.unit == "scaled":
        notes.append("z-scores: groups have no EXPRESSES")
    return notes


def _about_totals(
    source: CellSource, values: CheckedMatrix, normaliser: Normaliser, mapping: CellMapping
) -> list[str]:
    notes = []
    n_genes = sum(m == GENE for m in normaliser.modalities)
    if normaliser.n_proteins and normaliser.is_linear:
        notes.append(
            f"{normaliser.n_proteins:,} antibodies are no part of n_counts and n_genes; their "
            f"means and markers are {PROTEIN_UNIT}: log(1 + x / geometric mean of the cell)"
        )
    others = sum(m == OTHER for m in normaliser.modalities)
    if others:
        notes.append(
            f"{others:,} variables are neither genes nor antibodies (peaks, guides, hashtags): "
            "they are no part of n_counts and n_genes, and no entity of the graph"
        )
    if n_genes:
        columns = [str(c) for c in source.obs.columns]
        mapped = LIBRARY_SIZE in mapping.fields
        note = panel_note(n_genes, values.unit, columns, mapped=mapped)
        notes += [note] if note else []
    return notes
