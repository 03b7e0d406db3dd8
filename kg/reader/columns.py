"""Lists of Python values from Bolt as Arrow columns of known types.

Types come from the schema where it names the property, else from the values in the graph, so
that every batch of one read has the same Arrow schema, whatever is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tosg.errors import DataError
from tosg.kg.schema.entities import ENTITY_PROPERTIES
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES
from tosg.kg.schema.support import CELL_PROPERTIES, MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database

_ARROW = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "BYTES": pa.binary(),
    "LIST<STRING>": pa.list_(pa.string()),
    "LIST<INTEGER>": pa.list_(pa.int64()),
    "LIST<FLOAT>": pa.list_(pa.float64()),
    "LIST<BOOLEAN>": pa.list_(pa.bool_()),
    "LIST<NOTHING>": pa.list_(pa.string()),
}

_KNOWN = {
    **CELL_PROPERTIES,
    **{name: kind for name, (kind, _) in RELATIONSHIP_PROPERTIES.items()},
    **{name: kind for name, (kind, _) in ENTITY_PROPERTIES.items()},
}


def known_type(name: str) -> pa.DataType | None:
    """Arrow type of a property that the schema names; None for any other."""
    kind = _KNOWN.get(name)
    if kind is None and name.startswith(MARKER_PREFIX):
        kind = "FLOAT"
    return None if kind is None else _ARROW[kind]


def type_predicate(name: str) -> str | None:
    """Cypher's type predicate for a property that the schema names; None where it has none."""
    kind = _KNOWN.get(name)
    if kind is None or kind == "BYTES":
        return None
    return kind.replace(">", " NOT NULL>")


def types_of(
    db: Database, match: str, variable: str, properties: Sequence[tuple[str, str]]
) -> dict[str, pa.DataType]:
    """Find the Arrow type of each property.

    Whole numbers beside fractions become float64. Any other mix, and what Arrow is not asked to
    hold (dates, points), becomes text. A property that nothing has is of type null.

    Parameters
    ----------
    db : Database
    match : str
        ``MATCH`` that binds the variable.
    variable : str
        Whose properties they are.
    properties : sequence of (name, quoted name)
    """
    found = {name: known_type(name) for name, _ in properties}
    unknown = [(name, quoted) for name, quoted in properties if found[name] is None]
    if unknown:
        columns = ", ".join(
            f"collect(DISTINCT valueType({variable}.{quoted})) AS k{i}"
            for i, (_, quoted) in enumerate(unknown)
        )
        row = db.rows(f"CYPHER 5 {match} RETURN {columns}")[0]
        for i, (name, _) in enumerate(unknown):
            found[name] = _common(row[f"k{i}"])
    return {name: kind for name, kind in found.items() if kind is not None}


def _common(kinds: Sequence[str]) -> pa.DataType:
    names = {k.replace(" NOT NULL", "") for k in kinds} - {"NULL"}
    if not names:
        return pa.null()
    if names == {"INTEGER", "FLOAT"}:
        return pa.float64()
    if len(names) > 1 and "LIST<NOTHING>" in names:
        names -= {"LIST<NOTHING>"}
    if len(names) == 1:
        return _ARROW.get(names.pop(), pa.string())
    return pa.string()


def column(values: Sequence[Any], kind: pa.DataType, name: str) -> pa.Array:
    """Turn values without nulls into an Arrow array.

    Raises
    ------
    DataError
        A value is not of the property's type.
    """
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        if pa.types.is_string(kind):
            return pa.array([_text(v) for v in values], kind)
        if pa.types.is_floating(kind) and all(type(v) in (int, float) for v in values):
            # Whole numbers beside fractions, beyond 2**53: the nearest float, as Cypher compares.
            return pa.array([float(v) for v in values], kind)
        raise DataError(
            "a property in the graph does not have the type that the schema gives it",
            where=name,
            found=error,
            expected=str(kind),
            hint="`tosg check` lists what does not fit the schema",
        ) from error


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
