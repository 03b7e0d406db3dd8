"""Meta-cells: sums of similar cells of one donor, tissue, disease and cell type.

A meta-cell never crosses a donor, tissue, disease or cell type, so that no later split can leak.
Which cells go together is decided within each such stratum, by k-means on the leading components
of log-normalised values or at random; the same file, options and seed give the same meta-cells.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.csr import CsrRows
from tosg.kg.cells.values.normalise import log1p_cp10k

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.cells.obs.columns import FieldColumn
    from tosg.kg.cells.values.checked import CheckedMatrix

#: Fields that a meta-cell never crosses.
WITHIN = ("donor_id", "tissue", "disease", "cell_type")

Method = Literal["kmeans", "random"]

#: Cells that are clustered at once; larger strata are cut at random first.
_MOST = 10_000
_COMPONENTS = 20
_ROUNDS = 20

_Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """Which cells make which meta-cell.

    Attributes
    ----------
    members : list of (k,) int64
        Rows of the file of each meta-cell, increasing; ordered by the first of them.
    positions : list of (k,) int64
        The same cells as positions among the cells that are attached.
    """

    members: list[_Int64s]
    positions: list[_Int64s]

    @property
    def sizes(self) -> _Int64s:
        """Cells per meta-cell."""
        return np.array([len(m) for m in self.members], np.int64)

    def sum(self, values: _Int64s) -> _Int64s:
        """Add up a number of each cell that is attached, per meta-cell."""
        return np.array([values[p].sum() for p in self.positions], np.int64)


def partition(
    values: CheckedMatrix,
    rows: _Int64s,
    columns: Mapping[str, FieldColumn],
    *,
    size: int,
    seed: int,
    method: Method,
) -> Partition:
    """Divide cells into meta-cells of about ``size`` cells.

    Raises
    ------
    DataError
        Cells whose donor is not known: what they would be summed with could leak. Values that are
        no counts.
    """
    _check_donors(columns, len(rows), values.path)
    groups: list[_Int64s] = []
    generator = np.random.default_rng(seed)
    for stratum in _strata(columns, len(rows)):
        shuffled = generator.permutation(stratum)
        for part in np.array_split(shuffled, -(-len(shuffled) // _MOST)):
            k = max(1, round(len(part) / size))
            if k == 1:
                groups.append(np.sort(part))
                continue
            if method == "kmeans":
                points = _components(values, rows[np.sort(part)], seed)
                codes = _kmeans(points, k, generator)
            else:
                codes = generator.permutation(np.arange(len(part)) % k)
            ordered = np.sort(part)
            groups += [ordered[codes == c] for c in range(k) if (codes == c).any()]
    groups.sort(key=lambda g: int(g[0]))
    return Partition([rows[g] for g in groups], groups)


def blocks(values: CheckedMatrix, made: Partition) -> Iterator[CsrRows]:
    """Yield the meta-cells' summed values; `CsrRows.rows` counts meta-cells.

    Raises
    ------
    DataError
        A value of a member is no count; in a sum it would not show.
    """
    import scipy.sparse as sp

    start = 0
    while start < len(made.members):
        stop, cells = start, 0
        while stop < len(made.members) and (stop == start or cells < values.matrix.block_rows):
            cells += len(made.members[stop])
            stop += 1
        wanted = np.unique(np.concatenate(made.members[start:stop]))
        block = values.block(wanted)
        owner = np.repeat(np.arange(stop - start), made.sizes[start:stop])
        column = np.searchsorted(wanted, np.concatenate(made.members[start:stop]))
        summing = sp.csr_matrix(
            (np.ones(len(owner)), (owner, column)), shape=(stop - start, len(wanted))
        )
        total = (summing @ block.to_scipy(values.matrix.shape[1])).tocsr()
        total.sort_indices()
        yield CsrRows.of(total, np.arange(start, stop))
        start = stop


def joined(columns: Mapping[str, FieldColumn], made: Partition) -> dict[str, FieldColumn]:
    """Fields of the meta-cells: what all members share; missing where they differ."""
    from tosg.kg.cells.obs.columns import FieldColumn
    from tosg.kg.cells.obs.terms import Label

    found = {}
    for name, column in columns.items():
        labels = [*column.labels, Label("", "missing")]
        codes = np.full(len(made.members), len(labels) - 1, np.int64)
        values, _ = column.values()
        for i, positions in enumerate(made.positions):
            if (values[positions] == values[positions[0]]).all():
                codes[i] = column.codes[positions[0]]
        found[name] = FieldColumn(column.source, codes, labels)
    return found


def agreed(columns: Mapping[str, list[Any]], made: Partition) -> dict[str, list[Any]]:
    """Properties of the meta-cells: what all members share; None where they differ."""
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        sets = ({values[p] for p in positions.tolist()} for positions in made.positions)
        found[name] = [next(iter(s)) if len(s) == 1 else None for s in sets]
    return found


def centres(points: npt.NDArray[np.float64], made: Partition) -> npt.NDArray[np.float64]:
    """Place of each meta-cell on a map, the mean of its members: (n_members, 2) to (n, 2)."""
    return np.array([points[p].mean(axis=0) for p in made.positions])


def _check_donors(columns: Mapping[str, FieldColumn], n: int, where: Path) -> None:
    column = columns.get("donor_id")
    lost = n
    if column is not None:
        known = np.array([lab.name is not None for lab in column.labels], bool)
        lost = int(np.count_nonzero(~known[column.codes]))
    if lost:
        raise DataError(
            "meta-cells need to know the donor of each cell",
            where=where,
            found=f"{lost:,} of {n:,} cells without donor_id",
            expected="donor_id for every cell",
            hint="--map donor_id=COLUMN, or --set donor_id=NAME if there is one donor",
        )


def _strata(columns: Mapping[str, FieldColumn], n: int) -> list[_Int64s]:
    present = [columns[name].values()[0] for name in WITHIN if name in columns]
    stacked = np.stack(present, axis=1) if present else np.zeros((n, 1), np.int64)
    _, codes = np.unique(stacked, axis=0, return_inverse=True)
    order = np.argsort(codes.reshape(-1), kind="stable")
    cuts = np.flatnonzero(np.diff(codes.reshape(-1)[order])) + 1
    return [part.astype(np.int64) for part in np.split(order, cuts)]


def _components(values: CheckedMatrix, rows: _Int64s, seed: int) -> npt.NDArray[np.float64]:
    """Leading components of the log-normalised counts of genes: (n, at most 20) float64."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import svds

    parts = []
    for block in values.blocks(rows):
        genes = block.keep(values.genes[block.indices])
        parts.append(genes.with_values(log1p_cp10k(genes)).to_scipy(values.matrix.shape[1]))
    logs = sp.vstack(parts).tocsr()
    k = min(_COMPONENTS, min(logs.shape) - 1)
    if k < 1 or logs.nnz == 0:
        return np.zeros((len(rows), 1))
    start = np.random.default_rng(seed).random(min(logs.shape)) + 0.1
    left, scale, _ = svds(logs, k=k, v0=start)
    return np.asarray(left * scale, np.float64)


def _kmeans(points: npt.NDArray[np.float64], k: int, generator: np.random.Generator) -> _Int64s:
    """Cluster of each point, by k-means from k points drawn far apart."""
    from scipy.cluster.vq import kmeans2

    with warnings.catch_warnings():
        # Fewer distinct points than clusters: an empty cluster makes no meta-cell.
        warnings.filterwarnings("ignore", "One of the clusters is empty")
        _, codes = kmeans2(points, k, iter=_ROUNDS, minit="++", missing="warn", rng=generator)
    return np.asarray(codes, np.int64)


def member_names(names: list[Any], made: Partition) -> list[list[str]]:
    """Names of each meta-cell's members, as in the file."""
    return [[str(names[p]) for p in positions.tolist()] for positions in made.positions]
