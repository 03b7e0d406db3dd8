"""Hand a graph to other tools: a selection for their libraries, tools for an assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.graph.telling import warn_caller
from tosg.kg.query.limits import SELECTION_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.graph.connection import GraphConnection
    from tosg.interop.subgraph import Subgraph


def subgraph(
    graph: GraphConnection,
    nodes: str | None = None,
    /,
    *,
    params: Mapping[str, Any] | None = None,
    timeout: float | None = SELECTION_TIMEOUT,
) -> Subgraph:
    """Read a selection of the graph, for other libraries.

    Parameters
    ----------
    nodes : str or None
        Cypher, ``@file`` or the name of a statement that returns nodes, relationships or
        paths, as in `export`; by default None, the whole graph.
    params : mapping, optional
        Parameters of the query.
    timeout : float or None
        Seconds that the query may take, 600 by default; None for no limit.

    Returns
    -------
    Subgraph
        Tables ``nodes`` and ``relationships``; ``to_pandas``, ``to_networkx``,
        ``to_neo4j_viz`` and ``to_py2neo`` make what those libraries use.

    Raises
    ------
    QueryError
        The query does not parse, would write, returns nothing or no entity.

    Warns
    -----
    TosgWarning
        What of the result is no entity and was left out.
    """
    from tosg.interop.subgraph import read_subgraph

    found, told = read_subgraph(graph.db, nodes, params or {}, timeout=timeout)
    warn_caller(told)
    return found


def mcp_tools(graph: GraphConnection) -> list[dict[str, Any]]:
    """List the tools that `serve_mcp` offers; the database is not asked.

    Returns
    -------
    list of dict
        ``name``, ``description`` and ``input_schema`` (JSON Schema) of each.

    Raises
    ------
    ConfigError
        The extra ``mcp`` is not installed.
    """
    from tosg.interop.mcp_server import list_tools

    return list_tools(graph)


def serve_mcp(graph: GraphConnection) -> None:
    """Offer the graph to an assistant over stdin and stdout, until stdin is closed.

    By the Model Context Protocol; every tool only reads.

    Raises
    ------
    ConfigError
        The extra ``mcp`` is not installed.
    """
    from tosg.interop.mcp_server import make_server

    make_server(graph).run("stdio")
