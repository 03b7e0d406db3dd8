"""The two passes over expression: ranges in source order to spills, spills to shards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tosg.errors import ExportError
from tosg.export.format.digest import digest_arrays
from tosg.export.format.writers import read_npy_part, save_npy
from tosg.export.write.workspace import describe_file, disk_errors, write_receipt
from tosg.files import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tosg.export.cells.node_map import NodeMap
    from tosg.export.write.plan import ExportPlan, Receipt

_Int64s = NDArray[np.int64]
CsrArrays = tuple[_Int64s, NDArray[np.int32], NDArray[np.float32]]

#: What is spilled of a range. "cuts" has, for the first row of each shard and for the end, where
#: its row and its first value are: a shard reads its own part of each spill and no more, for the
#: number of such parts grows with the square of the cells.
_SPILLED: dict[str, type[np.generic]] = {
    "rows": np.int64,
    "counts": np.int64,
    "cuts": np.int64,
    "indices": np.int32,
    "values": np.float32,
}


def read_range(plan: ExportPlan, k: int) -> Receipt:
    """First pass: read the expression of range k and spill it, sorted by destination.

    It is read once for the plan and its others, and spilled for each that has no receipt yet.

    Returns
    -------
    dict
        The receipt of the plan: number of cells and values.
    """
    name = f"range-{k:06d}"
    todo = [p for p in (plan, *plan.others) if _receipt(p.work, name) is None]
    if todo:
        idx, _ = plan.source(k)
        for one, rows in zip(todo, _expression(todo, plan.ranges[k][0], idx), strict=True):
            _spill(one, k, name, rows)
    receipt = _receipt(plan.work, name)
    assert receipt is not None  # noqa: S101
    return receipt


def _spill(plan: ExportPlan, k: int, name: str, read: CsrArrays) -> None:
    _, rows = plan.source(k)
    counts, indices, values = read
    order = np.argsort(rows)
    take = _gather(counts, order)
    first = np.searchsorted(rows[order], np.arange(plan.n_shards + 1) * plan.shard_rows)
    starts = np.concatenate(([0], np.cumsum(counts[order])))
    spill: dict[str, NDArray[Any]] = {
        "rows": rows[order],
        "counts": counts[order],
        "cuts": np.stack([first, starts[first]], axis=1).ravel(),
        "indices": indices[take],
        "values": values[take],
    }
    with disk_errors(plan.folder):
        for part in _SPILLED:
            with writing(plan.work / f"{name}.{part}.npy") as temporary:
                save_npy(temporary, spill[part])
        write_receipt(plan.work, name, {"cells": len(rows), "values": len(values)})


def write_shard(plan: ExportPlan, k: int) -> Receipt:
    """Second pass: gather the rows of shard k from all spills and write it.

    Returns
    -------
    dict
        The receipt: cells, values, digest, and bytes and sha256 of its files.
    """
    name = f"shard-{k:06d}"
    done = _receipt(plan.work, name)
    if done is not None:
        return done
    low, high = k * plan.shard_rows, min((k + 1) * plan.shard_rows, plan.n_cells)
    counts, indices, values = _gathered(plan, k, low, high)
    shard: dict[str, NDArray[Any]] = {
        "indptr": np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        "indices": indices,
        "values": values,
    }
    files = {}
    with disk_errors(plan.folder):
        (plan.folder / "expression").mkdir(exist_ok=True)
        for part, array in shard.items():
            path = plan.folder / "expression" / f"{plan.first_shard + k:05d}.{part}.npy"
            with writing(path) as temporary:
                save_npy(temporary, array)
            files[f"expression/{path.name}"] = describe_file(path)
        receipt = {
            "cells": high - low,
            "values": len(values),
            "digest": digest_arrays(shard),
            "files": files,
        }
        write_receipt(plan.work, name, receipt)
    return receipt


def _receipt(work: Path, name: str) -> Receipt | None:
    path = work / f"{name}.json"
    receipt: Receipt | None = json.loads(path.read_bytes()) if path.is_file() else None
    return receipt


def _expression(plans: Sequence[ExportPlan], dataset: int, idx: _Int64s) -> list[CsrArrays]:
    """Rows over the nodes of each plan, of cells in the order of `idx`, read once."""
    from tosg.kg.cells.stored.dataset import read_expression

    plan = plans[0]
    variables = [p.variables(dataset) for p in plans]
    info = plan.infos[dataset]
    parts: list[list[CsrArrays]] = [[] for _ in plans]
    seen: list[_Int64s] = []
    for block in read_expression(plan.db, info, idx, connections=plan.connections):
        _check_finite(block.values, info.id)
        for one, map_ in zip(parts, variables, strict=True):
            one.append(_mapped(map_, block.indptr, block.indices, block.values))
        seen.append(np.asarray(block.rows, dtype=np.int64))
    found = np.concatenate([np.empty(0, np.int64), *seen])
    if not np.array_equal(found, idx):
        raise ExportError(
            "cells of a data set are missing from the graph",
            where=f"data set {info.id}",
            found=f"{len(found):,} cells",
            expected=f"{len(idx):,}",
        )
    return [_joined(one) for one in parts]


def _joined(parts: list[CsrArrays]) -> CsrArrays:
    counts, indices, values = (np.concatenate([p[i] for p in parts]) for i in range(3))
    return counts, indices, values


def _mapped(
    variables: NodeMap, indptr: _Int64s, indices: NDArray[Any], values: NDArray[np.float32]
) -> CsrArrays:
    return variables.apply(np.asarray(indptr, dtype=np.int64), indices, values)


def _check_finite(values: NDArray[np.float32], dataset: str) -> None:
    if not np.isfinite(values).all():
        raise ExportError(
            "expression values are not finite",
            where=f"data set {dataset}",
            hint="attach the data set again",
        )


def _gathered(plan: ExportPlan, k: int, low: int, high: int) -> CsrArrays:
    """Rows low..high of the training set, which are shard k, from all spills."""
    held: list[list[NDArray[Any]]] = []
    for r in range(len(plan.ranges)):
        row, value, next_row, next_value = _part(plan, r, "cuts", 2 * k, 2 * k + 4)
        if row == next_row:
            continue
        held.append(
            [
                _part(plan, r, "rows", row, next_row),
                _part(plan, r, "counts", row, next_row),
                _part(plan, r, "indices", value, next_value),
                _part(plan, r, "values", value, next_value),
            ]
        )
    rows, counts, indices, values = (np.concatenate([h[i] for h in held]) for i in range(4))
    order = np.argsort(rows)
    if not np.array_equal(rows[order], np.arange(low, high)):
        raise ExportError(
            "the parts of the export do not hold all cells of a shard",
            where=plan.folder,
            hint="export again",
        )
    take = _gather(counts, order)
    return counts[order], indices[take], values[take]


def _part(plan: ExportPlan, r: int, name: str, start: int, stop: int) -> NDArray[Any]:
    """Elements of what is spilled of range r."""
    return read_npy_part(plan.work / f"range-{r:06d}.{name}.npy", _SPILLED[name], start, stop)


def _gather(counts: _Int64s, order: _Int64s) -> _Int64s:
    """Positions of the entries of rows taken in `order`."""
    starts = np.cumsum(counts) - counts
    sizes = counts[order]
    ends = np.cumsum(sizes)
    positions: _Int64s = np.repeat(starts[order] - (ends - sizes), sizes) + np.arange(
        int(sizes.sum())
    )
    return positions
