"""The OmniCellTOSG layout: written, read by its description, and attached again."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from support import signals

import tosg
from tosg.errors import ConfigError, DataError, ExportError
from tosg.export.selection import Selection
from tosg.export.write.layouts import export_layout
from tosg.kg.cells.attach import attach
from tosg.kg.cells.files.opening import open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tosg.export.write.result import ExportResult
    from tosg.kg.database.connection import Database

    Run = Callable[..., ExportResult]

ASKED: dict[str, Any] = {"target": "cell_type", "split": "donor"}


@pytest.fixture
def folder(cells: Database, tmp_path: Path) -> Path:
    return export_layout(cells, Selection(**ASKED), tmp_path / "release", "celltosg").folder


def read_release(root: Path) -> dict[str, Any]:
    """Read a release as its README describes it, with nothing of ours."""
    meta = pd.read_parquet(root / "cell_metadata_with_mappings.parquet")
    matrices = {
        name: np.load(root / "expression_matrix" / name, mmap_mode="r")
        for name in meta["matrix_file_path"].unique()
    }
    pairs = zip(meta["matrix_file_path"], meta["matrix_row_idx"], strict=True)
    tables = {name: pd.read_csv(root / f"s_{name}.csv") for name in ("name", "desc", "bio")}
    edges = {
        name: np.load(root / f"{prefix}edge_index.npy")
        for name, prefix in (("all", ""), ("internal", "internal_"), ("ppi", "ppi_"))
    }
    vectors = {name: np.load(root / f"x_{name}_emb.npy") for name in ("name", "desc")}
    with (root / "bmg_gene_index.csv").open() as stream:
        genes = {r["gene_name"]: r["indices"].split(";") for r in csv.DictReader(stream)}
    return {
        "meta": meta,
        "x": np.stack([matrices[name][row] for name, row in pairs]),
        **tables,
        "edges": edges,
        "vectors": vectors,
        "genes": genes,
    }


def test_a_reader_of_the_description_opens_it(folder: Path, cells: Database, run: Run) -> None:
    ts = tosg.TrainingSet(run(cells, **ASKED).folder)
    found = read_release(folder)
    ids = found["name"]["BioMedGraphica_Conn_ID"].tolist()
    assert ids == [id_ for label in ("Gene", "Protein") for id_ in of_label(label)] + [
        "reactome:R-1",
        "drugbank:DB1",
    ]
    # Both spellings of a name; texts, types, vectors and matrices are aligned by row.
    assert found["name"]["Name"].tolist()[:2] == ["G0", "G1"]
    assert found["name"]["Names_and_IDs"].tolist()[0] == "G0 ncbigene:0"
    assert found["desc"]["BioMedGraphica_Conn_ID"].tolist() == ids
    assert found["bio"]["Type"].tolist()[:7] == ["Transcript"] * 6 + ["Protein"]
    numbers = {id_: i for i, (_, id_, _) in enumerate(signals.NODES)}
    for table in found["vectors"].values():
        for row, id_ in zip(table, ids, strict=True):
            i = numbers[id_]
            expected = np.array([i + j / 10_000 for j in range(signals.DIMENSION)], np.float32)
            np.testing.assert_array_equal(
                row, 0 * expected if id_ in signals.WITHOUT_TEXT else expected
            )
    # beta measures a protein, so there is a column for every node.
    meta = found["meta"]
    np.testing.assert_array_equal(found["x"], signals.dense(meta["cell_id"].tolist(), ids))
    assert found["x"].dtype == np.float32
    assert meta["cell_id"].tolist() == ts.cells["id"].to_pylist()
    assert meta["split"].tolist() == ts.cells["split"].to_pylist()
    assert meta["CMT_name"].tolist() == meta["cell_type"].tolist() == meta["target"].tolist()
    assert set(meta["tissue_general"]) == {"blood", "lung"}
    assert set(meta["assay"]) == {"unknown"}
    assert {int(i) for i in found["genes"]["G3"]} == {3}


def of_label(label: str) -> list[str]:
    return [id_ for of, id_, _ in signals.NODES if of == label]


def test_edges_in_their_parts(folder: Path) -> None:
    found = read_release(folder)
    ids = found["name"]["BioMedGraphica_Conn_ID"].tolist()
    wired = {(ids[a], ids[b]) for a, b in found["edges"]["all"].T}
    expected = set()
    for kind, start, end, _ in signals.EDGES:
        expected.add((start, end))
        if kind == "INTERACTS_WITH":
            expected.add((end, start))
    assert wired == expected
    assert found["edges"]["all"].shape == (2, len(expected))
    assert found["edges"]["all"].dtype == np.int64
    proteins = set(of_label("Protein"))
    ppi = {(ids[a], ids[b]) for a, b in found["edges"]["ppi"].T}
    assert ppi == {(a, b) for a, b in expected if {a, b} <= proteins}
    internal = {(ids[a], ids[b]) for a, b in found["edges"]["internal"].T}
    assert internal == expected - ppi
    # The WebApp's spelling of the same edges has their types.
    table = pd.read_csv(folder / "filtered_edge_id_index_data.csv")
    assert len(table) == len(signals.EDGES)
    assert {ids[i] for i in table["From_Index"]} == set(table["BMGC_From_ID"])
    assert set(table["Type"]) == {e[0] for e in signals.EDGES}


def test_genes_alone_make_narrow_matrices(cells: Database, tmp_path: Path) -> None:
    nodes = "MATCH (n:Entity) WHERE n:Gene OR n:Pathway RETURN n"
    made = export_layout(cells, Selection(nodes=nodes), tmp_path / "genes", "celltosg").folder
    found = read_release(made)
    assert found["x"].shape[1] == 6 < len(found["name"]) == 7


def test_round_trip_through_the_graph(folder: Path, cells: Database, run: Run) -> None:
    before = tosg.TrainingSet(run(cells, **ASKED).folder)
    cells.write("MATCH (n) WHERE n:Cell OR n:Dataset DETACH DELETE n")
    report = attach(cells, folder, id="again", unit="counts")
    assert report.unit == "counts"
    after = tosg.TrainingSet(run(cells, **ASKED).folder)
    assert after.n_cells == before.n_cells
    place = {id_.split(":", 1)[-1]: i for i, id_ in enumerate(after.cells["id"].to_pylist())}
    rows = [place[id_] for id_ in before.cells["id"].to_pylist()]
    x, y = before.read(range(before.n_cells)).x, after.read(rows).x
    assert before.graph.nodes["id"].to_pylist() == after.graph.nodes["id"].to_pylist()
    np.testing.assert_array_equal(x.numpy(), y.numpy())
    assert before.cells["cell_type"].to_pylist() == after.cells["cell_type"].take(rows).to_pylist()


def make_release(root: Path, shapes: dict[str, tuple[int, int]], genes: str) -> Path:
    """A folder as the release is: several columns for a gene, names of genes beside the loader."""
    (root / "expression_matrix").mkdir(parents=True)
    rows = []
    for name, (n, width) in shapes.items():
        matrix = np.zeros((n, width), np.float32)
        matrix[:, :4] = [[5, 0, 2, 2], [0, 1, 7, 0], [3, 0, 0, 0]][:n]
        np.save(root / "expression_matrix" / name, matrix)
        rows += [{"matrix_file_path": name, "matrix_row_idx": i} for i in range(n)]
    table = pd.DataFrame(rows).assign(cell_type="T cell", donor_id="unknown")
    table.to_parquet(root / "cell_metadata_with_mappings.parquet")
    (root / "bmg_gene_index.csv").write_text(genes)
    return root


GENES = "gene_name,indices\nTP53,0\nCD4,1\nMYC,2;3\n"


def test_a_gene_of_several_columns(tmp_path: Path) -> None:
    shapes = {"a_part_0.npy": (3, 6), "b_part_0.npy": (2, 6)}
    with open_source(make_release(tmp_path / "release", shapes, GENES)) as source:
        (matrix,) = source.matrices
        assert matrix.var.index.tolist() == ["TP53", "CD4", "MYC"]
        block = matrix.block(np.arange(5))
        rows = [
            dict(zip(block.indices[a:b].tolist(), block.values[a:b].tolist(), strict=True))
            for a, b in zip(block.indptr[:-1], block.indptr[1:], strict=True)
        ]
        assert rows == [{0: 5, 2: 2}, {1: 1, 2: 7}, {0: 3}, {0: 5, 2: 2}, {1: 1, 2: 7}]
        assert source.obs.index.tolist()[3] == "b_part_0:0"
        assert any("1 genes have several columns" in note for note in source.notes)


@pytest.mark.parametrize(
    ("shapes", "genes", "says"),
    [
        ({"a.npy": (2, 6), "b.npy": (2, 5)}, GENES, "different widths"),
        ({"a.npy": (2, 6)}, GENES.replace("2;3", "2;6"), "column that the matrices do not have"),
        ({"a.npy": (2, 6)}, GENES.replace("2;3", "two"), "are not numbers"),
        ({"a.npy": (2, 6)}, "gene,index\n", "other columns"),
    ],
)
def test_folders_that_do_not_fit(
    tmp_path: Path, shapes: dict[str, tuple[int, int]], genes: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        open_source(make_release(tmp_path / "release", shapes, genes))


def test_files_that_are_missing_or_other(tmp_path: Path) -> None:
    root = make_release(tmp_path / "release", {"a.npy": (2, 6)}, GENES)
    (root / "s_name.csv").write_text("BioMedGraphica_ID,Processed_name\nBMG1,x\n")
    with pytest.raises(DataError, match="wider than there are entities"):
        open_source(root)
    (root / "s_name.csv").unlink()
    (root / "bmg_gene_index.csv").unlink()
    with pytest.raises(DataError, match="which columns are of which gene"):
        open_source(root)
    (root / "expression_matrix" / "a.npy").unlink()
    with pytest.raises(DataError, match="matrix of the folder is missing"):
        open_source(root)
    pd.DataFrame({"cell_type": ["T"]}).to_parquet(root / "cell_metadata_with_mappings.parquet")
    with pytest.raises(DataError, match="does not say where their expression is"):
        open_source(root)


def make_webapp(root: Path) -> Path:
    root.mkdir()
    np.save(root / "xAll.npy", np.array([[1, 1, 0, 4], [0, 0, 0, 2]], np.float64))
    np.save(root / "yAll.npy", np.array([[1], [0]]))
    (root / "entity_index_id_mapping.csv").write_text(
        "Index,Original_ID,BioMedGraphica_Conn_ID\n0,TP53,T1\n1,TP53,T2\n2,,P1\n3,CD4,T3\n"
    )
    return root


def test_the_spelling_of_the_webapp(tmp_path: Path) -> None:
    with open_source(make_webapp(tmp_path / "app")) as source:
        (matrix,) = source.matrices
        # The column that the WebApp filled with zeros was not measured, and is no variable.
        assert matrix.var.index.tolist() == ["TP53", "CD4"]
        assert matrix.block(np.arange(2)).values.tolist() == [1, 4, 2]
        assert source.obs["label_0"].tolist() == ["1", "0"]


def test_webapps_that_do_not_fit(tmp_path: Path) -> None:
    root = make_webapp(tmp_path / "app")
    np.save(root / "yAll.npy", np.zeros(3))
    with pytest.raises(DataError, match="labels do not fit"):
        open_source(root)
    np.save(root / "yAll.npy", np.array([["a"], [None]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        open_source(root)
    np.save(root / "xAll.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match="does not fit the matrix"):
        open_source(root)


def test_places_that_are_taken(cells: Database, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="the output is there already"):
        export_layout(cells, Selection(**ASKED), tmp_path / "out", "celltosg")
    with pytest.raises(ExportError, match="no cells"):
        export_layout(cells, Selection(cells=False), tmp_path / "plain", "celltosg")
    planned = export_layout(cells, Selection(**ASKED), tmp_path / "dry", "anndata", dry_run=True)
    assert planned.folder == tmp_path / "dry.h5ad"
    assert not planned.folder.exists()


def test_the_unit_and_what_was_measured_stand_beside_it(folder: Path) -> None:
    notes = json.loads((folder / "tosg.json").read_bytes())
    assert notes["unit"] == "counts"
    assert notes["datasets"] == ["alpha", "beta"]
    measured = np.load(folder / "measured.npy")
    assert measured.shape == (2, notes["columns"])
    assert not list(folder.parent.glob("*.set"))
    shutil.rmtree(folder)
