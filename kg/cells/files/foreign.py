"""Files of cells that are not read: each is named, with the line that converts it."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.json_text import json_text

if TYPE_CHECKING:
    from pathlib import Path

#: What is read, for messages.
READABLE = (
    "h5ad, zarr (folder or zip), h5mu, Loom, 10x .h5, a 10x folder (matrix.mtx, barcodes, "
    "features), a folder of the OmniCellTOSG layout, or a table of counts (csv, tsv, parquet); .gz "
    "of these files too"
)

_SEURAT = (
    'in R: `library(Seurat); x <- readRDS("{name}"); zellkonverter::writeH5AD('
    'as.SingleCellExperiment(x), "cells.h5ad")`'
)


@dataclass(frozen=True)
class _Format:
    """A format that is not read.

    Attributes
    ----------
    suffixes : tuple of str
        How names of its files end, in lower case, without .gz.
    name : str
    convert : str
        The line that converts it; ``{name}`` is the file.
    """

    suffixes: tuple[str, ...]
    name: str
    convert: str


_FORMATS = (
    _Format((".rds",), "an R object", _SEURAT),
    _Format((".rdata", ".rda", ".robj"), "an R workspace", _SEURAT.replace("readRDS", "load")),
    _Format((".qs", ".qs2"), "an R object (qs)", _SEURAT.replace("readRDS", "qs::qread")),
    _Format(
        (".h5seurat",),
        "a SeuratDisk file",
        'in R: `SeuratDisk::Convert("{name}", dest = "h5ad")`',
    ),
    _Format(
        (".xlsx", ".xls", ".ods"),
        "a spreadsheet",
        '`pandas.read_excel("{name}", index_col=0).to_csv("cells.csv")`; spreadsheets turn names '
        "of genes into dates: look for them",
    ),
    _Format(
        (".pkl", ".pickle"),
        "a pickle, which can run any code when it is read",
        '`pandas.read_pickle("{name}").to_parquet("cells.parquet")`, if you trust it',
    ),
    _Format(
        (".npz", ".npy"),
        "an array without names of cells and genes",
        '`anndata.AnnData(scipy.sparse.load_npz("{name}"), obs, var).write_h5ad("cells.h5ad")`',
    ),
    _Format(
        (".fastq", ".fq", ".bam", ".sam", ".cram", ".sra"),
        "a file of reads",
        "count them first, as with Cell Ranger or STARsolo",
    ),
    _Format((".tar", ".tgz"), "an archive", "`tar xf {name}`"),
    _Format((".zip", ".7z", ".rar"), "an archive", "unpack it: `unzip {name}`"),
    _Format((".bz2", ".xz", ".zst"), "a compressed file", "decompress it, as with `xz -d {name}`"),
)


def foreign_error(path: Path) -> DataError:
    """Name the format of a file that is not read, by its name or its first bytes."""
    name = path.name.lower().removesuffix(".gz")
    found = next((f for f in _FORMATS if name.endswith(f.suffixes)), None)
    if found is None and tarfile.is_tarfile(path):
        found = _FORMATS[-3]
    if found is None and zipfile.is_zipfile(path):
        found = _FORMATS[-2]
    if found is None:
        return DataError(
            "the file is not in a known format of cells",
            where=path,
            found=f"it begins with {_beginning(path)}",
            expected=READABLE,
        )
    return DataError(
        f"the file is {found.name}, which is not read",
        where=path,
        expected=READABLE,
        hint=found.convert.format(name=path.name),
    )


def _beginning(path: Path) -> str:
    """The first characters of a text, or the first bytes as numbers."""
    with path.open("rb") as stream:
        first = stream.read(16)
    if first.isascii() and all(b >= 32 or b in b"\t\r\n" for b in first):
        return json_text(first.decode("ascii"))
    return f"the bytes {first.hex(' ')}"


def foreign_hdf5(path: Path, file: Any) -> DataError:
    """Name an HDF5 file that holds no cells, by its groups."""
    groups = set(file)
    known = (
        ({"assays", "cell.names"}, _FORMATS[3].name, _FORMATS[3].convert),
        (
            {"barcode_idx", "feature_idx"},
            "the molecules of Cell Ranger (molecule_info.h5)",
            "give filtered_feature_bc_matrix.h5, which lies beside it",
        ),
    )
    for needed, name, convert in known:
        if needed <= groups:
            return DataError(
                f"the file is {name}, which is not read",
                where=path,
                expected=READABLE,
                hint=convert.format(name=path.name),
            )
    if any("axis0" in file[g] for g in groups if hasattr(file[g], "keys")):
        return DataError(
            "the file is a table of pandas (HDFStore), which is not read",
            where=path,
            expected=READABLE,
            hint=f'`pandas.read_hdf("{path.name}").to_parquet("cells.parquet")`',
        )
    return DataError(
        "the HDF5 file does not hold cells",
        where=path,
        found=f"the groups {', '.join(sorted(groups)) or '(none)'}",
        expected="obs, var and X (AnnData), mod (MuData), matrix (10x), or row_attrs (Loom)",
    )


_KB = (
    "in the folder: `import anndata as ad; from pathlib import Path; "
    'a = ad.io.read_mtx("{matrix}"); '
    'a.obs_names = Path("cells_x_genes.barcodes.txt").read_text().split(); '
    'a.var_names = Path("cells_x_genes.genes.txt").read_text().split(); '
    'a.write_h5ad("cells.h5ad")`'
)
_PARSE = (
    'in the folder: `import anndata as ad, pandas as pd; a = ad.io.read_mtx("{matrix}"); '
    'a.obs = pd.read_csv("cell_metadata.csv", index_col=0); '
    'a.var = pd.read_csv("all_genes.csv", index_col=0); a.write_h5ad("cells.h5ad")`'
)
#: Files of a folder, the tool that wrote them, and the line that converts them.
_FOLDERS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("cells_x_genes.mtx", "cells_x_genes.barcodes.txt"), "kb-python", _KB),
    (("DGE.mtx", "all_genes.csv", "cell_metadata.csv"), "Parse Biosciences", _PARSE),
    (("count_matrix.mtx", "all_genes.csv", "cell_metadata.csv"), "Parse Biosciences", _PARSE),
)


def is_foreign_folder(path: Path) -> bool:
    """Whether a folder is of a tool whose matrices are not read."""
    return any(all((path / name).is_file() for name in names) for names, _, _ in _FOLDERS)


def foreign_folder(path: Path) -> DataError:
    """Name a folder that holds no cells, and what in it may be meant."""
    if (path / "__group").is_dir() or (path / "__tiledb_group.tdb").is_file():
        return DataError(
            "the folder is a TileDB-SOMA experiment, which is not read",
            where=path,
            expected=READABLE,
            hint="`tiledbsoma.io.to_anndata(experiment, measurement_name='RNA')"
            ".write_h5ad('cells.h5ad')`",
        )
    for parts, tool, line in _FOLDERS:
        if all((path / part).is_file() for part in parts):
            return DataError(
                f"the folder is of {tool}, which is not read",
                where=path,
                found=", ".join(parts),
                expected=READABLE,
                hint=line.format(matrix=parts[0]),
            )
    tables = sorted((path / "tables").iterdir()) if (path / "tables").is_dir() else []
    inside = [*tables, *sorted(path.iterdir())]
    names = [str(p.relative_to(path)) for p in inside if not p.name.startswith(".")]
    return DataError(
        "the folder does not hold cells",
        where=path,
        found=", ".join(names[:10]) + (", ..." if len(names) > 10 else "") or "an empty folder",
        expected="a zarr folder of AnnData, matrix.mtx with barcodes and features (10x), or the "
        "OmniCellTOSG layout (expression_matrix with cell_metadata_with_mappings.parquet)",
        hint=_inside(path, inside),
    )


def _inside(path: Path, inside: list[Path]) -> str | None:
    """Say which of a folder's files may be meant."""
    suffixes = (".h5ad", ".h5mu", ".loom", ".h5", ".zarr")
    folders = (".zgroup", "zarr.json", "matrix.mtx", "matrix.mtx.gz")
    readable = [
        str(p.relative_to(path))
        for p in inside
        if p.name.endswith(suffixes) or any((p / name).is_file() for name in folders)
    ]
    return f"give one of these: {', '.join(readable[:10])}" if readable else None
