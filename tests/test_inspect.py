"""Counting, checking and showing: what `tosg stats`, `check` and `schema` rest on."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tosg.kg.database import counts as stats
from tosg.kg.database import indexes as ddl
from tosg.kg.database.lease import describe_holder
from tosg.kg.report import check, kept
from tosg.kg.report.load_report import LoadReport
from tosg.kg.schema import page as schema_view
from tosg.kg.schema.entities import ENTITY_TYPES
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.relationships import RELATIONSHIP_TYPES
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_documentations_page_is_that_of_the_schema() -> None:
    page = (DOCS / "schema.md").read_text(encoding="utf-8")
    assert page == schema_view.markdown(), "run: tosg schema --markdown > docs/schema.md"


def test_the_schema_as_a_document() -> None:
    document = json.loads(json.dumps(schema_view.as_dict()))
    assert [t["label"] for t in document["entity_types"]] == [t.label for t in ENTITY_TYPES]
    assert [t["type"] for t in document["relationship_types"]] == [
        t.name for t in RELATIONSHIP_TYPES
    ]
    assert {i["name"] for i in document["indexes"]} == {d.name for d in definitions()}


def test_pairs_are_written_short_and_lose_nothing() -> None:
    for t in all_relationship_types().values():
        arrow = " → " if t.directed else " - "
        found = {
            (a, b)
            for part in schema_view.pairs_text(t).split("; ")
            for a in part.split(arrow)[0].split(", ")
            for b in part.split(arrow)[1].split(", ")
        }
        assert found == set(t.pairs)


GOOD = """
CREATE (g:Entity:Gene {id: 'ncbigene:1', idx: 0, sources: ['a', 'b'], claims: ['{"id":"x"}']}),
       (p:Entity:Protein {id: 'uniprot:P1', idx: 1, sources: ['b'], claims: ['{"id":"x"}']}),
       (g)-[:ENCODES {sources: ['b'], licenses: ['l'], releases: ['1']}]->(p),
       (:TosgMeta {key: 'graph', schema_version: 1, revision: 1, next_idx: 2}),
       (:`odd ``name``` {x: 1})
"""


@pytest.mark.neo4j
@pytest.mark.lts
def test_counts(database: Database) -> None:
    assert stats.count(database).nodes == {}
    assert stats.is_empty(database)
    database.write(GOOD)
    counts = stats.count(database)
    assert counts.entities == {"Gene": 1, "Protein": 1}
    assert counts.nodes["Entity"] == 2
    assert counts.knowledge == {"ENCODES": 1}
    assert not stats.is_empty(database)
    assert stats.by_source(database) == {
        "a": {"nodes": 1, "relationships": 0, "from_excerpt": 0},
        "b": {"nodes": 2, "relationships": 1, "from_excerpt": 0},
    }


WRONG = [
    ("CREATE (:Entity {id: 'x:1', idx: -1})", "labels", "no type label"),
    ("CREATE (:Entity:Gene:Drug {id: 'x:1', idx: -1})", "labels", "more than one"),
    ("CREATE (:Gene {id: 'x:1'})", "labels", "label Gene and not Entity"),
    ("CREATE ()", "labels", "(none)"),
    ("CREATE (:Strange)", "labels", "Strange"),
    ("MATCH (g:Gene), (p:Protein) CREATE (p)-[:ENCODES]->(g)", "relationships", "from Protein"),
    ("MATCH (g:Gene), (p:Protein) CREATE (p)-[:KNOWS]->(g)", "relationships", "KNOWS"),
    ("DROP INDEX gene_name", "indexes", "gene_name is missing"),
    ("DROP CONSTRAINT entity_id", "indexes", "entity_id is missing"),
    ("MATCH (g:Gene) REMOVE g.idx", "numbers", "no idx"),
    ("MATCH (g:Gene) SET g.idx = 7", "numbers", "not below the next one"),
    ("MATCH (m:TosgMeta) SET m.loading = 'hgnc'", "bookkeeping", "stopped half way"),
    (  # its lease still runs, and its process is gone
        (
            f"MATCH (m:TosgMeta) SET m.loading = 'hgnc', m.writer = 'load (process 999999999 on "
            f"{platform.node()})', m.writer_until = timestamp() + 30000"
        ),
        "bookkeeping",
        "stopped half way",
    ),
    (
        (
            f"MATCH (m:TosgMeta) SET m.loading = 'hgnc', m.writer_until = timestamp() + 30000, "
            f"m.writer = '{describe_holder('tosg load')}'"
        ),
        "bookkeeping",
        "is at work",
    ),
    ("MATCH (g:Gene) REMOVE g.claims", "claims", "have lost their claims"),
    ("MATCH (g:Gene) REMOVE g.claims, g.sources", "claims", "no source claims"),
    ("MATCH ()-[r:ENCODES]->() REMOVE r.sources", "claims", "without sources"),
    ("MATCH ()-[r:ENCODES]->() REMOVE r.licenses", "claims", "not parallel"),
    (
        "MATCH (g)-[r:ENCODES]->(p) CREATE (g)-[s:ENCODES]->(p) SET s = properties(r)",
        "claims",
        "stored twice",
    ),
    ("CREATE (:Entity:Gene {id: 'x:1', idx: -1})", "counts", "Gene: 2 in the graph, 1 after"),
    ("MATCH ()-[r:ENCODES]->() DELETE r", "counts", "ENCODES: 0 in the graph, 1 after"),
    ("MATCH (g:Gene) SET g.embedding = [1.0]", "embeddings", "only one of"),
    (
        "MATCH (m:TosgMeta), (g:Gene) SET m.embedding_dim = 2, g.embedding = [1.0]",
        "embeddings",
        "have 1 numbers, not 2",
    ),
]


@pytest.mark.neo4j
def test_a_graph_that_is_right_and_each_way_to_be_wrong(database: Database) -> None:
    database.write(GOOD.replace(",\n       (:`odd ``name``` {x: 1})", ""))
    ddl.ensure_schema(database)
    made = LoadReport("20260101T000000Z-000000", after=stats.count(database))
    kept.write_node(database, made)
    assert check.check(database) == []
    for statement, rule, said in WRONG:
        database.write(statement)
        found = check.check(database)
        assert [f for f in found if f.rule == rule and said in f.what], (statement, found)
        assert all(f.rule in check.RULES for f in found)
        _repair(database)
        assert check.check(database) == [], statement


def _repair(database: Database) -> None:
    database.write("MATCH (n) WHERE NOT n:TosgReport DETACH DELETE n")
    database.write(GOOD.replace(",\n       (:`odd ``name``` {x: 1})", ""))
    ddl.ensure_schema(database)


@pytest.mark.neo4j
def test_numbers_that_are_shared(bare_database: Database) -> None:
    bare_database.write(GOOD)
    bare_database.write("MATCH (g:Gene) SET g.idx = 1, g.id = 'uniprot:P1'")
    found = {f.what for f in check.check(bare_database) if f.rule == "numbers"}
    assert {":Entity nodes share an idx", ":Entity nodes have no id or share one"} <= found
