"""A selection as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.interop.extras import missing_extra
from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    import networkx as nx
    import pyarrow as pa


def make_networkx(nodes: pa.Table, relationships: pa.Table) -> nx.MultiDiGraph:
    """Make a networkx graph; see `tosg.interop.subgraph.Subgraph.to_networkx`."""
    try:
        import networkx as nx
    except ImportError as error:
        raise missing_extra("networkx", "networkx", error) from error
    made: nx.MultiDiGraph = nx.MultiDiGraph()
    for node in nodes.to_pylist():
        made.add_node(node.pop("id"), **_present(node))
    known = relationship_types()
    for edge in relationships.to_pylist():
        kind = known[edge["type"]]
        key = (kind.name, *(edge[name] for name in kind.keys if edge[name] is not None))
        start, end = edge.pop("start"), edge.pop("end")
        made.add_edge(
            start,
            end,
            key=key[0] if len(key) == 1 else key,
            directed=kind.directed,
            **_present(edge),
        )
    return made


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
