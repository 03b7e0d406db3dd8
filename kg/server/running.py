"""Which managed servers run on this machine, whoever started them, and which graphs there are."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tosg.errors import ConfigError
from tosg.kg.server.process import HOME_OPTION
from tosg.kg.server.versions import RELEASES
from tosg.settings import DEFAULT_GRAPH, Settings, check_graph_name

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class RunningServer:
    """A managed server that runs on this machine.

    Attributes
    ----------
    pid : int
        Its process.
    home : Path
        The home folder that its graph is in.
    version : str
        Of Neo4j.
    """

    pid: int
    home: Path
    version: str

    def stop_command(self, settings: Settings) -> str:
        """What to type to stop it, where commands have these settings."""
        words = ["tosg", "down"]
        variables = {}
        if self.version != settings.neo4j_version:
            variables["TOSG_NEO4J_VERSION"] = self.version
        name = name_of(self.home, settings)
        if name is not None:
            words[1:1] = ["--graph", name]
        elif self.home != settings.common_home:
            variables["TOSG_HOME"] = str(self.home)
        elif settings.graph is not None:
            words[1:1] = ["--graph", DEFAULT_GRAPH]
        return " ".join([*(f"{k}={shlex.quote(v)}" for k, v in variables.items()), *words])


@dataclass(frozen=True)
class ManagedGraph:
    """A managed graph in the home folder.

    Attributes
    ----------
    name : str
        Its name; `DEFAULT_GRAPH` for the one without.
    home : Path
        Its folder.
    versions : list of str
        Versions of Neo4j that have data of it; each version has a graph of its own.
    running : list of str
        Those of them whose server runs.
    size : int
        Bytes on disk.
    chosen : bool
        Whether commands with these settings use it.
    """

    name: str
    home: Path
    versions: list[str]
    running: list[str]
    size: int
    chosen: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "home": str(self.home),
            "versions": self.versions,
            "running": self.running,
            "bytes": self.size,
            "chosen": self.chosen,
        }


def name_of(home: Path, settings: Settings) -> str | None:
    """Name of the graph in a home folder; None where it has none, or is of another home."""
    if home.parent != settings.common_home:
        return None
    try:
        return check_graph_name(home.name)
    except ConfigError:
        return None


def running_servers() -> list[RunningServer]:
    """Find the managed servers that run on this machine, sorted by home folder."""
    found = (_read_command(process) for process in psutil.process_iter())
    return sorted((s for s in found if s is not None), key=lambda s: (s.home, s.version))


def _read_command(process: psutil.Process) -> RunningServer | None:
    try:
        words = process.cmdline()
    except psutil.Error:  # gone, or another user's
        return None
    roots = [w.removeprefix(HOME_OPTION) for w in words if w.startswith(HOME_OPTION)]
    if not roots:
        return None
    root = Path(roots[0])
    return RunningServer(process.pid, root.parent, root.name)


def managed_graphs(settings: Settings) -> list[ManagedGraph]:
    """List the managed graphs of the home folder, the default one first.

    Parameters
    ----------
    settings : Settings
        Their home counts, and which graph they choose.
    """
    running = running_servers()
    graphs = []
    for name, home in _homes(settings):
        versions = [v for v in RELEASES if (home / v / "data").exists()]
        if versions:
            up = [s.version for s in running if s.home == home]
            size = sum(_size(home / v) for v in versions)
            chosen = settings.managed and home == settings.home
            graphs.append(ManagedGraph(name, home, versions, up, size, chosen))
    return graphs


def _homes(settings: Settings) -> Iterator[tuple[str, Path]]:
    home = settings.common_home
    yield DEFAULT_GRAPH, home
    if home.is_dir():
        for folder in sorted(home.iterdir()):
            if folder.is_dir() and name_of(folder, settings) is not None:
                yield folder.name, folder


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; those that go away meanwhile do not count."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total
