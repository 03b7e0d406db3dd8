"""What each view asks the graph. No view reads more than it shows.

Everything here is a function of the graph alone, without Streamlit, so that tests and the
benchmark ``dashboard`` run the very queries that the page runs. Cells are counted over their
groups, so that a view costs the same when a data set has ten times the cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.errors import QueryTimeoutError, TosgError
from tosg.interop.palette import Edge, Entity
from tosg.kg.query.lookup import find_entities
from tosg.kg.schema import names
from tosg.kg.schema.relationships import RELATIONSHIP_TYPES
from tosg.kg.schema.types import entity_types
from tosg.kg.search.named import find_prefixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from tosg.graph import KnowledgeGraph

#: Relationships drawn around an entity at most.
MOST_NEIGHBOURS = 200

#: Names offered for the beginning of one.
MOST_COMPLETIONS = 8

#: Seconds that a count over all relationships of a type may take.
COUNT_SECONDS = 10.0

#: Seconds that a pass over every claim of the graph may take.
CLAIMS_SECONDS = 120.0


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
    query = (
        f"MATCH (a)-[r:{names.relationship_type(kind)}]->(b) "
        "RETURN [l IN labels(a) WHERE l <> 'Entity'][0] AS start, "
        "[l IN labels(b) WHERE l <> 'Entity'][0] AS end, count(*) AS n"
    )
    try:
        rows = graph.query(query, timeout=COUNT_SECONDS).to_pylist()
    except QueryTimeoutError:
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


def last_loads(graph: KnowledgeGraph, most: int) -> list[dict[str, Any]]:
    """The last loads, latest first: their sources, and the rows and claims that were rejected."""
    found: list[dict[str, Any]] = []
    for id_ in graph.report_ids()[:most]:
        try:
            report = graph.report(id_)
        except TosgError as error:
            found.append({"load": id_, "sources": "", "rejected": None, "note": str(error)})
            continue
        rows = sum(f["rejected"] for s in report["sources"] for f in s["files"])
        claims = sum(r["count"] for r in report["rejections"])
        names = ", ".join(s["source"] for s in report["sources"])
        found.append({"load": id_, "sources": names, "rejected": rows + claims, "note": ""})
    return found


def sources_table(graph: KnowledgeGraph) -> pd.DataFrame:
    """What each source claims, under which licences and as of which releases; reads every claim.

    Returns
    -------
    DataFrame
        source, entities, relationships, licences, releases: a source can have several of both.

    Raises
    ------
    QueryError
        It took longer than `CLAIMS_SECONDS`.
    """
    import pandas as pd

    found: dict[str, dict[str, Any]] = {}
    for what, matched in (("entities", "(x:Entity)"), ("relationships", "()-[x]->()")):
        rows = graph.query(
            f"MATCH {matched} WHERE x.sources IS NOT NULL "
            "UNWIND range(0, size(x.sources) - 1) AS i "
            "RETURN x.sources[i] AS source, x.licenses[i] AS licence, x.releases[i] AS release, "
            "count(*) AS n",
            timeout=CLAIMS_SECONDS,
        )
        for row in rows.to_pylist():
            of = found.setdefault(
                row["source"],
                {"entities": 0, "relationships": 0, "licences": set(), "releases": set()},
            )
            of[what] += row["n"]
            of["licences"].add(row["licence"])
            of["releases"].add(row["release"])
    return pd.DataFrame(
        [
            {"source": source, **of}
            | {name: "; ".join(sorted(of[name])) for name in ("licences", "releases")}
            for source, of in sorted(found.items())
        ],
        columns=["source", "entities", "relationships", "licences", "releases"],
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


# Names


def completions(graph: KnowledgeGraph, text: str, label: str) -> list[tuple[str, str]]:
    """Names that begin with a text, where no entity of the label has it as a name.

    Returns
    -------
    list of (str, str)
        What to type, and what it is; `MOST_COMPLETIONS` at most, none where the text is a name.
    """
    if not text or find_entities(graph.db, label, [text]).missing != [text]:
        return []
    hits = find_prefixed(graph.db, text, None if label == "Entity" else [label])
    found = []
    for hit in hits[:MOST_COMPLETIONS]:
        shown = hit.symbol or hit.name or hit.id
        said = "" if hit.name in (None, shown) else f", {hit.name}"
        found.append((hit.symbol or hit.id, f"{shown} ({hit.type}{said})"))
    return found


# Entity


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
