"""What each view asks the graph. No view reads more than it shows.

Everything here is a function of the graph alone, without Streamlit, so that tests and the
benchmark ``dashboard`` run the very queries that the page runs. Cells are counted over their
groups, so that a view costs the same when a data set has ten times the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property
from tosg.kg.schema import names
from tosg.kg.schema.relationships import RELATIONSHIP_TYPES
from tosg.kg.schema.support import MAP_PREFIX
from tosg.kg.schema.types import entity_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from tosg.graph import KnowledgeGraph

#: Relationships drawn around an entity at most.
MOST_NEIGHBOURS = 200

#: Cells that a violin or a map shows at most.
MOST_CELLS = 2_000

#: Seconds that a count over all relationships of a type may take.
COUNT_SECONDS = 10.0

#: Fields of a group that cells are filtered and counted by.
FILTER_FIELDS = ("cell_type", "tissue", "disease", "sex", "development_stage", "dataset")


@dataclass(frozen=True, slots=True)
class Edge:
    """A relationship as it is drawn.

    Attributes
    ----------
    type, start, end : str
        Relationship type, and the ids of its ends.
    sign : int or None
        -1, 0, 1, or None where none is stated.
    score : float or None
        0 to 1, or None where no source gives one.
    sources : tuple of str
        Who says so.
    """

    type: str
    start: str
    end: str
    sign: int | None = None
    score: float | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity as it is drawn."""

    id: str
    type: str
    name: str
    symbol: str | None = None

    @property
    def label(self) -> str:
        """The shortest name that says what it is."""
        return self.symbol or self.name or self.id


def frame_of(graph: KnowledgeGraph, query: str, **params: Any) -> pd.DataFrame:
    """Result of a query that reads."""
    frame: pd.DataFrame = graph.query(query, params=params).to_pandas()
    return frame


# Overview


def metagraph(graph: KnowledgeGraph) -> list[tuple[str, str, str, int | None]]:
    """Which types are joined by what: (start type, relationship type, end type, count).

    The count is None where it would take a pass over more relationships than time allows; such
    a pair is allowed by the schema, and both its ends take part in the type.
    """
    counts = graph.stats()
    found: list[tuple[str, str, str, int | None]] = []
    for kind in RELATIONSHIP_TYPES:
        if not counts.relationships.get(kind.name):
            continue
        starts = _ends(graph, kind.name, "({label})-[r:{type}]->()", {a for a, _ in kind.pairs})
        ends = _ends(graph, kind.name, "()-[r:{type}]->({label})", {b for _, b in kind.pairs})
        pairs = [(a, b) for a, b in kind.pairs if starts.get(a) and ends.get(b)]
        if len(starts) == 1:
            found += [(a, kind.name, b, ends[b]) for a, b in pairs]
        elif len(ends) == 1:
            found += [(a, kind.name, b, starts[a]) for a, b in pairs]
        else:
            found += _counted_pairs(graph, kind.name, pairs)
    return found


def _ends(graph: KnowledgeGraph, kind: str, pattern: str, labels: set[str]) -> dict[str, int]:
    """Relationships of a type per label at one end, from the count store."""
    union = " UNION ALL ".join(
        f"MATCH {pattern.format(label=':' + names.label(x), type=names.relationship_type(kind))} "
        f"RETURN '{x}' AS label, count(r) AS n"
        for x in sorted(labels)
    )
    return {row["label"]: row["n"] for row in graph.db.rows(f"CYPHER 5 {union}") if row["n"]}


def _counted_pairs(
    graph: KnowledgeGraph, kind: str, pairs: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str, int | None]]:
    from tosg.errors import QueryError

    query = (
        f"MATCH (a)-[r:{names.relationship_type(kind)}]->(b) "
        "RETURN [l IN labels(a) WHERE l <> 'Entity'][0] AS start, "
        "[l IN labels(b) WHERE l <> 'Entity'][0] AS end, count(*) AS n"
    )
    try:
        rows = graph.query(query, timeout=COUNT_SECONDS).to_pylist()
    except QueryError:
        return [(a, kind, b, None) for a, b in pairs]
    return [(row["start"], kind, row["end"], row["n"]) for row in rows]


def dataset_table(graph: KnowledgeGraph) -> pd.DataFrame:
    """The attached data sets, without their lists of variables."""
    return frame_of(
        graph,
        "MATCH (d:Dataset) RETURN d.id AS dataset, d.title AS title, d.unit AS unit, "
        "d.storage AS storage, d.n_cells AS cells, size(d.variables) AS variables, "
        "size([v IN d.variable_entities WHERE v <> '']) AS mapped, d.license AS license "
        "ORDER BY dataset",
    )


def embedded(graph: KnowledgeGraph) -> pd.DataFrame:
    """How many entities of each type have a text vector."""
    union = " UNION ALL ".join(
        f"MATCH (n:{names.label(label)}) RETURN '{label}' AS type, count(n) AS entities, "
        "count(n.embedding_key) AS embedded"
        for label in entity_types()
    )
    found = frame_of(graph, union)
    return found[found["entities"] > 0]


# Entity


def entity(graph: KnowledgeGraph, id_: str) -> dict[str, Any] | None:
    """Everything that is written at an entity but its vector; None where there is none."""
    rows = graph.db.rows(
        "CYPHER 5 MATCH (n:Entity {id: $id}) RETURN n {.id, .name, .symbol, .synonyms, .xrefs, "
        ".description, .text, .sources, .licenses, .releases, .joined, "
        "type: [l IN labels(n) WHERE l <> 'Entity'][0], embedded: n.embedding_key IS NOT NULL} "
        "AS n",
        id=id_,
    )
    return dict(rows[0]["n"]) if rows else None


def degrees(graph: KnowledgeGraph, id_: str, *, products: bool) -> dict[str, int]:
    """Relationships of each type at an entity, and at its proteins if `products`."""
    rows = graph.db.rows(
        "CYPHER 5 MATCH (:Entity {id: $id})-[:ENCODES*0..1]->(x:Entity) "
        "WHERE $products OR x.id = $id MATCH (x)-[r]-(:Entity) "
        "RETURN type(r) AS type, count(DISTINCT r) AS n ORDER BY type",
        id=id_,
        products=products,
    )
    return {row["type"]: row["n"] for row in rows}


def neighbourhood(
    graph: KnowledgeGraph,
    ids: Sequence[str],
    types: Sequence[str],
    *,
    products: bool,
    limit: int = 60,
) -> tuple[list[Entity], list[Edge]]:
    """Entities around some entities, the best scores of each relationship type in turn.

    Parameters
    ----------
    graph : KnowledgeGraph
    ids : sequence of str
        The entities in the middle; those that were expanded by hand too.
    types : sequence of str
        Relationship types to follow.
    products : bool
        Whether the relationships of a gene's proteins count as its own.
    limit : int
        Relationships at most, `MOST_NEIGHBOURS` at the most.
    """
    rows = graph.db.rows(
        "CYPHER 5 MATCH (n:Entity) WHERE n.id IN $ids "
        "MATCH (n)-[:ENCODES*0..1]->(x:Entity) WHERE $products OR x = n "
        "MATCH (x)-[r]-(:Entity) WHERE type(r) IN $types "
        "WITH DISTINCT r ORDER BY coalesce(r.score, -1.0) DESC, startNode(r).id, endNode(r).id "
        "WITH type(r) AS type, collect(r)[..$limit] AS ranked "
        "UNWIND range(0, size(ranked) - 1) AS rank WITH rank, ranked[rank] AS r "
        "ORDER BY rank, type(r) LIMIT $limit "
        "WITH r, startNode(r) AS a, endNode(r) AS b "
        "RETURN type(r) AS type, r.sign AS sign, r.score AS score, r.sources AS sources, "
        "[x IN [a, b] | x {.id, .name, .symbol, type: [l IN labels(x) WHERE l <> 'Entity'][0]}] "
        "AS ends",
        ids=list(ids),
        types=list(types),
        products=products,
        limit=min(limit, MOST_NEIGHBOURS),
    )
    entities: dict[str, Entity] = {}
    edges = []
    for row in rows:
        for end in row["ends"]:
            entities[end["id"]] = _entity(end)
        edges.append(
            Edge(
                row["type"],
                row["ends"][0]["id"],
                row["ends"][1]["id"],
                row["sign"],
                row["score"],
                tuple(row["sources"] or ()),
            )
        )
    return list(entities.values()), edges


def drawable(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Entity], list[Edge]]:
    """Entities, relationships and paths of a result, to draw them."""
    entities: dict[str, Entity] = {}
    edges: dict[tuple[Any, ...], Edge] = {}

    def take(value: Any) -> None:
        if isinstance(value, list):
            for part in value:
                take(part)
        elif isinstance(value, dict) and "nodes" in value and "relationships" in value:
            take(value["nodes"])
            take(value["relationships"])
        elif isinstance(value, dict) and {"type", "start", "end"} <= set(value):
            edge = Edge(
                value["type"],
                value["start"],
                value["end"],
                value.get("sign"),
                value.get("score"),
                tuple(value.get("sources") or ()),
            )
            edges[edge.type, edge.start, edge.end, edge.sign] = edge
        elif isinstance(value, dict) and {"id", "type", "name"} <= set(value) and value["id"]:
            entities[value["id"]] = _entity(value)

    for row in rows:
        for value in row.values():
            take(value)
    for edge in edges.values():
        for end in (edge.start, edge.end):
            entities.setdefault(end, Entity(end, "Entity", end))
    return list(entities.values()), list(edges.values())


def _entity(row: Mapping[str, Any]) -> Entity:
    return Entity(row["id"], row.get("type") or "Entity", row.get("name") or "", row.get("symbol"))


def nearest(graph: KnowledgeGraph, id_: str, label: str, k: int = 10) -> pd.DataFrame:
    """The entities of one type whose texts are nearest to an entity's text."""
    import numpy as np

    from tosg.kg.search.by_meaning import find_nearest as nearest_to

    rows = graph.db.rows(
        "CYPHER 5 MATCH (n:Entity {id: $id}) RETURN n.embedding_f32 AS vector", id=id_
    )
    vector = np.frombuffer(rows[0]["vector"], "<f4")
    found: pd.DataFrame = nearest_to(graph.db, vector, label, k + 1).to_pandas()
    return found[found["id"] != id_].head(k)


# Cells


def group_values(graph: KnowledgeGraph) -> dict[str, list[str]]:
    """The values of each field that groups of cells have."""
    fields = ", ".join(f"collect(DISTINCT g.{field}) AS {field}" for field in FILTER_FIELDS)
    row = graph.db.rows(f"CYPHER 5 MATCH (g:CellGroup) RETURN {fields}")[0]
    return {field: sorted(row[field]) for field in FILTER_FIELDS}


def _where(chosen: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, list[str]]]:
    used = {f: list(values) for f, values in chosen.items() if values and f in FILTER_FIELDS}
    clause = " AND ".join(f"g.{field} IN ${field}" for field in used)
    return (f"WHERE {clause} " if clause else ""), used


def cells_by(
    graph: KnowledgeGraph, field: str, chosen: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Cells and groups per value of a field, over the groups that were chosen."""
    if field not in FILTER_FIELDS:
        raise ValueError(field)
    clause, params = _where(chosen)
    return frame_of(
        graph,
        f"MATCH (g:CellGroup) {clause}RETURN coalesce(g.{field}, 'not stated') AS {field}, "
        "sum(g.n_cells) AS cells, count(*) AS groups ORDER BY cells DESC",
        **params,
    )


def dots(
    graph: KnowledgeGraph, genes: Sequence[str], chosen: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Mean and fraction of genes (ids) in the chosen groups.

    Returns
    -------
    DataFrame
        group, gene, mean, fraction, cells, unit; groups of one cell type, tissue and disease
        come as one row per data set. A gene below a group's threshold has no row there.
    """
    clause, params = _where(chosen)
    return frame_of(
        graph,
        "MATCH (n:Entity)-[:ENCODES*0..1]->(m) WHERE n.id IN $genes "
        f"MATCH (m)<-[e:EXPRESSES]-(g:CellGroup) {clause}MATCH (g)-[:FROM]->(d:Dataset) "
        "WITH g, d, n, m, e ORDER BY g.id, n.id "
        "RETURN g.id AS group_id, coalesce(g.cell_type, 'not stated') AS cell_type, "
        "g.tissue AS tissue, g.disease AS disease, g.dataset AS dataset, g.n_cells AS cells, "
        "coalesce(n.symbol, n.name, n.id) AS gene, m.id AS measured, e.mean AS mean, "
        "e.fraction AS fraction, d.mean_unit AS unit LIMIT 5000",
        **params,
        genes=list(genes),
    )


def sample_cells(
    graph: KnowledgeGraph, dataset: str, chosen: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Up to `MOST_CELLS` cells of a data set: those whose ids have the smallest hashes.

    Which cells are shown does not depend on their order in the file, and stays the same.
    """
    fields = [f for f in chosen if chosen[f] and f in FILTER_FIELDS and f != "dataset"]
    clause = "".join(f" AND c.{field} IN ${field}" for field in fields)
    return frame_of(
        graph,
        f"MATCH (c:Cell {{dataset: $dataset}}) WHERE true{clause} "
        "WITH c ORDER BY (c.idx * 2654435761) % 4294967296 LIMIT $most "
        "RETURN c.idx AS idx, c.id AS id, c.cell_type AS cell_type, c.tissue AS tissue, "
        "c.disease AS disease, c.donor_id AS donor_id, c.sex AS sex ORDER BY idx",
        dataset=dataset,
        most=MOST_CELLS,
        **{f: list(chosen[f]) for f in fields},
    )


def maps_of(graph: KnowledgeGraph, dataset: str) -> list[str]:
    """Names of the two-dimensional maps that a data set came with, as ``umap``."""
    rows = graph.db.rows(
        "CYPHER 5 MATCH (d:Dataset {id: $id}) RETURN coalesce(d.maps, []) AS maps", id=dataset
    )
    return [str(name) for name in rows[0]["maps"]] if rows else []


def places(graph: KnowledgeGraph, cell_idx: Sequence[int], name: str) -> pd.DataFrame:
    """Places of some cells on a map: idx, x, y; cells that it does not have are left out."""
    place = quote_property(MAP_PREFIX + name)
    return frame_of(
        graph,
        f"MATCH (c:Cell) WHERE c.idx IN $idx AND c.{place} IS NOT NULL "
        f"RETURN c.idx AS idx, c.{place}[0] AS x, c.{place}[1] AS y ORDER BY idx",
        idx=list(cell_idx),
    )


def expression_of_cells(
    graph: KnowledgeGraph, dataset: str, cell_idx: Sequence[int], entity_id: str
) -> list[float] | None:
    """Stored value of one entity in some cells, in the data set's unit; None if not measured."""
    import numpy as np

    from tosg.kg.cells.stored.dataset import datasets as read_datasets
    from tosg.kg.cells.stored.dataset import read_expression

    info = read_datasets(graph.db, [dataset])[0]
    wanted = {entity_id, *_products(graph, entity_id)}
    columns = [i for i, e in enumerate(info.variable_entities) if e in wanted and info.measured[i]]
    if not columns:
        return None
    values: list[float] = []
    for block in read_expression(graph.db, info, np.asarray(cell_idx, np.int64)):
        hit = np.isin(block.indices, columns)
        rows = np.repeat(np.arange(len(block)), np.diff(block.indptr))[hit]
        dense = np.zeros(len(block))
        np.add.at(dense, rows, block.values[hit])
        values += dense.tolist()
    return values


def _products(graph: KnowledgeGraph, id_: str) -> list[str]:
    rows = graph.db.rows(
        "CYPHER 5 MATCH (:Entity {id: $id})-[:ENCODES]->(p) RETURN p.id AS id", id=id_
    )
    return [row["id"] for row in rows]
