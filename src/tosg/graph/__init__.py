"""The graph in Python: what a command does, one call does.

`connect` gives a `KnowledgeGraph`. A result that is partial comes with a `tosg.TosgWarning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.graph import asking, cells, loading, other_tools, server, training_sets
from tosg.graph.connection import GraphConnection
from tosg.kg.query.limits import QUERY_TIMEOUT, SELECTION_TIMEOUT
from tosg.settings import load_settings

if TYPE_CHECKING:
    import os

    from tosg.interop.py2neo_graph import Py2neoGraph

__all__ = ["QUERY_TIMEOUT", "SELECTION_TIMEOUT", "KnowledgeGraph", "connect"]


def connect(
    uri: str | Py2neoGraph | None = None,
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
    uri : str or py2neo.Graph, optional
        The Neo4j to talk to; a graph of py2neo also says user, password and database.
    username, password, database : str, optional
        How to get in, and to which database.
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
    given = {"username": username, "password": password, "database": database}
    if uri is not None and not isinstance(uri, str):
        from tosg.interop.py2neo_graph import connection_of

        flags = {**connection_of(uri), **{k: v for k, v in given.items() if v is not None}}
    else:
        flags = {"uri": uri, **given}
    folder = None if home is None else str(home)
    connected = KnowledgeGraph(load_settings({**flags, "home": folder, "graph": graph}))
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

    # Other tools.
    subgraph = other_tools.subgraph
    mcp_tools = other_tools.mcp_tools
    serve_mcp = other_tools.serve_mcp

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
    write_signals = cells.write_signals

    # Training sets.
    export = training_sets.export
    export_each = training_sets.export_each
