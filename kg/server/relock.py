"""Make the lock of a version: ``python -m tosg.kg.server.relock 2026.09.0``.

For maintainers, when a version is added. Resolves the dependencies with jgo, downloads every
jar, has jgo compare each with the repository's own sha1, and prints nothing but writes
``locks/<version>.lock`` beside this module.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tosg.errors import ServerError
from tosg.files import hash_file
from tosg.kg.server.jars import download_jar, maven
from tosg.kg.server.versions import COORDINATES, Jar

#: pulled in by a slip in the scopes of some pom, never loaded by a server
NOT_NEEDED = {
    "org.mockito:mockito-core", "net.bytebuddy:byte-buddy", "net.bytebuddy:byte-buddy-agent",
    "org.objenesis:objenesis", "junit:junit", "org.hamcrest:hamcrest",
}  # fmt: skip


class _Verified(logging.Handler):
    """Counts the files whose sha1 jgo found equal to the repository's."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.good: set[str] = set()
        self.bad: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith("Checksum verified: "):
            self.good.add(message.removeprefix("Checksum verified: "))
        elif message.startswith("Checksum mismatch"):
            self.bad.append(message)


def coordinates(version: str, repository: Path) -> list[str]:
    """Resolve the server's jars as ``group:artifact:version[:classifier]``."""
    context = maven(repository)
    wanted = [context.create_dependency(f"{name}:{version}") for name in COORDINATES]
    inputs, transitive = context.resolver.resolve(wanted)
    found = []
    for dependency in [*inputs, *transitive]:
        artifact = dependency.artifact
        if f"{artifact.groupId}:{artifact.artifactId}" in NOT_NEEDED:
            continue
        parts = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
        found.append(":".join(part for part in parts if part))
    return found


def relock(version: str) -> Path:
    """Write the lock of a version and return its path.

    Raises
    ------
    ServerError
        A jar could not be downloaded, or its sha1 was not confirmed by the repository.
    """
    log = logging.getLogger("jgo")
    verified = _Verified()
    log.setLevel(logging.DEBUG)
    log.addHandler(verified)
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        names = coordinates(version, repository)
        context = maven(repository)
        with ThreadPoolExecutor(8) as pool:
            paths = list(pool.map(lambda name: download_jar(context, name), names))
        unconfirmed = [path.name for path in paths if path.name not in verified.good]
        if verified.bad or unconfirmed:
            raise ServerError(
                "the repository's sha1 does not confirm every jar",
                found="; ".join([*verified.bad, *unconfirmed]),
            )
        jars = [
            Jar(name, path.stat().st_size, hash_file(path))
            for name, path in zip(names, paths, strict=True)
        ]
    lines = [f"{jar.coordinate} {jar.size} {jar.sha256}" for jar in jars]
    target = Path(__file__).parent / "locks" / f"{version}.lock"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        relock(argument)
