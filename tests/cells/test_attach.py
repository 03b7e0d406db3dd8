"""Attaching files of cells to a real database, and reading them back."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from support.cells import GENES, MAPS, VARIABLES, add_nodes, cells_table, counts, small_graph, write

from tosg.kg import meta
from tosg.kg.cells import staging
from tosg.kg.cells.attach import attach, stored_report
from tosg.kg.cells.dataset import DatasetInfo, datasets, read_expression
from tosg.kg.cells.mapping import CellMapping
from tosg.kg.cells.remap import detach, remap
from tosg.kg.cells.vectors import decode
from tosg.kg.errors import DatabaseError, DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.database import Database

pytestmark = pytest.mark.neo4j

MAPPING = CellMapping.read(MAPS)


@pytest.fixture
def graph(database: Database) -> Database:
    small_graph(database)
    return database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "small set.h5ad")


def nodes(db: Database) -> dict[str, int]:
    labels = ("Cell", "CellGroup", "Dataset", staging.CELL, staging.GROUP, staging.DATASET)
    return {
        label: n
        for label in labels
        if (n := db.rows(f"MATCH (n:{label}) RETURN count(n) AS n")[0]["n"])
    }


def cell_idx(db: Database, dataset: str) -> np.ndarray[Any, Any]:
    rows = db.rows("MATCH (c:Cell {dataset: $d}) RETURN c.idx AS i ORDER BY i", d=dataset)
    return np.array([r["i"] for r in rows], np.int64)


def matrix(db: Database, info: DatasetInfo, idx: np.ndarray[Any, Any] | None = None) -> Any:
    wanted = cell_idx(db, info.id) if idx is None else idx
    blocks = list(read_expression(db, info, wanted))
    assert np.array_equal(np.concatenate([b.cell_idx for b in blocks]), wanted)
    width = len(info.variables)
    return sp.vstack(
        [
            sp.csr_matrix((b.values, b.indices, b.indptr), shape=(len(b.cell_idx), width))
            for b in blocks
        ]
    ).toarray()


def log_cp10k(dense: Any) -> Any:
    return np.log1p(dense / dense.sum(axis=1, keepdims=True) * 1e4)


def test_cells_groups_and_data_set(graph: Database, file: Path) -> None:
    before = meta.read_meta(graph).revision
    report = attach(graph, file, MAPPING, markers=["CD3D", "HLA-DRA"], license="CC0-1.0")
    assert report.dataset == "small-set"
    assert (report.status, report.cells, report.unit, report.matrix) == (
        "attached",
        12,
        "counts",
        "X",
    )
    assert report.variables["mapped"] == {"identifier": 0, "symbol": 5, "alias": 0}
    assert report.variables["unmapped"] == ["UNKNOWN", "ERCC-00002"]
    assert meta.read_meta(graph).revision == before + 1
    assert nodes(graph) == {"Cell": 12, "CellGroup": report.groups, "Dataset": 1}

    dense = counts().toarray()
    cells = graph.rows("MATCH (c:Cell) RETURN c {.*} AS c ORDER BY c.idx")
    expected = log_cp10k(dense)
    for i, cell in enumerate(row["c"] for row in cells):
        assert cell["id"] == f"small-set:cell{i}"
        assert (cell["row"], cell["donor_id"], cell["n_cells"]) == (i, f"P{i % 3}", 1)
        assert cell["n_counts"] == dense[i].sum()
        assert cell["n_genes"] == np.count_nonzero(dense[i])
        assert cell["age_years"] == 30.0 + i % 3
        assert cell["sex"] == ("female" if i % 3 else "male")
        assert cell.get("cell_type") == ["T cell", "T cell", "B cell", None][i % 4]
        assert cell.get("cell_type_id") == ["cl:0000084", "cl:0000084", "cl:0000236", None][i % 4]
        assert cell["disease"] == ("systemic lupus erythematosus" if i % 3 == 0 else "normal")
        assert cell["disease_id"] == ("mondo:0007915" if i % 3 == 0 else "pato:0000461")
        assert cell["expr_CD3D"] == pytest.approx(expected[i, 0], rel=1e-6)
        assert cell["expr_HLA_DRA"] == pytest.approx(expected[i, 3], rel=1e-6)
        indices, values = decode(cell["expression"], len(VARIABLES))
        assert indices.tolist() == np.flatnonzero(dense[i]).tolist()
        assert values.tolist() == dense[i][indices].tolist()

    info = datasets(graph)[0]
    assert info.variables == VARIABLES
    assert info.variable_entities[:2] == ["ncbigene:915", "ncbigene:916"]
    assert info.variable_entities[5:] == [None, None]
    assert info.measured.all()
    assert (info.n_cells, info.storage, info.license) == (12, "inline", "CC0-1.0")
    assert np.array_equal(matrix(graph, info), dense)
    assert np.array_equal(
        matrix(graph, info, cell_idx(graph, info.id)[[1, 5, 6]]), dense[[1, 5, 6]]
    )


def test_expresses_is_mean_and_fraction_over_the_group(graph: Database, file: Path) -> None:
    attach(graph, file, CellMapping.read(["cell_type=label", "donor_id=patient"]), min_fraction=0.5)
    linear = log_cp10k(counts().toarray())
    kinds = cells_table()["label"].replace("T lymphocyte", "T cell").to_numpy(str)
    rows = graph.rows(
        "MATCH (g:CellGroup)-[r:EXPRESSES]->(e:Gene) "
        "RETURN g.cell_type AS kind, g.n_cells AS n, g.n_donors AS donors, e.symbol AS symbol, "
        "r.mean AS mean, r.fraction AS fraction"
    )
    found = {(r["kind"], r["symbol"]): r for r in rows}
    expected = set()
    for kind in ("T cell", "B cell", None):
        members = kinds == (kind or "nan")
        for j, symbol in enumerate(VARIABLES[:5]):
            fraction = np.count_nonzero(linear[members, j]) / members.sum()
            if fraction >= 0.5:
                expected.add((kind, symbol))
                row = found[kind, symbol]
                assert row["fraction"] == pytest.approx(fraction)
                assert row["mean"] == pytest.approx(linear[members, j].mean(), rel=1e-6)
                assert (row["n"], row["donors"]) == (members.sum(), 3)
    assert set(found) == expected
    links = graph.rows(
        "MATCH (g:CellGroup)-[:OF_TYPE]->(t:CellType) RETURN g.cell_type AS a, t.id AS b ORDER BY a"
    )
    assert [(r["a"], r["b"]) for r in links] == [
        ("B cell", "cl:0000236"),
        ("T cell", "cl:0000084"),
    ]


def test_groups_are_tied_to_tissue_and_disease(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING)
    rows = graph.rows(
        "MATCH (g:CellGroup)-[:FROM]->(d:Dataset) OPTIONAL MATCH (g)-[:FROM_TISSUE]->(t) "
        "OPTIONAL MATCH (g)-[:WITH_DISEASE]->(x) "
        "RETURN g.tissue AS tissue, t.name AS t, g.disease AS disease, x.name AS x"
    )
    assert rows
    for r in rows:
        assert r["t"] == r["tissue"]
        assert r["x"] == (None if r["disease"] == "normal" else "systemic lupus erythematosus")
    ids = {r["i"] for r in graph.rows("MATCH (g:CellGroup) RETURN g.id AS i")}
    assert {r["g"] for r in graph.rows("MATCH (c:Cell) RETURN c.group AS g")} == ids


def test_the_same_again_changes_nothing(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING)
    before = (meta.read_meta(graph), graph.bookmark())
    report = attach(graph, file, MAPPING)
    assert report.status == "unchanged"
    assert report.lines() == ["small-set: unchanged, 12 cells are attached already"]
    assert meta.read_meta(graph).revision == before[0].revision
    assert graph.bookmark() == before[1]


def test_another_file_of_the_same_id_needs_replace(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING)
    write(file, counts(5))
    with pytest.raises(DataError, match="--replace"):
        attach(graph, file, MAPPING)
    assert nodes(graph)["Cell"] == 12
    report = attach(graph, file, MAPPING, replace_existing=True)
    assert report.status == "replaced"
    assert nodes(graph) == {"Cell": 5, "CellGroup": report.groups, "Dataset": 1}
    assert np.array_equal(matrix(graph, datasets(graph)[0]), counts(5).toarray())


def test_linked_reads_the_file_and_knows_when_it_changed(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING, storage="linked")
    info = datasets(graph)[0]
    assert not graph.rows("MATCH (c:Cell) WHERE c.expression IS NOT NULL RETURN c.id")
    dense = counts().toarray()
    assert np.array_equal(matrix(graph, info), dense)
    assert np.array_equal(matrix(graph, info, cell_idx(graph, info.id)[[0, 11]]), dense[[0, 11]])
    kept = file.with_suffix(".kept")
    shutil.move(file, kept)
    with pytest.raises(DataError, match="is missing"):
        matrix(graph, info)
    write(file, counts(11))
    with pytest.raises(DataError, match="has changed"):
        matrix(graph, info)
    shutil.copy(kept, file)
    assert np.array_equal(matrix(graph, info), dense)


def test_a_linked_file_that_was_moved_is_attached_again(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING, storage="linked", id="here")
    moved = file.with_name("moved.h5ad")
    shutil.move(file, moved)
    with pytest.raises(DataError, match="attached already") as caught:
        attach(graph, moved, MAPPING, storage="linked", id="here")
    assert str(file) in str(caught.value.found)
    report = attach(graph, moved, MAPPING, storage="linked", id="here", replace_existing=True)
    assert report.status == "replaced"
    assert np.array_equal(matrix(graph, datasets(graph)[0]), counts().toarray())
    again = attach(graph, moved, MAPPING, storage="linked", id="here")
    assert again.status == "unchanged"


def test_an_inline_file_may_move(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING, storage="inline", id="here")
    moved = file.with_name("moved.h5ad")
    shutil.move(file, moved)
    assert attach(graph, moved, MAPPING, storage="inline", id="here").status == "unchanged"


def test_kept_columns_may_have_gaps(graph: Database, tmp_path: Path) -> None:
    n = 12
    gap = [None] + [1] * (n - 1)
    columns: dict[str, Any] = {
        "whole": pd.array(gap, dtype="Int64"),
        "flag": pd.array([None] + [True] * (n - 1), dtype="boolean"),
        "word": pd.Categorical([None] + ["a"] * (n - 1)),
        "part": [np.nan] + [0.5] * (n - 1),
    }
    path = write(tmp_path / "gaps.h5ad", obs=cells_table().assign(**columns))
    attach(graph, path, CellMapping.read(MAPS, keep=list(columns)))
    rows = graph.rows(
        "MATCH (c:Cell) RETURN c.whole AS whole, c.flag AS flag, c.word AS word, c.part AS part "
        "ORDER BY c.row"
    )
    assert rows[0] == {"whole": None, "flag": None, "word": None, "part": None}
    assert rows[1] == {"whole": 1, "flag": True, "word": "a", "part": 0.5}


def test_auto_links_what_is_large(
    graph: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tosg.kg.cells.plan.INLINE_LIMIT", 10)
    assert attach(graph, file, MAPPING).storage == "linked"


def test_a_dry_run_writes_nothing(graph: Database, file: Path) -> None:
    before = graph.bookmark()
    report = attach(graph, file, MAPPING, dry_run=True)
    assert graph.bookmark() == before
    assert (report.status, report.cells) == ("planned", 12)
    assert report.expresses > 0


def test_two_data_sets_and_detach(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING, id="one")
    attach(graph, file, MAPPING, id="two")
    assert [d.id for d in datasets(graph)] == ["one", "two"]
    idx = cell_idx(graph, "two")
    with pytest.raises(DataError, match="another data set"):
        list(read_expression(graph, datasets(graph, ["one"])[0], idx))
    assert detach(graph, "one") == 12
    assert [d.id for d in datasets(graph)] == ["two"]
    assert nodes(graph)["Cell"] == 12
    with pytest.raises(UsageError, match="unknown dataset"):
        detach(graph, "one")
    with pytest.raises(DataError, match="missing from the graph"):
        list(read_expression(graph, datasets(graph)[0], np.append(idx, idx[-1] + 1000)))


def test_remap_finds_what_the_graph_has_learned(database: Database, file: Path) -> None:
    small_graph(database, genes=GENES[1:])
    attach(database, file, MAPPING, id="late")
    add_nodes(database, "Gene", [GENES[0], ("ncbigene:99", "UNKNOWN", "", [], [])])
    report = remap(database, "late")
    assert report.gained == {"CD3D": "ncbigene:915", "UNKNOWN": "ncbigene:99"}
    assert (report.status, report.lost, report.moved) == ("remapped", {}, {})
    late = _edges(database)
    attach(database, file, MAPPING, id="late", replace_existing=True, title="again")
    assert late == _edges(database)
    assert remap(database, "late").status == "unchanged"
    database.write("MATCH (g:Gene {symbol: 'CD3E'}) DETACH DELETE g")
    assert remap(database, "late").lost == {"CD3E": "ncbigene:916"}
    assert datasets(database)[0].variable_entities[1] is None


def unlearned(db: Database) -> None:
    """Take from the graph what `learned` brings."""
    db.write("MATCH (t:CellType {name: 'T cell'}) SET t.synonyms = []")
    db.write("MATCH (t:Anatomy {name: 'lung'}) DETACH DELETE t")


def learned(db: Database) -> None:
    """Let the graph learn a synonym, so that two groups are one, a tissue, a gene and a name."""
    db.write("MATCH (t:CellType {name: 'T cell'}) SET t.synonyms = ['T lymphocyte']")
    db.write("MATCH (t {name: 'B cell'}) SET t.name = 'B lymphocyte', t.synonyms = ['B cell']")
    add_nodes(db, "Anatomy", [("uberon:0002048", None, "lung", [], [])])
    add_nodes(db, "Gene", [GENES[0]])


def everything(db: Database) -> list[Any]:
    """What a data set is in the graph, idx and the vectors aside."""
    cells = db.rows("MATCH (c:Cell) RETURN c {.*, idx: null, expression: null} AS c ORDER BY c.row")
    groups = db.rows("MATCH (g:CellGroup)-[:FROM]->(:Dataset) RETURN g {.*} AS g ORDER BY g.id")
    links = db.rows(
        "MATCH (g:CellGroup)-[r:OF_TYPE|FROM_TISSUE|WITH_DISEASE]->(n) "
        "RETURN g.id AS g, type(r) AS r, n.id AS n ORDER BY g, r"
    )
    report = stored_report(db, "late").document() | {"status": "", "seconds": 0}
    return [cells, groups, links, _edges(db), report, datasets(db)[0].variable_entities]


@pytest.mark.parametrize("most", [4, 100_000])
def test_remap_gives_what_attaching_now_would_give(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    small_graph(database, genes=GENES[1:])
    unlearned(database)
    attach(database, file, MAPPING, id="late", min_fraction=0.2)
    first = everything(database)
    with monkeypatch.context() as patch:
        patch.setattr("tosg.kg.cells.remap.write_report", None)  # nothing is written
        assert remap(database, "late").status == "unchanged"

    learned(database)
    for module in ("remap", "regroup_writer"):
        monkeypatch.setattr(f"tosg.kg.cells.{module}.MOST", most)

    class Killed(BaseException):
        pass

    # Killed after each of its transactions, until none is left.
    done, killed = 0, 0
    whole = staging.Stage.transaction

    @contextmanager
    def mortal(self: staging.Stage) -> Iterator[Any]:
        nonlocal done
        with whole(self) as transaction:
            yield transaction
        done += 1
        if done == killed:
            raise Killed

    monkeypatch.setattr(staging.Stage, "transaction", mortal)
    while True:
        done, killed = 0, killed + 1
        try:
            remap(database, "late")
            break
        except Killed:
            pass
    assert (killed > 3) == (most == 4)
    remapped = everything(database)
    assert remapped != first
    monkeypatch.undo()
    assert remap(database, "late").status == "unchanged"
    attach(database, file, MAPPING, id="late", min_fraction=0.2, replace_existing=True, title="x")
    again = everything(database)
    again[4]["title"] = ""
    assert remapped == again
    assert {r["g"].get("cell_type") for r in again[1]} == {"T cell", "B lymphocyte", None}


def _edges(db: Database) -> list[dict[str, Any]]:
    return db.rows(
        "MATCH (g:CellGroup)-[r:EXPRESSES]->(e) RETURN g.id AS g, e.id AS e, "
        "round(r.mean, 6) AS mean, r.fraction AS fraction ORDER BY g, e"
    )


@pytest.mark.parametrize("state", ["writing", "ready", "deleting"])
@pytest.mark.parametrize("limit", [4, 50_000])
def test_an_interrupted_run_is_cleared_or_completed(
    graph: Database, file: Path, monkeypatch: pytest.MonkeyPatch, state: str, limit: int
) -> None:
    monkeypatch.setattr(staging, "ONE_TRANSACTION", limit)
    attach(graph, file, MAPPING, id="old")
    groups = nodes(graph)["CellGroup"]

    new: dict[str, Any] = {"id": "old", "title": "new", "replace_existing": True}

    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    # What a killed process leaves behind, at three moments.
    step = {"writing": "ready", "ready": "finish", "deleting": "_finish_removal"}[state]
    with monkeypatch.context() as patch:
        patch.setattr(staging.Stage, step, killed)
        action = {
            "deleting": lambda: detach(graph, "old"),
        }.get(state, lambda: attach(graph, file, MAPPING, **new))
        with pytest.raises(Killed):
            action()
    assert [d.title for d in datasets(graph)] == [""]
    left = nodes(graph)
    assert (left["Cell"], left["CellGroup"]) == (12, groups)
    with pytest.raises(UsageError, match="unknown dataset"):
        remap(graph, "nothing")  # any writer recovers first
    titles = {"writing": [""], "ready": ["new"], "deleting": []}[state]
    assert [d.title for d in datasets(graph)] == titles
    whole = {"Cell": 12, "CellGroup": groups, "Dataset": 1} if titles else {}
    assert nodes(graph) == whole
    if titles:
        assert np.array_equal(matrix(graph, datasets(graph)[0]), counts().toarray())


def test_one_writer_at_a_time(graph: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "WAIT", 0.0)
    with meta.lease(graph, "a load"), pytest.raises(DatabaseError, match="a load"):
        attach(graph, file, MAPPING)
    assert nodes(graph) == {}


def test_kept_columns_and_names_that_are_taken(graph: Database, file: Path) -> None:
    attach(graph, file, CellMapping.read(MAPS, [], ["score", "organ"]))
    rows = graph.rows("MATCH (c:Cell) RETURN c.score AS s, c.organ AS o ORDER BY c.row LIMIT 2")
    assert rows == [{"s": 0.0, "o": "lung"}, {"s": 0.25, "o": "blood"}]
    obs = cells_table().assign(row=1)
    with pytest.raises(UsageError, match="name of a property"):
        attach(graph, write(file, obs=obs), CellMapping.read([], [], ["row"]))
