"""What every reader of a file of cells gives: `CellSource`, whose `Matrix` is read in blocks.

Only the tables and the list of matrices are read at first; values come block by block. Every way
in which a file can be wrong is a `DataError` that names the file and the place in it.
"""

from __future__ import annotations

import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.closing import Closing
from tosg.errors import ConfigError, DataError
from tosg.kg.cells.csr import CsrRows
from tosg.kg.cells.var.variables import ID_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from tosg.kg.cells.files.maps import CellMaps

#: Stored values per block of rows: about 100 MB with indices and copies.
BLOCK_VALUES = 4_000_000

_Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Matrix:
    """One matrix of a file of cells.

    Attributes
    ----------
    name : str
        Where it is: ``X``, ``raw.X``, ``layers/NAME`` or ``matrix``.
    shape : (int, int)
        Cells, variables.
    var : DataFrame
        Variables, named by the index.
    nnz : int
        Stored values; for a dense matrix all of them.
    sparse : bool
    """

    name: str
    shape: tuple[int, int]
    var: pd.DataFrame
    nnz: int
    sparse: bool
    _take: Callable[[slice | _Array], Any] = field(repr=False)
    _where: str = ""

    @property
    def block_rows(self) -> int:
        """How many rows make a block of bounded size."""
        per_row = self.nnz / max(1, self.shape[0]) if self.sparse else self.shape[1]
        return int(min(8192, max(1, BLOCK_VALUES // max(1.0, per_row))))

    def blocks(self, rows: npt.NDArray[np.int64] | None = None) -> Iterator[CsrRows]:
        """Yield the given rows (increasing; by default all) in bounded blocks."""
        if rows is None:
            rows = np.arange(self.shape[0], dtype=np.int64)
        for start in range(0, len(rows), self.block_rows):
            yield self.block(rows[start : start + self.block_rows])

    def block(self, rows: npt.NDArray[np.int64]) -> CsrRows:
        """Read the given rows (increasing) as one block."""
        import scipy.sparse as sp

        if len(rows) == 0:
            return CsrRows(rows, np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0))
        first, last = int(rows[0]), int(rows[-1])
        whole = last - first + 1 == len(rows)
        # Scattered reads of a file are slow: a span that is mostly wanted is read as one.
        span = whole or last - first + 1 <= 4 * len(rows)
        where = f"{self._where}: {self.name}, rows {first} to {last}"
        with reading(where):
            found = self._take(slice(first, last + 1) if span else rows)
            if sp.issparse(found):
                parts = (native(found.data), found.indices, found.indptr)
                csr = sp.csr_matrix(parts, shape=found.shape)
            else:
                csr = sp.csr_matrix(native(found))
        check_indices(csr.indices, self.shape[1], where)
        if span and not whole:
            csr = csr[rows - first]
        csr.sort_indices()
        if not csr.has_canonical_format:
            raise DataError(
                "a row of a matrix has two values of one variable",
                where=where,
                expected="every variable at most once in a row",
                hint="if the file is whole, `adata.X.sum_duplicates()` adds them up; "
                "else copy it again",
            )
        return CsrRows.of(csr, rows).without_zeros()


@dataclass
class CellSource(Closing):
    """A file of cells that is open; a context manager.

    Attributes
    ----------
    path : Path
    files : list of Path
        Every file that its content depends on.
    obs : DataFrame
        Cells, named by the index.
    var : DataFrame
        Variables of ``X``, which carry flags that the variables of ``raw.X`` do not.
    matrices : list of Matrix
        In the order in which counts are looked for.
    title : str
    layout : str
        ``h5ad``, ``zarr``, ``10x-h5``, ``10x-mtx``, ``celltosg``, ...
    organism : str
        Species of the whole file, where it says one (CELLxGENE's schema 6 and later).
    notes : list of str
        What the reader assumed.
    maps : dict of str to (n_cells, 2) float64
        Two-dimensional maps of the cells.
    """

    path: Path
    files: list[Path]
    obs: pd.DataFrame
    var: pd.DataFrame
    matrices: list[Matrix]
    layout: str
    title: str = ""
    _close: Callable[[], None] = field(default=lambda: None, repr=False)
    organism: str = ""
    notes: list[str] = field(default_factory=list)
    maps: CellMaps = field(default_factory=dict)

    def close(self) -> None:
        """Close the file."""
        self._close()

    def matrix(self, name: str) -> Matrix:
        """Give the matrix of that name; ``a+b`` is the sum of two over the same variables.

        Raises
        ------
        DataError
            The file has no such matrix.
        """
        for matrix in self.matrices:
            if name in (matrix.name, matrix.name.removeprefix("layers/")):
                return matrix
        if "+" in name:
            return _add([self.matrix(part) for part in name.split("+")], str(self.path))
        raise DataError(
            "the file has no such matrix",
            where=self.path,
            found=name,
            expected=", ".join(m.name for m in self.matrices) or "(it has none)",
        )


def _add(parts: list[Matrix], where: str) -> Matrix:
    """Sum matrices over the same variables, as the parts of velocyto's counts."""
    first = parts[0]
    for part in parts[1:]:
        if not part.var.index.equals(first.var.index):
            raise DataError(
                "matrices of different variables cannot be added",
                where=where,
                found=f"{first.name}: {first.shape[1]:,}; {part.name}: {part.shape[1]:,}",
                expected="layers of one matrix",
            )

    def take(rows: Any) -> Any:
        import scipy.sparse as sp

        return sum(sp.csr_matrix(native(part._take(rows))) for part in parts)

    return Matrix(
        "+".join(part.name.removeprefix("layers/") for part in parts),
        first.shape,
        first.var,
        sum(part.nnz for part in parts),
        all(part.sparse for part in parts),
        take,
        where,
    )


def check_indptr(indptr: _Array, rows: int, nnz: int, where: str) -> None:
    """Refuse pointers that do not divide the stored values: compiled code follows them blindly."""
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(indptr) == rows + 1 and indptr[0] == 0 and indptr[-1] == nnz and not len(falls):
        return
    found = f"{len(indptr):,} numbers from {indptr.min(initial=0)} to {indptr.max(initial=0)}"
    raise DataError(
        "the row pointers of a sparse matrix do not fit its values",
        where=f"{where}, indptr",
        found=found + (f", falling after the one at {falls[0]}" if len(falls) else ""),
        expected=f"{rows + 1:,} increasing numbers from 0 to {nnz}",
        hint="the file is damaged: copy it again",
    )


def check_indices(indices: _Array, width: int, where: str) -> None:
    """Refuse an index that is not below the number of columns."""
    if len(indices) and (indices.min() < 0 or indices.max() >= width):
        raise DataError(
            "a matrix has an entry outside its columns",
            where=where,
            found=int(indices.min() if indices.min() < 0 else indices.max()),
            expected=f"0 ... {width - 1}",
            hint="the file is damaged: copy it again",
        )


def native(values: Any) -> Any:
    """Numbers in the machine's byte order, fractions as float32, which scipy can hold.

    What is too large for float32 becomes infinite.
    """
    if values.dtype.kind != "f":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore", under="ignore"):
        return values.astype(np.float32, copy=False)


def with_unique_names(var: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Name variables by a column of identifiers where their own names repeat.

    Symbols may, as those of 10x files do; what was in the index goes to ``gene_symbols``.
    """
    if var.index.is_unique:
        return var
    by_lower = {str(c).lower(): c for c in var.columns}
    for name in ID_COLUMNS:
        column = by_lower.get(name)
        if column is not None and var[column].notna().all() and var[column].is_unique:
            repeated = int(var.index.duplicated().sum())
            notes.append(f"{repeated:,} names of variables repeat: they are named by {column}")
            if "gene_symbols" not in by_lower:
                var = var.assign(gene_symbols=var.index.to_numpy())
            return var.set_index(var[column].astype(str).rename(None))
    return var


#: What h5py, zarr and anndata raise on broken content; h5py's and blosc's own are RuntimeErrors.
_BROKEN = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    RuntimeError,
    OverflowError,
    zlib.error,
)


@contextmanager
def reading(where: str | Path) -> Iterator[None]:
    """Turn what h5py, zarr and anndata raise on broken content into a `DataError`."""
    import anndata

    try:
        with warnings.catch_warnings():
            # Layouts of old anndata versions are read on purpose.
            warnings.filterwarnings("ignore", category=anndata.OldFormatWarning)
            warnings.filterwarnings("ignore", "Moving element from", FutureWarning)
            # Names that are not unique are our own error, or named by row.
            warnings.filterwarnings("ignore", "(Variable|Observation) names are not unique")
            yield
    except (DataError, ConfigError):
        raise
    except Exception as error:
        newer = type(error).__name__ == "IORegistryError"  # anndata has no public name for it
        if not (newer or isinstance(error, _BROKEN)):
            raise
        truncated = isinstance(error, EOFError) or "truncated" in str(error)
        raise DataError(
            "the file of cells is truncated" if truncated else "the file of cells cannot be read",
            where=where,
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            expected="a whole file in the layout that its name and first bytes say",
            hint=_hint(truncated=truncated, newer=newer),
        ) from error


def _hint(*, truncated: bool, newer: bool) -> str:
    if truncated:
        return "compare its size with the original, or copy it again"
    if newer:
        return "a newer anndata may know it: pip install --upgrade anndata"
    return "it is damaged, or was written in a layout that is not known: write it as h5ad again"
