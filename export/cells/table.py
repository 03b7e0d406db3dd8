"""The cell side of a selection: which cells, in which split, in which order.

Only what decides that is held in memory, some 40 bytes a cell; expression and the other columns
stream past later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tosg.errors import ConfigError, ExportError, at, unknown
from tosg.export.cells import splits
from tosg.export.cells.filters import filter_cells, find_no_person
from tosg.export.cells.growth import KeptCells, extend_ranges, extend_splits, keep_classes
from tosg.export.cells.splits import Classes
from tosg.export.cells.targets import (
    assign_splits,
    combine_fields,
    decode_column,
    describe_splits,
    describe_target,
    encode_column,
    list_donors,
    name_groups,
    read_target,
)
from tosg.kg.cells.stored.dataset import check_written
from tosg.kg.reader.bulk import read_nodes
from tosg.kg.schema.support import MAP_PREFIX, MARKER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tosg.export.selection import Selection
    from tosg.kg.database.connection import Database

_Int64s = NDArray[np.int64]

#: Properties of cells that say where values lie, and so do not belong to a training set.
INTERNAL = frozenset({"idx", "file", "row", "expression"})

#: Splits that go by no single property.
_KINDS_OF_SPLIT = ("none", "donor", "cell")

#: Properties, besides those that an option names, that decide which cells are taken.
_NEEDED = ("is_primary_data", "n_genes", "no_donor", "row")

#: Columns that the training set makes itself.
_OWN = ("id", "dataset", "split", "target")

#: Those of them that cells are not attached with; a property of such a name finds no place.
_TAKEN = ("split", "target")


@dataclass(frozen=True)
class CellTable:
    """The cells of an export, in the order of the training set.

    Attributes
    ----------
    idx : (M,) int64
        ``Cell.idx`` of row j.
    dataset : (M,) int64
        Position in `datasets`.
    split : (M,) int64
        Position in `SPLITS`; does not fall, unless the training set grows.
    target : (M,) int64 or float64, or None
        Class or value.
    datasets : tuple of str
        Ids, sorted.
    fields : tuple of str
        Columns of ``cells.parquet`` besides its own, sorted.
    target_info, splits_info : dict or None
        As in the manifest.
    donors : int
        Number of known donors.
    values_bound : int
        No more values than this are stored for these cells.
    warnings : tuple of str
        What the user should know.
    """

    idx: _Int64s
    dataset: _Int64s
    split: _Int64s
    target: NDArray[Any] | None
    datasets: tuple[str, ...]
    fields: tuple[str, ...]
    target_info: dict[str, Any] | None
    splits_info: dict[str, Any]
    donors: int
    values_bound: int
    warnings: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.idx)

    def since(self, row: int) -> CellTable:
        """Its cells from a row on, to read their expression; what is said of splits stays."""
        return replace(
            self,
            idx=self.idx[row:],
            dataset=self.dataset[row:],
            split=self.split[row:],
            target=None if self.target is None else self.target[row:],
        )


def read_cells(
    db: Database,
    selection: Selection,
    *,
    timeout: float | None = None,
    kept: KeptCells | None = None,
) -> CellTable | None:
    """Choose, split and order the cells of a selection.

    Parameters
    ----------
    db : Database
    selection : Selection
    timeout : float, optional
        Seconds that the query may take.
    kept : KeptCells, optional
        Cells of a training set that grows: they come first, in their order and splits.

    Returns
    -------
    CellTable or None
        None where no cells are asked for or the graph has none.

    Raises
    ------
    ConfigError
        There are no cells for what is asked of them.
    UsageError
        The target, the split or a field to balance by is no property of cells.
    ExportError
        The query returns no cell, cells lack what the split needs, classes are too small.
    """
    from tosg.kg.query.select import select_cells

    if selection.cells is False:
        _check_unasked(selection, "no cells are selected (--no-cells)")
        return None
    with at("cells"):
        chosen = select_cells(db, selection.cells, dict(selection.params), timeout=timeout)
    if len(chosen.idx) == 0:
        if selection.cells is None:
            _check_unasked(selection, "the graph has no cells")
            return None
        raise ExportError("the query for the cells returns no cell", where="cells")
    known = _property_keys(db)
    for option, name in _asked(selection):
        if name not in known:
            others = _KINDS_OF_SPLIT if option == "split" else ()
            kind = "split or property of cells" if others else "property of cells"
            raise unknown(kind, name, [*known, *others], where=option)
    columns = _read(db, chosen.idx, selection, known)
    warnings = list(chosen.warnings)
    files = _files(db, columns)
    columns = filter_cells(columns, selection, files, warnings)
    columns = _sampled(columns, selection, warnings)
    warnings += _homeless(columns, selection)
    chosen_sets = set(pc.unique(decode_column(columns.column("dataset"))).to_pylist())
    spaces = splits.find_donor_spaces({d: f for d, f in files.items() if d in chosen_sets})
    return _arranged(columns, selection, known, spaces, warnings, kept)


def _files(db: Database, table: pa.Table) -> dict[str, list[str]]:
    """Hashes of the files of each data set of the cells."""
    rows = db.rows(
        "CYPHER 5 MATCH (d:Dataset) WHERE d.id IN $ids "
        "RETURN d.id AS id, d.sha256s AS files, keys(d) AS known",
        ids=pc.unique(decode_column(table.column("dataset"))).to_pylist(),
    )
    for row in rows:
        check_written(row["id"], known=set(row["known"]), needed=["sha256s"])
    return {row["id"]: row["files"] for row in rows}


def _check_unasked(selection: Selection, found: str) -> None:
    """Refuse options that need cells where there are none."""
    options = [
        *(["--target"] if selection.target is not None else []),
        *(["--split"] if selection.split != "none" else []),
        *(["--balance"] if selection.balance is not None else []),
        *(["--sample"] if selection.sample is not None else []),
        *(["--normalize"] if selection.normalize != "none" else []),
    ]
    if options:
        raise ConfigError(
            "these options need cells, and there are none",
            where=", ".join(options),
            found=found,
            hint=f"attach cells with `tosg cells attach`, or leave out {', '.join(options)} "
            "for a plain graph",
        )


def _asked(selection: Selection) -> list[tuple[str, str]]:
    asked = [("balance", name) for name in selection.balance or ()]
    if selection.target is not None:
        asked.append(("target", selection.target))
    if selection.split not in _KINDS_OF_SPLIT:
        asked.append(("split", selection.split))
    return asked


def _property_keys(db: Database) -> list[str]:
    rows = db.rows(
        "CYPHER 5 MATCH (c:Cell) WITH DISTINCT keys(c) AS names UNWIND names AS name "
        "RETURN DISTINCT name"
    )
    return sorted(row["name"] for row in rows)


def _read(db: Database, idx: _Int64s, selection: Selection, known: Sequence[str]) -> pa.Table:
    names = ["id", "dataset", "donor_id", *(name for _, name in _asked(selection))]
    names += [n for n in (*_NEEDED, *_TAKEN) if n in known]
    names = sorted(set(names))
    batches = []
    for batch in read_nodes(db, "Cell", names, idx=idx):
        compact = [
            column.dictionary_encode()
            if name != "id" and pa.types.is_string(column.type)
            else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        batches.append(pa.table(compact, names=batch.schema.names))
    table = pa.concat_tables(batches).unify_dictionaries().combine_chunks()
    for name in ("id", "dataset"):
        if table.column(name).null_count:
            raise ExportError("a cell has no " + name, where="cells", hint="attach the cells again")
    return table


def _sampled(table: pa.Table, selection: Selection, warnings: list[str]) -> pa.Table:
    """Draw the sample."""
    if selection.sample is None:
        return table
    if selection.sample > table.num_rows:
        warnings.append(
            f"the sample of {selection.sample:,} cells takes all {table.num_rows:,} there are"
        )
    order = np.lexsort((_ranked_ids(table), _hashes(table, selection)))
    return table.take(np.sort(order[: selection.sample]))


def _homeless(table: pa.Table, selection: Selection) -> Iterator[str]:
    """Warn of properties whose place in ``cells.parquet`` is taken by a column of its own."""
    for name in _TAKEN:
        if name not in table.column_names or getattr(selection, name) == name:
            continue
        n = table.num_rows - table.column(name).null_count
        if n:
            yield (
                f"the property {name} of {n:,} cells is left out: cells.parquet has a column of "
                "that name of its own; rename the property to keep it"
            )


def _hashes(table: pa.Table, selection: Selection) -> NDArray[np.uint64]:
    return splits.hash_names(
        (i for chunk in table.column("id").chunks for i in chunk.to_pylist()), selection.seed
    )


def _ranked_ids(table: pa.Table) -> _Int64s:
    ranks: _Int64s = pc.rank(table.column("id")).to_numpy().astype(np.int64)
    return ranks


def _arranged(
    table: pa.Table,
    selection: Selection,
    known: Sequence[str],
    spaces: Mapping[str, str],
    warnings: list[str],
    kept: KeptCells | None,
) -> CellTable:
    hashed = _hashes(table, selection)
    target, classes = read_target(table, selection)
    if kept is not None and classes is not None:
        classes = keep_classes(classes, kept)
        target = classes.codes
    strata = classes or Classes.one(table.num_rows)
    row = None if kept is None else kept.find(table.column("id"))
    if kept is None or row is None:
        split, donor_safe = assign_splits(
            table, selection, strata, hashed, spaces, find_no_person(table), warnings
        )
    else:
        groups = name_groups(table, selection, spaces)
        split = extend_splits(row, groups, selection, kept)
        donor_safe = selection.split == "donor"
    if selection.balance is not None:
        if classes is None:
            raise ExportError(
                "balancing needs a target of classes",
                where="balance",
                found=f"{selection.target} holds numbers",
            )
        keep = splits.balance(hashed, split, combine_fields(table, selection), classes)
        warnings.append(
            f"balancing leaves {int((keep & (split == 0)).sum()):,} of "
            f"{int((split == 0).sum()):,} training cells"
        )
        table, hashed, split = table.filter(pa.array(keep)), hashed[keep], split[keep]
        target = None if target is None else target[keep]
        classes = Classes(classes.codes[keep], classes.names, classes.field)
    order = np.lexsort((_ranked_ids(table), hashed, split))
    info = describe_splits(
        table.take(order), selection, split[order],
        None if target is None else target[order], classes, donor_safe,
    )  # fmt: skip
    if kept is not None and row is not None:
        # Old rows where they were; new ones as ever, after them.
        order = np.lexsort((_ranked_ids(table), hashed, split, row, row < 0))
    table, split = table.take(order), split[order]
    target = None if target is None else target[order]
    if kept is not None:
        n_classes = len(classes.names) if classes is not None else 0
        info = extend_ranges(info, split, kept, target, n_classes)
    dataset, datasets = encode_column(table.column("dataset"), "cells", "attach the cells again")
    counts = table.column("n_genes") if "n_genes" in table.column_names else None
    return CellTable(
        idx=table.column("idx").to_numpy(),
        dataset=dataset,
        split=split,
        target=target,
        datasets=tuple(datasets),
        fields=_fields(known),
        target_info=describe_target(selection, classes),
        splits_info=info,
        donors=len(list_donors(table)),
        values_bound=0 if counts is None else int(pc.sum(counts).as_py() or 0),
        warnings=tuple(warnings),
    )


def _fields(known: Sequence[str]) -> tuple[str, ...]:
    drawn = (MARKER_PREFIX, MAP_PREFIX)
    return tuple(
        n for n in known if n not in INTERNAL and n not in _OWN and not n.startswith(drawn)
    )
