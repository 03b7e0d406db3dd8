"""A selection of the graph as two tables, and in the forms of other libraries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tosg.html_text import facts_html
from tosg.kg.query.select import RELATIONSHIP_VALUES, select_graph
from tosg.kg.reader.bulk import read_nodes, read_relationships

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx
    import pandas as pd
    from neo4j_viz import VisualizationGraph

    from tosg.kg.database.connection import Database

#: What is read of an entity, besides ``idx``.
NODE_VALUES = (
    "id", "type", "name", "symbol", "synonyms", "xrefs", "description", "text", "sources",
    "licenses", "releases",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Entities and the relationships between them.

    Attributes
    ----------
    nodes : pyarrow.Table
        A row per entity, by ``idx``: idx int64, id, type, name, symbol, synonyms, xrefs,
        description, text, sources, licenses, releases.
    relationships : pyarrow.Table
        A row per relationship, by (start, end, type): type, start, end (ids of its ends), score,
        sign, action, sources, licenses, releases; what a type does not have is null. An
        undirected relationship is one row, its ends in the order of their ids.
    """

    nodes: pa.Table
    relationships: pa.Table

    def __repr__(self) -> str:
        return (
            f"Subgraph({self.nodes.num_rows:,} nodes, "
            f"{self.relationships.num_rows:,} relationships)"
        )

    def _repr_html_(self) -> str:
        types = Counter(self.nodes["type"].to_pylist())
        kinds = Counter(self.relationships["type"].to_pylist())
        rows = [*types.most_common(), *((f"-[{k}]-", n) for k, n in kinds.most_common())]
        return facts_html(repr(self), rows)

    def to_pandas(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Make two data frames.

        Returns
        -------
        nodes, relationships : pandas.DataFrame
            Rows and columns of the tables, whole numbers with gaps as ``Int64``; the index of the
            nodes is their id.
        """
        from tosg.interop.frames import to_frame

        return to_frame(self.nodes).set_index("id"), to_frame(self.relationships)

    def to_networkx(self) -> nx.MultiDiGraph:
        """Make a networkx graph.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are ids; the attributes of nodes and edges are the columns that are not null. The
            key of an edge is its type, with what else is in the relationship's key. An undirected
            relationship is one edge with ``directed=False``: ``to_undirected()`` loses nothing of
            it, and an algorithm on directed edges has to add its reverse.

        Raises
        ------
        ConfigError
            networkx is not installed.
        """
        from tosg.interop.networkx_graph import make_networkx

        return make_networkx(self.nodes, self.relationships)

    def to_neo4j_viz(self) -> VisualizationGraph:
        """Make a picture: ``.render()`` shows it in a notebook, ``.render().data`` is its HTML.

        Returns
        -------
        neo4j_viz.VisualizationGraph
            Nodes coloured by type; relationships blue where they raise, orange where they lower,
            grey without a sign, and thick by score.

        Raises
        ------
        ConfigError
            neo4j-viz is not installed.
        """
        from tosg.interop.viz import picture_of_tables

        return picture_of_tables(self.nodes, self.relationships)

    def to_py2neo(self) -> Any:
        """Make a py2neo subgraph.

        Returns
        -------
        py2neo.Subgraph
            Not bound to a database; ``merge`` and ``push`` of py2neo find its nodes by
            ``Entity.id``.

        Raises
        ------
        ConfigError
            py2neo is not installed.
        """
        from tosg.interop.py2neo_graph import make_subgraph

        return make_subgraph(self.nodes, self.relationships)


def read_subgraph(
    db: Database, query: str | None, params: Mapping[str, Any], *, timeout: float | None = None
) -> tuple[Subgraph, list[str]]:
    """Read the entities that a query selects, and their relationships.

    Parameters
    ----------
    db : Database
    query : str or None
        Name of a statement, ``@file`` or Cypher that returns nodes, relationships or paths; None
        for the whole graph. Where it returns relationships, those are taken, else all between
        the entities.
    params : mapping
        Values of its parameters.
    timeout : float, optional
        Seconds the query may take.

    Returns
    -------
    subgraph : Subgraph
    warnings : list of str

    Raises
    ------
    QueryError
        As `select_graph`.
    """
    chosen = select_graph(db, query, params, timeout=timeout)
    wanted = [name for name in NODE_VALUES if name not in ("idx",)]
    nodes = pa.Table.from_batches(read_nodes(db, "Entity", wanted, idx=chosen.nodes))
    relationships = chosen.relationships
    if relationships is None:
        read = read_relationships(db, None, RELATIONSHIP_VALUES, idx=chosen.nodes)
        relationships = pa.Table.from_batches(read).unify_dictionaries()
    return Subgraph(nodes, _with_ids(nodes, relationships)), chosen.warnings


def _with_ids(nodes: pa.Table, relationships: pa.Table) -> pa.Table:
    """The ids of the ends in place of their ``idx``."""

    def ids_of(column: str) -> pa.ChunkedArray:
        places = pc.index_in(relationships[column], value_set=nodes["idx"].combine_chunks())
        return nodes["id"].take(places)

    columns = {
        "type": relationships["type"].cast(pa.string()),
        "start": ids_of("start_idx"),
        "end": ids_of("end_idx"),
        **{name: relationships[name] for name in RELATIONSHIP_VALUES},
    }
    order = [("start", "ascending"), ("end", "ascending"), ("type", "ascending")]
    return pa.table(columns).sort_by(order)
