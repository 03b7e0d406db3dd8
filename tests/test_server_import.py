"""Bulk loads: swapped in whole, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.errors import DatabaseError, ServerError
from tosg.kg import server as managed
from tosg.kg.database import indexes as ddl
from tosg.kg.database.connection import Database, Target
from tosg.kg.server.connect import connect
from tosg.kg.write import bulk_import
from tosg.kg.write.counts import Changes, WriteCounts

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings

pytestmark = pytest.mark.lts


def arguments(folder: Path) -> list[str]:
    return [
        f"--nodes=N={folder / 'nodes.csv'}",
        f"--relationships=R={folder / 'edges.csv'}",
        "--array-delimiter=U+001F",
    ]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    nodes = "id:ID,name,tags:string[]\n" + "".join(
        f'{i},"a ""name"" of {i}",x;{i}\x1fy{i}\n' for i in range(100)
    )
    edges = ":START_ID,:END_ID,weight:double\n" + "".join(
        f"{i},{(i + 1) % 100},{i / 4}\n" for i in range(100)
    )
    (tmp_path / "nodes.csv").write_text(nodes, encoding="utf-8")
    (tmp_path / "edges.csv").write_text(edges, encoding="utf-8")
    return tmp_path


def test_an_import_replaces_the_database(settings: Settings, database: Database, csv: Path) -> None:
    database.write("CREATE (:Old)")
    before = managed.ensure_server(settings)
    result = managed.import_full(settings, arguments(csv))
    assert (result.nodes, result.relationships) == (100, 100)
    assert result.server.password == before.password
    assert result.server.data != before.data
    assert not before.data.exists()
    with connect(settings) as db:
        assert db.rows("MATCH (n) RETURN count(n) AS n, count(n.id) AS ids") == [
            {"n": 100, "ids": 100}
        ]
        row = db.rows("MATCH (n {id: '7'})-[r]->(m) RETURN n.name AS n, n.tags AS t, r.weight AS w")
        assert row == [{"n": 'a "name" of 7', "t": ["x;7", "y7"], "w": 1.75}]


def test_a_failed_import_leaves_the_database(
    settings: Settings, database: Database, csv: Path
) -> None:
    database.write("CREATE (:Old)")
    before = managed.ensure_server(settings)
    (csv / "edges.csv").write_text(":START_ID,:END_ID,w:nonsense\n1,2,3\n")
    with pytest.raises(ServerError, match="could not import") as caught:
        managed.import_full(settings, arguments(csv))
    assert "nonsense" in str(caught.value)
    after = managed.status(settings)
    assert after is not None
    assert after.data == before.data
    with connect(settings) as db:
        assert db.rows("MATCH (n:Old) RETURN count(n) AS n") == [{"n": 1}]
    assert len(list(before.data.parent.glob("data-*"))) == 1


def test_an_import_that_stored_another_number_is_refused(database: Database) -> None:
    """The check runs on the new data, before they are swapped in."""
    database.write("CREATE (:Entity:Gene {id: 'x:1'})-[:ENCODES]->(:Entity:Protein {id: 'x:2'})")
    right = WriteCounts(
        {"Gene": Changes(made=1), "Protein": Changes(made=1)}, {"ENCODES": Changes(made=1)}
    )
    bulk_import._check(database, right)
    for nodes, ties in (({"Gene": 2}, {"ENCODES": 1}), ({"Gene": 1}, {"ENCODES": 0})):
        wrong = WriteCounts(
            {name: Changes(made=n) for name, n in nodes.items()},
            {name: Changes(made=n) for name, n in ties.items()},
        )
        with pytest.raises(ServerError, match="did not store what it was given"):
            bulk_import._check(database, wrong)


@pytest.mark.slow
def test_nothing_is_swapped_in_before_its_indexes_are_online(
    settings: Settings, database: Database, csv: Path
) -> None:
    """A name that no index takes: the old data stays in use, and its server runs."""
    database.write("CREATE (:Old)")
    before = managed.ensure_server(settings)
    (csv / "nodes.csv").write_text(f"id:ID,name\n1,{'x' * 9_000}\n2,short\n")
    (csv / "edges.csv").write_text(":START_ID,:END_ID\n1,2\n")
    arguments_ = [a.replace("=N=", "=Entity:Gene=") for a in arguments(csv)]
    seen: list[bool] = []

    def fill_indexes(info: managed.ServerInfo) -> None:
        with Database(Target(info.uri, info.username, info.password)) as new:
            seen.append(bool(new.rows("MATCH (n:Gene) RETURN 1 AS one LIMIT 1")))
            seen.append(managed.status(settings) is None)  # nobody else finds it yet
            ddl.ensure_schema(new)

    with pytest.raises(DatabaseError, match="could not be filled") as caught:
        managed.import_full(settings, arguments_, fill_indexes)
    assert seen == [True, True]
    assert "gene_name" in str(caught.value.where)
    assert "tosg repair" in str(caught.value.hint)
    after = managed.status(settings)
    assert after is not None
    assert after.data == before.data
    with connect(settings) as db:
        assert db.rows("MATCH (n) WHERE n:Old OR n:Gene RETURN labels(n) AS l") == [{"l": ["Old"]}]
