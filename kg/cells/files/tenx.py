"""10x: HDF5 files and Matrix Market folders of Cell Ranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.kg.cells.files.source import CellSource, Matrix, check_indptr, reading

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def read_tenx_h5(path: Path, file: Any) -> CellSource:
    """Read an HDF5 file of Cell Ranger that is open; the source closes it."""
    import pandas as pd
    import scipy.sparse as sp

    group = file["matrix"]
    n_variables, n_cells = (int(n) for n in group["shape"][:])
    obs = pd.DataFrame(index=_texts(group["barcodes"]))
    features = group["features"]
    var = pd.DataFrame(
        {
            "gene_ids": _texts(features["id"]),
            "feature_types": _texts(features["feature_type"]),
            "genome": _texts(features["genome"]),
        },
        index=pd.Index(_texts(features["name"])),
    )
    # Features in rows, stored by columns: the same three arrays are cells in rows, by rows.
    arrays = (group["data"][:], group["indices"][:], group["indptr"][:])
    check_indptr(arrays[2], n_cells, len(arrays[1]), f"{path}: matrix")
    rows = sp.csr_matrix(arrays, shape=(n_cells, n_variables))
    if len(var) != n_variables:
        raise DataError(
            "the matrix does not fit its features",
            where=path,
            found=f"{n_variables:,} rows",
            expected=f"{len(var):,}, one per feature",
        )
    var = _unique_by_id(var)
    matrix = Matrix("matrix", rows.shape, var, rows.nnz, True, rows.__getitem__, str(path))
    return CellSource(path, [path], obs, var, [matrix], "10x-h5", _close=file.close)


def read_tenx_mtx(path: Path) -> CellSource:
    """Read a folder with matrix.mtx, barcodes and features."""
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp

    def one(*names: str) -> Path:
        for name in names:
            for suffix in ("", ".gz"):
                if (path / f"{name}{suffix}").is_file():
                    return path / f"{name}{suffix}"
        raise DataError(
            "a file of the 10x folder is missing", where=path, expected=" or ".join(names)
        )

    files = [one("matrix.mtx"), one("features.tsv", "genes.tsv"), one("barcodes.tsv")]
    with reading(path):
        table = {"sep": "\t", "header": None, "dtype": str, "quoting": 3, "na_filter": False}
        features: pd.DataFrame = pd.read_csv(files[1], **table)  # type: ignore[call-overload]
        barcodes: pd.DataFrame = pd.read_csv(files[2], **table)  # type: ignore[call-overload]
        rows = sp.csr_matrix(scipy.io.mmread(files[0]).T)
    if features.shape[1] < 2:
        raise DataError(
            "the features of a 10x folder have no names",
            where=files[1],
            found="one column",
            expected="two or more, separated by tabs: identifier, name, type",
        )
    var = pd.DataFrame(
        {
            "gene_ids": features[0].to_numpy(),
            "feature_types": features[2].to_numpy() if 2 in features else "Gene Expression",
        },
        index=pd.Index(features[1].to_numpy()),
    )
    if rows.shape != (len(barcodes), len(var)):
        raise DataError(
            "the matrix does not fit its barcodes and features",
            where=path,
            found=f"{rows.shape[0]} x {rows.shape[1]}",
            expected=f"{len(barcodes)} barcodes x {len(var)} features",
        )
    var = _unique_by_id(var)
    matrix = Matrix("matrix", rows.shape, var, rows.nnz, True, rows.__getitem__, str(path))
    obs = pd.DataFrame(index=pd.Index(barcodes[0].to_numpy()))
    return CellSource(path, files, obs, var, [matrix], "10x-mtx")


def _unique_by_id(var: pd.DataFrame) -> pd.DataFrame:
    # 10x files name a feature by id and by symbol, and only the id is unique.
    if var.index.is_unique:
        return var
    var = var.assign(gene_symbols=var.index.to_numpy())
    return var.set_index("gene_ids", drop=False)


def _texts(dataset: Any) -> list[str]:
    return [v.decode() if isinstance(v, bytes) else str(v) for v in dataset[:]]
