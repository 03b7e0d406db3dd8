"""One block as one query whose columns are lists, and its records as numpy and Arrow.

``collect`` drops nulls, so a block comes back as one record for each pattern of missing
properties in it; within a record every list is as long as the others, or empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tosg.cypher.quoting import quote_property
from tosg.kg.reader.columns import column, type_predicate, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.reader.blocks import Block

    Int64s = NDArray[np.int64]

_NONE: Mapping[str, tuple[str, pa.DataType]] = {}


@dataclass(frozen=True)
class Query:
    """What is read of each block: ``key`` and ``numbers`` are never null, properties may be."""

    by_range: str
    by_ids: str
    numbers: tuple[str, ...]
    properties: tuple[tuple[str, str, pa.DataType], ...]  # name, expression, type
    key: str = "0"
    grouped: tuple[str, ...] = ()  # properties in a relationship's key, after the type

    def text(self, block: Block) -> str:
        """Cypher that reads one block."""
        missing = [f"{e} IS NULL AS m{i}" for i, (_, e, _) in enumerate(self.properties)]
        numbers = [f"collect({e}) AS n{i}" for i, e in enumerate(self.numbers)]
        values = [f"collect({e}) AS p{i}" for i, (_, e, _) in enumerate(self.properties)]
        found = self.by_range if block.by_range else self.by_ids
        columns = ", ".join([f"{self.key} AS key", *missing, *numbers, *values])
        return f"CYPHER 5 {found} RETURN {columns}"


@dataclass(frozen=True)
class Piece:
    """The rows of a block that lack the same properties."""

    key: Any
    numbers: list[Int64s]
    columns: list[pa.Array]


def expressions(
    db: Database,
    match: str,
    variable: str,
    properties: Sequence[str],
    computed: Mapping[str, tuple[str, pa.DataType]] = _NONE,
    *,
    strict: bool = True,
) -> tuple[tuple[str, str, pa.DataType], ...]:
    """Name, Cypher and Arrow type of each property; ``computed`` are those that are none.

    Where it is not `strict`, a value of another type than the schema's is read as null.
    """
    wanted = list(dict.fromkeys(properties))
    pairs = [(p, quote_property(p)) for p in wanted if p not in computed]
    types = types_of(db, match, variable, pairs)
    found = {
        name: (_value(name, f"{variable}.{quoted}", strict), types[name]) for name, quoted in pairs
    }
    found.update((p, computed[p]) for p in wanted if p in computed)
    return tuple((name, *found[name]) for name in wanted)


def _value(name: str, value: str, strict: bool) -> str:
    predicate = None if strict else type_predicate(name)
    return value if predicate is None else f"CASE WHEN {value} IS :: {predicate} THEN {value} END"


def records(
    db: Database, query: Query, block: Block, parameters: dict[str, Any] | None = None
) -> list[list[Any]]:
    """Read the records of a block as the driver gives them."""
    with db.session() as session:
        found = session.run(query.text(block), {**block.parameters(), **(parameters or {})})
        return [record.values() for record in found]


def read_block(
    db: Database, query: Query, block: Block, parameters: dict[str, Any] | None = None
) -> list[Piece]:
    """Read a block."""
    return [_piece(query, values) for values in records(db, query, block, parameters)]


def _piece(query: Query, values: list[Any]) -> Piece:
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
    return Piece(values[0], numbers, columns)


def batches(tables: Iterator[pa.Table], schema: pa.Schema, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most ``rows`` rows, none empty but an only one."""
    empty = True
    for table in tables:
        for batch in table.to_batches(max_chunksize=rows):
            if batch.num_rows:
                empty = False
                yield batch
    if empty:
        yield pa.RecordBatch.from_pylist([], schema)
