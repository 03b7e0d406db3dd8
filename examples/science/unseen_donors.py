"""Cell type and condition of cells, tested on donors never seen.

    python examples/science/unseen_donors.py --graph science

Three questions: the cell type of Kang's cells and whether they were stimulated (trained on one
donor, tested on the other, both ways round), and whether COMBAT's cells are of a donor with
COVID-19 (trained on four donors, tested on two others, three times).

No leakage: the nodes are chosen by the graph and by what the study measured, not by values; means
and standard deviations of genes come from training cells; epochs, weight decays and numbers of
neighbours are chosen on a fifth of the training donors' cells. Nothing sees a test donor before
the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from network import (
    fit_linear,
    fit_nearest,
    fit_network,
    main_components,
    moments,
    split_cells,
)
from study import (
    ABLATIONS,
    FULL,
    Result,
    Study,
    Table,
    compare,
    export,
    run_task,
    seeds_of,
    text_of,
    wiring_of,
)

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray
    from torch import Tensor

    from tosg import KnowledgeGraph

#: Main components of the texts that the networks read.
COMPONENTS = 32

#: The genes that Kang measured and that signaling joins to another of them, and those edges.
KANG: dict[str, Any] = {
    "nodes": "MATCH (d:Dataset {id: 'kang2018-ctrl'}) UNWIND d.variable_entities AS id "
    "MATCH (g:Entity {id: id}) WHERE g:Gene WITH collect(DISTINCT g) AS measured "
    "UNWIND measured AS g MATCH (g)-[:ENCODES*0..1]->()"
    "-[:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-()<-[:ENCODES*0..1]-(h:Gene) "
    "WHERE h <> g AND h IN measured RETURN DISTINCT g",
    "cells": "MATCH (c:Cell) WHERE c.dataset STARTS WITH 'kang2018' RETURN c",
    "level": "gene",
    "normalize": "log1p_cp10k",
}
#: Genes of the hallmark sets of immune signaling, and the edges between them.
COMBAT: dict[str, Any] = {
    "nodes": "MATCH (p:Pathway)<-[:PARTICIPATES_IN]-(g:Gene) WHERE p.id IN $sets RETURN DISTINCT g",
    "params": {
        "sets": [
            f"msigdb.set:HALLMARK_{name}"
            for name in (
                "INTERFERON_ALPHA_RESPONSE",
                "INTERFERON_GAMMA_RESPONSE",
                "INFLAMMATORY_RESPONSE",
                "TNFA_SIGNALING_VIA_NFKB",
                "IL6_JAK_STAT3_SIGNALING",
            )
        ]
    },
    "cells": "MATCH (c:Cell {dataset: 'combat2022'}) RETURN c",
    "level": "gene",
    "normalize": "log1p_cp10k",
}


def classes_of(values: NDArray[Any]) -> tuple[list[str], Tensor]:
    """Names of the classes, and each cell's (M,) int64."""
    names, numbers = np.unique(values, return_inverse=True)
    return names.tolist(), torch.from_numpy(numbers)


def test_readings(
    study: Study, y: Tensor, classes: int, folds: list[list[str]], options: argparse.Namespace
) -> dict[str, NDArray[Any]]:
    """Reading to (S, M): whether each seed was right about each cell, its donor not seen."""
    donor = study.cells["donor_id"]
    seeds = seeds_of(options)
    readings = (FULL, *ABLATIONS, "linear", "k-nearest")
    right = {reading: np.zeros((len(seeds), len(y))) for reading in readings}
    vectors = main_components(study.text, COMPONENTS)
    true = study.wiring.hear(study.x, study.measured)
    for s, seed in enumerate(seeds):
        false = wiring_of("false edges", study.wiring, seed).hear(study.x, study.measured)
        for fold in folds:
            held = torch.from_numpy(np.isin(donor, fold))
            test = held.nonzero().flatten()
            split = split_cells((~held).nonzero().flatten(), test, seed)
            for reading in readings:
                if reading in ("linear", "k-nearest"):
                    mean, scale = moments(study.x, split.train)
                    baseline = fit_linear if reading == "linear" else fit_nearest
                    said = baseline((study.x - mean) * scale, y, split, classes)
                else:
                    z = false if reading == "false edges" else true
                    z = z[..., :1] if reading == "no graph" else z
                    mean, scale = moments(z, split.train)
                    z = ((z - mean) * scale).clamp(-5, 5)
                    model = fit_network(
                        text_of(reading, vectors, seed),
                        z[split.train],
                        y[split.train],
                        z[split.val],
                        y[split.val],
                        classes,
                        learn_text=reading == "no text",
                        seed=seed,
                        epochs=options.epochs,
                    )
                    with torch.no_grad():
                        said = torch.cat([model(z[rows]).argmax(dim=1) for rows in test.split(256)])
                right[reading][s, test.numpy()] = (said == y[test]).numpy()
    return right


#: Donors of COMBAT that are tested together: two healthy ones and two with mild COVID-19, in pairs
#: of one each, and the two critical ones.
COMBAT_FOLDS = [["H00049", "S00006"], ["H00053", "S00016"], ["S00040", "S00043"]]


def ask(
    title: str,
    study: Study,
    values: NDArray[Any],
    options: argparse.Namespace,
    folds: list[list[str]] | None = None,
) -> Table:
    """One question: each donor is tested once, by models that were trained on others."""
    names, y = classes_of(values)
    folds = folds or [[str(donor)] for donor in np.unique(study.cells["donor_id"])]
    right = test_readings(study, y, len(names), folds, options)
    return compare(
        title,
        "balanced accuracy",
        "cells",
        right,
        strata=values,
        clusters=study.cells["donor_id"],
        chance=1 / len(names),
    )


def work_on(graph: KnowledgeGraph, options: argparse.Namespace) -> Result:
    """Export both studies, ask the three questions."""
    kang = export(graph, options.work / "kang", KANG)
    combat = export(graph, options.work / "combat", COMBAT)
    tables = [
        ask("Kang: cell type", kang, kang.cells["cell_type"], options),
        ask("Kang: stimulated or not", kang, kang.cells["dataset"], options),
        ask("COMBAT: COVID-19 or healthy", combat, combat.cells["disease"], options, COMBAT_FOLDS),
    ]
    return Result(
        "unseen_donors",
        f"python examples/science/unseen_donors.py --graph NAME --seeds {options.seeds}",
        {"seeds": options.seeds, "epochs": options.epochs},
        {
            name: {
                "cells": len(study.x),
                "donors": len(np.unique(study.cells["donor_id"])),
                "nodes": len(study.symbols),
                "edges": len(study.wiring),
            }
            for name, study in (("Kang", kang), ("COMBAT", combat))
        },
        tables,
    )


if __name__ == "__main__":
    run_task("unseen_donors", __doc__, work_on)
