"""A function of ours in a process of its own, with the peak memory of all of its client side.

The memory is that of the process and of those it starts, without the database: its server and its
import tool run in Java. Seconds of processor are those of the process with its threads, which other
work on the machine does not change as it changes the time by the clock.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks import ROOT

#: Seconds between two looks at the memory of processes that ours has started.
_PAUSE = 1.0


def run_client(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m MODULE ARGUMENTS``, which prints `figures` as JSON on its last line.

    Returns
    -------
    dict
        That object; ``peak_mib`` is with the processes that it has started.
    """
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    others, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        others = max(others, _resident_of_children(watched))
        time.sleep(_PAUSE)
    out = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, out)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**found, "peak_mib": round(found["peak_mib"] + others / 2**20, 1)}


def figures(**more: Any) -> str:
    """JSON of `more` with what this process has used: ``peak_mib``, ``processor_seconds``."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = round(used.ru_utime + used.ru_stime, 1)
    return json.dumps({**more, "peak_mib": peak_mib(), "processor_seconds": seconds})


def peak_mib() -> float:
    """Greatest resident memory of this process so far."""
    status = Path("/proc/self/status")  # the other count is handed down by whoever started it
    if status.is_file():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 2**10, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1)  # macOS: bytes


def _resident_of_children(process: psutil.Process) -> int:
    total = 0
    try:
        for one in process.children(recursive=True):
            if "java" not in one.name() and "neo4j" not in one.name():
                total += one.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total
