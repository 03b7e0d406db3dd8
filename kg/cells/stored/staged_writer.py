"""Writes the nodes of a data set that is staged: cells, groups with what they express, data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property
from tosg.kg.cells.stored import staging, switch
from tosg.kg.cells.values.pseudobulk import GROUP_RELATIONSHIPS
from tosg.kg.database import bookkeeping as meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tosg.kg.cells.values.pseudobulk import GroupEdges, Groups

#: Cells per transaction, and bytes of vectors per transaction.
_BATCH_CELLS = 4096
_BATCH_BYTES = 16_000_000


def write_staged_cells(
    stage: staging.Stage, dataset: str, columns: Mapping[str, list[Any]]
) -> None:
    """Write cells, in transactions of bounded size.

    Parameters
    ----------
    stage : Stage
    dataset : str
    columns : mapping
        Property -> value of each cell, None where it has none.
    """
    n = len(columns["id"])
    vectors = columns.get("expression")
    mean = sum(map(len, vectors)) / n if vectors else 1
    size = int(max(1, min(_BATCH_CELLS, _BATCH_BYTES // max(1, mean))))
    for start in range(0, n, size):
        part = {k: v[start : start + size] for k, v in columns.items()}
        _write_batch(stage, dataset, part, min(size, n - start))


def _write_batch(
    stage: staging.Stage, dataset: str, columns: Mapping[str, list[Any]], n: int
) -> None:
    # In a map of their own: a column of a file may be called like a parameter of ours.
    sets = ", ".join(f"{key}: $columns.{key}[i]" for key in map(quote_property, columns))
    query = (
        f"UNWIND range(0, $n - 1) AS i CREATE (c:{staging.CELL} "
        f"{{dataset: $dataset_id, idx: $first_idx + i, {sets}}})"
    )
    with stage.transaction() as transaction:
        first = meta.reserve_idx(transaction, n)
        parameters = {"n": n, "dataset_id": dataset, "first_idx": first, "columns": columns}
        staging.run(transaction, query, **parameters)


def write_groups(stage: staging.Stage, groups: Groups) -> None:
    """Write the groups, each with the nodes that it will be linked to."""
    links = {name: switch.waiting(kind) for name, (kind, _) in GROUP_RELATIONSHIPS.items()}
    stage.write(
        f"UNWIND $groups AS p CREATE (g:{staging.GROUP}) SET g = p",
        groups=[
            properties | {links[name]: node for name, node in nodes.items()}
            for properties, nodes in zip(groups.properties, groups.nodes, strict=True)
        ],
    )


def write_expresses(stage: staging.Stage, edges: Iterable[GroupEdges]) -> None:
    """Write on each group what it will express."""
    for edge in edges:
        if edge.ids:
            values = (edge.ids, edge.mean, edge.fraction)
            stage.write(
                f"MATCH (g:{staging.GROUP} {{id: $group}}) SET g += $waiting",
                group=edge.group,
                waiting=dict(zip(staging.WAITING, values, strict=True)),
            )


def write_dataset(stage: staging.Stage, properties: Mapping[str, Any]) -> None:
    """Write the properties of the data set's node."""
    stage.write(f"MATCH (d:{staging.DATASET}) SET d += $properties", properties=properties)
