"""Relationships of a block as a sorted table: ends by ``idx``, types as a dictionary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tosg.kg.reader.block_query import Query, read_block
from tosg.kg.reader.blocks import blocks_of_all, in_order
from tosg.kg.schema.positions import lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.reader.block_query import Piece
    from tosg.kg.reader.blocks import Block

    Int64s = NDArray[np.int64]

#: Ids in one query that asks for degrees alone.
IDS_PER_QUERY = 50_000

#: Entities in one query that asks for their numbers.
NUMBERS_PER_QUERY = 65_536


def degrees_of(db: Database, entity: str, degree: str, wanted: Int64s) -> Int64s:
    """Rows that each wanted node brings; 0 for those that are not in the graph."""
    degrees = np.zeros(len(wanted), np.int64)
    for start in range(0, len(wanted), IDS_PER_QUERY):
        part = wanted[start : start + IDS_PER_QUERY]
        with db.session() as session:
            found, counts = session.run(
                f"CYPHER 5 UNWIND $ids AS i MATCH (n:{entity} {{idx: i}}) "
                f"RETURN collect(i), collect({degree})",
                ids=part.tolist(),
            ).single(strict=True)
        degrees[start + np.searchsorted(part, np.array(found, np.int64))] = counts
    return degrees


def edge_schema(query: Query) -> pa.Schema:
    """Arrow schema of a query's relationships."""
    return pa.schema(
        [
            ("type", pa.dictionary(pa.int32(), pa.string())),
            ("start_idx", pa.int64()),
            ("end_idx", pa.int64()),
            *((name, kind) for name, _, kind in query.properties),
            *([("group", pa.dictionary(pa.int32(), pa.string()))] if query.grouped else []),
        ]
    )


@dataclass(frozen=True)
class Numbers:
    """Entities by Neo4j's own number of them: that of a relationship's end costs no look-up."""

    #: From these numbers to ``idx``, -1 for what is no entity.
    idx_of: Callable[[Int64s], Int64s]

    @classmethod
    def read(cls, db: Database, entity: str, connections: int) -> Numbers:
        """Read all of them."""
        query = Query(
            by_range=f"MATCH (n:{entity}) USING INDEX n:{entity}(idx) "
            "WHERE n.idx >= $low AND n.idx < $high",
            by_ids="",
            numbers=("id(n)", "n.idx"),
            properties=(),
        )
        blocks = blocks_of_all(db, f"MATCH (n:{entity})", None, NUMBERS_PER_QUERY, connections)
        found = in_order(blocks, lambda block: read_block(db, query, block), connections)
        pieces = [piece for part in found for piece in part]
        none = np.empty(0, np.int64)
        ids = np.concatenate([none, *(p.numbers[0] for p in pieces)])
        idx = np.concatenate([none, *(p.numbers[1] for p in pieces)])
        order = np.argsort(ids)
        return cls(lookup(ids[order], idx[order]))


def edge_table(
    pieces: list[Piece],
    kinds: list[str],
    query: Query,
    ends_among: Int64s | None,
    block: Block,
    entities: Numbers | None,
) -> pa.Table:
    """Join the pieces of a block, sorted by (start_idx, end_idx, type), wanted ends only."""
    none = np.empty(0, np.int64)
    sizes = [len(p.numbers[0]) for p in pieces]
    codes = np.repeat(np.array([kinds.index(p.key[0]) for p in pieces], np.int32), sizes)
    starts = np.concatenate([none, *(p.numbers[0] for p in pieces)])
    ends = np.concatenate([none, *(p.numbers[1] for p in pieces)])
    if entities is not None:
        starts, ends = entities.idx_of(starts), entities.idx_of(ends)
    order = _order(np.maximum(starts - block.low, 0), np.maximum(ends, 0), codes, len(kinds))
    if entities is not None:
        order = order[(starts[order] >= 0) & (ends[order] >= 0)]
    if block.wanted is not None and block.by_range:
        order = order[np.isin(starts, block.wanted)[order]]
    if ends_among is not None:
        order = order[np.isin(ends, ends_among)[order]]
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
    pieces: list[Piece], grouped: tuple[str, ...], sizes: list[int], order: Int64s
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
