"""Nodes and relationships as they are stored, as data frames.

A small graph is read at once, with one text for all types: planning a text for each type would take
a server longer than reading. A large one is read type by type.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.errors import DataError
from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.relationships import property_columns
from tosg.kg.reader.bulk import read_nodes, read_relationships
from tosg.kg.schema.types import ENTITY, relationship_types
from tosg.kg.write.stored import decode_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.database.counts import GraphCounts

#: Up to so many nodes and relationships, a graph is read at once.
FEW_NODES = 5_000
FEW_RELATIONSHIPS = 20_000

_NODE = {"idx": pl.Int64, **ENTITY_COLUMNS}
_ENDS = {"start_idx": pl.Int64, "end_idx": pl.Int64}
_TYPE = {"type": pl.String}


class StoredRows:
    """Reads what is stored, whatever wrote it; values of other types than the schema's are null.

    Parameters
    ----------
    db : Database
        The graph. It must not change meanwhile (hold the lease).
    counts : GraphCounts
        Of the graph.
    connections : int
        Blocks read at once.
    """

    def __init__(self, db: Database, counts: GraphCounts, connections: int) -> None:
        self._db = db
        self._connections = connections
        self._few = (
            counts.nodes.get(ENTITY, 0) <= FEW_NODES
            and sum(counts.knowledge.values()) <= FEW_RELATIONSHIPS
        )

    def nodes(self, label: str) -> pl.DataFrame:
        """``idx``, then `ENTITY_COLUMNS`, of the nodes of one type that have an ``idx``."""
        if self._few:
            found = self._all_nodes.filter(pl.col("labels").list.contains(label))
        else:
            found = self._read(_NODE, lambda strict: self._nodes(label, [], strict))
        nothing = pl.lit([], dtype=pl.List(pl.String))
        return decode_columns(found.select(list(_NODE))).with_columns(
            pl.col(name).fill_null(nothing)
            for name, dtype in ENTITY_COLUMNS.items()
            if dtype == pl.List(pl.String)
        )

    def relationships(
        self, name: str, idx: NDArray[np.int64] | None, *, starts_only: bool = False
    ) -> Iterator[pl.DataFrame]:
        """``start_idx, end_idx``, then the properties, of one type's relationships.

        Only those between two of the nodes `idx`, or more of them; None: all. With `starts_only`
        those that start at one of these nodes. In frames of bounded size, ascending by start and
        end over all of them; none where there is nothing.
        """
        schema = _ENDS | property_columns(relationship_types()[name])
        if self._few:
            frames = iter([self._all_relationships.filter(pl.col("type") == name)])
        else:
            columns = list(schema)[2:]
            frames = self._frames(
                lambda strict: self._relationships([name], columns, idx, starts_only, strict)
            )
        for found in frames:
            typed = found.select(pl.col(column).cast(kind) for column, kind in schema.items())
            yield decode_columns(typed)

    def forget_relationships(self) -> None:
        """Read relationships from the database again: their writer has changed some."""
        self.__dict__.pop("_all_relationships", None)

    @cached_property
    def _all_nodes(self) -> pl.DataFrame:
        schema = {**_NODE, "labels": pl.List(pl.String)}
        return self._read(schema, lambda strict: self._nodes(ENTITY, ["labels"], strict))

    @cached_property
    def _all_relationships(self) -> pl.DataFrame:
        columns: dict[str, Any] = {}
        for rtype in relationship_types().values():
            columns |= property_columns(rtype)
        return self._read(
            _TYPE | _ENDS | columns,
            lambda strict: self._relationships(None, list(columns), None, False, strict),
        )

    def _nodes(self, label: str, more: list[str], strict: bool) -> Iterable[pa.RecordBatch]:
        columns = [*ENTITY_COLUMNS, *more]
        return read_nodes(self._db, label, columns, connections=self._connections, strict=strict)

    def _relationships(
        self,
        types: list[str] | None,
        columns: list[str],
        idx: NDArray[np.int64] | None,
        starts_only: bool,
        strict: bool,
    ) -> Iterable[pa.RecordBatch]:
        return read_relationships(
            self._db,
            types,
            columns,
            idx=idx,
            starts_only=starts_only,
            connections=self._connections,
            strict=strict,
        )

    def _read(
        self, schema: dict[str, Any], read: Callable[[bool], Iterable[pa.RecordBatch]]
    ) -> pl.DataFrame:
        frames = list(self._frames(read))
        if not frames:
            return pl.DataFrame(schema=schema)
        frame = pl.concat(frames)
        return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())

    def _frames(self, read: Callable[[bool], Iterable[pa.RecordBatch]]) -> Iterator[pl.DataFrame]:
        """Frames of what `read` gives: strictly, and from the first value of another type on not.

        Values of another type change nothing but themselves, so that the rows which come again
        are as many as those that have been given.
        """
        rows = 0
        try:
            for batch in read(True):
                yield pl.DataFrame(batch)
                rows += batch.num_rows
        except DataError:
            for batch in read(False):
                again = min(rows, batch.num_rows)
                rows -= again
                if again < batch.num_rows:
                    yield pl.DataFrame(batch.slice(again))
