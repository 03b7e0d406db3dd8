"""Which columns of a file say what a cell is: `CellMapping`.

A mapping comes from a YAML file, from ``FIELD=COLUMN`` pairs, from ``FIELD=CONSTANT`` pairs, and
for the rest from the columns that the CELLxGENE schema names::

    donor_id: patient                 # the column's name
    donor_id: dataset_id+donor_id     # several columns: D1 of two studies is two people
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

from tosg.cypher.quoting import quote_property
from tosg.errors import ConfigError, SchemaError, UsageError, unknown
from tosg.kg.cells.obs.ages import unit_column, unit_in_name
from tosg.kg.cells.obs.fields import BY_NAME, FIELDS
from tosg.kg.schema.types import MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

_TERM = "_ontology_term_id"

#: Column of CELLxGENE that says the study: a donor is one person only within it.
_STUDY = "dataset_id"


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
    named : tuple of (str, str)
        Labels of the file and the name or term of each; they come before `values`.
    found : bool
        Whether the column was detected and not given by the user.
    parts : tuple of str
        Columns that make the value together, where `column` names several.
    unit_column : str or None
        Column with the unit of an age.
    unit : str or None
        Unit of an age that the column's name says.
    """

    column: str | None = None
    term_column: str | None = None
    constant: str | None = None
    values: tuple[tuple[str, str | None], ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    found: bool = False
    parts: tuple[str, ...] = ()
    unit_column: str | None = None
    unit: str | None = None

    @property
    def origin(self) -> str:
        """Where the values come from, for reports and errors."""
        if self.constant is not None:
            return f"set to {self.constant}"
        columns = [c for c in (self.column, self.term_column, self.unit_column) if c]
        return " with ".join(columns)

    def translate(self, value: str) -> str | None:
        """Apply `named` and `values`; a value that none of them has stays as it is."""
        named = dict(self.named)
        if value in named:
            return named[value]
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
        pairs = [_pair(text, "--map") for text in maps if "=" in text]
        for name, label, value in pairs:
            if label is None:
                fields[name] = FieldSource(column=value)
        for text in sets:
            name, label, constant = _pair(text, "--set")
            if label is not None:
                raise UsageError(
                    "a label is named with --map",
                    where="--set",
                    found=text,
                    expected=f"--map '{text}', or --set {name}=VALUE for every cell",
                )
            fields[name] = FieldSource(constant=constant)
        for name, label, value in pairs:
            if label is not None:
                source = fields.get(name, FieldSource())
                fields[name] = replace(source, named=(*source.named, (label, value)))
        return cls(fields, tuple(keep))

    def complete(self, obs: pd.DataFrame, where: str | Path, organism: str = "") -> CellMapping:
        """Check the columns against a file, and add those that the CELLxGENE schema names.

        Parameters
        ----------
        obs : DataFrame
        where : str or Path
            The file, for errors.
        organism : str
            Species of the whole file, where it says one.

        Raises
        ------
        UsageError
            A mapped column is not in the file; names the nearest ones.
        """
        columns = [str(c) for c in obs.columns]
        fields = {name: _with_parts(source, columns) for name, source in self.fields.items()}
        given_columns = [c for s in fields.values() for c in s.parts or (s.column,)]
        for column in (*given_columns, *self.keep):
            if column is not None and column not in columns:
                raise unknown("column of obs", column, columns, where=where)
        for f in FIELDS:
            given, detected = fields.get(f.name), _detect(f.name, columns) if f.detected else None
            if given is None and detected is not None:
                fields[f.name] = detected
            elif given is not None and given.constant is None and given.column is None:
                fields[f.name] = _with_labels(given, detected, f.name, columns, where)
            elif given is not None and given.column == f.name and detected is not None:
                fields[f.name] = replace(given, term_column=detected.term_column)
        if organism and "organism" not in fields:
            fields["organism"] = FieldSource(constant=organism, found=True)
        if "donor_id" in fields:
            fields["donor_id"] = _with_study(fields["donor_id"], obs)
        if "age" in fields:
            fields["age"] = _with_unit(fields["age"], columns)
        for name, source in fields.items():
            _check_named(name, source, obs, where)
        for name in self.keep:
            try:
                quote_property(name)
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

    def as_dict(self) -> dict[str, Any]:
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
                        ("named", [list(v) for v in s.named]),
                        ("unit_column", s.unit_column),
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
        *("expression_total", "n_counts_protein", "protein_clr", "n_donors"),
        *("expression", "members", "age_years", "post_conception_weeks", "no_donor"),
        *("cell_type_id", "tissue_id", "disease_id"),
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
    used = {c for s in mapping.fields.values() for c in (s.column, s.unit_column, *s.parts)}
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


def _with_parts(source: FieldSource, columns: Sequence[str]) -> FieldSource:
    """Take ``a+b`` for two columns where the file has no column of that name."""
    if source.column is None or source.column in columns or "+" not in source.column:
        return source
    return replace(source, parts=tuple(part.strip() for part in source.column.split("+")))


def _with_labels(
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


def _check_named(name: str, source: FieldSource, obs: pd.DataFrame, where: str | Path) -> None:
    """Refuse labels that are named and that no cell has."""
    if not source.named or source.parts or source.column is None:
        return
    known = {str(value).strip() for value in obs[source.column].unique()}
    for label, _ in source.named:
        if label not in known:
            raise unknown(f"label of {name}", label, known, where=f"{where}: {source.column}")


def _with_study(source: FieldSource, obs: pd.DataFrame) -> FieldSource:
    """Tell donors of several studies apart by CELLxGENE's ``dataset_id``: their names repeat."""
    if not source.found or source.column is None or _STUDY not in obs.columns:
        return source
    if obs[_STUDY].nunique() <= 1:
        return source
    return replace(source, column=f"{_STUDY}+{source.column}", parts=(_STUDY, source.column))


def _with_unit(source: FieldSource, columns: Sequence[str]) -> FieldSource:
    """Find the unit of ages, in a neighbouring column or in the name of the column."""
    if source.column is None or source.parts:
        return source
    return replace(
        source,
        unit_column=unit_column(source.column, columns),
        unit=unit_in_name(source.column),
    )


def _pair(text: str, option: str) -> tuple[str, str | None, str]:
    """Split ``FIELD=VALUE`` and ``FIELD:LABEL=VALUE``."""
    left, equals, value = text.partition("=")
    name, colon, label = left.partition(":")
    if colon:  # a label may have an equals sign of its own
        label, equals, value = text[len(name) + 1 :].rpartition("=")
    if not equals or not name or not value or (colon and not label):
        raise UsageError(
            "a pair has no name or no value",
            where=option,
            found=text,
            expected="FIELD=COLUMN, or FIELD:LABEL=NAME" if option == "--map" else "FIELD=VALUE",
        )
    if name not in BY_NAME:
        raise unknown("field of a cell", name, BY_NAME, where=f"{option} {text}")
    return name, label if colon else None, value


def _from_yaml(path: Path) -> dict[str, FieldSource]:
    import yaml

    try:
        # Every scalar is text: `no` and `1.10` are labels like any other.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
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
    if isinstance(value, str | list):
        return _columns(value)
    if not isinstance(value, dict):
        raise ConfigError(
            "a field is neither a column nor a table",
            where=where,
            found=repr(value),
            expected="a column, a list of columns, or column, constant and values",
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
    return replace(_columns(value["column"]), values=_values(value.get("values"), where))


def _columns(value: str | list[str]) -> FieldSource:
    """Take a column, or several that make the value together."""
    if isinstance(value, str):
        return FieldSource(column=value)
    return FieldSource(column="+".join(map(str, value)), parts=tuple(map(str, value)))


def _values(table: Mapping[Any, Any] | None, where: str) -> tuple[tuple[str, str | None], ...]:
    if table is None:
        return ()
    if not isinstance(table, dict):
        raise ConfigError("values is not a table", where=where, found=repr(table))
    return tuple((str(k), None if v is None else str(v)) for k, v in table.items())
