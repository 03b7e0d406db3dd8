"""What the tasks share: cells and graph as tensors, false edges, scores with paired intervals.

A task compares *readings* of the same cells: one model with everything ("full"), the same model
without some part of it, and plain baselines. Every reading is scored on the same items (cells,
genes or edges) with the same seeds. Two readings are compared by a paired bootstrap over seeds and
items: if the 95 % interval of their difference contains 0, it is no more than chance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

import tosg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

#: The text model whose weights come with the extra ``offline``.
MODEL = "sentence-transformers/all-MiniLM-L6-v2"

FULL = "full"
#: The full model without one of its parts.
ABLATIONS = ("no graph", "false edges", "no text", "random text")

#: How many items and seeds are drawn again for an interval.
DRAWS = 2_000
#: From so many donors on, whole donors are drawn again as well.
DONORS_ENOUGH = 5


@dataclass(frozen=True)
class Wiring:
    """Edges between N nodes, each once.

    Attributes
    ----------
    source, target : (E,) int64
    sign : (E,) int64
        1 raises, -1 lowers, 0 neither or unknown.
    kind : (E,) int64
        Number of the relationship type.
    directed : (E,) bool
    n : int
        Number of nodes.
    """

    source: Tensor
    target: Tensor
    sign: Tensor
    kind: Tensor
    directed: Tensor
    n: int

    def __len__(self) -> int:
        return len(self.source)

    def take(self, which: Tensor) -> Wiring:
        """Some of the edges."""
        parts = (self.source, self.target, self.sign, self.kind, self.directed)
        return Wiring(*(part[which] for part in parts), self.n)

    def rewire(self, seed: int) -> Wiring:
        """As many edges with the same degrees, none of them meant.

        The targets of the edges of one type and sign are dealt out again, so that each node keeps
        its number of edges in and out of every type and sign. What would be a self-loop or a true
        edge is dealt out again with others; the few that remain so are left.
        """
        draw = torch.Generator().manual_seed(seed)
        target = self.target.clone()
        group = self.kind * 3 + self.sign
        true = self.source * self.n + self.target
        for value in group.unique():
            rows = (group == value).nonzero().flatten()
            pool = rows
            for _ in range(10):
                target[pool] = target[pool[torch.randperm(len(pool), generator=draw)]]
                key = self.source[rows] * self.n + target[rows]
                bad = rows[(self.source[rows] == target[rows]) | torch.isin(key, true[rows])]
                if not len(bad):
                    break
                others = rows[torch.randint(len(rows), (len(bad),), generator=draw)]
                pool = torch.cat([bad, others]).unique()
        return Wiring(self.source, target, self.sign, self.kind, self.directed, self.n)

    def channels_of_edges(self) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """What a node hears, in five ways: (from, to, weight, number of the edge) each.

        Those that raise it, those that lower it, those of unknown sign, those that it acts on (as
        a regulator is seen by its targets; -1 for those that it lowers), and undirected partners.
        """
        forth, back = (self.source, self.target), (self.target, self.source)
        one, edge = torch.ones(len(self)), torch.arange(len(self))
        acted = torch.where(self.sign < 0, -one, one)
        found = [(*forth, one, edge, self.directed & (self.sign == s)) for s in (1, -1, 0)]
        found.append((*back, acted, edge, self.directed))
        both = (torch.cat(pair) for pair in zip(forth, back, strict=True))
        found.append((*both, one.repeat(2), edge.repeat(2), (~self.directed).repeat(2)))
        return [(a[keep], b[keep], w[keep], e[keep]) for a, b, w, e, keep in found]

    def partners(self) -> Tensor:
        """Whether two nodes share an edge, in either direction: (N, N) float32 of 0 and 1."""
        found = torch.zeros(self.n, self.n)
        found[self.source, self.target] = 1
        found[self.target, self.source] = 1
        return found

    def hear(self, x: Tensor, measured: Tensor | None = None) -> Tensor:
        """What each node has itself and hears from its neighbours.

        Parameters
        ----------
        x : (M, N) float32
            Abundances.
        measured : (N,) bool, optional
            Only these nodes have a value and are heard; by default all.

        Returns
        -------
        (M, N, 6) float32
            The node's own abundance, then the mean over its neighbours in each of the five ways;
            0 without any.
        """
        known = torch.ones(self.n) if measured is None else measured.float()
        own = x * known
        heard = [own]
        for start, end, weight, _ in self.channels_of_edges():
            degree = torch.zeros(self.n).index_add(0, end, known[start]).clamp(min=1)
            index = torch.stack([end, start])
            matrix = torch.sparse_coo_tensor(
                index, weight / degree[end], (self.n, self.n), check_invariants=False
            )
            heard.append((matrix @ own.T).T)
        return torch.stack(heard, dim=-1)


@dataclass(frozen=True)
class Study:
    """The cells of a training set, and the graph that they share, in memory.

    Attributes
    ----------
    x : (M, N) float32
        log1p of counts per 10,000 of each cell's total.
    measured : (N,) bool
        Nodes that every cell has a measurement of; what was not measured is not heard as 0.
    cells : mapping
        Columns of ``cells.parquet`` as arrays (M,).
    symbols, ids, texts : list of str
        Of the N nodes.
    text : (N, D) float32
        Vectors of the texts: centred, then of unit length.
    wiring : Wiring
        Without edges from a node to itself.
    """

    x: Tensor
    measured: Tensor
    cells: Mapping[str, NDArray[Any]]
    symbols: list[str]
    ids: list[str]
    texts: list[str]
    text: Tensor
    wiring: Wiring


def read_study(folder: Path) -> Study:
    """Read a training set that was exported with ``--normalize log1p_cp10k``."""
    ts = tosg.TrainingSet(folder, add_reverses=False)
    batch = ts.read(range(ts.n_cells))
    graph = ts.graph
    kind = graph.edge_type
    directed = torch.tensor(graph.directed or [True])[kind] if len(kind) else kind.bool()
    wiring = Wiring(*graph.edge_index, graph.edge_sign.long(), kind, directed, ts.n_nodes)
    vectors = torch.from_numpy(np.array(ts.embeddings(MODEL, device="cpu").vectors))
    cells = {name: np.array(ts.cells[name].to_pylist()) for name in ts.cells.column_names}
    return Study(
        x=batch.x,
        measured=torch.from_numpy(ts.measured.all(axis=0)),
        cells=cells,
        symbols=graph.nodes["symbol"].to_pylist(),
        ids=graph.nodes["id"].to_pylist(),
        texts=ts.texts,
        # What sets a text apart: all texts of genes have much in common.
        text=torch.nn.functional.normalize(vectors - vectors.mean(dim=0), dim=1),
        wiring=wiring.take(wiring.source != wiring.target),
    )


def text_of(reading: str, text: Tensor, seed: int) -> Tensor:
    """Text vectors as a reading sees them; "no text" begins with random ones and learns its own."""
    if reading in ("no text", "random text"):
        drawn = torch.randn(text.shape, generator=torch.Generator().manual_seed(1_000 + seed))
        return torch.nn.functional.normalize(drawn, dim=1)
    return text


def wiring_of(reading: str, wiring: Wiring, seed: int) -> Wiring:
    """Edges as a reading sees them."""
    if reading == "no graph":
        return wiring.take(torch.zeros(len(wiring), dtype=torch.bool))
    return wiring.rewire(seed) if reading == "false edges" else wiring


@dataclass(frozen=True)
class Difference:
    """One reading's score less another's, with a 95 % interval.

    Attributes
    ----------
    value, low, high : float
    verdict : str
        "better", "worse" or "no difference beyond chance".
    groups : mapping
        The difference for each donor alone (or fold, or what else the items come from).
    """

    value: float
    low: float
    high: float
    verdict: str
    groups: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One reading's score: mean and standard deviation over the seeds.

    `full_less_this` compares the full reading with it.
    """

    reading: str
    mean: float
    sd: float
    seeds: list[float]
    full_less_this: Difference | None


@dataclass(frozen=True)
class Table:
    """Readings compared on the same items.

    Attributes
    ----------
    title, metric, items : str
        What it is of, what the score is, what is drawn again.
    n : int
        Number of items.
    chance : float or None
        The score of a guess.
    rows : list of Row
    """

    title: str
    metric: str
    items: str
    n: int
    chance: float | None
    rows: list[Row]


def stratified_mean(values: NDArray[Any], strata: NDArray[Any], counts: NDArray[Any]) -> Any:
    """Mean over the strata of the mean within each, items counted so often.

    Parameters
    ----------
    values, counts : (..., M)
        Of each item, and how often it was drawn.
    strata : (M,)
    """
    parts = []
    for stratum in np.unique(strata):
        inside = strata == stratum
        n = counts[..., inside].sum(axis=-1)
        mean = (values[..., inside] * counts[..., inside]).sum(axis=-1) / np.maximum(n, 1)
        parts.append(np.where(n > 0, mean, np.nan))
    return np.nanmean(np.stack(parts), axis=0)


def draw_counts(
    clusters: NDArray[Any], strata: NDArray[Any], draw: np.random.Generator, draws: int
) -> NDArray[Any]:
    """How often each item is drawn, (draws, M): items within their cluster (a donor, say).

    From `DONORS_ENOUGH` clusters on, whole clusters are drawn first: what holds of these donors
    may not hold of others. Where each cluster lies in one stratum (a donor is healthy or ill), they
    are drawn within it, so that no draw lacks a stratum.
    """
    names, first = np.unique(clusters, return_index=True)
    counts = np.zeros((draws, len(clusters)))
    repeats = np.ones((draws, len(names)), int)
    if len(names) >= DONORS_ENOUGH:
        nested = all(len(np.unique(strata[clusters == name])) == 1 for name in names)
        home = strata[first] if nested else np.zeros(len(names), int)
        for stratum in np.unique(home):
            inside = np.flatnonzero(home == stratum)
            n = len(inside)
            repeats[:, inside] = draw.multinomial(n, np.full(n, 1 / n), draws)
    for i, name in enumerate(names):
        inside = np.flatnonzero(clusters == name)
        drawn = draw.multinomial(repeats[:, i] * len(inside), np.full(len(inside), 1 / len(inside)))
        counts[:, inside] = drawn
    return counts


def compare_pair(
    ours: NDArray[Any], other: NDArray[Any], strata: NDArray[Any], clusters: NDArray[Any]
) -> Difference:
    """Score of one reading less that of another, by a paired bootstrap over seeds and items.

    Parameters
    ----------
    ours, other : (S, M)
        Score of each item by each seed.
    strata, clusters : (M,)
        What is averaged apart (classes), and whose items are drawn together (donors).
    """
    gain = ours - other
    draw = np.random.default_rng(0)
    counts = draw_counts(clusters, strata, draw, DRAWS)
    seeds = draw.multinomial(len(gain), np.full(len(gain), 1 / len(gain)), DRAWS) / len(gain)
    drawn = stratified_mean(seeds @ gain, strata, counts)
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    ones = np.ones(gain.shape[1])
    mean = gain.mean(axis=0)
    value = float(stratified_mean(mean, strata, ones))
    verdict = "better" if low > 0 else "worse" if high < 0 else "no difference beyond chance"
    groups = {
        str(name): float(stratified_mean(mean, strata, (clusters == name) * 1.0))
        for name in np.unique(clusters)
    }
    return Difference(value, float(low), float(high), verdict, groups if len(groups) > 1 else {})


def compare(
    title: str,
    metric: str,
    items: str,
    scores: Mapping[str, NDArray[Any]],
    *,
    strata: NDArray[Any] | None = None,
    clusters: NDArray[Any] | None = None,
    chance: float | None = None,
) -> Table:
    """Compare readings on the same items; the first is the full one.

    Parameters
    ----------
    scores : mapping
        Reading to (S, M): of each seed and item, the score. One row stands for all seeds where a
        reading has nothing to draw.
    strata, clusters : (M,), optional
        As of `compare_pair`; by default all items are one.
    """
    full, *others = scores
    n_seeds = max(len(values) for values in scores.values())
    whole = {k: np.broadcast_to(v, (n_seeds, v.shape[1])) for k, v in scores.items()}
    n = whole[full].shape[1]
    one = np.zeros(n, int)
    strata = one if strata is None else strata
    clusters = one if clusters is None else clusters
    rows = []
    for reading in (full, *others):
        seeds = stratified_mean(whole[reading], strata, np.ones(n))
        less = None
        if reading != full:
            less = compare_pair(whole[full], whole[reading], strata, clusters)
        sd = float(np.std(seeds, ddof=1)) if n_seeds > 1 else 0.0
        rows.append(Row(reading, float(np.mean(seeds)), sd, [float(s) for s in seeds], less))
    return Table(title, metric, items, n, chance, rows)


@dataclass
class Result:
    """What a task found, as its JSON has it."""

    task: str
    command: str
    settings: dict[str, Any]
    counts: dict[str, Any]
    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """The tables as text."""
        lines = [f"{self.task}: {self.seconds:.0f} s"]
        for table in self.tables:
            lines.append(f"{table.title} ({table.metric}; {table.n:,} {table.items})")
            for row in table.rows:
                less = row.full_less_this
                told = ""
                if less is not None:
                    interval = f"{less.value:+.3f} ({less.low:+.3f} to {less.high:+.3f})"
                    told = f"  full {interval} {less.verdict}"
                lines.append(f"  {row.reading:<22} {row.mean:.3f} ± {row.sd:.3f}{told}")
        return [*lines, *self.notes]


def run_task(
    task: str, doc: str | None, work_on: Callable[[tosg.KnowledgeGraph, argparse.Namespace], Result]
) -> None:
    """Read the arguments, connect, work, and write ``WORK/TASK.json``."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n", 1)[0])
    parser.add_argument("--graph", default="science", help="name of the managed graph")
    parser.add_argument("--work", type=Path, default=Path("science"), help="folder of the results")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    try:
        with tosg.connect(graph=options.graph) as graph:
            result = work_on(graph, options)
    except tosg.TosgError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    result.seconds = round(time.monotonic() - started, 1)
    path = options.work / f"{task}.json"
    path.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    print("\n".join(result.lines()))
    print(f"written: {path}")


def export(graph: tosg.KnowledgeGraph, folder: Path, selection: Mapping[str, Any]) -> Study:
    """Export a selection once; a folder that is there is read as it is."""
    if not (folder / "manifest.json").is_file():
        graph.export(folder, **selection)
    return read_study(folder)


def seeds_of(options: argparse.Namespace) -> Sequence[int]:
    """The seeds of a task."""
    return range(options.seeds)
