"""Rows of a user's query as an Arrow table: entities by id, never with texts and vectors.

What a value is comes from the database, not from its looks: a map that a query builds with the keys
of an entity stays a map. Columns say what they hold in the metadata of their field (`column_kind`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time
from neo4j.vector import Vector

from tosg.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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

#: Kind of a column of JSON texts: its values have no common type.
JSON = "JSON"

_KIND, _IS_DECLARED = b"tosg:kind", b"tosg:declared"

#: Arrow's own mark of a column of JSON texts
#: (https://arrow.apache.org/docs/format/CanonicalExtensions.html#json).
_ARROW_JSON = {b"ARROW:extension:name": b"arrow.json", b"ARROW:extension:metadata": b""}

#: Whole numbers up to this have a float64 that is equal to them.
_EXACT_FLOAT = 2**53


class NodeValue(dict[str, Any]):
    """A node: id, type, name, symbol."""


class RelationshipValue(dict[str, Any]):
    """A relationship: type, start, end, sign, score, sources."""


class PathValue(dict[str, Any]):
    """A path: its nodes and relationships."""


_GRAPH_KINDS: dict[type, str] = {
    NodeValue: "NODE",
    RelationshipValue: "RELATIONSHIP",
    PathValue: "PATH",
}
_ARROW_TYPES: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    **{kind: DECLARED[name] for kind, name in _GRAPH_KINDS.items()},
}


_GRAPH_NAMES = frozenset(_GRAPH_KINDS.values())


class _NoCommonTypeError(Exception):
    """Values of one column have no Arrow type that keeps them as they are."""


def shown(value: str) -> str:
    """Cypher that turns a value into what is shown of it, one list deep, with its kind.

    The kind is "n", "r" or "p" (node, relationship, path), "l" for a list of these and "v" for any
    other value. What is deeper (graph values in maps and in lists of lists) arrives as it is;
    `result_table` reads both.
    """
    return (
        # Of empty byte arrays Neo4j says that they are any list.
        f"CASE WHEN {value} IS :: LIST<NODE | RELATIONSHIP | PATH> NOT NULL AND {value} <> [] "
        f"THEN ['l', [x IN [{value}][0] | {_one('x')}]] ELSE {_one(value)} END"
    )


def _one(x: str) -> str:
    # `[x][0]` hides the type of x: Neo4j types a variable by the first function it sees it in,
    # and fails at run time where a value is of another type.
    it = f"[{x}][0]"
    return (
        f"CASE WHEN {x} IS :: NODE NOT NULL THEN ['n', {_node(it)}] "
        f"WHEN {x} IS :: RELATIONSHIP NOT NULL THEN ['r', {_relationship(it)}] "
        f"WHEN {x} IS :: PATH NOT NULL THEN ['p', {{nodes: [y IN nodes({it}) | {_node('y')}], "
        f"relationships: [y IN relationships({it}) | {_relationship('y')}]}}] "
        f"ELSE ['v', {x}] END"
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


def loose_ends(rows: Sequence[Sequence[Any]]) -> set[str]:
    """Element ids of nodes that relationships in maps and nested lists end at, without their ids.

    The driver knows of the ends of a relationship only their element ids, unless a path holds them.
    """
    return {
        end.element_id
        for row in rows
        for kind, value in row
        if kind == "v"
        for found in _relationships_in(value)
        for end in found.nodes
        if end is not None and "id" not in end
    }


def _relationships_in(value: Any) -> Iterator[Relationship]:
    if isinstance(value, Relationship):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _relationships_in(inner)


def result_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    declared: Mapping[str, str],
    ends: Mapping[str, str] | None = None,
) -> pa.Table:
    """Make the table of a result.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of rows
        Each value a pair of kind and value, as `shown` makes them.
    declared : mapping
        Types of columns as a statement's header has them. Others are found from the values;
        values of no common type become JSON text, so that each stays as it was.
    ends : mapping, optional
        Element id to id of the nodes that `loose_ends` lists.
    """
    arrays, fields = [], []
    for i, name in enumerate(columns):
        values = [_decode(row[i], ends or {}) for row in rows]
        array, field = _column(name, values, declared.get(name, ""))
        arrays.append(array)
        fields.append(field)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def column_kind(field: pa.Field) -> str:
    """What a column holds besides plain values: NODE, PATH, LIST<NODE>, ..., JSON; "" for those."""
    return str((field.metadata or {}).get(_KIND, b""), "ascii")


def is_declared(field: pa.Field) -> bool:
    """Whether a statement's header says what the column holds, with rows or without."""
    return _IS_DECLARED in (field.metadata or {})


def _column(name: str, values: list[Any], declared: str) -> tuple[pa.Array, pa.Field]:
    wanted = DECLARED.get(declared)
    metadata = {} if wanted is None else {_IS_DECLARED: b"1"}
    try:
        arrow = _common_type(values)
    except _NoCommonTypeError:
        texts = [None if v is None else json_text(v) for v in values]
        metadata |= {_KIND: JSON.encode(), **_ARROW_JSON}
        return pa.array(texts, pa.string()), pa.field(name, pa.string(), metadata=metadata)
    kind = _graph_kind(values)
    said = declared if _element(declared) in _GRAPH_NAMES else ""
    # The value matters more than what the header says of it.
    if wanted is not None and _fits(arrow, wanted) and (kind == said or _is_hollow(arrow)):
        arrow, kind = wanted, said
    if kind:
        metadata[_KIND] = kind.encode()
    return pa.array(values, arrow), pa.field(name, arrow, metadata=metadata or None)


def _element(declared: str) -> str:
    return declared.removeprefix("LIST<").removesuffix(">")


def _graph_kind(values: Iterable[Any], *, depth: int = 1) -> str:
    """Kind of a column of graph values, or of lists of them; "" for any other."""
    types = {type(v) for v in values if v is not None}
    if len(types) != 1:
        return ""
    (found,) = types
    if found is list and depth:
        inner = _graph_kind((x for v in values if v is not None for x in v), depth=0)
        return f"LIST<{inner}>" if inner else ""
    return _GRAPH_KINDS.get(found, "")


def _common_type(values: Iterable[Any]) -> pa.DataType:
    """Arrow type that holds all of some values as they are."""
    some = [v for v in values if v is not None]
    types = {type(v) for v in some}
    if types == {int, float} and all(abs(v) <= _EXACT_FLOAT for v in some if type(v) is int):
        return pa.float64()
    if len(types) > 1:
        raise _NoCommonTypeError
    if not types:
        return pa.null()
    (found,) = types
    if found is list:
        return pa.list_(_common_type(x for v in some for x in v))
    if found is dict:
        keys = list(some[0])
        if not keys or any(v.keys() != some[0].keys() for v in some):
            raise _NoCommonTypeError
        return pa.struct([(k, _common_type(v[k] for v in some)) for k in keys])
    return _ARROW_TYPES[found]


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_list(found) and pa.types.is_list(wanted):
        return _fits(found.value_type, wanted.value_type)
    whole_as_float = pa.types.is_integer(found) and pa.types.is_floating(wanted)
    return bool(pa.types.is_null(found) or found == wanted or whole_as_float)


def _is_hollow(found: pa.DataType) -> bool:
    """Whether a type is that of nulls, or of lists without members."""
    inner = found.value_type if pa.types.is_list(found) else found
    return bool(pa.types.is_null(inner))


def _decode(cell: Sequence[Any], ends: Mapping[str, str]) -> Any:
    """Turn a pair of kind and value into a plain value."""
    kind, value = cell
    if kind == "l":
        return [_decode(one, ends) for one in value]
    if kind == "n":
        return NodeValue(value)
    if kind == "r":
        return RelationshipValue(value)
    if kind == "p":
        return _path(map(NodeValue, value["nodes"]), map(RelationshipValue, value["relationships"]))
    return _plain(value, ends)


def _path(nodes: Iterable[NodeValue], relationships: Iterable[RelationshipValue]) -> PathValue:
    return PathValue(nodes=list(nodes), relationships=list(relationships))


def _id_of(node: Node | None, ends: Mapping[str, str]) -> str | None:
    if node is None:
        return None
    found: str | None = node.get("id", ends.get(node.element_id))
    return found


def _plain(value: Any, ends: Mapping[str, str]) -> Any:
    """Turn the driver's own types into plain Python; graph values as `shown` does."""
    if isinstance(value, Node):
        kinds = sorted(set(value.labels) - {"Entity"})
        return NodeValue(
            id=value.get("id"),
            type=kinds[0] if kinds else None,
            name=value.get("name"),
            symbol=value.get("symbol"),
        )
    if isinstance(value, Relationship):
        start, end = value.nodes
        return RelationshipValue(
            type=value.type,
            start=_id_of(start, ends),
            end=_id_of(end, ends),
            **{name: value.get(name) for name in ("sign", "score", "sources")},
        )
    if isinstance(value, Path):
        return _path(
            (_plain(n, ends) for n in value.nodes), (_plain(r, ends) for r in value.relationships)
        )
    if isinstance(value, dict):
        return {k: _plain(v, ends) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v, ends) for v in value]
    if isinstance(value, Date | DateTime | Time | Duration):
        return value.iso_format()
    if isinstance(value, Point):
        return {"srid": value.srid, **dict(zip("xyz", value, strict=False))}
    if isinstance(value, Vector):
        return value.to_native()
    if isinstance(value, bytearray):
        return bytes(value)
    return value
