"""Tables of counts: CSV, TSV and Parquet, with genes in rows or in columns.

The names decide which axis has the genes, and only where exactly one of the two can have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError
from tosg.kg.cells.files.source import CellSource, Matrix, reading
from tosg.kg.cells.files.table_sides import (
    are_row_numbers,
    are_totals,
    describes_cells,
    describes_genes,
    no_genes,
)
from tosg.kg.cells.files.table_text import look_at_text, refuse_numbers_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

#: How the names of tables end.
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz", ".txt.gz", ".tab.gz")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

#: Names that nearly every file of cells has, of human and, but for case, of mouse.
_COMMON = frozenset(
    {
        *("ACTB", "B2M", "GAPDH", "MALAT1", "TMSB4X", "TMSB10", "EEF1A1", "EEF2", "FTL", "FTH1"),
        *("TPT1", "UBC", "UBA52", "VIM", "PTMA", "HSP90AB1", "CD3D", "CD3E", "CD4", "CD8A", "CD8B"),
        *("CD14", "CD19", "CD79A", "MS4A1", "NKG7", "GNLY", "LYZ", "PTPRC", "IL7R", "FCGR3A"),
        *("S100A8", "S100A9", "HLA-A", "HLA-B", "HLA-DRA", "TP53", "JAK1", "STAT1", "TNF", "IL10"),
        *("CXCL8", "EPCAM", "KRT8", "KRT18", "COL1A1", "COL1A2", "PECAM1", "VWF", "MYC", "JUN"),
        *("FOS", "NEAT1", "GFAP", "MBP", "PLP1", "SNAP25", "GAD1", "SLC17A7", "AQP4", "CSF1R"),
        *("ALB", "INS", "GCG"),
    }
)
_PATTERN = re.compile(r"(?i)^(?:ENS[A-Z]{0,4}G\d{11}(?:\.\d+)?|RP[SL]P?\d+[AXYL]?|MT-[A-Z0-9]+)$")
_MIN_COMMON = 3
_MIN_SHARE = 0.2


def read_cell_table(path: Path) -> CellSource:
    """Read a table of counts.

    Raises
    ------
    DataError
        Numbers and text in one column, or it is not clear which axis has the genes.
    """
    with reading(path):
        table = _parquet(path) if path.suffix == ".parquet" else _text(path)
    in_rows = _are_genes(table.names)
    if in_rows == _are_genes(table.columns):
        raise _unclear(path, table.names, table.columns)
    notes = [f"genes are in the {'rows' if in_rows else 'columns'}, as their names say"]
    return _source(path, _sides(table, in_rows=in_rows, notes=notes), [*notes, *table.notes])


@dataclass
class _Table:
    """A table as it stands in the file: names of rows and columns, numbers, columns of text."""

    names: list[str]
    columns: list[str]
    values: Any
    texts: dict[str, list[Any]]
    notes: list[str] = field(default_factory=list)


@dataclass
class _Sides:
    """Cells, genes and counts of a table, and what describes them."""

    cells: list[str]
    genes: list[str]
    values: Any
    of_cells: dict[str, Any]
    of_genes: dict[str, Any]


def _sides(table: _Table, *, in_rows: bool, notes: list[str]) -> _Sides:
    """Take counts apart from what stands beside them, with a note for each kind."""
    describes = describes_genes if in_rows else describes_cells
    beside = dict(table.texts)
    aside = np.array([describes(c) or are_row_numbers(c) for c in table.columns], bool)
    for at in np.flatnonzero(aside).tolist():
        if not are_row_numbers(table.columns[at]):
            beside[table.columns[at]] = table.values[:, [at]].toarray().ravel()
    values = table.values[:, ~aside]
    columns = [c for c, other in zip(table.columns, aside.tolist(), strict=True) if not other]
    if beside:
        of, where = ("genes", "var") if in_rows else ("cells", "obs")
        shown = ", ".join(list(beside)[:8]) + (", ..." if len(beside) > 8 else "")
        notes.append(f"columns that describe {of} are in {where}: {shown}")
    cells, genes = (columns, table.names) if in_rows else (table.names, columns)
    found = _Sides(
        cells,
        genes,
        (values.T if in_rows else values).tocsr(),
        {} if in_rows else beside,
        beside if in_rows else {},
    )
    return _without_sums(found, notes)


def _without_sums(s: _Sides, notes: list[str]) -> _Sides:
    """Leave out what is no gene and no cell: sums over the others."""
    counted = no_genes(s.genes)
    if counted.any():
        notes.append(f"sums that are counted beside genes are left out: {_named(s.genes, counted)}")
    total = are_totals(s.genes, s.values[:, :]) & ~counted
    if total.any():
        notes.append(f"totals over genes are left out: {_named(s.genes, total)}")
    keep = ~(counted | total)
    s = _Sides(
        s.cells,
        _kept(s.genes, keep),
        s.values[:, keep],
        s.of_cells,
        {name: _kept(list(column), keep) for name, column in s.of_genes.items()},
    )
    of_cells = are_totals(s.cells, s.values.T)
    if not of_cells.any():
        return s
    notes.append(f"totals over cells are left out: {_named(s.cells, of_cells)}")
    return _Sides(
        _kept(s.cells, ~of_cells),
        s.genes,
        s.values[~of_cells],
        {name: _kept(list(column), ~of_cells) for name, column in s.of_cells.items()},
        s.of_genes,
    )


def _kept(values: Sequence[Any], keep: Any) -> list[Any]:
    return [v for v, k in zip(values, keep.tolist(), strict=True) if k]


def _named(names: Sequence[str], chosen: Any) -> str:
    return ", ".join(_kept(names, chosen))


def _source(path: Path, sides: _Sides, notes: list[str]) -> CellSource:
    import pandas as pd

    var = pd.DataFrame(sides.of_genes, index=pd.Index(sides.genes))
    obs = pd.DataFrame(sides.of_cells, index=pd.Index(sides.cells))
    values = sides.values
    matrix = Matrix("table", values.shape, var, values.nnz, True, values.__getitem__, str(path))
    return CellSource(path, [path], obs, var, [matrix], "table", notes=notes)


def _are_genes(names: Sequence[str]) -> bool:
    common = sum(n.upper() in _COMMON for n in names)
    shaped = sum(bool(_PATTERN.match(n)) for n in names)
    return common >= _MIN_COMMON or shaped >= _MIN_SHARE * max(1, len(names))


def _text(path: Path) -> _Table:
    text = look_at_text(path)
    found = _joined(path, text.frames())
    found.notes += text.notes
    return found


def _parquet(path: Path) -> _Table:
    import pyarrow.parquet as pq

    return _joined(path, [pq.read_table(path).to_pandas()])


def _joined(path: Path, frames: Iterable[pd.DataFrame]) -> _Table:
    """Join blocks of rows; columns of text apart."""
    import scipy.sparse as sp

    names: list[str] = []
    parts: list[Any] = []
    texts: dict[str, list[Any]] = {}
    numbers: list[str] = []
    for frame in frames:
        of_text = [c for c in frame.columns if frame[c].dtype.kind not in "iufb"]
        if not parts:
            texts = {str(c): [] for c in of_text}
            numbers = [str(c) for c in frame.columns if str(c) not in texts]
        for column in {*texts, *map(str, of_text)}:
            refuse_numbers_as_text(path, column, frame[column].tolist(), _line(path))
            if column not in texts:
                raise _no_number(path, column, frame[column].tolist())
            texts[column] += frame[column].tolist()
        names += [str(n) for n in frame.index]
        parts.append(
            sp.csr_matrix(_numbers(frame[[c for c in frame.columns if str(c) in set(numbers)]]))
        )
    if not parts:
        raise DataError("the table has no rows", where=path, expected="a row per gene or cell")
    return _with_names(_Table(names, numbers, sp.vstack(parts).tocsr(), texts))


def _with_names(table: _Table) -> _Table:
    """Where rows are only numbered, take a column of text as their names.

    It is the only one, or the first that has genes.
    """
    if not all(name.isdecimal() for name in table.names):
        return table
    unique = [c for c, v in table.texts.items() if len({str(n) for n in v}) == len(v)]
    if len(table.texts) > 1:
        unique = [c for c in unique if _are_genes([str(n) for n in table.texts[c]])]
    if unique:
        table.names = [str(n) for n in table.texts.pop(unique[0])]
        table.notes.append(f"rows are named by the column {unique[0]}")
    return table


def _no_number(path: Path, column: str, values: Sequence[object]) -> DataError:
    return DataError(
        "a column of a table has numbers and text",
        where=f"{path}: column {column}",
        found=str(next(v for v in values if isinstance(v, str)))[:40],
        expected="numbers, as in the rows before",
        hint="correct the value, or leave the column out",
    )


def _numbers(frame: pd.DataFrame) -> Any:
    values = frame.to_numpy()
    if values.dtype.kind != "f":
        return values
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _unclear(path: Path, rows: Sequence[str], columns: Sequence[str]) -> DataError:
    return DataError(
        "it is not clear whether the rows or the columns of the table are genes",
        where=path,
        found=f"rows {', '.join(rows[:3])}, ...; columns {', '.join(columns[:3])}, ...",
        expected="known names or Ensembl ids of genes on one of the two",
        hint=f"say it by writing an h5ad: {_line(path)}",
    )


def _line(path: Path) -> str:
    read = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    sep = (
        "" if path.suffix == ".parquet" else f", sep={look_at_text(path).separator!r}, index_col=0"
    )
    return (
        f'`anndata.AnnData(pandas.{read}("{path.name}"{sep})).write_h5ad("cells.h5ad")`, '
        "with .T after the table where genes are in rows"
    )
