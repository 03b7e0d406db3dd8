"""A lock between processes that a killed holder cannot keep."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE_AFTER = 2.0


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file, waiting as long as another process does.

    The lock belongs to the open file, so the kernel frees it when its holder dies in any way.

    Parameters
    ----------
    path : Path
        The lock file; its folder must exist.
    what : str
        What the lock guards, for the notice that is shown on stderr while waiting.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=NOTICE_AFTER)
    except Timeout:
        print(f"waiting for another process: {what}", file=sys.stderr)  # noqa: T201
        started = time.monotonic()
        lock.acquire()
        waited = time.monotonic() - started
        print(f"waited {waited:.0f} s", file=sys.stderr)  # noqa: T201
    try:
        yield
    finally:
        lock.release()
