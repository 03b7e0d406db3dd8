"""``tosg up``, ``tosg status``, ``tosg down``: the managed server."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from tosg.cli.options import echo_json, examples, json_option, note

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph
    from tosg.kg.server import ServerInfo


@click.command("up", epilog=examples("tosg up", "tosg up --memory 4g --json"))
@click.option(
    "--memory", help="Upper bound on heap and page cache together, as 4g; later starts keep it."
)
@json_option
@click.option("--env", is_flag=True, help="Print lines for a shell's eval, password included.")
def up(memory: str | None, as_json: bool, env: bool) -> None:
    """Start the managed Neo4j, or say where it is.

    The first start downloads the server (about 175 MB). Commands that need a graph start it by
    themselves. The password is in a file; `--env` prints it for other programs:
    eval "$(tosg up --env)".
    """
    graph = _graph(memory)
    before = graph.status()
    info = graph.up()
    note("already up" if before is not None else "started")
    if before is not None and memory:
        note("note: the memory stays as it was; to change it, run `tosg down` first")
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
def status(as_json: bool) -> None:
    """Show the managed Neo4j; exits with 3 where it is not up."""
    graph = _graph(None)
    info = graph.status()
    if info is None:
        if as_json:
            echo_json({"running": False, "home": graph.settings.home})
        else:
            click.echo("not running")
        raise click.exceptions.Exit(3)
    _show(info, as_json)


@click.command("down", epilog=examples("tosg down", "tosg down --json"))
@json_option
def down(as_json: bool) -> None:
    """Stop the managed Neo4j; its data stays."""
    stopped = _graph(None).down()
    if as_json:
        echo_json({"stopped": stopped})
    else:
        click.echo("stopped" if stopped else "was not running")


def _graph(memory: str | None) -> KnowledgeGraph:
    from tosg.graph import KnowledgeGraph
    from tosg.settings import load_settings

    settings = load_settings({"memory": memory})
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
    }
    if as_json:
        echo_json(document)
        return
    for name, value in document.items():
        if name != "running":
            click.echo(f"{name:<14} {value}")
