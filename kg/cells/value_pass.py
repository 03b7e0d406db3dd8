"""The one pass over the values of a file: cells in blocks, and what is added up on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.values.codec import encode_block
from tosg.kg.cells.values.fingerprint import Fingerprint
from tosg.kg.cells.values.library import check_library_sizes
from tosg.kg.cells.values.normalise import clr_divisors
from tosg.kg.cells.values.pseudobulk import GroupEdges, GroupSums
from tosg.kg.cells.var.markers import marker_columns
from tosg.kg.cells.var.modality import GENE, PROTEIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.cells.plan import AttachPlan

_Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class PassResult:
    """What a whole pass over the values added up.

    Attributes
    ----------
    variable_cells : (n_variables,) int64
        Cells with a value of each variable.
    empty_cells : int
        Cells without any value.
    bytes : int
        Of the vectors that the graph keeps.
    fingerprint : str
        Of names and values of the cells; "" for meta-cells.
    expresses : list of GroupEdges
        What each group expresses; none for z-scores.
    """

    variable_cells: npt.NDArray[np.int64]
    empty_cells: int
    bytes: int
    fingerprint: str
    expresses: list[GroupEdges]


class ValuePass:
    """Reads the values of a plan once.

    Parameters
    ----------
    plan : AttachPlan
    """

    def __init__(self, plan: AttachPlan) -> None:
        self._plan = plan
        self._fingerprint = Fingerprint()
        self._variable_cells = np.zeros(len(plan.variables), np.int64)
        self._empty = self._bytes = 0
        self._sums = GroupSums(len(plan.groups.properties), len(plan.variables))

    def run(self) -> Iterator[tuple[_Columns, int]]:
        """Yield the properties of each block of cells, and how many cells are done.

        Raises
        ------
        DataError
            A value contradicts the unit, or a library size the counts.
        """
        start = 0
        for block in self._plan.blocks():
            stop = start + len(block)
            yield self._columns(block, start, stop), stop
            start = stop

    def result(self) -> PassResult:
        """Give what was added up."""
        plan = self._plan
        return PassResult(
            variable_cells=self._variable_cells,
            empty_cells=self._empty,
            bytes=self._bytes,
            fingerprint="" if plan.partition else self._fingerprint.hexdigest(),
            expresses=list(self._expresses()),
        )

    def _columns(self, block: CsrRows, start: int, stop: int) -> _Columns:
        plan = self._plan
        self._fingerprint.add(plan.source.obs.index[plan.rows[start:stop]], block)
        self._variable_cells += np.bincount(block.indices, minlength=len(plan.variables))
        self._empty += int(np.count_nonzero(block.lengths == 0))
        totals, columns = self._totals(block, start, stop)
        comparable = plan.normaliser.normalise(block, totals)
        groups = plan.groups.codes[start:stop]
        if plan.unit != "scaled":
            self._sums.add(groups, comparable)
        columns |= {k: v[start:stop] for k, v in plan.properties.items()}
        columns["n_cells"] = plan.sizes[start:stop].tolist()
        ids = plan.groups.ids
        columns["group"] = [ids[g] for g in groups.tolist()]
        columns |= marker_columns(plan.markers, comparable)
        if plan.storage == "inline":
            columns["expression"] = encode_block(block)
            self._bytes += sum(map(len, columns["expression"]))
        return columns

    def _totals(
        self, block: CsrRows, start: int, stop: int
    ) -> tuple[npt.NDArray[Any] | None, _Columns]:
        """What the values of genes are divided by, and the properties that say so."""
        plan = self._plan
        genes = plan.normaliser.only(block, GENE)
        columns: _Columns = {"n_genes": genes.lengths.tolist()}
        if not plan.normaliser.is_linear:
            return None, columns
        whole = plan.unit == "counts"
        totals = genes.row_sums(genes.values.astype(np.int64) if whole else None)
        if plan.library_sizes is not None:
            sizes = plan.library_sizes[start:stop]
            check_library_sizes(block, totals, sizes, plan.library_column, plan.source.path)
            totals = sizes
        columns[plan.total_property] = totals.tolist()
        if plan.normaliser.n_proteins:
            proteins = plan.normaliser.only(block, PROTEIN)
            columns["n_counts_protein"] = proteins.row_sums().astype(np.float64).tolist()
            columns["protein_clr"] = clr_divisors(proteins, plan.normaliser.n_proteins).tolist()
        return totals, columns

    def _expresses(self) -> Iterator[GroupEdges]:
        plan = self._plan
        if plan.unit == "scaled":
            return
        entities = np.array(plan.found.entities, object)
        for g, group in enumerate(plan.groups.ids):
            yield self._sums.edges(g, group, entities, plan.options.min_fraction)
