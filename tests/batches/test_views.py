"""Batches and cells for other frameworks: torchdata, Hugging Face, Lightning, language models."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from support.text_models import small_model
from support.training_sets import dense, write_training_set
from torchdata.stateful_dataloader import StatefulDataLoader

import tosg
from tosg.errors import ConfigError, ExportError

N = 6


@pytest.fixture
def ts(tmp_path: Path) -> tosg.TrainingSet:
    return tosg.TrainingSet(write_training_set(tmp_path / "set"))


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of other libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_stops_and_goes_on(ts: tosg.TrainingSet, workers: int) -> None:
    def make() -> StatefulDataLoader[Any]:
        stream = ts.stream("train", 4, seed=3)
        return StatefulDataLoader(stream, batch_size=None, num_workers=workers)

    with quiet():
        whole = [batch["cell"].tolist() for batch in make()]
        assert sorted(j for rows in whole for j in rows) == list(range(23))
        loader = make()
        first = []
        for batch in loader:
            first.append(batch["cell"].tolist())
            np.testing.assert_array_equal(batch["x"].numpy(), dense(batch["cell"].tolist(), N))
            assert batch["y"].tolist() == [j % 3 for j in batch["cell"].tolist()]
            if len(first) == 3:
                state = pickle.loads(pickle.dumps(loader.state_dict()))
                break
        again = make()
        again.load_state_dict(state)
        assert first + [batch["cell"].tolist() for batch in again] == whole


def test_streams_are_the_loaders_batches(ts: tosg.TrainingSet) -> None:
    stream = ts.stream("train", 5, seed=1)
    for _ in range(2):  # each pass is the next epoch
        expected = [b.cell.tolist() for b in ts.batches("train", 5, seed=1, epoch=stream.epoch)]
        assert [b["cell"].tolist() for b in stream] == expected
    assert len(stream) == 5
    assert stream.epoch == 2
    stream.set_epoch(0)
    state = stream.state_dict()
    for change, says in (
        ({"seed": 9}, "other arguments"),
        ({"workers": 3}, "another number of workers"),
        ({"done": 99}, "not a state"),
    ):
        with pytest.raises(ExportError, match=says):
            stream.load_state_dict({**state, **change})


def test_cells_for_hugging_face(ts: tosg.TrainingSet) -> None:
    datasets = pytest.importorskip("datasets")
    with quiet():
        cells = ts.to_huggingface("train")
        assert isinstance(cells, datasets.IterableDataset)
        found = list(cells)
    assert [one["row"] for one in found] == list(range(23))
    x = np.zeros((23, N), np.float32)
    for j, one in enumerate(found):
        x[j, one["nodes"]] = one["values"]
    np.testing.assert_array_equal(x, dense(list(range(23)), N))
    assert [one["label"] for one in found] == [j % 3 for j in range(23)]
    assert cells.features["label"].names == ["a", "b", "c"]
    with quiet():
        taken = iter(cells)
        for _ in range(5):
            next(taken)
        state = cells.state_dict()
        resumed = ts.to_huggingface("train")
        resumed.load_state_dict(state)
        assert [one["row"] for one in resumed] == list(range(5, 23))
        shuffled = [one["row"] for one in cells.shuffle(seed=1, buffer_size=10)]
    assert sorted(shuffled) == list(range(23)) != shuffled
    with pytest.raises(ConfigError, match="split"):
        ts.to_huggingface("nope")


def test_lightning_trains_and_goes_on_in_mid_epoch(ts: tosg.TrainingSet, tmp_path: Path) -> None:
    with quiet():
        lightning = pytest.importorskip("lightning")
        from tosg.export.batches.lightning import CellModule

        class Model(lightning.LightningModule):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.layer = torch.nn.Linear(N, 3)
                self.seen: list[list[int]] = []
                self.tested: list[int] = []

            def training_step(self, batch: Any) -> Any:
                self.seen.append(batch.cell.tolist())
                return torch.nn.functional.cross_entropy(self.layer(batch.x), batch.y)

            def on_train_batch_end(self, _outputs: Any, _batch: Any, number: int) -> None:
                if number == 1 and len(self.seen) == 2:
                    self.trainer.save_checkpoint(tmp_path / "mid.ckpt")

            def validation_step(self, batch: Any) -> None:
                assert batch.cell.tolist() == list(range(23, 28))

            def test_step(self, batch: Any) -> None:
                self.tested += batch.cell.tolist()

            def configure_optimizers(self) -> Any:
                return torch.optim.SGD(self.parameters(), lr=0.01)

        def trainer(**options: Any) -> Any:
            return lightning.Trainer(
                accelerator="cpu", logger=False, enable_progress_bar=False,
                enable_model_summary=False, enable_checkpointing=False,
                default_root_dir=tmp_path, **options,
            )  # fmt: skip

        whole = Model()
        trainer(max_epochs=2).fit(whole, datamodule=CellModule(ts, 5, seed=4))
        epochs = [whole.seen[:5], whole.seen[5:]]
        assert len(whole.seen) == 10
        for epoch in epochs:
            assert sorted(j for rows in epoch for j in rows) == list(range(23))
        assert epochs[0] != epochs[1]

        resumed = Model()
        second = trainer(max_epochs=2)
        second.fit(resumed, datamodule=CellModule(ts, 5, seed=4), ckpt_path=tmp_path / "mid.ckpt")
        assert resumed.seen == whole.seen[2:]
        second.test(resumed, datamodule=CellModule(ts, 2))
        assert resumed.tested == list(range(28, 35))


def test_vectors_of_several_models_stand_side_by_side(
    ts: tosg.TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with quiet():
        from sentence_transformers import SentenceTransformer

        small, large = (small_model(tmp_path / str(w), w, w) for w in (4, 8))
        first = ts.embeddings(str(small), device="cpu")
        second = ts.embeddings(str(large), device="cpu")
        expected = SentenceTransformer(str(large), device="cpu").encode(
            ts.texts, normalize_embeddings=True
        )
    assert (first.vectors.shape, second.vectors.shape) == ((N, 4), (N, 8))
    np.testing.assert_allclose(second.vectors, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(first.vectors, axis=1), 1, atol=1e-6)
    assert isinstance(first.vectors, np.memmap)
    assert torch.equal(second.take([2, 0]), torch.from_numpy(np.array(second.vectors[[2, 0]])))
    again = tosg.TrainingSet(ts.folder)
    listed = {one.model: one.vectors.shape for one in again.list_embeddings()}
    assert listed == {str(small): (N, 4), str(large): (N, 8)}
    made = {p: p.stat().st_mtime_ns for p in (tmp_path / "set.embeddings").iterdir()}
    with quiet():
        again.embeddings(str(large), device="cpu")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "set.embeddings").iterdir()} == made
    ts.verify()
    for path in (tmp_path / "set.embeddings").glob("*.npy"):
        np.save(path, np.zeros((2, 2), np.float32))
    with pytest.raises(ExportError, match="do not fit the texts"):
        ts.list_embeddings()
    with pytest.raises(ConfigError):
        ts.embeddings(str(tmp_path / "none"))


def test_cells_as_text(ts: tosg.TrainingSet) -> None:
    table = pa.concat_tables(ts.cell_texts(genes=3, facts=2, edges=5))
    assert table["id"].to_pylist() == ts.cells["id"].to_pylist()
    assert table["target"].to_pylist() == [["a", "b", "c"][j % 3] for j in range(35)]
    for j, names in enumerate(table["genes"].to_pylist()):
        values = dense([j], N)[0]
        ranked = [i for i in np.argsort(-values, kind="stable") if values[i] > 0][:3]
        assert names == [f"node {i}" for i in ranked]
    text = table["text"].to_pylist()
    # Row 0 has the nodes 1, 2, 4 and 5, greater values at greater numbers.
    assert text[0].splitlines() == [
        "Genes by abundance: node 5, node 4, node 2.",
        "Known of them: node 5: Node 5. node 4: Node 4.",
    ]
    assert text[3] == "No gene was seen."
    longer = pa.concat_tables(ts.cell_texts(genes=6, facts=0, edges=5))
    expected = dense([1], N)[0]
    assert "Between them:" in longer["text"][1].as_py()
    assert expected[0] > 0
    with pytest.raises(ConfigError, match="too small"):
        ts.cell_texts(genes=0)
