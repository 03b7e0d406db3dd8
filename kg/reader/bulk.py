"""The columnar reader: every bulk read of nodes, relationships and vectors goes through here.

Each block of ``idx`` is one query whose columns are lists (`tosg.kg.reader.blocks`), read on
several connections and yielded in order as Arrow batches of bounded size. ``collect`` drops nulls,
so a block comes back as one record for each pattern of missing properties in it; within a record
every list is as long as the others, or empty.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.cypher.quoting import quote_property
from tosg.errors import DataError
from tosg.kg.reader.block_query import Piece, Query, batches, expressions, read_block, records
from tosg.kg.reader.blocks import Block, as_idx, blocks_of, blocks_of_all, in_order
from tosg.kg.reader.edge_blocks import Numbers, degrees_of, edge_schema, edge_table
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database

    Int64s = NDArray[np.int64]

#: Rows of a block by its heaviest property.
_ROWS = {
    "expression": 1024,
    "embedding": 512,
    "embedding_f32": 4096,
    "claims": 4096,
    "text": 4096,
    "description": 4096,
}
_NODE_ROWS = 16_384
_EDGE_ROWS = 65_536
_EDGE_ROWS_WITH_LISTS = 16_384

#: Up to so many nodes, the ends of induced relationships are sent along and matched there.
_ENDS_SENT_MAX_NODES = 2_000

#: From so many properties on, a relationship's are read as one map: each by itself is looked for
#: from the first one stored.
_MAP_READ_MIN_PROPERTIES = 4

#: From so many types on, blocks are cut by the relationships of all types.
_COUNT_ALL_MIN_TYPES = 5

#: What is no property but can be read like one: type and labels of a knowledge node.
_TYPE = {
    # Other programs may give labels of their own to a node.
    "type": (f"head([l IN labels(n) WHERE l IN {sorted(entity_types())}])", pa.string()),
    "labels": ("labels(n)", pa.list_(pa.string())),
}


def read_nodes(
    db: Database,
    label: str,
    properties: Sequence[str],
    *,
    idx: NDArray[Any] | None = None,
    connections: int = 4,
    strict: bool = True,
) -> Iterator[pa.RecordBatch]:
    """Read properties of the nodes of one label.

    Parameters
    ----------
    db : Database
    label : str
        ``Entity``, an entity type, or ``Cell``.
    properties : sequence of str
        Any properties; a missing one is null. Types are the schema's, and where it does not
        name the property, those of `tosg.kg.reader.columns.types_of`. ``type`` of a knowledge
        node is its type label, ``labels`` are all of its labels.
    idx : (n,) integers, optional
        Only these, in any order; those that are not in the graph (or are of another label) are
        not in the result. By default all.
    connections : int
        Blocks read at once.
    strict : bool
        Whether a value that is not of the schema's type is an error; else it is read as null.

    Yields
    ------
    pa.RecordBatch
        ``idx`` int64 and the properties, ascending by ``idx`` over all batches; at most 16,384
        rows, fewer with heavy properties. Where nothing is found, one empty batch.

    Raises
    ------
    UsageError
        The schema has no such label.
    DataError
        A property in the graph is not of the schema's type, and the read is `strict`.
    """
    anchor = names.label("Cell" if label == "Cell" else ENTITY)
    quoted = names.label(label)
    also = "" if quoted == anchor else f" AND n:{quoted}"
    every = f"MATCH (n:{quoted})"
    # The hint keeps the planner from a scan of a small label for every block.
    query = Query(
        by_range=f"MATCH (n:{anchor}) USING INDEX n:{anchor}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high{also}",
        by_ids=f"UNWIND $ids AS i MATCH (n:{anchor} {{idx: i}}) WHERE true{also}",
        numbers=("n.idx",),
        properties=expressions(
            db,
            every,
            "n",
            [p for p in properties if p != "idx"],
            {} if label == "Cell" else _TYPE,
            strict=strict,
        ),
    )
    rows = min((_ROWS.get(name, _NODE_ROWS) for name, _, _ in query.properties), default=_NODE_ROWS)
    if idx is None:
        blocks = blocks_of_all(db, every, None, rows, connections)
    else:
        blocks = blocks_of(as_idx(idx), rows)
    schema = pa.schema([("idx", pa.int64()), *((n, t) for n, _, t in query.properties)])

    def table(block: Block) -> pa.Table:
        return _nodes(read_block(db, query, block), schema, block)

    yield from batches(in_order(blocks, table, connections), schema, rows)


def read_relationships(
    db: Database,
    types: Sequence[str] | None,
    properties: Sequence[str] = (),
    *,
    grouped: Sequence[str] = (),
    idx: NDArray[Any] | None = None,
    starts_only: bool = False,
    connections: int = 4,
    strict: bool = True,
) -> Iterator[pa.RecordBatch]:
    """Read the relationships between nodes that have an ``idx``.

    Parameters
    ----------
    db : Database
    types : sequence of str or None
        Relationship types of the schema; None for all between knowledge nodes.
    properties : sequence of str
        Any properties of theirs; a missing one is null.
    grouped : sequence of str
        Properties of few distinct values, such as ``sources``. The server groups by them, so that
        a value travels once per block and not once per relationship: lists of strings come
        several times faster than as `properties`.
    idx : (n,) integers, optional
        Only relationships with both ends among these. By default all.
    starts_only : bool
        Whether only the start need be among `idx`.
    connections : int
        Blocks read at once.
    strict : bool
        Whether a value that is not of the schema's type is an error; else it is read as null.

    Yields
    ------
    pa.RecordBatch
        ``type`` (dictionary of string, the same in all batches), ``start_idx``, ``end_idx``
        int64, then the properties, then where anything is `grouped` the column ``group``
        (dictionary of string, another in each batch): a JSON object of their values, keys in the
        order asked for. ``start_idx`` ascends over all batches; a batch is sorted by
        (start_idx, end_idx, type) and has at most 65,536 rows. Where nothing is found, one empty
        batch.

    Raises
    ------
    UsageError
        The schema has no such type.
    DataError
        A property in the graph is not of the schema's type, and the read is `strict`.
    """
    kinds = sorted(relationship_types() if types is None else set(types))
    entity, pattern = names.label(ENTITY), names.pattern_types(kinds)
    wanted = None if idx is None else as_idx(idx)
    small = wanted is not None and len(wanted) <= _ENDS_SENT_MAX_NODES and not starts_only
    whole = len(properties) + len(grouped) >= _MAP_READ_MIN_PROPERTIES
    by_range, by_ids = _edge_patterns(pattern, small=small, whole=whole)
    query = Query(
        by_range=by_range,
        by_ids=by_ids,
        numbers=("start", "end"),
        properties=expressions(db, f"MATCH ()-[p{pattern}]->()", "p", properties, strict=strict),
        key=f"[{', '.join(['type', *(f'p.{quote_property(p)}' for p in grouped)])}]",
        grouped=tuple(grouped),
    )
    heavy = any(pa.types.is_list(t) or pa.types.is_string(t) for _, _, t in query.properties)
    rows = _EDGE_ROWS_WITH_LISTS if heavy else _EDGE_ROWS
    # Neo4j knows a node's relationships in both directions; those of one direction or of one type
    # it counts one by one. They are at least as many as the rows, and twice as many over all.
    if small or len(kinds) >= _COUNT_ALL_MIN_TYPES:
        degree, most = "count { (n)--() }", 2 * rows
    else:
        degree, most = f"count {{ (n)-[{pattern}]->() }}", rows
    if not kinds:
        blocks: Iterator[Block] = iter(())
    elif wanted is None:
        blocks = blocks_of_all(db, f"MATCH (n:{entity})", f"sum({degree})", most, connections)
    else:
        blocks = blocks_of(wanted, most, degrees_of(db, entity, degree, wanted))
    parameters = {"ends": [] if wanted is None else wanted.tolist()} if small else {}
    entities = None if small or not kinds else Numbers.read(db, entity, connections)

    def table(block: Block) -> pa.Table:
        return edge_table(
            read_block(db, query, block, parameters),
            kinds,
            query,
            None if starts_only else wanted,
            block,
            entities,
        )

    yield from batches(in_order(blocks, table, connections), edge_schema(query), _EDGE_ROWS)


def _edge_patterns(pattern: str, *, small: bool, whole: bool) -> tuple[str, str]:
    """Cypher that finds relationships by a range of `idx` and by ids of their start.

    Parameters
    ----------
    pattern : str
        Their types, quoted.
    small : bool
        Whether the other end is among the parameter ``ends``.
    whole : bool
        Whether their properties are read as one map.
    """
    entity = names.label(ENTITY)
    ends = " AND m.idx IN $ends" if small else ""
    # A node's property is looked for again for each of its relationships, its number is at hand.
    number = "{}.idx" if small else "id({})"
    row = (
        f" WITH {number.format('n')} AS start, {number.format('m')} AS end, type(r) AS type, "
        f"{'properties(r)' if whole else 'r'} AS p"
    )
    by_range = (
        f"MATCH (n:{entity})-[r{pattern}]->(m) USING INDEX n:{entity}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high{ends}{row}"
    )
    by_ids = (
        f"UNWIND $ids AS i MATCH (n:{entity} {{idx: i}})-[r{pattern}]->(m) WHERE true{ends}{row}"
    )
    return by_range, by_ids


def read_embeddings(
    db: Database, idx: NDArray[Any], *, connections: int = 4
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read the vectors of nodes from ``embedding_f32``.

    Parameters
    ----------
    db : Database
    idx : (n,) integers
        In any order, also repeated.
    connections : int
        Blocks read at once.

    Returns
    -------
    vectors : (n, D) float32
        Row i is the vector of ``idx[i]``; zeros where it has none. D is 0 where no node has one.
    present : (n,) bool
        Whether the node has a vector.

    Raises
    ------
    DataError
        The vectors do not have one length.
    """
    wanted = as_idx(idx)
    entity = names.label(ENTITY)
    some = "n.embedding_f32 IS NOT NULL"
    query = Query(
        by_range=f"MATCH (n:{entity}) USING INDEX n:{entity}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high AND {some}",
        by_ids=f"UNWIND $ids AS i MATCH (n:{entity} {{idx: i}}) WHERE {some}",
        numbers=("n.idx",),
        properties=(("embedding_f32", "n.embedding_f32", pa.binary()),),
    )
    vectors = np.zeros((len(wanted), 0), np.float32)
    present = np.zeros(len(wanted), np.bool_)

    def received(block: Block) -> list[tuple[Int64s, list[bytes]]]:
        found = [(record[2], record[3]) for record in records(db, query, block)]
        return [(np.array(numbers, np.int64), values) for numbers, values in found]

    width = 0  # bytes
    blocks = blocks_of(wanted, _ROWS["embedding_f32"])
    for found, values in itertools.chain.from_iterable(in_order(blocks, received, connections)):
        width = _width(values, width)
        if not vectors.shape[1]:
            vectors = np.zeros((len(wanted), width // 4), "<f4")
            room = vectors.data.cast("B")
        at = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
        asked = wanted[at] == found
        present[at[asked]] = True
        # Each vector is copied once, to where it stays.
        for start, one, value in zip((at * width).tolist(), asked.tolist(), values, strict=True):
            if one:
                room[start : start + width] = value
    if len(wanted) == len(idx) and np.array_equal(wanted, idx):
        return vectors, present
    back = np.searchsorted(wanted, np.asarray(idx))
    return vectors[back], present[back]


def _width(vectors: list[bytes], before: int) -> int:
    """Bytes of each vector, which are those of the vectors before (0 where there are none)."""
    widths = sorted({len(v) for v in vectors} | ({before} if before else set()))
    if len(widths) > 1:
        raise _uneven(*widths[:2])
    if widths[0] % 4 or not widths[0]:
        raise _uneven(widths[0], "a multiple of 4")
    return widths[0]


def _uneven(one: object, other: object) -> DataError:
    return DataError(
        "the vectors in the graph differ in length",
        where="embedding_f32",
        found=f"{one} bytes",
        expected=f"{other} bytes",
        hint="`tosg embed` makes them again where the model has changed",
    )


def _nodes(pieces: list[Piece], schema: pa.Schema, block: Block) -> pa.Table:
    """Join the pieces of a block, ascending by idx, wanted nodes only."""
    if not pieces:
        return schema.empty_table()
    table = pa.concat_tables([pa.table([p.numbers[0], *p.columns], schema=schema) for p in pieces])
    found = table["idx"].to_numpy()
    order = np.argsort(found)
    if block.wanted is not None and block.by_range:
        order = order[np.isin(found[order], block.wanted, assume_unique=True)]
    return table.take(pa.array(order)).combine_chunks()
