"""Point 2 of the reliability table: every modality has its own total; and what attaching notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from support.cells import cells_table, counts, small_graph, write

from tosg.errors import ConfigError, DataError, UsageError
from tosg.kg.cells.attach import attach, stored_report
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.remap import remap
from tosg.kg.cells.stored.dataset import datasets

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j

GENES = ["CD3D", "CD3E", "MS4A1", "LYZ"]
ANTIBODIES = ["CD3D_TotalSeqB", "P04234-1", "IgG1_control"]
RNA = counts().toarray()[:, :4]
ADT = np.array([[50 + 10 * i + j for j in range(3)] for i in range(12)], float)
PEAKS = np.full((12, 2), 7.0)


def citeseq(path: Path, *, extra: bool = True, **obs: Any) -> Path:
    """Genes, antibodies whose counts are ten times as many, and peaks."""
    names, kinds, parts = list(GENES), ["Gene Expression"] * 4, [RNA]
    if extra:
        names += [*ANTIBODIES, "chr1:1-9", "chr1:20-29"]
        kinds += ["Antibody Capture"] * 3 + ["Peaks"] * 2
        parts += [ADT, PEAKS]
    var = pd.DataFrame({"feature_types": kinds}, index=names)
    return write(path, sp.csr_matrix(np.hstack(parts)), obs=cells_table().assign(**obs), var=var)


def cells(db: Database) -> list[dict[str, Any]]:
    rows = db.rows("MATCH (c:Cell) RETURN properties(c) AS c ORDER BY c.row")
    return [row["c"] for row in rows]


def logs(values: Any, totals: Any) -> Any:
    return np.log1p(values / totals * 1e4)


def test_antibodies_and_peaks_are_no_part_of_the_rna(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    mapping = CellMapping.read(["cell_type=label"])
    path = citeseq(tmp_path / "cite.h5ad")
    markers = ["CD3E", "CD3D:gene", "CD3D:protein", "chr1:1-9"]
    report = attach(database, path, mapping, markers=markers, min_fraction=0.0)
    rna = RNA.sum(axis=1)
    found = cells(database)
    assert [c["n_counts"] for c in found] == rna.tolist()
    assert [c["n_genes"] for c in found] == (RNA > 0).sum(axis=1).tolist()
    assert [c["n_counts_protein"] for c in found] == ADT.sum(axis=1).tolist()
    divisors = np.exp(np.log1p(ADT).mean(axis=1))
    assert np.allclose([c["protein_clr"] for c in found], divisors)
    assert np.allclose([c["expr_CD3E"] for c in found], logs(RNA[:, 1], rna), rtol=1e-6)
    assert np.allclose([c["expr_CD3D_gene"] for c in found], logs(RNA[:, 0], rna), rtol=1e-6)
    # The variable that stands for the protein: an identifier wins over a name.
    clr = np.log1p(ADT[:, 1] / divisors)
    assert np.allclose([c["expr_CD3D_protein"] for c in found], clr, rtol=1e-6)
    # Peaks have a total of their own.
    assert np.allclose([c["expr_chr1_1_9"] for c in found], np.log1p(5000), rtol=1e-6)

    info = datasets(database)[0]
    assert info.modalities == ["gene"] * 4 + ["protein"] * 3 + ["other"] * 2
    assert (info.mean_unit, info.protein_unit) == ("log1p_cp10k", "clr")
    assert (info.total_property, info.library_size) == ("n_counts", "")
    assert info.variable_cells == [*(RNA > 0).sum(axis=0).tolist(), 12, 12, 12, 12, 12]
    assert info.notes == report.notes == stored_report(database, "cite").notes
    assert any("3 antibodies are no part of n_counts" in note for note in report.notes)
    assert any("2 variables are neither genes nor antibodies" in note for note in report.notes)

    expresses = (
        "MATCH (g:CellGroup)-[e:EXPRESSES]->(n {symbol: 'CD3D'}) "
        "RETURN labels(n) AS kinds, sum(e.mean * g.n_cells) AS total ORDER BY size(kinds), kinds"
    )
    before = database.rows(expresses)
    totals = {next(k for k in r["kinds"] if k != "Entity"): r["total"] for r in before}
    assert totals["Gene"] == pytest.approx(logs(RNA[:, 0], rna).sum(), rel=1e-6)
    assert totals["Protein"] == pytest.approx(clr.sum(), rel=1e-6)
    # Mapping again gives the same numbers.
    database.write("MATCH (:CellGroup)-[e:EXPRESSES]->({symbol: 'CD3D'}) DELETE e")
    database.write("MATCH (d:Dataset) SET d.variable_entities = [x IN d.variable_entities | '']")
    assert remap(database, "cite").status == "remapped"
    after = database.rows(expresses)
    assert [r["kinds"] for r in after] == [r["kinds"] for r in before]
    assert [r["total"] for r in after] == pytest.approx([r["total"] for r in before])


def test_a_marker_that_is_a_gene_and_an_antibody_is_asked_for(
    database: Database, tmp_path: Path
) -> None:
    small_graph(database)
    path = citeseq(tmp_path / "cite.h5ad")
    for dry_run in (True, False):
        with pytest.raises(UsageError, match="variables of several kinds") as caught:
            attach(database, path, markers=["CD3D"], dry_run=dry_run)
        assert caught.value.expected == "CD3D:gene or CD3D:protein"
    with pytest.raises(UsageError, match="unknown marker"):
        attach(database, path, markers=["CD3E:protein"])


def test_genes_alone_have_the_totals_that_they_had(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    attach(database, citeseq(tmp_path / "rna.h5ad", extra=False), markers=["CD3D"])
    found = cells(database)
    assert [c["n_counts"] for c in found] == RNA.sum(axis=1).tolist()
    assert "n_counts_protein" not in found[0]
    assert datasets(database)[0].protein_unit == ""


def test_library_sizes_of_the_owner(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    sizes = RNA.sum(axis=1) * 10 + 3
    path = citeseq(tmp_path / "panel.h5ad", total_counts=sizes)
    mapping = CellMapping.read(["cell_type=label"])
    report = attach(database, path, mapping, markers=["LYZ"], min_fraction=0.0)
    panel = next(note for note in report.notes if note.startswith("4 genes are a panel"))
    assert "no library sizes" in panel
    assert "--map n_counts=COLUMN" in panel
    assert "perhaps total_counts" in panel

    mapping = CellMapping.read(["cell_type=label", "n_counts=total_counts"])
    report = attach(
        database, path, mapping, markers=["LYZ"], min_fraction=0.0, replace_existing=True
    )
    assert not any("panel" in note for note in report.notes)
    found = cells(database)
    assert [c["n_counts"] for c in found] == sizes.tolist()
    expected = logs(RNA[:, 3], sizes)
    assert np.allclose([c["expr_LYZ"] for c in found], expected, rtol=1e-6)
    assert datasets(database)[0].library_size == "total_counts"
    mean = (
        "MATCH (g:CellGroup)-[e:EXPRESSES]->({symbol: 'LYZ'}) RETURN sum(e.mean * g.n_cells) AS s"
    )
    assert database.rows(mean)[0]["s"] == pytest.approx(expected.sum(), rel=1e-6)
    # Mapping again divides by the same sizes.
    database.write("MATCH (d:Dataset) SET d.variable_entities = [x IN d.variable_entities | '']")
    remap(database, "panel")
    assert database.rows(mean)[0]["s"] == pytest.approx(expected.sum(), rel=1e-6)
    # A meta-cell's library is that of its members.
    attach(
        database,
        path,
        CellMapping.read(["donor_id=patient", "n_counts=total_counts"]),
        metacells=4,
        replace_existing=True,
    )
    assert sum(c["n_counts"] for c in cells(database)) == sizes.sum()


@pytest.mark.parametrize(
    ("sizes", "message", "found"),
    [
        (RNA.sum(axis=1) - (np.arange(12) == 5), "less than the counts of the cell", "row 5"),
        (RNA.sum(axis=1) + 0.5, "not a whole number above 0", "cell0"),
        ([*([900] * 11), np.nan], "not a whole number above 0", "cell11"),
        (["many"] * 12, "not a whole number above 0", "cell0"),
        ([2.0**63] * 12, "not a whole number above 0", "cell0"),
    ],
)
def test_wrong_library_sizes(
    database: Database, tmp_path: Path, sizes: Any, message: str, found: str
) -> None:
    path = citeseq(tmp_path / "x.h5ad", size=sizes)
    for dry_run in (True, False):
        with pytest.raises(DataError, match=message) as caught:
            attach(database, path, CellMapping.read(["n_counts=size"]), dry_run=dry_run)
        assert found in str(caught.value.where)
    with pytest.raises(UsageError, match="one value for all cells"):
        attach(database, path, CellMapping.read([], ["n_counts=5"]))


def test_corrected_counts_are_normalised_by_their_own_total(
    database: Database, tmp_path: Path
) -> None:
    """Point 1: the way through for decimals, whose logarithm per 10,000 is recorded."""
    small_graph(database)
    x = np.where(RNA > 0, RNA * 0.9 + np.random.default_rng(3).uniform(0, 0.4, RNA.shape), 0)
    x = x.astype(np.float32)
    path = write(tmp_path / "soup.h5ad", sp.csr_matrix(x), var=pd.DataFrame(index=GENES))
    for dry_run in (True, False):
        with pytest.raises(DataError, match="unit of the values is not certain"):
            attach(database, path, dry_run=dry_run)
    report = attach(database, path, unit="corrected_counts", markers=["LYZ"])
    assert (report.unit, report.mean_unit) == ("corrected_counts", "log1p_cp10k")
    totals = x.sum(axis=1)
    found = cells(database)
    assert np.allclose([c["expression_total"] for c in found], totals, rtol=1e-6)
    assert "n_counts" not in found[0]
    assert np.allclose([c["expr_LYZ"] for c in found], logs(x[:, 3], totals), rtol=1e-5)
    assert datasets(database)[0].total_property == "expression_total"
    for storage in ("inline", "linked"):
        report = attach(database, path, round=True, storage=storage, replace_existing=True)
        assert report.unit == "counts"
        assert any("rounded to whole numbers, as --round says" in n for n in report.notes)
        assert [c["n_counts"] for c in cells(database)] == np.rint(x).sum(axis=1).tolist()
        info = datasets(database)[0]
        assert np.array_equal(_stored(database, info), np.rint(x))


def _stored(db: Database, info: Any) -> Any:
    from tosg.kg.cells.stored.dataset import read_expression

    idx = np.array([c["idx"] for c in cells(db)])
    return sp.vstack(
        [b.to_scipy(len(info.variables)) for b in read_expression(db, info, idx)]
    ).toarray()


def test_columns_may_be_called_like_our_parameters(database: Database, tmp_path: Path) -> None:
    """Point 9: names of users' columns never collide with ours."""
    small_graph(database)
    names = ["dataset_id", "query", "transaction", "n", "first_idx", "columns", "i", "c", "obs"]
    obs = cells_table().assign(**{name: [f"{name}{k}" for k in range(12)] for name in names})
    path = write(tmp_path / "x.h5ad", obs=obs)
    attach(database, path, CellMapping.read([], ["donor_id=one"], keep=names))
    found = cells(database)
    assert [[c[name] for name in names] for c in found] == [
        [f"{name}{k}" for name in names] for k in range(12)
    ]
    assert {c["dataset"] for c in found} == {"x"}


def test_numbers_beyond_64_bits_are_refused_by_name(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    big = np.arange(12, dtype=np.uint64) + 2**63 - 3
    scores = [np.inf, -np.inf, np.nan, *range(9)]
    obs = cells_table().assign(big=big, score=scores, fits=np.uint64(2**63 - 1))
    path = write(tmp_path / "x.h5ad", obs=obs)
    for dry_run in (True, False):
        with pytest.raises(DataError, match="too large for the graph") as caught:
            attach(database, path, CellMapping.read(keep=["big"]), dry_run=dry_run)
        assert "obs, big, cell3" in str(caught.value.where)
    attach(database, path, CellMapping.read(keep=["fits", "score"]))
    found = cells(database)
    assert {c["fits"] for c in found} == {2**63 - 1}
    assert [c.get("score") for c in found][:4] == [np.inf, -np.inf, None, 0.0]


def test_a_dry_run_fails_where_the_real_one_would(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    path = write(tmp_path / "x.h5ad")
    attach(database, path)
    for dry_run in (True, False):
        with pytest.raises(DataError, match="is attached already, and this one differs"):
            attach(database, path, title="other", dry_run=dry_run)
    report = attach(database, path, title="other", dry_run=True, replace_existing=True)
    assert report.status == "planned"


def test_a_text_that_no_index_holds_is_refused(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    path = write(tmp_path / "x.h5ad", obs=cells_table().assign(donor=["D" * 9000] * 12))
    for dry_run in (True, False):
        with pytest.raises(DataError, match="too long for an index") as caught:
            attach(database, path, CellMapping.read(["donor_id=donor"]), dry_run=dry_run)
        assert str(caught.value.where).endswith("x.h5ad: donor_id")


def test_maps_of_the_cells_are_kept(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    umap = np.array([[i, i / 8] for i in range(12)], np.float32)
    umap[3] = np.nan
    obsm = {"X_umap": umap, "X_pca": np.zeros((12, 5)), "spatial": np.arange(24).reshape(12, 2)}
    path = write(tmp_path / "x.h5ad", obsm=obsm, obs=cells_table().assign(map_umap="mine"))
    attach(database, path, CellMapping.read(["donor_id=patient"]))
    found = cells(database)
    assert [c.get("map_umap") for c in found][2:5] == [[2.0, 0.25], None, [4.0, 0.5]]
    assert found[1]["map_spatial"] == [2.0, 3.0]
    assert "map_pca" not in found[0]
    assert datasets(database)[0].maps == ["spatial", "umap"]
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match="name of a kept column"):
            attach(
                database,
                path,
                CellMapping.read(keep=["map_umap"]),
                replace_existing=True,
                dry_run=dry_run,
            )
    mapping = CellMapping.read(["donor_id=patient"])
    attach(database, path, mapping, metacells=4, replace_existing=True)
    for cell in cells(database):
        rows = [int(m.removeprefix("cell")) for m in cell["members"]]
        assert np.allclose(cell["map_spatial"], np.mean([[2 * r, 2 * r + 1] for r in rows], axis=0))


def test_cells_without_values_are_counted(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    x = counts().toarray()
    x[[2, 7]] = 0
    report = attach(database, write(tmp_path / "x.h5ad", sp.csr_matrix(x)))
    assert any(note.startswith("2 of 12 cells have no value at all") for note in report.notes)
    assert datasets(database)[0].notes == report.notes
