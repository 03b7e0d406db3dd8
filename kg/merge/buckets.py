"""Rows parted by the ends of relationships, on disk once they are many.

The merge of one relationship type needs all claims about one pair of nodes at a time, and no more.
Rows are put into buckets by a hash of their two ends, and read back a few buckets at a time, so
that memory is bounded by `MOST_BUCKET_ROWS` whatever the type's size, hubs included.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
import pyarrow as pa

from tosg.kg.claims.frame_file import raise_disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from numpy.typing import NDArray

#: Rows that are kept in memory, and of one part.
MOST_BUCKET_ROWS = 500_000

#: Files that are open at once are this many times the kinds of rows.
MERGE_BUCKETS = 48

_MIX = np.uint64(0x9E3779B97F4A7C15)


class Buckets:
    """Rows of some kinds by the ends that they belong to; a context that deletes its files.

    Parameters
    ----------
    schemas : mapping of str to mapping
        Columns of each kind of rows.
    folder : Path, optional
        Folder for a temporary one, by default the system's.
    """

    def __init__(
        self, schemas: Mapping[str, Mapping[str, Any]], folder: Path | None = None
    ) -> None:
        self._schemas = schemas
        self._temporary = tempfile.TemporaryDirectory(prefix="tosg-merge-", dir=folder)
        self._folder = Path(self._temporary.name)
        self._memory: list[tuple[str, pl.DataFrame, NDArray[np.int64]]] = []
        self._rows = 0
        self._counts = np.zeros(MERGE_BUCKETS, np.int64)
        self._writers: dict[tuple[str, int], pa.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        self._temporary.cleanup()

    def add(self, kind: str, rows: pl.DataFrame, start: NDArray[Any], end: NDArray[Any]) -> None:
        """Add rows of one kind.

        Parameters
        ----------
        kind : str
            One of the kinds.
        rows : DataFrame
            Columns of the kind.
        start, end : (n,) integers
            The ends that each row belongs to.
        """
        if not rows.height:
            return
        bucket = _bucket_of(start, end)
        self._counts += np.bincount(bucket, minlength=MERGE_BUCKETS)
        self._memory.append((kind, rows, bucket))
        self._rows += rows.height
        if self._rows > MOST_BUCKET_ROWS or self._writers:
            self._spill()

    def parts(self) -> Iterator[dict[str, pl.DataFrame]]:
        """Give the rows back, by kind, those of the same ends together; nothing may be added after.

        Yields
        ------
        dict of str to DataFrame
            Every kind, with at most about `MOST_BUCKET_ROWS` rows in all. At least one part comes.
        """
        if not self._writers:
            yield {kind: self._of_memory(kind) for kind in self._schemas}
            return
        self._close()
        for group in self._groups():
            yield {kind: self._of_disk(kind, group) for kind in self._schemas}

    def _groups(self) -> Iterator[list[int]]:
        group: list[int] = []
        rows = 0
        for bucket, count in enumerate(self._counts.tolist()):
            if group and rows + count > MOST_BUCKET_ROWS:
                yield group
                group, rows = [], 0
            group.append(bucket)
            rows += count
        yield group

    def _of_memory(self, kind: str) -> pl.DataFrame:
        frames = [rows for of, rows, _ in self._memory if of == kind]
        return pl.concat([pl.DataFrame(schema=dict(self._schemas[kind])), *frames])

    def _of_disk(self, kind: str, group: list[int]) -> pl.DataFrame:
        frames = [pl.DataFrame(schema=dict(self._schemas[kind]))]
        for bucket in group:
            path = self._path(kind, bucket)
            if path.exists():
                with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                    frames.append(pl.DataFrame(stream.read_all()))
                path.unlink()
        return pl.concat(frames)

    def _path(self, kind: str, bucket: int) -> Path:
        return self._folder / f"{kind}-{bucket:02d}.arrows"

    def _spill(self) -> None:
        for kind, rows, bucket in self._memory:
            order = np.argsort(bucket, kind="stable")
            ranked = rows[order]
            ends = np.cumsum(np.bincount(bucket, minlength=MERGE_BUCKETS))
            for number, stop in enumerate(ends.tolist()):
                first = int(ends[number - 1]) if number else 0
                if stop > first:
                    self._write(kind, number, ranked.slice(first, stop - first))
        self._memory, self._rows = [], 0

    def _write(self, kind: str, bucket: int, rows: pl.DataFrame) -> None:
        # Columns of offsets and values: views would carry the texts of all other rows along.
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        path = self._path(kind, bucket)
        with raise_disk_errors(path):
            if (kind, bucket) not in self._writers:
                self._writers[kind, bucket] = pa.ipc.new_stream(path, table.schema)
            self._writers[kind, bucket].write_table(table)

    def _close(self) -> None:
        for writer in self._writers.values():
            with suppress(OSError):  # the disk is full, and the files are thrown away
                writer.close()


def _bucket_of(start: NDArray[Any], end: NDArray[Any]) -> NDArray[np.int64]:
    """Spread pairs of ends evenly, whatever nodes have many relationships."""
    mixed = (start.astype(np.int64).astype(np.uint64) << np.uint64(32)) ^ end.astype(
        np.int64
    ).astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
    return ((mixed >> np.uint64(40)) % np.uint64(MERGE_BUCKETS)).astype(np.int64)
