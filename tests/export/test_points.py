"""Points 1, 2, 7 and 10 of "never wrong without a word", on the side of the export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training_sets import dense, write_training_set

import tosg
from tosg.errors import DataError, ExportError
from tosg.export.cells.coverage import count_coverage, describe_coverage
from tosg.export.cells.filters import filter_cells, find_no_person
from tosg.export.cells.node_map import NodeMap
from tosg.export.format.manifest import read_manifest
from tosg.export.selection import Selection
from tosg.export.write.workspace import describe_file
from tosg.kg.database.connection import Database

LOGS: dict[str, Any] = {
    "log1p": np.log1p,
    "log1p_cp10k": np.log1p,
    "log2p1": lambda x: np.log2(1 + x),
    "log10p1": lambda x: np.log10(1 + x),
}


@pytest.mark.parametrize("unit", LOGS)
def test_point_01_logarithms_are_summed_in_their_own_base(unit: str) -> None:
    linear = np.array([3.0, 4.5, 10.0])
    pair = NodeMap.of(np.array([0, 1, 2]), np.array([0, 0, 1]), 3, unit, 2)
    logs = LOGS[unit](linear).astype(np.float32)
    _, nodes, values = pair.apply(np.array([0, 3]), np.arange(3), logs)
    assert nodes.tolist() == [0, 1]
    np.testing.assert_allclose(values, LOGS[unit](np.array([7.5, 10.0])), rtol=1e-6)


@pytest.mark.parametrize("unit", ["cpm", "cp10k", "corrected_counts", "normalized_counts"])
def test_point_01_linear_units_are_normalised_by_their_own_total(
    cells: Database, run: Any, unit: str
) -> None:
    cells.write("MATCH (d:Dataset) SET d.unit = $unit, d.total_property = 'expression_total'",
                unit=unit)  # fmt: skip
    with pytest.raises(ExportError, match="totals that normalising needs") as caught:
        run(cells, normalize="log1p_cp10k")
    assert "expression_total" in str(caught.value.expected)
    cells.write("MATCH (c:Cell) SET c.expression_total = 2 * c.n_counts + 0.5")
    done = run(cells, normalize="log1p_cp10k", nodes="MATCH (g:Gene) RETURN g")
    expression = read_manifest(done.folder).content["expression"]
    assert (expression["unit"], expression["normalize"]) == (unit, "log1p_cp10k")
    assert expression["total"] == "expression_total"
    ts = tosg.TrainingSet(done.folder)
    totals = ts.cells["expression_total"].to_numpy()
    raw = ts.expression.read_dense(np.arange(ts.n_cells)).astype(np.float64)
    expected = np.log1p(raw * (1e4 / totals)[:, None])
    np.testing.assert_allclose(ts.read(range(ts.n_cells)).x.numpy(), expected, rtol=1e-6)
    assert ts.unit == "log1p_cp10k"


def test_point_01_logarithms_of_two_bases_never_meet(cells: Database, run: Any) -> None:
    cells.write(
        "MATCH (d:Dataset) SET d.unit = CASE d.id WHEN 'beta' THEN 'log2p1' ELSE 'log1p' END"
    )
    with pytest.raises(ExportError, match="different units") as caught:
        run(cells)
    assert caught.value.found == "log1p: alpha; log2p1: beta"
    for unit in ("log2p1", "log1p"):
        cells.write("MATCH (d:Dataset) SET d.unit = $unit", unit=unit)
        with pytest.raises(ExportError, match="cannot be normalised"):
            run(cells, normalize="log1p_cp10k")


def test_point_02_coverage_counts_nodes_by_cells() -> None:
    measured = np.array([[1, 1, 0, 0, 0], [1, 0, 0, 1, 0]], bool)
    types = ("Gene", "Pathway", "Protein")
    found = count_coverage(measured, [10, 5], np.array([0, 0, 0, 2, 1]), types)
    assert found == [
        {"type": "Gene", "cells": 15, "nodes": 1},
        {"type": "Gene", "cells": 10, "nodes": 1},
        {"type": "Gene", "cells": 0, "nodes": 1},
        {"type": "Protein", "cells": 5, "nodes": 1},
    ]
    assert describe_coverage(found, 15) == [
        "Gene: of 3 nodes measured 1 in all 15 cells, 1 in 10 cells, 1 in none",
        "Protein: of 1 nodes measured 1 in 5 cells",
    ]


def test_point_02_coverage_notes_and_vectors_are_told(cells: Database, run: Any) -> None:
    cells.write("MATCH (d:Dataset {id: 'beta'}) SET d.notes = ['a panel of 4 genes']")
    done = run(cells, level="as-stored")
    content = read_manifest(done.folder).content
    measured = np.load(done.folder / "measured.npy")
    table = pq.read_table(done.folder / "cells.parquet")
    sizes = [table["dataset"].to_pylist().count(d["id"]) for d in content["datasets"]]
    per_node = measured.T.astype(int) @ sizes
    types = pq.read_table(done.folder / "nodes.parquet")["type"].to_pylist()
    for row in content["coverage"]:
        of_type = [n for n, t in zip(per_node, types, strict=True) if t == row["type"]]
        assert of_type.count(row["cells"]) == row["nodes"]
    assert sum(row["nodes"] for row in content["coverage"]) == sum(
        t in ("Gene", "Protein") for t in types
    )
    assert done.coverage == content["coverage"] == tosg.TrainingSet(done.folder).coverage
    assert run(cells, dry_run=True).coverage == content["coverage"]
    assert [d["notes"] for d in content["datasets"]] == [[], ["a panel of 4 genes"]]
    assert [w for w in done.warnings if "tosg embed" in w]  # some nodes have no vector
    cells.write("MATCH (n:Entity) REMOVE n.embedding_f32")
    for dry_run in (True, False):
        (told,) = [w for w in run(cells, dry_run=dry_run).warnings if "tosg embed" in w]
        assert "no text vectors" in told


def test_point_02_antibodies_are_centred_log_ratios(cells: Database, run: Any) -> None:
    """Their counts are never divided by the cell's RNA."""
    modalities = ["gene", "gene", "gene", "gene", "protein", "gene"]  # alpha's fifth is p4
    cells.write("MATCH (d:Dataset {id: 'alpha'}) SET d.modalities = $m", m=modalities)
    how = {"cells": "MATCH (c:Cell {dataset: 'alpha'}) RETURN c", "primary_only": False}
    with pytest.raises(ExportError, match="totals that normalising needs") as caught:
        run(cells, normalize="log1p_cp10k", **how)
    assert "protein_clr" in str(caught.value.expected)
    cells.write("MATCH (c:Cell {dataset: 'alpha'}) SET c.protein_clr = 1.5 + c.row")
    done = run(cells, normalize="log1p_cp10k", **how)
    ts = tosg.TrainingSet(done.folder)
    assert (ts.unit, ts.protein_unit) == ("log1p_cp10k", "clr")
    nodes = ts.graph.nodes["id"].to_pylist()
    raw = ts.expression.read_dense(np.arange(ts.n_cells)).astype(np.float64)
    totals, divisors = (ts.cells[n].to_numpy()[:, None] for n in ("n_counts", "protein_clr"))
    expected = np.log1p(raw * 1e4 / totals)
    proteins = np.load(done.folder / "proteins.npy")
    (p4,) = np.flatnonzero(proteins[0])
    assert nodes[p4].startswith("uniprot:")
    assert proteins.sum() == 1
    expected[:, p4] = np.log1p(raw / divisors)[:, p4]
    np.testing.assert_allclose(ts.read(range(ts.n_cells)).x.numpy(), expected, rtol=1e-6)
    ts.verify()
    # Raw counts stay as they are, with no further file.
    plain = run(cells, **how)
    assert not (plain.folder / "proteins.npy").exists()
    assert tosg.TrainingSet(plain.folder).protein_unit is None


@pytest.mark.extras
def test_point_02_antibodies_in_batches(tmp_path: Path) -> None:
    """Data set 1 measured nodes 2 and 3 by antibodies, data set 0 by RNA."""
    folder = write_training_set(tmp_path / "set", normalize="log1p_cp10k")
    proteins = np.zeros((2, 6), bool)
    proteins[1, 2:4] = True
    np.save(folder / "proteins.npy", proteins)
    table = pq.read_table(folder / "cells.parquet")
    clr = pa.array([None if j % 2 == 0 else 2.0 + j for j in range(35)], pa.float64())
    pq.write_table(table.append_column("protein_clr", clr), folder / "cells.parquet")
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    document["content"]["expression"]["protein_normalize"] = "clr"
    for name in ("proteins.npy", "cells.parquet"):
        document["content"]["files"][name] = describe_file(folder / name)
    path.write_text(json.dumps(document))
    ts = tosg.TrainingSet(folder)
    rows = np.arange(35)
    raw = dense(rows.tolist(), 6).astype(np.float64)
    expected = np.log1p(raw * 1e4 / (100.0 + rows)[:, None])
    odd = rows % 2 == 1
    expected[odd, 2:4] = np.log1p(raw / (2.0 + rows)[:, None])[odd, 2:4]
    np.testing.assert_allclose(ts.read(rows).x.numpy(), expected, rtol=1e-6)
    for batch in ts.batches("train", batch_size=5):
        np.testing.assert_allclose(batch.x.numpy(), expected[batch.cell.numpy()], rtol=1e-6)


def cells_of(**columns: list[Any]) -> pa.Table:
    n = len(columns["dataset"])
    return pa.table({"id": [f"c{i}" for i in range(n)], "donor_id": ["d"] * n} | columns)


def test_point_07_cells_of_no_person_are_in_no_donor_split() -> None:
    table = cells_of(
        dataset=["a"] * 6,
        donor_id=["P1", "pooled", None, "Doublet", "P2", "negative"],
        no_donor=[None, None, "unassigned", None, None, None],
    )
    assert find_no_person(table).tolist() == [False, True, True, True, False, True]
    warnings: list[str] = []
    left = filter_cells(table, Selection(split="donor"), {}, warnings)
    assert left["donor_id"].to_pylist() == ["P1", "P2"]
    (told,) = warnings
    assert told.startswith("4 cells are left out of the donor split: they are of no one person")
    assert told.endswith("(Doublet: 1, negative: 1, pooled: 1, unassigned: 1)")
    assert filter_cells(table, Selection(), {}, []).num_rows == 6
    with pytest.raises(ExportError, match="no cell is left") as caught:
        filter_cells(table.slice(1, 3), Selection(split="donor"), {}, [])
    assert "of no one person" in str(caught.value.found)


def test_point_07_the_cells_of_one_file_are_there_once() -> None:
    table = cells_of(dataset=["b", "a", "a", "b", "c", "m", "d"], row=[0, 0, 1, 2, 0, None, 0])
    files = {"a": ["x", "y"], "b": ["y", "x"], "c": ["x"], "m": ["x", "y"], "d": []}
    warnings: list[str] = []
    left = filter_cells(table, Selection(), files, warnings)
    # Row 0 of the file is a's; b's row 2 is nobody else's; a meta-cell is of several rows.
    assert left["id"].to_pylist() == ["c1", "c2", "c3", "c4", "c5", "c6"]
    assert warnings == [
        "1 cells of the data set b are left out: the same rows of the same file are cells of a"
    ]


def test_point_07_donor_safe_only_if_it_is(cells: Database, run: Any) -> None:
    cells.write("MATCH (c:Cell) WHERE c.row IN [0, 1] SET c.no_donor = 'pooled', c.donor_id = NULL")
    done = run(cells, split="donor", primary_only=False)
    table = pq.read_table(done.folder / "cells.parquet")
    assert table.num_rows == 90 - 4
    assert read_manifest(done.folder).content["splits"]["donor_safe"] is True
    (told,) = [w for w in done.warnings if "no one person" in w]
    assert "(pooled: 4)" in told
    # A field that keeps every known donor whole is not safe: a pooled cell may be of any donor.
    by_field = run(cells, split="dataset", fractions=(0.5, 0.5, 0.0), primary_only=False)
    assert by_field.counts["cells"] == 90
    assert read_manifest(by_field.folder).content["splits"]["donor_safe"] is False
    # The same file under two ids: its cells are there once.
    cells.write("MATCH (d:Dataset) SET d.sha256s = ['one']")
    once = run(cells, split="cell", primary_only=False)
    assert once.counts["cells"] == 6 * 9  # beta's rows are all rows of alpha
    assert [w for w in once.warnings if "same rows of the same file are cells of alpha" in w]
    # A data set that somebody else wrote says nothing of its files.
    cells.write("MATCH (d:Dataset {id: 'beta'}) REMOVE d.sha256s")
    with pytest.raises(DataError, match="was not written by tosg") as caught:
        run(cells, split="donor", primary_only=False, dry_run=True)
    assert (caught.value.where, caught.value.found) == ("Dataset beta", "no property sha256s")


def test_point_10_what_a_failed_export_leaves_blocks_nothing(
    cells: Database, run: Any, tmp_path: Path
) -> None:
    def fail(stage: str, done: int, total: int) -> None:
        if stage == "writing cells" and done == 0:
            raise RuntimeError("power cut")

    out = tmp_path / "set"
    with pytest.raises(RuntimeError, match="power cut"):
        run(cells, out, shard_size=16, progress=fail)
    assert out.with_name("set.partial").is_dir()  # --resume may go on from it
    (out.with_name("set.partial") / ".left.tmp").write_text("of a process that was killed")
    done = run(cells, out, shard_size=16, target="cell_type")  # another selection
    assert done.counts["cells"] == len(tosg.TrainingSet(out).cells)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("set")) == ["set"]
    assert not list(out.glob(".*"))
