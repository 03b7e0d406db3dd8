"""One cell of a training set as its own graph: what it expresses most, and what joins that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tosg.interop.palette import Edge, Entity

if TYPE_CHECKING:
    from tosg.export.batches.training_set import TrainingSet


def strongest_of_cell(
    ts: TrainingSet, row: int, most: int
) -> tuple[list[Entity], list[Edge], list[float]]:
    """Choose the nodes that a cell expresses most among those with an edge to another such.

    Parameters
    ----------
    ts : TrainingSet
        Opened with ``add_reverses=False``, so that each undirected edge comes once.
    row : int
        Row of the cell in ``cells.parquet``.
    most : int
        Nodes at most.

    Returns
    -------
    entities : list of Entity
        Strongest first; empty where no two nodes that the cell expresses are joined.
    edges : list of Edge
        All between them.
    values : list of float
        Abundance of each entity in the training set's unit.
    """
    table = ts.graph.nodes.select(["id", "type", "name", "symbol"])
    x = ts.read([row]).x.numpy()[0]
    edge_index = ts.graph.edge_index.numpy()
    active = (x > 0)[edge_index].all(axis=0)
    joined = np.unique(edge_index[:, active])
    shown = joined[np.argsort(-x[joined], kind="stable")][:most]
    rows = table.take(shown).to_pylist()
    entities = [Entity(r["id"], r["type"], r["name"] or "", r["symbol"]) for r in rows]
    id_of = dict(zip(shown.tolist(), (e.id for e in entities), strict=True))
    kinds, signs = ts.graph.edge_type.numpy(), ts.graph.edge_sign.numpy()
    edges = []
    for i in np.flatnonzero(active & np.isin(edge_index, shown).all(axis=0)):
        sign = int(signs[i])
        edges.append(
            Edge(
                ts.edge_types[int(kinds[i])],
                id_of[int(edge_index[0, i])],
                id_of[int(edge_index[1, i])],
                sign if abs(sign) <= 1 else None,
            )
        )
    return entities, edges, x[shown].tolist()
