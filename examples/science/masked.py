"""Masked expression of held-out genes, and masked edges against degree-matched negatives.

    python examples/science/masked.py --graph science

**Expression.** Each seed deals the genes out to three parts; each part is held out once. A model
learns to tell a gene's abundance in a cell from that of the other genes of the cell, from what
the gene's text says and from the gene's neighbours; the genes that are held out are never among
those whose abundance it learns to tell, nor among those that it looks at. It learns on one donor
and is tested on the other, both ways round. The score of a held-out gene is the correlation, over
the test cells, of what the model says and what was measured.

**Edges.** A fifth of the pairs of genes with an edge are masked, whatever the edge's type and
direction. Each is set against a pair without an edge whose genes have the same degrees: the
targets of the masked pairs are dealt out again. The score is how often the masked pair is ranked
above its partner. Masked pairs of which one gene's text names the other are left out.

No leakage: genes are standardised, and main components are made, on training cells alone; epochs
and numbers of neighbours are chosen on a sixth of the genes, and an eighth of the pairs, that are
not tested. Pairs that serve as negatives in training are drawn without a look at the masked ones:
that a pair never comes up as a negative would tell that it is masked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import torch
from network import NEIGHBOURS, main_components, moments
from study import (
    ABLATIONS,
    FULL,
    Result,
    Study,
    Table,
    Wiring,
    compare,
    export,
    run_task,
    seeds_of,
    text_of,
    wiring_of,
)
from torch import Tensor, nn
from unseen_donors import KANG

if TYPE_CHECKING:
    import argparse

    from tosg import KnowledgeGraph

FOLDS = 3
#: Main components of cells that stand for the state of a cell, and of the texts.
STATES, COMPONENTS = 10, 32
BASELINES = ("linear", "k-nearest", "mean of neighbours", "mean of the cell")


class Teller(nn.Module):
    """Tells the abundance of genes, (M, N), from the cell's state and the genes' neighbours.

    What a state means for a gene, and how far the gene follows its neighbours, is computed from the
    gene's text.
    """

    def __init__(self, text: Tensor, channels: int, *, learn_text: bool) -> None:
        super().__init__()
        self.text = nn.Parameter(text.clone(), requires_grad=learn_text)
        self.of_state = nn.Linear(text.shape[1], STATES)
        self.of_heard = nn.Linear(text.shape[1], channels)
        for layer in (self.of_state, self.of_heard):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, state: Tensor, heard: Tensor) -> Tensor:
        """Abundances (M, N) from states (M, STATES) and what was heard (M, N, channels)."""
        told = state @ self.of_state(self.text).T
        return told + (heard * self.of_heard(self.text)).sum(dim=-1)


def correlate(told: Tensor, true: Tensor) -> Tensor:
    """Correlation (N,) of the columns of two matrices (M, N); 0 where one is constant."""
    a, b = told - told.mean(dim=0), true - true.mean(dim=0)
    scale = (a.norm(dim=0) * b.norm(dim=0)).clamp(min=1e-6)
    return (a * b).sum(dim=0) / scale


def tell_held_out(
    study: Study, wirings: dict[str, Wiring], vectors: Tensor, donors: tuple[Tensor, Tensor],
    parts: Tensor, held: int, seed: int, epochs: int,
) -> dict[str, Tensor]:  # fmt: skip
    """Reading to (N,): correlation of each gene that is held out, NaN for the others."""
    train, test = donors
    out = parts == held
    choose = parts == (held + 1) % FOLDS
    choose = choose & (torch.rand(len(parts), generator=torch.Generator().manual_seed(seed)) < 0.5)
    known = ~out & ~choose
    mean, scale = moments(study.x, train)
    x = ((study.x - mean) * scale).clamp(-5, 5)
    seen = x[train][:, known]
    # Main components of the training cells, over the genes that are known.
    basis = torch.linalg.svd(seen, full_matrices=False)[2][:STATES].T / known.sum() ** 0.5
    states = x[:, known] @ basis
    found: dict[str, Tensor] = {}

    def score(told: Tensor, genes: Tensor, rows: Tensor) -> Tensor:
        return torch.where(genes, correlate(told, x[rows]), torch.nan)

    true, false = (wirings[r].hear(x, known)[..., 1:] for r in (FULL, "false edges"))
    for reading in (FULL, *ABLATIONS):
        text = text_of(reading, vectors, seed)
        heard = false if reading == "false edges" else true
        if reading == "no graph":
            heard = torch.zeros_like(true)
        torch.manual_seed(seed)
        model = Teller(text, heard.shape[-1], learn_text=reading == "no text")
        learned = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learned, lr=1e-2, weight_decay=1e-2)
        best = -1.0
        for _ in range(epochs):
            for rows in train[torch.randperm(len(train))].split(128):
                told = model(states[rows], heard[rows])
                loss = ((told - x[rows])[:, known] ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                value = float(score(model(states[train], heard[train]), choose, train).nanmean())
                if value > best:
                    best = value
                    found[reading] = score(model(states[test], heard[test]), out, test)
        found.setdefault(reading, torch.where(out, 0.0, torch.nan))
    # Ridge regression from texts to what the states mean for a gene.
    loadings = torch.linalg.lstsq(states[train], x[train][:, known]).solution.T
    t = vectors[known]
    weights = torch.linalg.solve(t.T @ t + torch.eye(t.shape[1]), t.T @ loadings)
    found["linear"] = score(states[test] @ (vectors @ weights).T, out, test)
    like = torch.where(known, vectors @ vectors.T, -2.0)

    def mean_of(k: int) -> Tensor:
        near = like.topk(k, dim=1).indices
        return torch.zeros_like(like).scatter(1, near, 1 / k)

    best_k = max(
        NEIGHBOURS, key=lambda k: float(score(x[train] @ mean_of(k).T, choose, train).nanmean())
    )
    found["k-nearest"] = score(x[test] @ mean_of(best_k).T, out, test)
    partners = study.wiring.partners() * known
    partners = partners / partners.sum(dim=1, keepdim=True).clamp(min=1)
    found["mean of neighbours"] = score(x[test] @ partners.T, out, test)
    whole = x[test][:, known].mean(dim=1, keepdim=True).expand(-1, len(parts))
    found["mean of the cell"] = score(whole, out, test)
    return found


def ask_expression(study: Study, options: argparse.Namespace) -> Table:
    """Each gene is held out once by each seed, in both donors."""
    donor = study.cells["donor_id"]
    names = np.unique(donor)
    seeds = seeds_of(options)
    vectors = main_components(study.text, COMPONENTS)
    n = len(study.symbols)
    scores = {r: np.zeros((len(seeds), len(names), n)) for r in (FULL, *ABLATIONS, *BASELINES)}
    for s, seed in enumerate(seeds):
        parts = torch.randperm(n, generator=torch.Generator().manual_seed(seed)) % FOLDS
        wirings = {r: wiring_of(r, study.wiring, seed) for r in (FULL, "false edges")}
        for d, name in enumerate(names):
            donors = tuple(
                torch.from_numpy(np.flatnonzero(w)) for w in (donor != name, donor == name)
            )
            for held in range(FOLDS):
                found = tell_held_out(
                    study, wirings, vectors, donors, parts, held, seed, options.epochs
                )
                out = (parts == held).numpy()
                for reading, values in found.items():
                    scores[reading][s, d, out] = values.numpy()[out]
    return compare(
        "Kang: abundance of held-out genes",
        "correlation over the test donor's cells",
        "genes",
        {reading: values.mean(axis=1) for reading, values in scores.items()},
        chance=0.0,
    )


class Linker(nn.Module):
    """Scores pairs of genes by what their texts and their neighbours' texts say."""

    def __init__(self, text: Tensor, width: int = 32, *, learn_text: bool) -> None:
        super().__init__()
        self.text = nn.Parameter(text.clone(), requires_grad=learn_text)
        self.own = nn.Linear(text.shape[1], width)
        self.heard = nn.Linear(text.shape[1], width, bias=False)
        self.weight = nn.Parameter(torch.ones(width) / width**0.5)

    def forward(self, neighbours: Tensor, pairs: Tensor) -> Tensor:
        """Scores (P,) of pairs (2, P); ``neighbours`` (N, N) sparse takes means."""
        state = torch.tanh(self.own(self.text) + self.heard(neighbours @ self.text))
        return (state[pairs[0]] * state[pairs[1]]) @ self.weight


def mean_over(pairs: Tensor, n: int) -> Tensor:
    """Sparse (N, N): row i takes the mean over the partners of i."""
    index = torch.cat([pairs, pairs.flip(0)], dim=1)
    degree = torch.bincount(index[0], minlength=n).clamp(min=1).float()
    return torch.sparse_coo_tensor(index, 1 / degree[index[0]], (n, n), check_invariants=False)


def deal_negatives(pairs: Tensor, taken: Tensor, n: int, seed: int) -> Tensor:
    """Pairs (2, P) without an edge, of the same genes: their second genes are dealt out again.

    A pair that is taken (keys of `key_of`) or a gene with itself is dealt again with others;
    the few that remain so fall back on any free gene.
    """
    draw = torch.Generator().manual_seed(seed)
    second = pairs[1].clone()
    pool = torch.arange(pairs.shape[1])
    bad = pool
    for _ in range(20):
        second[pool] = second[pool[torch.randperm(len(pool), generator=draw)]]
        dealt = torch.stack([pairs[0], second])
        bad = ((dealt[0] == dealt[1]) | torch.isin(key_of(dealt, n), taken)).nonzero().flatten()
        if not len(bad):
            break
        others = torch.randint(pairs.shape[1], (len(bad),), generator=draw)
        pool = torch.cat([bad, others]).unique()
    for i in bad.tolist():
        for j in torch.randperm(n, generator=draw).tolist():
            one = torch.tensor([[int(pairs[0, i])], [j]])
            if one[0] != j and not torch.isin(key_of(one, n), taken).any():
                second[i] = j
                break
    return torch.stack([pairs[0], second])


def key_of(pairs: Tensor, n: int) -> Tensor:
    """One number for a pair, whatever its order."""
    return pairs.min(dim=0).values * n + pairs.max(dim=0).values


def names_the_other(study: Study, pairs: Tensor) -> Tensor:
    """Whether the text of one gene of a pair has the symbol of the other as a word, (P,) bool."""
    words = [set(re.findall(r"[A-Za-z0-9-]+", text)) for text in study.texts]
    return torch.tensor(
        [study.symbols[a] in words[b] or study.symbols[b] in words[a] for a, b in pairs.T.tolist()],
        dtype=torch.bool,
    )


def ask_edges(study: Study, options: argparse.Namespace) -> tuple[Table, dict[str, int]]:
    """One fifth of the pairs is masked; seeds differ in negatives, models and what is chosen on."""
    n = len(study.symbols)
    keys = key_of(torch.stack([study.wiring.source, study.wiring.target]), n).unique()
    pairs = torch.stack([keys // n, keys % n])
    flip = torch.rand(len(keys), generator=torch.Generator().manual_seed(0)) < 0.5
    pairs = torch.where(flip, pairs.flip(0), pairs)
    order = torch.randperm(len(keys), generator=torch.Generator().manual_seed(0))
    fifth = len(keys) // 5
    masked, rest = pairs[:, order[:fifth]], pairs[:, order[fifth:]]
    seen = key_of(rest, n)  # all that training knows of: a masked pair may be drawn as a negative
    told = names_the_other(study, masked)
    masked = masked[:, ~told]
    vectors = main_components(study.text, COMPONENTS)
    seeds = seeds_of(options)
    readings = (FULL, *ABLATIONS, "linear", "k-nearest", "common neighbours", "product of degrees")
    wins = {reading: np.zeros((len(seeds), masked.shape[1])) for reading in readings}
    for s, seed in enumerate(seeds):
        against = deal_negatives(masked, keys, n, 10_000 + seed)
        both = torch.cat([masked, against], dim=1)
        mixed = rest[
            :, torch.randperm(rest.shape[1], generator=torch.Generator().manual_seed(seed))
        ]
        chosen, learned = mixed[:, : rest.shape[1] // 8], mixed[:, rest.shape[1] // 8 :]
        chosen_both = torch.cat([chosen, deal_negatives(chosen, seen, n, 20_000 + seed)], dim=1)
        for reading in readings:
            if reading in (FULL, *ABLATIONS):
                scores = fit_linker(
                    reading, vectors, learned, chosen_both, both, seen, n, seed, options.epochs
                )
            else:
                scores = score_pairs(reading, vectors, learned, both, seen, n, seed)
            wins[reading][s] = won(scores).numpy()
    table = compare(
        "masked edges against degree-matched pairs",
        "share ranked above its partner",
        "pairs",
        wins,
        chance=0.5,
    )
    return table, {
        "pairs": len(keys),
        "masked": masked.shape[1],
        "left out, named in a text": int(told.sum()),
    }


def won(scores: Tensor) -> Tensor:
    """Whether each pair of the first half scores above its partner; half for a tie."""
    true, false = scores.chunk(2)
    return (true > false).float() + 0.5 * (true == false).float()


def fit_linker(
    reading: str, vectors: Tensor, learned: Tensor, chosen: Tensor, both: Tensor, seen: Tensor,
    n: int, seed: int, epochs: int,
) -> Tensor:  # fmt: skip
    """Scores of the pairs that are tested, by the epoch that is best on those to choose on."""
    heard = learned
    if reading == "false edges":
        heard = deal_negatives(learned, seen, n, 30_000 + seed)
    torch.manual_seed(seed)
    model = Linker(text_of(reading, vectors, seed), learn_text=reading == "no text")
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=1e-2
    )

    def over(which: Tensor) -> Tensor:
        return mean_over(which[:, :0] if reading == "no graph" else which, n)

    best, scores = -1.0, torch.zeros(both.shape[1])
    for epoch in range(4 * epochs):
        # A pair that is learned is not heard: half of the pairs carry, the others are asked.
        order = torch.randperm(learned.shape[1])
        carry, asked = order.chunk(2)
        negatives = deal_negatives(learned[:, asked], seen, n, 1_000 * seed + epoch)
        scored = model(over(heard[:, carry]), torch.cat([learned[:, asked], negatives], dim=1))
        # Paired: the true one above its partner.
        loss = nn.functional.softplus(-scored.chunk(2)[0] + scored.chunk(2)[1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 2:
            with torch.no_grad():
                value = float(won(model(over(heard), chosen)).mean())
                if value > best:
                    best, scores = value, model(over(heard), both)
    return scores


def score_pairs(
    reading: str, vectors: Tensor, learned: Tensor, both: Tensor, seen: Tensor, n: int, seed: int
) -> Tensor:
    """Scores of pairs by a baseline."""
    near = torch.zeros(n, n)
    near[learned[0], learned[1]] = near[learned[1], learned[0]] = 1
    degree = near.sum(dim=1)
    a, b = both
    if reading == "product of degrees":
        return degree[a] * degree[b]
    if reading == "common neighbours":
        weighted = near / torch.log(degree.clamp(min=2))
        return (weighted[a] * near[b]).sum(dim=1)
    like = vectors @ vectors.T
    if reading == "k-nearest":
        # One is like a partner of the other: the mean over the five most alike.
        top = [
            torch.where(near[p] > 0, like[q], -1.0).topk(5, dim=1).values.mean(dim=1)
            for p, q in ((a, b), (b, a))
        ]
        return top[0] + top[1]
    negatives = deal_negatives(learned, seen, n, 40_000 + seed)
    pairs = torch.cat([learned, negatives], dim=1)
    y = torch.cat([torch.ones(learned.shape[1]), -torch.ones(learned.shape[1])])
    x = vectors[pairs[0]] * vectors[pairs[1]]
    weights = torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]), x.T @ y)
    return (vectors[a] * vectors[b]) @ weights


def work_on(graph: KnowledgeGraph, options: argparse.Namespace) -> Result:
    """Export Kang's cells, ask both."""
    kang = export(graph, options.work / "kang", KANG)
    edges, counts = ask_edges(kang, options)
    return Result(
        "masked",
        f"python examples/science/masked.py --graph NAME --seeds {options.seeds}",
        {"seeds": options.seeds, "epochs": options.epochs, "folds": FOLDS},
        {"cells": len(kang.x), "nodes": len(kang.symbols), "edges": len(kang.wiring), **counts},
        [ask_expression(kang, options), edges],
    )


if __name__ == "__main__":
    run_task("masked", __doc__, work_on)
