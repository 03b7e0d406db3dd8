"""Memory that is used again: never while anybody looks at it."""

from __future__ import annotations

import numpy as np
import torch

from tosg.export.batches.buffers import GRAIN, Buffers


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_it_is_used_again_only_when_nothing_looks_at_it() -> None:
    buffers = Buffers()
    first = buffers.take(4000).view(np.float32)
    place = address(first)
    tensor = torch.from_numpy(first[10:20])
    tensor[:] = 7
    del first
    second = buffers.take(4000).view(np.float32)
    assert address(second) != place
    second[:] = 1
    assert tensor.tolist() == [7.0] * 10
    part = tensor[2:3]
    del tensor
    assert address(buffers.take(4000)) != place
    del part
    assert address(buffers.take(2000)) == place


def test_no_more_are_kept_than_it_may() -> None:
    buffers = Buffers(most=2)
    held = [buffers.take(40) for _ in range(5)]
    assert len({address(array) for array in held}) == 5
    assert len(buffers._buffers) == 2


def test_a_small_request_does_not_hold_a_large_buffer() -> None:
    buffers = Buffers()
    large = buffers.take(3 * GRAIN)
    place = address(large)
    del large
    assert address(buffers.take(10)) != place


def test_nothing_asked_for() -> None:
    assert len(Buffers().take(0)) == 0
