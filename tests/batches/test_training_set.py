"""TrainingSet: what comes out of the batches is what the spec's page says is in the files."""

from __future__ import annotations

import itertools
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file, save_file
from support.training_sets import EDGES, dense, measured, write_training_set
from torch_geometric.data import Batch as PygBatch
from torch_geometric.data import Data

import tosg
from tosg.export.batches import device
from tosg.export.batches.graph_tensors import GraphTensors
from tosg.export.batches.sampler import Sampler
from tosg.export.selection import load_manifest
from tosg.export.write.workspace import describe_file

N = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_training_set(tmp_path / "set")


@pytest.fixture
def ts(folder: Path) -> tosg.TrainingSet:
    return tosg.TrainingSet(folder)


def test_batches_carry_the_values_of_their_cells(ts: tosg.TrainingSet) -> None:
    seen = []
    for batch in ts.batches("train", batch_size=4, seed=3):
        rows = batch.cell.tolist()
        seen += rows
        np.testing.assert_array_equal(batch.x.numpy(), dense(rows, N))
        assert batch.x.dtype == torch.float32
        assert batch.y.tolist() == [j % 3 for j in rows]
        assert batch.measured.tolist() == [[measured(j % 2, i, N) for i in range(N)] for j in rows]
        assert batch.edge_index is ts.graph.edge_index or torch.equal(
            batch.edge_index, ts.graph.edge_index
        )
    assert sorted(seen) == list(range(23))
    assert seen != sorted(seen)


@pytest.mark.parametrize(("split", "rows"), [("val", range(23, 28)), ("test", range(28, 35))])
def test_other_splits_come_in_stored_order(ts: tosg.TrainingSet, split: str, rows: range) -> None:
    cells = [j for batch in ts.batches(split, batch_size=3) for j in batch.cell.tolist()]
    assert cells == list(rows)
    assert ts.rows(split) == rows


def test_golden_order_of_seed_and_epoch() -> None:
    """Exact rows: another order would break the promise that a run can be made again."""
    sampler = Sampler(n=10, batch_size=4, seed=7, block=2, buffer=3)
    rows = [[sampler.batch(epoch, i).tolist() for i in range(3)] for epoch in range(2)]
    assert rows == [[[2, 7, 9, 3], [6, 8, 1, 0], [5, 4]], [[2, 6, 4, 7], [5, 3, 9, 1], [0, 8]]]


def test_order_depends_on_nothing_but_seed_epoch_rank(ts: tosg.TrainingSet) -> None:
    def order(**options: Any) -> list[int]:
        loader = ts.batches("train", batch_size=4, **options)
        return [j for batch in loader for j in batch.cell.tolist()]

    assert order(seed=1) == order(seed=1, prefetch=0) == order(seed=1, prefetch=5)
    assert order(seed=1) != order(seed=2)
    assert order(seed=1) != order(seed=1, epoch=1)


def test_each_pass_is_the_next_epoch(ts: tosg.TrainingSet) -> None:
    loader = ts.batches("train", batch_size=4, seed=1)
    passes = [[j for batch in loader for j in batch.cell.tolist()] for _ in range(2)]
    second = ts.batches("train", batch_size=4, seed=1, epoch=1)
    assert passes[1] == [j for batch in second for j in batch.cell.tolist()]


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_ranks_share_an_epoch_in_equal_numbers(ts: tosg.TrainingSet, world_size: int) -> None:
    loaders = [
        ts.batches("train", batch_size=3, seed=1, rank=r, world_size=world_size)
        for r in range(world_size)
    ]
    assert len({len(loader) for loader in loaders}) == 1
    per_rank = [[b.cell.tolist() for b in loader] for loader in loaders]
    together = [per_rank[r][i] for i in range(len(loaders[0])) for r in range(world_size)]
    alone = [j for b in ts.batches("train", batch_size=3, seed=1) for j in b.cell.tolist()]
    assert [j for batch in together for j in batch] == alone  # each cell once
    assert {len(batch) for batch in together} <= {1, 2, 3}
    for r in range(world_size):
        dropped = ts.batches("train", batch_size=3, rank=r, world_size=world_size, drop_last=True)
        assert len(dropped) == 7 // world_size


@pytest.mark.deep
def test_ranks_share_any_number_of_cells_once() -> None:
    """Equal numbers of batches, none empty, every row once; or an error where that cannot be."""
    for n, size, ranks in itertools.product(range(40), range(1, 6), range(1, 6)):
        if -(-n // (size * ranks)) * ranks > n:
            with pytest.raises(tosg.ConfigError, match="equal numbers of batches"):
                Sampler(n=n, batch_size=size, world_size=ranks)
            continue
        shared = [Sampler(n=n, batch_size=size, rank=r, world_size=ranks) for r in range(ranks)]
        assert len({len(sampler) for sampler in shared}) == 1
        batches = [s.batch(0, i).tolist() for i in range(len(shared[0])) for s in shared]
        assert all(1 <= len(batch) <= size for batch in batches)
        assert sorted(j for batch in batches for j in batch) == list(range(n))


def test_rank_and_world_size_go_together(
    ts: tosg.TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rank, world_size in ((0, None), (None, 3)):
        with pytest.raises(tosg.ConfigError, match="go together"):
            ts.batches("train", rank=rank, world_size=world_size)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 2)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    given = ((None, None, (2, 4)), (None, 3, (2, 3)), (1, None, (1, 4)))
    for rank, world_size, expected in given:
        sampler = ts.batches("train", rank=rank, world_size=world_size).sampler
        assert (sampler.rank, sampler.world_size) == expected


@pytest.mark.parametrize("name", ["cuda:99", "meta:x", "a toaster"])
def test_a_device_that_is_not_there(ts: tosg.TrainingSet, name: str) -> None:
    for ask in (lambda: ts.batches("train", device=name), lambda: ts.read([0], device=name)):
        with pytest.raises(tosg.ConfigError, match="no such device") as caught:
            ask()
        assert name in str(caught.value.found)
        assert "cpu" in str(caught.value.expected)


def test_a_batch_that_does_not_fit(ts: tosg.TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(tosg.ExportError, match="does not fit into memory"):
        device.check_fits(1 << 50, 8, "cpu", "x")  # of the memory that there is
    # As on a machine where x of three cells has room.
    monkeypatch.setattr(device, "SMALL", 0)
    monkeypatch.setattr(device, "free_memory", lambda _: 3 * N * 4 + 1)
    assert ts.read([0, 1, 2]).x.shape == (3, N)
    with pytest.raises(tosg.ExportError, match="does not fit into memory") as caught:
        _ = ts.read([0, 1, 2, 3]).x
    assert "batch_size of 3" in str(caught.value.expected)
    with pytest.raises(tosg.ExportError, match="edges") as caught:
        ts.read([0, 1]).to_pyg()
    assert "single cell" in str(caught.value.expected)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"batch_size": 0}, "1 or more"),
        ({"rank": 2, "world_size": 2}, "below world_size, 2"),
        ({"run": 3}, "1, 2, 4, 8, 16, 32"),
    ],
)
def test_arguments_that_cannot_be_are_named(
    ts: tosg.TrainingSet, wrong: dict[str, int], expected: str
) -> None:
    with pytest.raises(tosg.ConfigError, match="cannot be made") as caught:
        ts.batches("train", **wrong)  # type: ignore[arg-type]
    name, value = next(iter(wrong.items()))
    assert (caught.value.where, caught.value.found) == (name, str(value))
    assert expected in str(caught.value.expected)


def test_resume_in_the_middle_of_an_epoch(ts: tosg.TrainingSet) -> None:
    def loader() -> tosg.export.batches.batch_loader.BatchLoader:
        return ts.batches("train", batch_size=4, seed=5)

    whole = loader()
    batches = [[b.cell.tolist() for b in whole] for _ in range(2)]
    first = loader()
    for i, _ in enumerate(first):
        if i == 2:
            state = json.loads(json.dumps(first.state_dict()))
            break
    second = loader()
    second.load_state_dict(state)
    assert [b.cell.tolist() for b in second] == batches[0][3:]
    assert [b.cell.tolist() for b in second] == batches[1]
    with pytest.raises(tosg.ExportError, match="other arguments") as caught:
        ts.batches("train", batch_size=5, seed=5).load_state_dict(state)
    assert (caught.value.found, caught.value.expected) == ("4", "5")


@pytest.mark.parametrize(
    ("name", "value"),
    [("done", 7), ("done", -1), ("epoch", -1), ("done", None), ("training_set", "another")],
)
def test_a_state_that_cannot_be_is_refused(ts: tosg.TrainingSet, name: str, value: Any) -> None:
    loader = ts.batches("train", batch_size=4, seed=5)
    state = loader.state_dict()
    loader.load_state_dict({**state, "done": 6})  # all of an epoch is done
    with pytest.raises(tosg.ExportError, match="state") as caught:
        loader.load_state_dict({**state, name: value})
    assert caught.value.where == name


def test_a_loop_that_was_left_begins_its_epoch_again(ts: tosg.TrainingSet) -> None:
    loader = ts.batches("train", batch_size=4, seed=5)
    first = next(iter(loader)).cell.tolist()
    assert next(iter(loader)).cell.tolist() == first


def test_normalize_is_applied_by_the_loader(tmp_path: Path) -> None:
    ts = tosg.TrainingSet(write_training_set(tmp_path / "set", normalize="log1p_cp10k"))
    assert ts.unit == "log1p_cp10k"
    batch = ts.read(range(23))
    totals = 100.0 + np.arange(23)[:, None]
    expected = np.log1p(dense(list(range(23)), N).astype(np.float64) / totals * 1e4)
    np.testing.assert_allclose(batch.x.numpy(), expected, rtol=1e-6)


def test_reverses_of_undirected_edges(ts: tosg.TrainingSet, folder: Path) -> None:
    once = tosg.TrainingSet(folder, add_reverses=False).graph
    np.testing.assert_array_equal(once.edge_index.numpy(), EDGES)
    graph = ts.graph
    # Edges 0, 1 and 3 are undirected; edge 2 is a self-loop, 4 and 5 are directed.
    assert graph.edge_index[:, 6:].tolist() == [[1, 3, 3], [0, 1, 2]]
    assert graph.edge_type.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert graph.edge_score[6:].isnan().tolist() == [False, True, False]
    assert graph.edge_lifted[6:].tolist() == [True, False, False]
    assert graph.edge_source.tolist() == [1, 0, 0, 0, 0, 0, 1, 0, 0]
    assert graph.edge_key.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0]
    batch = ts.read([0])
    assert batch.edge_lifted is batch.graph.edge_lifted
    assert torch.equal(batch.edge_lifted, graph.edge_lifted)


@pytest.mark.parametrize(
    "edge_type", [[0, 0, 0], [1, 1, 1], [0, 1, 1], [1, 1, 0], [0, 1, 0], [1, 0, 1], []]
)
@pytest.mark.parametrize("loop", [False, True])
def test_reverses_of_undirected_edges_wherever_they_stand(
    tmp_path: Path, edge_type: list[int], loop: bool
) -> None:
    e = len(edge_type)
    index = np.arange(2 * e).reshape(2, e)
    if loop and e:
        index[1, e // 2] = index[0, e // 2]
    columns: dict[str, np.ndarray[Any, Any]] = {
        "edge_index": index,
        "edge_type": np.array(edge_type, np.int16),
        "edge_score": np.arange(e, dtype=np.float32),
        "node_type": np.zeros(2 * e, np.int16),
    }
    save_file(columns, tmp_path / "graph.safetensors")
    graph = GraphTensors(tmp_path, [True, False])
    rows = list(range(e))
    added = [i for i in rows if edge_type[i] == 1 and index[0, i] != index[1, i]]
    expected = np.concatenate([index, index[::-1, added]], axis=1)
    assert np.array_equal(graph.edge_index.numpy(), expected)
    assert graph.edge_score.tolist() == rows + added
    assert graph.edge_type.tolist() == [edge_type[i] for i in rows + added]
    stored = GraphTensors(tmp_path, [True, False], add_reverses=False)
    assert np.array_equal(stored.edge_index.numpy(), index)


def test_to_pyg_is_what_from_data_list_makes(ts: tosg.TrainingSet) -> None:
    for batch in ts.batches("train", batch_size=4):
        ours = batch.to_pyg()
        graph = ts.graph
        theirs = PygBatch.from_data_list(
            [
                Data(
                    x=batch.x[i].view(-1, 1),
                    edge_index=graph.edge_index,
                    edge_type=graph.edge_type,
                    edge_score=graph.edge_score,
                    edge_sign=graph.edge_sign,
                    measured=batch.measured[i],
                    node_id=torch.arange(N),
                    cell=batch.cell[i : i + 1],
                    y=batch.y[i : i + 1],
                    num_nodes=N,
                )
                for i in range(len(batch))
            ]
        )
        # node_id and edge_index hold numbers of nodes; only edge_index is shifted.
        for name in (
            "x",
            "edge_index",
            "edge_type",
            "edge_sign",
            "measured",
            "node_id",
            "cell",
            "y",
            "batch",
            "ptr",
        ):
            assert torch.equal(ours[name], theirs[name]), name
        torch.testing.assert_close(ours.edge_score, theirs.edge_score, equal_nan=True)
        assert isinstance(ours, PygBatch)
        assert ours.num_graphs == len(batch)
        assert ours.num_nodes == len(batch) * N
        for one, other in zip(ours.to_data_list(), theirs.to_data_list(), strict=True):
            assert set(one.keys()) == set(other.keys())
            for name in one.keys():  # noqa: SIM118
                if name != "edge_score":
                    assert torch.equal(torch.as_tensor(one[name]), torch.as_tensor(other[name]))


def test_the_expanded_topology_is_made_once_per_batch_size(ts: tosg.TrainingSet) -> None:
    first, second, *_ = (batch.to_pyg() for batch in ts.batches("train", batch_size=4))
    assert first.edge_index.data_ptr() == second.edge_index.data_ptr()


def test_as_dataset_in_worker_processes(ts: tosg.TrainingSet) -> None:
    from torch_geometric.loader import DataLoader

    graphs = ts.as_dataset("val")
    assert len(graphs) == 5
    assert graphs[-1].cell.tolist() == [27]
    with pytest.raises(IndexError):
        graphs[5]
    loader = DataLoader(graphs, batch_size=2, num_workers=2, multiprocessing_context="spawn")
    batches = list(loader)
    assert [j for b in batches for j in b.cell.tolist()] == list(range(23, 28))
    x = torch.cat([b.x for b in batches]).view(5, N)
    np.testing.assert_array_equal(x.numpy(), dense(list(range(23, 28)), N))


def test_to_hetero(ts: tosg.TrainingSet) -> None:
    hetero = ts.to_hetero()
    assert hetero.node_types == ["Gene", "Protein"]
    assert hetero["Gene"].node_id.tolist() == [0, 2, 4]
    assert hetero["Protein"].num_nodes == 3
    assert hetero["Gene", "REGULATES", "Gene"].edge_index.tolist() == [[0, 2], [2, 0]]
    assert hetero["Gene", "INTERACTS_WITH", "Protein"].edge_index.tolist() == [[0, 1], [0, 1]]
    total = sum(hetero[kind].edge_index.shape[1] for kind in hetero.edge_types)
    assert total == ts.graph.edge_index.shape[1]
    assert hetero.validate()


def test_what_crosses_a_process_border_is_small(ts: tosg.TrainingSet) -> None:
    for _ in ts.batches("train", batch_size=4):
        pass
    for thing in (ts, ts.graph, ts.as_dataset("test"), ts.expression):
        data = pickle.dumps(thing)
        assert len(data) < 2000
        pickle.loads(data)
    again = pickle.loads(pickle.dumps(ts))
    assert torch.equal(again.graph.edge_index, ts.graph.edge_index)


def test_unknown_split_names_the_valid_ones(ts: tosg.TrainingSet) -> None:
    with pytest.raises(tosg.ConfigError, match="unknown split") as caught:
        ts.batches("valid")
    assert "val" in str(caught.value)


def test_not_a_training_set(tmp_path: Path) -> None:
    with pytest.raises(tosg.ExportError, match=r"manifest\.json|not a training set"):
        tosg.TrainingSet(tmp_path)


FILES = (
    "cells.parquet",
    "expression/00001.indptr.npy",
    "expression/00001.values.npy",
    "graph.safetensors",
    "measured.npy",
    "nodes.parquet",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["missing", "shorter"])
def test_a_file_that_is_not_whole_is_named_at_opening(folder: Path, name: str, how: str) -> None:
    path = folder / name
    size = path.stat().st_size
    if how == "missing":
        path.unlink()
    else:
        os.truncate(path, size - 40)
    with pytest.raises(tosg.ExportError) as caught:
        tosg.TrainingSet(folder)
    assert caught.value.where == str(path)
    if how == "shorter":
        assert (caught.value.found, caught.value.expected) == (
            f"{size - 40} bytes", f"{size} bytes",
        )  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0, 10, 20])
def test_a_file_of_another_content_is_named_when_it_is_read(
    folder: Path, name: str, kept: int
) -> None:
    """Overwritten with as many bytes, from the start or after what says which format it is."""
    path = folder / name
    data = path.read_bytes()
    path.write_bytes(data[:kept] + bytes(7 * i % 251 for i in range(len(data) - kept)))
    ts = tosg.TrainingSet(folder)
    with pytest.raises(tosg.ExportError, match="cannot be read") as caught:
        _read_all(ts)
    assert caught.value.where == str(path)


def _read_all(ts: tosg.TrainingSet) -> None:
    assert ts.graph.nodes.num_rows == ts.graph.num_nodes
    assert len(ts.read(range(20))) == 20


def test_a_manifest_that_lists_no_files(folder: Path) -> None:
    change_manifest(folder, lambda content: content.pop("files"))
    with pytest.raises(tosg.ExportError, match="the manifest is damaged"):
        tosg.TrainingSet(folder)


@pytest.mark.parametrize("key", ["selection", "digests", "edge_sources"])
def test_a_manifest_that_lacks_a_part(folder: Path, key: str) -> None:
    change_manifest(folder, lambda content: content.pop(key))
    with pytest.raises(tosg.ExportError, match="the manifest is damaged") as caught:
        load_manifest(folder)
    assert caught.value.found == f"no {key} in content"


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    change(document["content"])
    path.write_text(json.dumps(document))


def test_reading_from_another_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    ts = tosg.TrainingSet(folder.name)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(ts.read(range(5)).x.numpy(), dense(list(range(5)), N))


def test_no_rows(ts: tosg.TrainingSet) -> None:
    batch = ts.read([])
    assert len(batch) == 0
    assert batch.x.shape == batch.measured.shape == (0, N)


def test_batches_read_the_columns_they_need(ts: tosg.TrainingSet) -> None:
    ts.read(range(5))
    assert "cells" not in vars(ts)  # all columns, in memory
    assert ts.cells.column_names == ["id", "dataset", "split", "target", "n_counts"]


def _units(content: dict[str, Any]) -> None:
    content["datasets"][1]["unit"] = "log1p"


def _counts(content: dict[str, Any]) -> None:
    content["counts"]["cells"] += 1


def _start(content: dict[str, Any]) -> None:
    content["expression"]["shards"][1]["start"] += 1


@pytest.mark.parametrize(
    ("change", "found"),
    [(_units, "d0: counts; d1: log1p"), (_counts, "35 cells in 5 shards"), (_start, "from row 9")],
)
def test_parts_of_the_manifest_that_do_not_fit(folder: Path, change: Any, found: str) -> None:
    change_manifest(folder, change)
    with pytest.raises(tosg.ExportError, match="breaks a rule") as caught:
        tosg.TrainingSet(folder)
    assert found in str(caught.value.found)


def damage(folder: Path, name: str, change: Callable[[Any], Any]) -> Path:
    """Change the arrays of a file, and write down its new hash as another writer would have."""
    path = folder / name
    if path.suffix == ".npy":
        np.save(path, change(np.load(path)))
    elif path.suffix == ".safetensors":
        save_file(change(load_file(path)), path)
    else:
        pq.write_table(change(pq.read_table(path)), path)

    def note(content: dict[str, Any]) -> None:
        content["files"][name] = describe_file(path)

    change_manifest(folder, note)
    return path


def at(place: int, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


def edges(name: str, place: Any, value: Any) -> Callable[[Any], Any]:
    def change(tensors: Any) -> Any:
        tensors[name][place] = value
        return tensors

    return change


def column(name: str, values: list[Any]) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        i = table.column_names.index(name)
        full = [*values, *table[name].to_pylist()[len(values) :]]
        return table.set_column(i, name, pa.array(full, table[name].type))

    return change


SHARD = "expression/00001"
AT_FIRST_READ: list[tuple[str, Any]] = [
    (f"{SHARD}.indices.npy", at(0, N)),
    (f"{SHARD}.indices.npy", at(-1, -1)),
    (f"{SHARD}.indptr.npy", at(2, 0)),
    (f"{SHARD}.indptr.npy", at(0, 1)),
    ("graph.safetensors", edges("edge_index", (1, 5), N)),
    ("graph.safetensors", edges("edge_index", (0, 0), -1)),
    ("cells.parquet", column("dataset", ["d9"])),
    ("cells.parquet", lambda table: table.slice(1)),
    ("measured.npy", lambda measured: measured[:, 1:]),
]
BY_VERIFY: list[tuple[str, Any]] = [
    (f"{SHARD}.indices.npy", lambda a: np.concatenate([a[1:2], a[1:]])),
    (f"{SHARD}.values.npy", at(3, np.nan)),
    (f"{SHARD}.values.npy", at(3, 0)),
    ("graph.safetensors", edges("edge_index", (slice(None), 0), [1, 0])),  # undirected
    ("graph.safetensors", edges("edge_index", (slice(None), 5), [0, 3])),
    ("graph.safetensors", edges("edge_key", 0, 2)),
    ("nodes.parquet", column("idx", [99])),
    ("nodes.parquet", column("id", ["x:1"])),
    ("nodes.parquet", column("type", ["Drug"])),
    ("cells.parquet", column("id", ["cell1"])),
    ("cells.parquet", column("split", ["val"])),
]


@pytest.mark.parametrize(("name", "change"), AT_FIRST_READ)
def test_rules_that_reading_checks(folder: Path, name: str, change: Any) -> None:
    path = damage(folder, name, change)
    ts = tosg.TrainingSet(folder)
    with pytest.raises(tosg.ExportError, match="breaks a rule") as caught:
        _ = ts.read(range(20)).edge_index
    assert caught.value.where == str(path)
    with pytest.raises(tosg.ExportError, match="breaks a rule"):
        ts.verify()


@pytest.mark.parametrize(("name", "change"), BY_VERIFY)
def test_rules_that_verify_checks(folder: Path, name: str, change: Any) -> None:
    path = damage(folder, name, change)
    ts = tosg.TrainingSet(folder)
    with pytest.raises(tosg.ExportError, match="breaks a rule") as caught:
        ts.verify()
    assert caught.value.where == str(path)


def test_verify(ts: tosg.TrainingSet, folder: Path) -> None:
    ts.verify()
    path = folder / "nodes.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(tosg.ExportError, match="is damaged") as caught:
        ts.verify()
    assert caught.value.where == str(path)


def test_a_damaged_shard_is_named(folder: Path) -> None:
    path = folder / "expression" / "00001.values.npy"
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    with pytest.raises(tosg.ExportError) as caught:
        tosg.TrainingSet(folder).read(range(20))
    assert "00001" in str(caught.value)


def test_an_error_in_the_reading_thread_reaches_the_caller(folder: Path) -> None:
    ts = tosg.TrainingSet(folder)
    (folder / "expression" / "00002.indices.npy").unlink()
    with pytest.raises(tosg.ExportError, match="cannot be read"):
        list(ts.batches("train", batch_size=4))


@pytest.mark.parametrize("keep_unmeasured", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 3.01])
def test_own_graphs_are_the_subgraphs_of_what_a_cell_expresses(
    ts: tosg.TrainingSet, threshold: float, keep_unmeasured: bool
) -> None:
    from torch_geometric.utils import subgraph

    how: dict[str, Any] = {"threshold": threshold, "keep_unmeasured": keep_unmeasured}
    graph = ts.graph
    for batch in ts.batches(None, batch_size=6, shuffle=False):
        ours = batch.to_pyg(own=True, **how)
        graphs = ours.to_data_list()
        assert len(graphs) == len(batch) == ours.num_graphs
        for i, one in enumerate(graphs):
            inside = batch.x[i] > threshold
            if keep_unmeasured:
                inside = inside | ~batch.measured[i]
            nodes = torch.nonzero(inside).flatten()
            assert torch.equal(one.node_id, nodes)
            assert torch.equal(one.x.flatten(), batch.x[i][nodes])
            assert torch.equal(one.measured, batch.measured[i][nodes])
            expected, _, kept = subgraph(
                nodes, graph.edge_index, relabel_nodes=True, num_nodes=N, return_edge_mask=True
            )
            assert torch.equal(one.edge_index, expected)
            assert torch.equal(one.edge_id, torch.nonzero(kept).flatten())
            assert torch.equal(one.edge_sign, graph.edge_sign[kept])
            assert (one.y.item(), one.cell.item()) == (batch.y[i].item(), batch.cell[i].item())
        assert ours.batch.tolist() == [i for i, g in enumerate(graphs) for _ in g.node_id]
        assert torch.equal(ours.edge_index, PygBatch.from_data_list(graphs).edge_index)


def test_a_data_set_of_own_graphs(ts: tosg.TrainingSet) -> None:
    graphs = ts.as_dataset("val", own=True)
    for i in range(len(graphs)):
        one, row = graphs[i], ts.rows("val")[i]
        expressed = np.flatnonzero(dense([row], N)[0])
        assert one.node_id.tolist() == expressed.tolist()
        assert one.num_nodes == len(expressed)
        assert one.x.flatten().tolist() == dense([row], N)[0][expressed].tolist()
        assert len(pickle.dumps(graphs)) < 2000
