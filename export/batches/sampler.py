"""The order of cells in an epoch: a policy that sees only counts.

The order is a function of (seed, epoch) alone, made by a counter-based generator (Philox, Salmon
et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): blocks of neighbouring rows are
permuted, then rows within a buffer of blocks. A buffer is so large that this mixes like a shuffle
of all rows (`choose_buffer`), and a block so large that a disk reads it well. Any batch of any rank
can be computed without the batches before it, which is what resuming in the middle of an epoch,
several ranks, and any number of threads rest on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tosg.errors import ConfigError

Int64s = NDArray[np.int64]

#: Rows of a block: 100 to 200 kB of a file, which a disk reads nearly as fast as all of it at once.
BLOCK_ROWS = 32

#: How much more often than by chance two cells of one batch may be together again in the next
#: epoch's.
_MEET_AGAIN_EXCESS = 0.01


@dataclass(frozen=True, slots=True)
class Sampler:
    """Which rows make which batch.

    Attributes
    ----------
    n : int
        Number of rows to draw from, 0 <= row < n.
    batch_size : int
        Rows a batch; the last one may be smaller unless ``drop_last``.
    seed : int
        Seed of the order.
    shuffle : bool
        Without it the rows come as they are.
    drop_last : bool
        Leave out the last batch where it is not full.
    rank, world_size : int
        This process among those that share the epoch. Batch ``i`` of rank ``r`` is batch
        ``i * world_size + r`` of the epoch. Every rank gets the same number of batches, and every
        row is in one of them: rows that do not fill a batch for each rank are shared evenly, so
        that the last batches are smaller (with ``drop_last``, they are left out).
    block, buffer : int
        Rows of a block, blocks of a buffer: a larger buffer mixes better and reads wider.
    run : int
        Neighbouring rows that stay together; divides `block`. Above 1, cells of a batch meet again
        far more often than by chance.
    """

    n: int
    batch_size: int
    seed: int = 0
    shuffle: bool = True
    drop_last: bool = False
    rank: int = 0
    world_size: int = 1
    block: int = BLOCK_ROWS
    buffer: int = 1024
    run: int = 1

    def __post_init__(self) -> None:
        divisors = [d for d in range(1, self.block + 1) if self.block % d == 0]
        for name, value, fits, expected in (
            ("batch_size", self.batch_size, self.batch_size >= 1, "1 or more"),
            (
                "rank",
                self.rank,
                0 <= self.rank < self.world_size,
                f"0 or more and below world_size, {self.world_size}",
            ),
            ("run", self.run, self.run in divisors, ", ".join(map(str, divisors))),
        ):
            if not fits:
                raise ConfigError(
                    f"batches cannot be made with this {name}",
                    where=name,
                    found=value,
                    expected=expected,
                )

        if not self.drop_last and len(self) * self.world_size > self.n:
            raise ConfigError(
                "the processes cannot share the cells in equal numbers of batches",
                where="world_size",
                found=f"{self.n:,} cells, {self.world_size} processes, "
                f"batches of at most {self.batch_size}",
                expected="a cell in every batch of every process, and no cell twice",
                hint="fewer processes, a larger batch_size, or drop_last; with rank=0 and "
                "world_size=1 each process reads all of them",
            )

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        together = self.batch_size * self.world_size
        return self.n // together if self.drop_last else -(-self.n // together)

    def _span(self, i: int) -> tuple[int, int]:
        """Start and stop of batch ``i`` of this rank, as places in the order of the epoch."""
        size, ranks = self.batch_size, self.world_size
        number = i * ranks + self.rank
        rounds, rest = divmod(self.n, size * ranks)
        if rest < ranks and rounds:  # too few for a batch each: the round before shares its rows
            rounds, rest = (rounds - 1, rest + size * ranks) if rest else (rounds, 0)
        if self.drop_last or number < rounds * ranks:
            return number * size, (number + 1) * size
        shared = (len(self) - rounds) * ranks
        start, place = rounds * ranks * size, number - rounds * ranks
        return start + place * rest // shared, start + (place + 1) * rest // shared

    def batch(self, epoch: int, i: int) -> Int64s:
        """Rows of batch ``i`` of this rank in ``epoch``.

        Returns
        -------
        (b,) int64
            ``b`` is ``batch_size``, or less for the last batches of the epoch.
        """
        if not 0 <= i < len(self):
            raise IndexError(f"batch {i} of {len(self)}")
        return self._rows(epoch, *self._span(i))

    def batches(self, epoch: int, numbers: range) -> tuple[Int64s, list[int]]:
        """Rows of several batches of this rank, one after the other, and the size of each."""
        spans = [self._span(i) for i in numbers]
        sizes = [stop - start for start, stop in spans]
        if self.world_size == 1:  # they follow each other
            return self._rows(epoch, spans[0][0], spans[-1][1]), sizes
        return np.concatenate([self._rows(epoch, *span) for span in spans]), sizes

    @property
    def windows(self) -> int:
        """Windows of an epoch: parts whose batches come from the same rows."""
        return -(-self.n // (self.block * self.buffer))

    def window_of(self, i: int) -> int:
        """Window that batch ``i`` of this rank begins in."""
        return self._span(i)[0] // (self.block * self.buffer)

    def window(self, epoch: int, w: int) -> Int64s:
        """Rows of window ``w`` of an epoch, increasing."""
        size = self.block * self.buffer
        return np.sort(self._rows(epoch, w * size, min((w + 1) * size, self.n)))

    def _rows(self, epoch: int, start: int, stop: int) -> Int64s:
        if not self.shuffle:
            return np.arange(start, stop, dtype=np.int64)
        size = self.block * self.buffer
        parts = []
        for b in range(start // size, -(-stop // size)):
            rows = _buffer(self.n, self.block, self.buffer, self.run, self.seed, epoch, b)
            parts.append(rows[max(start - b * size, 0) : stop - b * size])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def choose_buffer(n: int, block: int = BLOCK_ROWS) -> int:
    """Choose how many blocks a buffer has, so that an epoch mixes like a shuffle of all rows.

    Two rows of one block are in one buffer in every epoch, so they meet in a batch ``n / rows``
    times as often as by chance, where ``rows`` is the size of a buffer; a pair of a batch is of
    one block with probability ``(block - 1) / rows``. So pairs of a batch meet again
    ``1 + (block - 1) n / rows**2`` times as often as by chance.

    Returns
    -------
    int
        The least power of 2 that keeps this below 1.01; 1024 or more.
    """
    rows = ((block - 1) * n / _MEET_AGAIN_EXCESS) ** 0.5
    return max(1024, 1 << math.ceil(math.log2(max(rows / block, 1))))


def _permutation(n: int, seed: int, epoch: int, what: int) -> Int64s:
    """A random order of n things: the order of n random 64-bit numbers, ties by place.

    Raw numbers, since NumPy keeps the streams of its bit generators from version to version but
    not those of what is built on them.
    """
    # 128 bits of key: the seed and the epoch; the counter's top word tells the streams apart.
    key = np.array([seed % 2**64, epoch % 2**64], dtype=np.uint64)
    counter = np.array([0, 0, 0, what], dtype=np.uint64)
    numbers = np.random.Philox(key=key, counter=counter).random_raw(n)
    return order_stably(numbers)


def order_stably(numbers: NDArray[np.uint64]) -> Int64s:
    """The order that sorts n numbers, (n,) int64; equal ones stay as they are."""
    order = np.argsort(numbers)  # several times as fast as a stable sort
    ordered = numbers[order]
    if (ordered[1:] == ordered[:-1]).any():  # where the two may differ
        order = np.argsort(numbers, kind="stable")
    return order.astype(np.int64, copy=False)


@lru_cache(maxsize=8)
def _blocks(n: int, block: int, seed: int, epoch: int) -> Int64s:
    # The last block may be short; it stays last, so that places can be computed.
    whole = n // block
    order = _permutation(whole, seed, epoch, 0)
    return np.append(order, whole) if n % block else order


@lru_cache(maxsize=8)
def _buffer(n: int, block: int, buffer: int, run: int, seed: int, epoch: int, b: int) -> Int64s:
    """Rows of buffer ``b`` in their order: the runs of blocks ``b * buffer`` and on, mixed."""
    blocks = _blocks(n, block, seed, epoch)[b * buffer : (b + 1) * buffer]
    runs = (blocks[:, None] * block + np.arange(0, block, run)).ravel()
    runs = runs[_permutation(len(runs), seed, epoch, b + 1)]
    rows = (runs[:, None] + np.arange(run)).ravel()
    return rows[rows < n]
