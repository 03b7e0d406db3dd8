"""The graph in Python: what a command does, one call does.

`connect` gives a `KnowledgeGraph`. A result that is partial comes with a `tosg.TosgWarning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.graph import asking, cells, loading, server, training_sets
from tosg.graph.connection import GraphConnection
from tosg.kg.query.limits import QUERY_TIMEOUT, SELECTION_TIMEOUT
from tosg.settings import load_settings

if TYPE_CHECKING:
    import os

__all__ = ["QUERY_TIMEOUT", "SELECTION_TIMEOUT", "KnowledgeGraph", "connect"]


def connect(
    uri: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    database: str | None = None,
    home: str | os.PathLike[str] | None = None,
    graph: str | None = None,
) -> KnowledgeGraph:
    """Connect to a graph; without any setting, to the managed server, which is started.

    What is not given is looked for in the environment, then in ``tosg.toml``.

    Parameters
    ----------
    uri, username, password, database : str, optional
        The Neo4j to talk to.
    home : path, optional
        Folder of the managed server.
    graph : str, optional
        Name of a managed graph, as ``tosg graphs`` lists them.

    Returns
    -------
    KnowledgeGraph

    Raises
    ------
    DatabaseError
        The server is not there, or refuses the password.
    ConfigError
        A setting is wrong.
    """
    flags = {
        "uri": uri,
        "username": username,
        "password": password,
        "database": database,
        "home": None if home is None else str(home),
        "graph": graph,
    }
    connected = KnowledgeGraph(load_settings(flags))
    connected.db.verify()
    return connected


class KnowledgeGraph(GraphConnection):
    """A graph in Neo4j. A context manager; pickles as its settings.

    Each method is a function of `tosg.graph`'s modules, whose first argument is the graph.

    Parameters
    ----------
    settings : Settings
        Which graph.

    Raises
    ------
    DatabaseError
        From every method that needs the database: it cannot be reached, or went away.
    """

    # The managed server.
    up = server.up
    status = server.status
    down = server.down

    # Asking.
    query = asking.query
    search = asking.search
    stats = asking.stats
    count_by_source = asking.count_by_source
    revision = asking.revision
    report = asking.report
    report_ids = asking.report_ids

    # Loading.
    load = loading.load
    preview = loading.preview
    build = loading.build
    embed = loading.embed
    check = loading.check
    repair = loading.repair

    # Cells.
    attach_cells = cells.attach_cells
    datasets = cells.datasets
    cells_report = cells.cells_report
    remap_cells = cells.remap_cells
    detach_cells = cells.detach_cells

    # Training sets.
    export = training_sets.export
