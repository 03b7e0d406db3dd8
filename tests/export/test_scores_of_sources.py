"""Scores and signs from the files of sources to the tensors of a batch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from support import cells
from support.sources import FIXTURES, read_source, source_of, write_source

from tosg.export.batches.training_set import TrainingSet
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.kg.cells.attach import attach
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.claims.schemas import RELATIONSHIP_CLAIMS
from tosg.kg.schema.types import relationship_types
from tosg.kg.server.connect import connect
from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput, load

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j]

#: Sources of genes and proteins, and all that have scores or signs in their present layout.
ENDS = ("ncbi_gene", "uniprot", "hgnc")
RATED = sorted(
    name
    for name in FIXTURES
    if "@" not in name
    and (
        registry.loader_class(source_of(name)).scores
        or registry.loader_class(source_of(name)).signs
    )
)
#: Sources whose scores have to be met in the tensors, whatever else is.
AT_LEAST = {"signor", "string", "ctd", "biogrid"}

Key = tuple[str, str, str, int | None, str | None]


def claimed(folder: Path) -> dict[Key, dict[str, float | None]]:
    """What each source claims: relationship -> source -> score."""
    found: dict[Key, dict[str, float | None]] = defaultdict(dict)
    for name in RATED:
        for batch in read_source(name, folder / name)[0]:
            if batch.schema != RELATIONSHIP_CLAIMS:
                continue
            for r in batch.to_pylist():
                ends = (r["start"], r["end"])
                if not relationship_types()[r["type"]].directed:
                    ends = (min(ends), max(ends))
                key = (r["type"], *ends, *keyed(r["type"], r["sign"], r["action"]))
                known = found[key].get(r["source"])
                scores = [s for s in (known, r["score"]) if s is not None]
                found[key][r["source"]] = max(scores, default=None)
    return found


def test_they_reach_a_batch(settings: Settings, database: Database, tmp_path: Path) -> None:
    names = [*ENDS, *(n for n in RATED if source_of(n) not in ENDS)]
    for name in names:
        write_source(name, tmp_path / name)
    load(
        settings,
        [
            SourceInput.locate(
                registry.make(source_of(n), {**FIXTURES[n].options, "excerpt": "false"}),
                [tmp_path / n],
            )
            for n in names
        ],
        way="bolt",
    )
    counts = cells.counts()[:, :2]
    file = cells.write(
        tmp_path / "cells.h5ad",
        counts,
        obs=cells.cells_table(),
        var=pd.DataFrame(index=["AAA1", "BBB2"]),
    )
    with connect(settings) as db:
        attach(db, file, id="cells", mapping=CellMapping.read(cells.MAPS))
        out = export(
            db, Selection(split="cell", target="cell_type", primary_only=False), tmp_path / "out"
        ).folder
        stored = {
            (r["type"], r["a"], r["b"], *keyed(r["type"], r["sign"], r["action"]))
            for r in db.rows(
                "MATCH (a:Entity)-[r]->(b:Entity) RETURN type(r) AS type, a.id AS a, b.id AS b, "
                "r.sign AS sign, r.action AS action"
            )
        }
    ts = TrainingSet(out)
    batch = next(iter(ts.batches(None, 3)))
    ids, types = ts.graph.nodes["id"].to_pylist(), ts.edge_types
    tensors = defaultdict(set)
    for (a, b), kind, score, sign in zip(
        batch.edge_index.T.tolist(),
        batch.edge_type.tolist(),
        batch.edge_score.tolist(),
        batch.edge_sign.tolist(),
        strict=True,
    ):
        tensors[types[kind], ids[a], ids[b]].add((None if np.isnan(score) else score, sign))

    met: set[str] = set()
    signs = set()
    for (kind, start, end, sign, action), told in claimed(tmp_path).items():
        turned = () if relationship_types()[kind].directed else ((end, start),)
        ends = next(
            (e for e in ((start, end), *turned) if (kind, *e, sign, action) in stored), None
        )
        if ends is None:
            continue  # an end that no source names, or that has another id by now
        score = max((s for s in told.values() if s is not None), default=None)
        expected = None if score is None else float(np.float32(score))
        rows = [
            found
            for found, by in tensors[kind, *ends]
            if by == sign or "sign" not in relationship_types()[kind].keys
        ]
        # Another source may be surer, under another identifier of the same gene.
        least = [f for f in rows if expected is None or (f is not None and f >= expected)]
        assert least, (kind, ends, sign, told, rows)
        if expected is not None and expected in rows:
            met |= {source for source, s in told.items() if s == score}
        signs.add(sign)
    assert met >= AT_LEAST
    assert signs >= {1, -1, 0, None}


def keyed(kind: str, sign: int | None, action: str | None) -> tuple[int | None, str | None]:
    """Sign and action where they are part of what tells relationships of a type apart."""
    keys = relationship_types()[kind].keys
    return (sign or 0 if "sign" in keys else None), (action if "action" in keys else None)
