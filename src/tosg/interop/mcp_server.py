"""A server of the Model Context Protocol: an assistant looks things up in the graph, read-only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from tosg.errors import TosgError
from tosg.interop.extras import missing_extra
from tosg.json_text import json_value
from tosg.kg.query.entity import count_degrees, read_entity
from tosg.kg.query.limits import QUERY_TIMEOUT
from tosg.kg.query.lookup import find_entity
from tosg.kg.query.rows_text import plain_rows
from tosg.kg.query.run import run_query
from tosg.kg.query.statements import find_statement, statements
from tosg.kg.schema import page
from tosg.kg.schema.types import ENTITY
from tosg.kg.search.hybrid import ambiguity_of, note_of, search
from tosg.version import VERSION

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations
except ImportError as error:
    raise missing_extra("the MCP server", "mcp", error) from error

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from tosg.kg.database.connection import Database

_Arguments = ParamSpec("_Arguments")

Answer = dict[str, Any]

#: Rows that one answer holds at most: an assistant reads all of it.
MOST_ANSWER_ROWS = 200

_INSTRUCTIONS = """\
A knowledge graph of genes, proteins, pathways, diseases, drugs and cell types, with the single
cells that were attached to it. Begin with `search_entities` or `find_statements`; entities are
given by id (ncbigene:7157), symbol, name or synonym. Every answer names its sources; `notes` say
what an answer leaves out. All tools only read.
"""


class OpenedLate(Protocol):
    """A graph whose connection is opened when a tool first needs it, as `KnowledgeGraph` is."""

    @property
    def db(self) -> Database:
        """The connection."""


def make_server(graph: OpenedLate) -> MCPServer[Any]:
    """Make the server; ``run("stdio")`` serves it.

    Parameters
    ----------
    graph : KnowledgeGraph
        What its tools read.
    """
    server: MCPServer[Any] = MCPServer(
        "tosg", instructions=_INSTRUCTIONS, version=VERSION, log_level="WARNING"
    )
    for tool in _Tools(graph).all():
        server.add_tool(
            _with_errors(tool),
            annotations=ToolAnnotations(
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )
    return server


def list_tools(graph: OpenedLate) -> list[dict[str, Any]]:
    """List the tools: name, description and input schema of each; nothing is asked of the graph."""
    import asyncio

    found = asyncio.run(make_server(graph).list_tools())
    return [
        {"name": t.name, "description": t.description or "", "input_schema": t.input_schema}
        for t in found
    ]


def _with_errors(tool: Callable[_Arguments, Answer]) -> Callable[_Arguments, Answer]:
    """Say what went wrong in our words: the assistant can then ask better."""

    @functools.wraps(tool)
    def wrapper(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Answer:
        try:
            answer: Answer = json_value(tool(*args, **kwargs))
        except TosgError as error:
            raise ToolError(str(error)) from error
        return answer

    return wrapper


class _Tools:
    """The tools; their docstrings are what an assistant reads of them."""

    def __init__(self, graph: OpenedLate) -> None:
        self._graph = graph

    def all(self) -> list[Callable[..., Answer]]:
        return [
            self.search_entities,
            self.get_entity,
            self.get_neighbourhood,
            self.find_statements,
            self.run_statement,
            self.run_cypher,
            self.describe_graph,
        ]

    def search_entities(self, text: str, types: list[str] | None = None, limit: int = 10) -> Answer:
        """Find entities by name, by meaning and by words, best first.

        Args:
            text: What to look for, in plain words.
            types: Only these types, as Gene, Disease, Drug, Pathway (see describe_graph).
            limit: Entities at most.
        """
        found = search(self._graph.db, text, types=types, k=_limited(limit))
        notes = [said for said in (note_of(found), ambiguity_of(found)) if said]
        return {"rows": found.to_pylist(), "notes": notes}

    def get_entity(self, entity: str) -> Answer:
        """Read what the graph says of one entity: names, text, identifiers, who claims it.

        Args:
            entity: Its id, symbol, name or synonym.
        """
        id_ = find_entity(self._graph.db, ENTITY, entity, "entity")
        return {
            "entity": read_entity(self._graph.db, id_),
            "relationships": count_degrees(self._graph.db, id_),
        }

    def get_neighbourhood(self, entity: str, limit: int = 50) -> Answer:
        """List what is joined to an entity, or to a gene's proteins: the best of each type in turn.

        Args:
            entity: Its id, symbol, name or synonym.
            limit: Relationships at most.
        """
        values = {"entity": entity, "limit": _limited(limit) + 1}
        return _answer(self._graph.db, "neighbourhood", values, limit)

    def find_statements(self) -> Answer:
        """List the named questions that the graph can answer, with their parameters."""
        return {
            "statements": [
                {
                    "name": s.name,
                    "help": s.help,
                    "parameters": [
                        {
                            "name": p.name,
                            "type": p.type,
                            "required": p.required,
                            **({} if p.required else {"default": p.default}),
                            "help": p.help,
                        }
                        for p in s.params
                    ],
                }
                for s in statements().values()
            ]
        }

    def run_statement(
        self, name: str, parameters: dict[str, Any] | None = None, limit: int = 50
    ) -> Answer:
        """Answer a named question (see find_statements).

        Args:
            name: Name of the statement.
            parameters: Its parameters; entities by id, symbol, name or synonym.
            limit: Rows at most.
        """
        if not find_statement(name).declared:
            raise ToolError("no statement has this name; run_cypher takes Cypher")
        return _answer(self._graph.db, name, parameters or {}, limit)

    def run_cypher(
        self, query: str, parameters: dict[str, Any] | None = None, limit: int = 50
    ) -> Answer:
        """Run Cypher that reads; writing, files and administration are refused.

        Args:
            query: Cypher (see describe_graph for labels and relationship types).
            parameters: Values of its $parameters.
            limit: Rows at most.
        """
        if query.lstrip().startswith("@"):
            raise ToolError("files are not read here; give the Cypher itself")
        return _answer(self._graph.db, query, parameters or {}, limit)

    def describe_graph(self) -> Answer:
        """Describe the schema: types of entities and relationships, and their properties."""
        return page.as_dict()


def _limited(limit: int) -> int:
    if not 1 <= limit <= MOST_ANSWER_ROWS:
        raise ToolError(f"limit: {limit} is not from 1 to {MOST_ANSWER_ROWS}")
    return limit


def _answer(db: Database, query: str, params: dict[str, Any], limit: int) -> Answer:
    """Rows of a query, one more than wanted asked for to know whether there are more."""
    notes: list[str] = []
    table: pa.Table = run_query(
        db, query, params, timeout=QUERY_TIMEOUT, limit=_limited(limit) + 1, warnings=notes
    )
    if table.num_rows > limit:
        table = table.slice(0, limit)
        notes.append(f"only the first {limit} rows; more exist")
    return {"rows": plain_rows(table), "notes": notes}
