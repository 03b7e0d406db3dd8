"""The table of a file's cells: each field's values per cell, matched to the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.obs import fields as f
from tosg.kg.cells.obs.terms import REFUSED, Label, TermIndex, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from tosg.kg.cells.obs.mapping import CellMapping, FieldSource

_Codes = npt.NDArray[np.int64]

#: What a cell is by one field: name, term and node.
Value = tuple[str | None, str | None, str | None]


@dataclass(frozen=True)
class FieldColumn:
    """One field of all cells.

    Attributes
    ----------
    source : FieldSource
    codes : (n_cells,) int64
        Position in `labels`.
    labels : list of Label
    """

    source: FieldSource
    codes: _Codes
    labels: list[Label]

    def names(self) -> list[str | None]:
        """Value of each cell."""
        return _take([label.name for label in self.labels], self.codes)

    def terms(self) -> list[str | None]:
        """CURIE of each cell's value."""
        return _take([label.term for label in self.labels], self.codes)

    def at(self, rows: npt.NDArray[np.int64]) -> FieldColumn:
        """The same field of some of the cells."""
        return FieldColumn(self.source, self.codes[rows], self.labels)

    def values(self) -> tuple[_Codes, list[Value]]:
        """Codes and distinct values: labels that became the same (a name, its synonym) are one."""
        values: list[Value] = [(lab.name, lab.term, lab.node) for lab in self.labels]
        ordered = sorted(set(values), key=lambda v: tuple(x or "" for x in v))
        position = {v: i for i, v in enumerate(ordered)}
        return np.array([position[v] for v in values], np.int64)[self.codes], ordered

    def counts(self) -> dict[str, dict[str, int]]:
        """Cells by outcome and value: kind -> value as in the file -> cells."""
        found: dict[str, dict[str, int]] = {}
        cells = np.bincount(self.codes, minlength=len(self.labels))
        for label, n in zip(self.labels, cells.tolist(), strict=True):
            if n:
                values = found.setdefault(label.kind, {})
                values[label.raw] = values.get(label.raw, 0) + n
        return found


def _take(values: Sequence[Any], codes: _Codes) -> list[Any]:
    return [values[c] for c in codes.tolist()]


def read_fields(
    obs: pd.DataFrame, mapping: CellMapping, index_of: Callable[[str], TermIndex]
) -> dict[str, FieldColumn]:
    """Read every mapped field of all cells.

    Parameters
    ----------
    obs : DataFrame
    mapping : CellMapping
        Completed against this file.
    index_of : callable
        Gives the names of the graph's nodes of a label; called once per label that is needed.
    """
    columns = {}
    for name, source in mapping.fields.items():
        field = f.BY_NAME[name]
        index = index_of(field.label) if field.label else None
        columns[name] = _read_field(obs, field, source, index)
    return columns


def _read_field(
    obs: pd.DataFrame, field: f.Field, source: FieldSource, index: TermIndex | None
) -> FieldColumn:
    if source.constant is not None:
        label = resolve([source.constant], field, index)[source.constant]
        return FieldColumn(source, np.zeros(len(obs), np.int64), [label])
    column, term_column = source.column, source.term_column
    texts, codes = factors(obs[column]) if column else ([""], np.zeros(len(obs), np.int64))
    texts = ["" if f.is_missing(t) else (source.translate(t) or "") for t in texts]
    named = resolve(texts, field, index)
    if term_column is None:
        return FieldColumn(source, codes, [named[t] for t in texts])
    terms, term_codes = factors(obs[term_column])
    found = resolve(terms, field, index)
    pairs, codes = np.unique(codes * len(terms) + term_codes, return_inverse=True)
    labels = [
        _joined(found[terms[p % len(terms)]], named[texts[p // len(terms)]]) for p in pairs.tolist()
    ]
    return FieldColumn(source, codes.astype(np.int64), labels)


def _joined(term: Label, name: Label) -> Label:
    """Join a term with the name beside it, which calls a term that the graph does not have."""
    if term.kind == "missing":
        return name
    if name.name is None or term.kind in (*REFUSED, "matched", "normal"):
        return term
    return replace(term, name=name.name)


def factors(series: pd.Series[Any]) -> tuple[list[str], _Codes]:
    """Distinct texts of a column, and the position of each cell's; a missing value is ``""``."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, values = series.cat.codes.to_numpy(np.int64), list(series.cat.categories)
    else:
        found, uniques = pd.factorize(series, use_na_sentinel=True)
        codes, values = found.astype(np.int64), list(uniques)
    texts = [text(v) for v in values]
    if (codes < 0).any():
        texts.append("")
        codes = np.where(codes < 0, len(texts) - 1, codes)
    return texts, np.asarray(codes, np.int64)


def text(value: object) -> str:
    """A cell of a table as text; ``54.0`` that passed through a float column is ``54``."""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def ages(columns: Mapping[str, FieldColumn], n_cells: int) -> list[float | None]:
    """Age in years of each cell: of its age, else of its stage, where one of them is clear."""
    found: list[float | None] = [None] * n_cells
    for name in ("development_stage", "age"):
        column = columns.get(name)
        if column is None:
            continue
        years = [_age(label, plain=name == "age") for label in column.labels]
        for row, code in enumerate(column.codes.tolist()):
            if years[code] is not None:
                found[row] = years[code]
    return found


def _age(label: Label, *, plain: bool) -> float | None:
    for part in (label.name, label.term, label.raw):
        if part:
            years = f.age_years(part, plain=plain)
            if years is not None:
                return years
    return None


def humans(
    columns: Mapping[str, FieldColumn], n_cells: int
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Which cells are human or say no species, and how many are of each other species."""
    column = columns.get("organism")
    if column is None:
        return np.ones(n_cells, bool), {}
    human = np.array([lab.kind == "missing" or f.is_human(lab.raw) for lab in column.labels], bool)
    names = np.array([lab.raw for lab in column.labels], object)
    others, counts = np.unique(
        names[column.codes[~human[column.codes]]].astype(str), return_counts=True
    )
    return human[column.codes], dict(zip(others.tolist(), counts.tolist(), strict=True))


def properties(columns: Mapping[str, FieldColumn], n_cells: int) -> dict[str, list[Any]]:
    """Properties of the cells from their fields; None where a cell has none."""
    found: dict[str, list[Any]] = {}
    for name, column in columns.items():
        values: list[Any] = list(column.names())
        if name == "is_primary_data":
            values = [None if v is None else f.is_true(str(v)) for v in values]
        found[name] = values
        if f.BY_NAME[name].label is not None:
            found[f"{name}_id"] = list(column.terms())
    if "age" in columns or "development_stage" in columns:
        found["age_years"] = ages(columns, n_cells)
    return found


def kept(obs: pd.DataFrame, names: Sequence[str]) -> dict[str, list[Any]]:
    """Further columns as properties: numbers, booleans and texts as they are."""
    found: dict[str, list[Any]] = {}
    for name in names:
        series = obs[name]
        if series.dtype.kind in "iufb":
            values = zip(series.tolist(), series.isna().tolist(), strict=True)
            found[name] = [None if missing else v for v, missing in values]
        else:
            texts, codes = factors(series)
            found[name] = _take([None if f.is_missing(t) else t for t in texts], codes)
    return found
