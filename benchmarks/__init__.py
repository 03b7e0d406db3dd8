"""Benchmarks as ratios against a plain peer, in one run on one machine.

``python -m benchmarks NAME --json`` runs the module ``benchmarks.NAME``, which has one function::

    def run(options: Options) -> list[Comparison]

A module measures ours and the peer in the same process, checks that both gave the same result
(counts and checksums) and only then returns its comparisons. The peer's code stands in
``benchmarks/peers/``, plain and fair.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

#: Where the shared data lie in a checkout that has them.
DEFAULT_DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Options:
    """What the command line said.

    Attributes
    ----------
    small : bool
        A smoke run of seconds, on a synthetic graph; its figures mean nothing.
    data : Path or None
        Folder with the shared data; None where there is none.
    home : Path
        Folder of the benchmarks' own managed server and files; kept between runs, so that `read`,
        `export` and `load` prepare the graph once.
    seed : int
        Seed of everything that is drawn.
    repeat : int
        How often each timed side runs; the best counts.
    share : float
        Part of their sizes that `scale` and `curves` have.
    only : tuple of str
        Parts of a benchmark to run; all where there is none.
    """

    small: bool = False
    data: Path | None = None
    home: Path = Path("/tmp/tosg-benchmarks")  # noqa: S108
    seed: int = 20261
    repeat: int = 1
    share: float = 1.0
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Ours against a peer.

    Attributes
    ----------
    name : str
        What was compared, as in "import".
    ours, peer : float
        The two figures, both in `unit`.
    unit : str
        ``s`` or another unit of time (less is better), or ``.../s`` (more is better).
    detail : dict
        Figures for information: counts that were checked, times of the stages.
    """

    name: str
    ours: float
    peer: float
    unit: str
    detail: dict[str, object] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times faster ours is: above 1 ours wins."""
        if self.unit.endswith("/s"):
            return self.ours / self.peer
        return self.peer / self.ours


class Stopwatch:
    """Seconds spent per named stage, in the order of first use."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; the same name again adds up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent


def note(text: str) -> None:
    """Say something on stderr; stdout is the result only."""
    print(text, file=sys.stderr, flush=True)


def machine() -> dict[str, object]:
    """Describe what the figures were taken on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
