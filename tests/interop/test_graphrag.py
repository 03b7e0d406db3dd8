"""neo4j-graphrag and LangChain on a graph of ours as it is: real vectors, real indexes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from support.entities import immune_graph, offline_model
from support.servers import wipe

from tosg.errors import ConfigError, UsageError
from tosg.kg import server as managed
from tosg.kg.database.connection import Database, Target
from tosg.kg.embed.run import embed
from tosg.kg.schema.entities import ENTITY_PROPERTIES
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES
from tosg.kg.schema.support import CELL_PROPERTIES
from tosg.kg.text.refresh import refresh

pytest.importorskip("neo4j_graphrag")

from neo4j_graphrag.exceptions import Text2CypherRetrievalError
from neo4j_graphrag.llm import LLMResponse
from neo4j_graphrag.llm.base import LLMInterface
from neo4j_graphrag.retrievers import HybridRetriever, Text2CypherRetriever, VectorRetriever

from tosg.interop.graphrag import (
    RETURN_PROPERTIES,
    GraphEmbedder,
    describe_schema_for_models,
    fulltext_index,
    vector_index,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

IL2RA = "ncbigene:3559"


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    """A small graph with texts and vectors by the default model."""
    info = managed.ensure_server(server_settings)
    with Database(Target(info.uri, info.username, info.password)) as db:
        wipe(db)
        immune_graph(db)
        refresh(db)
        embed(db, offline_model())
        yield db


class OneAnswer(LLMInterface):
    """A language model that says one thing, and keeps what it was asked."""

    def __init__(self, says: str) -> None:
        super().__init__("one answer")
        self.says = says
        self.asked = ""

    def invoke(self, input: Any, *_: Any, **__: Any) -> LLMResponse:  # noqa: A002
        self.asked = str(input)
        return LLMResponse(content=self.says)

    async def ainvoke(self, input: Any, *_: Any, **__: Any) -> LLMResponse:  # noqa: A002
        return self.invoke(input)


def ids_in(found: Any) -> list[str]:
    """Ids of the nodes that a retriever found, best first."""
    return [item.content.split("'id': '")[1].split("'")[0] for item in found.items]


def test_questions_are_embedded_as_the_graph_was(graph: Database) -> None:
    embedder = GraphEmbedder(graph)
    vector = embedder.embed_query("regulatory T cell")
    assert len(vector) == 384
    assert math.isclose(sum(v * v for v in vector), 1, abs_tol=1e-5)
    assert embedder.embed_documents(["regulatory T cell"]) == [vector]
    with pytest.raises(ConfigError, match="nothing to search for"):
        embedder.embed_query(" ")


def test_vector_retriever(graph: Database) -> None:
    retriever = VectorRetriever(
        graph.driver,
        vector_index("Gene"),
        GraphEmbedder(graph),
        return_properties=RETURN_PROPERTIES,
    )
    found = retriever.search(query_text="interleukin 2 receptor", top_k=2)
    assert ids_in(found)[0] == IL2RA
    scores = [(item.metadata or {})["score"] for item in found.items]
    assert scores[0] > scores[1]
    assert "embedding" not in found.items[0].content


def test_hybrid_retriever(graph: Database) -> None:
    retriever = HybridRetriever(
        graph.driver,
        vector_index("Gene"),
        fulltext_index(),
        GraphEmbedder(graph),
        return_properties=RETURN_PROPERTIES,
    )
    found = ids_in(retriever.search(query_text="TCGFR", top_k=3))
    assert IL2RA in found  # by the word alone: it is a synonym


def test_text_2_cypher_retriever_gets_the_schema_and_runs(graph: Database) -> None:
    model = OneAnswer("MATCH (d:Drug)-[:TARGETS]->(p:Protein) RETURN d.name AS drug")
    schema = describe_schema_for_models()
    retriever = Text2CypherRetriever(graph.driver, model, neo4j_schema=schema)
    found = retriever.search(query_text="Which drugs act on proteins?")
    assert "aldesleukin" in found.items[0].content
    assert schema in model.asked
    writes = OneAnswer("CREATE (n:Gene {id: 'x'})")
    with pytest.raises(Text2CypherRetrievalError):
        Text2CypherRetriever(graph.driver, writes, neo4j_schema=schema).search(query_text="x")


def test_the_schema_that_models_read_is_the_graphs(graph: Database) -> None:
    text = describe_schema_for_models()
    nodes, rest = text.removeprefix("Node properties:\n").split("Relationship properties:\n")
    edges, pairs = rest.split("The relationships:\n")
    known = {n: t for n, (t, _) in ENTITY_PROPERTIES.items()} | CELL_PROPERTIES
    known |= {n: t for n, (t, _) in RELATIONSHIP_PROPERTIES.items()}
    for line in [*nodes.splitlines(), *edges.splitlines()]:
        for pair in line.split(" {")[1].removesuffix("}").split(", "):
            name, kind = pair.split(": ")
            assert known[name] == kind, line
    for line in pairs.splitlines():
        graph.rows(f"EXPLAIN MATCH {line} RETURN 1")
    assert "(:Gene)-[:ENCODES]->(:Protein)" in pairs
    assert "(:CellGroup)-[:EXPRESSES]->(:Gene)" in pairs
    few = describe_schema_for_models(["Gene", "Protein"])
    assert "(:Gene)-[:ENCODES]->(:Protein)" in few
    assert "Disease" not in few
    assert "Cell" not in few
    assert len(few) < len(text) / 5


def test_names_that_the_schema_lacks_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean Gene"):
        vector_index("Gen")
    with pytest.raises(UsageError):
        describe_schema_for_models(["Planet"])


def test_langchain_searches_it_too(graph: Database) -> None:
    neo4j_vector = pytest.importorskip("langchain_neo4j").Neo4jVector
    store = neo4j_vector.from_existing_index(
        GraphEmbedder(graph),
        vector_index("Gene"),
        url=graph.target.uri,
        username=graph.target.username,
        password=graph.target.password,
        text_node_property="text",
    )
    try:
        found = store.similarity_search_with_score("interleukin 2 receptor", k=2)
        assert found[0][0].metadata["id"] == IL2RA
        assert "interleukin 2 receptor" in found[0][0].page_content
        assert found[0][1] > found[1][1]
    finally:
        store._driver.close()
