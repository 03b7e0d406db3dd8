"""Attaching files of cells to a real database, and reading them back."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from support.cells import GENES, MAPS, VARIABLES, add_nodes, cells_table, counts, small_graph, write

from tosg.errors import DatabaseError, DataError, UsageError
from tosg.kg.cells.attach import attach, stored_report
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.remap import detach, remap
from tosg.kg.cells.signals import write_signals
from tosg.kg.cells.stored import staging, switch
from tosg.kg.cells.stored.dataset import DatasetInfo, datasets, read_expression
from tosg.kg.cells.values.codec import decode
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import Lease, hold_lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tosg.kg.database.connection import Database

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
    staged = (staging.CELL, staging.GROUP, staging.DATASET, switch.GONE)
    labels = ("Cell", "CellGroup", "Dataset", *staged)
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
    assert np.array_equal(np.concatenate([b.rows for b in blocks]), wanted)
    width = len(info.variables)
    return sp.vstack(
        [sp.csr_matrix((b.values, b.indices, b.indptr), shape=(len(b.rows), width)) for b in blocks]
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
    assert report.variables["mapped"] == {"symbol": 5}
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
    again = file.with_suffix(".copy.h5ad")
    shutil.copy(file, again)
    for dry_run in (True, False):
        with pytest.raises(DataError, match="attached already, as another data set"):
            attach(graph, again, MAPPING, id="two", dry_run=dry_run)
    assert attach(graph, again, MAPPING, id="two", metacells=4).measured_cells == 12
    detach(graph, "two")
    # The same cells saved again are not the same file: said, and left to the user.
    report = attach(graph, write(again, sp.csc_matrix(counts())), MAPPING, id="two")
    assert any("12 cells" in note and "attached as one" in note for note in report.notes)
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


def test_scores_of_edges_go_with_their_groups(graph: Database, file: Path) -> None:
    attach(graph, file, MAPPING, id="one")
    rows = graph.rows("MATCH (g:CellGroup) RETURN g.id AS id ORDER BY id LIMIT 1")
    scores = {"group": [rows[0]["id"]], "source": ["ncbigene:915"], "target": ["ncbigene:916"]}
    write_signals(graph, pa.table({**scores, "score": [0.5]}), "model")
    assert detach(graph, "one") == 12
    assert graph.rows("MATCH ()-[s:SIGNALS_IN]->() RETURN count(s) AS n") == [{"n": 0}]
    assert (
        graph.rows("MATCH (n) WHERE n:CellGroup OR n:TosgRemoved RETURN count(n) AS n")[0]["n"] == 0
    )


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
    report = stored_report(db, "late").as_dict() | {"status": "", "seconds": 0}
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
    for module in ("remap", "stored.regroup_writer"):
        monkeypatch.setattr(f"tosg.kg.cells.{module}.MOST", most)

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


class Killed(BaseException):
    """What ends a process between two of its transactions."""


@contextmanager
def after_each_transaction(do: Callable[[], None]) -> Iterator[None]:
    """Do something whenever a transaction of a writer of cells has been committed."""
    whole = staging.Stage.transaction

    @contextmanager
    def then(stage: staging.Stage) -> Iterator[Any]:
        with whole(stage) as transaction:
            yield transaction
        do()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging.Stage, "transaction", then)
        # A process that was killed clears nothing.
        patch.setattr(staging.Stage, "discard", lambda _stage: None)
        yield


def seen(db: Database) -> list[Any]:
    """What queries that name labels see: titles, cells, groups, their links and EXPRESSES."""
    titles = [d.title for d in datasets(db)]
    counts = {k: n for k, n in nodes(db).items() if not k.startswith("Tosg")}
    links = db.rows(
        "MATCH (g:CellGroup)-[r]->(n) WHERE n:Entity OR n:Dataset "
        "RETURN type(r) AS kind, count(*) AS n ORDER BY kind"
    )
    files = db.rows("MATCH (c:Cell) RETURN sum(c.n_counts) AS n")
    return [titles, counts, {r["kind"]: r["n"] for r in links}, files[0]["n"]]


def all_relationships(db: Database) -> int:
    return int(db.rows("MATCH ()-[r]->() RETURN count(r) AS n")[0]["n"])


ROOM = {"at once": 1 << 40, "cells at once": 12 * (1_250 + 2_950), "in steps": 0}


@pytest.mark.parametrize(
    ("action", "room"),
    [
        *(("replace", room) for room in ROOM),
        ("detach", "at once"),
        ("detach", "in steps"),
    ],
)
def test_a_data_set_is_seen_whole_or_not_at_all_or_describe_partial(
    graph: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, room: str
) -> None:
    monkeypatch.setattr(switch, "room", lambda _db: ROOM[room])
    cells = [replace(move, step=5) for move in switch._CELLS]
    monkeypatch.setattr(switch, "_CELLS", cells)
    old, new = (write(tmp_path / f"{n}.h5ad", counts(n)) for n in (9, 12))
    mapping = CellMapping.read(["cell_type=label"])
    options: dict[str, Any] = {"id": "set", "replace_existing": True}

    def begin() -> None:
        graph.write("MATCH (n:Cell|CellGroup|Dataset) DETACH DELETE n")
        attach(graph, old, mapping, title="old", **options)

    def act() -> None:
        if action == "detach":
            detach(graph, "set")
        else:
            attach(graph, new, mapping, title="new", **options)

    states: list[Any] = []

    def look() -> None:
        found, part = seen(graph), staging.in_part(graph)
        if part is None:
            states.append(("before", "after")[[before, after].index(found)])
        else:
            states.append("part")
            assert (part, found[0]) == ("set", [])
            assert "only a part of data set" in staging.describe_partial(graph)[0]
        if room == "at once" and states[-1] == "before":
            assert all_relationships(graph) == relationships[0]

    begin()
    before, relationships = seen(graph), [all_relationships(graph)]
    act()
    after = seen(graph)
    relationships.append(all_relationships(graph))
    begin()
    with after_each_transaction(look):
        act()
    expected = ["before", "part", "after"] if room == "in steps" else ["before", "after"]
    assert [state for state, _ in groupby(states)] == expected

    for stop in range(states.index(expected[1]) - 2, len(states), 3):
        begin()
        committed = iter(range(len(states)))

        def kill(stop: int = stop, committed: Iterator[int] = committed) -> None:
            if next(committed) == stop:
                raise Killed

        with after_each_transaction(kill), pytest.raises(Killed):
            act()
        with pytest.raises(UsageError, match="unknown dataset"):
            remap(graph, "nothing")  # any writer of cells recovers first
        assert (seen(graph), all_relationships(graph)) == (after, relationships[1])
        assert not any(label.startswith("Tosg") for label in nodes(graph))


def test_a_run_that_is_killed_while_it_writes_leaves_nothing(graph: Database, file: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging.Stage, "ready", _killed)
        patch.setattr(staging.Stage, "discard", lambda _stage: None)
        with pytest.raises(Killed):
            attach(graph, file, MAPPING)
    assert set(nodes(graph)) == {staging.CELL, staging.GROUP, staging.DATASET}
    assert not all_relationships(graph)
    report = attach(graph, file, MAPPING)
    assert report.notes[-1] == "small-set: removed what an interrupted run had written"
    assert nodes(graph) == {"Cell": 12, "CellGroup": report.groups, "Dataset": 1}


def test_another_writer_may_come_first(
    graph: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(file.with_name("other.h5ad"), counts(5))
    real = hold_lease

    @contextmanager
    def late(*args: Any, **options: Any) -> Iterator[Lease]:
        monkeypatch.setattr("tosg.kg.cells.attach.hold_lease", real)
        attach(graph, file, MAPPING, id="one")
        with real(*args, **options) as held:
            yield held

    monkeypatch.setattr("tosg.kg.cells.attach.hold_lease", late)
    with pytest.raises(DataError, match="attached already"):
        attach(graph, other, MAPPING, id="one")
    assert nodes(graph)["Cell"] == 12
    detach(graph, "one")
    monkeypatch.setattr("tosg.kg.cells.attach.hold_lease", late)
    assert attach(graph, file, MAPPING, id="one").status == "unchanged"


def test_what_an_interrupted_run_completed_is_not_replaced_unasked(
    graph: Database, file: Path
) -> None:
    other = write(file.with_name("other.h5ad"), counts(5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(switch, "switch", _killed)
        with pytest.raises(Killed):
            attach(graph, file, MAPPING, id="one")
    assert datasets(graph) == []
    with pytest.raises(DataError, match="attached already"):
        attach(graph, other, MAPPING, id="one")
    assert nodes(graph)["Cell"] == 12
    assert attach(graph, file, MAPPING, id="one").status == "unchanged"


def _killed(*_: Any, **__: Any) -> None:
    raise Killed


def test_what_is_being_thrown_away_is_not_taken_for_a_whole(graph: Database, file: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging.Stage, "drain", _killed)
        whole = staging.Stage.ready

        def stopped(stage: staging.Stage) -> None:
            whole(stage)
            raise KeyboardInterrupt

        patch.setattr(staging.Stage, "ready", stopped)
        patch.setattr(switch, "recover", lambda _stage: None)
        with pytest.raises(Killed):
            attach(graph, file, MAPPING)
    with pytest.raises(UsageError):
        remap(graph, "nothing")
    assert nodes(graph) == {}


def test_a_transaction_gets_half_of_what_the_server_has(database: Database) -> None:
    heap = database.rows(
        "CALL dbms.queryJmx('java.lang:type=Memory') YIELD attributes "
        "RETURN attributes.HeapMemoryUsage.value.properties.max AS value"
    )
    assert switch.room(database) == pytest.approx(heap[0]["value"] * 0.35, rel=0.01)
    assert [switch._bytes(t) for t in ("0B", "1.50GiB", "630.00MiB")] == [0, 3 << 29, 630 << 20]


def test_one_writer_at_a_time(graph: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "WAIT", 0.0)
    with hold_lease(graph, "a load"), pytest.raises(DatabaseError, match="a load"):
        attach(graph, file, MAPPING)
    assert nodes(graph) == {}


def test_kept_columns_and_names_that_are_taken(graph: Database, file: Path) -> None:
    attach(graph, file, CellMapping.read(MAPS, [], ["score", "organ"]))
    rows = graph.rows("MATCH (c:Cell) RETURN c.score AS s, c.organ AS o ORDER BY c.row LIMIT 2")
    assert rows == [{"s": 0.0, "o": "lung"}, {"s": 0.25, "o": "blood"}]
    obs = cells_table().assign(row=1)
    with pytest.raises(UsageError, match="name of a property"):
        attach(graph, write(file, obs=obs), CellMapping.read([], [], ["row"]))
