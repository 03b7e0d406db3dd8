"""Tables of counts: CSV, TSV and Parquet, with genes in rows or in columns.

The names decide which axis has the genes, and only where exactly one of the two can have them.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError
from tosg.kg.cells.files.source import CellSource, Matrix, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

#: How the names of tables end.
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz", ".txt.gz", ".tab.gz")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

#: Rows of text that are read at once: a table may be larger than memory, its counts are sparse.
_CHUNK_ROWS = 500

#: What HTSeq counts beside genes.
_SUMMARY = re.compile(
    r"(?:__)?(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
)

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
        Not a table of numbers, or it is not clear which axis has the genes.
    """
    with reading(path):
        names, columns, rows = _parquet(path) if path.suffix == ".parquet" else _text(path)
    in_rows, in_columns = _are_genes(names), _are_genes(columns)
    if in_rows == in_columns:
        raise _unclear(path, names, columns)
    genes, cells = (names, columns) if in_rows else (columns, names)
    values = (rows.T if in_rows else rows).tocsr()
    notes = [f"genes are in the {'rows' if in_rows else 'columns'}, as their names say"]
    kept = np.array([not _SUMMARY.fullmatch(g) for g in genes], bool)
    if not kept.all():
        left = ", ".join(g for g, keep in zip(genes, kept, strict=True) if not keep)
        notes.append(f"sums that HTSeq counts beside genes are left out: {left}")
        values, genes = values[:, kept], [g for g, k in zip(genes, kept, strict=True) if k]
    return _source(path, cells, genes, values, notes)


def _source(
    path: Path, cells: Sequence[str], genes: Sequence[str], values: Any, notes: list[str]
) -> CellSource:
    import pandas as pd

    var, obs = pd.DataFrame(index=pd.Index(genes)), pd.DataFrame(index=pd.Index(cells))
    matrix = Matrix("table", values.shape, var, values.nnz, True, values.__getitem__, str(path))
    return CellSource(path, [path], obs, var, [matrix], "table", notes=notes)


def _are_genes(names: Sequence[str]) -> bool:
    common = sum(n.upper() in _COMMON for n in names)
    shaped = sum(bool(_PATTERN.match(n)) for n in names)
    return common >= _MIN_COMMON or shaped >= _MIN_SHARE * max(1, len(names))


def _text(path: Path) -> tuple[list[str], list[str], Any]:
    import pandas as pd
    import scipy.sparse as sp

    with pd.read_csv(path, sep=_separator(path), index_col=0, chunksize=_CHUNK_ROWS) as chunks:
        parts = list(_sparse(path, chunks))
    if not parts:
        raise DataError("the table has no rows", where=path, expected="a row per gene or cell")
    names = [name for found, _, _ in parts for name in found]
    return names, parts[0][1], sp.vstack([values for _, _, values in parts]).tocsr()


def _separator(path: Path) -> str:
    """The one of tab, comma, semicolon and space that divides the first line most."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        first = stream.readline()
    return max("\t,; ", key=first.count)


def _parquet(path: Path) -> tuple[list[str], list[str], Any]:
    import pyarrow.parquet as pq
    import scipy.sparse as sp

    frame = pq.read_table(path).to_pandas()
    texts = [c for c in frame.columns if frame[c].dtype.kind not in "iufb"]
    if len(texts) == 1:  # the names were an index that was not kept as one
        frame = frame.set_index(texts[0])
    ((names, columns, values),) = _sparse(path, [frame])
    return names, columns, sp.csr_matrix(values)


def _sparse(path: Path, chunks: Any) -> Iterator[tuple[list[str], list[str], Any]]:
    """Names of rows, names of columns and values of each part of a table."""
    import scipy.sparse as sp

    for chunk in chunks:
        wrong = [str(c) for c in chunk.columns if chunk[c].dtype.kind not in "iufb"]
        if wrong:
            raise DataError(
                "a table of counts has columns that are not numbers",
                where=path,
                found=", ".join(wrong[:5]) + (", ..." if len(wrong) > 5 else ""),
                expected="names in the first column, numbers in all others",
                hint=f"put them into obs: {_line(path)}",
            )
        values = _numbers(chunk)
        yield [str(n) for n in chunk.index], [str(c) for c in chunk.columns], sp.csr_matrix(values)


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
    sep = "" if path.suffix == ".parquet" else f", sep={_separator(path)!r}, index_col=0"
    return (
        f'`anndata.AnnData(pandas.{read}("{path.name}"{sep})).write_h5ad("cells.h5ad")`, '
        "with .T after the table where genes are in rows"
    )
