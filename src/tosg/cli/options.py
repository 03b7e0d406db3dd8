"""Options that several commands share."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tosg.json_text import json_text

if TYPE_CHECKING:
    from tosg.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

_CONNECTION = ("graph", "uri", "username", "password", "database")


def connection_options(command: Command) -> Command:
    """Add ``--uri --username --password --database`` and pass them on as ``settings``."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        flags = {name: kwargs.pop(f"of_{name}") for name in _CONNECTION}
        return command(*args, settings=read_settings(flags), **kwargs)

    result: Command = _with_connection(wrapper)
    return result


def graph_options(command: Command) -> Command:
    """Add the same options and pass on the ``graph`` that they name; its warnings are notes."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from tosg.graph import KnowledgeGraph

        flags = {name: kwargs.pop(f"of_{name}") for name in _CONNECTION}
        with KnowledgeGraph(read_settings(flags)) as graph, warnings_as_notes():
            return command(*args, graph=graph, **kwargs)

    result: Command = _with_connection(wrapper)
    return result


def _with_connection(wrapper: Callable[..., Any]) -> Any:
    wrapped: Any = wrapper
    for name, help_ in (
        ("database", "Database name."),
        ("password", "Password; better in NEO4J_PASSWORD or tosg.toml."),
        ("username", "User name."),
        ("uri", "Neo4j to use, as bolt://host:7687; without one, the managed server."),
        ("graph", "Managed graph to use, by its name (`tosg graphs`)."),
    ):
        wrapped = click.option(f"--{name}", f"of_{name}", help=help_)(wrapped)
    return wrapped


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print what Python gets as a `TosgWarning` as a note on stderr."""
    from tosg.errors import TosgWarning

    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_note(
            message: Warning | str, category: type[Warning], *rest: Any, **named: Any
        ) -> None:
            if issubclass(category, TosgWarning):
                note(f"note: {message}")
            else:
                show(message, category, *rest, **named)

        warnings.simplefilter("always", TosgWarning)
        warnings.showwarning = show_note
        yield


def read_settings(flags: dict[str, Any]) -> Settings:
    """Read the settings, with the graph that was named before the command."""
    from tosg.settings import load_settings

    context = click.get_current_context(silent=True)
    # As in `tosg --graph demo stats`; after the command it counts too.
    before = None if context is None else context.find_root().params.get("graph")
    return load_settings({**flags, "graph": flags.get("graph") or before})


def complete_from(listing: str) -> Callable[..., list[str]]:
    """Complete an argument in the shell with the names that a function of `tosg.catalog` lists."""

    def complete(_context: click.Context, _parameter: click.Parameter, given: str) -> list[str]:
        from tosg import catalog

        names: Iterable[str] = getattr(catalog, listing)()
        return [name for name in names if name.startswith(given)]

    return complete


def examples(*lines: str) -> str:
    """Lay out the examples at the end of a command's help."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def dataset_options(command: Command) -> Command:
    """Add the id of an attached data set and ``--json``, and pass on the ``graph``."""
    result: Command = click.argument("id_", metavar="ID")(json_option(graph_options(command)))
    return result


param_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the query; may be repeated.",
)


def timeout_option(default: float, help_: str) -> Callable[[Command], Command]:
    """Make ``--timeout SECONDS``, above 0: from the command line no query runs for ever."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help=help_,
    )


def echo_json(document: object) -> None:
    """Print a JSON document on stdout, keys in the order given."""
    click.echo(json_text(document, indent=2))


def note(text: str) -> None:
    """Say something on stderr; stdout is the result only."""
    click.echo(text, err=True)
