"""10x: HDF5 files of Cell Ranger 2 and later and of CellBender, and Matrix Market folders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.matrices import sparse_matrix
from tosg.kg.cells.files.source import CellSource, Matrix, reading, with_unique_names
from tosg.kg.cells.files.texts import FALLBACK, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

_ARRAYS = ("data", "indices", "indptr", "shape", "barcodes")
#: Files of a folder, without .gz; those of one sample may share a prefix, as GEO has them.
_MATRIX = ("matrix.mtx",)
_FEATURES = ("features.tsv", "genes.tsv")
_BARCODES = ("barcodes.tsv",)
_NAME = re.compile(r"^(?P<prefix>.*?)(?P<name>matrix\.mtx)(?:\.gz)?$")


def tenx_groups(file: Any) -> list[str]:
    """Groups of an HDF5 file that hold a matrix of 10x: one, or one per genome (Cell Ranger 2)."""
    return [
        name
        for name, group in file.items()
        if hasattr(group, "keys") and all(part in group for part in _ARRAYS)
    ]


def read_tenx_h5(path: Path, file: Any, groups: Sequence[str]) -> CellSource:
    """Read an HDF5 file of 10x that is open; the source closes it.

    Raises
    ------
    DataError
        The file has several genomes, or the matrix does not fit its features.
    """
    import pandas as pd

    if len(groups) > 1:
        raise DataError(
            "the file has a matrix for each of several genomes",
            where=path,
            found=", ".join(sorted(groups)),
            expected="one genome",
            hint=f'`scanpy.read_10x_h5("{path.name}", genome="{min(groups)}")` and '
            '`.write_h5ad("one.h5ad")`',
        )
    group, notes = file[groups[0]], list[str]()
    obs = pd.DataFrame(index=pd.Index(texts_of(group["barcodes"], notes)))
    n_variables, n_cells = (int(n) for n in group["shape"][:])
    var = _features(group, groups[0], notes)
    if len(var) != n_variables:
        raise DataError(
            "the matrix does not fit its features",
            where=path,
            found=f"{n_variables:,} rows",
            expected=f"{len(var):,}, one per feature",
        )
    var = with_unique_names(var, [])
    # Features in rows, stored by columns: the same three arrays are cells in rows, by rows.
    shape = (n_cells, n_variables)
    matrix = sparse_matrix("matrix", group, shape, var, path, by_row=True)
    return CellSource(path, [path], obs, var, [matrix], "10x-h5", notes=notes, _close=file.close)


def _features(group: Any, name: str, notes: list[str]) -> pd.DataFrame:
    """Read the table of features; only an id and a name are always there."""
    import pandas as pd

    if "features" not in group:  # Cell Ranger 2: the group is called like the genome
        columns = {"gene_ids": texts_of(group["genes"], notes)}
        if name not in ("matrix", "background_removed"):
            columns["genome"] = [name] * len(columns["gene_ids"])
        return pd.DataFrame(columns, index=pd.Index(texts_of(group["gene_names"], notes)))
    features = group["features"]
    columns = {"gene_ids": texts_of(features["id"], notes)}
    for column, part in (("feature_types", "feature_type"), ("genome", "genome")):
        if part in features:
            columns[column] = texts_of(features[part], notes)
    return pd.DataFrame(columns, index=pd.Index(texts_of(features["name"], notes)))


def matrix_files(folder: Path) -> list[Path]:
    """Files of a folder that are a matrix of 10x, with or without a prefix."""
    return sorted(f for f in folder.iterdir() if f.is_file() and _NAME.match(f.name))


def read_tenx_mtx(path: Path, matrix_file: Path) -> CellSource:
    """Read a matrix, its barcodes and its features: files of one folder with one prefix.

    Parameters
    ----------
    path : Path
        What the user named: the folder or the matrix.
    matrix_file : Path

    Raises
    ------
    DataError
        A file is missing or does not fit the others.
    """
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp

    found = _NAME.match(matrix_file.name)
    prefix = found["prefix"] if found else ""
    files = [matrix_file]
    files += [_one(matrix_file.parent, prefix, names) for names in (_FEATURES, _BARCODES)]
    notes = [f"files begin with {prefix}"] if prefix else []
    with reading(path):
        features, barcodes = _table(files[1], notes), _table(files[2], notes)
        entries = scipy.io.mmread(files[0])
    var = with_unique_names(_variables(features), [])
    obs = pd.DataFrame(index=pd.Index(barcodes[0].to_numpy()))
    if len(obs) == len(var):
        notes.append("as many barcodes as features: rows are taken for features, as 10x has them")
    rows = sp.csr_matrix(_cells_in_rows(entries, len(obs), len(var), path))
    matrix = Matrix("matrix", rows.shape, var, rows.nnz, True, rows.__getitem__, str(path))
    return CellSource(path, files, obs, var, [matrix], "10x-mtx", notes=notes)


def _variables(features: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if features.shape[1] == 1:
        return pd.DataFrame(index=pd.Index(features[0].to_numpy()))
    columns = {"gene_ids": features[0].to_numpy()}
    if 2 in features:
        columns["feature_types"] = features[2].to_numpy()
    return pd.DataFrame(columns, index=pd.Index(features[1].to_numpy()))


def _cells_in_rows(entries: Any, n_cells: int, n_variables: int, path: Path) -> Any:
    """Turn the matrix so that cells are rows; only shapes that leave no choice are turned."""
    if entries.shape == (n_variables, n_cells):
        return entries.T
    if entries.shape == (n_cells, n_variables):
        return entries
    header = any(
        found in (entries.shape, entries.shape[::-1])
        for found in ((n_variables - 1, n_cells), (n_variables, n_cells - 1))
    )
    raise DataError(
        "the matrix does not fit its barcodes and features",
        where=path,
        found=f"{entries.shape[1]} x {entries.shape[0]}",
        expected=f"{n_cells} barcodes x {n_variables} features",
        hint="the first line of barcodes or features may be a header: remove it"
        if header
        else None,
    )


def _one(folder: Path, prefix: str, names: Sequence[str]) -> Path:
    for name in names:
        for suffix in ("", ".gz"):
            if (folder / f"{prefix}{name}{suffix}").is_file():
                return folder / f"{prefix}{name}{suffix}"
    raise DataError(
        "a file of the 10x folder is missing",
        where=folder,
        found=", ".join(sorted(f.name for f in folder.iterdir())[:10]),
        expected=" or ".join(f"{prefix}{name}" for name in names),
        hint=f"give barcodes and features the prefix of the matrix, {prefix}" if prefix else None,
    )


def _table(file: Path, notes: list[str]) -> pd.DataFrame:
    import pandas as pd

    options: dict[str, Any] = {"sep": "\t", "header": None, "dtype": str}
    options |= {"quoting": 3, "na_filter": False}
    try:
        table: pd.DataFrame = pd.read_csv(file, **options)
    except UnicodeDecodeError:
        notes.append(f"text of {file.name} is not UTF-8 and was read as Windows-1252")
        table = pd.read_csv(file, encoding=FALLBACK, encoding_errors="replace", **options)
    return table
