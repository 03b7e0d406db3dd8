"""Data sets in the graph, and their cells' expression read back in blocks."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError, unknown
from tosg.files import hash_file
from tosg.kg.cells.csr import CsrRows
from tosg.kg.cells.values.codec import decode_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tosg.kg.database.connection import Database

_Int64s = npt.NDArray[np.int64]

#: Cells per block where expression is read from the original file.
_LINKED_ROWS = 2048


@dataclass(frozen=True)
class DatasetInfo:
    """A data set that is attached.

    Attributes
    ----------
    id, title, license : str
    unit : str
        Of the stored values; see `tosg.kg.cells.values.units`.
    storage : str
        ``inline`` (in the graph) or ``linked`` (in the original file).
    files, sha256s : list of str
        Original files and their hashes.
    variables : list of str
        As the file names them; expression's indices are positions in it.
    variable_entities : list of str or None
        Id of the entity that each variable stands for; no entity twice.
    measured : (n_variables,) bool
        Where false, a missing value is unknown and not 0.
    n_cells : int
        Number of :Cell nodes.
    path, matrix : str
        What was opened, and the matrix in it (``X``, ``raw.X``, ``layers/NAME``).
    mean_unit : str
        Of ``EXPRESSES.mean`` and of markers of genes.
    protein_unit : str
        The same of antibodies, where theirs is another (``clr``), else "".
    total_property : str
        Property of the cells by which values of genes are divided: ``n_counts``, or
        ``expression_total`` where the unit is linear but no count; "" for logarithms and z-scores.
        Antibodies are divided by the cells' ``protein_clr`` (see
        `tosg.kg.cells.values.normalise.clr_divisors`).
    library_size : str
        Column of the file that the totals come from; "" where they are sums over the genes.
    modalities : list of str
        ``gene``, ``protein`` or ``other``, per variable; empty where all are genes.
    variable_cells : list of int
        Cells with a value of each variable; empty for data sets of older versions.
    notes : list of str
        What attaching assumed and noted.
    maps : list of str
        Two-dimensional maps of its cells: ``umap`` is the cells' property ``map_umap``, [x, y].
    """

    id: str
    unit: str
    storage: str
    files: list[str]
    sha256s: list[str]
    variables: list[str]
    variable_entities: list[str | None]
    measured: npt.NDArray[np.bool_]
    n_cells: int
    license: str
    title: str
    path: str = ""
    matrix: str = ""
    mean_unit: str = ""
    protein_unit: str = ""
    total_property: str = ""
    library_size: str = ""
    modalities: list[str] = field(default_factory=list)
    variable_cells: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)


_FIELDS = tuple(f.name for f in fields(DatasetInfo))
_REQUIRED = tuple(
    f.name for f in fields(DatasetInfo) if f.default is MISSING and f.default_factory is MISSING
)


def datasets(db: Database, ids: Sequence[str] | None = None) -> list[DatasetInfo]:
    """List the data sets that are attached, by id.

    Raises
    ------
    UsageError
        One of ``ids`` is not attached; names the nearest ones.
    """
    found = {}
    for row in db.rows(
        "CYPHER 5 MATCH (d:Dataset) WHERE $ids IS NULL OR d.id IN $ids "
        f"RETURN d {{{', '.join('.' + name for name in _FIELDS)}}} AS d ORDER BY d.id",
        ids=None if ids is None else list(ids),
    ):
        found[row["d"]["id"]] = _info(row["d"])
    for wanted in ids or ():
        if wanted not in found:
            known = [r["id"] for r in db.rows("CYPHER 5 MATCH (d:Dataset) RETURN d.id AS id")]
            raise unknown("dataset", wanted, known)
    return list(found.values())


def check_written(id_: str, *, known: set[str], needed: Iterable[str]) -> None:
    """Refuse a data set that lacks what `cells attach` always writes.

    Raises
    ------
    DataError
        Somebody else wrote the node, or changed it.
    """
    if missing := [name for name in needed if name not in known]:
        raise DataError(
            "a data set was not written by tosg, or was changed",
            where=f"Dataset {id_}",
            found=f"no property {', '.join(missing)}",
            expected="the properties that `tosg cells attach` writes",
            hint="attach its cells by `tosg cells attach`, or remove the node by Cypher",
        )


def _info(row: dict[str, Any]) -> DatasetInfo:
    # Data sets of older versions lack the later properties.
    row = {name: value for name, value in row.items() if value is not None}
    check_written(row["id"], known=set(row), needed=_REQUIRED)
    if row["unit"] == "counts":
        row.setdefault("total_property", "n_counts")
    row["variable_entities"] = [e or None for e in row["variable_entities"]]
    row["measured"] = np.array(row["measured"], bool)
    return DatasetInfo(**row)


def read_expression(
    db: Database, dataset: DatasetInfo, cell_idx: npt.NDArray[Any], *, connections: int = 4
) -> Iterator[CsrRows]:
    """Read the expression of cells of one data set, in blocks of bounded size.

    Parameters
    ----------
    db : Database
    dataset : DatasetInfo
    cell_idx : (n,) integers
        `Cell.idx` of the cells, increasing.
    connections : int
        Blocks read at once where expression is inline.

    Yields
    ------
    CsrRows
        Rows are `Cell.idx` in the order of ``cell_idx``, every cell once; indices are positions in
        `DatasetInfo.variables`, values float32 in the data set's unit.

    Raises
    ------
    DataError
        A cell is not of the data set; the linked file is missing or has changed.
    """
    wanted = np.asarray(cell_idx, np.int64)
    if len(wanted) == 0:
        return
    linked = dataset.storage == "linked"
    read = (
        _linked(db, dataset, wanted, connections)
        if linked
        else _inline(db, dataset, wanted, connections)
    )
    n = 0
    for block in read:
        n += len(block)
        yield block
    if n != len(wanted):
        raise DataError(
            "cells are missing from the graph",
            where=f"dataset {dataset.id}",
            found=f"{n:,} of them",
            expected=f"{len(wanted):,} cells of this data set",
        )


def _inline(
    db: Database, dataset: DatasetInfo, wanted: _Int64s, connections: int
) -> Iterator[CsrRows]:
    from tosg.kg.reader.bulk import read_nodes

    names = ["dataset", "expression"]
    for batch in read_nodes(db, "Cell", names, idx=wanted, connections=connections):
        _check_dataset(batch.column("dataset"), dataset)
        idx = batch.column("idx").to_numpy()
        block = decode_block(batch.column("expression"), len(dataset.variables))
        yield replace(block, rows=idx)


def _linked(
    db: Database, dataset: DatasetInfo, wanted: _Int64s, connections: int
) -> Iterator[CsrRows]:
    from tosg.kg.cells.files.opening import lend_source
    from tosg.kg.reader.bulk import read_nodes

    check_files(dataset)
    with lend_source(Path(dataset.path)) as source:
        matrix = source.matrix(dataset.matrix)
        names = ["dataset", "row"]
        for batch in read_nodes(db, "Cell", names, idx=wanted, connections=connections):
            _check_dataset(batch.column("dataset"), dataset)
            idx, row = batch.column("idx").to_numpy(), batch.column("row").to_numpy()
            size = min(_LINKED_ROWS, matrix.block_rows)
            for start in range(0, len(idx), size):
                at = row[start : start + size].astype(np.int64)
                found = matrix.block(np.unique(at))
                if dataset.unit == "counts":  # whole but for rounding, or rounded as asked
                    found = found.with_values(np.rint(found.values)).without_zeros()
                block = found.select(np.searchsorted(found.rows, at))
                yield CsrRows(
                    idx[start : start + size],
                    block.indptr,
                    block.indices.astype(np.int32),
                    block.values.astype(np.float32),
                )


def read_totals(
    db: Database, dataset: DatasetInfo, cell_idx: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Read what the values of cells are divided by: (n,) float64, in the order of ``cell_idx``."""
    from tosg.kg.reader.bulk import read_nodes

    name = dataset.total_property
    batches = read_nodes(db, "Cell", [name], idx=np.asarray(cell_idx, np.int64))
    parts = [batch.column(name).to_numpy(zero_copy_only=False) for batch in batches]
    return np.concatenate([np.empty(0), *parts]).astype(np.float64)


def _check_dataset(column: Any, dataset: DatasetInfo) -> None:
    others = set(column.unique().to_pylist()) - {dataset.id}
    if others:
        raise DataError(
            "a cell is of another data set",
            where=f"dataset {dataset.id}",
            found=", ".join(sorted(str(o) for o in others)),
            expected=dataset.id,
        )


@lru_cache(maxsize=256)
def _sha256(file: Path, _size: int, _mtime_ns: int) -> str:
    """Hash a linked file once per process, and again when its size or time changes."""
    return hash_file(file)


def check_files(dataset: DatasetInfo) -> None:
    """Check that the original files of a data set are where and what they were.

    Raises
    ------
    DataError
        A file is missing or has changed.
    """
    for name, expected in zip(dataset.files, dataset.sha256s, strict=True):
        file = Path(name)
        hint = f"put the original back, or attach it again as {dataset.id} with --replace"
        if not file.is_file():
            raise DataError(
                "the file of a linked data set is missing",
                where=f"dataset {dataset.id}",
                found=f"no file {file}",
                expected=f"sha256 {expected}",
                hint=hint,
            )
        state = file.stat()
        found = _sha256(file, state.st_size, state.st_mtime_ns)
        if found != expected:
            raise DataError(
                "the file of a linked data set has changed",
                where=f"dataset {dataset.id}: {file}",
                found=f"sha256 {found}",
                expected=f"sha256 {expected}",
                hint=hint,
            )
