"""``tosg mcp``: the graph for an assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import echo_json, examples, graph_options, json_option, note

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph


@click.command(
    "mcp",
    epilog=examples("tosg mcp", "tosg mcp --graph demo", "tosg mcp --list --json"),
)
@click.option("--list", "listing", is_flag=True, help="List the tools, and serve nothing.")
@json_option
@graph_options
def mcp(listing: bool, as_json: bool, graph: KnowledgeGraph) -> None:
    """Offer the graph to an assistant, by the Model Context Protocol over stdin and stdout.

    Its tools only read: search, entities, neighbourhoods, named statements, and Cypher that is
    checked as in `tosg query`. An assistant starts the command itself; its configuration has
    {"command": "tosg", "args": ["mcp"]}. Needs the extra: pip install 'tosg[mcp]'.
    """
    if listing:
        tools = graph.mcp_tools()
        if as_json:
            echo_json(tools)
            return
        for tool in tools:
            click.echo(f"{tool['name']:<18} {tool['description'].splitlines()[0]}")
        return
    if as_json:
        raise click.UsageError("--json goes with --list alone; without --list the server runs")
    note("serving the graph over stdin and stdout; Ctrl-C ends it")
    graph.serve_mcp()
