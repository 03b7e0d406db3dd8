"""The first graph, whole: built from the original files, its genes embedded, searched.

Takes some twenty minutes on four cores, nearly all of them for 61,000 texts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.entities import offline_model
from support.servers import managed_settings

from tosg.kg import check
from tosg.kg import server as managed
from tosg.kg.database import Database
from tosg.kg.embed import embed
from tosg.kg.reader import read_embeddings, read_nodes
from tosg.kg.search import nearest
from tosg.loaders.build import build

if TYPE_CHECKING:
    from pathlib import Path

QUERIES = 500


@pytest.mark.slow
@pytest.mark.neo4j
@pytest.mark.timeout(5400)
def test_recall_at_10_on_the_genes_of_open_human(tmp_path: Path, shared_data: Path) -> None:
    own = managed_settings(tmp_path)
    try:
        made = build(own, "open-human", shared_data, embed=False)
        assert [r.way for r in made.reports] == ["import"]
        with Database.open(own) as db:
            assert check.check(db) == []
            start = time.monotonic()
            report = embed(db, offline_model(), types=["Gene"])
            rate = report.embedded / (time.monotonic() - start)
            recall, ms = measure(db)
        print(f"{report.embedded:,} genes at {rate:.0f} texts/s: recall {recall:.4f}, {ms:.0f} ms")  # noqa: T201
        assert report.embedded > 50_000
        assert recall >= 0.99
    finally:
        managed.stop(own)


def measure(db: Database) -> tuple[float, float]:
    """Recall at 10 over a sample of the genes' own vectors, and milliseconds a query.

    What is as near as the tenth nearest counts as found: many genes are called alike.
    """
    idx = np.concatenate([b.column("idx").to_numpy() for b in read_nodes(db, "Gene", [])])
    vectors, present = read_embeddings(db, idx)
    vectors = vectors[present]
    sample = np.random.default_rng(1).choice(len(vectors), QUERIES, replace=False)
    hits, seconds = 0, 0.0
    for query in sample:
        scores = vectors @ vectors[query]
        tenth = np.partition(scores, -10)[-10]
        start = time.monotonic()
        found = nearest(db, vectors[query], "Gene", 10)["score"].to_numpy()
        seconds += time.monotonic() - start
        assert len(found) == 10
        hits += int((found >= tenth - 1e-6).sum())
    return hits / (10 * QUERIES), 1000 * seconds / QUERIES
