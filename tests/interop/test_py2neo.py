"""py2neo: its graph opens ours, and a selection is its subgraph; on both versions of Neo4j."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.fixture_graph import ENTITIES, RELATIONSHIPS

import tosg
from tosg.errors import ConfigError, DatabaseError
from tosg.interop.py2neo_graph import connection_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.connection import Database

py2neo = pytest.importorskip("py2neo")

pytestmark = [
    pytest.mark.neo4j,
    pytest.mark.lts,
    # What py2neo itself uses, and leaves open, is not ours to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def theirs(graph: Database) -> Iterator[Any]:
    """A graph of py2neo on the same server."""
    target = graph.target
    found = py2neo.Graph(target.uri, auth=(target.username, target.password))
    yield found
    found.service.connector.close()


def test_a_py2neo_graph_opens_ours(theirs: Any, graph: Database) -> None:
    with tosg.connect(theirs) as ours:
        assert ours.db.target.uri == graph.target.uri
        assert ours.stats().entities["Gene"] == sum(t == "Gene" for t, *_ in ENTITIES.values())
        rows = ours.query("genes_of_pathway", pathway="Interleukin-2 signaling").num_rows
    assert rows == 3


def test_what_is_given_by_hand_wins(theirs: Any) -> None:
    with pytest.raises(DatabaseError, match="user name or password"):
        tosg.connect(theirs, password="not this one")


def test_a_selection_is_a_subgraph(theirs: Any) -> None:
    with tosg.connect(theirs) as ours:
        sub = ours.subgraph().to_py2neo()
    assert isinstance(sub, py2neo.Subgraph)
    assert len(sub.nodes) == len(ENTITIES)
    assert len(sub.relationships) == len(RELATIONSHIPS)
    by_id = {node["id"]: node for node in sub.nodes}
    assert set(by_id["ncbigene:3558"].labels) == {"Entity", "Gene"}
    assert by_id["ncbigene:3559"]["synonyms"] == ["CD25"]
    found = {(r.start_node["id"], type(r).__name__, r.end_node["id"]) for r in sub.relationships}
    assert found == {(a, t, b) for a, t, b, _ in RELATIONSHIPS}


def test_py2neo_finds_the_nodes_of_a_subgraph_again(theirs: Any) -> None:
    """``merge`` makes no second copy of what is there."""
    before = theirs.evaluate("MATCH (n) RETURN count(n)")
    with tosg.connect(theirs) as ours:
        sub = ours.subgraph("MATCH (g:Gene {symbol: 'IL2'})-[r:REGULATES]->(b) RETURN r")
    made = sub.to_py2neo()
    node = next(iter(made.nodes))
    theirs.merge(node)
    assert theirs.evaluate("MATCH (n) RETURN count(n)") == before
    assert node.identity is not None


class _Profile:
    """What py2neo says of a connection by HTTP."""

    protocol, secure, verify, scheme = "http", False, True, "http"
    address, host, port, user, password = "localhost:7474", "localhost", 7474, "neo4j", "x"


class _Service:
    profile = _Profile()


class _ByHttp:
    name: Any = None
    service = _Service()


def test_http_is_refused() -> None:
    with pytest.raises(ConfigError, match="not connected by Bolt") as caught:
        connection_of(_ByHttp())
    assert "http://localhost:7474" in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "uri"),
    [("bolt", "bolt://h:7687"), ("bolt+s", "bolt+s://h:7687"), ("bolt+ssc", "bolt+ssc://h:7687")],
)
def test_schemes(scheme: str, uri: str) -> None:
    profile = py2neo.ConnectionProfile(f"{scheme}://h:7687", auth=("u", "p"))

    class Service:
        pass

    service = Service()
    service.profile = profile  # type: ignore[attr-defined]

    class Graph:
        name = "neo4j"

    graph = Graph()
    graph.service = service  # type: ignore[attr-defined]
    assert connection_of(graph) == {  # type: ignore[arg-type]
        "uri": uri, "username": "u", "password": "p", "database": "neo4j",
    }  # fmt: skip
