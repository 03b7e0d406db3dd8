"""``tosg doctor``: what is on this machine, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import connection_options, echo_json, examples, json_option

if TYPE_CHECKING:
    from tosg.settings import Settings


@click.command("doctor", epilog=examples("tosg doctor", "tosg doctor --json"))
@json_option
@connection_options
def doctor(as_json: bool, settings: Settings) -> None:
    """Look at what tosg needs on this machine, and say what to do; exits with 1 at a problem.

    Packages, graph, servers that run, disk, memory, GPU and embedding model. It starts no server
    and changes nothing.
    """
    from tosg.machine import examine

    found = examine(settings)
    if as_json:
        echo_json([condition.as_dict() for condition in found])
    else:
        for condition in found:
            mark = {"ok": " ", "note": "-", "problem": "!"}[condition.state]
            click.echo(f"{mark} {condition.name:<9} {condition.found}")
            if condition.do:
                click.echo(f"{'':<12}do: {condition.do}")
    if any(condition.state == "problem" for condition in found):
        raise click.exceptions.Exit(1)
