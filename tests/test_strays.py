"""Other people's data in the graph's database: loads leave it alone, and do not fail by it.

Point 18 of the list in docs/reliability/graph-store.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.claims import SMALL_GRAPH, entity
from test_bolt_writer import load, total

from tosg.kg.database import counts as stats
from tosg.kg.database import indexes as ddl
from tosg.kg.report.check import check
from tosg.kg.report.load_report import LoadReport

if TYPE_CHECKING:
    from support.claims import Claim

    from tosg.kg.database.connection import Database
    from tosg.kg.write.counts import WriteCounts

pytestmark = pytest.mark.neo4j

_ONE = "MATCH (n:Gene {id: 'ncbigene:1'}) "
_PAIR = "MATCH (a:Gene {id: 'ncbigene:1'}), (b:Gene {id: 'ncbigene:2'}) "
_TIE = "MATCH (:Gene)-[r:INTERACTS_WITH]->(:Gene) WHERE r.sources IS NOT NULL "

#: What another program writes -> what the next load of the same claims does to nodes and
#: relationships (made, changed), and what `check` finds.
STRAYS = {
    "a relationship without sources": (
        _PAIR + "CREATE (a)-[:INTERACTS_WITH {note: 'mine'}]->(b)", (0, 0), "without sources"),
    "a relationship of our type between other nodes": (
        "CREATE (:Person {id: 1})-[:TREATS]->(:Person {id: 2})", (0, 0), "Person"),
    "a node with our label alone": ("CREATE (:Gene {name: 'mine'})", (0, 0), "and not Entity"),
    "a node that is only an Entity": ("CREATE (:Entity {mine: true})", (0, 0), "no type label"),
    "a node with an id that nobody claims": (
        "CREATE (:Entity:Gene {id: 'ncbigene:999'})", (0, 0), "no source claims"),
    "a number above all others": (
        "CREATE (:Entity:Gene {id: 'mine:1', idx: 1000000})", (0, 0), "no source claims"),
    "two relationships for one": (
        _TIE + "WITH r, startNode(r) AS a, endNode(r) AS b "
        "CREATE (a)-[s:INTERACTS_WITH]->(b) SET s = properties(r)", (0, 0), "stored twice"),
    "no sources any more": (_TIE + "REMOVE r.sources", (1, 0), "without sources"),
    "no releases any more": (_TIE + "REMOVE r.releases", (1, 0), "not parallel"),
    "scores of another length": (_TIE + "SET r.scores = [0.1, 0.2]", (1, 0), "not parallel"),
    "no score any more": (_TIE + "REMOVE r.score", (0, 1), None),
    "no number any more": (_ONE + "REMOVE n.idx", (0, 0), None),
    "no id any more": (_ONE + "REMOVE n.id", (0, 0), None),
    "no claims any more": (_ONE + "REMOVE n.claims", (0, 1), None),
    "claims that are none": (_ONE + "SET n.claims = ['x']", (0, 1), None),
    "no name any more": (_ONE + "REMOVE n.name, n.sources", (0, 1), None),
    "a name that is a number": (_ONE + "SET n.name = 5", (0, 1), None),
    "synonyms that are no list": (_ONE + "SET n.synonyms = 'x'", (0, 1), None),
    "claims that are no list": (_ONE + "SET n.claims = 7", (0, 1), None),
    "sources that are no list": (_TIE + "SET r.sources = 'a'", (0, 0), "not parallel"),
    "licences that are a number": (_TIE + "SET r.licenses = 7", (1, 0), "not parallel"),
    "sources that are numbers": (_TIE + "SET r.sources = [1]", (1, 0), "not parallel"),
    "a node of others with other types": (
        "CREATE (:Entity:Gene {id: 'ncbigene:999', idx: -5, xrefs: 1})", (0, 0), "no source claim"),
    "no type label any more": (_ONE + "REMOVE n:Gene", (4, 0), None),
    "a second type label": (_ONE + "SET n:Protein", (0, 0), "more than one type label"),
}  # fmt: skip


def loaded(db: Database, claims: list[Claim], prune: list[str] | None = None) -> WriteCounts:
    """Load, and compare the counts with the database's as every load does."""
    before = stats.count(db)
    counts, _ = load(db, claims, prune=prune or [])
    report = LoadReport("x", written=counts, before=before, after=stats.count(db))
    report.check_graph()
    return counts


#: Of one kind with others: with the long tests.
ALIKE = (
    "a relationship of our type between other nodes",
    "a node that is only an Entity",
    "no releases any more",
    "no number any more",
    "no claims any more",
    "a name that is a number",
    "claims that are no list",
    "sources that are no list",
    "sources that are numbers",
)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in ALIKE else []) for n in STRAYS]
)
def test_a_load_leaves_it_alone(database: Database, name: str) -> None:
    ddl.ensure_schema(database)
    query, expected, finding = STRAYS[name]
    loaded(database, SMALL_GRAPH)
    database.write(query)
    assert total(loaded(database, SMALL_GRAPH))[:2] == expected
    assert total(loaded(database, SMALL_GRAPH))[:2] == (0, 0)
    mine = "MATCH (n) WHERE n.mine OR n.name = 'mine' OR n:Person OR n.id = 'ncbigene:999' "
    kept = database.rows(mine + "RETURN count(n) AS n")[0]["n"]
    assert kept == query.count("(:Person") + ("mine: true" in query) + ("name: 'mine'" in query) + (
        "ncbigene:999" in query
    )
    assert total(loaded(database, [*SMALL_GRAPH, entity("Gene", "ncbigene:3", "a")]))[0] == 1
    found = [f"{f.what} {f.example}" for f in check(database)]
    if finding is not None:
        assert any(finding in text for text in found), found


def test_a_node_that_a_load_claims_is_taken_over(database: Database) -> None:
    database.write(
        "CREATE (:Entity:Gene {id: 'ncbigene:1', mine: 1}), (:Entity {id: 'ncbigene:2'})"
    )
    counts = loaded(database, SMALL_GRAPH)
    assert (counts.nodes["Gene"].made, counts.nodes["Gene"].changed) == (1, 1)
    rows = database.rows("MATCH (n:Gene) RETURN n.name AS name, n.mine AS mine ORDER BY name")
    assert rows == [{"name": "one", "mine": 1}, {"name": "two", "mine": None}]
    assert total(loaded(database, SMALL_GRAPH))[:2] == (0, 0)


def test_relationships_of_others_outlive_the_nodes_that_a_load_removes(database: Database) -> None:
    """A merged node's go to the one that stays; a withdrawn node stays for them, unclaimed."""
    claims = [*SMALL_GRAPH, entity("Disease", "doid:1", "c", name="another lupus")]
    loaded(database, claims)
    database.write(
        "MATCH (d:Disease {id: 'doid:1'}), (g:Gene {id: 'ncbigene:2'}) "
        "CREATE (d)<-[:`My Note` {n: 1}]-(:Note {mine: true}), (d)-[:`My Note` {n: 2}]->(d), "
        "(g)<-[:INTERACTS_WITH {n: 3}]-(:Note {mine: true})"
    )
    joined = entity("Disease", "mondo:1", "d", same_as=["doid:1"])
    assert loaded(database, [joined]).nodes["Disease"].removed == 1
    rows = "MATCH (a)-[r]->(b {id: $id}) WHERE r.n IS NOT NULL RETURN r.n AS n ORDER BY n"
    assert database.rows(rows, id="mondo:1") == [{"n": 1}, {"n": 2}]
    counts = loaded(database, [], prune=["a"])
    assert counts.nodes["Gene"].removed == 1
    assert database.rows(rows, id="ncbigene:2") == [{"n": 3}]
    assert any("no source claims" in f.what for f in check(database))
    assert total(loaded(database, SMALL_GRAPH))[0] > 0  # it is claimed again
    assert database.rows(rows, id="ncbigene:2") == [{"n": 3}]
