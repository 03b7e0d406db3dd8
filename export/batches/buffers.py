"""Reuses batch memory once no tensor refers to it.

Fresh memory comes from the system in pages of 4 kB that it has to clear: for a batch of a few
megabytes that takes several times as long as the copy into it. A buffer that nothing refers to but
this list is free; arrays, slices and tensors that look into it keep it from being taken.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Buffers are this large or a multiple of it, so that one fits the next request too.
GRAIN = 1 << 22


class Buffers:
    """Buffers of one reader; safe to take from in several threads.

    Parameters
    ----------
    most : int
        Buffers that are kept; beyond, memory is fresh and is given back.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._buffers: list[NDArray[np.uint8]] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> NDArray[np.uint8]:
        """Uninitialised memory, (size,) bytes: nobody else's while it or a view of it is held."""
        with self._lock:
            buffer = self._free(size)
            if buffer is None:
                buffer = np.empty(-(-size // GRAIN) * GRAIN, np.uint8)
                if len(self._buffers) == self._most:
                    self._buffers.pop(0)
                self._buffers.append(buffer)
            return buffer[:size]

    def _free(self, size: int) -> NDArray[np.uint8] | None:
        for place in range(len(self._buffers)):
            # Two references: the list's, and that of the call itself.
            free = sys.getrefcount(self._buffers[place]) == 2
            if free and size <= len(self._buffers[place]) <= 2 * size + GRAIN:
                return self._buffers[place]
        return None
