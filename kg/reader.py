"""The columnar reader: every bulk read of nodes, relationships and vectors goes through here.

Each block of ``idx`` is one query whose columns are lists (`tosg.kg.blocks`), read on several
connections and yielded in order as Arrow batches of bounded size. ``collect`` drops nulls, so a
block comes back as one record for each pattern of missing properties in it; within a record
every list is as long as the others, or empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.kg import names
from tosg.kg.blocks import Block, as_idx, blocks_of, blocks_of_all, in_order
from tosg.kg.columns import column, types_of
from tosg.kg.errors import DataError
from tosg.kg.schema import ENTITY, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.kg.database import Database

    Int64s = NDArray[np.int64]

#: Rows of a block by its heaviest property.
_ROWS = {
    "expression": 1024,
    "embedding": 512,
    "embedding_f32": 2048,
    "claims": 4096,
    "text": 4096,
    "description": 4096,
}
_NODE_ROWS = 16_384
_EDGE_ROWS = 65_536
_EDGE_ROWS_WITH_LISTS = 16_384

#: Up to so many nodes, the ends of induced relationships are sent along and matched there.
_SMALL = 2_000

#: From so many types on, blocks are cut by the relationships of all types.
_FEW_TYPES = 5

#: Ids in one query that asks for degrees alone.
_IDS_PER_QUERY = 50_000


#: What is no property but can be read like one: the type of a knowledge node is its label.
_NONE: Mapping[str, tuple[str, pa.DataType]] = {}
_TYPE = {"type": (f"head([l IN labels(n) WHERE l <> '{ENTITY}'])", pa.string())}


@dataclass(frozen=True)
class _Query:
    """What is read of each block: ``key`` and ``numbers`` are never null, properties may be."""

    by_range: str
    by_ids: str
    numbers: tuple[str, ...]
    properties: tuple[tuple[str, str, pa.DataType], ...]  # name, expression, type
    key: str = "0"
    grouped: tuple[str, ...] = ()  # properties in a relationship's key, after the type

    def text(self, block: Block) -> str:
        missing = [f"{e} IS NULL AS m{i}" for i, (_, e, _) in enumerate(self.properties)]
        numbers = [f"collect({e}) AS n{i}" for i, e in enumerate(self.numbers)]
        values = [f"collect({e}) AS p{i}" for i, (_, e, _) in enumerate(self.properties)]
        found = self.by_range if block.by_range else self.by_ids
        columns = ", ".join([f"{self.key} AS key", *missing, *numbers, *values])
        return f"CYPHER 5 {found} RETURN {columns}"


@dataclass(frozen=True)
class _Piece:
    """The rows of a block that lack the same properties."""

    key: Any
    numbers: list[Int64s]
    columns: list[pa.Array]


def read_nodes(
    db: Database,
    label: str,
    properties: Sequence[str],
    *,
    idx: NDArray[Any] | None = None,
    connections: int = 4,
) -> Iterator[pa.RecordBatch]:
    """Read properties of the nodes of one label.

    Parameters
    ----------
    db : Database
    label : str
        ``Entity``, an entity type, or ``Cell``.
    properties : sequence of str
        Any properties; a missing one is null. Types are the schema's, and where it does not
        name the property, those of `tosg.kg.columns.types_of`. ``type`` of a knowledge node is
        its type label.
    idx : (n,) integers, optional
        Only these, in any order; those that are not in the graph (or are of another label) are
        not in the result. By default all.
    connections : int
        Blocks read at once.

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
        A property in the graph is not of the schema's type.
    """
    anchor = names.label("Cell" if label == "Cell" else ENTITY)
    quoted = names.label(label)
    also = "" if quoted == anchor else f" AND n:{quoted}"
    every = f"MATCH (n:{quoted})"
    # The hint keeps the planner from a scan of a small label for every block.
    query = _Query(
        by_range=f"MATCH (n:{anchor}) USING INDEX n:{anchor}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high{also}",
        by_ids=f"UNWIND $ids AS i MATCH (n:{anchor} {{idx: i}}) WHERE true{also}",
        numbers=("n.idx",),
        properties=_expressions(
            db, every, "n", [p for p in properties if p != "idx"], {} if label == "Cell" else _TYPE
        ),
    )
    rows = min((_ROWS.get(name, _NODE_ROWS) for name, _, _ in query.properties), default=_NODE_ROWS)
    if idx is None:
        blocks = blocks_of_all(db, every, "count(*)", rows, connections)
    else:
        blocks = blocks_of(as_idx(idx), rows)
    schema = pa.schema([("idx", pa.int64()), *((n, t) for n, _, t in query.properties)])

    def table(block: Block) -> pa.Table:
        return _nodes(_read(db, query, block), schema, block)

    yield from _batches(in_order(blocks, table, connections), schema, rows)


def read_relationships(
    db: Database,
    types: Sequence[str] | None,
    properties: Sequence[str] = (),
    *,
    grouped: Sequence[str] = (),
    idx: NDArray[Any] | None = None,
    connections: int = 4,
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
    connections : int
        Blocks read at once.

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
        A property in the graph is not of the schema's type.
    """
    kinds = sorted(relationship_types() if types is None else set(types))
    entity, pattern = names.label(ENTITY), names.pattern_types(kinds)
    wanted = None if idx is None else as_idx(idx)
    small = wanted is not None and len(wanted) <= _SMALL
    ends = " AND m.idx IN $ends" if small else ""
    query = _Query(
        by_range=f"MATCH (n:{entity})-[r{pattern}]->(m) USING INDEX n:{entity}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high{ends}",
        by_ids=f"UNWIND $ids AS i MATCH (n:{entity} {{idx: i}})-[r{pattern}]->(m) WHERE true{ends}",
        numbers=("n.idx", "m.idx" if small else "id(m)"),
        properties=_expressions(db, f"MATCH ()-[r{pattern}]->()", "r", properties),
        key=f"[{', '.join(['type(r)', *(f'r.{names.property_name(p)}' for p in grouped)])}]",
        grouped=tuple(grouped),
    )
    heavy = any(pa.types.is_list(t) or pa.types.is_string(t) for _, _, t in query.properties)
    rows = _EDGE_ROWS_WITH_LISTS if heavy else _EDGE_ROWS
    # Counting all is much faster than counting each of many types, and only cuts smaller blocks.
    degree = f"count {{ (n)-[{pattern if len(kinds) < _FEW_TYPES else ''}]->() }}"
    if not kinds:
        blocks: Iterator[Block] = iter(())
    elif wanted is None:
        blocks = blocks_of_all(db, f"MATCH (n:{entity})", f"sum({degree})", rows, connections)
    else:
        blocks = blocks_of(wanted, rows, _degrees(db, entity, degree, wanted))
    parameters = {"ends": [] if wanted is None else wanted.tolist()} if small else {}
    entities = None if small or not kinds else _Numbers.read(db, entity, connections)

    def table(block: Block) -> pa.Table:
        return _edges(_read(db, query, block, parameters), kinds, query, wanted, block, entities)

    yield from _batches(in_order(blocks, table, connections), _edge_schema(query), _EDGE_ROWS)


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
    query = _Query(
        by_range=f"MATCH (n:{entity}) USING INDEX n:{entity}(idx) "
        f"WHERE n.idx >= $low AND n.idx < $high AND {some}",
        by_ids=f"UNWIND $ids AS i MATCH (n:{entity} {{idx: i}}) WHERE {some}",
        numbers=("n.idx",),
        properties=(("embedding_f32", "n.embedding_f32", pa.binary()),),
    )
    vectors = np.zeros((len(wanted), 0), np.float32)
    present = np.zeros(len(wanted), np.bool_)
    blocks = blocks_of(wanted, _ROWS["embedding_f32"])
    for pieces in in_order(blocks, lambda block: _read(db, query, block), connections):
        for piece in pieces:
            found, values = piece.numbers[0], _matrix(piece.columns[0])
            if not vectors.shape[1]:
                vectors = np.zeros((len(wanted), values.shape[1]), np.float32)
            if values.shape[1] != vectors.shape[1]:
                raise _uneven(4 * values.shape[1], 4 * vectors.shape[1])
            at = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
            asked = wanted[at] == found
            vectors[at[asked]] = values[asked]
            present[at[asked]] = True
    if len(wanted) == len(idx) and np.array_equal(wanted, idx):
        return vectors, present
    back = np.searchsorted(wanted, np.asarray(idx))
    return vectors[back], present[back]


def _matrix(column_: pa.BinaryArray) -> NDArray[np.float32]:
    offsets = np.frombuffer(column_.buffers()[1], np.int32, len(column_) + 1, 4 * column_.offset)
    widths = np.diff(offsets)
    if len(widths) and (widths != widths[0]).any():
        raise _uneven(*np.unique(widths)[:2])
    if widths[0] % 4:
        raise _uneven(widths[0], "a multiple of 4")
    data = np.frombuffer(column_.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    return data.view("<f4").reshape(len(column_), -1)


def _uneven(one: object, other: object) -> DataError:
    return DataError(
        "the vectors in the graph do not have one length",
        where="embedding_f32",
        found=f"{one} bytes",
        expected=f"{other} bytes",
        hint="`tosg embed` makes them anew where the model has changed",
    )


def _expressions(
    db: Database,
    match: str,
    variable: str,
    properties: Sequence[str],
    computed: Mapping[str, tuple[str, pa.DataType]] = _NONE,
) -> tuple[tuple[str, str, pa.DataType], ...]:
    wanted = list(dict.fromkeys(properties))
    pairs = [(p, names.property_name(p)) for p in wanted if p not in computed]
    types = types_of(db, match, variable, pairs)
    found = {name: (f"{variable}.{quoted}", types[name]) for name, quoted in pairs}
    found.update((p, computed[p]) for p in wanted if p in computed)
    return tuple((name, *found[name]) for name in wanted)


def _degrees(db: Database, entity: str, degree: str, wanted: Int64s) -> Int64s:
    """Rows that each wanted node brings; 0 for those that are not in the graph."""
    degrees = np.zeros(len(wanted), np.int64)
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        part = wanted[start : start + _IDS_PER_QUERY]
        with db.session() as session:
            found, counts = session.run(
                f"CYPHER 5 UNWIND $ids AS i MATCH (n:{entity} {{idx: i}}) "
                f"RETURN collect(i), collect({degree})",
                ids=part.tolist(),
            ).single(strict=True)
        degrees[start + np.searchsorted(part, np.array(found, np.int64))] = counts
    return degrees


def _read(
    db: Database, query: _Query, block: Block, parameters: dict[str, Any] | None = None
) -> list[_Piece]:
    with db.session() as session:
        found = session.run(query.text(block), {**block.parameters(), **(parameters or {})})
        return [_piece(query, record.values()) for record in found]


def _piece(query: _Query, values: list[Any]) -> _Piece:
    width = len(query.properties)
    missing = values[1 : 1 + width]
    lists = values[1 + width :]
    numbers = [np.array(v, np.int64) for v in lists[: len(query.numbers)]]
    columns = [
        pa.nulls(len(numbers[0]), kind) if absent else column(found, kind, name)
        for (name, _, kind), absent, found in zip(
            query.properties, missing, lists[len(query.numbers) :], strict=True
        )
    ]
    return _Piece(values[0], numbers, columns)


def _batches(tables: Iterator[pa.Table], schema: pa.Schema, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most ``rows`` rows, none empty but an only one."""
    empty = True
    for table in tables:
        for batch in table.to_batches(max_chunksize=rows):
            if batch.num_rows:
                empty = False
                yield batch
    if empty:
        yield pa.RecordBatch.from_pylist([], schema)


def _edge_schema(query: _Query) -> pa.Schema:
    return pa.schema(
        [
            ("type", pa.dictionary(pa.int32(), pa.string())),
            ("start_idx", pa.int64()),
            ("end_idx", pa.int64()),
            *((name, kind) for name, _, kind in query.properties),
            *([("group", pa.dictionary(pa.int32(), pa.string()))] if query.grouped else []),
        ]
    )


def _nodes(pieces: list[_Piece], schema: pa.Schema, block: Block) -> pa.Table:
    """Join the pieces of a block, ascending by idx, wanted nodes only."""
    if not pieces:
        return schema.empty_table()
    table = pa.concat_tables([pa.table([p.numbers[0], *p.columns], schema=schema) for p in pieces])
    found = table["idx"].to_numpy()
    order = np.argsort(found)
    if block.wanted is not None and block.by_range:
        order = order[np.isin(found[order], block.wanted, assume_unique=True)]
    return table.take(pa.array(order)).combine_chunks()


@dataclass(frozen=True)
class _Numbers:
    """Entities by Neo4j's own number of them: that of a relationship's end costs no look-up."""

    ids: Int64s  # ascending
    idx: Int64s
    table: Int64s | None  # idx by id, -1 where there is no entity; None where that were too long

    @classmethod
    def read(cls, db: Database, entity: str, connections: int) -> _Numbers:
        query = _Query(
            by_range=f"MATCH (n:{entity}) USING INDEX n:{entity}(idx) "
            "WHERE n.idx >= $low AND n.idx < $high",
            by_ids="",
            numbers=("id(n)", "n.idx"),
            properties=(),
        )
        blocks = blocks_of_all(db, f"MATCH (n:{entity})", "count(*)", _EDGE_ROWS, connections)
        found = in_order(blocks, lambda block: _read(db, query, block), connections)
        pieces = [piece for part in found for piece in part]
        none = np.empty(0, np.int64)
        ids = np.concatenate([none, *(p.numbers[0] for p in pieces)])
        idx = np.concatenate([none, *(p.numbers[1] for p in pieces)])
        order = np.argsort(ids)
        ids, idx = ids[order], idx[order]
        table = None
        if len(ids) and ids[-1] < 8 * len(ids) + 1_000_000:
            table = np.full(int(ids[-1]) + 1, -1, np.int64)
            table[ids] = idx
        return cls(ids, idx, table)

    def idx_of(self, ids: Int64s) -> Int64s:
        """``idx`` of the entities with these numbers, -1 for what is no entity."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int64)
        if self.table is not None:
            inside = np.minimum(ids, len(self.table) - 1)
            return np.where(ids == inside, self.table[inside], -1)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.idx[at], -1)


def _edges(
    pieces: list[_Piece],
    kinds: list[str],
    query: _Query,
    wanted: Int64s | None,
    block: Block,
    entities: _Numbers | None,
) -> pa.Table:
    """Join the pieces of a block, sorted by (start_idx, end_idx, type), induced ends only."""
    none = np.empty(0, np.int64)
    sizes = [len(p.numbers[0]) for p in pieces]
    codes = np.repeat(np.array([kinds.index(p.key[0]) for p in pieces], np.int32), sizes)
    starts = np.concatenate([none, *(p.numbers[0] for p in pieces)])
    ends = np.concatenate([none, *(p.numbers[1] for p in pieces)])
    if entities is not None:
        ends = entities.idx_of(ends)
    order = _order(starts - block.low, np.maximum(ends, 0), codes, len(kinds))
    if entities is not None:
        order = order[ends[order] >= 0]
    if wanted is not None:
        kept = np.isin(ends, wanted)
        if block.by_range:
            kept &= np.isin(starts, wanted)
        order = order[kept[order]]
    table = pa.table(
        {
            "type": pa.DictionaryArray.from_arrays(codes[order], pa.array(kinds, pa.string())),
            "start_idx": starts[order],
            "end_idx": ends[order],
        }
    )
    if query.properties:
        schema = pa.schema([(name, kind) for name, _, kind in query.properties])
        parts = [pa.table(p.columns, schema=schema) for p in pieces] or [schema.empty_table()]
        rest = pa.concat_tables(parts).take(pa.array(order)).combine_chunks()
        for field in schema:
            table = table.append_column(field, rest[field.name])
    if query.grouped:
        table = table.append_column("group", _groups(pieces, query.grouped, sizes, order))
    return table


def _groups(
    pieces: list[_Piece], grouped: tuple[str, ...], sizes: list[int], order: Int64s
) -> pa.DictionaryArray:
    texts = [
        json.dumps(dict(zip(grouped, p.key[1:], strict=True)), ensure_ascii=False) for p in pieces
    ]
    distinct = sorted(set(texts))
    codes = np.repeat(np.array([distinct.index(t) for t in texts], np.int32), sizes)
    return pa.DictionaryArray.from_arrays(codes[order], pa.array(distinct, pa.string()))


def _order(starts: Int64s, ends: Int64s, codes: NDArray[np.int32], kinds: int) -> Int64s:
    """Order by (start, end, type): by one number where it fits, three times faster."""
    if not len(starts):
        return np.empty(0, np.int64)
    low = int(kinds - 1).bit_length()
    middle = int(ends.max()).bit_length()
    if int(starts.max()).bit_length() + middle + low > 63:
        return np.lexsort((codes, ends, starts))
    return np.argsort((starts << (middle + low)) | (ends << low) | codes, kind="stable")
