"""Cell types by genes never seen: trained on one panel of genes, tested on another.

    python examples/science/unseen_genes.py --graph science

Each seed deals Kang's genes out to three panels: 40 % to learn from, 20 % to choose on, 40 % to
test on. A cell that is measured on a panel has no value of any other gene. The models learn the
cell types of one donor's cells on the first panel; they are asked about the other donor's cells
on the third, both ways round. A weight for each gene is worth nothing there: what can help is
what a gene's text says, and the edges between genes of the two panels.

No leakage: a cell's total runs over its panel alone. Means and standard deviations of the new
genes come from cells of the training donor that are not labelled (a lab that has a new panel has
such cells); epochs, weight decays and numbers of neighbours are chosen on the second panel, on
cells of the training donor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from network import (
    Split,
    fit_linear,
    fit_nearest,
    fit_network,
    main_components,
    moments,
)
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
from unseen_donors import KANG, classes_of

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray
    from torch import Tensor

    from tosg import KnowledgeGraph

#: Shares of the genes: to learn from, to choose on, to test on.
SHARES = (0.4, 0.2, 0.4)
#: Fewer numbers for a text than there are genes to learn from.
COMPONENTS = 32
#: Genes of the old panel that a new gene is read as, by text.
LIKE = 10

BASELINES = (
    "linear on texts",
    "k-nearest on texts",
    "linear over edges",
    "linear over texts",
    "linear",
    "linear, same panel",
)


@dataclass(frozen=True)
class Part:
    """Some cells, measured on one panel: (M, N) with 0 for genes of other panels."""

    rows: Tensor
    panel: Tensor


def on_panel(x: Tensor, panel: Tensor) -> Tensor:
    """Abundances (M, N) as if nothing but the panel had been measured."""
    counts = torch.expm1(x) * panel
    total = counts.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return torch.log1p(counts / total * 1e4)


def deal_panels(n: int, seed: int) -> list[Tensor]:
    """Three disjoint panels, (N,) bool each."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    ends = np.cumsum([int(n * share) for share in SHARES[:2]])
    panels = []
    for part in (order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] :]):
        panel = torch.zeros(n, dtype=torch.bool)
        panel[part] = True
        panels.append(panel)
    return panels


@dataclass(frozen=True)
class Fold:
    """One donor to learn from, in three parts, and the other to test on."""

    learn: Part
    choose: Part
    unlabelled: Part
    test: Part

    @classmethod
    def make(cls, donor: NDArray[Any], held: str, panels: list[Tensor], seed: int) -> Fold:
        """Half of the training donor's cells have labels, a fifth chooses, the rest has none."""
        pool = torch.from_numpy(np.flatnonzero(donor != held))
        pool = pool[torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))]
        half, most = int(len(pool) * 0.5), int(len(pool) * 0.7)
        test = torch.from_numpy(np.flatnonzero(donor == held))
        return cls(
            Part(pool[:half], panels[0]),
            Part(pool[half:most], panels[1]),
            Part(pool[most:], panels[2]),
            Part(test, panels[2]),
        )

    def standardise(self, make: Any, x: Tensor) -> list[Tensor]:
        """What `make` says of the cells to learn from, to choose on and to test, standardised.

        `make(x, panel)` gives (m, ...) of cells on a panel. The mean and deviation are those of the
        unlabelled cells on the same panel, for the first panel those of the cells to learn from.
        """
        found = []
        for part, like in (
            (self.learn, self.learn.rows),
            (self.choose, self.unlabelled.rows),
            (self.test, self.unlabelled.rows),
        ):
            mean, scale = moments(make(x[like], part.panel), torch.arange(len(like)))
            found.append(((make(x[part.rows], part.panel) - mean) * scale).clamp(-5, 5))
        return found


def test_network(
    reading: str, study: Study, wiring: Wiring, text: Tensor, y: Tensor, classes: int, fold: Fold,
    seed: int, epochs: int,
) -> Tensor:  # fmt: skip
    """What a network says (m,) of the test cells on the new panel."""

    def hear(x: Tensor, panel: Tensor) -> Tensor:
        heard = wiring.hear(on_panel(x, panel), panel)
        return heard[..., :1] if reading == "no graph" else heard

    learn, choose, test = fold.standardise(hear, study.x)
    model = fit_network(
        text,
        learn,
        y[fold.learn.rows],
        choose,
        y[fold.choose.rows],
        classes,
        learn_text=reading == "no text",
        seed=seed,
        epochs=epochs,
    )
    with torch.no_grad():
        return model(test).argmax(dim=1)


def test_baseline(
    reading: str, study: Study, text: Tensor, y: Tensor, classes: int, fold: Fold
) -> Tensor:
    """What a baseline says (m,) of the test cells on the new panel."""
    if reading == "linear, same panel":
        # What one would reach with labels on the new panel itself: not a baseline but a ceiling.
        panel = fold.test.panel
        fold = Fold(
            *(Part(p.rows, panel) for p in (fold.learn, fold.choose, fold.unlabelled, fold.test))
        )

    def on_texts(x: Tensor, panel: Tensor) -> Tensor:
        return on_panel(x, panel)

    parts = fold.standardise(on_texts, study.x)
    panels = [fold.learn.panel, fold.choose.panel, fold.test.panel]
    if reading.endswith("on texts"):
        # A cell is the sum of its genes' texts, by how much it has of each.
        parts = [
            part @ text / panel.sum() ** 0.5 for part, panel in zip(parts, panels, strict=True)
        ]
    elif reading in ("linear over edges", "linear over texts"):
        # The genes that were learned, each guessed from the genes of the panel that are like it.
        like = study.wiring.partners() if reading == "linear over edges" else text @ text.T
        old = fold.learn.panel
        parts = [
            parts[0],
            *(guess(p, like, q, old) for p, q in zip(parts[1:], panels[1:], strict=True)),
        ]
    x = torch.cat(parts)
    rows = torch.arange(len(x)).split([len(part) for part in parts])
    labels = torch.cat([y[p.rows] for p in (fold.learn, fold.choose, fold.test)])
    ask = fit_nearest if reading.startswith("k-nearest") else fit_linear
    return ask(x, labels, Split(*rows), classes)


def guess(x: Tensor, like: Tensor, panel: Tensor, wanted: Tensor) -> Tensor:
    """Guess wanted genes (m, N) from those of a panel: the mean over the `LIKE` most like it."""
    weight = torch.where(panel, like, 0.0)
    near = weight.topk(LIKE, dim=1)
    kept = torch.zeros_like(weight).scatter(1, near.indices, (near.values > 0).float())
    mean = x @ (kept / kept.sum(dim=1, keepdim=True).clamp(min=1)).T
    return torch.where(wanted, mean, 0.0)


def ask(study: Study, options: argparse.Namespace) -> Table:
    """Each donor is tested once with each seed's panels."""
    names, y = classes_of(study.cells["cell_type"])
    donor = study.cells["donor_id"]
    seeds = seeds_of(options)
    readings = (FULL, *ABLATIONS, *BASELINES)
    right = {reading: np.zeros((len(seeds), len(y))) for reading in readings}
    vectors = main_components(study.text, COMPONENTS)
    for s, seed in enumerate(seeds):
        panels = deal_panels(len(study.symbols), seed)
        wirings = {r: wiring_of(r, study.wiring, seed) for r in (FULL, "false edges")}
        for held in np.unique(donor):
            fold = Fold.make(donor, held, panels, seed)
            for reading in readings:
                text = text_of(reading, vectors, seed)
                if reading in BASELINES:
                    said = test_baseline(reading, study, text, y, len(names), fold)
                else:
                    wiring = wirings["false edges" if reading == "false edges" else FULL]
                    said = test_network(
                        reading, study, wiring, text, y, len(names), fold, seed, options.epochs
                    )
                rows = fold.test.rows
                right[reading][s, rows.numpy()] = (said == y[rows]).numpy()
    return compare(
        "Kang: cell type, by genes never seen",
        "balanced accuracy",
        "cells",
        right,
        strata=study.cells["cell_type"],
        clusters=donor,
        chance=1 / len(names),
    )


def work_on(graph: KnowledgeGraph, options: argparse.Namespace) -> Result:
    """Export Kang's cells, ask."""
    kang = export(graph, options.work / "kang", KANG)
    return Result(
        "unseen_genes",
        f"python examples/science/unseen_genes.py --graph NAME --seeds {options.seeds}",
        {"seeds": options.seeds, "epochs": options.epochs, "shares": list(SHARES)},
        {
            "cells": len(kang.x),
            "nodes": len(kang.symbols),
            "edges": len(kang.wiring),
        },
        [ask(kang, options)],
    )


if __name__ == "__main__":
    run_task("unseen_genes", __doc__, work_on)
