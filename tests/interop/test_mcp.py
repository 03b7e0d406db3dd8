"""``tosg mcp`` with the SDK's own client, over stdio."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from click.testing import CliRunner

from tosg.cli import tosg
from tosg.settings import ENVIRONMENT

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

mcp = pytest.importorskip("mcp")

Found = TypeVar("Found")

TOOLS = {
    "search_entities",
    "get_entity",
    "get_neighbourhood",
    "find_statements",
    "run_statement",
    "run_cypher",
    "describe_graph",
}


def ask(db: Database, question: Callable[[Any], Awaitable[Found]]) -> Found:
    """Start the command, let the client ask, end it."""
    target = db.target
    environ = {
        **os.environ,
        ENVIRONMENT["uri"]: target.uri,
        ENVIRONMENT["username"]: target.username,
        ENVIRONMENT["password"]: target.password,
    }
    parameters = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "tosg", "mcp"], env=environ
    )

    async def run() -> Found:
        async with (
            mcp.stdio_client(parameters) as (read, write),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await question(session)

    return asyncio.run(run())


def answer(result: Any) -> dict[str, Any]:
    """What a tool answered, or the error's text under ``error``."""
    if result.is_error:
        return {"error": result.content[0].text}
    document: dict[str, Any] = json.loads(result.content[0].text)
    return document


@pytest.mark.neo4j
def test_every_tool_answers_and_only_reads(graph: Database) -> None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "search": ("search_entities", {"text": "IL2", "limit": 2}),
        "entity": ("get_entity", {"entity": "IL2RA"}),
        "around": ("get_neighbourhood", {"entity": "IL2RA", "limit": 2}),
        "list": ("find_statements", {}),
        "named": (
            "run_statement",
            {"name": "genes_of_pathway", "parameters": {"pathway": "Interleukin-2 signaling"}},
        ),
        "cypher": (
            "run_cypher",
            {"query": "MATCH (g:Gene {symbol: $s}) RETURN g", "parameters": {"s": "JAK3"}},
        ),
        "schema": ("describe_graph", {}),
        "writes": ("run_cypher", {"query": "CREATE (n:Gene {id: 'x'}) RETURN n"}),
        "outside": ("run_cypher", {"query": "LOAD CSV FROM 'file:///etc/passwd' AS r RETURN r"}),
        "file": ("run_cypher", {"query": "@/etc/passwd"}),
        "unknown": ("get_entity", {"entity": "no such gene"}),
        "cypher as name": ("run_statement", {"name": "MATCH (n) RETURN n"}),
        "too many": ("run_cypher", {"query": "MATCH (n) RETURN n", "limit": 100000}),
    }
    before = graph.rows("MATCH (n) RETURN count(n) AS n")

    async def question(session: Any) -> tuple[Any, dict[str, Any]]:
        tools = await session.list_tools()
        return tools.tools, {
            key: answer(await session.call_tool(name, arguments))
            for key, (name, arguments) in calls.items()
        }

    tools, found = ask(graph, question)
    assert {t.name for t in tools} == TOOLS
    assert all(t.annotations.read_only_hint for t in tools)
    assert all(len(t.description) > 40 for t in tools)

    assert found["search"]["rows"][0]["id"] == "ncbigene:3558"
    assert len(found["search"]["rows"]) == 2
    assert found["entity"]["entity"]["id"] == "ncbigene:3559"
    assert found["entity"]["entity"]["synonyms"] == ["CD25"]
    assert found["entity"]["relationships"]["REGULATES"] == 2
    assert len(found["around"]["rows"]) == 2
    assert any("more exist" in note for note in found["around"]["notes"])
    assert "signed_paths" in {s["name"] for s in found["list"]["statements"]}
    assert {r["gene"]["id"] for r in found["named"]["rows"]} == {
        "ncbigene:3558", "ncbigene:3718", "ncbigene:3559",
    }  # fmt: skip
    assert found["cypher"]["rows"] == [
        {"g": {"id": "ncbigene:3718", "type": "Gene", "name": "Janus kinase 3", "symbol": "JAK3"}}
    ]
    assert "Gene" in {t["label"] for t in found["schema"]["entity_types"]}

    assert "write" in found["writes"]["error"]
    for key in ("outside", "file", "unknown", "cypher as name", "too many"):
        assert "error" in found[key], key
        assert "Traceback" not in found[key]["error"]
    assert "did you mean" in found["unknown"]["error"] or "search" in found["unknown"]["error"]
    assert "root:" not in found["file"]["error"]
    assert graph.rows("MATCH (n) RETURN count(n) AS n") == before


def test_the_tools_are_listed_without_a_database() -> None:
    env = {"NEO4J_URI": "bolt://127.0.0.1:9", "NEO4J_PASSWORD": "x"}
    done = CliRunner().invoke(tosg, ["mcp", "--list", "--json"], env=env)
    assert done.exit_code == 0, done.output
    assert {tool["name"] for tool in json.loads(done.stdout)} == TOOLS
    assert "find_statements" in CliRunner().invoke(tosg, ["mcp", "--list"], env=env).stdout
    wrong = CliRunner().invoke(tosg, ["mcp", "--json"], env=env)
    assert wrong.exit_code == 2
