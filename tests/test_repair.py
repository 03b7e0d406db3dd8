"""``tosg repair``: whatever state a graph is found in, this gets it out.

Point 13 of the list in docs/reliability/graph-store.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support import oracle
from support.claims import GENE, OTHER, SMALL_GRAPH, entity
from support.servers import managed_settings
from support.states import of_database
from test_bolt_writer import load

from tosg.cli.repair import repair as command
from tosg.errors import DatabaseError, ServerError
from tosg.kg import server as managed
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.report.check import check
from tosg.kg.server.connect import connect
from tosg.kg.write.mend import shorten_claim
from tosg.loaders.pipeline.repair import repair

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

#: What can be wrong all at once, and still be made right from what is there.
DAMAGE = [
    # Constraints of ours are dropped, then what they kept out comes in.
    "DROP CONSTRAINT entity_id",
    "DROP CONSTRAINT entity_idx",
    "DROP CONSTRAINT tosg_meta_key",
    "DROP INDEX gene_name",
    "CREATE (:TosgMeta {key: 'graph', revision: 0, next_idx: 0})",
    (
        "MATCH (n:Gene {id: 'ncbigene:1'}), (d:Disease) "
        "CREATE (m:Entity:Gene)-[r:ASSOCIATED_WITH]->(d) SET m = properties(n) "
        "WITH m, r, d MATCH (:Gene)-[s:ASSOCIATED_WITH]->(d) WHERE s.sources IS NOT NULL "
        "SET r = properties(s)"
    ),
    "MATCH (n:Gene {id: 'ncbigene:2'}), (d:Disease) SET n.idx = d.idx",
    # Copies, arrays that do not fit, values of other types.
    "MATCH (a)-[r:ENCODES]->(b) CREATE (a)-[s:ENCODES]->(b) SET s = properties(r)",
    "MATCH (n:Gene {id: 'ncbigene:2'}) SET n.synonyms = 'no list', n.name = 5",
    "MATCH ()-[r:INTERACTS_WITH]->() SET r.score = 'high'",
    "CREATE (:TosgPending {source: 'a', part: 7, rows: 'nothing'})",
    "CREATE (:TosgReport {id: 'z', json: '{'})",
    "CREATE (:TosgBuild {id: 'z', json: '[]'})",
    # A load that was killed while it wrote, and left a relationship too many.
    "MATCH (m:TosgMeta) SET m.loading = 'tosg load', m.unsettled = true",
]


@pytest.mark.neo4j
def test_everything_at_once(database: Database, settings: Settings) -> None:
    load(database, SMALL_GRAPH)
    for statement in DAMAGE:
        database.write(statement)
    assert {f.rule for f in check(database)} >= {"indexes", "numbers", "claims", "bookkeeping"}
    database.close()
    report = repair(settings)
    assert report.changed
    assert report.left == []
    assert of_database(database) == oracle.graph(SMALL_GRAPH)
    assert read_meta(database).loading is None
    again = repair(settings)
    assert not again.changed
    assert again.mended == {}
    assert load(database, SMALL_GRAPH)[0].anything is False


@pytest.mark.neo4j
def test_a_name_that_no_index_takes(database: Database, settings: Settings) -> None:
    """As a load of an earlier version stored it: every load failed afterwards."""
    load(database, SMALL_GRAPH)
    long = "x" * 9_000
    database.write("DROP INDEX gene_name")
    claim = json.dumps({"id": GENE[1], "name": long, "source": "a", "release": "1"})
    database.write(
        "MATCH (n:Gene {id: $id}) SET n.name = $long, n.claims = [$claim]",
        id=GENE[1],
        long=long,
        claim=claim.replace(": ", ":").replace(", ", ","),
    )
    database.write("CREATE INDEX gene_name FOR (n:Gene) ON (n.name)")
    with pytest.raises(DatabaseError, match="could not be filled") as caught:
        load_nothing(settings)
    assert "tosg repair" in str(caught.value.hint)
    database.close()
    done = CliRunner().invoke(command, ["--json"], env={"TOSG_HOME": str(settings.home)})
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["left"] == []
    rows = database.rows("MATCH (n:Gene {id: $id}) RETURN n.name, n.description", id=GENE[1])
    assert rows == [{"n.name": None, "n.description": long}]
    assert check(database) == []
    load(database, [entity(*OTHER, "a", name="two")])


def load_nothing(settings: Settings) -> None:
    from tosg.loaders.pipeline.load import load as run

    run(settings, [], way="bolt")


def test_a_claim_keeps_its_form_when_it_is_shortened() -> None:
    long = "ä" * 5_000
    stored = json.dumps(
        {"id": "x:1", "name": "short", "symbol": long, "xrefs": ["y:1"], "source": "a"},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    short = '{"id":"x:1","name":"short","description":"' + long + '","xrefs":["y:1"],"source":"a"}'
    assert shorten_claim(stored) == short
    assert shorten_claim(short) == short


@pytest.mark.neo4j
@pytest.mark.slow
def test_data_that_cannot_be_opened_are_set_aside(
    server: managed.ServerInfo, tmp_path: Path
) -> None:
    own = managed_settings(tmp_path / "home")
    try:
        data = managed.ensure_server(own).data
        with connect(own) as db:
            db.write("CREATE (:Old)")
        managed.stop(own)
        for file in (data / "databases/neo4j").glob("neostore*"):
            file.write_bytes(b"\0" * 100)
        with pytest.raises(ServerError, match="cannot open its database") as caught:
            repair(own)
        assert "--start-over" in str(caught.value.hint)
        report = repair(own, start_over=True)
        assert report.set_aside is not None
        assert (report.set_aside / "databases/neo4j").is_dir()
        with connect(own) as db:
            assert db.rows("MATCH (n:Old) RETURN count(n) AS n") == [{"n": 0}]
    finally:
        managed.stop(own)
