"""Loads over Bolt into the real database, in any order and number: always the oracle's graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import oracle
from support.claims import edge, entity, fill
from support.states import of_database
from support.strategies import examples, sets

from tosg.errors import SchemaError
from tosg.kg.claims import frame_file
from tosg.kg.claims.spool import Spool
from tosg.kg.database import indexes as ddl
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.database.lease import hold_lease
from tosg.kg.merge import buckets, digests
from tosg.kg.merge.merged import Merged, merge
from tosg.kg.reader import bulk
from tosg.kg.write import stored_rows
from tosg.kg.write.bolt import write_bolt
from tosg.kg.write.ledger import only_in, open_ledger
from tosg.kg.write.shared_ids import refuse_shared_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.claims import Claim

    from tosg.kg.database.connection import Database
    from tosg.kg.write.counts import WriteCounts

pytestmark = pytest.mark.neo4j

GENE, OTHER = ("Gene", "ncbigene:1"), ("Gene", "ncbigene:2")
LUPUS, FLU = ("Disease", "mondo:1"), ("Disease", "mondo:2")


@pytest.fixture
def graph(database: Database) -> Database:
    """An empty database with constraints and indexes."""
    ddl.ensure_schema(database)
    return database


def load(
    db: Database,
    claims: Sequence[Claim],
    *,
    prune: Sequence[str] = (),
    exclude: Sequence[str] = (),
    whole: bool = False,
) -> tuple[WriteCounts, Merged]:
    with Spool() as spool, hold_lease(db, "test") as held:
        fill(spool, claims)
        merged = merge(
            spool,
            open_ledger(db, held, spool, whole=whole),
            exclude_licenses=exclude,
            prune=prune,
        )
        refuse_shared_ids(merged, db)
        counts = write_bolt(db, merged, held)
        for source, c in merged.counts().items():
            assert c.given == c.made + c.merged + c.unchanged + c.rejected, source
        return counts, merged


def total(counts: WriteCounts) -> tuple[int, int, int, int]:
    """Nodes and relationships made, changed, unchanged, removed."""
    both = (counts.total("nodes"), counts.total("relationships"))
    return (
        sum(c.made for c in both),
        sum(c.changed for c in both),
        sum(c.unchanged for c in both),
        sum(c.removed for c in both),
    )


_steps = st.lists(
    st.tuples(sets, st.sampled_from([(), (), ("zz",), ("hetionet", "hgnc")])),
    min_size=1,
    max_size=4,
)


@pytest.mark.deep
@settings(
    max_examples=examples(2, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_steps)
def test_any_sequence_of_loads(graph: Database, steps: list[tuple[list[Claim], list[str]]]) -> None:
    _load_in_sequence(graph, steps)


@pytest.mark.slow
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_steps)
def test_any_sequence_of_loads_in_parts_on_disk(
    graph: Database, steps: list[tuple[list[Claim], list[str]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "MOST_BUCKET_ROWS", 2)
        patch.setattr(buckets, "MERGE_BUCKETS", 3)
        patch.setattr(frame_file, "_FLUSH_ROWS", 1)
        patch.setattr(stored_rows, "FEW_NODES", 0)
        patch.setattr(bulk, "_EDGE_ROWS_WITH_LISTS", 2)
        patch.setattr(bulk, "_EDGE_ROWS", 2)
        patch.setattr(digests, "LEAST_CLAIMS", 1)
        patch.setattr(digests, "RANGE_NODES", 2)
        _load_in_sequence(graph, steps)


def _load_in_sequence(graph: Database, steps: list[tuple[list[Claim], list[str]]]) -> None:
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


def test_one_id_under_two_types_is_refused(graph: Database) -> None:
    load(graph, [entity("BiologicalProcess", "go:1", "a"), entity(*GENE, "a")])
    for claims in (
        [entity("CellularComponent", "go:1", "b")],  # the other type is not read
        [entity("CellularComponent", "go:1", "b"), entity("BiologicalProcess", "go:2", "b")],
    ):
        with pytest.raises(SchemaError, match="nodes of two types") as caught:
            load(graph, claims)
        assert caught.value.found == "1 of them, as go:1"
    assert graph.rows("MATCH (n:Entity) RETURN count(n) AS n") == [{"n": 2}]


def test_an_id_may_change_its_type_when_the_old_claim_is_withdrawn(graph: Database) -> None:
    process, component = ("BiologicalProcess", "go:1"), ("CellularComponent", "go:1")
    other = [entity(*GENE, "b"), edge("PARTICIPATES_IN", GENE, process, "b")]
    load(graph, [entity(*process, "a"), *other])
    moved = [entity(*component, "a"), edge("LOCATED_IN", GENE, component, "a")]
    load(graph, moved, prune=["a"])
    assert of_database(graph) == oracle.graph([*moved, *other])


def test_a_later_source_joins_two_stored_nodes(graph: Database) -> None:
    drug = ("Drug", "drugbank:1")
    load(
        graph,
        [
            entity("Disease", "doid:1", name="lupus", source="a"),
            entity(*FLU, "a"),
            entity(*drug, "a"),
            edge("TREATS", drug, ("Disease", "doid:1"), "a"),
            edge("RESEMBLES", ("Disease", "doid:1"), FLU, "a", score=0.5),
        ],
    )
    load(
        graph,
        [entity("Disease", "efo:3", source="b"), edge("TREATS", drug, ("Disease", "efo:3"), "b")],
    )
    rows = graph.rows("MATCH (n:Disease) RETURN n.id AS id, n.idx AS idx")
    numbers = {r["id"]: r["idx"] for r in rows}
    graph.write(
        "MATCH (n {id: 'efo:3'}) CREATE (:CellGroup {id: 'g'})-[:WITH_DISEASE {seen: 1}]->(n)"
    )

    counts, merged = load(graph, [entity(*LUPUS, "c", same_as=["doid:1", "efo:3"])])

    assert {str(j) for j in merged.joins} == {
        "doid:1 = mondo:1 by same_as (c)",
        "efo:3 = mondo:1 by same_as (c)",
    }
    assert counts.nodes["Disease"].as_dict() == {
        "made": 0,
        "changed": 1,
        "unchanged": 1,
        "removed": 1,
    }
    (node,) = graph.rows("MATCH (n:Disease {id: 'mondo:1'}) RETURN n.idx AS idx, n.xrefs AS xrefs")
    assert node == {"idx": numbers["doid:1"], "xrefs": ["doid:1", "efo:3"]}
    (treats,) = graph.rows("MATCH (:Drug)-[r:TREATS]->(n) RETURN n.id AS id, properties(r) AS p")
    assert treats["id"] == "mondo:1"
    assert treats["p"]["sources"] == ["a", "b"]
    assert treats["p"]["evidence"] == ['{"end":"doid:1"}', '{"end":"efo:3"}']
    (resembles,) = graph.rows(
        "MATCH (a)-[r:RESEMBLES]->(b) RETURN a.id AS a, b.id AS b, r.score AS score"
    )
    assert resembles == {"a": "mondo:1", "b": "mondo:2", "score": 0.5}
    assert graph.rows(
        "MATCH (:CellGroup)-[r:WITH_DISEASE]->(n) RETURN n.id AS id, r.seen AS s"
    ) == [{"id": "mondo:1", "s": 1}]

    back, _ = load(graph, [], prune=["c"])
    assert back.nodes["Disease"].made == 1
    assert graph.rows("MATCH (n:Disease) RETURN n.id AS id ORDER BY id") == [
        {"id": "doid:1"},
        {"id": "efo:3"},
        {"id": "mondo:2"},
    ]
    assert graph.rows("MATCH (:Drug)-[r:TREATS]->(n) RETURN n.id AS id ORDER BY id") == [
        {"id": "doid:1"},
        {"id": "efo:3"},
    ]


def test_prune_withdraws_one_source_and_what_nobody_else_claims(graph: Database) -> None:
    load(
        graph,
        [
            entity(*GENE, "a", name="one"),
            entity(*GENE, "b", name="uno"),
            entity(*OTHER, "b"),
            edge("INTERACTS_WITH", GENE, OTHER, "a", score=0.2),
            edge("INTERACTS_WITH", GENE, OTHER, "b", score=0.9),
            edge("REGULATES", GENE, OTHER, "b", sign=1),
        ],
    )
    counts, _ = load(graph, [entity(*OTHER, "b")], prune=["b"])
    assert counts.relationships["REGULATES"].removed == 1
    assert counts.relationships["INTERACTS_WITH"].changed == 1
    (row,) = graph.rows("MATCH ()-[r]->() RETURN properties(r) AS p")
    assert (row["p"]["sources"], row["p"]["score"]) == (["a"], 0.2)

    counts, merged = load(graph, [], prune=["b"])
    assert counts.nodes["Gene"].removed == 1
    assert graph.rows("MATCH (n:Entity) RETURN n.id AS id, n.synonyms AS s") == [
        {"id": "ncbigene:1", "s": None}
    ]
    # What source a said about the other gene waits for somebody to name that gene again.
    assert merged.pending["source"].to_list() == ["a"]
    load(graph, [entity(*OTHER, "c")])
    assert graph.rows("MATCH ()-[r]->() RETURN r.sources AS s") == [{"s": ["a"]}]


def test_claims_wait_for_their_ends_in_any_order(graph: Database) -> None:
    tie = edge("ASSOCIATED_WITH", ("Gene", "ensembl:E"), LUPUS, score=0.5)
    counts, merged = load(graph, [tie])
    assert not counts.nodes["Gene"].made
    assert merged.counts()["s1"].as_dict() == {
        "given": 1,
        "made": 0,
        "merged": 0,
        "unchanged": 0,
        "rejected": 1,
    }
    load(graph, [entity(*LUPUS)])
    assert graph.rows("MATCH (p:TosgPending) RETURN p.source AS s") == [{"s": "s1"}]
    counts, _ = load(graph, [entity(*GENE, "s2", xrefs=["ensembl:E"])])
    assert counts.relationships["ASSOCIATED_WITH"].made == 1
    assert graph.rows("MATCH (p:TosgPending) RETURN p") == []
    # An alias that becomes ambiguous takes the relationship away again.
    counts, _ = load(graph, [entity(*OTHER, "s3", xrefs=["ensembl:E"])])
    assert counts.relationships["ASSOCIATED_WITH"].removed == 1
    assert len(graph.rows("MATCH (p:TosgPending) RETURN p")) == 1


def test_what_a_newer_release_does_not_repeat_stays_and_is_counted(graph: Database) -> None:
    old = [
        entity(*GENE, "a", "2023"),
        entity(*OTHER, "a", "2023"),
        edge("REGULATES", GENE, OTHER, "a", "2023", sign=1),
        edge("INTERACTS_WITH", GENE, OTHER, "a", "2023"),
    ]
    load(graph, old)
    _, merged = load(
        graph, [entity(*GENE, "a", "2024"), edge("INTERACTS_WITH", GENE, OTHER, "a", "2024")]
    )
    assert merged.releases.outdated() == {"a": {"2023"}}
    assert only_in(graph, "a", ["2023"]) == {"entities": 1, "relationships": 1}
    again, _ = load(graph, old)
    assert total(again)[0] == total(again)[1] == 0, "an older release changes nothing"


def test_a_second_run_writes_nothing_at_all(graph: Database) -> None:
    claims = [
        entity(*GENE, name="x\ty"),
        entity(*OTHER),
        edge("INTERACTS_WITH", GENE, OTHER, evidence={"n": "ü"}, score=0.5),
        edge("TARGETS", ("Drug", "drugbank:9"), GENE, action="inhibitor"),
    ]
    first, _ = load(graph, claims)
    again, merged = load(graph, claims)
    assert first.revision == again.revision == 1
    assert total(again) == (0, 0, 3, 0)
    assert merged.counts()["s1"].unchanged == 3


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests of few claims, by ranges of two nodes, in a graph that is not read at once."""
    monkeypatch.setattr(stored_rows, "FEW_NODES", 0)
    monkeypatch.setattr(digests, "LEAST_CLAIMS", 1)
    monkeypatch.setattr(digests, "RANGE_NODES", 2)


_GENES = [("Gene", f"ncbigene:{i}") for i in range(1, 9)]


def _pairs(score: float = 0.5, **more: str) -> list[Claim]:
    """A gene with the next: four ranges of start nodes; the last claim has a score of its own."""
    scores = [0.5] * 6 + [score]
    ends = zip(_GENES, _GENES[1:], scores, strict=False)
    return [edge("INTERACTS_WITH", a, b, "s", score=x, **more) for a, b, x in ends]


def _scores(graph: Database) -> list[float]:
    rows = graph.rows(
        "MATCH (a:Gene)-[r:INTERACTS_WITH]->() RETURN r.score AS score ORDER BY a.idx"
    )
    return [row["score"] for row in rows]


@pytest.mark.usefixtures("ranges")
def test_a_refresh_reads_only_ranges_where_the_file_says_something_else(graph: Database) -> None:
    genes = [entity(*g, "s") for g in _GENES]
    load(graph, [*genes, *_pairs()])
    # Nothing of ours writes so, and it shows which ranges are looked at.
    graph.write("MATCH (:Gene)-[r:INTERACTS_WITH]->() SET r.score = 0.1")
    counts, merged = load(graph, [*genes, *_pairs(score=0.75)])
    assert _scores(graph) == [0.1] * 6 + [0.75]
    of_type = counts.relationships["INTERACTS_WITH"]
    assert (of_type.made, of_type.changed, of_type.unchanged) == (0, 1, 6)
    assert merged.counts()["s"].unchanged == len(genes) + 6
    again, _ = load(graph, [*genes, *_pairs(score=0.75)])
    assert not again.anything
    assert again.revision == counts.revision
    assert again.relationships["INTERACTS_WITH"].unchanged == 7
    load(graph, [*genes, *_pairs(score=0.75)], whole=True)
    assert _scores(graph) == [0.5] * 6 + [0.75]


@pytest.mark.usefixtures("ranges")
def test_a_relationship_that_another_program_deleted_comes_back(graph: Database) -> None:
    claims = [*(entity(*g, "s") for g in _GENES), *_pairs()]
    load(graph, claims)
    graph.write("MATCH (:Gene {id: 'ncbigene:2'})-[r:INTERACTS_WITH]->() DELETE r")
    counts, _ = load(graph, claims)
    assert counts.relationships["INTERACTS_WITH"].made == 1
    assert of_database(graph) == oracle.graph(claims)
    # Deleted where others come to be: the number is right again, and must not be trusted.
    graph.write("MATCH (:Gene {id: 'ncbigene:2'})-[r:INTERACTS_WITH]->() DELETE r")
    more = [edge("INTERACTS_WITH", _GENES[0], _GENES[7], "t")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "LEAST_CLAIMS", 2)
        load(graph, more)
    load(graph, claims)
    assert of_database(graph) == oracle.graph([*claims, *more])


@pytest.mark.usefixtures("ranges")
def test_withdrawn_claims_are_not_taken_for_stored_ones(graph: Database) -> None:
    claims = [*(entity(*g, "a") for g in _GENES), *_pairs()]
    other = [edge("INTERACTS_WITH", _GENES[0], _GENES[1], "t")]
    load(graph, [*claims, *other])
    load(graph, [], prune=["s"])
    assert of_database(graph) == oracle.graph([*claims[:8], *other])
    load(graph, claims)
    assert of_database(graph) == oracle.graph([*claims, *other])


@pytest.mark.usefixtures("ranges")
def test_an_older_release_that_is_still_stored_is_counted_without_reading_it(
    graph: Database,
) -> None:
    genes = [entity(*g, "a") for g in _GENES]
    load(graph, [*genes, *_pairs(release="1")])
    new = [*genes, *_pairs(release="2")[:6]]
    for _ in range(2):
        _, merged = load(graph, new)
        assert merged.releases.outdated() == {"s": {"1"}}


def test_a_value_of_another_type_far_into_the_graph_is_written_again(
    graph: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [*(entity(*g, "s") for g in _GENES), *_pairs()]
    load(graph, claims)
    graph.write("MATCH (:Gene {id: 'ncbigene:6'})-[r:INTERACTS_WITH]->() SET r.score = 'high'")
    monkeypatch.setattr(stored_rows, "FEW_NODES", 0)
    monkeypatch.setattr(bulk, "_EDGE_ROWS_WITH_LISTS", 1)
    counts, _ = load(graph, claims)
    of_type = counts.relationships["INTERACTS_WITH"]
    assert (of_type.made, of_type.changed, of_type.unchanged) == (0, 1, 6)
    assert of_database(graph) == oracle.graph(claims)


def test_a_load_leaves_relationships_of_other_types_of_nodes_alone(graph: Database) -> None:
    drug, class_ = ("Drug", "drugbank:1"), ("DrugClass", "ndfrt:1")
    family = ("GeneFamily", "hgnc.genegroup:1")
    first = [entity(*drug), entity(*class_), edge("MEMBER_OF", drug, class_)]
    load(graph, first)
    second = [entity(*GENE), entity(*family), edge("MEMBER_OF", GENE, family)]
    for _ in range(2):
        counts, _ = load(graph, second)
        assert counts.relationships["MEMBER_OF"].removed == 0
        assert of_database(graph) == oracle.graph([*first, *second])


def test_relationships_stored_twice_stay_until_they_are_repaired(graph: Database) -> None:
    claims = [entity(*GENE), entity(*OTHER), edge("INTERACTS_WITH", GENE, OTHER)]
    load(graph, claims)
    graph.write("MATCH (a)-[r:INTERACTS_WITH]->(b) CREATE (a)-[s:INTERACTS_WITH]->(b) SET s = r")
    counts, _ = load(graph, claims)
    assert total(counts) == (0, 0, 3, 0)
    counts, _ = load(graph, claims, whole=True)
    assert counts.relationships["INTERACTS_WITH"].removed == 1
    assert of_database(graph) == oracle.graph(claims)


def test_withdrawn_relationships_go_with_their_copies(graph: Database) -> None:
    load(graph, [entity(*GENE), entity(*OTHER), edge("INTERACTS_WITH", GENE, OTHER, "b")])
    graph.write("MATCH (a)-[r:INTERACTS_WITH]->(b) CREATE (a)-[s:INTERACTS_WITH]->(b) SET s = r")
    counts, _ = load(graph, [], prune=["b"])
    assert counts.relationships["INTERACTS_WITH"].removed == 2


_KILLED = """
import sys
from support.claims import edge, entity, fill
from test_bolt_writer import KILL_CLAIMS, load
from tosg.kg.write import bolt_nodes, bolt_relationships, bolt_session
from tosg.kg.database.connection import Database, Target
import os, signal

bolt_nodes.NODES_PER_WRITE, bolt_relationships.EDGE_ROWS = 3, 5
left = int(sys.argv[4])
transaction = bolt_session.WriteSession._transaction

def counted(self, work):
    global left
    result = transaction(self, work)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

bolt_session.WriteSession._transaction = counted
with Database(Target(*sys.argv[1:4])) as db:
    load(db, KILL_CLAIMS)
print("done")
"""

_MANY = [("Gene", f"ncbigene:{i}") for i in range(1, 12)]
#: What is stored when the load that is killed begins; it renames and joins some of these.
STORED_CLAIMS = [
    *(entity("Disease", f"doid:{i}", "a", name=f"disease {i}") for i in range(1, 5)),
    *(entity("Disease", f"efo:{i}", "a") for i in range(1, 3)),
    *(entity(*g, "a") for g in _MANY[:6]),
    *(
        edge("ASSOCIATED_WITH", g, ("Disease", d), "a", score=0.5)
        for g in _MANY[:6]
        for d in ("doid:1", "doid:2", "efo:1")
    ),
    *(edge("RESEMBLES", ("Disease", "doid:1"), ("Disease", f"efo:{i}"), "a") for i in (1, 2)),
]
KILL_CLAIMS = [
    *(entity("Disease", f"mondo:{i}", "b", name=f"Disease {i}") for i in range(1, 6)),
    entity("Disease", "mondo:1", "c", same_as=["efo:1"]),
    *(entity(*g, "b", xrefs=[f"hgnc:{i}"]) for i, g in enumerate(_MANY)),
    *(edge("ASSOCIATED_WITH", g, ("Disease", "mondo:1"), "b", score=0.75) for g in _MANY),
    *(edge("REGULATES", a, b, "b", sign=1) for a in _MANY[:3] for b in _MANY[3:6]),
    edge("REGULATES", ("Gene", "ncbigene:99"), _MANY[0], "b", sign=1),
]


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_a_load_killed_anywhere_is_completed_by_the_next(graph: Database) -> None:
    expected = oracle.graph([*STORED_CLAIMS, *KILL_CLAIMS])
    target = graph.target
    for after in range(1, 80, examples(10, 3)):
        graph.write("MATCH (n) DETACH DELETE n")
        load(graph, STORED_CLAIMS)
        command = [sys.executable, "-c", _KILLED, target.uri, target.username, target.password]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        run = subprocess.run(
            [*command, str(after)], env=environ, capture_output=True, text=True, check=False
        )
        if run.returncode == 0:
            assert run.stdout.strip() == "done"
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
        ended = read_meta(graph).loading is None  # it was killed after its last transaction
        # Nobody waits for the end of a dead writer's lease in a test.
        graph.write("MATCH (m:TosgMeta) SET m.writer_until = timestamp() - 1")
        before = read_meta(graph).revision
        load(graph, KILL_CLAIMS)
        assert of_database(graph) == expected, f"killed after {after} transactions"
        assert read_meta(graph).loading is None
        assert read_meta(graph).revision == before + (not ended)
        again, _ = load(graph, KILL_CLAIMS)
        assert not again.anything
    else:
        pytest.fail("the load was never left to end")
    assert after > 10, "there was something to kill"
