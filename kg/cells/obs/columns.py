"""The table of a file's cells: each field's values per cell, matched to the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.obs import fields as f
from tosg.kg.cells.obs.donors import JOINT, is_no_person, two_persons
from tosg.kg.cells.obs.flags import read_flags
from tosg.kg.cells.obs.terms import WRONG_ONTOLOGY, Label, TermIndex, match_labels
from tosg.kg.cells.obs.texts import factors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from tosg.kg.cells.obs.field_source import FieldSource
    from tosg.kg.cells.obs.mapping import CellMapping

_Codes = npt.NDArray[np.int64]

#: Of a property of Neo4j.
_LARGEST_INTEGER = 2**63 - 1

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

    def cells(self) -> dict[str, int]:
        """Number of cells of each value as in the file; of those that occur."""
        found: dict[str, int] = {}
        cells = np.bincount(self.codes, minlength=len(self.labels))
        for label, n in zip(self.labels, cells.tolist(), strict=True):
            if n:
                found[label.raw] = found.get(label.raw, 0) + n
        return found


def _take(values: Sequence[Any], codes: _Codes) -> list[Any]:
    return [values[c] for c in codes.tolist()]


def read_fields(
    obs: pd.DataFrame,
    mapping: CellMapping,
    index_of: Callable[[str], TermIndex],
    where: str | Path,
) -> dict[str, FieldColumn]:
    """Read every mapped field of all cells.

    Parameters
    ----------
    obs : DataFrame
    mapping : CellMapping
        Completed against this file.
    index_of : callable
        Gives the names of the graph's nodes of a label; called once per label that is needed.
    where : str or Path
        The file, for errors.

    Raises
    ------
    DataError
        A column of yes and no has other words.
    """
    columns = {}
    for name, source in mapping.fields.items():
        if name == f.LIBRARY_SIZE:
            continue
        field = f.BY_NAME[name]
        index = index_of(field.label) if field.label else None
        column = _read_field(obs, field, source, index)
        if field.flag:
            read_flags((label.raw for label in column.labels), f"{name} ({source.origin})", where)
        columns[name] = column
    return columns


def _read_field(
    obs: pd.DataFrame, field: f.Field, source: FieldSource, index: TermIndex | None
) -> FieldColumn:
    if source.constant is not None:
        label = _labels([source.constant], field, index)[source.constant]
        return FieldColumn(source, np.zeros(len(obs), np.int64), [label])
    texts, codes = _texts(obs, field, source)
    named = _labels(texts, field, index)
    if source.term_column is None:
        return FieldColumn(source, codes, [named[t] for t in texts])
    terms, term_codes = factors(obs[source.term_column])
    found = _labels(terms, field, index)
    pairs, codes = np.unique(codes * len(terms) + term_codes, return_inverse=True)
    labels = [
        _joined(found[terms[p % len(terms)]], named[texts[p // len(terms)]]) for p in pairs.tolist()
    ]
    return FieldColumn(source, codes.astype(np.int64), labels)


def _texts(obs: pd.DataFrame, field: f.Field, source: FieldSource) -> tuple[list[str], _Codes]:
    """Distinct translated texts of a field's columns and the position of each cell's."""
    if source.column is None:
        return [""], np.zeros(len(obs), np.int64)
    if source.parts:
        texts, codes = _combined(obs, source.parts, JOINT)
    elif source.unit_column:
        texts, codes = _combined(obs, (source.column, source.unit_column), " ")
    else:
        texts, codes = factors(obs[source.column])
    if source.unit:
        texts = [f"{t} {source.unit}" if is_number(t) else t for t in texts]
    return [_translated(t, field, source) for t in texts], codes


def _translated(text: str, field: f.Field, source: FieldSource) -> str:
    """Apply what the user says of a value; the pattern ``*`` is not about missing ones."""
    if f.is_missing(text) and not (field.name == "donor_id" and is_no_person(text)):
        return dict(source.named).get(text, text)
    return source.translate(text) or ""


def _labels(texts: Sequence[str], field: f.Field, index: TermIndex | None) -> dict[str, Label]:
    if field.name == "donor_id":
        pairs = two_persons(texts)
        return {t: _donor(t, pair=t in pairs) for t in texts}
    return match_labels(texts, field, index)


def _donor(text: str, *, pair: bool) -> Label:
    if pair or is_no_person(text):
        return Label(text, "no person")
    return Label(text, "missing") if f.is_missing(text) else Label(text, "text", text)


def _combined(obs: pd.DataFrame, parts: Sequence[str], joint: str) -> tuple[list[str], _Codes]:
    """Texts of several columns as one text per cell, and the position of each cell's."""
    first, *others = (factors(obs[part]) for part in parts)
    texts, codes = first
    for more, more_codes in others:
        pairs, codes = np.unique(codes * len(more) + more_codes, return_inverse=True)
        texts = [_pair(texts[p // len(more)], more[p % len(more)], joint) for p in pairs.tolist()]
    return texts, np.asarray(codes, np.int64).reshape(-1)


def _pair(first: str, second: str, joint: str) -> str:
    if f.is_missing(first) or (f.is_missing(second) and not is_no_person(second)):
        return first if joint == " " else ""
    return f"{first}{joint}{second}"


def is_number(text: str) -> bool:
    """Whether a text is a number and nothing else."""
    return text.replace(".", "", 1).replace(",", "", 1).isdigit()


def _joined(term: Label, name: Label) -> Label:
    """Join a term with the name beside it, which calls a term that the graph does not have."""
    if term.kind == "missing":
        return name
    if name.name is None or term.kind in ("matched", "normal", WRONG_ONTOLOGY):
        return term
    return replace(term, name=name.name)


def humans(
    columns: Mapping[str, FieldColumn], n_cells: int
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Tell which cells are human or say no species, and count those of each other species."""
    column = columns.get("organism")
    if column is None:
        return np.ones(n_cells, bool), {}
    human = np.array([lab.kind == "missing" or f.is_human(lab.raw) for lab in column.labels], bool)
    names = np.array([lab.raw for lab in column.labels], object)
    others, counts = np.unique(
        names[column.codes[~human[column.codes]]].astype(str), return_counts=True
    )
    return human[column.codes], dict(zip(others.tolist(), counts.tolist(), strict=True))


def properties(columns: Mapping[str, FieldColumn]) -> dict[str, list[Any]]:
    """Properties of the cells from their fields; None where a cell has none."""
    found: dict[str, list[Any]] = {}
    for name, column in columns.items():
        found[name] = list(column.names())
        if f.BY_NAME[name].flag:
            flags = read_flags((label.raw for label in column.labels), name, column.source.origin)
            found[name] = _take([flags[label.raw] for label in column.labels], column.codes)
        if f.BY_NAME[name].label is not None:
            found[f"{name}_id"] = list(column.terms())
    if "donor_id" in columns:
        donors = columns["donor_id"]
        words = [label.raw if label.kind == "no person" else None for label in donors.labels]
        found["no_donor"] = _take(words, donors.codes)
    return found


def kept(obs: pd.DataFrame, names: Sequence[str], where: str | Path) -> dict[str, list[Any]]:
    """Further columns as properties: numbers, booleans and texts as they are.

    Raises
    ------
    DataError
        A whole number is beyond the 64 bits that a property has.
    """
    found: dict[str, list[Any]] = {}
    for name in names:
        series = obs[name]
        if series.dtype.kind in "iufb":
            _check_range(series, name, where)
            values = zip(series.tolist(), series.isna().tolist(), strict=True)
            found[name] = [None if missing else v for v, missing in values]
        else:
            texts, codes = factors(series)
            found[name] = _take([None if f.is_missing(t) else t for t in texts], codes)
    return found


def _check_range(series: pd.Series[Any], name: str, where: str | Path) -> None:
    if series.dtype.kind == "u" and (too_large := series > _LARGEST_INTEGER).any():
        at = int(np.flatnonzero(too_large)[0])
        raise DataError(
            "a number of a kept column is too large for the graph",
            where=f"{where}: obs, {name}, {series.index[at]}",
            found=series.iloc[at],
            expected=f"at most {_LARGEST_INTEGER:,}",
            hint=f"keep it as text: `adata.obs[{name!r}] = adata.obs[{name!r}].astype(str)`",
        )
