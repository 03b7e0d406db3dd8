"""Pseudobulks: cells of one type, tissue, disease, sex and stage; mean and fraction per gene."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.obs.columns import FieldColumn

#: What makes a group, in the order of its key.
GROUP_FIELDS = ("cell_type", "tissue", "disease", "sex", "development_stage")

#: Field -> relationship from the group to the node that the field was matched to.
GROUP_RELATIONSHIPS = {
    "cell_type": ("OF_TYPE", "CellType"),
    "tissue": ("FROM_TISSUE", "Anatomy"),
    "disease": ("WITH_DISEASE", "Disease"),
}


@dataclass(frozen=True)
class Groups:
    """The groups of a data set.

    Attributes
    ----------
    codes : (n_cells,) int64
        Group of each cell.
    properties : list of dict
        Of each :CellGroup, None where the cells do not say.
    nodes : list of dict
        Field -> ids of the graph's nodes (`tosg.kg.cells.obs.terms.SEVERAL`), of each group.
    """

    codes: npt.NDArray[np.int64]
    properties: list[dict[str, Any]]
    nodes: list[dict[str, str]]

    @property
    def ids(self) -> list[str]:
        """Id of each group."""
        return [str(p["id"]) for p in self.properties]


def group_cells(
    dataset: str, columns: Mapping[str, FieldColumn], sizes: npt.NDArray[np.int64]
) -> Groups:
    """Divide cells into groups.

    Parameters
    ----------
    dataset : str
    columns : mapping
        Fields of the cells.
    sizes : (n_cells,) int64
        How many measured cells each :Cell stands for.
    """
    present = [name for name in GROUP_FIELDS if name in columns]
    keys = [columns[name].values() for name in present]
    stacked = (
        np.stack([codes for codes, _ in keys], axis=1)
        if keys
        else np.zeros((len(sizes), 1), np.int64)
    )
    unique, codes = np.unique(stacked, axis=0, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    n_cells = np.bincount(codes, weights=sizes, minlength=len(unique)).astype(np.int64)
    donors = _donors(codes, columns.get("donor_id"), len(unique))
    properties, nodes = [], []
    for g, row in enumerate(unique.tolist()):
        values: dict[str, Any] = dict.fromkeys(GROUP_FIELDS)
        linked: dict[str, str] = {}
        for position, name in enumerate(present):
            value, term, node = keys[position][1][row[position]]
            values[name] = value
            if name in GROUP_RELATIONSHIPS:
                values[f"{name}_id"] = term
                if node is not None:
                    linked[name] = node
        values |= {
            "id": group_id(dataset, values),
            "dataset": dataset,
            "n_cells": int(n_cells[g]),
            "n_donors": donors[g],
        }
        properties.append(values)
        nodes.append(linked)
    return Groups(codes, properties, nodes)


def group_id(dataset: str, values: Mapping[str, Any]) -> str:
    """Id of a group: the same for the same data set and values, whatever else is in it."""
    key = json.dumps(
        [values.get(name) for name in (*GROUP_FIELDS, "cell_type_id", "tissue_id", "disease_id")]
    )
    return f"{dataset}:group:{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _donors(codes: npt.NDArray[np.int64], column: FieldColumn | None, n: int) -> list[int | None]:
    if column is None:
        return [None] * n
    donors, values = column.values()
    known = np.array([name is not None for name, _, _ in values], bool)[donors]
    pairs = np.unique(np.stack([codes[known], donors[known]], axis=1), axis=0)
    return [int(c) for c in np.bincount(pairs[:, 0], minlength=n)]


@dataclass(frozen=True)
class GroupEdges:
    """EXPRESSES of a group: parallel ids of entities, means and fractions."""

    group: str
    ids: list[str]
    mean: list[float]
    fraction: list[float]


class GroupSums:
    """Sums per group and variable, added up block by block; memory grows with what is expressed."""

    def __init__(self, n_groups: int, n_variables: int) -> None:
        import scipy.sparse as sp

        self.shape = (n_groups, n_variables)
        self.sums: Any = sp.csr_matrix(self.shape, dtype=np.float64)
        self.counts: Any = sp.csr_matrix(self.shape, dtype=np.float64)
        self.cells = np.zeros(n_groups, np.int64)

    def add(self, groups: npt.NDArray[np.int64], cells: CsrRows) -> None:
        """Add a block of cells: the group of each, and its normalised values."""
        import scipy.sparse as sp

        n = len(groups)
        block = cells.to_scipy(self.shape[1])
        to_group = sp.csr_matrix(
            (np.ones(n), groups, np.arange(n + 1)), shape=(n, self.shape[0])
        ).T.tocsr()
        self.sums = self.sums + to_group @ block
        block.data = (block.data > 0).astype(np.float64)
        self.counts = self.counts + to_group @ block
        self.cells += np.bincount(groups, minlength=self.shape[0])

    def expressed(
        self, group: int, min_fraction: float
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Variables above the threshold in one group.

        Returns
        -------
        variables : (n,) int64
        mean : (n,) float64
            Over all cells of the group, those without the gene included.
        fraction : (n,) float64
            Share of the group's cells with a value above 0.
        """
        n = max(1, int(self.cells[group]))
        counts = self.counts.getrow(group)
        counts.sort_indices()
        fraction = counts.data / n
        keep = (fraction >= min_fraction) & (fraction > 0)
        variables = counts.indices[keep].astype(np.int64)
        sums = np.asarray(self.sums.getrow(group).todense()).ravel()
        return variables, sums[variables] / n, fraction[keep]

    def edges(
        self, position: int, group: str, entities: npt.NDArray[Any], min_fraction: float
    ) -> GroupEdges:
        """EXPRESSES of one group to the entities of its variables.

        Parameters
        ----------
        position : int
        group : str
            Id of the group at that position.
        entities : (n_variables,) object
            Id of the entity of each variable, None for those that are left out.
        min_fraction : float
        """
        variables, mean, fraction = self.expressed(position, min_fraction)
        known = np.array([e is not None for e in entities[variables]], bool)
        return GroupEdges(
            group,
            entities[variables[known]].tolist(),
            mean[known].tolist(),
            fraction[known].tolist(),
        )
