"""Write ``docs/commands.md`` from the commands' own help; a test compares.

Run it after a change of options: ``python docs/scripts/write_commands.py``.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tosg.cli import tosg
from tosg.cli.options import connection_options

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "commands.md"

HEAD = """# Commands

This page is made from the commands' own help (`python docs/scripts/write_commands.py`).

## What all commands have in common

- **stdout has the result only.** Notes, warnings and progress bars go to stderr. With `--json` the
  result is one JSON document.
- **Exit codes**: 0 done, 1 failed, 2 wrong usage, 3 database unreachable.
- **An error says** what, where, what was found, what was expected and what to do.
- **Settings** come from an option, then the environment, then `tosg.toml` in the folder or one
  above it, then the managed server; see [the server's page](server.md).
- **Progress bars, bold and colour** appear on a terminal alone, and no colour where the environment
  variable `NO_COLOR` is set.

## Completion in the shell

Names of commands, options, sources, recipes and statements complete with the Tab key. Once per
shell:

```sh
echo 'eval "$(_TOSG_COMPLETE=bash_source tosg)"' >> ~/.bashrc
echo 'eval "$(_TOSG_COMPLETE=zsh_source tosg)"' >> ~/.zshrc
_TOSG_COMPLETE=fish_source tosg > ~/.config/fish/completions/tosg.fish
```

`tosg-export` has its own: `_TOSG_EXPORT_COMPLETE` in the place of `_TOSG_COMPLETE`.

## Which graph

Commands that use a graph take these options; they are not repeated below.

"""


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, groups before their commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None  # noqa: S101 - listed a moment ago
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")


def connection() -> list[click.Option]:
    """Options of the connection, as every command that uses a graph has them."""

    @click.command()
    @connection_options
    def probe() -> None:
        """Stand for every such command."""

    return [p for p in probe.params if isinstance(p, click.Option)]


def option_rows(options: list[click.Option], context: click.Context) -> Iterator[str]:
    """A table of options."""
    yield "| option | what it does |"
    yield "|---|---|"
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            name, help_ = (part.replace("|", "\\|") for part in record)
            yield f"| `{name}` | {' '.join(help_.split())} |"
    yield ""


def page_of(words: str, command: click.Command) -> Iterator[str]:
    """The part of the page about one command."""
    context = click.Context(command, info_name=words)
    shared = {option.name for option in connection()}
    yield f"## `{words}`"
    yield ""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from textwrap.wrap(" ".join(paragraph.split()), 100)
        yield ""
    yield "```text"
    yield command.get_usage(context).removeprefix("Usage: ")
    yield "```"
    yield ""
    own = [p for p in command.params if isinstance(p, click.Option) and p.name not in shared]
    if own:
        yield from option_rows(own, context)
    if shared & {p.name for p in command.params}:
        yield "Takes the options of the connection."
        yield ""
    lines = (command.epilog or "").splitlines()[2:]
    yield "```sh"
    yield from (line.removeprefix("  ") for line in lines)
    yield "```"
    yield ""


def write() -> str:
    """The whole page."""
    context = click.Context(tosg, info_name="tosg")
    lines = [HEAD.rstrip(), "", *option_rows(connection(), context)]
    for words, command in commands(tosg, "tosg"):
        lines += page_of(words, command)
    lines += ["## `tosg-export`", "", "The same as `tosg export`.", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(write(), encoding="utf-8")
