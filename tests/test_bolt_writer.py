"""Loads over Bolt into the real database, in any order and number: always the oracle's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import oracle
from support.claims import fill
from support.states import of_database
from support.strategies import sets

from tosg.kg import ddl
from tosg.kg.bolt_writer import write_bolt
from tosg.kg.ledger import GraphLedger
from tosg.kg.merge import Merged, merge
from tosg.kg.meta import lease, read_meta
from tosg.kg.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.claims import Claim

    from tosg.kg.counts import WriteCounts
    from tosg.kg.database import Database

pytestmark = pytest.mark.neo4j

GENE, OTHER = ("Gene", "ncbigene:1"), ("Gene", "ncbigene:2")
LUPUS, FLU = ("Disease", "mondo:1"), ("Disease", "mondo:2")


@pytest.fixture
def graph(database: Database) -> Database:
    """An empty database with constraints and indexes."""
    ddl.ensure(database)
    return database


def load(
    db: Database,
    claims: Sequence[Claim],
    *,
    prune: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> tuple[WriteCounts, Merged]:
    with Spool() as spool, lease(db, "test") as held:
        fill(spool, claims)
        merged = merge(spool, GraphLedger(db), exclude_licenses=exclude, prune=prune)
        counts = write_bolt(db, merged, held)
        for source, c in merged.counts().items():
            assert c.given == c.made + c.merged + c.unchanged + c.rejected, source
        return counts, merged


def total(counts: WriteCounts) -> tuple[int, int, int, int]:
    """Nodes and relationships made, changed, unchanged, removed."""
    both = (counts.total("nodes"), counts.total("relationships"))
    return tuple(  # type: ignore[return-value]
        sum(getattr(c, k) for c in both) for k in ("made", "changed", "unchanged", "removed")
    )


_steps = st.lists(
    st.tuples(sets, st.sampled_from([(), (), ("zz",), ("hetionet", "hgnc")])),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_steps)
def test_any_sequence_of_loads(graph: Database, steps: list[tuple[list[Claim], list[str]]]) -> None:
    graph.write("MATCH (n) DETACH DELETE n")
    held: list[Claim] = []
    numbers: dict[str, int] = {}
    for given_claims, prune in steps:
        held = [c for c in held if c["source"] not in prune] + given_claims
        before = read_meta(graph)
        counts, _ = load(graph, given_claims, prune=prune)
        assert of_database(graph) == oracle.graph(held)
        assert read_meta(graph).loading is None
        assert counts.revision == read_meta(graph).revision
        assert (counts.revision > before.revision) or not counts.anything
        again, _ = load(graph, given_claims)
        assert total(again)[0] == total(again)[1] == total(again)[3] == 0
        assert again.revision == counts.revision
        numbers = _stable_numbers(graph, numbers)


def _stable_numbers(graph: Database, before: dict[str, int]) -> dict[str, int]:
    """A node that keeps its id keeps its number, or gets that of one it was merged with."""
    now = {
        r["id"]: r["idx"] for r in graph.rows("MATCH (n:Entity) RETURN n.id AS id, n.idx AS idx")
    }
    assert len(set(now.values())) == len(now)
    known = set(before.values())
    next_idx = read_meta(graph).next_idx
    for id_, idx in now.items():
        assert idx < next_idx
        if id_ in before and idx != before[id_]:
            assert idx in known or before[id_] in now.values()
    return now
