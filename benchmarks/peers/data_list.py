"""The plain way: one `Data` a cell, put together by `Batch.from_data_list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch_geometric.data import Batch, Data

if TYPE_CHECKING:
    from torch import Tensor


def batch(x: Tensor, y: Tensor, graph: dict[str, Tensor]) -> Batch:
    """Batch cells whose abundances are dense in memory already.

    Parameters
    ----------
    x : (B, N) float32
    y : (B,) int64
    graph : dict
        ``edge_index`` (2, E) and the attributes of the edges (E,), shared by the cells.
    """
    return Batch.from_data_list(
        [Data(x=x[i].unsqueeze(1), y=y[i : i + 1], **graph) for i in range(len(x))]
    )
