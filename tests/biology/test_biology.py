"""A graph made from the original files: known biology, search, cells, exports.

The facts of `facts.yaml` are asked of the graph of ``tests/support/recipes/facts.yaml``, which has
the sources that give them; in long tests, where cells, search and exports come to it, of that of
``biology.yaml`` beside it; or of any other: ``pytest tests/biology --graph NAME`` (or
``TOSG_BIOLOGY_GRAPH=NAME``) asks the managed graph of that name, and leaves out the tests that
would write into it.

Its genes are embedded in a long test: some twenty minutes on four cores for 61,000 texts.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from support.biology import AskedGraph, Fact, facts
from support.cells import REAL
from support.entities import offline_model
from support.servers import managed_settings

from tosg.export.batches.training_set import TrainingSet
from tosg.export.format.manifest import read_manifest
from tosg.export.selection import Selection
from tosg.export.write.export import export
from tosg.kg import server as managed
from tosg.kg.cells.attach import attach
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.remap import detach
from tosg.kg.cells.stored.dataset import datasets
from tosg.kg.database.connection import Database
from tosg.kg.database.counts import by_source, count
from tosg.kg.embed.run import embed
from tosg.kg.reader.bulk import read_embeddings, read_nodes
from tosg.kg.report import check
from tosg.kg.schema.templates import BOUND
from tosg.kg.schema.types import entity_types
from tosg.kg.search.by_meaning import find_nearest
from tosg.kg.search.hybrid import search
from tosg.kg.server.connect import connect
from tosg.loaders import registry
from tosg.loaders.pipeline.build import build
from tosg.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.loaders.pipeline.build import BuildResult
    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(1200)]

RECIPES = Path(__file__).parents[1] / "support" / "recipes"
RECIPE = RECIPES / ("biology.yaml" if os.environ.get("TOSG_TEST_LONG") else "facts.yaml")
FACTS = facts()
#: Facts that the files at hand cannot tell, and why: none is left out without being named.
NOT_HERE = {
    "a negated row of GO": "needs source gene2go",
    "a negated row of HPO": "needs source hpo_annotations",
}
QUERIES = 500
TYPES = ("Gene", "Protein", "Pathway", "MolecularFunction", "CellularComponent", "Disease", "Drug")


@pytest.fixture(scope="session")
def named(request: pytest.FixtureRequest) -> str | None:
    """Name of the graph that is asked instead of one made here."""
    given: str | None = request.config.getoption("--graph")
    return given or os.environ.get("TOSG_BIOLOGY_GRAPH")


@pytest.fixture(scope="module")
def asked(named: str | None, request: pytest.FixtureRequest) -> Iterator[AskedGraph]:
    """The graph whose biology is looked at."""
    if named is None:
        yield AskedGraph(request.getfixturevalue("first"))
        return
    with connect(load_settings({"graph": named})) as db:
        yield AskedGraph(db)


@pytest.fixture(scope="module")
def own(named: str | None) -> None:
    """Leave a test that writes, or expects just these files, out where another graph is asked."""
    if named is not None:
        pytest.skip(f"only the facts are asked of the graph {named}")


@pytest.mark.deep
@pytest.mark.parametrize("fact", FACTS, ids=[f.name for f in FACTS])
def test_fact(asked: AskedGraph, fact: Fact, named: str | None) -> None:
    held, why = asked.ask(fact)
    told = f"{fact.says} ({fact.source}): {why}"
    if named is not None and held is None:
        pytest.skip(f"not testable on these files: {told}")
    if named is None and fact.name in NOT_HERE:
        assert held is None, told
        assert NOT_HERE[fact.name] in why
    else:
        assert held, told


def test_the_facts_are_many_and_have_sources() -> None:
    assert len(FACTS) >= 30
    assert sum(f.absent for f in FACTS) >= 10
    assert len({f.name for f in FACTS}) == len(FACTS)
    assert all(f.source and f.needs for f in FACTS)
    assert {n for f in FACTS for n in f.needs} <= set(registry.names())


@pytest.fixture(scope="module")
def home(own: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a managed server of its own."""
    settings = managed_settings(tmp_path_factory.mktemp("first"))
    yield settings
    managed.stop(settings)


@pytest.fixture(scope="module")
def made(home: Settings, shared_data: Path) -> BuildResult:
    """What the build did."""
    return build(home, RECIPE, shared_data, embed=False)


@pytest.fixture(scope="module")
def first(home: Settings, made: BuildResult) -> Iterator[Database]:
    """The graph."""
    assert [r.way for r in made.reports] == ["import"]
    with connect(home) as db:
        yield db


@pytest.mark.slow
def test_it_is_all_there(first: Database) -> None:
    assert check.check(first) == []
    found = count(first)
    assert sum(found.nodes.values()) > 100_000
    assert sum(found.relationships.values()) > 400_000
    assert all(found.nodes[label] > 100 for label in TYPES)
    texts = first.rows("MATCH (n:Entity) WHERE n.text IS NULL RETURN count(n) AS n")
    assert texts == [{"n": 0}]
    hits = search(first, "interferon response in lupus", types=["Gene", "Disease"])
    assert hits.num_rows == 10


@pytest.mark.deep
def test_whatever_is_known_of_an_entity_is_in_its_text(asked: AskedGraph) -> None:
    """No entity that has a relationship is "X is a pathway." and no more."""
    silent = {
        label: asked.db.rows(
            f"MATCH (n:{label}) WHERE (n.text IS NULL OR n.text ENDS WITH $lead) "
            "AND EXISTS { (n)--(:Entity) } RETURN n.id AS id, n.text AS text ORDER BY id LIMIT 3",
            lead=f" is {type_.template.noun}.",
        )
        for label, type_ in entity_types().items()
    }
    assert {label: found for label, found in silent.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "where"),
    [
        ("Genes", "(n:Pathway)<-[:PARTICIPATES_IN]-(x:Gene)"),
        ("Genes", "(n:Disease)<-[:ASSOCIATED_WITH]-(x:Gene)"),
        ("Drugs", "(n:Disease)<-[:TREATS]-(x:Drug)"),
        ("Phenotypes", "(n:Disease)-[:HAS_PHENOTYPE]->(x:Phenotype)"),
    ],
)
def test_a_text_names_what_its_entity_has(asked: AskedGraph, heading: str, where: str) -> None:
    """Where a text leaves a list out, there was no room for it, and the text is long."""
    rows = asked.db.rows(
        f"MATCH {where} WHERE coalesce(x.symbol, x.name) IS NOT NULL WITH DISTINCT n "
        "RETURN count(n) AS n, "
        "sum(CASE WHEN n.text CONTAINS $heading THEN 1 ELSE 0 END) AS told, "
        "collect(CASE WHEN NOT n.text CONTAINS $heading AND size(n.text) < $long "
        "THEN [n.id, n.text] END)[..3] AS short",
        heading=f" {heading}: ",
        long=BOUND - 200,
    )
    assert rows[0]["short"] == [], rows
    assert rows[0]["told"] >= 0.9 * rows[0]["n"], rows


@pytest.mark.deep
def test_the_report_accounts_for_every_row_and_a_second_build_changes_nothing(
    first: Database, made: BuildResult, home: Settings, shared_data: Path
) -> None:
    (report,) = (r.as_dict() for r in made.reports)
    assert report["agrees"]
    for source in report["sources"]:
        for file in source["files"]:
            assert file["read"] == file["parsed"] + file["rejected"], file
    for claims in report["claims"].values():
        assert claims["given"] == sum(
            claims[k] for k in ("made", "merged", "unchanged", "rejected")
        )
    assert set(report["excerpts"]) >= {"signor", "complex_portal"}
    partial = {s for s, of in by_source(first).items() if of["from_excerpt"]}
    assert partial == set(report["excerpts"])
    before = count(first)
    again = build(home, RECIPE, shared_data, embed=False)
    assert (again.loaded, again.changed) == ([], False)
    assert count(first) == before


@pytest.mark.slow
@pytest.mark.parametrize(("name", "matrix", "unit", "n"), REAL)
def test_real_cells_on_it(
    first: Database, shared_data: Path, tmp_path: Path, name: str, matrix: str, unit: str, n: int
) -> None:
    path = shared_data / "expression" / name
    label = name.replace("/", "-").replace(".", "-")
    attach(first, path, id=label)
    selection = Selection(
        level="gene",
        cells="MATCH (c:Cell) WHERE c.dataset = $dataset RETURN c",
        params={"dataset": label},
        split="cell",
        primary_only=False,
    )
    result = export(first, selection, tmp_path / "out")
    ts = TrainingSet(result.folder)
    assert (ts.n_cells, ts.unit) == (n, unit)
    assert ts.graph.edge_index.shape[1] > 100_000
    x = np.concatenate([b.x.numpy() for b in ts.batches(None, 128, shuffle=False)])
    rows = {
        r["id"]: r["row"]
        for r in first.rows(
            "MATCH (c:Cell {dataset: $dataset}) RETURN c.id AS id, c.row AS row", dataset=label
        )
    }
    order = np.array([rows[id_] for id_ in ts.cells["id"].to_pylist()])
    with open_source(path) as source:
        values = source.matrix(matrix)
        # In the order of the file, and then of the training set.
        block = values.block(np.arange(values.shape[0]))
    shape = (len(block.indptr) - 1, values.shape[1])
    stored = sp.csr_matrix((block.values, block.indices, block.indptr), shape).toarray()[order]
    entities = datasets(first, [label])[0].variable_entities
    place = {id_: i for i, id_ in enumerate(ts.graph.nodes["id"].to_pylist())}
    alone = [j for j, e in enumerate(entities) if e in place and entities.count(e) == 1]
    assert len(alone) > 100
    assert np.array_equal(x[:, [place[entities[j]] for j in alone]], stored[:, alone])
    detach(first, label)  # another file has the same cells in another format


@pytest.mark.slow
def test_it_is_exported_twice_to_the_same_bytes(
    first: Database, shared_data: Path, tmp_path: Path
) -> None:
    attach(first, shared_data / "expression/scanpy/10x_pbmc68k_reduced.h5ad", id="twice")
    selection = Selection(
        cells="MATCH (c:Cell {dataset: 'twice'}) RETURN c", split="cell", primary_only=False
    )
    made, again = (export(first, selection, tmp_path / f"out{n}", workers=n).folder for n in (1, 2))
    assert read_manifest(made).content == read_manifest(again).content
    files = [p.relative_to(made) for p in made.rglob("*") if p.is_file() and p.suffix != ".json"]
    assert len(files) > 3
    for file in files:
        assert (made / file).read_bytes() == (again / file).read_bytes(), file


@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_recall_at_10_on_its_genes(first: Database) -> None:
    start = time.monotonic()
    report = embed(first, offline_model(), types=["Gene"])
    rate = report.embedded / (time.monotonic() - start)
    recall, ms = measure(first)
    print(f"{report.embedded:,} genes at {rate:.0f} texts/s: recall {recall:.4f}, {ms:.0f} ms")  # noqa: T201
    assert report.embedded > 50_000
    assert recall >= 0.99


def measure(db: Database) -> tuple[float, float]:
    """Recall at 10 over a sample of the genes' own vectors, and milliseconds a query.

    What is as near as the tenth nearest counts as found: many genes are called alike.
    """
    idx = np.concatenate([b.column("idx").to_numpy() for b in read_nodes(db, "Gene", [])])
    vectors, present = read_embeddings(db, idx)
    vectors = vectors[present]
    sample = np.random.default_rng(1).choice(len(vectors), QUERIES, replace=False)
    hits, seconds = 0, 0.0
    for query in sample:
        scores = vectors @ vectors[query]
        tenth = np.partition(scores, -10)[-10]
        start = time.monotonic()
        found = find_nearest(db, vectors[query], "Gene", 10)["score"].to_numpy()
        seconds += time.monotonic() - start
        assert len(found) == 10
        hits += int((found >= tenth - 1e-6).sum())
    return hits / (10 * QUERIES), 1000 * seconds / QUERIES
