"""``tosg up``, ``tosg status``, ``tosg down``: the managed server."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from tosg.cli.options import echo_json, json_option, note

if TYPE_CHECKING:
    from tosg.kg.server import ServerInfo
    from tosg.settings import Settings


@click.command("up")
@click.option(
    "--memory", help="Upper bound on heap and page cache together, as 4g; later starts keep it."
)
@json_option
@click.option("--env", is_flag=True, help="Print lines for a shell's eval, password included.")
def up(memory: str | None, as_json: bool, env: bool) -> None:
    """Start the managed Neo4j, or say where it is.

    The first time it downloads the server's jars (about 175 MB). Later commands start it by
    themselves when they need it. The password is in the file that is named; `--env` prints it
    for other programs: eval "$(tosg up --env)".
    """
    from tosg.kg import server

    settings = _settings(memory)
    before = server.status(settings)
    info = server.ensure(settings)
    note("already up" if before is not None else "started")
    if before is not None and memory:
        note("note: it keeps the memory it was started with; `tosg down` comes before another")
    if env:
        for name, value in (
            ("NEO4J_URI", info.uri),
            ("NEO4J_USERNAME", info.username),
            ("NEO4J_PASSWORD", info.password),
        ):
            click.echo(f"export {name}={shlex.quote(value)}")
        return
    _show(info, as_json)


@click.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show the managed Neo4j; exits with 3 where it is not up."""
    from tosg.kg import server

    settings = _settings(None)
    info = server.status(settings)
    if info is None:
        if as_json:
            echo_json({"running": False, "home": settings.home})
        else:
            click.echo("not running")
        raise click.exceptions.Exit(3)
    _show(info, as_json)


@click.command("down")
@json_option
def down(as_json: bool) -> None:
    """Stop the managed Neo4j; its data stays."""
    from tosg.kg import server

    stopped = server.stop(_settings(None))
    if as_json:
        echo_json({"stopped": stopped})
    else:
        click.echo("stopped" if stopped else "was not running")


def _settings(memory: str | None) -> Settings:
    from tosg.settings import load_settings

    settings = load_settings({"memory": memory})
    if not settings.managed:
        note(f"note: other commands talk to {settings.uri}, not to the managed server")
    return settings


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
