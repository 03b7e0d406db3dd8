"""The dashboard: what each view asks the graph, with cells and with ten times the cells.

Each comparison is one view: "ours" is its time with ten times the cells, "peer" with the fewer, so
a ratio near 1 says that the view costs the same. Both are warm: the best of several passes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from benchmarks import Comparison, graph, note
from tosg.graph import KnowledgeGraph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks import Options

#: Cells of the data set, and ten times as many.
CELLS, SMALL_CELLS = 5_000, 300
TIMES = 10

#: Variables of the data set, and values of one cell.
GENES, VALUES = 1_000, 120

CELL_TYPES, DONORS = 12, 8

DATASET = "drawn"

#: The counts over the whole graph, which the page keeps until the next load.
ONCE = "overview after a load"

#: Seconds that a view may take, warm, but for those.
LIMIT_SECONDS = 2.0

#: Passes of each view at least, and seconds that they are repeated for.
PASSES, SECONDS = 3, 3.0


def run(options: Options) -> list[Comparison]:
    """Time every view at both sizes."""
    cells = SMALL_CELLS if options.small else CELLS
    with graph.prepared(options) as db:
        # What the page reads is the same with and without vectors of a real model.
        genes = db.rows("MATCH (g:Gene) RETURN g.id AS id ORDER BY id LIMIT $n", n=GENES)
    found: dict[int, dict[str, float]] = {}
    with KnowledgeGraph(graph.settings(options)) as own:
        for n in (cells, TIMES * cells):
            note(f"attaching {n:,} cells ...")
            path = write_cells(options, n, [row["id"] for row in genes])
            own.attach_cells(
                path, {"cell_type": "cell_type", "tissue": "tissue", "donor_id": "donor_id",
                       "disease": "disease", "sex": "sex"},
                id=DATASET, replace_existing=True,
            )  # fmt: skip
            note("asking what the views ask ...")
            found[n] = {name: best_of(ask) for name, ask in views(own, genes[0]["id"]).items()}
        own.detach_cells(DATASET)
    graph.stop(options)
    few, many = found[cells], found[TIMES * cells]
    slow = {name: s for name, s in many.items() if s > LIMIT_SECONDS and name != ONCE}
    detail = {"cells": cells, "more cells": TIMES * cells, "limit s": LIMIT_SECONDS}
    if slow and not options.small:
        note(f"over {LIMIT_SECONDS:g} s: {slow}")
    return [
        Comparison(name, many[name], few[name], "s", {**detail, "within": many[name] <= 2.0})
        for name in many
    ]


def views(own: KnowledgeGraph, gene: str) -> dict[str, Callable[[], Any]]:
    """What each view asks when it is opened, by the functions that it calls itself."""
    from tosg.dashboard import cell_questions, questions
    from tosg.kg.query.entity import count_degrees, read_entity
    from tosg.kg.search.hybrid import search as find_by_name_and_words

    chosen = {"cell_type": ["type 1", "type 2"]}

    def overview() -> None:
        own.stats()
        own.revision()
        questions.dataset_table(own)
        questions.last_loads(own, 10)

    def overview_after_a_load() -> None:
        # Counted once for each revision of the graph, below what is already drawn.
        questions.metagraph(own)
        questions.embedded(own)
        questions.sources_table(own)

    def search() -> None:
        # The vectors of this graph are drawn, so that words alone are searched.
        assert find_by_name_and_words(own.db, "protein", k=20).num_rows

    def entity() -> None:
        assert read_entity(own.db, gene) is not None
        count_degrees(own.db, gene)
        questions.completions(own, "prot", "Entity")
        questions.neighbourhood(own, [gene], ["INTERACTS_WITH", "PARTICIPATES_IN"], products=True)
        assert len(cell_questions.dots(own, [gene], {}))

    def cells() -> None:
        assert cell_questions.group_values(own)["dataset"] == [DATASET]
        assert len(cell_questions.cells_by(own, "cell_type", {})) == CELL_TYPES
        assert len(cell_questions.cells_by(own, "sex", chosen)) == 2

    def genes_across_groups() -> None:
        assert len(cell_questions.dots(own, [gene], chosen))

    def single_cells() -> None:
        drawn = cell_questions.sample_cells(own, DATASET, {})
        assert 100 < len(drawn) <= cell_questions.MOST_CELLS
        values = cell_questions.expression_of_cells(own, DATASET, drawn["idx"].tolist(), gene)
        assert values is not None
        assert any(values)
        cell_questions.maps_of(own, DATASET)

    def cells_of_donors() -> None:
        donors = cell_questions.donors_of(own, [DATASET]).set_index("donor_id")["cells"]
        assert len(donors) == DONORS
        only = {str(donors.index[0]): int(donors.iloc[0])}
        assert set(cell_questions.sample_cells(own, DATASET, {}, only)["donor_id"]) == set(only)

    def ask() -> None:
        assert own.query("cells_by_type").num_rows == CELL_TYPES
        own.query("expression_of_gene", gene=gene)
        own.query("MATCH (g:Gene)-[r:PARTICIPATES_IN]->(p) RETURN g, r, p LIMIT 25")

    return {
        "overview": overview,
        ONCE: overview_after_a_load,
        "search": search,
        "entity": entity,
        "cells": cells,
        "genes across groups": genes_across_groups,
        "single cells": single_cells,
        "cells of a donor": cells_of_donors,
        "ask": ask,
    }


def best_of(ask: Callable[[], Any]) -> float:
    """Seconds of the best pass."""
    best, passes, begun = float("inf"), 0, time.perf_counter()
    while passes < PASSES or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        ask()
        best = min(best, time.perf_counter() - start)
        passes += 1
    return best


def write_cells(options: Options, n: int, genes: list[str]) -> Path:
    """Draw counts of `n` cells over genes, with labels that make the same groups at any size."""
    import anndata
    import pandas as pd

    path = options.home / f"cells-{n}-{options.seed}.h5ad"
    if path.exists():
        return path
    rng = np.random.default_rng((options.seed, n))
    values = min(VALUES, len(genes) // 2)
    indices = np.argsort(rng.random((n, len(genes)), np.float32), axis=1)[:, :values]
    indices.sort(axis=1)
    counts = rng.integers(1, 50, n * values).astype(np.float32)
    matrix = sp.csr_matrix(
        (counts, indices.ravel().astype(np.int32), np.arange(0, n * values + 1, values)),
        shape=(n, len(genes)),
    )
    rows = np.arange(n)
    obs = pd.DataFrame(
        {
            "cell_type": [f"type {i % CELL_TYPES}" for i in rows],
            "tissue": "blood",
            "disease": [("normal", "lupus")[i // CELL_TYPES % 2] for i in rows],
            "sex": [("female", "male")[i // (2 * CELL_TYPES) % 2] for i in rows],
            "donor_id": [f"donor {i % DONORS}" for i in rows],
        },
        index=[f"cell {i}" for i in rows],
    )
    anndata.AnnData(matrix, obs, pd.DataFrame(index=genes)).write_h5ad(path)
    return path
