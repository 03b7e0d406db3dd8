"""Search on a real server with the real model: recall, order, notes, what is refused."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.entities import add_entities, immune_graph, offline_model
from support.questions import QUESTIONS, questions, terms

from tosg.errors import ConfigError, TosgWarning, UsageError
from tosg.graph import KnowledgeGraph
from tosg.kg.database import indexes as ddl
from tosg.kg.embed.info import ModelInfo
from tosg.kg.embed.models import Model
from tosg.kg.embed.run import embed
from tosg.kg.reader.bulk import read_embeddings
from tosg.kg.schema.indexes import NAMES_INDEX
from tosg.kg.search.by_meaning import NEAREST, find_nearest
from tosg.kg.search.hybrid import FOUND, ambiguity_of, note_of, search
from tosg.kg.search.named import find_named, find_prefixed
from tosg.kg.text.refresh import refresh
from tosg.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

GENES = 1_200


@pytest.fixture(scope="session")
def model() -> Model:
    """The default model, from its package."""
    return offline_model()


def real_genes(shared_data: Path, n: int) -> list[dict[str, Any]]:
    """The first genes of NCBI's table that have a full name, with their other names."""
    path = shared_data / "entrez-gene" / "Homo_sapiens.gene_info.gz"
    rows = []
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for fields in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(fields) > 11 and fields[11] not in ("-", fields[2]) and fields[0] == "9606":
                rows.append(
                    {
                        "id": f"ncbigene:{fields[1]}",
                        "symbol": fields[2],
                        "name": fields[11],
                        "synonyms": [s for s in fields[4].split("|") if s != "-"],
                    }
                )
            if len(rows) == n:
                break
    return rows


@pytest.mark.slow
def test_recall_on_real_genes(database: Database, model: Model, shared_data: Path) -> None:
    add_entities(database, "Gene", real_genes(shared_data, GENES))
    embed(database, model)
    idx = np.arange(GENES)
    vectors, present = read_embeddings(database, idx)
    assert present.all()
    ids = [
        r["id"] for r in database.rows("CYPHER 5 MATCH (n:Gene) RETURN n.id AS id ORDER BY n.idx")
    ]
    hits = 0
    queries = range(0, GENES, 12)
    for query in queries:
        scores = vectors.astype(np.float64) @ vectors[query].astype(np.float64)
        best = sorted(range(GENES), key=lambda i: (-scores[i], ids[i]))[:10]
        found = find_nearest(database, vectors[query], "Gene", 10)
        assert found.schema == NEAREST
        hits += len({ids[i] for i in best} & set(found["id"].to_pylist()))
        again = found["score"].to_pylist()
        assert again == sorted(again, reverse=True)
        assert again[0] == pytest.approx(1.0, abs=1e-6)
    assert hits / (10 * len(queries)) >= 0.99


def test_meaning_and_words(database: Database, model: Model) -> None:
    immune_graph(database)
    embed(database, model)
    found = search(database, "IL-2/STAT5", model=model)
    assert found.schema.remove_metadata() == FOUND
    assert note_of(found) is None
    rows = found.to_pylist()
    assert {"wikipathways:WP49", "ncbigene:6776"} <= {row["id"] for row in rows[:6]}
    for row in rows:
        by_vector = 1 / (60 + row["vector_rank"]) if row["vector_rank"] else 0.0
        by_text = 1 / (60 + row["text_rank"]) if row["text_rank"] else 0.0
        shares = [(n / 3) ** 2 for n in range(4)]  # of the words il, 2 and stat5
        assert any(row["score"] == pytest.approx(by_vector + n * by_text) for n in shares)
    order = [(-row["score"], row["id"]) for row in rows if row["match"] is None]
    assert order == sorted(order)
    cells = search(database, "lymphocyte that suppresses", types=["CellType"], model=model)
    assert cells["id"].to_pylist() == ["cl:0000815"]
    assert search(database, "gene", k=2, model=model).num_rows == 2


def test_the_graphs_own_model_is_loaded(
    database: Database, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where the graph has some vectors only, the result says of what."""
    immune_graph(database)
    embed(database, model, types=["Disease"])
    found = search(database, "illness of nerves", types=["Disease"])
    assert found["vector_rank"].to_pylist() == [1]
    assert found["similarity"][0].as_py() > 0.2
    assert note_of(found) is None
    some = note_of(search(database, "nerves", types=["Disease", "Drug", "Metabolite"]))
    assert some == "found by words alone: Drug: not embedded yet (`tosg embed`)"
    states = dict.fromkeys(["Disease", "Drug"], "POPULATING")
    monkeypatch.setattr("tosg.kg.search.by_meaning.index_states", lambda _db: states)
    found = search(database, "aspirin", types=["Disease", "Drug"])
    assert "by words alone: Disease, Drug: the vector index is not online yet" in str(
        note_of(found)
    )
    with pytest.warns(TosgWarning, match="no neighbours: Drug: the vector index is not online"):
        assert find_nearest(database, np.ones(384), "Drug").num_rows == 0


@pytest.mark.slow
def test_the_command_does_not_import_torch(database: Database, model: Model) -> None:
    """Nor what converts a model for OpenVINO: they take longer than the answer."""
    immune_graph(database)
    embed(database, model, types=["Disease"])
    code = (
        "import sys; from tosg.cli import tosg; "
        "tosg.main(['search', 'illness of nerves', '--json'], standalone_mode=False); "
        "late = {'torch', 'sentence_transformers', 'openvino.tools'}; "
        "print(sorted(late & set(sys.modules)), file=sys.stderr)"
    )
    target = database.target
    environ = {
        "NEO4J_URI": target.uri,
        "NEO4J_USERNAME": target.username,
        "NEO4J_PASSWORD": target.password,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={**os.environ, **environ},
    )  # fmt: skip
    assert json.loads(done.stdout)[0]["vector_rank"] == 1
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_words_alone_where_nothing_is_embedded(database: Database) -> None:
    immune_graph(database)
    refresh(database)
    found = search(database, "regulatory cells?")
    assert "cl:0000815" in found["id"].to_pylist()
    assert "nothing is embedded" in str(note_of(found))
    assert set(found["vector_rank"].to_pylist()) == {None}
    assert search(database, "zzzz").num_rows == 0
    assert search(database, "&& || !").num_rows == 0


def test_a_symbol_comes_before_texts_that_mention_it(database: Database) -> None:
    ddl.ensure_schema(database)
    add_entities(
        database,
        "Gene",
        [
            {"id": "ncbigene:1", "symbol": "AAA", "description": "Like BTK. " * 20},
            {"id": "ncbigene:2", "symbol": "BTK", "description": "A kinase."},
            {"id": "ncbigene:3", "symbol": "CCC", "description": "BTK BTK BTK BTK"},
        ],
    )
    refresh(database)
    assert search(database, "BTK")["symbol"][0].as_py() == "BTK"


NAMED: list[tuple[str, dict[str, Any]]] = [
    ("Disease", {"id": "doid:1", "name": "Löfgren syndrome", "synonyms": ["LS", "cell of cells"]}),
    ("Disease", {"id": "doid:2", "name": "Alzheimer's disease", "synonyms": ["AD", "P53"]}),
    ("Disease", {"id": "doid:3", "name": "early Alzheimer's disease"}),
    ("Disease", {"id": "doid:4", "name": "myocardial infarction", "synonyms": ["heart attack"]}),
    ("Disease", {"id": "doid:5", "name": "attack of the heart", "text": "heart attack " * 9}),
    ("Gene", {"id": "ncbigene:7157", "symbol": "TP53", "name": "tumor protein p53",
              "synonyms": ["P53"], "xrefs": ["ensembl:ENSG00000141510", "hgnc:11998"]}),
    ("Protein", {"id": "uniprot:P04637", "symbol": "TP53", "name": "Cellular antigen p53",
                 "synonyms": ["p53"]}),
    ("Gene", {"id": "ncbigene:7454", "symbol": "WAS", "name": "WASP factor"}),
    ("Gene", {"id": "ncbigene:3458", "symbol": "IFNG", "synonyms": ["IFN-gamma", "IL-2X"]}),
    ("Gene", {"id": "ncbigene:5", "symbol": "HLA-DRA", "xrefs": ["hgnc:7157"]}),
    ("Gene", {"id": "ncbigene:6", "symbol": "HEART1", "name": "heart attack factor 1"}),
    ("Anatomy", {"id": "uberon:1", "name": "heart", "description": "It may attack."}),
]  # fmt: skip


def add_named(db: Database) -> None:
    ddl.ensure_schema(db)
    for label in dict.fromkeys(label for label, _ in NAMED):
        add_entities(db, label, [row for of, row in NAMED if of == label])
    refresh(db)


@pytest.mark.parametrize("text", ["-", "++", "  --  "])
def test_punctuation_names_nothing(database: Database, text: str) -> None:
    assert find_named(database, [text], None) == {}
    assert find_prefixed(database, text, None) == []


def test_what_has_the_name_comes_first_then_what_begins_so(database: Database) -> None:
    add_named(database)
    expected = {
        "heart attack": ["doid:4", "ncbigene:6"],
        "HEART ATTACK": ["doid:4", "ncbigene:6"],
        "Alzheimer disease": ["doid:2"],
        "alzheimers disease": ["doid:2"],
        "Lofgren syndrome": ["doid:1"],
        "LÖFGREN  Syndrome": ["doid:1"],
        "TP53": ["ncbigene:7157", "uniprot:P04637"],
        "WAS": ["ncbigene:7454"],  # a stop word of English
        "IFN-\u03b3": ["ncbigene:3458"],  # a Greek gamma
        "IFN gamma": ["ncbigene:3458"],
        "il2x": ["ncbigene:3458"],
        "hla dra": ["ncbigene:5"],
        "cell of": ["doid:1"],
    }
    for text, ids in expected.items():
        found = search(database, text).to_pylist()
        assert [row["id"] for row in found][: len(ids)] == ids, text
        assert found[0]["match"] is not None
    found = search(database, "p53").to_pylist()
    assert [(row["id"], row["match"], row["matched"]) for row in found[:3]] == [
        ("ncbigene:7157", "synonym", "P53"),  # the gene before what it makes
        ("uniprot:P04637", "synonym", "p53"),
        ("doid:2", "synonym", "P53"),
    ]
    assert ambiguity_of(search(database, "p53")) == (
        "p53 could be TP53 - tumor protein p53 (Gene, ncbigene:7157); "
        "Alzheimer's disease (Disease, doid:2)"
    )
    assert ambiguity_of(search(database, "TP53")) is None  # a gene and its protein are one
    assert search(database, "p53", types=["Disease"])["id"].to_pylist()[0] == "doid:2"
    graph = KnowledgeGraph(
        load_settings(
            dict(
                zip(
                    ("uri", "username", "password"),
                    (database.target.uri, database.target.username, database.target.password),
                    strict=True,
                )
            )
        )
    )
    with graph, pytest.warns(TosgWarning, match="by words alone: nothing is embedded"):
        assert graph.search("WAS", k=1)["id"].to_pylist() == ["ncbigene:7454"]


def test_names_are_found_without_the_index_of_names(database: Database) -> None:
    add_named(database)
    database.write(f"CYPHER 5 DROP INDEX {NAMES_INDEX}")
    try:
        assert find_named(database, ["heart attack"], ["Disease"])["heart attack"][0].id == "doid:4"
    finally:
        ddl.ensure_schema(database)


def measure(ranked: list[list[str]], right: list[set[str]]) -> tuple[float, float]:
    """Mean reciprocal rank, and share of questions with a right answer among the first ten."""
    places = [
        next((n for n, id_ in enumerate(ids, 1) if id_ in answers), None)
        for ids, answers in zip(ranked, right, strict=True)
    ]
    mrr = sum(1 / place for place in places if place) / len(places)
    return mrr, sum(place is not None and place <= 10 for place in places) / len(places)


@pytest.mark.slow
def test_search_answers_better_than_words_or_vectors_alone(
    database: Database, model: Model, shared_data: Path
) -> None:
    """Of 64 questions, on the half that was tuned for and on the half that was not."""
    ddl.ensure_schema(database)
    for type_ in QUESTIONS:
        add_entities(database, type_, terms(shared_data, type_))
    refresh(database)
    embed(database, model, compose=False)
    rows = database.rows("CYPHER 5 MATCH (n:Entity) RETURN n.name AS name, n.id AS id")
    ids = {row["name"]: row["id"] for row in rows}
    asked = questions()
    assert len(asked) >= 60
    right = [{ids[name] for name in names if name in ids} for _, _, names in asked]
    assert all(right)
    ways: dict[str, list[list[str]]] = {"both": [], "words": [], "vectors": []}
    for _, text, _ in asked:
        found = search(database, text, k=100, model=model)
        ways["both"].append(found["id"].to_pylist())
        for way, rank in (("words", "text_rank"), ("vectors", "vector_rank")):
            chosen = [row for row in found.to_pylist() if row[rank]]
            ways[way].append([r["id"] for r in sorted(chosen, key=lambda r: r[rank])])
    for part in (slice(0, None, 2), slice(1, None, 2), slice(None)):
        both, words, vectors = (
            measure(ways[way][part], right[part]) for way in ("both", "words", "vectors")
        )
        assert both[0] > max(words[0], vectors[0])
        assert both[1] >= max(words[1], vectors[1])
        assert both[0] > 0.7
        assert both[1] > 0.9
    assert both[1] > max(words[1], vectors[1])
    firsts = {text: ids[0] for (_, text, _), ids in zip(asked, ways["both"], strict=True)}
    expected = {
        "heart attack": "myocardial infarction",
        "Alzheimer disease": "Alzheimer's disease",
        "high blood sugar": "Hyperglycemia",
        "low blood sugar": "Hypoglycemia",
        "programmed cell death": "programmed cell death",
        "apoptosis": "apoptotic process",
    }
    assert {text: firsts[text] for text in expected} == {t: ids[n] for t, n in expected.items()}


HOSTILE = [
    "IL-2/STAT5",
    '"unbalanced',
    "a AND",
    "NOT",
    "name:(x",
    "x^y~2*?",
    r"back\slash\\",
    "[a TO b}",
    "/regex/",
    "🧬 gène",
    "x" * 5000,
    "word " * 3000,
    "\x00\x1f a",
    "\udcff abc",
    "{!func}",
]


def test_nothing_is_syntax(database: Database, model: Model) -> None:
    immune_graph(database)
    embed(database, model, types=["CellType"])
    for text in HOSTILE:
        search(database, text, model=model)


def test_wrong_use(database: Database, model: Model) -> None:
    immune_graph(database)
    embed(database, model, types=["Gene"])
    for text in ("", " \n", "\udcff \ud800"):
        with pytest.raises(ConfigError, match="nothing to search for"):
            search(database, text)
    with pytest.raises(ConfigError, match="k must be 1"):
        search(database, "x", k=0)
    with pytest.raises(UsageError, match="unknown type"):
        search(database, "x", types=["Genes"])
    other = Model(ModelInfo("other/model", "7", 384), model.encoder)
    with pytest.raises(ConfigError, match="another model"):
        search(database, "x", model=other)
    with pytest.raises(ConfigError, match="another length than the graph"):
        find_nearest(database, np.ones(3), "Gene")
    with pytest.raises(ConfigError, match="zero or not finite"):
        find_nearest(database, np.zeros(384), "Gene")
    with pytest.raises(UsageError, match="unknown type"):
        find_nearest(database, np.ones(384), "Genes")
    with pytest.warns(TosgWarning, match="no neighbours: Drug: not embedded yet"):
        assert find_nearest(database, np.ones(384), "Drug").num_rows == 0
    assert find_nearest(database, np.ones(384), "Metabolite").num_rows == 0  # the graph has none
