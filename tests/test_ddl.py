"""Constraints and indexes: all of the schema's, online, made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.progress import Recorder

from tosg.errors import DatabaseError, SchemaError
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database import indexes as ddl
from tosg.kg.database.connection import Database
from tosg.kg.schema.entities import ENTITY_TYPES
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.support import SUPPORT_TYPES
from tosg.kg.schema.types import snake

pytestmark = pytest.mark.neo4j


def test_names_are_unique_and_plain() -> None:
    names = [d.name for d in definitions()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert snake("GeneFamily") == "gene_family"
    assert snake("TosgMeta") == "tosg_meta"


def test_every_type_is_indexed() -> None:
    by_label = {(d.label, d.properties): d.kind for d in definitions()}
    for t in ENTITY_TYPES:
        assert by_label[t.label, ("name",)] == "RANGE"
        assert by_label[t.label, ("symbol",)] == "RANGE"
    for support in SUPPORT_TYPES:
        for key in support.unique:
            assert by_label[support.label, (key,)] == "UNIQUENESS"


@pytest.mark.lts
def test_made_once_online_and_taken_away(bare_database: Database) -> None:
    progress = Recorder()
    made = ddl.ensure_schema(bare_database, progress=progress)
    assert sorted(made) == sorted(d.name for d in definitions())
    assert progress.calls[-1] == ("filling indexes", 100.0, 100.0)
    assert ddl.missing_or_offline(bare_database) == []
    assert ddl.ensure_schema(bare_database) == []
    assert sorted(ddl.drop(bare_database)) == sorted(made)
    assert ddl.drop(bare_database) == []
    assert len(ddl.missing_or_offline(bare_database)) == len(made)


def test_made_by_several_at_once(bare_database: Database) -> None:
    """Two that make the same constraint deadlock in the server; one of them tries again."""
    begin = threading.Barrier(8)

    def make(_k: int) -> None:
        with Database(bare_database.target) as db:
            db.verify()
            begin.wait()
            meta.ensure_meta(db)

    for _round in range(10):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(make, range(8)))
        assert bare_database.rows("MATCH (m:TosgMeta) RETURN count(m) AS n") == [{"n": 1}]
        assert ddl.drop(bare_database) == ["tosg_meta_key"]
        bare_database.write("MATCH (m:TosgMeta) DELETE m")


def test_another_definition_of_the_name_is_made_anew(bare_database: Database) -> None:
    bare_database.write("CREATE INDEX gene_name FOR (n:Gene) ON (n.description)")
    bare_database.write("CREATE CONSTRAINT gene_symbol FOR (n:Gene) REQUIRE n.symbol IS UNIQUE")
    assert any("gene_name" in problem for problem in ddl.missing_or_offline(bare_database))
    made = ddl.ensure_schema(bare_database)
    assert {"gene_name", "gene_symbol"} <= set(made)
    assert ddl.missing_or_offline(bare_database) == []
    assert (
        bare_database.rows("SHOW CONSTRAINTS YIELD name WHERE name = 'gene_symbol' RETURN *") == []
    )


def test_shared_ids_are_named(bare_database: Database) -> None:
    bare_database.write("UNWIND ['x:1', 'x:1', 'x:2'] AS id CREATE (:Entity:Gene {id: id})")
    with pytest.raises(SchemaError, match="share a id") as caught:
        ddl.ensure_schema(bare_database)
    assert "x:1" in str(caught.value.found)


def test_the_deadline_holds(bare_database: Database) -> None:
    bare_database.write(
        "UNWIND range(1, 20000) AS i CREATE (:Entity:Gene {id: 'x:' + i, text: 'a b'})"
    )
    with pytest.raises(DatabaseError, match="not online after") as caught:
        ddl.ensure_schema(bare_database, wait=0.0)
    assert caught.value.retryable
    ddl.wait_online(bare_database, 60)
    assert ddl.missing_or_offline(bare_database) == []


def test_a_failed_index_of_another_program_keeps_nobody_waiting(bare_database: Database) -> None:
    bare_database.write("CREATE (:Note {text: $text})", text="x" * 9_000)
    bare_database.write("CREATE INDEX my_notes FOR (n:Note) ON (n.text)")
    ddl.ensure_schema(bare_database)
    ddl.wait_online(bare_database, 60)
    states = {f.name: f.state for f in ddl.found(bare_database)}
    assert states["my_notes"] == "FAILED"
    assert ddl.missing_or_offline(bare_database) == []


def test_full_text_finds_lists(bare_database: Database) -> None:
    ddl.ensure_schema(bare_database)
    bare_database.write(
        "CREATE (:Entity:Gene {id: 'x:1', synonyms: ['alpha beta', 'gamma']}), "
        "(:Entity:Gene {id: 'x:2', description: 'gamma rays'})"
    )
    bare_database.write("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
    rows = bare_database.rows(
        "CALL db.index.fulltext.queryNodes('entity_text', 'gamma') YIELD node "
        "RETURN node.id AS id ORDER BY id"
    )
    assert [r["id"] for r in rows] == ["x:1", "x:2"]
