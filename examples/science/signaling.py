"""Which edges carry the signal in stimulated cells: attributions, written back to the graph.

    python examples/science/signaling.py --graph science

A model learns whether Kang's cells were stimulated with interferon beta (one donor's cells, then
the other's), without being told what interferon is. For each cell of the donor that it has not
seen, the difference of its two scores (positive: stimulated) is traced back to the edges: gradient
times input. What a gene hears is a sum over its edges, so that the parts of the edges add up to
gradient times input of the gene's hearing. The mean over the cells of a group (cell type and
condition), over both donors and all seeds, is the edge's score in that group, with its standard
deviation over the seeds. The scores are written to Neo4j as ``SIGNALS_IN``, and ``tosg
query signals_in_cell_type`` asks for them.

The check: do edges between interferon genes (hallmark sets of the response to interferon alpha or
gamma, which the model is not given) rank above edges of the same degrees elsewhere? Each
interferon edge is set against edges whose source and target have like degrees. The same is asked
of control cells, of the model on false edges, without texts, with random texts, and of two scores
without a graph: the mean abundance of both ends, and logistic regression.

No leakage: means and standard deviations come from training cells, the epoch is chosen on a fifth
of them; the sets of interferon genes serve the check alone. What texts of genes say of interferon
is what the model may read; the reading without texts shows what is left without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from network import fit_network, main_components, minimise, moments, split_cells
from scipy.stats import rankdata
from study import (
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
from torch import nn
from unseen_donors import KANG, classes_of

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray
    from torch import Tensor

    from tosg import KnowledgeGraph

METHOD = "stimulation, gradient times input"
READINGS = (FULL, "false edges", "no text", "random text")
NO_MODEL = ("linear", "mean abundance")
#: Edges that each interferon edge is set against.
MATCHES = 20
#: Edges of each group that are written back.
STRONGEST = 200
COMPONENTS = 32

INTERFERON = """
MATCH (p:Pathway)<-[:PARTICIPATES_IN]-(g:Gene)
WHERE p.id IN ['msigdb.set:HALLMARK_INTERFERON_ALPHA_RESPONSE',
               'msigdb.set:HALLMARK_INTERFERON_GAMMA_RESPONSE']
RETURN DISTINCT g.id AS id
"""


@dataclass(frozen=True)
class Traced:
    """Attributions of all edges: (S, groups, E), and whose edges they are."""

    values: NDArray[Any]
    wirings: list[Wiring]


def trace_edges(
    model: nn.Module, z: Tensor, raw: Tensor, scale: Tensor, wiring: Wiring
) -> tuple[Tensor, Tensor]:
    """What each edge adds to the score of "stimulated", (m, E), and the cells' gradients.

    Parameters
    ----------
    z : (m, N, channels)
        The model's input.
    raw : (m, N)
        Abundances less their mean in the training cells.
    scale : (N, channels)
        What the input was multiplied with.
    """
    z = z.clone().requires_grad_()
    scores = model(z)
    (gradient,) = torch.autograd.grad((scores[:, 1] - scores[:, 0]).sum(), z)
    gradient = gradient * scale
    added = torch.zeros(len(z), len(wiring))
    for channel, (start, end, weight, edge) in enumerate(wiring.channels_of_edges(), start=1):
        degree = torch.bincount(end, minlength=wiring.n).clamp(min=1)
        added.index_add_(
            1, edge, gradient[:, end, channel] * raw[:, start] * (weight / degree[end])
        )
    return added, gradient


def trace(study: Study, reading: str, options: argparse.Namespace) -> Traced:
    """Train on one donor, trace in the other's cells; mean per group of cells."""
    _, y = classes_of(study.cells["dataset"])
    groups, of = np.unique(study.cells["group"], return_inverse=True)
    donor = study.cells["donor_id"]
    vectors = main_components(study.text, COMPONENTS)
    seeds = seeds_of(options)
    values = np.zeros((len(seeds), len(groups), len(study.wiring)))
    wirings = []
    for s, seed in enumerate(seeds):
        wiring = wiring_of(reading, study.wiring, seed)
        wirings.append(wiring)
        heard = wiring.hear(study.x)  # all of Kang's genes are measured
        sums = np.zeros((len(groups), len(wiring)))
        for held in np.unique(donor):
            test = torch.from_numpy(np.flatnonzero(donor == held))
            split = split_cells(torch.from_numpy(np.flatnonzero(donor != held)), test, seed)
            mean, scale = moments(heard, split.train)
            z = ((heard - mean) * scale).clamp(-5, 5)
            model = fit_network(
                text_of(reading, vectors, seed),
                z[split.train],
                y[split.train],
                z[split.val],
                y[split.val],
                2,
                learn_text=reading == "no text",
                seed=seed,
                epochs=options.epochs,
            )
            raw = study.x - study.x[split.train].mean(dim=0)
            for rows in test.split(128):
                added, _ = trace_edges(model, z[rows], raw[rows], scale, wiring)
                np.add.at(sums, of[rows.numpy()], added.numpy())
        values[s] = sums / np.bincount(of)[:, None]
    return Traced(values, wirings)


def trace_linear(study: Study) -> NDArray[Any]:
    """(groups, E): what logistic regression adds for both ends of an edge, in unseen donors."""
    _, y = classes_of(study.cells["dataset"])
    groups, of = np.unique(study.cells["group"], return_inverse=True)
    donor = study.cells["donor_id"]
    sums = np.zeros((len(groups), len(study.symbols)))
    for held in np.unique(donor):
        test = torch.from_numpy(np.flatnonzero(donor == held))
        train = torch.from_numpy(np.flatnonzero(donor != held))
        mean, scale = moments(study.x, train)
        x = (study.x - mean) * scale
        layer = nn.Linear(x.shape[1], 1)
        known, target = x[train], y[train].float()
        minimise(
            layer,
            lambda layer=layer, known=known, target=target: (
                nn.functional.binary_cross_entropy_with_logits(layer(known).flatten(), target)
            ),
            0.01,
        )
        with torch.no_grad():
            added = x[test] * layer.weight
        np.add.at(sums, of[test.numpy()], added.numpy())
    genes = sums / np.bincount(of)[:, None]
    return genes[:, study.wiring.source] + genes[:, study.wiring.target]


def mean_abundance(study: Study) -> NDArray[Any]:
    """(groups, E): mean abundance of both ends of an edge in the group."""
    groups, of = np.unique(study.cells["group"], return_inverse=True)
    sums = np.zeros((len(groups), len(study.symbols)))
    np.add.at(sums, of, study.x.numpy())
    genes = sums / np.bincount(of)[:, None]
    return genes[:, study.wiring.source] + genes[:, study.wiring.target]


def percentiles(values: NDArray[Any]) -> NDArray[Any]:
    """Rank of each edge among all, 0 to 1, along the last axis; ties share their rank."""
    ranks: NDArray[Any] = rankdata(values, axis=-1)
    return (ranks - 1) / max(values.shape[-1] - 1, 1)


def match_edges(wiring: Wiring, of_interest: NDArray[Any], seed: int) -> NDArray[Any]:
    """(edges of interest, MATCHES): other edges whose ends have like degrees (in doublings)."""
    degree = torch.bincount(torch.cat([wiring.source, wiring.target]), minlength=wiring.n)
    level = degree.float().log2().round().long().clamp(min=0)
    pair = torch.stack([level[wiring.source], level[wiring.target]]).sort(dim=0).values
    key = (pair[0] * 64 + pair[1]).numpy()
    draw = np.random.default_rng(seed)
    others = np.flatnonzero(~of_interest)
    found = np.zeros((int(of_interest.sum()), MATCHES), int)
    for i, edge in enumerate(np.flatnonzero(of_interest)):
        pool = others[key[others] == key[edge]]
        if not len(pool):  # no other edge is like it: those nearest in degree
            pool = others[np.argsort(np.abs(key[others] - key[edge]), kind="stable")[:MATCHES]]
        found[i] = draw.choice(pool, MATCHES)
    return found


def interest_of(wiring: Wiring, study: Study, genes: set[str]) -> NDArray[Any]:
    """Edges with both ends among some genes, (E,) bool."""
    inside = torch.tensor([id_ in genes for id_ in study.ids])
    return (inside[wiring.source] & inside[wiring.target]).numpy()


def rank_gain(
    values: NDArray[Any], wiring: Wiring, study: Study, genes: set[str], seed: int
) -> NDArray[Any]:
    """Of each edge of interest: its rank less the mean rank of the edges it is set against."""
    interest = interest_of(wiring, study, genes)
    ranks = percentiles(values)
    return ranks[interest] - ranks[match_edges(wiring, interest, seed)].mean(axis=1)


def check_interferon(
    study: Study, traced: dict[str, Traced], genes: set[str], condition: str
) -> list[dict[str, Any]]:
    """Gain in rank of interferon edges in the groups of one condition, by reading.

    The interval redraws seeds and edges. On false edges the edges of interest are those that
    happen to join interferon genes there.
    """
    groups = np.unique(study.cells["group"])
    dataset = dict(zip(study.cells["group"], study.cells["dataset"], strict=True))
    chosen = np.array([dataset[g] == condition for g in groups])
    rows = []
    for reading in (*READINGS, *NO_MODEL):
        if reading in NO_MODEL:
            made = trace_linear(study) if reading == "linear" else mean_abundance(study)
            gains = [rank_gain(made[chosen].mean(axis=0), study.wiring, study, genes, 0)]
        else:
            found = traced[reading]
            gains = [
                rank_gain(found.values[s][chosen].mean(axis=0), wiring, study, genes, s)
                for s, wiring in enumerate(found.wirings)
            ]
        rows.append({"reading": reading, **sum_up(gains)})
    return rows


def sum_up(gains: list[NDArray[Any]]) -> dict[str, Any]:
    """Mean over seeds and edges, with a 95 % interval; seeds may have edges of their own."""
    means = [float(gain.mean()) if len(gain) else 0.0 for gain in gains]
    draw = np.random.default_rng(0)
    drawn = []
    for _ in range(2_000):
        seeds = draw.integers(len(gains), size=len(gains))
        parts = [gains[s] for s in seeds if len(gains[s])]
        if len({len(part) for part in parts}) == 1:
            # The same edges in every seed: they are drawn once for all.
            rows = draw.integers(len(parts[0]), size=len(parts[0]))
            drawn.append(float(np.mean([part[rows].mean() for part in parts])))
        elif parts:
            drawn.append(float(np.mean([draw.choice(part, len(part)).mean() for part in parts])))
    low, high = np.quantile(drawn, (0.025, 0.975)) if drawn else (0.0, 0.0)
    verdict = (
        "above chance" if low > 0 else "below chance" if high < 0 else "no difference beyond chance"
    )
    return {
        "mean": float(np.mean(means)),
        "sd": float(np.std(means, ddof=1)) if len(means) > 1 else 0.0,
        "low": float(low),
        "high": float(high),
        "edges": [len(gain) for gain in gains],
        "verdict": verdict,
    }


def table_of_scores(study: Study, traced: Traced, types: list[str]) -> pa.Table:
    """The strongest edges of each group as a table for `KnowledgeGraph.write_signals`."""
    groups = np.unique(study.cells["group"])
    mean, sd = traced.values.mean(axis=0), traced.values.std(axis=0, ddof=1)
    columns: dict[str, list[Any]] = {
        k: [] for k in ("group", "source", "target", "type", "sign", "score", "sd", "seeds")
    }
    for g, group in enumerate(groups):
        seen = set()
        for edge in np.argsort(-np.abs(mean[g]), kind="stable"):
            source, target = (int(study.wiring.source[edge]), int(study.wiring.target[edge]))
            kind, sign = types[int(study.wiring.kind[edge])], int(study.wiring.sign[edge])
            if len(seen) == STRONGEST:
                break
            if (source, target, kind, sign) in seen:  # parallel edges of other keys
                continue
            seen.add((source, target, kind, sign))
            values = (
                group,
                study.ids[source],
                study.ids[target],
                kind,
                sign,
                mean[g, edge],
                sd[g, edge],
                len(traced.values),
            )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return pa.table(columns)


def compare_conditions(study: Study, traced: dict[str, Traced], genes: set[str]) -> Table:
    """Interferon edges in stimulated against control cells, paired by edge and seed."""
    groups = np.unique(study.cells["group"])
    dataset = dict(zip(study.cells["group"], study.cells["dataset"], strict=True))
    stimulated = np.array([dataset[g].endswith("stim") for g in groups])
    found = traced[FULL]
    interest = interest_of(study.wiring, study, genes)
    ranks = {
        name: np.stack(
            [percentiles(values[chosen].mean(axis=0))[interest] for values in found.values]
        )
        for name, chosen in (("stimulated cells", stimulated), ("control cells", ~stimulated))
    }
    return compare(
        "full model: rank of interferon edges",
        "percentile of the score among all edges",
        "edges",
        ranks,
        chance=0.5,
    )


def work_on(graph: KnowledgeGraph, options: argparse.Namespace) -> Result:
    """Export, train, trace, write back, check, and ask the graph."""
    kang = export(graph, options.work / "kang", KANG)
    genes = set(graph.query(INTERFERON)["id"].to_pylist())
    traced = {reading: trace(kang, reading, options) for reading in READINGS}
    types = read_types(options.work / "kang")
    report = graph.write_signals(table_of_scores(kang, traced[FULL], types), method=METHOD)
    asked = graph.query(
        "signals_in_cell_type",
        params={
            "cell_type": "CD14-positive monocyte",
            "dataset": "kang2018-stim",
            "method": METHOD,
            "limit": 10,
        },
    )
    shown = [
        {
            "source": row["source"]["symbol"],
            "target": row["target"]["symbol"],
            "type": row["type"],
            "sign": row["sign"],
            "score": row["score"],
            "sd": row["sd"],
        }
        for row in asked.to_pylist()
    ]
    return Result(
        "signaling",
        f"python examples/science/signaling.py --graph NAME --seeds {options.seeds}",
        {"seeds": options.seeds, "epochs": options.epochs, "matches": MATCHES},
        {
            "cells": len(kang.x),
            "nodes": len(kang.symbols),
            "edges": len(kang.wiring),
            "interferon edges": int(interest_of(kang.wiring, kang, genes).sum()),
            "groups": report.groups,
            "SIGNALS_IN": report.written,
        },
        [compare_conditions(kang, traced, genes)],
        more={
            "stimulated": check_interferon(kang, traced, genes, "kang2018-stim"),
            "control": check_interferon(kang, traced, genes, "kang2018-ctrl"),
            "strongest": shown,
        },
    )


def read_types(folder: Any) -> list[str]:
    """Names of the relationship types of a training set."""
    import tosg

    return tosg.TrainingSet(folder).edge_types


if __name__ == "__main__":
    run_task("signaling", __doc__, work_on)
