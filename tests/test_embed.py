"""Vectors: by key, once for each text, equal in both forms, resumed after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.entities import add_entities, immune_graph, offline_model
from support.progress import Recorder

from tosg.errors import ConfigError, DatabaseError, DataError, UsageError
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import hold_lease
from tosg.kg.embed import batching, compiled, encoder, models, vectors
from tosg.kg.embed.info import ModelInfo, read_model_info
from tosg.kg.embed.models import DEFAULT_MODEL, PUBLISHED, Model, load_model, locate
from tosg.kg.embed.run import embed
from tosg.kg.embed.vectors import LINKS, WEIGHED, hash_text, index_name, indexed_labels
from tosg.kg.text.refresh import refresh

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database


@pytest.fixture(scope="session")
def model() -> Model:
    """The default model, from its package."""
    return offline_model()


def stored(db: Database) -> dict[str, dict[str, Any]]:
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity) RETURN n.id AS id, n.text AS text, n.embedding AS vector, "
        "n.embedding_f32 AS bytes, n.embedding_key AS key"
    )
    return {row["id"]: row for row in rows}


class Counting:
    """The model, counting the texts that it reads."""

    def __init__(self, model: Model) -> None:
        self.inner = model.encoder
        self.device, self.dim = model.encoder.device, model.encoder.dim
        self.seen: list[str] = []

    def encode(self, texts: list[str], batch_size: int = 256, **options: Any) -> Any:
        self.seen += texts
        return self.inner.encode(texts, batch_size, **options)


def counting(model: Model, info: ModelInfo | None = None) -> tuple[Model, list[str]]:
    counter = Counting(model)
    return Model(info or model.info, counter), counter.seen  # type: ignore[arg-type]


def test_vectors_of_a_graph(database: Database, model: Model) -> None:
    immune_graph(database)
    progress = Recorder()
    report = embed(database, model, progress=progress)
    assert (report.texts, report.embedded, report.encoded, report.unchanged) == (11, 11, 11, 0)
    assert report.model == read_model_info(database)
    assert report.model == ModelInfo(DEFAULT_MODEL, PUBLISHED[DEFAULT_MODEL].revision, 384)
    assert progress.calls[0][0] == "writing texts"
    assert any(
        stage == "embedding 11 texts" and done == total for stage, done, total in progress.calls
    )
    expected = model.encode([row["text"] for row in stored(database).values()])
    for row, wanted in zip(stored(database).values(), expected, strict=True):
        exact = np.frombuffer(row["bytes"], "<f4")
        assert exact.shape == (384,)
        assert np.array(row["vector"], np.float64).tolist() == exact.astype(np.float64).tolist()
        assert np.linalg.norm(exact.astype(np.float64)) == pytest.approx(1, abs=1e-6)
        assert exact @ wanted == pytest.approx(1, abs=1e-5)
        assert row["key"] == hash_text(model.info, row["text"])


def test_indexes(database: Database, model: Model) -> None:
    immune_graph(database)
    report = embed(database, model, types=["Gene", "CellType"])
    assert set(report.indexes) == {"gene_embedding", "cell_type_embedding"}
    assert indexed_labels(database) == ["Gene", "CellType"]
    rows = database.rows(
        "CYPHER 5 SHOW VECTOR INDEXES YIELD name, state, labelsOrTypes, properties, options "
        "WHERE name = $name RETURN state, labelsOrTypes, properties, options",
        name=index_name("CellType"),
    )
    (row,) = rows
    assert (row["state"], row["labelsOrTypes"]) == ("ONLINE", ["CellType"])
    assert row["properties"] == ["embedding"]
    config = row["options"]["indexConfig"]
    assert config["vector.dimensions"] == 384
    assert config["vector.similarity_function"].lower() == "cosine"
    # 5.26 says whether, later versions say which.
    off = config.get("vector.quantization.enabled", config.get("vector.quantization.type"))
    assert off in (False, "NONE")


@pytest.mark.parametrize(
    "otherwise",
    ["`vector.hnsw.ef_construction`: 50", "`vector.quantization.enabled`: true"],
)
def test_an_index_made_otherwise_is_made_anew(
    database: Database, model: Model, otherwise: str
) -> None:
    immune_graph(database)
    embed(database, model, types=["CellType"])
    made = vectors._present(database)
    database.write("CYPHER 5 DROP INDEX cell_type_embedding")
    ours = {
        "vector.hnsw.m": LINKS,
        "vector.hnsw.ef_construction": WEIGHED,
        "vector.quantization.enabled": "false",
    }
    options = [f"`{k}`: {v}" for k, v in ours.items() if f"`{k}`" not in otherwise]
    database.write(
        "CYPHER 5 CREATE VECTOR INDEX cell_type_embedding FOR (n:CellType) ON (n.embedding) "
        "OPTIONS {indexConfig: {`vector.dimensions`: 384, `vector.similarity_function`: 'cosine', "
        f"{', '.join([*options, otherwise])}}}}}"
    )
    assert vectors._present(database) != made
    report = embed(database, model, types=["CellType"])
    assert (report.embedded, report.indexes) == (0, ("cell_type_embedding",))
    assert vectors._present(database) == made
    assert embed(database, model, types=["CellType"]).indexes == ()


def test_what_another_run_left_filling_is_awaited(database: Database, model: Model) -> None:
    """A run that was killed leaves its indexes filling; the next has none to make."""
    immune_graph(database)
    embed(database, model, types=["CellType"])
    progress = Recorder()
    report = embed(
        database,
        model,
        types=["CellType"],
        progress=progress,
    )
    assert report.indexes == ()
    assert progress.calls[-1] == ("filling indexes", 100.0, 100.0)


def test_an_unchanged_text_is_never_embedded_twice(database: Database, model: Model) -> None:
    immune_graph(database)
    embed(database, model)
    revision, bookmark = meta.read_meta(database).revision, database.bookmark()
    again, seen = counting(model)
    report = embed(database, again)
    assert (report.embedded, report.unchanged, report.indexes, seen) == (0, 11, (), [])
    assert (meta.read_meta(database).revision, database.bookmark()) == (revision, bookmark)
    before = stored(database)
    database.write("CYPHER 5 MATCH (n:CellType) SET n.description = 'Holds others back'")
    report = embed(database, again)
    assert seen == ["regulatory T cell is a type of cell. Holds others back."]
    assert (report.texts, report.embedded) == (1, 1)
    changed = {i for i, row in stored(database).items() if row != before[i]}
    assert changed == {"cl:0000815"}
    assert meta.read_meta(database).revision > revision


def test_nodes_that_share_a_text_share_the_work(database: Database, model: Model) -> None:
    add_entities(database, "Drug", [{"id": f"drugbank:DB{i}", "name": "water"} for i in range(7)])
    chosen, seen = counting(model)
    report = embed(database, chosen)
    assert (report.embedded, report.encoded, len(seen)) == (7, 1, 1)
    assert len({row["bytes"] for row in stored(database).values()}) == 1


def test_keys_change_with_model_revision_and_text() -> None:
    keys = {
        hash_text(ModelInfo(name, revision, 384), text)
        for name in "ab"
        for revision in "12"
        for text in ("x", "y", "1\0x")
    }
    assert len(keys) == 12
    assert hash_text(ModelInfo("a", "1", 384), "x") == hash_text(ModelInfo("a", "1", 8), "x")


def test_another_model_needs_rebuild(database: Database, model: Model) -> None:
    immune_graph(database)
    embed(database, model, types=["Gene", "Drug"])
    other, seen = counting(model, ModelInfo("other/model", "7", 384))
    with pytest.raises(ConfigError) as caught:
        embed(database, other)
    assert "other/model" in str(caught.value)
    assert DEFAULT_MODEL in str(caught.value)
    assert "--rebuild" in str(caught.value)
    assert seen == []
    report = embed(database, other, types=["Drug"], rebuild=True)
    assert report.embedded == 1
    assert read_model_info(database) == ModelInfo("other/model", "7", 384)
    assert {i for i, row in stored(database).items() if row["key"]} == {"drugbank:DB00041"}
    assert indexed_labels(database) == ["Drug"]


def test_one_writer(database: Database, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tosg.kg.embed.run.PATIENCE", 0.2)
    immune_graph(database)
    refresh(database)
    with (
        hold_lease(database, "somebody"),
        pytest.raises(DatabaseError, match="another writer"),
    ):
        embed(database, model)
    assert not any(row["key"] for row in stored(database).values())


def test_wrong_use(database: Database, model: Model) -> None:
    with pytest.raises(UsageError, match="unknown type"):
        embed(database, model, types=["Genes"])
    with pytest.raises(ConfigError, match="batch_size must be 1"):
        embed(database, model, batch_size=0)
    report = embed(database, model)
    assert (report.embedded, report.indexes) == (0, ())


SCRIPT = """
import sys
from tosg.kg.database.connection import Database, Target
from tosg.kg.embed.run import embed
from tosg.kg.embed import run
run.CHUNK = 20
print("ready", flush=True)
with Database(Target(*sys.argv[1:4])) as db:
    embed(db, progress=lambda *said, **_: print(*said, flush=True))
"""


def test_resumed_after_kill(database: Database, model: Model) -> None:
    rows = [{"id": f"drugbank:DB{i:05}", "name": f"drug {i} " + "x " * 60} for i in range(600)]
    add_entities(database, "Drug", rows)
    target = database.target
    arguments = [sys.executable, "-c", SCRIPT, target.uri, target.username, target.password]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            row = database.rows("CYPHER 5 MATCH (n:Drug) RETURN count(n.embedding_key) AS n")[0]
            if row["n"] >= 20 or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = sum(row["key"] is not None for row in stored(database).values())
    assert 20 <= done < 600
    for row in stored(database).values():
        assert (row["key"] is None) == (row["bytes"] is None) == (row["vector"] is None)
    rest, seen = counting(model)
    # The lease of the one that was killed runs out by the clock of the server: now.
    database.write("MATCH (m:TosgMeta) SET m.writer_until = timestamp() - 1")
    report = embed(database, rest)
    assert (report.embedded, report.unchanged) == (600 - done, done)
    assert len(seen) == 600 - done
    assert report.indexes == ("drug_embedding",)


def test_encoder(model: Model) -> None:
    assert model.encode([]).shape == (0, 384)
    texts = ["short", "a longer text about T cells " * 30, "", "T cells " * 400]
    together = model.encode(texts, batch_size=2)
    alone = np.concatenate([model.encode([text]) for text in texts])
    assert together.dtype == np.float32
    assert np.abs(together - alone).max() < 1e-5
    assert model.encode_query("short") == pytest.approx(together[0], abs=1e-5)


@pytest.mark.extras
def test_the_compiled_model_gives_the_vectors_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    located = locate(DEFAULT_MODEL)
    assert compiled.load_compiled(located.revision) is None
    plain = encoder.Encoder(located.folder, "cpu")
    made = compiled.convert(plain, located.folder, located.revision)
    assert made is not None
    texts = [
        "IL2RA",
        "a longer text about T cells " * 30,
        "",
        "M\u00fcller \u03b2-cells; CD4+ " * 9,
    ]
    assert np.abs(made.encode(texts) - plain.encode(texts)).max() < 1e-5
    assert (made.dim, made.max_tokens) == (plain.dim, plain.max_tokens)
    # a question needs no torch, and the package that reports usage is not loaded
    code = (
        "import sys\n"
        "from tosg.kg.embed.models import locate\n"
        f"located = locate({DEFAULT_MODEL!r})\n"
        "vector = located.load_for_questions().encode_query('IL2RA')\n"
        "late = {'torch', 'sentence_transformers', 'openvino.tools', 'openvino_telemetry'}\n"
        "assert not late & set(sys.modules)\n"
        "print(vector[:3].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert json.loads(done.stdout) == pytest.approx(plain.encode(texts)[0][:3].tolist(), abs=1e-5)
    # one that gives other vectors is not used
    monkeypatch.setattr(compiled, "LEAST_COSINE", 1.1)
    assert compiled.convert(plain, located.folder, "another revision") is None
    assert compiled.load_compiled("another revision") is None


def test_batches_hold_texts_of_like_length() -> None:
    lengths = np.array([5, 100, 5, 90, 3000, 1])
    order = np.argsort(-lengths, kind="stable")
    found = list(batching.cut_batches(order, lengths, 2, 400))
    assert [part.tolist() for part in found] == [[4], [1, 3], [0, 2], [5]]


def test_a_vector_without_direction_is_refused() -> None:
    for bad in (np.zeros((1, 3)), np.array([[1.0, np.nan, 0.0]])):
        with pytest.raises(DataError, match="zero or not finite"):
            batching.unit(bad)


@pytest.mark.extras
def test_unknown_model_says_what_was_tried() -> None:
    with pytest.raises(ConfigError) as caught:
        load_model("no-such/model-of-that-name")
    text = str(caught.value)
    for place in ("folder", "cache", "huggingface.co", DEFAULT_MODEL):
        assert place in text


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no sentence-transformers model"):
        load_model(str(tmp_path))


def test_a_copy_of_the_default_model_is_that_model(model: Model, tmp_path: Path) -> None:
    folder = locate(DEFAULT_MODEL).folder
    copy = tmp_path / "model"
    copy.symlink_to(folder)
    found = locate(str(copy))
    assert (found.name, found.revision) == (model.info.name, model.info.revision)
    assert locate("all-minilm-l6-v2").name == DEFAULT_MODEL


def test_weights_that_were_changed_are_refused(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "changed_weights"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model" / "model.safetensors").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    known = models.Published("1", "0" * 64, "changed_weights", "changed-weights")
    monkeypatch.setitem(models.PUBLISHED, DEFAULT_MODEL, known)
    with pytest.raises(DataError) as caught:
        locate(DEFAULT_MODEL)
    assert "0" * 64 in str(caught.value)
    assert "changed-weights" in str(caught.value)


@pytest.mark.extras
def test_fingerprint_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = locate(str(tmp_path))
    (tmp_path / "README.md").write_text("words")
    assert locate(str(tmp_path)) == first
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert locate(str(tmp_path)).revision != first.revision
    with pytest.raises(ConfigError, match="cannot be loaded"):
        load_model(str(tmp_path))
