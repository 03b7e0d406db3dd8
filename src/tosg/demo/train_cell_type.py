"""Train a cell type classifier on a training set: graph, texts and expression, and without each.

One model, four readings of the same cells on the same split:

``full``
    A gene's state is its abundance times what its text says, passed along the edges; its text also
    says how the state votes.
``no graph``
    The same model with its edges taken away.
``no text``
    The same model with fixed random vectors of the same length in place of the text embeddings.
``linear``
    Multinomial logistic regression on the abundances alone.

Every reading is trained with the same seeds; scores are of the test cells, as mean and standard
deviation over the seeds. A difference smaller than the spread is no difference.

    python examples/train_cell_type.py OUT --seeds 5
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tosg.export.training_set import TrainingSet

READINGS = ("full", "no graph", "no text", "linear")


class CellGraphModel(nn.Module):
    """Two rounds of mean-neighbour messages over the shared topology; texts say how to read them.

    A gene's state begins as its abundance times a vector made from its text. In the end its text
    also gives the weights by which its state votes for the classes: genes that read alike vote
    alike, and what is learned of one is learned of the others.

    Parameters
    ----------
    text : (N, D) float32
        One vector per node: what its text says.
    edge_index : (2, E) int64
        Source and target nodes; E may be 0.
    classes : int
        Number of classes.
    width : int
        Width of a node's state.
    """

    text: Tensor
    mean_of_neighbours: Tensor

    def __init__(self, text: Tensor, edge_index: Tensor, classes: int, width: int = 16) -> None:
        super().__init__()
        n, self.classes = text.shape[0], classes
        # What sets a text apart: all texts of genes have much in common.
        self.register_buffer("text", nn.functional.normalize(text - text.mean(dim=0), dim=1))
        degree = torch.bincount(edge_index[1], minlength=n).clamp(min=1).float()
        # Row i of the matrix takes the mean over the nodes that point to i.
        self.register_buffer(
            "mean_of_neighbours",
            torch.sparse_coo_tensor(
                edge_index.flip(0), 1 / degree[edge_index[1]], (n, n), check_invariants=False
            ).coalesce(),
        )
        self.message = nn.Linear(text.shape[1], width)
        self.rounds = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(2))
        self.votes = nn.Linear(text.shape[1], width * classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (B, classes) of cells with standardised abundances ``x`` (B, N)."""
        h = x.unsqueeze(-1) * self.message(self.text)
        b, n, width = h.shape
        for layer in self.rounds:
            flat = h.transpose(0, 1).reshape(n, b * width)
            neighbours = (self.mean_of_neighbours @ flat).view(n, b, width).transpose(0, 1)
            h = h + torch.tanh(layer(torch.cat([h, neighbours], dim=-1)))
        votes = self.votes(self.text).view(n * width, self.classes)
        scores: Tensor = h.reshape(b, n * width) @ votes / n**0.5
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

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (B, classes) of cells with abundances ``x`` (B, N)."""
        scores: Tensor = self.model((x - self.mean) * self.scale)
        return scores


@dataclass(frozen=True)
class Score:
    """One reading's scores on the test cells, a number per seed."""

    reading: str
    accuracy: list[float]
    macro_f1: list[float]

    @property
    def summary(self) -> str:
        """Mean and standard deviation of both scores."""
        parts = []
        for name, values in (("accuracy", self.accuracy), ("macro F1", self.macro_f1)):
            t = torch.tensor(values)
            parts.append(f"{name} {t.mean():.3f} ± {t.std(correction=0):.3f}")
        return ", ".join(parts)


def moments(ts: TrainingSet) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (N,) of the abundances over the training cells."""
    total, squares, cells = torch.zeros(ts.n_nodes), torch.zeros(ts.n_nodes), 0
    for batch in ts.batches("train", 256, shuffle=False):
        total += batch.x.sum(dim=0)
        squares += (batch.x**2).sum(dim=0)
        cells += len(batch)
    mean = total / cells
    return mean, (squares / cells - mean**2).clamp(min=0).sqrt()


def build(reading: str, ts: TrainingSet, seed: int) -> nn.Module:
    """Make the model of one reading."""
    classes = len(ts.classes)
    if reading == "linear":
        return Standardised(nn.Linear(ts.n_nodes, classes), *moments(ts))
    text, edges = ts.graph.text_embedding.float(), ts.graph.edge_index
    if reading == "no text":
        text = torch.randn(text.shape, generator=torch.Generator().manual_seed(seed))
    if reading == "no graph":
        edges = edges[:, :0]
    return Standardised(CellGraphModel(text, edges, classes), *moments(ts))


def train(
    ts: TrainingSet, reading: str, *, seed: int, epochs: int, batch_size: int, device: str
) -> tuple[float, float]:
    """Train one reading with one seed; test accuracy and macro F1 of the best validation epoch."""
    torch.manual_seed(seed)
    model = build(reading, ts, seed).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-3)
    best, state = -1.0, model.state_dict()
    for epoch in range(epochs):
        model.train()
        for batch in ts.batches("train", batch_size, device=device, seed=seed, epoch=epoch):
            loss = nn.functional.cross_entropy(model(batch.x), batch.y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        score = sum(evaluate(ts, model, "val", batch_size, device))
        if score > best:
            best = score
            state = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    return evaluate(ts, model, "test", batch_size, device)


@torch.no_grad()
def evaluate(
    ts: TrainingSet, model: nn.Module, split: str, batch_size: int, device: str
) -> tuple[float, float]:
    """Accuracy and macro F1 (mean over the classes that occur) on one split."""
    model.eval()
    classes = len(ts.classes)
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    for batch in ts.batches(split, batch_size, device=device, shuffle=False):
        guess = model(batch.x).argmax(dim=1)
        pair = batch.y.cpu() * classes + guess.cpu()
        confusion += torch.bincount(pair, minlength=classes**2).view(classes, classes)
    hit, truth, said = confusion.diagonal(), confusion.sum(dim=1), confusion.sum(dim=0)
    f1 = 2 * hit / (truth + said).clamp(min=1)
    return float(hit.sum() / confusion.sum()), float(f1[truth > 0].mean())


def compare(
    ts: TrainingSet,
    *,
    seeds: int = 3,
    epochs: int = 20,
    batch_size: int = 32,
    device: str | None = None,
) -> list[Score]:
    """Train every reading with every seed."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    options = {"epochs": epochs, "batch_size": batch_size, "device": device}
    scores = []
    for reading in READINGS:
        runs = [train(ts, reading, seed=seed, **options) for seed in range(seeds)]  # type: ignore[arg-type]
        scores.append(Score(reading, [a for a, _ in runs], [f for _, f in runs]))
    return scores


def main() -> None:
    """Read the arguments, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("training_set", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scores = compare(
        TrainingSet(options.training_set),
        seeds=options.seeds,
        epochs=options.epochs,
        batch_size=options.batch_size,
        device=options.device,
    )
    if options.json:
        print(json.dumps([asdict(score) for score in scores], indent=2))  # noqa: T201
    else:
        for score in scores:
            print(f"{score.reading:<10}{score.summary}")  # noqa: T201


if __name__ == "__main__":
    main()
