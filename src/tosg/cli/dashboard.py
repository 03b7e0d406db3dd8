"""``tosg dashboard``: the web page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import connection_options, echo_json, examples, json_option, note

if TYPE_CHECKING:
    from tosg.settings import Settings


@click.command(
    "dashboard",
    epilog=examples("tosg dashboard", "tosg dashboard --port 8501 --no-browser"),
)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: a free one.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. Off loopback the page needs the token that is printed.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@json_option
@connection_options
def dashboard(
    settings: Settings, *, port: int | None, host: str, no_browser: bool, as_json: bool
) -> None:
    """Look at the graph and its cells on a web page; Ctrl-C ends it.

    The page reads only; the one thing that it writes is a training set, in a folder of its own
    under TOSG_HOME. Needs the extra: pip install 'tosg[dashboard]'.
    """
    from tosg.dashboard.serve import serve

    def tell(address: object) -> None:
        url = address.url  # type: ignore[attr-defined]
        if as_json:
            echo_json({"url": url})
        else:
            click.echo(url)

    note("the dashboard runs until Ctrl-C")
    serve(settings, host=host, port=port, browser=not no_browser, tell=tell)
