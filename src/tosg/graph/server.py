"""The managed server of a graph: start it, look for it, stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.graph.telling import warn_caller

if TYPE_CHECKING:
    from tosg.graph.connection import GraphConnection
    from tosg.kg.server import ServerInfo


def up(graph: GraphConnection) -> ServerInfo:
    """Start the managed server, or find the one that runs.

    Returns
    -------
    ServerInfo
        Its addresses, password, process and files.

    Raises
    ------
    ServerError
        It cannot be downloaded, installed or started.

    Warns
    -----
    TosgWarning
        It runs already, with another bound on its memory than the settings have.
    """
    from tosg.kg.server import ensure_server

    info = ensure_server(graph.settings)
    if graph.settings.memory not in (None, info.memory):
        warn_caller(["the memory stays as it was; to change it, run `tosg down` first"])
    return info


def status(graph: GraphConnection) -> ServerInfo | None:
    """Look for the managed server; None where it is not running."""
    from tosg.kg.server import status

    return status(graph.settings)


def down(graph: GraphConnection) -> bool:
    """Stop the managed server; its data stays.

    Returns
    -------
    bool
        Whether it was running.

    Raises
    ------
    ServerError
        It does not stop.
    """
    from tosg.kg.server import stop

    graph.close()
    return stop(graph.settings)
