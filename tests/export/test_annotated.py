"""AnnData and MuData of a selection, read by anndata, mudata, scanpy and scvi-tools."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pytest
from support import signals

import tosg
from tosg.errors import ExportError
from tosg.export.layouts import annotated
from tosg.export.selection import Selection
from tosg.export.write.layouts import export_layout

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

ASKED: dict[str, Any] = {"target": "cell_type", "split": "donor", "shard_size": 16}
IDS = [id_ for _, id_, _ in signals.NODES]


@pytest.fixture
def adata(cells: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> anndata.AnnData:
    monkeypatch.setattr(annotated, "_CELLS_AT_ONCE", 10)  # several blocks in a shard
    path = export_layout(cells, Selection(**ASKED), tmp_path / "out", "anndata").folder
    assert path == tmp_path / "out.h5ad"
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5ad"]
    return anndata.read_h5ad(path)


def test_values_vectors_and_splits(adata: anndata.AnnData) -> None:
    assert adata.var_names.tolist() == IDS
    ids = adata.obs_names.tolist()
    np.testing.assert_array_equal(adata.X.toarray(), signals.dense(ids, IDS))
    assert adata.X.dtype == np.float32
    assert set(adata.obs["split"]) <= {"train", "val", "test"}
    assert adata.obs["target"].tolist() == adata.obs["cell_type"].tolist()
    expected = np.array(
        [
            [0 if id_ in signals.WITHOUT_TEXT else i + j / 10_000 for j in range(6)]
            for i, id_ in enumerate(IDS)
        ],
        np.float32,
    )
    np.testing.assert_array_equal(adata.varm["text_embedding"], expected)
    assert adata.varm["measured"].shape == (len(IDS), 2)
    assert adata.uns["unit"] == "counts"
    assert adata.var.loc["ncbigene:0", ["type", "symbol"]].tolist() == ["Gene", "G0"]


def test_the_graph_in_varp(adata: anndata.AnnData) -> None:
    def entry(name: str, start: str, end: str) -> float:
        return float(adata.varp[name][IDS.index(start), IDS.index(end)])

    p, g = signals.p, signals.g
    assert entry("INTERACTS_WITH", p(0), p(1)) == entry("INTERACTS_WITH", p(1), p(0)) == 1
    assert entry("INTERACTS_WITH_score", p(1), p(0)) == 0.25
    assert entry("INTERACTS_WITH_score", p(3), p(4)) == 0  # no source gives one
    assert entry("REGULATES", g(0), g(2)) == 1
    assert entry("REGULATES", g(2), g(0)) == 0
    # Two claims that contradict each other have no sign together; both are in the table.
    assert entry("REGULATES_sign", g(0), g(2)) == 0
    assert entry("REGULATES_sign", p(0), p(3)) == 1
    assert entry("PHOSPHORYLATES_sign", p(0), p(2)) == -1
    edges = adata.uns["edges"]
    assert len(edges) == len(signals.EDGES)
    chosen = edges[edges["type"] == "REGULATES"]
    assert sorted(chosen["sign"].tolist()) == [-1, 1, 1]


def test_in_memory_it_is_the_same(cells: Database, adata: anndata.AnnData, run: Any) -> None:
    made = tosg.TrainingSet(run(cells, **ASKED).folder).to_anndata()
    assert (made.X != adata.X).nnz == 0
    assert made.obs_names.tolist() == adata.obs_names.tolist()
    assert set(made.varp) == set(adata.varp)
    for name in made.varp:
        assert (made.varp[name] != adata.varp[name]).nnz == 0
    np.testing.assert_array_equal(made.varm["text_embedding"], adata.varm["text_embedding"])


def test_scanpy_reads_a_selection(adata: anndata.AnnData) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scanpy as sc

        train = adata[adata.obs["split"] == "train", adata.var["measured"]].copy()
        sc.pp.normalize_total(train, target_sum=1e4)
        sc.pp.log1p(train)
        sc.pp.pca(train, n_comps=3)
        sc.tl.rank_genes_groups(train, "cell_type", method="t-test")
    assert train.obsm["X_pca"].shape == (train.n_obs, 3)


@pytest.mark.skipif(importlib.util.find_spec("scvi") is None, reason="scvi-tools is not installed")
def test_scvi_trains_on_a_selection(adata: anndata.AnnData) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scvi

        train = adata[adata.obs["split"] == "train", adata.var["measured"]].copy()
        scvi.model.SCVI.setup_anndata(train, batch_key="dataset")
        model = scvi.model.SCVI(train, n_latent=2, n_hidden=8)
        model.train(max_epochs=1, accelerator="cpu", enable_progress_bar=False, logger=False)
        latent = model.get_latent_representation()
    assert latent.shape == (train.n_obs, 2)
    assert np.isfinite(latent).all()


def test_mudata_has_a_modality_for_each_kind(cells: Database, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mudata

        path = export_layout(cells, Selection(**ASKED), tmp_path / "out.h5mu", "mudata").folder
        mdata = mudata.read_h5mu(path)
    assert path == tmp_path / "out.h5mu"
    assert list(mdata.mod) == ["rna", "prot", "graph"]
    order = [*mdata.var_names]
    assert sorted(order) == sorted(IDS)
    ids = mdata.obs_names.tolist()
    for part in mdata.mod.values():
        np.testing.assert_array_equal(part.X.toarray(), signals.dense(ids, part.var_names.tolist()))
        assert part.varm["text_embedding"].shape == (part.n_vars, signals.DIMENSION)
    assert {"p" in n or "P" in n for n in mdata.mod["prot"].var_names} == {True}
    wiring = mdata.varp["PARTICIPATES_IN"]
    assert wiring[order.index(signals.g(0)), order.index("reactome:R-1")] == 1
    assert mdata.obs["split"].tolist() == anndata_splits(cells, tmp_path)


def anndata_splits(cells: Database, tmp_path: Path) -> list[str]:
    path = export_layout(cells, Selection(**ASKED), tmp_path / "again", "anndata").folder
    return list(anndata.read_h5ad(path).obs["split"])


def test_without_cells_there_is_no_table(cells: Database, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no cells"):
        export_layout(cells, Selection(cells=False), tmp_path / "out", "anndata")
    assert not (tmp_path / "out.h5ad").exists()
