"""Expression positions to rows of nodes: whose value a data set's variable is.

The rules (own variables before lifted ones, sums of several) are in
``docs/formats/training-set.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tosg.export.format.digest import digest_arrays

if TYPE_CHECKING:
    from tosg.export.graph.level import Fold
    from tosg.export.graph.nodes import Nodes
    from tosg.kg.cells.stored.dataset import DatasetInfo

_Int64s = NDArray[np.int64]

#: Units that are logarithms of 1 + x, with their base.
_LOG_BASES = {"log1p": np.e, "log1p_cp10k": np.e, "log2p1": 2.0, "log10p1": 10.0}


@dataclass(frozen=True)
class NodeMap:
    """Which nodes each variable of one data set goes to.

    Attributes
    ----------
    start : (V + 1,) int64
        The nodes of variable v are ``nodes[start[v]:start[v + 1]]``.
    nodes : int64
        Rows of nodes.
    unit : str
        Unit of the values.
    n_nodes : int
        N.
    """

    start: _Int64s
    nodes: _Int64s
    unit: str
    n_nodes: int

    @classmethod
    def of(cls, position: _Int64s, node: _Int64s, n_variables: int, unit: str, n: int) -> NodeMap:
        """Build it from (variable, node) pairs in any order."""
        order = np.lexsort((node, position))
        counts = np.bincount(position, minlength=n_variables)
        start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return cls(start, node[order].astype(np.int64), unit, n)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(N,) bool: nodes that some variable goes to."""
        mask = np.zeros(self.n_nodes, dtype=bool)
        mask[self.nodes] = True
        return mask

    def digest(self) -> str:
        """Hash of which variable goes to which row; equal where values are mapped alike."""
        return digest_arrays({"start": self.start, "nodes": self.nodes})

    @property
    def variables_mapped(self) -> int:
        """Number of variables that go to some node."""
        return int((np.diff(self.start) > 0).sum())

    def apply(
        self, indptr: _Int64s, indices: NDArray[Any], values: NDArray[np.float32]
    ) -> tuple[_Int64s, NDArray[np.int32], NDArray[np.float32]]:
        """Map rows over variables to rows over nodes.

        Parameters
        ----------
        indptr, indices, values : arrays
            CSR over variables.

        Returns
        -------
        counts : (rows,) int64
        nodes : int32
            Strictly increasing within a row.
        values : float32
            Without zeros.
        """
        rows = len(indptr) - 1
        row = np.repeat(np.arange(rows), np.diff(indptr))
        begin = self.start[indices]
        fan = self.start[indices + 1] - begin
        if fan.max(initial=0) <= 1:
            keep = np.flatnonzero((fan == 1) & (values != 0))
            row, node, value = row[keep], self.nodes[begin[keep]], values[keep]
        else:
            fan = np.where(values != 0, fan, 0)
            entry = np.repeat(np.arange(len(indices)), fan)
            offset = np.arange(len(entry)) - np.repeat(np.cumsum(fan) - fan, fan)
            row, node, value = row[entry], self.nodes[begin[entry] + offset], values[entry]
        key = row * self.n_nodes + node
        shared = len(self.nodes) > int(self.measured.sum())
        order = np.argsort(key, kind="stable" if shared else None)
        key, value = key[order], value[order]
        if shared:
            key, value = self._summed(key, value)
        counts = np.bincount(key // max(self.n_nodes, 1), minlength=rows).astype(np.int64)
        return counts, (key % max(self.n_nodes, 1)).astype(np.int32), value

    def _summed(
        self, key: _Int64s, value: NDArray[np.float32]
    ) -> tuple[_Int64s, NDArray[np.float32]]:
        """Put together the values of several variables of one node."""
        is_first = np.ones(len(key), dtype=bool)
        is_first[1:] = key[1:] != key[:-1]
        first = np.flatnonzero(is_first)
        if len(key) == 0 or (len(first) == len(key) and self.unit != "scaled"):
            return key, value
        node = key[first] % self.n_nodes
        wide = value.astype(np.float64)
        alone = np.diff(np.append(first, len(key))) == 1
        if self.unit in _LOG_BASES:
            scale = np.log(_LOG_BASES[self.unit])
            total = np.log1p(np.add.reduceat(np.expm1(wide * scale), first)) / scale
        elif self.unit == "scaled":
            variables = np.bincount(self.nodes, minlength=self.n_nodes)[node]
            total = np.add.reduceat(wide, first) / variables
            alone &= variables == 1
        else:
            total = np.add.reduceat(wide, first)
        merged = np.where(alone, value[first], total).astype(np.float32)
        some = merged != 0
        return key[first][some], merged[some]


def map_variables(info: DatasetInfo, nodes: Nodes, folded_ids: pa.StringArray | None) -> NodeMap:
    """Map the measured variables of a data set to rows of nodes.

    Parameters
    ----------
    info : DatasetInfo
        The data set.
    nodes : Nodes
        The nodes and the fold of their level.
    folded_ids : pa.StringArray or None
        CURIEs of ``np.unique(nodes.fold.folded)``, where there is a fold.
    """
    entities = pa.array(info.variable_entities, pa.string())
    measured = np.asarray(info.measured, dtype=bool)
    own = _index(entities, nodes.ids)
    own[~measured] = -1
    position = np.flatnonzero(own >= 0)
    node = own[position]
    if nodes.fold is not None and folded_ids is not None:
        lifted = _lifted(entities, measured, nodes, nodes.fold, folded_ids)
        extra = ~np.isin(lifted[1], node)
        position = np.concatenate([position, lifted[0][extra]])
        node = np.concatenate([node, lifted[1][extra]])
    return NodeMap.of(position, node, len(info.variable_entities), info.unit, nodes.n)


def _lifted(
    entities: pa.StringArray,
    measured: NDArray[np.bool_],
    nodes: Nodes,
    fold: Fold,
    folded_ids: pa.StringArray,
) -> tuple[_Int64s, _Int64s]:
    """Pair variables of folded entities with the rows of the nodes that they become."""
    at = _index(entities, folded_ids)
    at[~measured] = -1
    position = np.flatnonzero(at >= 0)
    variable, kept = fold.expand(np.unique(fold.folded)[at[position]])
    row = np.minimum(np.searchsorted(nodes.idx, kept), nodes.n - 1)
    inside = nodes.idx[row] == kept
    return position[variable[inside]], row[inside].astype(np.int64)


def _index(values: pa.StringArray, among: pa.StringArray) -> _Int64s:
    """Position of each value, -1 where it is null or not there."""
    found = pc.index_in(values, value_set=among, skip_nulls=True)
    positions: _Int64s = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return positions
