"""Point 1 of the reliability table: a unit is named only where the numbers leave one reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from support.cells import write

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.values.units import choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N, M = 40, 60
Dense = np.ndarray[Any, Any]


def library() -> Dense:
    """Counts as of a sequenced cell: many zeros and ones, few large numbers; depths differ."""
    generator = np.random.default_rng(11)
    depth = generator.uniform(0.3, 3, (N, 1))
    mean = np.concatenate([np.full(40, 0.4), np.full(15, 2.0), np.full(5, 30.0)])
    counts = generator.poisson(depth * mean)
    counts[0, 0] = 1
    return np.asarray(counts, np.float64)


def shares(total: float) -> Dense:
    return np.asarray(library() / library().sum(axis=1, keepdims=True) * total)


def obs() -> pd.DataFrame:
    return pd.DataFrame(index=[f"c{i}" for i in range(N)])


def file(path: Path, x: Any, layers: dict[str, Any] | None = None, m: int = M) -> Path:
    var = pd.DataFrame(index=[f"g{j}" for j in range(m)])
    kept = {k: sp.csr_matrix(v.astype(np.float32)) for k, v in (layers or {}).items()}
    data = anndata.AnnData(None if x is None else sp.csr_matrix(x), obs(), var, layers=kept)
    data.write_h5ad(path)
    return path


def found(path: Path, **options: Any) -> tuple[str, str]:
    with open_source(path) as source:
        values, _ = choose(source, **options)
        for _ in values.blocks(np.arange(N)):
            pass
        return values.matrix.name, values.unit


def corrected() -> Dense:
    """Counts less 7 % of ambient RNA, as SoupX gives them: decimals, none above 20."""
    x = np.minimum(library(), 12)
    ambient = np.random.default_rng(2).uniform(0.01, 0.13, x.shape)
    return np.where(x > 0, x - ambient * x.clip(max=3), 0)


CERTAIN: list[tuple[str, Callable[[], Dense], str]] = [
    ("counts", library, "counts"),
    ("whole but for rounding", lambda: library() * (1 - 5e-8) + (library() > 0) * 9e-8, "counts"),
    ("log1p of 10,000", lambda: np.log1p(shares(1e4)), "log1p_cp10k"),
    ("log1p of another total", lambda: np.log1p(shares(2143)), "log1p"),
    ("log1p of counts", lambda: np.log1p(library()), "log1p"),
    ("log1p rounded to three decimals", lambda: np.round(np.log1p(shares(1e4)), 3), "log1p_cp10k"),
    ("log2 of 10,000", lambda: np.log2(1 + shares(1e4)), "log2p1"),
    ("log2 of TPM", lambda: np.log2(1 + shares(1e6)), "log2p1"),
    ("log10 of CPM", lambda: np.log10(1 + shares(1e6)), "log10p1"),
    ("cp10k", lambda: shares(1e4), "cp10k"),
    ("cpm", lambda: shares(1e6), "cpm"),
    ("normalised to a median", lambda: shares(2143), "normalized_counts"),
    ("size factors", lambda: library() / np.linspace(0.5, 2, N)[:, None], "normalized_counts"),
    (
        "log2 of size factors, as scuttle's logNormCounts",
        lambda: np.log2(1 + library() / np.linspace(0.5, 2, N)[:, None]),
        "log2p1",
    ),
]


@pytest.mark.parametrize(("_name", "make", "unit"), CERTAIN, ids=[c[0] for c in CERTAIN])
def test_certain_units(tmp_path: Path, _name: str, make: Callable[[], Dense], unit: str) -> None:
    assert found(file(tmp_path / "x.h5ad", make().astype(np.float32))) == ("X", unit)


def test_counts_that_are_whole_but_for_rounding_come_back_whole(tmp_path: Path) -> None:
    x = library() * (1 - 5e-8) + (library() > 0) * 9e-8
    with open_source(file(tmp_path / "x.h5ad", x)) as source:
        values, findings = choose(source)
        block = values.block(np.arange(N))
        assert "but for rounding: off by at most" in findings[0].reason
    assert np.array_equal(block.to_scipy(M).toarray(), library())


@pytest.mark.parametrize("base", ["log1p", "log2"])
def test_logs_of_a_selection_of_genes_are_told_by_their_multiples(
    tmp_path: Path, base: str
) -> None:
    """Sums over a selection tell nothing, and yet one count is the smallest step of a cell."""
    logs = np.log1p(shares(1e4)) if base == "log1p" else np.log2(1 + shares(1e4))
    chosen = np.arange(0, M, 2)
    path = file(tmp_path / "x.h5ad", logs[:, chosen].astype(np.float32), m=len(chosen))
    assert found(path) == ("X", "log1p" if base == "log1p" else "log2p1")


@pytest.mark.parametrize("layers", [False, True])
def test_corrected_counts_are_no_logarithms(tmp_path: Path, layers: bool) -> None:
    x = corrected().astype(np.float32)
    path = tmp_path / "x.h5ad"
    file(path, None if layers else x, {"counts": x, "soupX": x} if layers else None)
    with pytest.raises(DataError, match="unit of the values is not certain") as caught:
        found(path)
    hint = str(caught.value.hint)
    assert "--unit corrected_counts" in hint
    assert "--round" in hint
    assert "exp(x) - 1 sums to" in str(caught.value.found)


def test_no_hint_goes_in_a_circle(tmp_path: Path) -> None:
    path = file(tmp_path / "x.h5ad", corrected().astype(np.float32))
    with pytest.raises(DataError, match="no values of the file are counts") as caught:
        found(path, unit="counts")
    assert "--round" in str(caught.value.hint)
    assert found(path, unit="corrected_counts")[1] == "corrected_counts"
    assert found(path, unit="counts", round_values=True)[1] == "counts"
    with open_source(path) as source:
        rounded = choose(source, round_values=True)[0].block(np.arange(N))
    assert np.array_equal(rounded.to_scipy(M).toarray(), np.rint(corrected().astype(np.float32)))


def test_what_is_certainly_a_logarithm_is_not_rounded_or_called_otherwise(tmp_path: Path) -> None:
    path = file(tmp_path / "x.h5ad", np.log1p(shares(1e4)).astype(np.float32))
    for options in (
        {"round_values": True},
        {"unit": "corrected_counts"},
        {"unit": "log2p1"},
        {"unit": "cp10k"},
    ):
        with pytest.raises(DataError, match="no values of the file are"):
            found(path, **options)
    assert found(path, unit="log1p") == ("X", "log1p")
    with pytest.raises(ConfigError, match="unknown unit"):
        found(path, unit="log2")


def velocity(tmp_path: Path, x: Dense, **more: Dense) -> Path:
    total = library()
    ambiguous = (total > 9).astype(float)
    unspliced = (total - ambiguous) // 3
    parts = {"ambiguous": ambiguous, "unspliced": unspliced}
    parts["spliced"] = total - ambiguous - unspliced
    return file(tmp_path / "v.h5ad", x.astype(np.float32), parts | more)


def test_parts_of_counts_are_no_counts(tmp_path: Path) -> None:
    logs = np.log1p(shares(1e4))
    assert found(velocity(tmp_path, logs, matrix=library())) == ("layers/matrix", "counts")
    path = velocity(tmp_path, logs)
    assert found(path) == ("X", "log1p_cp10k")
    with open_source(path) as source:
        _, findings = choose(source)
        reasons = {f.matrix.name: f.reason for f in findings if f.unit is None}
        assert reasons["layers/spliced"] == "spliced counts, a part of each cell's counts"
        assert len(reasons) == 3
        # Their sum is the cell's counts, and there is a way to say so.
        values, _ = choose(source, matrix="spliced+unspliced+ambiguous")
        assert values.unit == "counts"
        assert np.array_equal(values.block(np.arange(N)).to_scipy(M).toarray(), library())
    assert found(path, matrix="spliced", unit="counts") == ("layers/spliced", "counts")


def test_x_that_is_a_part_of_the_counts(tmp_path: Path) -> None:
    """scanpy.read_loom puts velocyto's spliced counts into X."""
    total = library()
    ambiguous = (total > 9).astype(float)
    spliced = total - ambiguous - (total - ambiguous) // 3
    with pytest.raises(DataError, match="not certain") as caught:
        found(velocity(tmp_path, spliced))
    assert "X: spliced counts, a part" in str(caught.value.found)
    assert "--matrix ambiguous+spliced+unspliced" in str(caught.value.hint)
    assert found(velocity(tmp_path, total)) == ("X", "counts")


def test_masks_and_ranks_are_no_counts(tmp_path: Path) -> None:
    logs = np.log1p(shares(1e4)).astype(np.float32)
    mask = (library() > 0).astype(float)
    assert found(file(tmp_path / "m.h5ad", logs, {"binarized": mask})) == ("X", "log1p_cp10k")
    with pytest.raises(DataError, match="not certain") as caught:
        found(file(tmp_path / "m.h5ad", mask))
    assert "only 0 and 1" in str(caught.value.found)
    assert found(file(tmp_path / "m.h5ad", mask), unit="counts") == ("X", "counts")
    ranks = np.array([np.random.default_rng(i).permutation(M) + 1 for i in range(N)], float)
    assert found(file(tmp_path / "r.h5ad", logs, {"ranks": ranks})) == ("X", "log1p_cp10k")


def test_counts_per_10000_that_were_rounded_are_not_called_counts(tmp_path: Path) -> None:
    path = file(tmp_path / "x.h5ad", np.rint(shares(1e4)))
    with pytest.raises(DataError, match="not certain") as caught:
        found(path)
    assert "counts, or rounded cp10k" in str(caught.value.found)
    assert found(path, unit="cp10k") == ("X", "cp10k")
    assert found(path, unit="counts") == ("X", "counts")


def test_cells_normalised_in_two_ways_are_refused_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tosg.kg.cells.values.readings.PROBE_ROWS", 5)
    x = np.log1p(shares(1e4))
    x[12] = np.log2(1 + shares(1e4))[12]
    with pytest.raises(DataError, match="do not sum to what its unit says") as caught:
        found(file(tmp_path / "x.h5ad", x.astype(np.float32)))
    assert "row 12" in str(caught.value.where)
    low = shares(500)
    low[12] = shares(1e4)[12]
    with pytest.raises(DataError, match="do not sum") as caught:
        found(file(tmp_path / "x.h5ad", low.astype(np.float32)))
    assert caught.value.expected == "normalized_counts: 500, as the cells that were looked at first"


def test_totals_are_those_of_genes(tmp_path: Path) -> None:
    """Antibodies beside RNA do not hide that its logarithms sum to 10,000."""
    x = np.hstack([np.log1p(shares(1e4)), np.full((N, 3), 4.5)]).astype(np.float32)
    kinds = ["Gene Expression"] * M + ["Antibody Capture"] * 3
    var = pd.DataFrame({"feature_types": kinds}, index=[f"g{j}" for j in range(M + 3)])
    path = write(tmp_path / "x.h5ad", sp.csr_matrix(x), obs=obs(), var=var)
    assert found(path) == ("X", "log1p_cp10k")


def citeseq(path: Path, genes: Dense, antibodies: Dense) -> Path:
    kinds = ["Gene Expression"] * genes.shape[1] + ["Antibody Capture"] * antibodies.shape[1]
    var = pd.DataFrame({"feature_types": kinds}, index=[f"v{j}" for j in range(len(kinds))])
    x = sp.csr_matrix(np.hstack([genes, antibodies]).astype(np.float32))
    return write(path, x, obs=obs(), var=var)


def test_antibodies_of_another_unit_are_refused(tmp_path: Path) -> None:
    """They would be rounded, or read as logarithms that they are not."""
    generator = np.random.default_rng(2)
    counted = generator.poisson(60, (N, 4)) + 3.0
    clr = np.log1p(counted) - np.log1p(counted).mean(axis=1, keepdims=True)
    genes = library()
    logs = np.log1p(shares(1e4))
    for antibodies in (clr, np.abs(clr)):  # centred, or only scaled
        path = citeseq(tmp_path / "a.h5ad", genes, antibodies)
        for how in ({}, {"unit": "counts"}, {"round_values": True}):
            with pytest.raises(DataError, match="antibodies are normalised") as caught:
                found(path, **how)
        line = 'adata[:, adata.var["feature_types"] != "Antibody Capture"]'
        assert line in str(caught.value.hint)
    with pytest.raises(DataError, match="antibodies are counts and genes are log1p_cp10k"):
        found(citeseq(tmp_path / "b.h5ad", logs, counted))
    assert found(citeseq(tmp_path / "c.h5ad", genes, counted)) == ("X", "counts")
    assert found(citeseq(tmp_path / "d.h5ad", logs, np.log1p(counted))) == ("X", "log1p_cp10k")
    # Ambient counts were taken away from both: decimals that are no logarithms.
    corrected = citeseq(tmp_path / "e.h5ad", genes * 0.93, counted * 0.93)
    assert found(corrected, round_values=True) == ("X", "counts")


def test_bins_of_expression_are_no_counts(tmp_path: Path) -> None:
    """Nor are numbers of clusters, or a mask of 2, beside the logarithms of counts."""
    logs = np.log1p(shares(1e4))
    edges = np.quantile(logs[logs > 0], np.linspace(0, 1, 51))
    layers = {
        "X_binned": np.digitize(logs, edges) * (logs > 0),
        "leiden": np.repeat(1 + np.arange(N)[:, None] % 9, M, axis=1),
        "mask": (logs > 0) * 2.0,
    }
    for name, layer in layers.items():
        path = file(tmp_path / "x.h5ad", logs.astype(np.float32), {name: layer})
        assert found(path) == ("X", "log1p_cp10k"), name
        assert found(path, matrix=name, unit="counts") == (f"layers/{name}", "counts")
    # The counts themselves are taken whatever the layer is called, and raw ones beside corrected.
    path = file(tmp_path / "x.h5ad", logs.astype(np.float32), {"first": library()})
    assert found(path) == ("layers/first", "counts")
    path = file(tmp_path / "x.h5ad", logs.astype(np.float32), {"raw_counts": library() + 1})
    assert found(path) == ("layers/raw_counts", "counts")


def test_whole_numbers_that_sum_to_nearly_one_number_are_not_called_counts(tmp_path: Path) -> None:
    rounded = np.rint(shares(50_000))
    with pytest.raises(DataError, match="not certain") as caught:
        found(file(tmp_path / "x.h5ad", rounded.astype(np.float32)))
    assert "counts, or rounded normalized_counts" in str(caught.value.found)
    assert "--unit normalized_counts" in str(caught.value.hint)
    assert "--unit counts" in str(caught.value.hint)
    assert found(tmp_path / "x.h5ad", unit="counts") == ("X", "counts")
