"""The model of the tasks and its baselines, each a few lines of PyTorch.

`TextGraphNet` has no weights of any single gene: what it makes of a gene's abundance, and of what
the gene hears from its neighbours, is computed from the gene's text vector. So it can be applied
to genes that it was not trained on. The neighbours' abundances are averaged before training
(`study.Wiring.hear`), as in networks of precomputed hops (Frasca et al. 2020, SIGN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, DECAY, BATCH, WIDTH = 1e-2, 1e-3, 64, 3
DECAYS_OF_LINEAR = (1e-3, 1e-2, 1e-1)
NEIGHBOURS = (5, 15, 45)


class TextGraphNet(nn.Module):
    """Class scores of cells from what each gene has and hears, read by the gene's text.

    Parameters
    ----------
    text : (N, D) float32
        One vector per node.
    channels, classes : int
        Of the input and the output.
    learn_text : bool
        Whether the vectors are learned too: a model without texts.
    """

    def __init__(
        self, text: Tensor, channels: int, classes: int, *, learn_text: bool = False
    ) -> None:
        super().__init__()
        self.text = nn.Parameter(text.clone(), requires_grad=learn_text)
        self.channels, self.classes = channels, classes
        self.read = nn.Linear(text.shape[1], channels * WIDTH, bias=False)
        self.shift = nn.Linear(text.shape[1], WIDTH, bias=False)
        self.vote = nn.Linear(text.shape[1], WIDTH * classes, bias=False)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, heard: Tensor) -> Tensor:
        """Scores (B, classes) of cells, whose ``heard`` is (B, N, channels)."""
        n = len(self.text)
        read = self.read(self.text).view(n, self.channels, WIDTH)
        # One product per gene: (N, B, channels) x (N, channels, WIDTH).
        state = torch.tanh(
            torch.bmm(heard.transpose(0, 1), read) + self.shift(self.text).unsqueeze(1)
        )
        vote = self.vote(self.text).view(n, WIDTH, self.classes)
        return torch.bmm(state, vote).sum(dim=0) / n**0.5 + self.bias


@dataclass(frozen=True)
class Split:
    """Rows of the cells to learn from, to choose on, and to test on."""

    train: Tensor
    val: Tensor
    test: Tensor


def split_cells(train_pool: Tensor, test: Tensor, seed: int, share: float = 0.2) -> Split:
    """Set a share of the training donors' cells apart to choose on; no test cell is looked at."""
    draw = torch.Generator().manual_seed(seed)
    pool = train_pool[torch.randperm(len(train_pool), generator=draw)]
    n = int(len(pool) * share)
    return Split(pool[n:], pool[:n], test)


def moments(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and 1/standard deviation (N,) over some cells; 0 where a gene does not vary."""
    std, mean = torch.std_mean(x[rows], dim=0)
    return mean, torch.where(std > 1e-6, 1 / std, 0)


def main_components(text: Tensor, n: int) -> Tensor:
    """The first n main components of the text vectors, (N, n), scaled to unit length."""
    left, values, _ = torch.linalg.svd(text - text.mean(dim=0), full_matrices=False)
    return nn.functional.normalize(left[:, :n] * values[:n], dim=1)


def balanced(said: Tensor, true: Tensor) -> float:
    """Mean over the classes of the share that is right."""
    hits = [(said[true == c] == c).float().mean() for c in true.unique()]
    return float(torch.stack(hits).mean())


def fit_network(
    text: Tensor,
    learn: Tensor,
    y: Tensor,
    choose: Tensor,
    y_choose: Tensor,
    classes: int,
    *,
    learn_text: bool,
    seed: int,
    epochs: int,
) -> TextGraphNet:
    """Train a `TextGraphNet` and keep the epoch of the best balanced accuracy on cells set apart.

    Parameters
    ----------
    text : (N, D) float32
    learn, choose : (m, N, channels) float32
        What the genes have and hear, of the cells to learn from and of those set apart.
    y, y_choose : (m,) int64
        Their classes.
    """
    torch.manual_seed(seed)
    model = TextGraphNet(text, learn.shape[-1], classes, learn_text=learn_text)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=RATE, weight_decay=DECAY)
    draw = torch.Generator().manual_seed(seed)
    best, state = -1.0, model.state_dict()
    for _ in range(epochs):
        for rows in torch.randperm(len(learn), generator=draw).split(BATCH):
            loss = nn.functional.cross_entropy(model(learn[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            score = balanced(model(choose).argmax(dim=1), y_choose)
        if score > best:
            best, state = score, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    return model


def minimise(layer: nn.Linear, loss: Callable[[], Tensor], decay: float) -> None:
    """Fit a linear layer, its weights zero at first, to a convex loss with weight decay."""
    nn.init.zeros_(layer.weight)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=30, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        layer.zero_grad()
        found = loss() + decay * (layer.weight**2).sum() / 2
        found.backward()
        return found

    optimizer.step(step)


def fit_linear(x: Tensor, y: Tensor, split: Split, classes: int) -> Tensor:
    """Logistic regression, its weight decay chosen on val; what it says (m,) of the test cells."""
    best, said = -1.0, torch.zeros(0)
    for decay in DECAYS_OF_LINEAR:
        layer = nn.Linear(x.shape[1], classes)
        minimise(
            layer,
            lambda layer=layer: nn.functional.cross_entropy(layer(x[split.train]), y[split.train]),
            decay,
        )
        with torch.no_grad():
            score = balanced(layer(x[split.val]).argmax(dim=1), y[split.val])
            if score > best:
                best, said = score, layer(x[split.test]).argmax(dim=1)
    return said


def fit_nearest(x: Tensor, y: Tensor, split: Split, classes: int) -> Tensor:
    """The most common class of the nearest training cells by cosine, their number chosen on val."""
    unit = nn.functional.normalize(x, dim=1)

    def ask(rows: Tensor, k: int) -> Tensor:
        near = (unit[rows] @ unit[split.train].T).topk(min(k, len(split.train)), dim=1)
        votes = nn.functional.one_hot(y[split.train][near.indices], classes).float()
        return (votes * near.values.unsqueeze(-1)).sum(dim=1).argmax(dim=1)

    best = max(NEIGHBOURS, key=lambda k: balanced(ask(split.val, k), y[split.val]))
    return ask(split.test, best)
