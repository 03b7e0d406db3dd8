"""Bring pages of mapped files into memory before they are read (``madvise(2)``)."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.export.batches.kernels import advise_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]

#: Start reading pages from disk; does not wait for them.
MADV_WILLNEED = 3

#: Read pages and enter them into this process's page table, so that no access to them faults.
#: Linux 5.14 and later; elsewhere the call fails, and pages fault when they are read.
MADV_POPULATE_READ = 22


@dataclass(frozen=True, slots=True)
class Spans:
    """Ranges of mapped memory.

    Attributes
    ----------
    addresses, lengths : (k,) int64
        Start, a multiple of the page size, and bytes of each range.
    """

    addresses: Int64s
    lengths: Int64s

    @classmethod
    def of(cls, low: Int64s, high: Int64s) -> Spans:
        """Round ranges ``low:high`` to whole pages; empty ones are left out."""
        some = high > low
        low, high = low[some], high[some]
        addresses = low - low % mmap.PAGESIZE
        return cls(addresses, high - addresses)

    def parts(self, spans: int = 64) -> Iterator[Spans]:
        """Cut into parts of that many ranges."""
        for start in range(0, len(self.addresses), spans):
            part = slice(start, start + spans)
            yield Spans(self.addresses[part], self.lengths[part])

    def request(self) -> None:
        """Start reading the pages from disk; returns at once."""
        advise_pages(self.addresses, self.lengths, MADV_WILLNEED)

    def load(self) -> None:
        """Wait until the pages are in memory and mapped."""
        advise_pages(self.addresses, self.lengths, MADV_POPULATE_READ)
