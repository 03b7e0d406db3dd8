"""What the graph is known to hold of one source, as digests by ranges of start nodes.

A source's claims about one relationship type are summed up in one number for each range of nodes
at which they start. A later load of the same source compares its own numbers with those that the
graph keeps (``(:TosgDigest)``), and reads, merges and writes only the ranges that differ. The merge
is a function of the set of claims, so a range whose claims are all stored stays as it is.

A digest is the sum of a hash of each claim, so that it does not depend on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]
    Digests = NDArray[np.uint64]

#: Nodes of one range, by ``idx``.
RANGE_NODES = 16

#: Fewer claims of one relationship type are compared with the stored ones as they are.
LEAST_CLAIMS = 200_000

#: The same claims give the same digests only where this is the same.
MADE_BY = f"1, polars {pl.__version__}, ranges of {RANGE_NODES}"

#: Two hashes of 64 bits, as one of them could be the same by chance once in 2**64 times.
_SEEDS = (11, 21)


@dataclass(frozen=True)
class SourceDigests:
    """Digests of one source's claims about one relationship type.

    Attributes
    ----------
    type, source : str
        Which.
    values : (ranges, 2) uint64
        By range of start nodes; zeros where it has no claims.
    releases : tuple of str
        Releases of the source that the graph holds of this type, sorted.
    """

    type: str
    source: str
    values: Digests
    releases: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """The values as little-endian bytes."""
        return self.values.astype("<u8").tobytes()


def from_bytes(values: bytes) -> Digests:
    """Undo `SourceDigests.to_bytes`."""
    return np.frombuffer(values, "<u8").reshape(-1, 2).astype(np.uint64)


def ranges_of(idx: Int64s) -> Int64s:
    """Range of each node."""
    return idx // RANGE_NODES


class DigestSums:
    """Sums up claims as they come.

    Parameters
    ----------
    idx : (n,) int64
        ``idx`` of the nodes by code.
    """

    def __init__(self, idx: Int64s) -> None:
        self._idx = idx
        self._ranges = int(idx.max()) // RANGE_NODES + 1 if len(idx) else 0
        self.of_source: dict[str, Digests] = {}
        self.claims: dict[str, int] = {}

    def add(self, resolved: pl.DataFrame) -> None:
        """Add claims, columns `tosg.kg.merge.relationships.RESOLVED`, the ends in order."""
        for (source,), rows in resolved.partition_by("source", as_dict=True).items():
            start, end = (self._idx[rows[c].to_numpy()] for c in ("start", "end"))
            named = rows.with_columns(pl.Series("start", start), pl.Series("end", end))
            sums = self.of_source.setdefault(str(source), np.zeros((self._ranges, 2), np.uint64))
            self.claims[str(source)] = self.claims.get(str(source), 0) + rows.height
            for column, seed in enumerate(_SEEDS):
                hashes = named.hash_rows(seed)
                np.add.at(sums[:, column], ranges_of(start), hashes.to_numpy())

    def changed(self, known: Mapping[str, SourceDigests]) -> NDArray[np.bool_]:
        """Which ranges have claims that the graph is not known to hold, (ranges,) bool."""
        found = np.zeros(self._ranges, np.bool_)
        for source, sums in self.of_source.items():
            before = _known(known.get(source), self._ranges)
            found |= (sums != before).any(axis=1) & (sums != 0).any(axis=1)
        return found

    def joined(
        self, name: str, known: Mapping[str, SourceDigests], releases: Mapping[str, set[str]]
    ) -> list[SourceDigests]:
        """Digests of what the graph holds once these claims are stored, by source.

        Parameters
        ----------
        name : str
            The relationship type.
        known : mapping of str to SourceDigests
            By source, what it was known to hold before.
        releases : mapping of str to set of str
            Releases of each source that the load brings or has met.
        """
        made = []
        for source, sums in sorted(self.of_source.items()):
            before = known.get(source)
            length = max(self._ranges, len(before.values) if before else 0)
            values = _known(before, length)
            has_some = (sums != 0).any(axis=1)
            values[: self._ranges][has_some] = sums[has_some]
            told = {*releases.get(source, ()), *(before.releases if before else ())}
            made.append(SourceDigests(name, source, values, tuple(sorted(told))))
        return made


def _known(digests: SourceDigests | None, ranges: int) -> Digests:
    """Values of so many ranges, a copy."""
    values = np.zeros((ranges, 2), np.uint64)
    if digests is not None:
        some = digests.values[:ranges]
        values[: len(some)] = some
    return values
