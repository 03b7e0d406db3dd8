"""Scores of edges in groups of cells, when a load renames, merges or removes the genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.claims import SMALL_GRAPH, entity
from test_strays import loaded

from tosg.kg.cells.signals import write_signals
from tosg.kg.report.check import check

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j

A, B, C, D = "ncbigene:1", "ncbigene:2", "ensembl:ENSG00000000003", "ensembl:ENSG00000000004"
CLAIMS = [*SMALL_GRAPH, entity("Gene", C, "c", name="three"), entity("Gene", D, "d", name="four")]


@pytest.fixture
def graph(database: Database) -> Database:
    """Four genes and a group of cells."""
    loaded(database, CLAIMS)
    database.write("CREATE (:CellGroup {id: 'g', dataset: 'd'})")
    return database


def write(db: Database, *rows: tuple[str, str, str, float]) -> None:
    names = ("source", "target", "type", "score")
    columns: dict[str, Any] = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    write_signals(db, pa.table({"group": ["g"] * len(rows), **columns}), method="m")


def stored(db: Database) -> list[tuple[str, str, str, float]]:
    rows = db.rows(
        "MATCH (n)-[s:SIGNALS_IN {method: 'm'}]->(:CellGroup {id: 'g'}) "
        "OPTIONAL MATCH (t:Entity {idx: s.target_idx}) "
        "RETURN n.id AS n, t.id AS t, s.type AS type, s.score AS score ORDER BY n, t, type"
    )
    assert not [f for f in check(db) if "SIGNALS_IN" in f.what]
    return [tuple(row.values()) for row in rows]


def test_a_gene_that_gets_another_id_keeps_its_scores(graph: Database) -> None:
    write(graph, (A, C, "REGULATES", 1.0), (C, B, "REGULATES", -2.0))
    counts = loaded(graph, [entity("Gene", "ncbigene:3", "x", same_as=[C])])
    assert counts.nodes["Gene"].removed == 0
    assert stored(graph) == [
        (A, "ncbigene:3", "REGULATES", 1.0),
        ("ncbigene:3", B, "REGULATES", -2.0),
    ]


def test_two_genes_that_become_one_share_their_scores(graph: Database) -> None:
    """Both ends move; of two scores of one edge the greater stays; loops stay only by type."""
    write(
        graph,
        (C, B, "REGULATES", 0.5), (D, B, "REGULATES", -0.75),  # becomes one edge from the gene
        (A, C, "REGULATES", 3.0), (A, D, "REGULATES", 1.0),  # and one to it
        (A, C, "PHOSPHORYLATES", 0.25),  # another type: another edge
        (C, D, "REGULATES", 0.125), (D, C, "INTERACTS_WITH", 4.0),  # to itself
        (A, B, "REGULATES", 9.0),  # has nothing to do with it
    )  # fmt: skip
    joined = entity("Gene", "ncbigene:3", "x", same_as=[C, D])
    assert loaded(graph, [joined]).nodes["Gene"].removed == 1
    one = "ncbigene:3"
    expected = [
        (A, B, "REGULATES", 9.0),
        (A, one, "PHOSPHORYLATES", 0.25),
        (A, one, "REGULATES", 3.0),
        (one, B, "REGULATES", -0.75),
        (one, one, "REGULATES", 0.125),
    ]
    assert stored(graph) == expected
    loaded(graph, [joined])
    assert stored(graph) == expected


def test_scores_of_a_gene_that_is_withdrawn_go_with_it(graph: Database) -> None:
    write(graph, (A, C, "REGULATES", 1.0), (C, B, "REGULATES", 2.0), (A, B, "REGULATES", 3.0))
    assert loaded(graph, [], prune=["c"]).nodes["Gene"].removed == 1
    assert stored(graph) == [(A, B, "REGULATES", 3.0)]
