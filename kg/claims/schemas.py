"""What a loader emits: claims about entities and relationships, as Arrow record batches.

A claim says: this source, in this release, under this licence, says this. The two schemas below
are the whole interface between loaders and the graph; the merge is a pure function of them.
"""

from __future__ import annotations

import pyarrow as pa

#: Separates list elements in the files of an import, so no stored text may contain it.
LIST_SEPARATOR = "\x1f"

_PROVENANCE = [
    pa.field("source", pa.string(), nullable=False),
    pa.field("license", pa.string(), nullable=False),  # "" where the source states none
    pa.field("release", pa.string(), nullable=False),  # "" where unknown
    pa.field("file", pa.string(), nullable=False),  # base name: where to look when it is refused
    pa.field("line", pa.int64()),  # 1-based line (or record) of the file
]

#: A claim about one entity. ``previous`` are names and symbols that the source itself calls
#: outdated; ``synonyms`` are its other names. ``xrefs`` join nodes only where the schema lists
#: their prefix for the type; ``same_as`` states an equivalence outright; ``replaces`` are
#: obsolete or alternative ids.
#: ``part`` names which of a source's files it is from, where these have releases of their own: a
#: release replaces older ones of its part only. "" is the part whose texts count first,
#: then come the others by name.
ENTITY_CLAIMS = pa.schema(
    [
        pa.field("type", pa.string(), nullable=False),  # label of the schema
        pa.field("id", pa.string(), nullable=False),  # normalised CURIE
        pa.field("name", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("description", pa.string()),
        pa.field("synonyms", pa.list_(pa.string())),
        pa.field("previous", pa.list_(pa.string())),
        pa.field("xrefs", pa.list_(pa.string())),
        pa.field("same_as", pa.list_(pa.string())),
        pa.field("replaces", pa.list_(pa.string())),
        pa.field("part", pa.string(), nullable=False),
        *_PROVENANCE,
    ]
)

#: A claim about one relationship. ``sign`` and ``action`` are key properties where the schema says
#: so. ``score`` is 0..1. ``evidence`` is a JSON object: the source's own numbers and references
#: under their own names, keys sorted.
RELATIONSHIP_CLAIMS = pa.schema(
    [
        pa.field("type", pa.string(), nullable=False),
        pa.field("start_type", pa.string(), nullable=False),
        pa.field("start", pa.string(), nullable=False),
        pa.field("end_type", pa.string(), nullable=False),
        pa.field("end", pa.string(), nullable=False),
        pa.field("sign", pa.int8()),
        pa.field("action", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("evidence", pa.string()),
        *_PROVENANCE,
    ]
)


def entity_claims(columns: dict[str, object], n: int) -> pa.RecordBatch:
    """Build a batch of entity claims; see `ENTITY_CLAIMS`. Missing columns are null, ``part`` "".

    Parameters
    ----------
    columns : dict
        Column name to Arrow array, sequence, or one string for every row.
    n : int
        Number of rows.
    """
    return _batch(ENTITY_CLAIMS, {"part": "", **columns}, n)


def relationship_claims(columns: dict[str, object], n: int) -> pa.RecordBatch:
    """Build a batch of relationship claims; see `RELATIONSHIP_CLAIMS`. Missing columns are null."""
    return _batch(RELATIONSHIP_CLAIMS, columns, n)


def _batch(schema: pa.Schema, columns: dict[str, object], n: int) -> pa.RecordBatch:
    unknown = set(columns) - set(schema.names)
    if unknown:
        raise ValueError(f"no such claim column: {', '.join(sorted(unknown))}")
    arrays = [_array(columns.get(field.name), field, n) for field in schema]
    return pa.record_batch(arrays, schema=schema)


def _array(value: object, field: pa.Field, n: int) -> pa.Array:
    if value is None:
        if not field.nullable:
            raise ValueError(f"claim column {field.name!r} is missing")
        return pa.nulls(n, field.type)
    if isinstance(value, str | int | float):
        return pa.repeat(pa.scalar(value, field.type), n)
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    if isinstance(value, pa.Array):
        return value.cast(field.type)
    return pa.array(value, field.type)
