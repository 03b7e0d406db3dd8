"""Claims that wait: their ends are not in the graph yet, or are ambiguous, or have become one.

They are kept beside the graph as compressed Arrow in ``(:TosgPending {source, part, rows})``, so
that a source which comes later can bring the ends: sources come in any order, same graph.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from tosg.kg.merge.relationships import unite_claims
from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.schema.kinds import RelationshipType

#: Columns of a waiting claim.
PENDING: dict[str, pl.DataType | type[pl.DataType]] = {
    "type": pl.String,
    "start_type": pl.String,
    "start": pl.String,
    "end_type": pl.String,
    "end": pl.String,
    "sign": pl.Int8,
    "action": pl.String,
    "score": pl.Float64,
    "evidence": pl.String,
    "source": pl.String,
    "license": pl.String,
    "release": pl.String,
}

#: Claims in one node.
PART_ROWS = 100_000


def none_pending() -> pl.DataFrame:
    """No waiting claims."""
    return pl.DataFrame(schema=PENDING)


def unite_pending(rtype: RelationshipType, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Make one row per claim of one relationship type, sorted, independent of order."""
    rows = pl.concat([none_pending(), *frames])
    if "sign" in rtype.keys:
        rows = rows.with_columns(pl.col("sign").fill_null(0))
    if not rtype.directed:
        turned = pl.col("start") > pl.col("end")
        swap = {"start": "end", "end": "start", "start_type": "end_type", "end_type": "start_type"}
        rows = rows.with_columns(
            pl.when(turned).then(pl.col(b)).otherwise(pl.col(a)).alias(a) for a, b in swap.items()
        )
    return unite_claims(rows, ["start", "end", "start_type", "end_type", *rtype.keys])


def to_nodes(pending: pl.DataFrame) -> list[dict[str, Any]]:
    """Properties ``source, part, rows`` of the nodes that keep the claims.

    The same claims give the same nodes, bytes included.
    """
    nodes = []
    order = [name for name in PENDING if name not in ("score", "evidence")]
    for (source,), rows in pending.sort("source", *order).group_by("source", maintain_order=True):
        for part, start in enumerate(range(0, rows.height, PART_ROWS)):
            some = rows.slice(start, PART_ROWS).select(list(PENDING))
            nodes.append({"source": source, "part": part, "rows": _bytes(some)})
    return nodes


def _bytes(rows: pl.DataFrame) -> bytes:
    # Columns of offsets and values, since the views of polars are laid out as the rows came.
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_nodes(nodes: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Undo `to_nodes`."""
    frames = [pl.DataFrame(pa.ipc.open_file(node["rows"]).read_all()) for node in nodes]
    return pl.concat([none_pending(), *frames])


def is_readable(node: dict[str, Any]) -> bool:
    """Whether a stored part can be read: no other program has written to it."""
    try:
        return dict(from_nodes([node]).schema) == PENDING
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, OSError):
        return False


def by_type(pending: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Waiting claims by relationship type, those of types that the schema still has."""
    parts = pending.partition_by("type", as_dict=True)
    known = relationship_types()
    return {str(name): rows for (name,), rows in parts.items() if name in known}
