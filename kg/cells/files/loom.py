"""Loom: HDF5 with genes in rows and cells in columns (https://linnarssonlab.org/loompy/format)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.source import CellSource, Matrix, with_unique_names
from tosg.kg.cells.files.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

#: Attributes that name genes and cells, in the spellings of velocyto, SCope, Seurat and scanpy.
_GENES = ("Gene", "gene_names", "GeneName", "gene_name", "var_names", "Symbol", "Accession")
_CELLS = ("CellID", "obs_names", "cell_names", "cellid", "barcode")


def is_loom(file: Any) -> bool:
    """Whether an HDF5 file is laid out as Loom."""
    return all(part in file for part in ("matrix", "row_attrs", "col_attrs"))


def read_loom(path: Path, file: Any) -> CellSource:
    """Read a Loom file that is open; the source closes it.

    Raises
    ------
    DataError
        No attribute names the genes, or attributes do not fit the matrix.
    """
    notes: list[str] = []
    n_genes, n_cells = file["matrix"].shape
    var = _table(path, file["row_attrs"], n_genes, _GENES, notes)
    if var.index.name is None:
        raise DataError(
            "no attribute of a Loom file names its genes",
            where=f"{path}: row_attrs",
            found=", ".join(file["row_attrs"]) or "none",
            expected=" or ".join(_GENES),
        )
    obs = _table(path, file["col_attrs"], n_cells, _CELLS, notes)
    var = with_unique_names(var.rename_axis(None), notes)
    layers = file.get("layers", {})
    matrices = [_matrix("X", file["matrix"], var, path)]
    matrices += [_matrix(f"layers/{n}", layers[n], var, path) for n in sorted(layers)]
    obs = obs.rename_axis(None)
    return CellSource(path, [path], obs, var, matrices, "loom", notes=notes, _close=file.close)


def _table(
    path: Path, group: Any, n: int, names: tuple[str, ...], notes: list[str]
) -> pd.DataFrame:
    """Read the attributes of one axis that are one value per entry; the index has its name."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, values in group.items():
        if len(values.shape) == 1:
            columns[name] = values[:] if values.dtype.kind in "iufb" else texts_of(values, notes)
            if values.shape[0] != n:
                raise DataError(
                    "an attribute of a Loom file does not fit the matrix",
                    where=f"{path}: {group.name}/{name}",
                    found=f"{values.shape[0]:,} values",
                    expected=f"{n:,}",
                )
    index = next((name for name in names if name in columns), None)
    table = pd.DataFrame(columns, index=pd.RangeIndex(n).astype(str))
    return table if index is None else table.set_index(index)


def _matrix(name: str, data: Any, var: pd.DataFrame, path: Path) -> Matrix:
    n_genes, n_cells = data.shape
    return Matrix(name, (n_cells, n_genes), var, n_cells * n_genes, False, _take(data), str(path))


def _take(data: Any) -> Callable[[Any], Any]:
    return lambda cells: data[:, cells].T
