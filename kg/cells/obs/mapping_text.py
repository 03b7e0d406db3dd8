"""What users write to map fields: pairs on the command line, and YAML files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, UsageError, unknown
from tosg.kg.cells.obs.field_source import FieldSource
from tosg.kg.cells.obs.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def split_pair(text: str, option: str) -> tuple[str, str | None, str]:
    """Split ``FIELD=VALUE`` and ``FIELD:LABEL=VALUE``.

    Returns
    -------
    (str, str or None, str)
        Field, label and value.

    Raises
    ------
    UsageError
        A part is missing, or the field is unknown.
    """
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


def read_mapping_file(path: Path) -> dict[str, FieldSource]:
    """Read the fields of a YAML file.

    Raises
    ------
    ConfigError
        It is missing, does not parse, or has an unknown field or key.
    """
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
    return read_field_sources(document, str(path))


def read_field_sources(document: Mapping[str, Any], where: str) -> dict[str, FieldSource]:
    """Read fields as a mapping file has them: a column, a list of columns, or a table.

    Parameters
    ----------
    document : mapping
        Field to column, list of columns, ``{"constant": ...}``, or
        ``{"column": ..., "values": {...}}``.
    where : str
        For errors.

    Raises
    ------
    ConfigError
        A field or key is unknown, or a value of another kind.
    """
    return {name: _field_source(name, value, where) for name, value in document.items()}


def _field_source(name: str, value: Any, place: str) -> FieldSource:
    if name not in BY_NAME:
        raise unknown("field of a cell", name, BY_NAME, where=place)
    where = f"{place}: {name}"
    if isinstance(value, str | list):
        return _columns(value, where)
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
        raise ConfigError("a field needs either column or constant", where=where, found=value)
    if "constant" in value:
        return FieldSource(constant=str(value["constant"]))
    return replace(_columns(value["column"], where), values=_values(value.get("values"), where))


def _columns(value: Any, where: str) -> FieldSource:
    """Take a column, or several that make the value together."""
    if isinstance(value, str):
        return FieldSource(column=value)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ConfigError(
            "a column is neither a name nor a list of names",
            where=where,
            found=repr(value),
            expected="patient, or [dataset_id, donor_id]",
        )
    return FieldSource(column="+".join(value), parts=tuple(value))


def _values(table: Mapping[Any, Any] | None, where: str) -> tuple[tuple[str, str | None], ...]:
    if table is None:
        return ()
    if not isinstance(table, dict):
        raise ConfigError("values is not a table", where=where, found=repr(table))
    return tuple((str(k), None if v is None else str(v)) for k, v in table.items())
