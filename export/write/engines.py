"""What runs the tasks of an export: this process, local processes, or a Ray cluster.

A task whose worker dies is done again: it has written nothing but temporary files, or its receipt,
with which it ends at once. The manifest is written by the process that started the export.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from tosg.errors import ConfigError, ExportError, unknown
from tosg.export.write.worker_deaths import MOST_DEATHS, forget_dead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tosg.export.write.plan import ExportPlan, Receipt, Task

#: Engines by the name that ``--engine`` takes.
ENGINES = ("local", "ray")


class Engine(Protocol):
    """Runs tasks of a plan.

    Attributes
    ----------
    workers : int
        Tasks that run at once.
    deaths : int
        How often a worker died and its tasks were done again.
    """

    workers: int
    deaths: int

    def run(self, plan: ExportPlan, task: Task, count: int) -> Iterator[tuple[int, Receipt]]:
        """Run tasks 0..count-1; yields (number, receipt) as they end."""
        ...


@contextmanager
def open_engine(name: str, workers: int | None) -> Iterator[Engine]:
    """Open an engine for one export.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    workers : int, optional
        Tasks at once; by default 1, on Ray one for each CPU of the cluster.

    Raises
    ------
    UsageError
        There is no such engine.
    ConfigError
        Fewer than one worker, or Ray is not installed or cannot be reached.
    """
    check_engine(name, workers)
    if name == "local":
        yield LocalEngine(workers or 1)
        return
    from tosg.export.write.ray_engine import open_ray

    with open_ray(workers) as engine:
        yield engine


def check_engine(name: str, workers: int | None) -> None:
    """Check what needs neither database nor cluster; raises as `open_engine`."""
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES, where="engine")
    if workers is not None and workers < 1:
        raise ConfigError("workers must be 1 or more", where="workers", found=workers)
    if name == "ray":
        from tosg.export.write.ray_engine import import_ray

        import_ray()


class LocalEngine:
    """One process, or several of the same machine.

    Parameters
    ----------
    workers : int
        Processes; 1 runs the tasks in this one.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.deaths = 0

    def run(self, plan: ExportPlan, task: Task, count: int) -> Iterator[tuple[int, Receipt]]:
        """Run tasks 0..count-1; yields (number, receipt) as they end.

        Raises
        ------
        ExportError
            Worker processes keep dying.
        """
        if self.workers <= 1 or count <= 1:
            for k in range(count):
                yield k, task(plan, k)
            return
        todo, fruitless = dict.fromkeys(range(count)), 0
        while todo:
            try:
                for k, receipt in self._in_pool(plan, task, todo):
                    del todo[k]
                    fruitless = 0
                    yield k, receipt
            except BrokenProcessPool as error:
                # One dead process ends its pool: all that is left goes to a new one.
                self.deaths += 1
                fruitless += 1
                forget_dead(plan)
                if fruitless == MOST_DEATHS:
                    raise ExportError(
                        "worker processes keep dying",
                        where=plan.folder,
                        found=f"{fruitless} times in a row, with no task done in between",
                        hint="often memory runs out: with fewer --workers less is needed; "
                        "--resume goes on",
                    ) from error

    def _in_pool(
        self, plan: ExportPlan, task: Task, numbers: Iterable[int]
    ) -> Iterator[tuple[int, Receipt]]:
        waiting: dict[Future[Receipt], int] = {}
        following = iter(list(numbers))
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_start_worker, initargs=(plan,)
        )
        try:
            while True:
                while len(waiting) < 2 * self.workers and (k := next(following, None)) is not None:
                    waiting[pool.submit(_run, task, k)] = k
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_plan: ExportPlan | None = None  # of this worker process
_of_the_process = ExitStack()


def _start_worker(plan: ExportPlan) -> None:
    from tosg.kg.cells.files.opening import keep_open

    global _plan
    _plan = plan
    _of_the_process.enter_context(keep_open())
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # returns when it is gone, even by kill -9
        os._exit(1)


def _run(task: Task, k: int) -> Receipt:
    assert _plan is not None  # noqa: S101
    return task(_plan, k)
