"""Streams of frames: cut where the merge can work on each by itself, and large enough to pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge import buckets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def large_frames(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Put small frames together: each join with all nodes has its price."""
    some: list[pl.DataFrame] = []
    for frame in frames:
        some.append(frame)
        if sum(f.height for f in some) >= buckets.MOST_BUCKET_ROWS:
            yield pl.concat(some)
            some = []
    if some:
        yield pl.concat(some)


def together(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Cut a stream of relationships that is sorted by its ends so that no pair is in two frames.

    Parameters
    ----------
    frames : iterable of DataFrame
        With ``start_idx`` and ``end_idx``.
    """
    held: pl.DataFrame | None = None
    for frame in frames:
        rows = frame if held is None else pl.concat([held, frame])
        if not rows.height:
            continue
        last = rows.select("start_idx", "end_idx").row(-1)
        of_last = (pl.col("start_idx") == last[0]) & (pl.col("end_idx") == last[1])
        held = rows.filter(of_last)
        if held.height < rows.height:
            yield rows.filter(~of_last)
    if held is not None:
        yield held
