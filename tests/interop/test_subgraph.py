"""A selection in Arrow, pandas, networkx and neo4j-viz: nothing lost, nothing made up."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pytest
from support.fixture_graph import ENTITIES, RELATIONSHIPS

from tosg.errors import ConfigError, QueryError, TosgWarning
from tosg.interop.palette import SIGN_COLOURS

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph

PATHWAY = "MATCH (:Pathway {id: 'reactome:R-HSA-1'})<-[:PARTICIPATES_IN]-(g) RETURN g"
MEMBERS = {"ncbigene:3558", "uniprot:P01589", "ncbigene:3718"}


def induced(ids: set[str]) -> list[tuple[str, str, str]]:
    """Relationships of the fixture between some entities, in the order of the table."""
    found = [(a, b, t) for a, t, b, _ in RELATIONSHIPS if {a, b} <= ids]
    return sorted(found)


@pytest.mark.neo4j
@pytest.mark.lts
def test_a_selection_has_its_nodes_and_what_is_between_them(connected: KnowledgeGraph) -> None:
    sub = connected.subgraph(PATHWAY)
    assert set(sub.nodes["id"].to_pylist()) == MEMBERS
    assert sub.nodes["idx"].to_pylist() == sorted(sub.nodes["idx"].to_pylist())
    il2 = next(r for r in sub.nodes.to_pylist() if r["id"] == "ncbigene:3558")
    assert (il2["type"], il2["name"], il2["symbol"]) == ("Gene", "interleukin 2", "IL2")
    assert "embedding" not in sub.nodes.column_names
    rows = sub.relationships.to_pylist()
    assert [(r["start"], r["end"], r["type"]) for r in rows] == induced(MEMBERS)
    assert repr(sub) == f"Subgraph(3 nodes, {len(rows)} relationships)"


@pytest.mark.neo4j
@pytest.mark.lts
def test_the_whole_graph(connected: KnowledgeGraph) -> None:
    sub = connected.subgraph()
    assert set(sub.nodes["id"].to_pylist()) == set(ENTITIES)
    rows = sub.relationships.to_pylist()
    assert [(r["start"], r["end"], r["type"]) for r in rows] == induced(set(ENTITIES))
    signed = {(r["start"], r["end"]): r["sign"] for r in rows if r["type"] == "REGULATES"}
    assert signed["ncbigene:6776", "ncbigene:50943"] == -1
    actions = sorted(r["action"] for r in rows if r["end"] == "uniprot:P01589" and r["action"])
    assert actions == ["antibody binding", "inhibitor"]


@pytest.mark.neo4j
def test_relationships_that_were_asked_for_and_no_others(connected: KnowledgeGraph) -> None:
    sub = connected.subgraph(
        "MATCH (a:Gene {symbol: $gene})-[r:REGULATES]->(b) RETURN r", params={"gene": "IL2"}
    )
    rows = sub.relationships.to_pylist()
    assert [(r["end"], r["sign"], r["score"]) for r in rows] == [
        ("ncbigene:3559", 1, 0.9),
        ("ncbigene:50943", 0, None),
    ]
    assert set(sub.nodes["id"].to_pylist()) == {"ncbigene:3558", "ncbigene:3559", "ncbigene:50943"}


@pytest.mark.neo4j
def test_what_is_no_entity_is_said(connected: KnowledgeGraph) -> None:
    with pytest.warns(TosgWarning, match="left out"):
        connected.subgraph("MATCH (g:Gene {symbol: 'IL2'}), (c:Cell) RETURN g, c")
    with pytest.raises(QueryError, match="returns nothing"):
        connected.subgraph("MATCH (g:Gene {symbol: 'NONE'}) RETURN g")
    with pytest.raises(QueryError):
        connected.subgraph("CREATE (n:Gene) RETURN n")


@pytest.mark.neo4j
def test_networkx_has_every_relationship(connected: KnowledgeGraph) -> None:
    import networkx as nx

    sub = connected.subgraph()
    made = sub.to_networkx()
    assert set(made) == set(ENTITIES)
    assert made.number_of_edges() == len(RELATIONSHIPS)
    assert made.nodes["ncbigene:3559"]["synonyms"] == ["CD25"]
    assert "symbol" not in made.nodes["mondo:0007915"]
    # two relationships of one type between the same ends differ in their key
    targets = made["drugbank:DB00001"]["uniprot:P01589"]
    assert set(targets) == {("TARGETS", "inhibitor"), ("TARGETS", "antibody binding")}
    assert made["ncbigene:930"]["ncbigene:3718"]["INTERACTS_WITH"]["directed"] is False
    assert made["ncbigene:3558"]["ncbigene:3559"]["REGULATES", 1]["score"] == 0.9
    signals = nx.MultiDiGraph(
        e for e in made.edges(keys=True, data=True) if e[3]["type"] in ("REGULATES", "ENCODES")
    )
    way = nx.shortest_path(signals.to_undirected(), "ncbigene:3558", "ncbigene:50943")
    assert way == ["ncbigene:3558", "ncbigene:50943"]
    way = nx.shortest_path(signals.to_undirected(), "uniprot:P01589", "ncbigene:6776")
    assert way == ["uniprot:P01589", "uniprot:P52333", "ncbigene:3718", "ncbigene:6776"]


@pytest.mark.neo4j
def test_pandas_keeps_whole_numbers(connected: KnowledgeGraph) -> None:
    nodes, relationships = connected.subgraph().to_pandas()
    assert nodes.loc["ncbigene:3558", "symbol"] == "IL2"
    assert str(nodes["idx"].dtype) == "int64"
    signs = relationships["sign"]
    assert str(signs.dtype) in ("Int8", "Int64")
    assert signs.sum() == sum(p.get("sign", 0) for *_, p in RELATIONSHIPS)
    assert signs.isna().sum() == sum("sign" not in p for *_, p in RELATIONSHIPS)


@pytest.mark.neo4j
def test_a_picture_has_every_node_and_colours_signs(connected: KnowledgeGraph) -> None:
    pytest.importorskip("neo4j_viz")
    drawn = connected.subgraph().to_neo4j_viz()
    assert len(drawn.nodes) == len(ENTITIES)
    assert len(drawn.relationships) == len(RELATIONSHIPS)
    (down,) = (r for r in drawn.relationships if "\N{MINUS SIGN}" in (r.caption or ""))
    assert (down.source, down.target) == ("ncbigene:6776", "ncbigene:50943")
    assert down.color is not None
    assert down.color.as_hex(format="long").upper() == SIGN_COLOURS[-1].upper()
    assert "interleukin 2" in drawn.render().data


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("method", "package", "extra"),
    [("to_networkx", "networkx", "networkx"), ("to_py2neo", "py2neo", "py2neo"),
     ("to_pandas", "pandas", "pandas")],
)  # fmt: skip
def test_without_the_library_the_extra_is_named(
    connected: KnowledgeGraph,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    package: str,
    extra: str,
) -> None:
    sub = connected.subgraph(PATHWAY)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="is not installed") as caught:
        getattr(sub, method)()
    assert f"tosg[{extra}]" in str(caught.value)
