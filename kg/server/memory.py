"""How much memory the server may use: the machine's, the cgroup's, and the user's bound."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psutil

from tosg.errors import ConfigError

MIB = 1 << 20
#: below this the server does not start, or dies under its first real query
LEAST_BYTES = 512 * MIB
#: more does not help graphs of this kind, and the user runs other things too
DEFAULT_MOST = 12 * 1024 * MIB
SIZE_SUFFIXES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True)
class Sizes:
    """Bytes of the server's Java heap and of its page cache."""

    heap: int
    page_cache: int


def parse_size(text: str) -> int:
    """Read ``2g``, ``1500m`` or a number of bytes.

    Raises
    ------
    ConfigError
        It is not a size, or too little for a server.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    size = int(float(match[1]) * SIZE_SUFFIXES[match[2]]) if match else 0
    if size < LEAST_BYTES:
        raise ConfigError(
            "the memory for the managed server is not a usable size",
            where="TOSG_NEO4J_MEMORY",
            found=text,
            expected=f"{LEAST_BYTES // MIB}m or more, as 1500m or 4g",
        )
    return size


def sizes(bound: str | None) -> Sizes:
    """Divide the memory that the server may use between heap and page cache.

    Parameters
    ----------
    bound : str, optional
        Upper bound on both together; by default half of what is available now, at most 12 GiB.
    """
    total = parse_size(bound) if bound is not None else min(available() // 2, DEFAULT_MOST)
    total = max(total, LEAST_BYTES) // MIB * MIB
    # Queries, index population and collected blocks live in the heap; the stores of graphs
    # that fit a workstation are small, and vectors are read by Lucene outside of both.
    heap = total * 6 // 10 // MIB * MIB
    return Sizes(heap=heap, page_cache=total - heap)


def available(root: Path = Path("/")) -> int:
    """Bytes that may still be used: by the machine and by every cgroup above this process.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    machine = int(psutil.virtual_memory().available)
    return max(0, min([machine, *_cgroup_headrooms(root)]))


def _cgroup_headrooms(root: Path) -> list[int]:
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    mount = root / "sys/fs/cgroup"
    rooms = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names, base = ("memory.max", "memory.current", "inactive_file"), mount
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            base = mount / "memory"
        else:
            continue
        folder = base / path.lstrip("/")
        # Inside a container the path may be the host's; then only the mount itself is there.
        for group in [folder, *folder.parents]:
            room = _headroom(group, *names)
            if room is not None:
                rooms.append(room)
            if group == base:
                break
    return rooms


def _headroom(group: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    try:
        most = (group / limit).read_text(encoding="ascii").strip()
        used = int((group / usage).read_text(encoding="ascii"))
        stat = (group / "memory.stat").read_text(encoding="ascii")
    except OSError:
        return None
    if not most.isdigit() or int(most) >= 1 << 60:  # "max", or cgroup v1's way to say it
        return None
    cached = re.search(rf"^{reclaimable} (\d+)$", stat, re.MULTILINE)
    return int(most) - used + (int(cached[1]) if cached else 0)
