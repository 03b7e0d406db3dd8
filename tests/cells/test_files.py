"""Point 9 of the reliability table: files that people have are read, or named with a way in.

Every readable file here holds the same counts; each test compares all of them.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from anndata.io import write_elem

from tosg.errors import DataError
from tosg.kg.cells.files.opening import keep_open, lend_source, open_source
from tosg.kg.cells.values.units import choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tosg.kg.cells.files.source import CellSource

SYMBOLS = ["CD3D", "CD3E", "MS4A1", "LYZ", "GNLY"]
IDS = [f"ENSG{167286 + j:011d}" for j in range(5)]
CELLS = [f"AAAC{i:02d}-1" for i in range(8)]
#: Cell i has i + 10 j counts of gene j, or none.
COUNTS = np.array([[(i + 10 * j) * ((i + j) % 3 > 0) for j in range(5)] for i in range(8)])


def values_of(path: Path, **options: Any) -> Any:
    with open_source(path) as source:
        values, _ = choose(source, **options)
        assert values.unit == "counts"
        n, m = values.matrix.shape
        return values.block(np.arange(n)).to_scipy(m).toarray()


def read(path: Path) -> CellSource:
    with open_source(path) as source:
        assert np.array_equal(values_of(path), COUNTS)
        return source


def tenx(path: Path, *, version: int = 3, leave_out: tuple[str, ...] = ()) -> Path:
    m = sp.csc_matrix(COUNTS.T.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        group["barcodes"] = np.array(CELLS, "S")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(m, name)
        group["shape"] = np.array(m.shape)
        if version == 2:
            group["genes"], group["gene_names"] = np.array(IDS, "S"), np.array(SYMBOLS, "S")
            return path
        parts = {"id": IDS, "name": SYMBOLS, "genome": ["GRCh38"] * 5}
        parts["feature_type"] = ["Gene Expression"] * 5
        for name, texts in parts.items():
            if name not in leave_out:
                group[f"features/{name}"] = np.array(texts, "S")
    return path


def test_cell_ranger_2_and_cellbender(tmp_path: Path) -> None:
    source = read(tenx(tmp_path / "v2.h5", version=2))
    assert list(source.var.index) == SYMBOLS
    assert source.var["gene_ids"].tolist() == IDS
    assert source.var["genome"].unique().tolist() == ["GRCh38"]
    path = tenx(tmp_path / "bender.h5", leave_out=("genome", "feature_type"))
    with h5py.File(path, "r+") as file:  # what CellBender adds beside the matrix
        file["droplet_latents/cell_probability"] = np.ones(8, np.float32)
        file["metadata/learning_curve"] = np.ones(3)
    assert list(read(path).obs.index) == CELLS


def test_a_file_of_two_genomes_is_refused_with_a_line(tmp_path: Path) -> None:
    path = tenx(tmp_path / "two.h5", version=2)
    with h5py.File(path, "r+") as file:
        file.copy("GRCh38", "mm10")
    with pytest.raises(DataError, match="several genomes") as caught:
        open_source(path)
    assert 'genome="GRCh38"' in str(caught.value.hint)


def mtx_folder(
    folder: Path,
    prefix: str = "",
    *,
    features: str = "features",
    columns: int = 3,
    packed: bool = False,
    turned: bool = False,
    names: list[str] | None = None,
) -> Path:
    folder.mkdir(exist_ok=True)

    def put(name: str, write: Callable[[Any], object]) -> None:
        path = folder / f"{prefix}{name}{'.gz' if packed else ''}"
        with gzip.open(path, "wb") if packed else path.open("wb") as stream:
            write(stream)

    rows = zip(IDS, names or SYMBOLS, ["Gene Expression"] * 5, strict=True)
    table = "".join("\t".join(row[:columns]) + "\n" for row in rows)
    matrix = sp.coo_matrix(COUNTS if turned else COUNTS.T)
    put("matrix.mtx", lambda stream: scipy.io.mmwrite(stream, matrix))
    put(f"{features}.tsv", lambda stream: stream.write(table.encode("cp1252")))
    put("barcodes.tsv", lambda stream: stream.write("\n".join(CELLS).encode() + b"\n"))
    return folder


def test_folders_of_10x_as_geo_has_them(tmp_path: Path) -> None:
    for name, options in {
        "plain": {},
        "prefix": {"prefix": "GSM6567159_PDAC2_", "packed": True},
        "dotted": {"prefix": "GSM1.sample."},
        "old": {"features": "genes", "columns": 2, "packed": True},
        "ids": {"columns": 1},
        "turned": {"turned": True},
    }.items():
        source = read(mtx_folder(tmp_path / name, **options))  # type: ignore[arg-type]
        assert source.var.index[0] == ("ENSG00000167286" if name == "ids" else "CD3D")
        assert len(source.files) == 3
    assert source.notes == []
    assert "files begin with GSM1.sample." in read(tmp_path / "dotted").notes


def test_one_of_several_samples_of_a_folder(tmp_path: Path) -> None:
    mtx_folder(tmp_path / "two", "GSM1_")
    folder = mtx_folder(tmp_path / "two", "GSM2_", packed=True)
    with pytest.raises(DataError, match="matrices of several samples") as caught:
        open_source(folder)
    assert str(folder / "GSM1_matrix.mtx") in str(caught.value.hint)
    assert read(folder / "GSM2_matrix.mtx.gz").files[1] == folder / "GSM2_features.tsv.gz"
    (folder / "GSM1_barcodes.tsv").unlink()
    with pytest.raises(DataError, match="a file of the 10x folder is missing") as caught:
        open_source(folder / "GSM1_matrix.mtx")
    assert caught.value.expected == "GSM1_barcodes.tsv"


def test_a_square_matrix_says_what_its_rows_are_taken_for(tmp_path: Path) -> None:
    folder = tmp_path / "square"
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(COUNTS[:5].T))
    (folder / "features.tsv").write_text(
        "".join(f"{i}\t{s}\n" for i, s in zip(IDS, SYMBOLS, strict=True))
    )
    (folder / "barcodes.tsv").write_text("".join(f"{c}\n" for c in CELLS[:5]))
    with open_source(folder) as source:
        assert any("rows are taken for features" in note for note in source.notes)
    assert np.array_equal(values_of(folder), COUNTS[:5])


def test_a_header_in_barcodes_is_named(tmp_path: Path) -> None:
    folder = mtx_folder(tmp_path / "header")
    (folder / "barcodes.tsv").write_text("x\n" + "\n".join(CELLS))
    with pytest.raises(DataError, match="does not fit its barcodes") as caught:
        open_source(folder)
    assert "may be a header" in str(caught.value.hint)


def test_text_that_is_not_utf8_is_read_and_said(tmp_path: Path) -> None:
    names = ["CD3D", "CD3E", "MS4A1", "LYZ", "TCR-é"]
    source = read(mtx_folder(tmp_path / "latin", names=names))
    assert source.var.index[4] == "TCR-é"
    assert source.notes == ["text of features.tsv is not UTF-8 and was read as Windows-1252"]


def loom(path: Path, genes: str = "Gene") -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = COUNTS.T.astype(np.float32)
        file[f"row_attrs/{genes}"] = np.array(SYMBOLS, "S")
        file["row_attrs/Accession"] = np.array(IDS, "S")
        file["row_attrs/Matrix2d"] = np.ones((5, 2))
        file["col_attrs/CellID"] = np.array(CELLS, "S")
        file["col_attrs/Clusters"] = np.arange(8)
        file["layers/spliced"] = (COUNTS.T // 2).astype(np.float32)
        file["layers/unspliced"] = (COUNTS.T - COUNTS.T // 2).astype(np.float32)
    return path


def test_loom(tmp_path: Path) -> None:
    source = read(loom(tmp_path / "a.loom"))
    assert list(source.obs.index) == CELLS
    assert source.obs["Clusters"].tolist() == list(range(8))
    assert list(source.var.columns) == ["Accession"]
    assert [m.name for m in source.matrices] == ["X", "layers/spliced", "layers/unspliced"]
    summed = values_of(tmp_path / "a.loom", matrix="spliced+unspliced")
    assert np.array_equal(summed, COUNTS)
    with h5py.File(tmp_path / "a.loom", "r+") as file:
        del file["row_attrs/Gene"], file["row_attrs/Accession"]
    with pytest.raises(DataError, match="names its genes"):
        open_source(tmp_path / "a.loom")


def annotated(x: Any = None, var: pd.DataFrame | None = None) -> anndata.AnnData:
    var = pd.DataFrame(index=SYMBOLS) if var is None else var
    obs = pd.DataFrame({"donor_id": "D1"}, index=CELLS)
    return anndata.AnnData(sp.csr_matrix(COUNTS if x is None else x), obs, var)


def h5mu(path: Path, proteins: anndata.AnnData) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        shared = pd.DataFrame({"cell_type": "T cell", "rna:donor_id": "D1"}, index=CELLS)
        write_elem(file, "obs", shared)
        write_elem(file, "mod/rna", annotated())
        write_elem(file, "mod/prot", proteins)
        write_elem(file, "mod/atac", annotated())
    with path.open("r+b") as stream:
        stream.write(b"MuData (format-version=0.1.0;creator=muon;)")
    return path


def test_mudata_has_antibodies_beside_genes(tmp_path: Path) -> None:
    order = np.array([3, 1, 0, 2, 7, 6, 5, 4])
    antibodies = pd.DataFrame(index=["CD3D", "CD19_TotalSeqB", "IgG1", "CD4", "CD8a"])
    proteins = annotated(COUNTS * 7, antibodies)[order].copy()
    path = h5mu(tmp_path / "a.h5mu", proteins)
    assert np.array_equal(values_of(path), np.hstack([COUNTS, COUNTS * 7]))
    with open_source(path) as source:
        block = source.matrix("X").block(np.array([1, 5]))
        assert np.array_equal(block.to_scipy(10).toarray()[:, 5:], COUNTS[[1, 5]] * 7)
    assert source.obs["cell_type"].tolist() == ["T cell"] * 8
    assert list(source.obs.columns) == ["donor_id", "cell_type"]
    var = source.matrices[0].var
    assert var["feature_types"].tolist() == ["Gene Expression"] * 5 + ["Antibody Capture"] * 5
    assert list(var.index[5:7]) == ["CD3D-protein", "CD19_TotalSeqB"]
    assert "modality atac is left out" in source.notes[1]
    # What is no count stays out, with a word.
    path = h5mu(tmp_path / "b.h5mu", annotated(COUNTS * 0.3, antibodies))
    with open_source(path) as source:
        assert source.matrices[0].shape == (8, 5)
    assert 'mudata.read("b.h5mu")["prot"].write_h5ad("prot.h5ad")' in source.notes[0]


@pytest.mark.filterwarnings("ignore:Writing zarr v2:UserWarning")
def test_packed_files(tmp_path: Path) -> None:
    annotated().write_h5ad(tmp_path / "a.h5ad")
    packed = tmp_path / "a.h5ad.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.h5ad").read_bytes()))
    with open_source(packed) as source:
        (unpacked,) = {m._where for m in source.matrices}
    assert (source.path, source.files, unpacked) == (packed, [packed], str(packed))
    read(packed)
    packed.write_bytes(packed.read_bytes()[:-60])
    with pytest.raises(DataError, match="the file of cells is truncated"):
        open_source(packed)

    annotated().write_zarr(tmp_path / "a.zarr")
    shutil.make_archive(str(tmp_path / "top"), "zip", tmp_path / "a.zarr")
    shutil.make_archive(str(tmp_path / "inside"), "zip", tmp_path, "a.zarr")
    read(tmp_path / "top.zip")
    read(tmp_path / "inside.zip")


def table() -> pd.DataFrame:
    return pd.DataFrame(COUNTS, index=CELLS, columns=SYMBOLS)


TABLES: list[tuple[str, Callable[[Path], object]]] = [
    ("cells.csv", lambda p: table().to_csv(p)),
    ("cells.csv.gz", lambda p: table().to_csv(p)),
    ("genes.tsv", lambda p: table().T.to_csv(p, sep="\t")),
    ("tabs.csv", lambda p: table().T.to_csv(p, sep="\t")),
    ("german.csv", lambda p: table().to_csv(p, sep=";")),
    ("r.txt", lambda p: p.write_text(table().T.to_csv(sep=" ").removeprefix('""').lstrip())),
    ("ids.csv", lambda p: table().set_axis(IDS, axis=1).T.to_csv(p)),
    ("index.parquet", lambda p: table().to_parquet(p)),
    ("column.parquet", lambda p: table().T.reset_index().to_parquet(p)),
]


@pytest.mark.parametrize(("name", "write"), TABLES, ids=[t[0] for t in TABLES])
def test_tables(tmp_path: Path, name: str, write: Callable[[Path], object]) -> None:
    write(tmp_path / name)
    source = read(tmp_path / name)
    assert list(source.obs.index) == CELLS
    assert list(source.var.index) == (IDS if name == "ids.csv" else SYMBOLS)
    assert "as their names say" in source.notes[0]


def test_sums_of_htseq_are_no_genes(tmp_path: Path) -> None:
    sums = pd.DataFrame(99, index=["no_feature", "__ambiguous", "N_unmapped"], columns=CELLS)
    pd.concat([table().T, sums]).to_csv(tmp_path / "a.csv")
    assert "no_feature, __ambiguous, N_unmapped" in read(tmp_path / "a.csv").notes[1]


def test_totals_in_a_table_are_no_genes_and_no_cells(tmp_path: Path) -> None:
    genes = table().T
    genes.assign(Sum=genes.sum(axis=1)).to_csv(tmp_path / "a.csv")
    assert "totals over cells are left out: Sum" in read(tmp_path / "a.csv").notes
    genes.assign(everything=genes.sum(axis=1)).to_csv(tmp_path / "b.csv")
    assert "totals over cells are left out: everything" in read(tmp_path / "b.csv").notes
    genes.loc["allgenes"] = genes.sum()
    genes.to_csv(tmp_path / "c.csv")
    assert "totals over genes are left out: allgenes" in read(tmp_path / "c.csv").notes


def test_what_describes_genes_or_cells_is_no_count(tmp_path: Path) -> None:
    genes = table().T
    genes.insert(0, "Length", 1000)
    genes.insert(0, "Chr", range(5))
    genes.insert(0, "gene_id", IDS)
    genes.to_csv(tmp_path / "featurecounts.tsv", sep="\t")
    found = read(tmp_path / "featurecounts.tsv")
    assert "columns that describe genes are in var: gene_id, Chr, Length" in found.notes
    assert found.var["gene_id"].tolist() == IDS
    cells = table().assign(cell_type="T cell", nCount_RNA=7, batch=range(len(CELLS)))
    cells["percent.mt"] = 0.25
    cells.to_csv(tmp_path / "seurat.csv")
    found = read(tmp_path / "seurat.csv")
    assert found.obs["cell_type"].tolist() == ["T cell"] * len(CELLS)
    assert found.obs["percent.mt"].tolist() == [0.25] * len(CELLS)
    assert found.obs["batch"].tolist() == list(range(len(CELLS)))
    # PC is a gene, PC_1 is none; and a table whose rows were numbered on the way
    cells = table().rename(columns={"CD4": "PC"}).assign(PC_1=0.5).reset_index()
    cells.to_csv(tmp_path / "numbered.csv")
    source = open_source(tmp_path / "numbered.csv")
    with source:
        assert list(source.obs.index) == CELLS
        assert list(source.obs.columns) == ["PC_1"]
        assert len(source.var) == 5
        assert "rows are named by the column index" in source.notes


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8-sig", None), ("utf-16", None), ("cp1252", "Windows-1252"), ("utf-8", None)],
)
def test_encodings_of_tables(tmp_path: Path, encoding: str, note: str | None) -> None:
    names = [f"Zelle {c} \u00e9" for c in CELLS]
    table().set_axis(names).to_csv(tmp_path / "a.csv", encoding=encoding)
    with open_source(tmp_path / "a.csv") as source:
        assert list(source.obs.index) == names
        assert (note is None) or any(note in n for n in source.notes)


def test_comments_before_a_table(tmp_path: Path) -> None:
    comments = "#####\n## BD Targeted Multiplex Rhapsody Analysis Pipeline\n#####\n"
    (tmp_path / "a_RSEC_MolsPerCell.csv").write_text(comments + table().to_csv())
    assert "3 lines of comments before the header are left out" in (
        read(tmp_path / "a_RSEC_MolsPerCell.csv").notes
    )


def test_tables_that_are_not_clear(tmp_path: Path) -> None:
    unknown = table().set_axis([f"x{j}" for j in range(5)], axis=1)
    unknown.to_csv(tmp_path / "a.csv")
    with pytest.raises(DataError, match="whether the rows or the columns") as caught:
        open_source(tmp_path / "a.csv")
    assert "pandas.read_csv(\"a.csv\", sep=',', index_col=0)" in str(caught.value.hint)
    (table() + 0.5).to_csv(tmp_path / "c.csv", sep=";", decimal=",")
    with pytest.raises(DataError, match="decimal commas") as caught:
        open_source(tmp_path / "c.csv")
    assert "sep=';', index_col=0, decimal=\",\")" in str(caught.value.hint)
    for row in (0, -1):
        mixed = table().astype(object)
        mixed.iloc[row, 1] = "1O"
        mixed.to_csv(tmp_path / "d.csv")
        with pytest.raises(DataError, match="has numbers and text") as caught:
            open_source(tmp_path / "d.csv")
        assert "1O" in str(caught.value.found)


def test_text_after_many_rows_of_numbers_is_found(tmp_path: Path) -> None:
    rows = [f"c{i}," + ",".join(["1"] * 5) for i in range(1200)] + ["c1200,1,2,x,4,5"]
    (tmp_path / "a.csv").write_text("\n".join([",".join(["", *SYMBOLS]), *rows]))
    with pytest.raises(DataError, match="has numbers and text") as caught:
        open_source(tmp_path / "a.csv")
    assert SYMBOLS[2] in str(caught.value.where)


def ruined(path: Path, write: Callable[[Path], object]) -> Path:
    write(path)
    return path


FOREIGN: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("a.rds", lambda p: p.write_bytes(gzip.compress(b"X\n")), "an R object", "readRDS"),
    ("a.RData", lambda p: p.write_bytes(b"RDX3\n"), "an R workspace", "writeH5AD"),
    ("a.xlsx", lambda p: p.write_bytes(b"PK\x03\x04"), "a spreadsheet", "read_excel"),
    ("a.pkl", lambda p: p.write_bytes(b"\x80\x04"), "a pickle", "if you trust it"),
    ("a.bam", lambda p: p.write_bytes(b"BAM\1"), "a file of reads", "Cell Ranger"),
    ("a.h5ad.xz", lambda p: p.write_bytes(b"\xfd7zXZ"), "a compressed file", "xz -d a.h5ad.xz"),
    ("a.zip", lambda p: zipfile.ZipFile(p, "w").close(), "an archive", "unzip a.zip"),
]


@pytest.mark.parametrize(("name", "write", "what", "line"), FOREIGN, ids=[f[0] for f in FOREIGN])
def test_foreign_files(
    tmp_path: Path, name: str, write: Callable[[Path], object], what: str, line: str
) -> None:
    with pytest.raises(DataError, match=f"the file is {what}.*which is not read") as caught:
        open_source(ruined(tmp_path / name, write))
    assert line in str(caught.value.hint)
    assert "truncated" not in str(caught.value)


def groups(*names: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for name in names:
                file.create_group(name)

    return write


def test_foreign_hdf5_and_folders(tmp_path: Path) -> None:
    for names, what, line in (
        (("assays", "cell.names"), "SeuratDisk", "SeuratDisk::Convert"),
        (("barcode_idx", "feature_idx"), "molecules", "filtered_feature_bc_matrix.h5"),
        (("df/axis0",), "table of pandas", "read_hdf"),
    ):
        with pytest.raises(DataError, match=what) as caught:
            open_source(ruined(tmp_path / "a.h5", groups(*names)))
        assert line in str(caught.value.hint)
    (tmp_path / "soma" / "__group").mkdir(parents=True)
    with pytest.raises(DataError, match="TileDB-SOMA"):
        open_source(tmp_path / "soma")
    tenx(tmp_path / "soma" / "filtered_feature_bc_matrix.h5")
    (tmp_path / "soma" / "__group").rmdir()
    with pytest.raises(DataError, match="does not hold cells") as caught:
        open_source(tmp_path / "soma")
    assert caught.value.hint == "give one of these: filtered_feature_bc_matrix.h5"


KB = {"cells_x_genes.barcodes.txt": CELLS, "cells_x_genes.genes.txt": IDS}
PARSE = {
    "all_genes.csv": ["gene_id,gene_name", *(",".join(p) for p in zip(IDS, SYMBOLS, strict=True))],
    "cell_metadata.csv": ["bc_wells,sample", *(f"{c},s" for c in CELLS)],
}


@pytest.mark.parametrize(
    ("matrix", "tool", "files"),
    [
        ("cells_x_genes.mtx", "kb-python", KB),
        ("DGE.mtx", "Parse", PARSE),
        ("count_matrix.mtx", "Parse", PARSE),
    ],
)
def test_folders_of_other_tools_have_a_line_that_converts_them(
    tmp_path: Path, matrix: str, tool: str, files: dict[str, list[str]]
) -> None:
    scipy.io.mmwrite(tmp_path / matrix, sp.coo_matrix(COUNTS))
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=tool) as caught:
        open_source(tmp_path)
    line = str(caught.value.hint).split("`")[1]
    subprocess.run([sys.executable, "-W", "ignore", "-c", line], cwd=tmp_path, check=True)
    assert list(read(tmp_path / "cells.h5ad").var.index) == IDS


def test_truncated_is_said_of_truncated_files_only(tmp_path: Path) -> None:
    annotated().write_h5ad(tmp_path / "a.h5ad")
    whole = (tmp_path / "a.h5ad").read_bytes()
    (tmp_path / "cut.h5ad").write_bytes(whole[:-3000])
    with pytest.raises(DataError, match="truncated") as caught:
        open_source(tmp_path / "cut.h5ad")
    assert "compare its size" in str(caught.value.hint)
    (tmp_path / "junk.h5ad").write_bytes(whole[:8] + b"\xff" * 3000)
    (tmp_path / "words.h5ad").write_text("<html>404 not found</html>")
    for name in ("junk.h5ad", "words.h5ad"):
        with pytest.raises(DataError) as caught:
            open_source(tmp_path / name)
        assert not says_truncated(caught.value)
    with h5py.File(tmp_path / "a.h5ad", "r+") as file:
        file["obs"].attrs["encoding-version"] = "9.9"
    with pytest.raises(DataError, match="cannot be read") as caught:
        open_source(tmp_path / "a.h5ad")
    assert not says_truncated(caught.value)


def says_truncated(error: DataError) -> bool:
    return "truncated" in f"{error.what} {error.found} {error.hint}"


def retyped(path: Path, dtype: str, part: str = "X/data", x: Any = None) -> Path:
    anndata.AnnData(
        sp.csr_matrix(COUNTS) if x is None else x,
        pd.DataFrame(index=CELLS),
        pd.DataFrame(index=SYMBOLS),
    ).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        values, about = file[part][:].astype(dtype), dict(file[part].attrs)
        del file[part]
        file[part] = values
        file[part].attrs.update(about)
    return path


@pytest.mark.parametrize("dtype", ["f2", ">f2", ">f4", ">f8", ">i4", ">u2", "i1", "u8"])
def test_numbers_of_any_type_are_read(tmp_path: Path, dtype: str) -> None:
    read(retyped(tmp_path / "csr.h5ad", dtype))
    read(retyped(tmp_path / "csc.h5ad", dtype, x=sp.csc_matrix(COUNTS)))
    read(retyped(tmp_path / "dense.h5ad", dtype, "X", x=COUNTS))
    if dtype in (">i4", "u8"):
        read(retyped(tmp_path / "index.h5ad", dtype, "X/indices"))
        read(retyped(tmp_path / "index.h5ad", dtype, "X/indptr"))


def test_fixed_length_text_of_another_encoding(tmp_path: Path) -> None:
    annotated().write_h5ad(tmp_path / "a.h5ad")
    with h5py.File(tmp_path / "a.h5ad", "r+") as file:
        for part, values in (
            ("var/_index", [*(s.encode() for s in SYMBOLS[:4]), "TCRé".encode("cp1252")]),
            ("obs/donor_id/categories", ["Löfgren".encode("cp1252")]),
            ("obs/_index", [c.encode() for c in CELLS]),
        ):
            about = dict(file[part].attrs)
            del file[part]
            file[part] = np.array(values, "S20")
            file[part].attrs.update(about)
    source = read(tmp_path / "a.h5ad")
    assert source.obs["donor_id"].unique().tolist() == ["Löfgren"]
    assert (source.var.index[4], source.obs.index[7]) == ("TCRé", CELLS[7])
    assert [n.rpartition("/")[2] for n in source.notes] == [
        "categories is not UTF-8 and was read as Windows-1252",
        "_index is not UTF-8 and was read as Windows-1252",
    ]


def old_anndata(path: Path) -> Path:
    """A file as anndata 0.6 wrote it: compound tables, categories in uns, h5sparse groups."""
    with h5py.File(path, "w") as file:
        obs = np.zeros(8, [("index", "S20"), ("kind", "i1"), ("n", "i8")])
        obs["index"], obs["kind"], obs["n"] = np.array(CELLS, "S"), np.arange(8) % 2, np.arange(8)
        file["obs"] = obs
        file["var"] = np.array([(s.encode(),) for s in SYMBOLS], [("index", "S20")])
        file["uns/kind_categories"] = np.array(["B cell", "T cell"], "S20")
        shares = COUNTS / COUNTS.sum(axis=1, keepdims=True).clip(1) * 1e4
        file["X"] = np.log1p(shares).astype(np.float32)
        group, csr = file.create_group("layers/counts"), sp.csr_matrix(COUNTS.astype(np.float32))
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(csr, name)
        group.attrs["h5sparse_format"], group.attrs["h5sparse_shape"] = "csr", csr.shape
    return path


def test_old_anndata_with_layers(tmp_path: Path) -> None:
    source = read(old_anndata(tmp_path / "old.h5ad"))
    assert source.obs["kind"].tolist() == ["B cell", "T cell"] * 4
    assert [m.name for m in source.matrices] == ["layers/counts", "X"]


@pytest.mark.filterwarnings("ignore:Variable names are not unique:UserWarning")
def test_ids_decide_where_symbols_repeat(tmp_path: Path) -> None:
    var = pd.DataFrame({"gene_ids": IDS}, index=[*SYMBOLS[:4], "CD3D"])
    annotated(var=var).write_h5ad(tmp_path / "a.h5ad")
    source = read(tmp_path / "a.h5ad")
    assert list(source.var.index) == IDS
    assert source.var["gene_symbols"].tolist() == [*SYMBOLS[:4], "CD3D"]
    assert source.notes == ["1 names of variables repeat: they are named by gene_ids"]


def test_a_source_is_kept_open_while_that_is_wanted_and_its_file_is_the_same(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cells.h5ad"
    obs = pd.DataFrame(index=CELLS)
    anndata.AnnData(sp.csr_matrix(COUNTS), obs, pd.DataFrame(index=SYMBOLS)).write_h5ad(path)
    with keep_open():
        with lend_source(path) as first:
            expected = first.matrix("X").block(np.arange(8)).values
        with lend_source(path) as again:
            assert again is first
            with lend_source(path) as other:  # two at once are two
                assert other is not first
            found = again.matrix("X").block(np.arange(8)).values
        assert found.tolist() == expected.tolist()
        changed = tmp_path / "changed.h5ad"
        anndata.AnnData(sp.csr_matrix(2 * COUNTS), obs, pd.DataFrame(index=SYMBOLS)).write_h5ad(
            changed
        )
        changed.replace(path)
        with lend_source(path) as new:
            assert new is not first
            doubled = new.matrix("X").block(np.arange(8)).values
        assert doubled.tolist() == (2 * expected).tolist()
        with pytest.raises(KeyboardInterrupt), lend_source(path) as broken:
            raise KeyboardInterrupt
        with lend_source(path) as after:
            assert after is not broken
    with pytest.raises(DataError):  # it was closed at the end
        after.matrix("X").block(np.arange(8))
    with lend_source(path) as one, lend_source(path) as two:
        assert one is not two
    with pytest.raises(DataError):
        one.matrix("X").block(np.arange(8))
