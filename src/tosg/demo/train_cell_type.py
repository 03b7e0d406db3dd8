"""Train a cell type classifier on a training set: graph, texts and expression, and without each.

One model, several readings of the same cells on the same split:

``full``
    A gene's state is its abundance times what its text says, passed along the edges, apart for
    those that raise, that lower, and the others; its text also says how the state votes.
``other edges``
    The same model with the ends of its edges dealt out again: as many edges, none of them true.
``no graph``
    The same model with its edges taken away.
``no text``
    The same model with fixed random vectors of the same length in place of the text embeddings.
``linear``
    Multinomial logistic regression on the abundances alone, its weight decay chosen on val.

Every reading is trained with the same seeds, and its best epoch is chosen on val. Scores are of
the test cells: mean and standard deviation over the seeds. Whether two readings differ is told
from the test cells, drawn again and again (a paired bootstrap): few cells tell little, however
close the seeds lie together.

    python -m tosg.demo.train_cell_type OUT --seeds 5
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch
from torch import Tensor, nn

from tosg.errors import ExportError, TosgError
from tosg.export.batches.training_set import TrainingSet

FULL = "full"
READINGS = (FULL, "other edges", "no graph", "no text", "linear")
#: Weight decays of AdamW; the logistic regression chooses on val.
DECAY = 1e-3
DECAYS_OF_LINEAR = (1e-3, 1e-1, 1.0)


class CellGraphModel(nn.Module):
    """Two rounds of mean-neighbour messages over the shared topology; texts say how to read them.

    A gene's state begins as its abundance times a vector made from its text, or where it was not
    measured, as one learned vector. In the end its text also gives the weights by which its state
    votes for the classes: genes that read alike vote alike, and what is learned of one is learned
    of the others.

    Parameters
    ----------
    text : (N, D) float32
        One vector per node: what its text says.
    edge_index : (2, E) int64
        Source and target nodes; E may be 0.
    edge_sign : (E,) int8
        1 raises, -1 lowers, 0 neither or unknown.
    classes : int
        Number of classes.
    width : int
        Width of a node's state.
    """

    text: Tensor
    raised: Tensor
    lowered: Tensor
    other: Tensor

    def __init__(
        self, text: Tensor, edge_index: Tensor, edge_sign: Tensor, classes: int, width: int = 16
    ) -> None:
        super().__init__()
        n, self.classes = text.shape[0], classes
        # What sets a text apart: all texts of genes have much in common.
        self.register_buffer("text", nn.functional.normalize(text - text.mean(dim=0), dim=1))
        for name, sign in (("raised", 1), ("lowered", -1), ("other", 0)):
            self.register_buffer(name, mean_over_sources(edge_index[:, edge_sign == sign], n))
        self.message = nn.Linear(text.shape[1], width)
        self.unmeasured = nn.Parameter(torch.zeros(width))
        self.rounds = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(2))
        self.votes = nn.Linear(text.shape[1], width * classes)

    def forward(self, x: Tensor, measured: Tensor) -> Tensor:
        """Class scores (B, classes) of cells.

        Parameters
        ----------
        x : (B, N) float32
            Standardised abundances.
        measured : (B, N) bool
            Where they were measured.
        """
        h = torch.where(
            measured.unsqueeze(-1), x.unsqueeze(-1) * self.message(self.text), self.unmeasured
        )
        b, n, width = h.shape
        for layer in self.rounds:
            flat = h.transpose(0, 1).reshape(n, b * width)
            heard = [
                (matrix @ flat).view(n, b, width).transpose(0, 1)
                for matrix in (self.raised, self.lowered, self.other)
            ]
            h = h + torch.tanh(layer(torch.cat([h, *heard], dim=-1)))
        votes = self.votes(self.text).view(n * width, self.classes)
        scores: Tensor = h.reshape(b, n * width) @ votes / n**0.5
        return scores


def mean_over_sources(edge_index: Tensor, n: int) -> Tensor:
    """Sparse (N, N) matrix whose row i takes the mean over the nodes that point to i."""
    degree = torch.bincount(edge_index[1], minlength=n).clamp(min=1).float()
    return torch.sparse_coo_tensor(
        edge_index.flip(0), 1 / degree[edge_index[1]], (n, n), check_invariants=False
    ).coalesce()


class Linear(nn.Module):
    """Logistic regression on the abundances; what was not measured counts as the mean."""

    def __init__(self, nodes: int, classes: int) -> None:
        super().__init__()
        self.weights = nn.Linear(nodes, classes)

    def forward(self, x: Tensor, measured: Tensor) -> Tensor:
        """Class scores (B, classes) of cells."""
        scores: Tensor = self.weights(x * measured)
        return scores


class Standardised(nn.Module):
    """A model whose input is first centred and scaled, gene by gene, as in the training cells."""

    mean: Tensor
    scale: Tensor

    def __init__(self, model: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", mean)
        self.register_buffer("scale", torch.where(std > 0, 1 / std, 0))

    def forward(self, x: Tensor, measured: Tensor) -> Tensor:
        """Class scores (B, classes) of cells with abundances ``x`` (B, N)."""
        scores: Tensor = self.model((x - self.mean) * self.scale, measured)
        return scores


@dataclass(frozen=True)
class ReadingScore:
    """One reading's scores on the test cells.

    Attributes
    ----------
    reading : str
    accuracy, macro_f1 : list of float
        One per seed.
    right : list of float
        Of each test cell, in the order of ``cells.parquet``, the share of the seeds that were
        right.
    losses, val_accuracy : list of lists of float
        One list per seed, with the mean loss of the training cells and the accuracy on val after
        each epoch.
    confusion : list of lists of int
        Test cells by true class (row) and by what the model says (column), all seeds together.
    """

    reading: str
    accuracy: list[float]
    macro_f1: list[float]
    right: list[float]
    losses: list[list[float]] = field(default_factory=list)
    val_accuracy: list[list[float]] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """Mean and, of two seeds or more, standard deviation of both scores."""
        parts = []
        for name, values in (("accuracy", self.accuracy), ("macro F1", self.macro_f1)):
            spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
            parts.append(f"{name} {mean(values):.3f}{spread}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Difference:
    """Accuracy of the full reading less that of another, with a 95 % interval over test cells."""

    reading: str
    value: float
    low: float
    high: float

    @property
    def summary(self) -> str:
        """The difference in points, and what it means."""
        verdict = "no difference beyond chance"
        if self.low > 0:
            verdict = "better"
        elif self.high < 0:
            verdict = "worse"
        points = [f"{100 * v:+.1f}" for v in (self.value, self.low, self.high)]
        return f"{points[0]} points ({points[1]} to {points[2]}): {verdict}"


@dataclass(frozen=True)
class Comparison:
    """All readings on one training set.

    Attributes
    ----------
    cells, classes, smallest : int
        Test cells, their classes, and the cells of the rarest.
    majority : float
        Accuracy of who always says the training cells' most frequent class.
    seeds : int
    scores : list of ReadingScore
    differences : list of Difference
    """

    cells: int
    classes: int
    smallest: int
    majority: float
    seeds: int
    scores: list[ReadingScore]
    differences: list[Difference]

    def lines(self) -> list[str]:
        """What to say about it."""
        cells = f"{self.cells} test cells of {self.classes} types, the rarest with {self.smallest}"
        seeds = f"{self.seeds} seeds; ± is their standard deviation" if self.seeds > 1 else "1 seed"
        lines = [f"{cells}; {seeds}"]
        lines += [f"  {score.reading:<12} {score.summary}" for score in self.scores]
        lines.append(f"  {'most common':<12} accuracy {self.majority:.3f}")
        lines.append("full against the others, with the interval that 95 % of redrawn cells give")
        lines += [f"  {d.reading:<12} {d.summary}" for d in self.differences]
        return lines


def moments(ts: TrainingSet) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (N,) of the abundances over the training cells."""
    total, squares, cells = torch.zeros(ts.n_nodes), torch.zeros(ts.n_nodes), 0
    for batch in ts.batches("train", 256, shuffle=False):
        total += batch.x.sum(dim=0)
        squares += (batch.x**2).sum(dim=0)
        cells += len(batch)
    average = total / cells
    return average, (squares / cells - average**2).clamp(min=0).sqrt()


def make_model(reading: str, ts: TrainingSet, seed: int) -> nn.Module:
    """Make the model of one reading."""
    classes = len(ts.classes)
    if reading == "linear":
        return Linear(ts.n_nodes, classes)
    text, edges = ts.graph.text_embedding.float(), ts.graph.edge_index
    sign = ts.graph.edge_sign
    draw = torch.Generator().manual_seed(seed)
    if reading == "no text":
        text = torch.randn(text.shape, generator=draw)
    if reading == "other edges":
        dealt = torch.randperm(edges.shape[1], generator=draw)
        edges = torch.stack([edges[0], edges[1][dealt]])
    if reading == "no graph":
        edges, sign = edges[:, :0], sign[:0]
    return CellGraphModel(text, edges, sign, classes)


@dataclass(frozen=True)
class Run:
    """One training: the best epoch's score on val, its guesses (M,) on test, and the epochs."""

    score: float
    said: Tensor
    losses: list[float]
    val_accuracy: list[float]


@dataclass(frozen=True)
class Training:
    """How every reading is trained."""

    ts: TrainingSet
    moments: tuple[Tensor, Tensor]
    epochs: int
    batch_size: int
    device: str

    def run(self, reading: str, seed: int) -> Run:
        """Train one reading with one seed."""
        decays = DECAYS_OF_LINEAR if reading == "linear" else (DECAY,)
        # A later decay has to be better, not as good.
        return max(
            (self._run(reading, seed, decay) for decay in decays), key=lambda found: found.score
        )

    def _run(self, reading: str, seed: int, decay: float) -> Run:
        """Train with one weight decay."""
        torch.manual_seed(seed)
        model = Standardised(make_model(reading, self.ts, seed), *self.moments).to(self.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=decay)
        best, state = -1.0, model.state_dict()
        losses, accuracies = [], []
        for epoch in range(self.epochs):
            model.train()
            total = cells = 0.0
            for batch in self.ts.batches(
                "train", self.batch_size, device=self.device, seed=seed, epoch=epoch
            ):
                loss = nn.functional.cross_entropy(model(batch.x, batch.measured), batch.y)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                total, cells = total + loss.item() * len(batch), cells + len(batch)
            accuracy, macro_f1 = scores_of(*self.guesses(model, "val"), len(self.ts.classes))
            losses.append(total / cells)
            accuracies.append(accuracy)
            score = accuracy + macro_f1
            if score > best:
                best = score
                state = {k: v.clone() for k, v in model.state_dict().items()}
        model.load_state_dict(state)
        return Run(best, self.guesses(model, "test")[1], losses, accuracies)

    @torch.no_grad()
    def guesses(self, model: nn.Module, split: str) -> tuple[Tensor, Tensor]:
        """Classes (M,) int64 of the cells of a split: the true ones, and what the model says."""
        model.eval()
        true, said = [], []
        for batch in self.ts.batches(split, self.batch_size, device=self.device, shuffle=False):
            true.append(batch.y.cpu())
            said.append(model(batch.x, batch.measured).argmax(dim=1).cpu())
        return torch.cat(true), torch.cat(said)


def count_confusion(true: Tensor, said: Tensor, classes: int) -> Tensor:
    """Cells (classes, classes) int64 by true class and by what was said."""
    return torch.bincount(true * classes + said, minlength=classes**2).view(classes, classes)


def scores_of(true: Tensor, said: Tensor, classes: int) -> tuple[float, float]:
    """Accuracy, and macro F1 as the mean over the classes that occur."""
    confusion = count_confusion(true, said, classes)
    hit, truth, claimed = confusion.diagonal(), confusion.sum(dim=1), confusion.sum(dim=0)
    f1 = 2 * hit / (truth + claimed).clamp(min=1)
    return float(hit.sum() / confusion.sum()), float(f1[truth > 0].mean())


def difference(full: ReadingScore, other: ReadingScore) -> Difference:
    """Compare two readings on the same test cells, by a paired bootstrap over them."""
    from scipy.stats import bootstrap

    gain = np.array(full.right) - np.array(other.right)
    low = high = float(gain.mean())
    if np.ptp(gain) > 0:
        found = bootstrap((gain,), np.mean, n_resamples=9_999, method="percentile", random_state=0)
        low, high = map(float, found.confidence_interval)
    return Difference(other.reading, float(gain.mean()), low, high)


def compare(
    ts: TrainingSet,
    *,
    seeds: int = 3,
    epochs: int = 20,
    batch_size: int = 32,
    device: str | None = None,
) -> Comparison:
    """Train every reading with every seed.

    Raises
    ------
    ExportError
        The training set has no classes, no cells to test on, or no text embeddings.
    """
    check_training_set(ts)
    training = Training(
        ts,
        moments(ts),
        epochs,
        batch_size,
        device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )
    classes = len(ts.classes)
    true, learned = (
        torch.cat([b.y for b in ts.batches(split, 256, shuffle=False)])
        for split in ("test", "train")
    )
    scores = []
    for reading in READINGS:
        runs = [training.run(reading, seed) for seed in range(seeds)]
        both = [scores_of(true, run.said, classes) for run in runs]
        right = torch.stack([run.said == true for run in runs]).float().mean(dim=0)
        mixed = torch.stack([count_confusion(true, run.said, classes) for run in runs]).sum(dim=0)
        scores.append(
            ReadingScore(
                reading,
                [a for a, _ in both],
                [f for _, f in both],
                right.tolist(),
                [run.losses for run in runs],
                [run.val_accuracy for run in runs],
                mixed.tolist(),
            )
        )
    counts = torch.bincount(true, minlength=classes)
    common = torch.bincount(learned, minlength=classes).argmax()
    return Comparison(
        cells=len(true),
        classes=int((counts > 0).sum()),
        smallest=int(counts[counts > 0].min()),
        majority=float(counts[common] / len(true)),
        seeds=seeds,
        scores=scores,
        differences=[difference(scores[0], score) for score in scores[1:]],
    )


def check_training_set(ts: TrainingSet) -> None:
    """Make sure that there is something to learn, and to read."""
    problem = hint = ""
    if not ts.classes:
        problem, hint = "no classes", "export it with --target cell_type"
    elif ts.graph.text_embedding.shape[1] == 0:
        problem, hint = "no text embeddings", "run `tosg embed`, then export it again"
    elif any(ts.content["splits"][split]["cells"] == 0 for split in ("train", "val", "test")):
        problem, hint = "a split without cells", "export it with --split donor or --split cell"
    if problem:
        raise ExportError(f"the training set has {problem}", where=ts.folder, hint=hint)


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def main() -> None:
    """Read the arguments, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("training_set", type=Path)
    parser.add_argument("--seeds", type=positive, default=5)
    parser.add_argument("--epochs", type=positive, default=20)
    parser.add_argument("--batch-size", type=positive, default=32)
    parser.add_argument("--device")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        found = compare(
            TrainingSet(options.training_set),
            seeds=options.seeds,
            epochs=options.epochs,
            batch_size=options.batch_size,
            device=options.device,
        )
    except TosgError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    print(json.dumps(asdict(found), indent=2) if options.json else "\n".join(found.lines()))  # noqa: T201


if __name__ == "__main__":
    main()
