"""Read ahead in threads: batches in their order, and pages of the files before them."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from tosg.export.batches.shards import ShardReader

    Int64s = NDArray[np.int64]

Item = TypeVar("Item")

#: Part of the free memory that a training set may have for its pages to count as kept.
_KEPT_SHARE = 0.5


def read_ahead(
    tasks: Iterable[Callable[[], list[Item]]], *, threads: int, ahead: int
) -> Iterator[Item]:
    """Run tasks in threads and give their items in the order of the tasks.

    Parameters
    ----------
    tasks : iterable of callable
        Each gives some items; taken from the iterable in the caller's thread.
    threads : int
        Tasks that run at once; 0 runs each when its items are asked for.
    ahead : int
        Tasks that are running or done before their items are asked for.
    """
    if threads < 1:
        for task in tasks:
            yield from task()
        return
    waiting: deque[Future[list[Item]]] = deque()
    pool = ThreadPoolExecutor(threads, "tosg-batches")
    try:
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class PagesAhead:
    """Brings pages of the expression into memory, one window of an epoch before its batches.

    A first pass over a training set that nothing has read would wait for a page fault at every
    row; the disk and the kernel do the same work in large pieces several times as fast.

    Parameters
    ----------
    expression : ShardReader
        What is read.
    """

    def __init__(self, expression: ShardReader) -> None:
        self._expression = expression
        self._loaded = np.zeros(len(expression), bool)

    @contextmanager
    def running(
        self, rows: Int64s, window: Callable[[int], Int64s], n: int
    ) -> Iterator[Callable[[int], None]]:
        """Load windows in a thread for the length of the context.

        Parameters
        ----------
        rows : (n,) int64
            The rows of all windows.
        window : callable
            Number of a window to its rows, increasing.
        n : int
            Number of windows.

        Yields
        ------
        callable
            To be called with the number of each window whose batches are next.
        """
        if self._loaded[rows].all():
            yield lambda _: None
            return
        reached = threading.Semaphore(2)  # the first window, and the one after it
        stop = threading.Event()

        def work() -> None:
            for w in range(first, n):
                reached.acquire()
                if stop.is_set():
                    return
                self._load(window(w), stop)

        first, last = 0, -1
        thread: threading.Thread | None = None

        def advance(w: int) -> None:
            nonlocal first, last, thread
            if thread is None:
                first = last = w
                thread = threading.Thread(target=work, name="tosg-pages", daemon=True)
                thread.start()
            for _ in range(w - last):
                reached.release()
            last = max(last, w)

        try:
            yield advance
        finally:
            stop.set()
            reached.release()
            if thread is not None:
                thread.join()

    def _load(self, rows: Int64s, stop: threading.Event) -> None:
        rows = rows[~self._loaded[rows]]
        if not len(rows):
            return
        spans = self._expression.find_spans(rows)
        spans.request()
        for part in spans.parts():
            if stop.is_set():
                return
            part.load()
        if self._expression.nbytes < _KEPT_SHARE * psutil.virtual_memory().available:
            self._loaded[rows] = True
