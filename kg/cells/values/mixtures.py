"""Matrices whose antibodies are in another unit than their genes: one unit cannot stand for both.

Counts of genes beside centred log-ratios of antibodies would be rounded or read as counts, and
logarithms of genes beside counts of antibodies as logarithms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError
from tosg.kg.cells.values.checked import LARGEST_LOG, is_whole
from tosg.kg.cells.values.readings import probe_rows
from tosg.kg.cells.var.modality import PROTEIN, modalities_of, type_column

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tosg.kg.cells.files.source import Matrix

#: Units of which a value is a number of molecules, corrected or not.
_COUNTS = ("counts", "corrected_counts")
_LOGS = ("log1p_cp10k", "log1p", "log2p1", "log10p1")


def refuse_mixture(path: Path, matrix: Matrix, unit: str) -> None:
    """Refuse antibodies that are normalised beside counts of genes, or counts beside logarithms.

    Raises
    ------
    DataError
        Says how to take the genes alone.
    """
    proteins = np.array([m == PROTEIN for m in modalities_of(matrix.var)], bool)
    if not proteins.any() or proteins.all():
        return
    block = matrix.block(probe_rows(matrix))
    values = block.values[proteins[block.indices]]
    if not len(values):
        return
    whole = bool(is_whole(values).all())
    if unit in _COUNTS and not whole and _may_be_logs(values):
        found = f"decimals from {values.min():.4g} to {values.max():.4g}"
        raise _mixed(path, matrix, "normalised", found, unit)
    if unit in _LOGS and whole and values.max() > 1:
        raise _mixed(path, matrix, "counts", f"whole numbers up to {values.max():g}", unit)


def _may_be_logs(values: npt.NDArray[Any]) -> bool:
    return bool(values.min() < 0 or values.max() <= LARGEST_LOG["log1p"])


def _mixed(path: Path, matrix: Matrix, what: str, found: str, unit: str) -> DataError:
    column = type_column(matrix.var)
    genes = (
        f'`adata[:, adata.var["{column}"] != "{_word(matrix, column)}"].write_h5ad("genes.h5ad")`'
        if column is not None
        else "leave the antibodies out of the file"
    )
    return DataError(
        f"antibodies are {what} and genes are {unit}, in one matrix",
        where=f"{path}: {matrix.name}",
        found=found,
        expected="one unit; antibodies beside counts of genes as counts",
        hint=f"attach the genes alone: {genes}; or another matrix with --matrix",
    )


def _word(matrix: Matrix, column: str) -> str:
    """What the column of types says of an antibody."""
    modalities = modalities_of(matrix.var)
    return str(matrix.var[column].iloc[modalities.index(PROTEIN)])
