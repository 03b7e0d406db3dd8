"""Which columns of a file say what a cell is: `CellMapping`.

A mapping comes from a YAML file, from ``FIELD=COLUMN`` pairs, from ``FIELD=CONSTANT`` pairs, and
for the rest from the columns that the CELLxGENE schema names::

    donor_id: patient                 # the column's name
    tissue:
      column: source
      values: {Blood: blood, Tumor: lung}
    disease:
      column: sample
      values: {"LT*": lung cancer, "*": normal}     # the first pattern that fits
    sex: {constant: female}
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, SchemaError, UsageError, unknown
from tosg.kg.cells.obs.fields import BY_NAME, FIELDS
from tosg.kg.schema.names import property_name
from tosg.kg.schema.types import MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

_TERM = "_ontology_term_id"


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where one field comes from.

    Attributes
    ----------
    column : str or None
        Column of obs with names or terms.
    term_column : str or None
        Column of obs with ontology terms (CELLxGENE), beside or instead of names.
    constant : str or None
        One value for every cell.
    values : tuple of (str, str or None)
        Patterns and what a value that fits becomes; the first that fits counts.
    found : bool
        Whether the column was detected and not given by the user.
    """

    column: str | None = None
    term_column: str | None = None
    constant: str | None = None
    values: tuple[tuple[str, str | None], ...] = ()
    found: bool = False

    def translate(self, value: str) -> str | None:
        """Apply `values`; a value that no pattern fits stays as it is."""
        for pattern, target in self.values:
            if value == pattern or fnmatch.fnmatchcase(value, pattern):
                return target
        return value


@dataclass(frozen=True, slots=True)
class CellMapping:
    """Which column or constant each field of a cell comes from.

    Attributes
    ----------
    fields : dict of str to FieldSource
    keep : tuple of str
        Further columns, copied to the cells as they are.
    """

    fields: dict[str, FieldSource] = field(default_factory=dict)
    keep: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        maps: Sequence[str] = (),
        sets: Sequence[str] = (),
        keep: Sequence[str] = (),
    ) -> CellMapping:
        """Build a mapping from what the command line gives.

        Parameters
        ----------
        maps : sequence of str
            YAML files, and ``FIELD=COLUMN`` pairs, which win over files.
        sets : sequence of str
            ``FIELD=CONSTANT`` pairs.
        keep : sequence of str
            Further columns to copy.

        Raises
        ------
        ConfigError
            A file that is missing or does not parse, an unknown field, a pair without ``=``.
        """
        fields: dict[str, FieldSource] = {}
        for text in maps:
            if "=" not in text:
                fields.update(_from_yaml(Path(text)))
        for text in maps:
            if "=" in text:
                name, column = _pair(text, "--map")
                fields[name] = FieldSource(column=column)
        for text in sets:
            name, constant = _pair(text, "--set")
            fields[name] = FieldSource(constant=constant)
        return cls(fields, tuple(keep))

    def complete(self, obs: pd.DataFrame, where: str | Path) -> CellMapping:
        """Check the columns against a file, and add those that the CELLxGENE schema names.

        Raises
        ------
        UsageError
            A mapped column is not in the file; names the nearest ones.
        """
        columns = [str(c) for c in obs.columns]
        wanted = [s.column for s in self.fields.values()] + list(self.keep)
        for column in wanted:
            if column is not None and column not in columns:
                raise unknown("column of obs", column, columns, where=where)
        fields = dict(self.fields)
        for f in FIELDS:
            given = fields.get(f.name)
            detected = _detect(f.name, columns)
            if given is None and detected is not None:
                fields[f.name] = detected
            elif given is not None and given.column == f.name and detected is not None:
                fields[f.name] = replace(given, term_column=detected.term_column)
        for name in self.keep:
            try:
                property_name(name)
            except SchemaError as error:
                raise UsageError(
                    "the name of a kept column cannot be a property of cells",
                    where=where,
                    found=error.found,
                    expected=error.expected,
                    hint="rename the column",
                ) from error
            if name in BY_NAME or name in RESERVED or name.startswith(MARKER_PREFIX):
                raise UsageError(
                    "a kept column has the name of a property that cells have",
                    where=where,
                    found=name,
                    hint="rename the column, or map it to the field",
                )
        return replace(self, fields=fields)

    def document(self) -> dict[str, Any]:
        """Plain content, for hashing and reports."""
        return {
            "fields": {
                name: {
                    key: value
                    for key, value in (
                        ("column", s.column),
                        ("term_column", s.term_column),
                        ("constant", s.constant),
                        ("values", [list(v) for v in s.values]),
                    )
                    if value
                }
                for name, s in sorted(self.fields.items())
            },
            "keep": list(self.keep),
        }


#: Properties of :Cell that no kept column may take.
RESERVED = frozenset(
    {
        *("id", "idx", "dataset", "n_cells", "n_genes", "n_counts", "group", "file", "row"),
        *("expression", "members", "age_years", "cell_type_id", "tissue_id", "disease_id"),
        *("split", "target"),  # columns of a training set
    }
)


def unmapped_hints(obs: pd.DataFrame, mapping: CellMapping) -> dict[str, list[str]]:
    """Name columns that might hold a field which nothing maps, by what they are called."""
    words = {
        "donor_id": ("donor", "patient", "individual", "subject"),
        "cell_type": (
            "celltype",
            "cell_type",
            "cluster",
            "annotation",
            "label",
            "louvain",
            "leiden",
        ),
        "tissue": ("tissue", "organ", "source", "site"),
        "disease": ("disease", "diagnosis", "condition", "status"),
        "sex": ("sex", "gender"),
        "age": ("age",),
    }
    used = {s.column for s in mapping.fields.values()}
    columns = [str(c) for c in obs.columns if str(c) not in used]
    hints = {}
    for name, stems in words.items():
        if name not in mapping.fields:
            near = [c for c in columns if any(_has_word(c, s) for s in stems)]
            if near:
                hints[name] = near
    return hints


def _has_word(column: str, stem: str) -> bool:
    text = column.lower()
    if stem == "age":
        return text == "age" or text.startswith("age_") or text.endswith("_age")
    return stem in text


def _detect(name: str, columns: Iterable[str]) -> FieldSource | None:
    term = name + _TERM if name + _TERM in columns else None
    plain = name if name in columns else None
    if term is None and plain is None:
        return None
    return FieldSource(column=plain, term_column=term, found=True)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(
            "a pair has no name or no value", where=option, found=text, expected="FIELD=VALUE"
        )
    if name not in BY_NAME:
        raise unknown("field of a cell", name, BY_NAME, where=f"{option} {text}")
    return name, value


def _from_yaml(path: Path) -> dict[str, FieldSource]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            "there is no such mapping file",
            where="--map",
            found=path,
            expected="a YAML file, or a pair FIELD=COLUMN",
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError("the mapping file does not parse", where=path, found=error) from error
    if not isinstance(document, dict):
        raise ConfigError(
            "the mapping file is not a table",
            where=path,
            found=type(document).__name__,
            expected="FIELD: COLUMN lines",
        )
    return {name: _field_source(name, value, path) for name, value in document.items()}


def _field_source(name: str, value: Any, path: Path) -> FieldSource:
    if name not in BY_NAME:
        raise unknown("field of a cell", name, BY_NAME, where=path)
    where = f"{path}: {name}"
    if isinstance(value, str):
        return FieldSource(column=value)
    if not isinstance(value, dict):
        raise ConfigError(
            "a field is neither a column nor a table",
            where=where,
            found=repr(value),
            expected="a column, or column, constant and values",
        )
    for key in value:
        if key not in ("column", "constant", "values"):
            raise unknown("key of a field", key, ("column", "constant", "values"), where=where)
    if ("column" in value) == ("constant" in value):
        raise ConfigError(
            "a field has not exactly one of column and constant", where=where, found=value
        )
    if "constant" in value:
        return FieldSource(constant=str(value["constant"]))
    return FieldSource(column=str(value["column"]), values=_values(value.get("values"), where))


def _values(table: Mapping[Any, Any] | None, where: str) -> tuple[tuple[str, str | None], ...]:
    if table is None:
        return ()
    if not isinstance(table, dict):
        raise ConfigError("values is not a table", where=where, found=repr(table))
    return tuple((str(k), None if v is None else str(v)) for k, v in table.items())
