"""A training set in the file layout of the OmniCellTOSG release (``docs/formats/celltosg.md``)."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tosg.files import writing
from tosg.kg.schema import celltosg as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tosg.export.layouts.stored import StoredSet
    from tosg.progress import Progress

    Int64s = NDArray[np.int64]

#: Cells that are dense in memory at once.
_CELLS_AT_ONCE = 256

#: Labels of nodes that RNA is measured on: their rows come first.
RNA_LABELS = ("Transcript", "Gene")

#: Properties of cells under the names that the release has for them.
_RENAMED = {
    "cell_type": ("cell_type", "CMT_name"),
    "tissue": ("tissue", "tissue_general"),
    "disease": ("disease", "disease_BMG_name"),
    "sex": ("sex", "sex_normalized"),
    "development_stage": ("development_stage", "development_stage_category"),
    "dataset": ("source", "dataset_id"),
    "n_cells": ("n_raw_cells",),
    **{name: (name,) for name in ("donor_id", "suspension_type", "assay")},
}

#: What the release writes where something is not known.
_UNKNOWN = "unknown"


def write_celltosg(stored: StoredSet, folder: Path, progress: Progress) -> None:
    """Write the layout into an empty folder.

    Rows of the tables are the nodes: genes and transcripts, then proteins, then the others, each in
    the order of the training set. A matrix has a column for each gene and transcript, and for
    every node where others have values too.

    Raises
    ------
    ExportError
        The training set has no cells.
    """
    stored.manifest.rows()
    order = order_nodes(stored)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    width = count_columns(stored)
    _write_texts(stored, folder, order)
    _write_gene_columns(stored, folder, order[:width])
    _write_edges(stored, folder, place)
    _write_vectors(stored, folder, order)
    files, rows = _write_shards(stored, folder, order[:width], progress)
    _write_cells(stored, folder, files, rows)
    _write_notes(stored, folder, order, width)


def order_nodes(stored: StoredSet) -> Int64s:
    """Rows of the training set's nodes in the order of the layout, (N,) int64."""
    labels = np.array(stored.nodes["type"].to_pylist(), dtype=object)
    rank = np.full(len(labels), 3)
    for number, of in enumerate((*RNA_LABELS, "Protein")):
        rank[labels == of] = number
    return np.argsort(rank, kind="stable").astype(np.int64)


def count_columns(stored: StoredSet) -> int:
    """Columns of the matrices: nodes with RNA, or all where others were measured."""
    rna = np.isin(np.array(stored.nodes["type"].to_pylist(), dtype=object), RNA_LABELS)
    return len(rna) if stored.measured[:, ~rna].any() else int(rna.sum())


def _write_csv(path: Path, columns: dict[str, Any]) -> None:
    with writing(path) as temporary:
        pa_csv.write_csv(pa.table(columns), temporary)


def _write_texts(stored: StoredSet, folder: Path, order: Int64s) -> None:
    nodes = stored.nodes.take(pa.array(order))
    ids, label = nodes["id"], nodes["type"].to_pylist()
    name = [n or i for n, i in zip(nodes["name"].to_pylist(), ids.to_pylist(), strict=True)]
    symbol = nodes["symbol"].to_pylist()
    own = names.ID_SPELLINGS[0]
    named = [
        " ".join(dict.fromkeys(t for t in (s, n, i) if t))
        for s, n, i in zip(symbol, name, ids.to_pylist(), strict=True)
    ]
    first, _, third = names.NAME_SPELLINGS
    _write_csv(folder / names.NAME_TABLE, {own: ids, first: name, third: named})
    texts = [t or "" for t in nodes["text"].to_pylist()]
    _write_csv(folder / names.DESCRIPTION_TABLE, {own: ids, names.DESCRIPTION_SPELLINGS[0]: texts})
    kinds = [names.RNA_TYPE if t in RNA_LABELS else t for t in label]
    empty = pa.array([""] * len(kinds))
    _write_csv(
        folder / names.SEQUENCE_TABLE,
        {own: ids, names.TYPE_SPELLINGS[0]: kinds, names.SEQUENCE_SPELLINGS[0]: empty},
    )
    _write_csv(
        folder / names.WEBAPP_IDS,
        {
            "Index": np.arange(len(kinds)),
            "Original_ID": [s or n for s, n in zip(symbol, name, strict=True)],
            own: ids,
            "Label": label,
        },
    )


def _write_gene_columns(stored: StoredSet, folder: Path, columns: Int64s) -> None:
    nodes = stored.nodes.take(pa.array(columns))
    places: dict[str, list[int]] = {}
    rows = zip(nodes["symbol"].to_pylist(), nodes["name"].to_pylist(), strict=True)
    for place, (symbol, name) in enumerate(rows):
        places.setdefault(symbol or name or "", []).append(place)
    with writing(folder / names.GENE_COLUMNS) as temporary, temporary.open("w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["gene_name", "indices"])
        table.writerows((k, ";".join(map(str, v))) for k, v in places.items() if k)


def _write_edges(stored: StoredSet, folder: Path, place: Int64s) -> None:
    """Write distinct pairs, those of undirected types in both directions, and their two parts."""
    edges, both = stored.edges, stored.undirected
    source, target = place[edges["source"]], place[edges["target"]]
    pairs = np.concatenate(
        [np.stack([source, target]), np.stack([target[both], source[both]])], axis=1
    )
    pairs = np.unique(pairs, axis=1) if pairs.size else pairs
    protein = np.array(stored.nodes["type"].to_pylist(), dtype=object) == "Protein"
    of_row = np.empty(len(place), bool)
    of_row[place] = protein
    ppi = of_row[pairs[0]] & of_row[pairs[1]]
    for name, chosen in (
        (names.ALL_EDGES, pairs),
        (names.INTERNAL_EDGES, pairs[:, ~ppi]),
        (names.PPI_EDGES, pairs[:, ppi]),
    ):
        _save(folder / name, chosen)
    kinds = np.array([t["name"] for t in stored.manifest.content["edge_types"]], dtype=object)
    rows = np.lexsort((edges["edge_type"], target, source))
    ids = np.empty(len(place), object)
    ids[place] = stored.nodes["id"].to_pylist()
    _write_csv(
        folder / names.WEBAPP_EDGES,
        {
            "BMGC_From_ID": pa.array(ids[source[rows]], pa.string()),
            "BMGC_To_ID": pa.array(ids[target[rows]], pa.string()),
            "Type": pa.array(kinds[edges["edge_type"][rows]] if len(kinds) else [], pa.string()),
            "From_Index": source[rows],
            "To_Index": target[rows],
        },
    )


def _save(path: Path, array: NDArray[Any]) -> None:
    with writing(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(array))


def _write_vectors(stored: StoredSet, folder: Path, order: Int64s) -> None:
    """Write the vector of each node's text, as that of its name and that of its description."""
    if not stored.width:
        return
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for name in (names.NAME_VECTORS, names.DESCRIPTION_VECTORS):
        with writing(folder / name) as temporary:
            shape = (len(order), stored.width)
            out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
            start = 0
            for block in stored.vector_blocks():
                out[place[start : start + len(block)]] = block
                start += len(block)
            out.flush()
            del out


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or _UNKNOWN


def _shard_keys(stored: StoredSet) -> list[tuple[str, str]]:
    """Data set and tissue of each cell: a shard holds cells of one of each."""
    cells = stored.cells
    tissue = (
        cells["tissue"].to_pylist() if "tissue" in cells.column_names else [None] * cells.num_rows
    )
    return [
        (_slug(d), _slug(t or _UNKNOWN))
        for d, t in zip(cells["dataset"].to_pylist(), tissue, strict=True)
    ]


def _write_shards(
    stored: StoredSet, folder: Path, columns: Int64s, progress: Progress
) -> tuple[list[str], list[int]]:
    """Write the dense matrices; gives file and row of each cell.

    Every matrix is on the disk at its full size first and is filled in blocks, so that one block is
    all that is dense in memory.
    """
    (folder / names.SHARD_FOLDER).mkdir()
    files, rows, sizes = _place_cells(_shard_keys(stored))
    paths = {name: folder / names.SHARD_FOLDER / name for name in sizes}
    for name, path in paths.items():
        shape = (sizes[name], len(columns))
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape).flush()
    total = stored.manifest.n_cells
    progress("writing cells", 0, total)
    of_file, of_row = np.array(files, dtype=object), np.array(rows)
    for start, block in stored.value_blocks(_CELLS_AT_ONCE):
        dense = block[:, columns].toarray()
        here = slice(start, start + len(dense))
        for name in dict.fromkeys(of_file[here].tolist()):
            inside = of_file[here] == name
            out = np.lib.format.open_memmap(paths[name], mode="r+")
            out[of_row[here][inside]] = dense[inside]
            out.flush()
            del out
        progress("writing cells", start + len(dense), total)
    return files, rows


def _place_cells(keys: Iterable[tuple[str, str]]) -> tuple[list[str], list[int], dict[str, int]]:
    """File and row of each cell, and the number of rows of each file."""
    counts: dict[tuple[str, str], int] = {}
    files, rows, sizes = [], [], dict[str, int]()
    for key in keys:
        n = counts.get(key, 0)
        counts[key] = n + 1
        part, row = divmod(n, names.SHARD_CELLS)
        name = f"{key[0]}_{key[1]}_part_{part}.npy"
        files.append(name)
        rows.append(row)
        sizes[name] = row + 1
    return files, rows, sizes


def _write_cells(
    stored: StoredSet, folder: Path, files: Sequence[str], rows: Sequence[int]
) -> None:
    """Write the table of the cells, under the release's names and under their own."""
    cells = stored.cells
    columns: dict[str, Any] = {}
    for own, theirs in _RENAMED.items():
        for name in theirs:
            columns[name] = _texts(cells, own)
    columns |= {names.SHARD_COLUMN: list(files), names.SHARD_ROW_COLUMN: np.array(rows, np.int64)}
    columns["cell_id"] = cells["id"]
    for name in cells.column_names:
        if name not in ("id", "target", *columns, *_RENAMED):
            columns[name] = cells[name]
    columns["target"] = pa.array(stored.class_names())
    table = pa.table(columns)
    parquet, text = (folder / name for name in names.CELL_TABLES)
    with writing(parquet) as temporary:
        pq.write_table(table, temporary)
    with writing(text) as temporary:
        flat = [
            (n, c.cast(pa.string()) if not pa.types.is_nested(c.type) else _joined(c))
            for n, c in zip(table.column_names, table.columns, strict=True)
        ]
        pa_csv.write_csv(pa.table(dict(flat)), temporary)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if v is None else json.dumps(v) for v in column.to_pylist()], pa.string())


def _texts(cells: pa.Table, name: str) -> list[str]:
    if name not in cells.column_names:
        return [_UNKNOWN] * cells.num_rows
    return [_UNKNOWN if v is None else str(v) for v in cells[name].to_pylist()]


def _write_notes(stored: StoredSet, folder: Path, order: Int64s, width: int) -> None:
    """Write what the layout has no place for: the unit, and what was measured."""
    content = stored.manifest.content
    _save(folder / names.MEASURED, stored.measured[:, order[:width]])
    document = {
        "unit": content["expression"]["unit"],
        "datasets": [d["id"] for d in content["datasets"]],
        "columns": width,
        "entities": len(order),
        "vectors": content["embedding"],
        "digest": stored.manifest.digest,
        "selection": content["selection"],
        "sources": content["sources"],
    }
    with writing(folder / names.NOTES) as temporary:
        temporary.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
