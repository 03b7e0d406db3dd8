"""The merge of all sources: what it gives does not depend on their order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from support.sources import FIXTURES, read_source, source_of, write_source

from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge
from tosg.loaders import registry

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

#: One fixture of each source, in its present layout.
NAMES = sorted({source_of(name): name for name in sorted(FIXTURES, reverse=True)}.values())


def test_the_merge_of_all_sources_is_the_same_in_any_order(tmp_path: Path) -> None:
    assert {source_of(name) for name in NAMES} == set(registry.names())
    claims = {}
    for name in NAMES:
        write_source(name, tmp_path / name)
        claims[name] = read_source(name, tmp_path / name)[0]
    draw = random.Random(20261130)  # noqa: S311
    orders = [draw.sample(NAMES, len(NAMES)) for _ in range(2)]
    first, *others = (merged([b for name in order for b in claims[name]]) for order in orders)
    assert sum(map(len, first.values())) > 250
    for other in others:
        assert other.keys() == first.keys()
        for key, rows in first.items():
            assert other[key] == rows, key


def merged(batches: list[pa.RecordBatch]) -> dict[str, list[str]]:
    """What the merge gives, by label and relationship type, and the claims that wait, sorted."""
    with Spool() as spool:
        for batch in batches:
            spool.add(batch)
        found = merge(spool)
        frames = {label: found.entities(label) for label in found.entity_types}
        frames |= {name: found.relationships(name) for name in found.relationship_types}
        frames["waiting"] = found.pending
        return {
            key: sorted(repr(row) for row in frame.iter_rows()) for key, frame in frames.items()
        }
