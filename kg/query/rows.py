"""Rows of a user's query as an Arrow table: entities by id, never with texts and vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time
from neo4j.vector import Vector

from tosg.kg.query.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENTITY_STRUCT = pa.struct(
    [("id", pa.string()), ("type", pa.string()), ("name", pa.string()), ("symbol", pa.string())]
)
RELATIONSHIP_STRUCT = pa.struct(
    [
        ("type", pa.string()),
        ("start", pa.string()),
        ("end", pa.string()),
        ("sign", pa.int64()),
        ("score", pa.float64()),
        ("sources", pa.list_(pa.string())),
    ]
)
PATH_STRUCT = pa.struct(
    [("nodes", pa.list_(ENTITY_STRUCT)), ("relationships", pa.list_(RELATIONSHIP_STRUCT))]
)

#: Declared types of columns as Arrow types.
DECLARED = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "NODE": ENTITY_STRUCT,
    "RELATIONSHIP": RELATIONSHIP_STRUCT,
    "PATH": PATH_STRUCT,
    "LIST<STRING>": pa.list_(pa.string()),
    "LIST<INTEGER>": pa.list_(pa.int64()),
    "LIST<FLOAT>": pa.list_(pa.float64()),
    "LIST<NODE>": pa.list_(ENTITY_STRUCT),
    "LIST<RELATIONSHIP>": pa.list_(RELATIONSHIP_STRUCT),
    "LIST<PATH>": pa.list_(PATH_STRUCT),
}


def shown(value: str) -> str:
    """Cypher that turns a value into what is shown of it, one list deep.

    What is deeper (maps, lists of lists) or mixed arrives as it is and is turned by
    `result_table`; byte arrays, which Cypher takes for lists, are left alone.
    """
    return (
        f"CASE WHEN {value} IS :: LIST<NODE | RELATIONSHIP | PATH> NOT NULL "
        f"THEN [x IN [{value}][0] | {_one('x')}] ELSE {_one(value)} END"
    )


def _one(x: str) -> str:
    # `[x][0]` hides the type of x: Neo4j types a variable by the first function it sees it in,
    # and fails at run time where a value is of another type.
    it = f"[{x}][0]"
    return (
        f"CASE WHEN {x} IS :: NODE NOT NULL THEN {_node(it)} "
        f"WHEN {x} IS :: RELATIONSHIP NOT NULL THEN {_relationship(it)} "
        f"WHEN {x} IS :: PATH NOT NULL THEN {{nodes: [y IN nodes({it}) | {_node('y')}], "
        f"relationships: [y IN relationships({it}) | {_relationship('y')}]}} "
        f"ELSE {x} END"
    )


def _node(it: str) -> str:
    return (
        f"{{id: {it}.id, type: head([l IN labels({it}) WHERE l <> 'Entity']), "
        f"name: {it}.name, symbol: {it}.symbol}}"
    )


def _relationship(it: str) -> str:
    return (
        f"{{type: type({it}), start: startNode({it}).id, end: endNode({it}).id, "
        f"sign: {it}.sign, score: {it}.score, sources: {it}.sources}}"
    )


def result_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], declared: Mapping[str, str]
) -> pa.Table:
    """Make the table of a result.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of rows
    declared : mapping
        Types of columns as a statement's header has them; others are found from the values, and
        values of no common type become JSON text.
    """
    arrays = []
    for i, name in enumerate(columns):
        values = [_plain(row[i]) for row in rows]
        arrays.append(_array(values, DECLARED.get(declared.get(name, ""))))
    return pa.table(arrays, names=list(columns))


def _array(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    if kind is not None:
        try:
            return pa.array(values, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass  # the value matters more than what the header says of it
    for known in (ENTITY_STRUCT, RELATIONSHIP_STRUCT, PATH_STRUCT):
        if _all_of(values, known):
            return pa.array(values, known)
        if _all_lists_of(values, known):
            return pa.array(values, pa.list_(known))
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        texts = [None if v is None else json_text(v) for v in values]
        return pa.array(texts, pa.string())


def _all_of(values: Sequence[Any], struct: pa.StructType) -> bool:
    names = {field.name for field in struct}
    some = [v for v in values if v is not None]
    return bool(some) and all(isinstance(v, dict) and set(v) == names for v in some)


def _all_lists_of(values: Sequence[Any], struct: pa.StructType) -> bool:
    lists = [v for v in values if v is not None]
    if not lists or not all(isinstance(v, list) for v in lists):
        return False
    return _all_of([x for v in lists for x in v], struct)


def _plain(value: Any) -> Any:
    """Turn the driver's own types into plain Python; graph values as `shown` does."""
    if isinstance(value, Node):
        kinds = sorted(set(value.labels) - {"Entity"})
        return {
            "id": value.get("id"),
            "type": kinds[0] if kinds else None,
            "name": value.get("name"),
            "symbol": value.get("symbol"),
        }
    if isinstance(value, Relationship):
        start, end = value.nodes
        return {
            "type": value.type,
            "start": start.get("id") if start else None,
            "end": end.get("id") if end else None,
            **{name: value.get(name) for name in ("sign", "score", "sources")},
        }
    if isinstance(value, Path):
        return {
            "nodes": [_plain(n) for n in value.nodes],
            "relationships": [_plain(r) for r in value.relationships],
        }
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, Date | DateTime | Time):
        return value.iso_format()
    if isinstance(value, Duration):
        return value.iso_format()
    if isinstance(value, Point):
        return {"srid": value.srid, **dict(zip("xyz", value, strict=False))}
    if isinstance(value, Vector):
        return value.to_native()
    if isinstance(value, bytearray):
        return bytes(value)
    return value
