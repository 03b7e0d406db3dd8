"""Frames that wait on disk: more than memory should hold, written once and read in order."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from tosg.errors import TosgError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLUSH_ROWS = 200_000


@contextmanager
def raise_disk_errors(path: Path) -> Iterator[None]:
    """Make what the disk refuses our error."""
    try:
        yield
    except OSError as error:
        raise TosgError(
            "the claims cannot be stored on disk; nothing was loaded",
            where=path.parent.parent,
            found=error,
            hint="free space there, or set TMPDIR to a folder on a larger disk",
        ) from error


class FrameFile:
    """Frames of the same columns: small ones collect in memory, then go to one Arrow IPC file.

    Parameters
    ----------
    path : Path
        The file, which is made once there is enough to write.
    compact : bool
        Whether texts are copied out of the frames that they were picked from, where these hold
        many others.

    Attributes
    ----------
    rows : int
        How many were added.
    """

    def __init__(self, path: Path, *, compact: bool = False) -> None:
        self._path = path
        self._level = pl.CompatLevel.oldest() if compact else pl.CompatLevel.newest()
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self.rows = 0
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Add rows."""
        if not frame.height:
            return
        self._waiting.append(frame)
        self._rows += frame.height
        self.rows += frame.height
        if self._rows >= _FLUSH_ROWS:
            self._flush()

    def _flush(self) -> None:
        whole = pl.concat(self._waiting, rechunk=True)
        table = whole.to_arrow(compat_level=self._level)
        with raise_disk_errors(self._path):
            if self._writer is None:
                self._writer = pa.ipc.new_file(self._path, table.schema)
            self._writer.write_table(table)
        self._waiting, self._rows = [], 0

    def read(self) -> pl.DataFrame:
        """Everything added; nothing may be added after."""
        self._finish()
        stored = [pl.read_ipc(self._path)] if self._path.exists() else []
        return pl.concat([*stored, *self._waiting], rechunk=False)

    def batches(self) -> Iterator[pl.DataFrame]:
        """Everything added, in frames of bounded size that are read one after the other."""
        self._finish()
        if self._path.exists():
            # Not mapped into memory: what was read is given back.
            with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as stored:
                for number in range(stored.num_record_batches):
                    yield pl.DataFrame(stored.get_batch(number))
        if self._waiting:
            yield pl.concat(self._waiting)

    def _finish(self) -> None:
        if self._writer is not None:
            with raise_disk_errors(self._path):
                self._writer.close()
            self._writer = None

    def close(self) -> None:
        """Close the file, which whoever made its folder removes."""
        if self._writer is not None:
            with suppress(OSError):  # the disk is full, and the file is thrown away
                self._writer.close()
            self._writer = None
