"""Hetionet's JSON: the same graph as its tables, with licence and sources of every node and edge.

The document names kinds in words and tells their abbreviations itself, so that an edge of
``["Gene", 9021]`` to ``["Biological Process", "GO:0071357"]`` of the kind ``participates`` is GpBP.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.claims.log import BAD_ID
from tosg.loaders.base import evidence_json
from tosg.loaders.columns import keep
from tosg.loaders.formats.json_items import read_items
from tosg.loaders.reference.graph_tables import turn_ends
from tosg.loaders.reference.hetionet import METAEDGES, node_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin

_BATCH = 50_000

#: Keys of an edge that are its own numbers and references.
_EVIDENCE = ("sources", "source", "pubmed_ids", "urls", "affinity_nM", "method", "log_fold_change",
             "z_score", "p_value", "correlation", "similarity", "unbiased")  # fmt: skip


def is_hetionet_json(path: Path) -> bool:
    """Whether a file's name is that of the JSON, compressed or not."""
    return ".json" in path.name


def hetionet_json_claims(path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of all nodes and edges; the line is the number in its list."""
    abbreviations = _abbreviations(path)
    for first, rows in _batches(path, "nodes.item"):
        yield _nodes(rows, first, path, file, origin)
    for first, rows in _batches(path, "edges.item"):
        yield _edges(rows, first, path, abbreviations, file, origin)
    if not file.rows_read:
        raise DataError("the file has no nodes and no edges", where=path)


def _abbreviations(path: Path) -> Mapping[str, str]:
    found = next(read_items(path, "kind_to_abbrev"), None)
    if not isinstance(found, dict):
        raise DataError(
            "the file is not Hetionet's JSON",
            where=path,
            expected="a mapping kind_to_abbrev, and lists of nodes and edges",
            hint="is this the right file? see `tosg sources`",
        )
    return found


def _batches(path: Path, place: str) -> Iterator[tuple[int, list[Any]]]:
    items = read_items(path, place)
    first = 1
    while rows := list(itertools.islice(items, _BATCH)):
        yield first, rows
        first += len(rows)


def _text(row: Mapping[str, Any], *keys: str) -> str:
    found: Any = row
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found is None else str(found)


def _nodes(
    rows: list[Any], first: int, path: Path, file: FileLog, origin: Origin
) -> pa.RecordBatch:
    _check(rows, ("kind", "identifier"), path, "node")
    batch = pa.record_batch(
        {
            "key": [f"{row['kind']}::{row['identifier']}" for row in rows],
            "name": [_text(row, "name") or None for row in rows],
            "license": [_text(row, "data", "license") for row in rows],
            "line": pa.array(range(first, first + len(rows)), pa.int64()),
        },
    )
    file.read(batch.num_rows)
    types, ids, _ = node_columns(batch["key"])
    batch = batch.append_column("type", types).append_column("curie", ids)
    batch = keep(batch, batch["type"].is_valid(), file, "unknown kind", ("key",))
    batch = keep(batch, batch["curie"].is_valid(), file, BAD_ID, ("key",))
    file.parsed(batch.num_rows)
    is_gene = pc.equal(batch["type"], "Gene")
    name = batch["name"].cast(pa.string())
    return origin.entities(
        batch.num_rows,
        batch["line"],
        type=batch["type"],
        id=batch["curie"],
        name=name,
        symbol=pc.if_else(is_gene, name, pa.scalar(None, pa.string())),
        license=batch["license"],
    )


def _edges(
    rows: list[Any],
    first: int,
    path: Path,
    abbreviations: Mapping[str, str],
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    _check(rows, ("source_id", "target_id", "kind"), path, "edge")
    data = [row.get("data") or {} for row in rows]
    batch = pa.record_batch(
        {
            "metaedge": [_metaedge(row, abbreviations) for row in rows],
            "source": [_end(row, "source_id") for row in rows],
            "target": [_end(row, "target_id") for row in rows],
            "license": [_text(d, "license") for d in data],
            "told": pa.array(
                [evidence_json({k: d.get(k) for k in _EVIDENCE}) for d in data], pa.string()
            ),
            "actions": pa.array([d.get("actions") or [None] for d in data], pa.list_(pa.string())),
            "line": pa.array(range(first, first + len(rows)), pa.int64()),
        }
    )
    file.read(batch.num_rows)
    shown = ("source", "metaedge", "target")
    known = pc.is_in(batch["metaedge"], pa.array(list(METAEDGES)))
    batch = keep(batch, known, file, "unknown metaedge", shown)
    for end in ("source", "target"):
        types, ids, _ = node_columns(batch[end])
        batch = batch.append_column(f"{end} type", types).append_column(f"{end} id", ids)
    valid = pc.and_(batch["source id"].is_valid(), batch["target id"].is_valid())
    batch = keep(batch, valid, file, BAD_ID, shown)
    file.parsed(batch.num_rows)
    code = pc.index_in(batch["metaedge"], pa.array(list(METAEDGES)))
    turned = pa.array([m.turned for m in METAEDGES.values()]).take(code)
    # An action is part of a TARGETS relationship's key: one claim for each.
    row = pc.list_parent_indices(batch["actions"])
    columns = {
        "type": pa.array([m.type for m in METAEDGES.values()]).take(code),
        **turn_ends(
            turned,
            (batch["source type"], batch["source id"]),
            (batch["target type"], batch["target id"]),
        ),
        "sign": pa.array([m.sign for m in METAEDGES.values()], pa.int8()).take(code),
        "evidence": batch["told"],
        "license": batch["license"],
    }
    return origin.relationships(
        len(row),
        batch["line"].take(row),
        action=pc.utf8_lower(pc.list_flatten(batch["actions"])),
        **{name: column.take(row) for name, column in columns.items()},
    )


def _metaedge(row: Mapping[str, Any], abbreviations: Mapping[str, str]) -> str:
    """Abbreviation of an edge's kind, as in the SIF: GpBP, and Gr>G where it has a direction."""
    (start, _), (end, _) = row["source_id"], row["target_id"]
    arrow = ">" if row.get("direction") == "forward" else ""
    parts = (abbreviations.get(str(word), "?") for word in (start, row["kind"]))
    return "".join(parts) + arrow + abbreviations.get(str(end), "?")


def _end(row: Mapping[str, Any], key: str) -> str:
    kind, identifier = row[key]
    return f"{kind}::{identifier}"


def _check(rows: list[Any], keys: tuple[str, ...], path: Path, what: str) -> None:
    for row in rows:
        fine = isinstance(row, dict) and set(keys) <= set(row)
        pairs = [row[k] for k in keys if k.endswith("_id")] if fine else []
        if not fine or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise DataError(
                f"the {what} of a list is not as in Hetionet's JSON",
                where=path,
                found=str(row)[:120],
                expected=", ".join(keys),
            )
