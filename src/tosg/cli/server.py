"""``tosg up``, ``status``, ``down`` and ``graphs``: the managed servers."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from tosg.cli.options import (
    echo_json,
    examples,
    json_option,
    note,
    read_settings,
    warnings_as_notes,
)

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph
    from tosg.kg.server import ServerInfo


_graph_option = click.option("--graph", "name", help="Managed graph, by its name (`tosg graphs`).")


@click.command("up", epilog=examples("tosg up", "tosg up --memory 4g --json"))
@click.option(
    "--memory", help="Upper bound on heap and page cache together, as 4g; later starts keep it."
)
@json_option
@_graph_option
@click.option("--env", is_flag=True, help="Print lines for a shell's eval, password included.")
def up(memory: str | None, as_json: bool, name: str | None, env: bool) -> None:
    """Start the managed Neo4j, or say where it is.

    The first start downloads the server (about 175 MB). Commands that need a graph start it by
    themselves. The password is in a file; `--env` prints it for other programs:
    eval "$(tosg up --env)".
    """
    graph = _graph(name, memory)
    before = graph.status()
    with warnings_as_notes():
        info = graph.up()
    note("already up" if before is not None else "started")
    if env:
        for name, value in (
            ("NEO4J_URI", info.uri),
            ("NEO4J_USERNAME", info.username),
            ("NEO4J_PASSWORD", info.password),
        ):
            click.echo(f"export {name}={shlex.quote(value)}")
        return
    _show(info, as_json)


@click.command("status", epilog=examples("tosg status", "tosg status --json"))
@json_option
@_graph_option
def status(as_json: bool, name: str | None) -> None:
    """Show the managed Neo4j; exits with 3 where it is not up."""
    graph = _graph(name)
    info = graph.status()
    if info is None:
        if as_json:
            echo_json({"running": False, "home": graph.settings.home})
        else:
            click.echo("not running")
        raise click.exceptions.Exit(3)
    _show(info, as_json)


@click.command("down", epilog=examples("tosg down", "tosg down --graph demo"))
@json_option
@_graph_option
def down(as_json: bool, name: str | None) -> None:
    """Stop the managed Neo4j; its data stays.

    It names the servers of other graphs that still run, and how to stop each.
    """
    from tosg.machine import servers

    graph = _graph(name)
    stopped = graph.down()
    others = {server: server.stop_command(graph.settings) for server in servers()}
    if as_json:
        running = [
            {"pid": s.pid, "home": s.home, "version": s.version, "stop": how}
            for s, how in others.items()
        ]
        echo_json({"stopped": stopped, "running": running})
        return
    click.echo("stopped" if stopped else "was not running")
    for server, how in others.items():
        note(f"still running: Neo4j {server.version} of {server.home}; stop it with: {how}")


@click.command("graphs", epilog=examples("tosg graphs", "tosg graphs --json"))
@json_option
@_graph_option
def graphs(as_json: bool, name: str | None) -> None:
    """List the managed graphs of the home folder, with state and size.

    Any command takes one by its name: tosg --graph demo stats. So do TOSG_GRAPH and tosg.toml. A
    name that is not there yet is a new, empty graph.
    """
    from tosg import machine
    from tosg.cli.report_view import console, table

    found = machine.graphs(_graph(name).settings)
    if as_json:
        echo_json([graph.as_dict() for graph in found])
        return
    if not found:
        note("no managed graph yet: `tosg demo`, `tosg build` or `tosg load` makes one")
        return
    shown = table("name", "state", "MB", "Neo4j", "folder", right=(2,))
    for graph in found:
        shown.add_row(
            f"{graph.name}{' *' if graph.chosen else ''}",
            "running" if graph.running else "stopped",
            f"{graph.size / 1e6:,.0f}",
            ", ".join(graph.versions),
            str(graph.home),
        )
    console().print(shown)
    note("* is the one that commands use now")


def _graph(name: str | None, memory: str | None = None) -> KnowledgeGraph:
    from tosg.graph import KnowledgeGraph

    settings = read_settings({"graph": name, "memory": memory})
    if not settings.managed:
        note(f"note: other commands use {settings.uri}, not the managed server")
    return KnowledgeGraph(settings)


def _show(info: ServerInfo, as_json: bool) -> None:
    document = {
        "running": True,
        "uri": info.uri,
        "http": info.http_uri,
        "username": info.username,
        "password_file": info.password_file,
        "version": info.version,
        "pid": info.pid,
        "data": info.data,
        "log": info.log,
        "memory": info.memory,
    }
    if as_json:
        echo_json(document)
        return
    for name, value in document.items():
        if name != "running":
            click.echo(f"{name:<14} {value}")
