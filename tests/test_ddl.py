"""Constraints and indexes: all of the schema's, online, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.kg import ddl
from tosg.kg.errors import DatabaseError, SchemaError
from tosg.kg.schema import ENTITY_TYPES, SUPPORT_TYPES, snake

if TYPE_CHECKING:
    from tosg.kg.database import Database

pytestmark = pytest.mark.neo4j


def test_names_are_unique_and_plain() -> None:
    names = [d.name for d in ddl.definitions()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert snake("GeneFamily") == "gene_family"
    assert snake("TosgMeta") == "tosg_meta"


def test_every_type_is_indexed() -> None:
    by_label = {(d.label, d.properties): d.kind for d in ddl.definitions()}
    for t in ENTITY_TYPES:
        assert by_label[t.label, ("name",)] == "RANGE"
        assert by_label[t.label, ("symbol",)] == "RANGE"
    for support in SUPPORT_TYPES:
        for key in support.unique:
            assert by_label[support.label, (key,)] == "UNIQUENESS"


@pytest.mark.lts
def test_made_once_online_and_taken_away(database: Database) -> None:
    shares: list[float] = []
    made = ddl.ensure(database, progress=shares.append)
    assert sorted(made) == sorted(d.name for d in ddl.definitions())
    assert shares[-1] == 1.0
    assert ddl.missing_or_offline(database) == []
    assert ddl.ensure(database) == []
    assert sorted(ddl.drop(database)) == sorted(made)
    assert ddl.drop(database) == []
    assert len(ddl.missing_or_offline(database)) == len(made)


def test_another_definition_of_the_name_is_made_anew(database: Database) -> None:
    database.write("CREATE INDEX gene_name FOR (n:Gene) ON (n.description)")
    database.write("CREATE CONSTRAINT gene_symbol FOR (n:Gene) REQUIRE n.symbol IS UNIQUE")
    assert any("gene_name" in problem for problem in ddl.missing_or_offline(database))
    made = ddl.ensure(database)
    assert {"gene_name", "gene_symbol"} <= set(made)
    assert ddl.missing_or_offline(database) == []
    assert database.rows("SHOW CONSTRAINTS YIELD name WHERE name = 'gene_symbol' RETURN *") == []


def test_shared_ids_are_named(database: Database) -> None:
    database.write("UNWIND ['x:1', 'x:1', 'x:2'] AS id CREATE (:Entity:Gene {id: id})")
    with pytest.raises(SchemaError, match="share a id") as caught:
        ddl.ensure(database)
    assert "x:1" in str(caught.value.found)


def test_the_deadline_holds(database: Database) -> None:
    database.write("UNWIND range(1, 20000) AS i CREATE (:Entity:Gene {id: 'x:' + i, text: 'a b'})")
    with pytest.raises(DatabaseError, match="not online after") as caught:
        ddl.ensure(database, wait=0.0)
    assert caught.value.retryable
    ddl.wait_online(database, 60)
    assert ddl.missing_or_offline(database) == []


def test_full_text_finds_lists(database: Database) -> None:
    ddl.ensure(database)
    database.write(
        "CREATE (:Entity:Gene {id: 'x:1', synonyms: ['alpha beta', 'gamma']}), "
        "(:Entity:Gene {id: 'x:2', description: 'gamma rays'})"
    )
    database.write("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
    rows = database.rows(
        "CALL db.index.fulltext.queryNodes('entity_text', 'gamma') YIELD node "
        "RETURN node.id AS id ORDER BY id"
    )
    assert [r["id"] for r in rows] == ["x:1", "x:2"]
