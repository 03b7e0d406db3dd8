"""The ``tosg`` and ``tosg-export`` commands: parse, call one library function, print.

Commands live in modules of their own and are imported only when called, so that ``tosg --help``
starts fast and needs no extra.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

# command -> (module, attribute, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("server", "Start the managed Neo4j, or say where it is."),
    "status": ("server", "Show the managed Neo4j."),
    "down": ("server", "Stop the managed Neo4j."),
    "graphs": ("server", "List the managed graphs, with state and size."),
    "doctor": ("doctor", "Look at what tosg needs on this machine, and say what to do."),
    "demo": ("demo", "Run the main job on this machine: graph, cells, training set, model."),
    "fetch": ("sources", "Download a source's files, with checked hashes."),
    "sources": ("sources", "List the sources, what each needs and where to get it."),
    "load": ("load", "Load one source into the graph."),
    "build": ("load", "Build a graph from a recipe."),
    "cells": ("cells", "Attach cells to the graph, list them, remove them."),
    "embed": ("embed", "Embed the texts that changed."),
    "search": ("embed", "Find entities by meaning and by words."),
    "query": ("query", "Run a named statement, a file or Cypher."),
    "schema": ("inspect", "Show the schema."),
    "stats": ("inspect", "Count what is in the graph."),
    "report": ("inspect", "Show the report of a load."),
    "check": ("inspect", "Check the graph against the schema and its last reports."),
    "repair": ("repair", "Make the graph whole again, whatever state it was left in."),
    "dashboard": ("dashboard", "Look at the graph and its cells on a web page."),
    "mcp": ("mcp", "Offer the graph to an assistant, read-only (MCP)."),
    "export": ("export", "Turn a selection into a training set (same as tosg-export)."),
    "training-set": ("training_set", "Look at a training set, verify it, compare two."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tosg.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tosg")
@click.option("--graph", help="Managed graph to use, by its name (`tosg graphs` lists them).")
def tosg(graph: str | None) -> None:
    """Text-omic signaling graphs of cells: from Neo4j to PyTorch tensors."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``tosg``; exits with 0 done, 1 failed, 2 wrong usage, 3 database unreachable."""
    _run(tosg, arguments, name="tosg")


def export_main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``tosg-export``."""
    from tosg.cli.export import export

    _run(export, arguments, name="tosg-export")


def _run(
    command: click.Command, arguments: Sequence[str] | None, name: str | None = None
) -> NoReturn:
    from tosg.errors import TosgError

    # What the driver logs of a lost connection is in our error; without a handler of its own
    # Python would print it too.
    logging.getLogger("neo4j").addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 gets \u03b1 for alpha
            stream.reconfigure(errors="backslashreplace")
    stdout = sys.stdout
    try:
        code = command.main(
            args=None if arguments is None else list(arguments),
            prog_name=name,
            standalone_mode=False,
        )
        sys.stdout.flush()  # a failure here is reported like any other
    except TosgError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except SystemExit:
        # Where the reader has left, as in `tosg query --list | head -1`, click puts a stdout of its
        # own in place and ends with 1.
        if sys.stdout is stdout:
            raise
        sys.exit(0)
    except OSError as error:  # a full disk, a folder without permission, a file that went away
        _drop_output()
        failed = TosgError(error.strerror or str(error), where=error.filename)
        click.echo(f"error: {failed}", err=True)
        sys.exit(failed.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _drop_output() -> None:
    """Leave unsaid what stdout does not take: Python would try again at its end, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):  # a stream without a file of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
