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

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property
from tosg.errors import SchemaError, UsageError, unknown
from tosg.kg.cells.obs.detect import (
    check_named,
    detect,
    with_labels,
    with_parts,
    with_study,
    with_unit,
)
from tosg.kg.cells.obs.field_source import FieldSource
from tosg.kg.cells.obs.fields import BY_NAME, FIELDS
from tosg.kg.cells.obs.mapping_text import read_field_sources, read_mapping_file, split_pair
from tosg.kg.schema.support import MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


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
    def of(cls, mapping: Mapping[str, Any]) -> CellMapping:
        """Build a mapping from Python values.

        Parameters
        ----------
        mapping : mapping
            ``{"donor_id": "patient"}``, ``{"disease:CD": "Crohn disease"}``, or what a YAML file
            would have: ``{"tissue": {"constant": "blood"}}``,
            ``{"cell_type": {"column": "label", "values": {"B": "B cell"}}}``.

        Raises
        ------
        ConfigError
            An unknown field or key, a value of another kind.
        """
        tables = {name: value for name, value in mapping.items() if not isinstance(value, str)}
        pairs = [f"{name}={value}" for name, value in mapping.items() if isinstance(value, str)]
        return cls(_with_pairs(read_field_sources(tables, "mapping"), pairs, ()))

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
                fields.update(read_mapping_file(Path(text)))
        pairs = [text for text in maps if "=" in text]
        fields = _with_pairs(fields, pairs, sets)
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
        fields = {name: with_parts(source, columns) for name, source in self.fields.items()}
        given_columns = [c for s in fields.values() for c in s.parts or (s.column,)]
        for column in (*given_columns, *self.keep):
            if column is not None and column not in columns:
                raise unknown("column of obs", column, columns, where=where)
        for f in FIELDS:
            given, found = fields.get(f.name), detect(f.name, columns) if f.detected else None
            if given is None and found is not None:
                fields[f.name] = found
            elif given is not None and given.constant is None and given.column is None:
                fields[f.name] = with_labels(given, found, f.name, columns, where)
            elif given is not None and given.column == f.name and found is not None:
                fields[f.name] = replace(given, term_column=found.term_column)
        if organism and "organism" not in fields:
            fields["organism"] = FieldSource(constant=organism, found=True)
        if "donor_id" in fields:
            fields["donor_id"] = with_study(fields["donor_id"], obs)
        if "age" in fields:
            fields["age"] = with_unit(fields["age"], columns)
        for name, source in fields.items():
            check_named(name, source, obs, where)
        for name in self.keep:
            _check_kept(name, where)
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


def _with_pairs(
    fields: Mapping[str, FieldSource], maps: Sequence[str], sets: Sequence[str]
) -> dict[str, FieldSource]:
    """Put ``FIELD=COLUMN``, ``FIELD:LABEL=NAME`` and ``FIELD=CONSTANT`` over what files say."""
    fields = dict(fields)
    pairs = [split_pair(text, "--map") for text in maps]
    for name, label, value in pairs:
        if label is None:
            fields[name] = FieldSource(column=value)
    for text in sets:
        name, label, constant = split_pair(text, "--set")
        if label is not None:
            raise UsageError(
                "--set gives one value for every cell, and this names a label",
                where="--set",
                found=text,
                expected=f"--map '{text}', or --set {name}=VALUE for every cell",
            )
        fields[name] = FieldSource(constant=constant)
    for name, label, value in pairs:
        if label is not None:
            source = fields.get(name, FieldSource())
            fields[name] = replace(source, named=(*source.named, (label, value)))
    return fields


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


def _check_kept(name: str, where: str | Path) -> None:
    """Refuse a kept column whose name cells cannot take, or have for something else."""
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
