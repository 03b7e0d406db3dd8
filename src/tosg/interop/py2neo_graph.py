"""py2neo: a connection from its ``Graph``, and a selection as its ``Subgraph``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tosg.errors import ConfigError
from tosg.interop.extras import missing_extra
from tosg.kg.schema.types import ENTITY

if TYPE_CHECKING:
    import pyarrow as pa


class Py2neoGraph(Protocol):
    """A ``py2neo.Graph``: what of it is used here."""

    @property
    def name(self) -> Any:
        """Name of the database; None for the default one."""

    @property
    def service(self) -> Any:
        """The connection."""


def connection_of(graph: Py2neoGraph) -> dict[str, str | None]:
    """Read where a ``py2neo.Graph`` is and how it got in, as the settings of tosg.

    Returns
    -------
    dict
        ``uri``, ``username``, ``password``, ``database``.

    Raises
    ------
    ConfigError
        It talks to its server by HTTP, which tosg does not.
    """
    profile = graph.service.profile
    scheme = f"{profile.protocol}{_security(profile)}"
    if profile.protocol not in ("bolt", "neo4j"):
        raise ConfigError(
            "the py2neo graph is not connected by Bolt",
            where="tosg.connect",
            found=f"{profile.scheme}://{profile.address}",
            expected="py2neo.Graph('bolt://HOST:PORT', auth=(USER, PASSWORD))",
        )
    name = graph.name
    return {
        "uri": f"{scheme}://{profile.host}:{profile.port}",
        "username": profile.user,
        "password": profile.password,
        "database": name if isinstance(name, str) and name else None,
    }


def _security(profile: Any) -> str:
    if not profile.secure:
        return ""
    return "+s" if profile.verify else "+ssc"


def make_subgraph(nodes: pa.Table, relationships: pa.Table) -> Any:
    """Make a py2neo subgraph; see `tosg.interop.subgraph.Subgraph.to_py2neo`."""
    try:
        from py2neo import Node, Relationship, Subgraph
    except ImportError as error:
        raise missing_extra("py2neo", "py2neo", error) from error
    made = {}
    for row in nodes.to_pylist():
        values = {k: v for k, v in row.items() if v is not None and k != "type"}
        node = Node(ENTITY, row["type"], **values)
        node.__primarylabel__, node.__primarykey__ = ENTITY, "id"
        made[row["id"]] = node
    edges = []
    for row in relationships.to_pylist():
        ends = made[row.pop("start")], made[row.pop("end")]
        kind = row.pop("type")
        values = {k: v for k, v in row.items() if v is not None}
        edges.append(Relationship(ends[0], kind, ends[1], **values))
    return Subgraph(list(made.values()), edges)
