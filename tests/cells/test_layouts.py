"""Layouts of files: zarr, 10x HDF5 and mtx folders, and every real file."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import anndata
import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from support.cells import REAL, VARIABLES, cells_table, counts, small_graph, write

from tosg.errors import DataError
from tosg.kg.cells.attach import attach
from tosg.kg.cells.files import matrices
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.stored.dataset import datasets, read_expression
from tosg.kg.cells.values.units import choose

if TYPE_CHECKING:
    from pathlib import Path

from tosg.kg.database.connection import Database


def dense(path: Path) -> Any:
    with open_source(path) as source:
        values, _ = choose(source)
        n_cells, n_variables = values.matrix.shape
        blocks = values.blocks(np.arange(n_cells))
        return sp.vstack([b.to_scipy(n_variables) for b in blocks]).toarray()


def tenx_h5(path: Path) -> Path:
    x = counts().astype(np.int32)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array([f"B{i}" for i in range(12)], "S")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(x, name)
        group["shape"] = np.array([7, 12])
        group["features/id"] = np.array([f"ENSG{i:011}" for i in range(7)], "S")
        # Two features of one name: they are told apart by their ids.
        group["features/name"] = np.array([*VARIABLES[:-1], "CD3D"], "S")
        group["features/feature_type"] = np.array(["Gene Expression"] * 7, "S")
        group["features/genome"] = np.array(["GRCh38"] * 7, "S")
    return path


def tenx_mtx(path: Path) -> Path:
    path.mkdir()
    with gzip.open(path / "matrix.mtx.gz", "wb") as out:
        scipy.io.mmwrite(out, counts().T.astype(np.int32))
    features = [f"ENSG{i:011}\t{v}\tGene Expression\n" for i, v in enumerate(VARIABLES)]
    with gzip.open(path / "features.tsv.gz", "wt") as out:
        out.writelines(features)
    with gzip.open(path / "barcodes.tsv.gz", "wt") as out:
        out.writelines(f"B{i}\n" for i in range(12))
    return path


@pytest.mark.filterwarnings("ignore:Writing zarr v2:UserWarning")
def test_every_layout_gives_the_same_values(tmp_path: Path) -> None:
    expected = counts().toarray()
    assert np.array_equal(dense(write(tmp_path / "a.h5ad")), expected)
    anndata.read_h5ad(tmp_path / "a.h5ad").write_zarr(tmp_path / "a.zarr")
    assert np.array_equal(dense(tmp_path / "a.zarr"), expected)
    assert np.array_equal(dense(write(tmp_path / "csc.h5ad", counts().tocsc())), expected)
    assert np.array_equal(dense(write(tmp_path / "dense.h5ad", expected)), expected)
    assert np.array_equal(dense(tenx_h5(tmp_path / "b.h5")), expected)
    assert np.array_equal(dense(tenx_mtx(tmp_path / "mtx")), expected)
    with open_source(tmp_path / "b.h5") as source:
        assert source.matrices[0].var.index.is_unique


@pytest.mark.filterwarnings("ignore:Writing zarr v2:UserWarning")
@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("X/indices", None, "two values of one variable"),
        ("X/data", None, "values of a sparse matrix are missing"),
        ("X/indptr", None, "do not fit its values"),
        ("X/data", b"junk that is no chunk", "cannot be read"),
    ],
)
def test_a_damaged_zarr_folder(
    tmp_path: Path, part: str, content: bytes | None, message: str
) -> None:
    anndata.read_h5ad(write(tmp_path / "a.h5ad")).write_zarr(tmp_path / "a.zarr")
    chunks = [f for f in (tmp_path / "a.zarr" / part).rglob("*") if not is_about(f)]
    for chunk in chunks:
        chunk.unlink()
        if content is not None:
            chunk.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        dense(tmp_path / "a.zarr")
    assert f"{tmp_path / 'a.zarr'}: X" in str(caught.value.where)


def is_about(path: Path) -> bool:
    return path.is_dir() or path.name in ("zarr.json", ".zarray", ".zattrs")


def test_a_folder_without_cells(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not hold cells"):
        open_source(tmp_path)
    folder = tenx_mtx(tmp_path / "mtx")
    (folder / "barcodes.tsv.gz").unlink()
    with pytest.raises(DataError, match="a file of the 10x folder is missing"):
        open_source(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("features.tsv.gz", b"", "cannot be read"),
        ("barcodes.tsv.gz", b"", "cannot be read"),
        ("matrix.mtx.gz", b"", "cannot be read"),
        ("barcodes.tsv.gz", b"B1\n", "does not fit its barcodes"),
    ],
)
def test_wrong_files_of_a_10x_folder(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    folder = tenx_mtx(tmp_path / "mtx")
    (folder / name).write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message) as caught:
        open_source(folder)
    assert str(folder) in str(caught.value.where)


def test_a_10x_file_that_does_not_fit_itself(tmp_path: Path) -> None:
    path = tenx_h5(tmp_path / "b.h5")
    with h5py.File(path, "r+") as file:
        del file["matrix/barcodes"]
        file["matrix/barcodes"] = np.array([f"B{i}" for i in range(11)], "S")
    with pytest.raises(DataError, match="does not fit its cells"):
        open_source(path)
    path = tenx_h5(tmp_path / "c.h5")
    with h5py.File(path, "r+") as file:
        file["matrix/shape"][:] = [8, 12]
    with pytest.raises(DataError, match="does not fit its features"):
        open_source(path)


def test_a_matrix_by_columns_is_transposed_once_per_open_file(tmp_path: Path) -> None:
    path = write(tmp_path / "csc.h5ad", counts().tocsc())
    with open_source(path) as source:
        take = source.matrix("X")._take
        assert isinstance(take, matrices._CscReader)
        first = take.by_row
        assert np.array_equal(take(slice(0, 3)).toarray(), counts().toarray()[:3])
        assert take.by_row is first
    write(path, (counts() * 2).tocsc())
    assert np.array_equal(dense(path), counts().toarray() * 2)


def test_scattered_rows_are_read_right(tmp_path: Path) -> None:
    write(tmp_path / "a.h5ad", counts(60), obs=cells_table(60))
    with open_source(tmp_path / "a.h5ad") as source:
        matrix = source.matrix("X")
        for rows in ([0, 59], [3, 4, 6], [5], [], list(range(60))):
            block = matrix.block(np.array(rows, np.int64))
            found = sp.csr_matrix((block.values, block.indices, block.indptr), (len(rows), 7))
            assert np.array_equal(found.toarray(), counts(60).toarray()[rows])


@pytest.mark.neo4j
@pytest.mark.parametrize("storage", ["inline", "linked"])
def test_every_real_file(database: Database, shared_data: Path, storage: str) -> None:
    small_graph(database)
    for name, matrix, unit, n in REAL:
        path = shared_data / "expression" / name
        label = name.replace("/", "-").replace(".", "-")
        report = attach(database, path, id=label, storage=storage)
        assert (report.matrix, report.unit, report.cells) == (matrix, unit, n)
        info = datasets(database, [label])[0]
        rows = database.rows(
            "MATCH (c:Cell {dataset: $d}) RETURN c.idx AS i, c.row AS r ORDER BY i", d=label
        )
        idx = np.array([r["i"] for r in rows])
        blocks = list(read_expression(database, info, idx))
        found = np.concatenate([np.diff(b.indptr) for b in blocks])
        total = sum(float(b.values.sum(dtype=np.float64)) for b in blocks)
        with open_source(path) as source:
            block = source.matrix(matrix).block(np.array([r["r"] for r in rows]))
        assert np.array_equal(found, np.diff(block.indptr))
        assert total == pytest.approx(float(block.values.sum(dtype=np.float64)))


@pytest.mark.neo4j
def test_odd_labels_of_cellxgene_are_reported(database: Database, shared_data: Path) -> None:
    small_graph(database)
    folder = shared_data / "expression" / "cellxgene-schema"
    report = attach(database, folder / "example_invalid_CL.h5ad", organism="any")
    assert report.cells == 320
    kinds = report.fields["cell_type"]["values"]
    assert kinds["wrong ontology"] == {"PATO:0000461": 1}
    assert sum(sum(v.values()) for v in kinds.values()) == 320
    assert report.fields["tissue"]["values"]["not in the graph"]["CL:0000057"] == 1
    assert kinds["bad identifier"] == {"CL:12312": 1}
    assert any("EFO:0009922 (sci-plex) -> EFO:0009922" in line for line in report.lines())
    assert report.variables["unmeasured"] == ["ERCC-00002"]
    assert not datasets(database)[0].measured[0]
    path = folder / "example_invalid_CL.h5ad"
    human = attach(database, path, dry_run=True, replace_existing=True)
    assert "bad identifier, in cells that are left out: CL:12312 (1)" in "".join(human.lines())
    report = attach(database, folder / "example_valid.h5ad")
    same = [note for note in report.notes if "are attached as example_invalid_CL" in note]
    assert len(same) == int(human.cells == 320)
    assert report.left_out == {
        "not human (NCBITaxon:10090)": 1,
        "not human (NCBITaxon:9483)": 1,
    }
    row = database.rows(
        "MATCH (c:Cell {dataset: 'example_valid', row: 0}) "
        "RETURN c.age_years AS age, c.sex AS sex, c.disease AS disease, c.is_primary_data AS p"
    )
    assert row == [{"age": 50.0, "sex": "female", "disease": "normal", "p": False}]


@pytest.mark.neo4j
def test_a_derived_mapping_of_real_cells(
    database: Database, shared_data: Path, tmp_path: Path
) -> None:
    small_graph(database)
    (tmp_path / "wu.yaml").write_text(
        "donor_id: patient\ntissue: {column: sample, values: {'?B*': blood, 'L*': lung}}\n"
    )
    path = shared_data / "expression" / "scirpy" / "wu2020_200_v0_6.h5ad"
    mapping = CellMapping.read([str(tmp_path / "wu.yaml")])
    report = attach(database, path, mapping)
    assert report.fields["tissue"]["values"]["matched"] == {"blood": 20, "lung": 105}
    assert "ncbigene:4069" in datasets(database)[0].variable_entities
