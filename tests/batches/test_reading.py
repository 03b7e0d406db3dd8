"""Reading ahead: threads, pages, and the mixing of an epoch."""

from __future__ import annotations

import mmap
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.training_sets import dense, write_training_set

import tosg
from tosg.export.batches.ahead import read_ahead
from tosg.export.batches.kernels import advise_pages, copy_rows, fill_rows
from tosg.export.batches.pages import Spans
from tosg.export.batches.sampler import Sampler, choose_buffer, order_stably

N = 6


def meet_again(sampler: Sampler) -> float:
    """How often pairs of one batch are together again in the next epoch, times that of chance."""
    n, size = sampler.n, sampler.batch_size
    place = np.empty((2, n), np.int64)
    for epoch in range(2):
        for i in range(len(sampler)):
            place[epoch, sampler.batch(epoch, i)] = i
    _, both = np.unique(place[0] * len(sampler) + place[1], return_counts=True)
    _, first = np.unique(place[0], return_counts=True)
    pairs, again = (float((c * (c - 1) // 2).sum()) for c in (first, both))
    return again / (pairs * (size - 1) / (n - 1))


@pytest.mark.parametrize(("n", "batch_size"), [(200_000, 256), (200_000, 1024), (30_000, 256)])
def test_an_epoch_mixes_like_a_shuffle_of_all_rows(n: int, batch_size: int) -> None:
    sampler = Sampler(n=n, batch_size=batch_size, seed=3, buffer=choose_buffer(n))
    assert 0.95 < meet_again(sampler) < 1.05


def test_runs_of_neighbours_meet_again_and_again() -> None:
    """The measure sees what it is for."""
    sampler = Sampler(n=200_000, batch_size=256, buffer=choose_buffer(200_000), run=16)
    assert meet_again(sampler) > 20


@pytest.mark.parametrize("n", [1, 1_000, 200_000, 1_000_000, 100_000_000])
def test_a_buffer_keeps_pairs_apart(n: int) -> None:
    rows = choose_buffer(n) * 32
    assert rows >= n or 1 + 31 * n / rows**2 < 1.01
    assert rows == 32 * 1024 or rows / 2 < (31 * n / 0.01) ** 0.5


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_window_has_the_rows_of_its_batches(shuffle: bool) -> None:
    sampler = Sampler(n=103, batch_size=8, seed=1, shuffle=shuffle, block=4, buffer=4)
    windows = [set(sampler.window(2, w).tolist()) for w in range(sampler.windows)]
    assert sorted(row for window in windows for row in window) == list(range(103))
    for i in range(len(sampler)):
        assert sampler.batch(2, i)[0] in windows[sampler.window_of(i)]


@pytest.mark.parametrize(("rank", "ranks"), [(0, 1), (1, 3)])
def test_several_batches_at_once_are_those_one_by_one(rank: int, ranks: int) -> None:
    sampler = Sampler(n=103, batch_size=8, seed=1, block=4, buffer=4, rank=rank, world_size=ranks)
    for numbers in (range(1), range(1, 4), range(len(sampler))):
        rows, sizes = sampler.batches(2, numbers)
        one_by_one = [sampler.batch(2, i) for i in numbers]
        assert sizes == [len(batch) for batch in one_by_one]
        np.testing.assert_array_equal(rows, np.concatenate(one_by_one))


@pytest.mark.parametrize("different", [3, 1 << 40])
def test_equal_numbers_stay_in_their_order(different: int) -> None:
    numbers = np.random.default_rng(0).integers(different, size=5000).astype(np.uint64)
    np.testing.assert_array_equal(order_stably(numbers), np.argsort(numbers, kind="stable"))


def test_a_batch_changed_in_place_leaves_the_gradients_of_others(tmp_path: Path) -> None:
    ts = tosg.TrainingSet(write_training_set(tmp_path / "set"))
    loader = ts.batches("train", batch_size=4, seed=2)
    for _ in range(2):  # the second time they are made dense by the same task
        first, second = list(loader)[:2]
        weight = torch.ones(N, requires_grad=True)
        loss = (first.x * weight).sum() + (first.values * weight[0]).sum()
        second.x.add_(7)
        second.values.zero_()
        torch.autograd.backward([loss])
        assert weight.grad is not None
        torch.testing.assert_close(weight.grad[1:], first.x.sum(0)[1:])


def test_a_batch_is_read_without_pandas(tmp_path: Path) -> None:
    """It takes half of the time until the first batch, and pyarrow imports it where it can."""
    folder = write_training_set(tmp_path / "set", normalize="log1p_cp10k")
    code = (
        f"import sys, tosg; next(iter(tosg.TrainingSet({str(folder)!r}).batches())).x; "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("normalize", ["none", "log1p_cp10k"])
@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_made_dense_ahead_are_those_made_when_asked(
    tmp_path: Path, normalize: str, threads: int
) -> None:
    ts = tosg.TrainingSet(write_training_set(tmp_path / "set", normalize=normalize))
    loader = ts.batches("train", batch_size=4, seed=2, threads=threads)
    epochs = [[(b.cell, b.x) for b in loader] for _ in range(3)]
    for batches in epochs:
        for cell, x in batches:
            assert torch.equal(x, ts.read(cell.numpy()).x)
    # The third epoch was read dense, and its sparse rows are read when they are asked for.
    for batch in loader:
        rows = ts.read(batch.cell.numpy())
        assert torch.equal(batch.values, rows.values)
        assert torch.equal(batch.indptr, rows.indptr)


def test_x_may_be_changed_in_place(tmp_path: Path) -> None:
    ts = tosg.TrainingSet(write_training_set(tmp_path / "set"))
    loader = ts.batches("train", batch_size=4, seed=2)
    for _ in range(3):
        for batch in loader:
            np.testing.assert_array_equal(batch.x.numpy(), dense(batch.cell.tolist(), N))
            batch.x.add_(7)
            batch.values.zero_()


def test_an_index_out_of_range_is_named_where_batches_are_dense(tmp_path: Path) -> None:
    folder = write_training_set(tmp_path / "set")
    loader = tosg.TrainingSet(folder).batches("train", batch_size=4, threads=1)
    for batch in loader:
        _ = batch.x
    path = folder / "expression" / "00001.indices.npy"
    for bad in (N, -1):
        indices = np.load(path)
        indices[0] = bad
        np.save(path, indices)
        ts = tosg.TrainingSet(folder)
        with pytest.raises(tosg.ExportError, match="breaks a rule") as caught:
            ts.expression.read_dense(np.arange(20))
        assert caught.value.where == str(path)
        loader.reader = ts.reader
        with pytest.raises(tosg.ExportError, match="breaks a rule"):
            list(loader)


@pytest.mark.parametrize(("part", "kind"), [("indices", np.int64), ("values", np.float64)])
def test_a_shard_of_another_type_is_named(tmp_path: Path, part: str, kind: Any) -> None:
    folder = write_training_set(tmp_path / "set")
    path = folder / "expression" / f"00001.{part}.npy"
    array = np.load(path)
    size = path.stat().st_size
    np.save(path, array.astype(kind)[: len(array) // 2])
    with path.open("ab") as stream:  # of the size that the manifest has
        stream.truncate(size)
    with pytest.raises(tosg.ExportError) as caught:
        tosg.TrainingSet(folder).read(range(20))
    assert caught.value.where == str(path)
    assert np.dtype(kind).name in str(caught.value.found)


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    expression = tosg.TrainingSet(write_training_set(tmp_path / "set")).expression
    for rows in ([-1], [35], [0, 99]):
        with pytest.raises(IndexError, match="of 35"):
            expression.read(np.array(rows))


def test_kernels_are_loaded_before_the_first_batch(tmp_path: Path) -> None:
    """No other arguments are compiled for while batches are read."""
    kernels = (copy_rows, fill_rows, advise_pages)
    loader = tosg.TrainingSet(write_training_set(tmp_path / "set")).batches("train", batch_size=4)
    before = [len(kernel.signatures) for kernel in kernels]
    for _ in range(2):
        for batch in loader:
            assert batch.x.shape[1] == N
    assert [len(kernel.signatures) for kernel in kernels] == before
    assert min(before) >= 1


def test_pages_cover_the_rows(tmp_path: Path) -> None:
    expression = tosg.TrainingSet(
        write_training_set(tmp_path / "set", sizes=(500, 1, 1), shard_rows=200, n_nodes=40)
    ).expression
    rows = np.array([0, 1, 5, 198, 199, 200, 501])
    spans = expression.find_spans(rows)
    assert (spans.addresses % mmap.PAGESIZE == 0).all()
    covered = [range(a, a + n) for a, n in zip(spans.addresses, spans.lengths, strict=True)]
    for row in rows.tolist():
        shard, place = row // 200, row % 200
        indptr, *parts = expression._shards[shard]
        for part in parts:
            first, last = (part.ctypes.data + 4 * int(indptr[place + k]) for k in (0, 1))
            assert first == last or any(first in span and last - 1 in span for span in covered)
    spans.request()
    spans.load()
    assert [len(part.addresses) for part in spans.parts(3)][:1] == [3]
    assert len(Spans.of(np.array([9]), np.array([9])).addresses) == 0


def test_pages_are_brought_in_once_where_they_fit(tmp_path: Path) -> None:
    ts = tosg.TrainingSet(write_training_set(tmp_path / "set"))
    loaded = ts.reader.pages._loaded
    for _ in ts.batches("val", batch_size=2):
        deadline = time.monotonic() + 20
        while not loaded[ts.rows("val")].all() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert np.flatnonzero(loaded).tolist() == list(ts.rows("val"))
    assert not [t for t in threading.enumerate() if t.name.startswith("tosg-")]


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_items_come_in_the_order_of_their_tasks(threads: int) -> None:
    def task(k: int) -> list[int]:
        time.sleep(0.01 * (k % 3))
        return [10 * k, 10 * k + 1]

    items = read_ahead((partial(task, k) for k in range(9)), threads=threads, ahead=3)
    assert list(items) == [10 * k + i for k in range(9) for i in range(2)]


def test_no_more_is_read_ahead_than_asked_and_leaving_ends_the_threads() -> None:
    begun: list[int] = []

    def task(k: int) -> list[int]:
        begun.append(k)
        return [k]

    items = read_ahead((partial(task, k) for k in range(100)), threads=2, ahead=3)
    assert next(iter(items)) == 0
    items.close()  # type: ignore[attr-defined]
    assert len(begun) <= 4
    assert not [t for t in threading.enumerate() if t.name.startswith("tosg-batches")]


def test_an_error_in_a_task_comes_in_its_place() -> None:
    def fail() -> list[int]:
        raise ValueError("here")

    items = read_ahead([lambda: [1], fail, lambda: [2]], threads=2, ahead=5)
    assert next(items) == 1
    with pytest.raises(ValueError, match="here"):
        next(items)
