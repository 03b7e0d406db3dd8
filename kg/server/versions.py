"""The Neo4j versions that the managed server can be, and the committed lock of each.

A lock lists every jar as ``group:artifact:version[:classifier] size sha256``, in class path
order. It holds no addresses: where jars come from is the business of Maven's resolution.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from tosg.errors import ServerError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

#: what a server is resolved from, at its version
COORDINATES = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")


@dataclass(frozen=True)
class Jar:
    """One line of a lock.

    Attributes
    ----------
    coordinate : str
        ``group:artifact:version`` or ``group:artifact:version:classifier``.
    size : int
        Bytes.
    sha256 : str
        Lower-case hexadecimal.
    """

    coordinate: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """Name of the file in the jar folder, unique within a lock."""
        _, artifact, version, *classifier = self.coordinate.split(":")
        return "-".join([artifact, version, *classifier]) + ".jar"


@dataclass(frozen=True)
class Release:
    """One supported version of Neo4j Community.

    Attributes
    ----------
    version : str
        As in ``2026.09.0``.
    main_class : str
        The server's entry point.
    more_settings : mapping
        Settings for neo4j.conf that only this version knows.
    """

    version: str
    main_class: str
    more_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def lock_text(self) -> str:
        """The committed lock as it is."""
        name = f"{self.version}.lock"
        return (resources.files(__package__) / "locks" / name).read_text(encoding="utf-8")

    def jars(self) -> tuple[Jar, ...]:
        """Every jar of the lock, in class path order."""
        return parse_lock(self.lock_text)

    def fingerprint(self) -> str:
        """Identify the lock's content: a receipt made for another lock does not count."""
        return hashlib.sha256(self.lock_text.encode()).hexdigest()


RELEASES = {
    release.version: release
    for release in (
        Release(
            "2026.09.0",
            "org.neo4j.server.Neo4jCommunity",
            {  # it would announce itself on the network
                "server.fleet_discovery.enabled": "false",
                "dbms.fleet_manager.enabled": "false",
            },
        ),
        Release("5.26.28", "org.neo4j.server.CommunityEntryPoint"),
    )
}


def release(version: str) -> Release:
    """Look up a supported version.

    Raises
    ------
    UsageError
        The version is not one that tosg has a lock for.
    """
    try:
        return RELEASES[version]
    except KeyError:
        raise unknown(
            "version of the managed server", version, RELEASES, where="TOSG_NEO4J_VERSION"
        ) from None


def parse_lock(text: str) -> tuple[Jar, ...]:
    """Read the lines of a lock; empty lines and lines that start with ``#`` are skipped.

    Raises
    ------
    ServerError
        A line is not three fields, or two jars would get the same file name.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 3 or not fields[1].isdigit() or len(fields[2]) != 64:
            raise ServerError(
                "the lock of the server's jars is damaged",
                where=f"line {number}",
                found=line,
                expected="coordinate, size, sha256",
                hint="install tosg again",
            )
        jars.append(Jar(fields[0], int(fields[1]), fields[2]))
    if len({jar.filename for jar in jars}) != len(jars):
        raise ServerError("the lock of the server's jars names one file twice")
    return tuple(jars)
