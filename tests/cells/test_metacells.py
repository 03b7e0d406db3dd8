"""Meta-cells: sums within one donor, tissue, disease and cell type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from support.cells import MAPS, VARIABLES, cells_table, small_graph, write

from tosg.errors import DataError
from tosg.kg.cells.attach import attach
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.stored.dataset import datasets, read_expression

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j
MAPPING = CellMapping.read(MAPS)
N = 240


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    small_graph(database)
    x = np.random.default_rng(3).poisson(2.0, (N, len(VARIABLES))).astype(np.float32)
    return write(tmp_path / "many.h5ad", sp.csr_matrix(x))


def cells(db: Database) -> list[dict[str, Any]]:
    return [r["c"] for r in db.rows("MATCH (c:Cell) RETURN c {.*} AS c ORDER BY c.idx")]


@pytest.mark.parametrize("method", ["kmeans", "random"])
def test_sums_of_members_of_one_stratum(database: Database, file: Path, method: str) -> None:
    import anndata

    mapping = CellMapping.read(MAPS, keep=["patient", "score"])
    report = attach(database, file, mapping, metacells=5, metacell_method=method, seed=4)
    assert report.measured_cells == N
    assert report.storage == "inline"
    table, x = cells_table(N), anndata.read_h5ad(file).X.toarray()
    # A synonym is no border.
    table["kind"] = table["label"].replace({"T lymphocyte": "T cell", "nan": ""})
    found = cells(database)
    assert len(found) == report.cells < N
    members = [m for c in found for m in c["members"]]
    assert sorted(members) == sorted(f"cell{i}" for i in range(N))
    info = datasets(database)[0]
    blocks = list(read_expression(database, info, np.array([c["idx"] for c in found])))
    dense = sp.vstack(
        [sp.csr_matrix((b.values, b.indices, b.indptr), shape=(len(b), 7)) for b in blocks]
    ).toarray()
    for row, cell in enumerate(found):
        rows = [int(m.removeprefix("cell")) for m in cell["members"]]
        assert cell["n_cells"] == len(rows)
        assert cell["id"] == f"many:meta:{cell['members'][0]}"
        assert np.array_equal(dense[row], x[rows].sum(axis=0))
        assert cell["n_counts"] == x[rows].sum()
        for column in ("patient", "kind", "organ", "state"):
            assert len({table[column].iloc[r] for r in rows}) == 1
        assert cell.get("cell_type", "") == table["kind"].iloc[rows[0]]
        assert cell["patient"] == cell["donor_id"]
        assert cell.get("score") == (table["score"].iloc[rows[0]] if len(rows) == 1 else None)
        assert "row" not in cell
    assert database.rows("MATCH (g:CellGroup) RETURN sum(g.n_cells) AS n") == [{"n": N}]


def test_the_same_seed_gives_the_same_meta_cells(database: Database, file: Path) -> None:
    made = []
    for seed in (1, 1, 2):
        attach(database, file, MAPPING, metacells=4, seed=seed, replace_existing=True)
        made.append([c["members"] for c in cells(database)])
        attach(database, file, MAPPING, replace_existing=True)
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_the_donor_must_be_known(database: Database, file: Path) -> None:
    with pytest.raises(DataError, match="donor of each cell"):
        attach(database, file, CellMapping.read(MAPS[1:]), metacells=4)


@pytest.mark.parametrize(("value", "message"), [(-1, "below 0"), (0.5, "not a whole number")])
def test_a_wrong_value_does_not_hide_in_a_sum(
    database: Database, tmp_path: Path, value: float, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tosg.kg.cells.values.readings.PROBE_ROWS", 1)
    x = np.full((40, 7), 3, np.float32)
    x[[3, 4]] = value
    path = write(
        tmp_path / "odd.h5ad",
        sp.csr_matrix(x),
        obs=pd.DataFrame(index=[f"c{i}" for i in range(40)]),
    )
    small_graph(database)
    for size in (4, 40):
        with pytest.raises(DataError, match=message) as caught:
            attach(database, path, CellMapping.read([], ["donor_id=one"]), metacells=size)
        assert "row 3" in str(caught.value.where)


def test_only_counts_can_be_summed(database: Database, tmp_path: Path) -> None:
    shares = np.arange(1, 29).reshape(4, 7) ** 2
    x = np.log1p(shares / shares.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    path = write(tmp_path / "logs.h5ad", x, obs=pd.DataFrame(index=list("abcd")))
    small_graph(database)
    mapping = CellMapping.read([], ["donor_id=one"])
    with pytest.raises(DataError, match="meta-cells are made of counts"):
        attach(database, path, mapping, metacells=2)
