"""A training set that an earlier version wrote is read as that version read it.

``tests/data/training-set-57921e8`` was exported by the version of that commit, from the graph of
`support.signals`; `READ` are the hashes of what that version read from it, as native arrays in C
order. `tests/export/test_same_bytes.py` exports the same selection with today's version.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

import tosg

FOLDER = Path(__file__).resolve().parents[1] / "data" / "training-set-57921e8"

#: Shape and sha256 of each array.
READ = {
    "x": ((81, 8), "e433cc9fb9b43fb059d31de9aa707db12381346486eb50c160bd4109382a039d"),
    "measured": ((81, 8), "ca4fe621d79dc2dead0cf879e7adff70fd417577cea8a74bf6738a178a96020a"),
    "y": ((81,), "f5df93df84dc5e0c1f72cb1246db598b17d7ceaf7781a929a3414a701bd641a7"),
    "edge_index": ((2, 16), "4e74eceddb054cad33b3513cf32c692d878d3b461fed7180ce298add85233ab3"),
    "edge_score": ((16,), "d254337b36fb7c40c94aed90cb7244cacf6fd0993ad4a03cec3659367767ed29"),
    "edge_sign": ((16,), "d4bac404b14e93af55bd3150b0f8141db08b0a12054bbbacee966be9f2624131"),
    "text_embedding": ((8, 6), "64c3e61a67f20088a33aec366c068c48ead22142ad381920495250c939c68396"),
}


@pytest.fixture(scope="module")
def old() -> tosg.TrainingSet:
    return tosg.TrainingSet(FOLDER)


def test_it_is_whole(old: tosg.TrainingSet) -> None:
    old.verify()
    assert old.digest == "2630077f9bb03566ae5d453c664e59509d2377012ad4208b91f11b7600e35823"


@pytest.mark.parametrize("name", READ)
def test_arrays_are_those_that_were_read_then(old: tosg.TrainingSet, name: str) -> None:
    batch = old.read(np.arange(81))
    array: Tensor = getattr(batch if hasattr(batch, name) else old.graph, name)
    bytes_ = np.ascontiguousarray(array.numpy()).tobytes()
    assert (tuple(array.shape), hashlib.sha256(bytes_).hexdigest()) == READ[name]


def test_an_epoch_has_every_cell_once(old: tosg.TrainingSet) -> None:
    train = old.rows("train")
    seen = np.concatenate([batch.cell.numpy() for batch in old.batches("train", 16, seed=3)])
    assert sorted(seen.tolist()) == list(train)
