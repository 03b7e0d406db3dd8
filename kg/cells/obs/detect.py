"""What the columns of a file say by their names: fields, studies of donors, units of ages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tosg.errors import UsageError, unknown
from tosg.kg.cells.obs.ages import unit_column, unit_in_name
from tosg.kg.cells.obs.field_source import FieldSource
from tosg.kg.cells.obs.texts import factors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

_TERM = "_ontology_term_id"

#: Column of CELLxGENE that says the study: a donor is one person only within it.
_STUDY = "dataset_id"

#: Further names of a field's column that can mean nothing else.
_OTHER_NAMES = {"organism": ("Organism", "species", "Species")}

#: Parts of the names of columns that may hold a field.
_STEMS = {
    "donor_id": ("donor", "patient", "individual", "subject"),
    "cell_type": (
        *("celltype", "cell_type", "cluster", "annotation", "label", "louvain", "leiden"),
    ),
    "tissue": ("tissue", "organ", "source", "site"),
    "disease": ("disease", "diagnosis", "condition", "status"),
    "sex": ("sex", "gender"),
    "age": ("age",),
}


def detect(name: str, columns: Sequence[str]) -> FieldSource | None:
    """Find the columns that the CELLxGENE schema names for a field."""
    term = name + _TERM if name + _TERM in columns else None
    plain = next((n for n in (name, *_OTHER_NAMES.get(name, ())) if n in columns), None)
    if term is None and plain is None:
        return None
    return FieldSource(column=plain, term_column=term, found=True)


def with_parts(source: FieldSource, columns: Sequence[str]) -> FieldSource:
    """Take ``a+b`` for two columns where the file has no column of that name."""
    if source.column is None or source.column in columns or "+" not in source.column:
        return source
    return replace(source, parts=tuple(part.strip() for part in source.column.split("+")))


def with_labels(
    given: FieldSource,
    detected: FieldSource | None,
    name: str,
    columns: Sequence[str],
    where: str | Path,
) -> FieldSource:
    """Give labels that are named without a column those of the detected column."""
    if detected is None:
        raise UsageError(
            f"labels of {name} are named, and the file has no column for it",
            where=where,
            found=", ".join(columns) or "no columns",
            hint=f"--map {name}=COLUMN says which column holds it",
        )
    return replace(detected, named=given.named)


def check_named(name: str, source: FieldSource, obs: pd.DataFrame, where: str | Path) -> None:
    """Refuse labels that are named and that no cell has."""
    if not source.named or source.parts or source.column is None:
        return
    known = set(factors(obs[source.column])[0])
    for label, _ in source.named:
        if label not in known:
            raise unknown(f"label of {name}", label, known, where=f"{where}: {source.column}")


def with_study(source: FieldSource, obs: pd.DataFrame) -> FieldSource:
    """Tell donors of several studies apart by CELLxGENE's ``dataset_id``: their names repeat."""
    if not source.found or source.column is None or _STUDY not in obs.columns:
        return source
    if obs[_STUDY].nunique() <= 1:
        return source
    return replace(source, column=f"{_STUDY}+{source.column}", parts=(_STUDY, source.column))


def with_unit(source: FieldSource, columns: Sequence[str]) -> FieldSource:
    """Find the unit of ages, in a neighbouring column or in the name of the column."""
    if source.column is None or source.parts:
        return source
    return replace(
        source,
        unit_column=unit_column(source.column, columns),
        unit=unit_in_name(source.column),
    )


def unmapped_hints(obs: pd.DataFrame, fields: Mapping[str, FieldSource]) -> dict[str, list[str]]:
    """Name columns that might hold a field which nothing maps, by what they are called."""
    used = {c for s in fields.values() for c in (s.column, s.unit_column, *s.parts)}
    columns = [str(c) for c in obs.columns if str(c) not in used]
    hints = {}
    for name, stems in _STEMS.items():
        near = [c for c in columns if any(_has_word(c, s) for s in stems)]
        if near and name not in fields:
            hints[name] = near
    return hints


def _has_word(column: str, stem: str) -> bool:
    text = column.lower()
    if stem == "age":
        return text == "age" or text.startswith("age_") or text.endswith("_age")
    return stem in text
