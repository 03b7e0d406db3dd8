"""The tasks of an export on a Ray cluster (extra ``ray``).

Every node has to see the folder of the export under the same path, and to reach the database.
Only this module imports Ray.
"""

from __future__ import annotations

import os
import socket
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tosg.errors import ConfigError, ExportError
from tosg.export.write.worker_deaths import MOST_DEATHS, forget_dead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.export.write.plan import ExportPlan, Receipt, Task

#: Seconds between two looks at the cluster while no task ends.
_PATIENCE = 10.0

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def import_ray() -> Any:
    """Import Ray.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    # The documented switch: a cluster that we start sends no usage reports.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Ray, about its own defaults
            import ray
    except ImportError as error:
        raise ConfigError(
            "the engine ray needs a package that is not installed",
            where="engine",
            found=error,
            hint="pip install 'tosg[ray]', or --engine local",
        ) from error
    return ray


@contextmanager
def open_ray(workers: int | None) -> Iterator[RayEngine]:
    """Connect to the cluster that RAY_ADDRESS names or that runs here, else start one here.

    A connection that stands already is used, and stays.

    Raises
    ------
    ConfigError
        Ray is not installed, or the cluster cannot be reached.
    """
    ray = import_ray()
    ours = not ray.is_initialized()
    if ours:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(log_to_driver=False, logging_level="ERROR", configure_logging=True)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                "the Ray cluster cannot be reached",
                where="engine",
                found=error,
                expected="a cluster at RAY_ADDRESS, or none named and one that can start here",
                hint="start it (`ray start --head`), or unset RAY_ADDRESS",
            ) from error
    try:
        yield RayEngine(ray, workers or max(1, count_cpus(ray)))
    finally:
        if ours:
            ray.shutdown()


def count_cpus(ray: Any) -> int:
    """CPUs of the nodes that are alive."""
    return int(ray.cluster_resources().get("CPU", 0))


class RayEngine:
    """A Ray cluster.

    Parameters
    ----------
    ray : module
        Ray, connected.
    workers : int
        Tasks that run at once.
    """

    def __init__(self, ray: Any, workers: int) -> None:
        self.workers = workers
        self.deaths = 0
        self._ray = ray

    def run(self, plan: ExportPlan, task: Task, count: int) -> Iterator[tuple[int, Receipt]]:
        """Run tasks 0..count-1; yields (number, receipt) as they end.

        Raises
        ------
        ExportError
            Workers or nodes keep dying, or the cluster has no CPU left.
        ConfigError
            Nodes of other machines cannot reach the database.
        TosgError
            As the task.
        """
        ray = self._ray
        check_reachable(plan.db.target.uri, [n["NodeManagerAddress"] for n in _alive(ray)])
        remote = ray.remote(num_cpus=1, max_retries=0)(_run)  # we retry, to count deaths
        boxed = ray.put(plan)
        todo, tries = list(reversed(range(count))), dict.fromkeys(range(count), 0)
        waiting: dict[Any, int] = {}
        try:
            while todo or waiting:
                while todo and len(waiting) < self.workers:
                    k = todo.pop()
                    waiting[remote.remote(boxed, task, k)] = k
                done, _ = ray.wait(list(waiting), timeout=_PATIENCE)
                if not done:
                    self._check_alive(plan)
                for reference in done:
                    k = waiting.pop(reference)
                    receipt = self._receipt(reference, plan, k, tries)
                    if receipt is None:
                        todo.append(k)
                    else:
                        yield k, receipt
            if self.deaths:  # not before: other tasks' files of the same kind were still written
                forget_dead(plan)
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)

    def _receipt(
        self, reference: Any, plan: ExportPlan, k: int, tries: dict[int, int]
    ) -> Receipt | None:
        """Fetch what a task returned; None where its worker died, so that it is done again."""
        errors = self._ray.exceptions
        try:
            receipt: Receipt = self._ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from error  # what the task itself raised
        except errors.RayError as error:  # a worker, its node or an object was lost
            self.deaths += 1
            tries[k] += 1
            if tries[k] == MOST_DEATHS:
                raise ExportError(
                    "a task of the export was lost with its Ray worker or node again and again",
                    where=f"{plan.folder}, task {k}",
                    found=f"{tries[k]} times; at last: {_first_line(error)}",
                    hint="see Ray's logs; often memory runs out. --resume goes on",
                ) from error
            return None
        return receipt

    def _check_alive(self, plan: ExportPlan) -> None:
        if count_cpus(self._ray) == 0:
            raise ExportError(
                "the Ray cluster has no node with a CPU left",
                where=plan.folder,
                found=f"{len(_alive(self._ray))} nodes alive, 0 CPUs",
                hint="start nodes (`ray start --address=...`); --resume goes on",
            )


def check_reachable(uri: str, addresses: list[str]) -> None:
    """Check that nodes of several machines are not given a database of this one's loopback.

    Raises
    ------
    ConfigError
        They are.
    """
    if len(set(addresses)) > 1 and urlsplit(uri).hostname in _LOOPBACK:
        raise ConfigError(
            "nodes of the Ray cluster cannot reach the database",
            where="engine",
            found=f"{uri}, and nodes at {', '.join(sorted(set(addresses)))}",
            expected="an address that every node reaches",
            hint="set NEO4J_URI to a server that listens on the network, or use --engine local",
        )


_of_the_export = ExitStack()  # what this worker holds open for `_exported`
_exported: Path | None = None


def _run(plan: ExportPlan, task: Task, k: int) -> Receipt:
    """Run a task on a node of the cluster."""
    check_shared(plan)
    stay_open(plan.folder)
    with plan.db:  # a worker gets a new connection with each plan that it unpacks
        return task(plan, k)


def stay_open(folder: Path) -> None:
    """Keep files of cells open in this worker until it ends, or works on another export.

    A worker is not told of the last task, and may end without a word.
    """
    from tosg.kg.cells.files.opening import keep_open

    global _exported
    if folder != _exported:
        _of_the_export.close()
        _of_the_export.enter_context(keep_open())
        _exported = folder


def check_shared(plan: ExportPlan) -> None:
    """Check that this node sees the export's folder.

    Raises
    ------
    ExportError
        It does not.
    """
    if not (plan.work / "source.npy").is_file():
        raise ExportError(
            "a node of the Ray cluster does not see the folder of the export",
            where=plan.folder,
            found=f"no such folder on {socket.gethostname()}",
            expected="a file system that all nodes share, under the same path",
            hint="export to a shared folder, or use --engine local",
        )


def _alive(ray: Any) -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
