"""Say why the server did not start, in the log's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tosg.errors import ServerError

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.server.layout import ServerLayout

#: what the logs say -> what to do about it; the first that fits counts
PORT_TAKEN = r"Address already in use|already bound|BindException"
NO_MEMORY = (
    r"Could not reserve enough space|insufficient memory|Cannot allocate memory"
    r"|OutOfMemoryError|Invalid memory configuration|exceeds (?:the )?physical memory"
)
BAD_OPTION = (
    r"Unrecognized (?:VM )?option|Could not create the Java Virtual Machine"
    r"|Multiple garbage collectors selected"
)
NO_SPACE = r"No space left on device|Disk quota exceeded"
NO_ACCESS = r"Permission denied|AccessDenied|Read-only file system"
IN_USE = r"[Ll]ock file has been locked|StoreLock|FileLockException"
DAMAGED = (
    r"[Cc]orrupt|InconsistentData|UnderlyingStorageException|Not a valid store"
    r"|transaction logs|StoreFailure|MetadataMismatch|IncompleteStore"
)
ADVICE = {
    PORT_TAKEN: "another program took the port at that moment; try again",
    NO_MEMORY: "there is too little memory for the heap: set TOSG_NEO4J_MEMORY lower (512m is "
    "the least), or free memory",
    BAD_OPTION: "an option in TOSG_NEO4J_JVM is not one of Java's, or is against another (for "
    "another collector say -XX:-UseG1GC too): correct or unset it",
    NO_SPACE: "the disk is full: free space, or set TOSG_HOME to a folder elsewhere",
    NO_ACCESS: "give yourself access to the folder, or set TOSG_HOME to one of yours",
    IN_USE: "another Neo4j has this data open: `tosg down` there, or another TOSG_HOME here",
    DAMAGED: "the stored graph is damaged: restore a copy of the folder, or let "
    "`tosg repair --start-over` set it aside, and build the graph again",
}


class PortTakenError(ServerError):
    """Another program took a port between our look and the server's start."""


READ_IT = "read the log; it is the server's own"
MOST_LINES = 15
MOST_CHARACTERS = 3000


def explain(
    layout: ServerLayout, what: str, *, words: str = "", otherwise: str | None = None
) -> ServerError:
    """Build the error for a server that did not come up.

    Parameters
    ----------
    layout : ServerLayout
        Where its logs are.
    what : str
        How it failed, as in "ended before it was ready".
    words : str
        What the server itself said; by default picked from its logs.
    otherwise : str, optional
        The cause (a key of `ADVICE`) to assume where the logs name none.
    """
    console, log = tail(layout.console), tail(layout.log)
    words = (
        words or telling(log) or telling(console) or "\n".join((console or log).splitlines()[-5:])
    )
    both = f"{words}\n{log}\n{console}\n{tail(layout.debug, 50_000)}"
    cause = next((pattern for pattern in ADVICE if re.search(pattern, both)), otherwise)
    found = words[:MOST_CHARACTERS] or "no word in its log"
    kind = PortTakenError if cause == PORT_TAKEN else ServerError
    return kind(
        f"the managed server {what}",
        where=layout.log if log else layout.console,
        found=found,
        hint=READ_IT if cause is None else ADVICE[cause],
    )


def is_out_of_space(layout: ServerLayout) -> bool:
    """Whether a server that is starting says that the disk is full."""
    return bool(re.search(NO_SPACE, tail(layout.console) + tail(layout.log) + tail(layout.debug)))


def tail(path: Path, most: int = 20_000) -> str:
    """Return the end of a text file, or "" where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def telling(text: str) -> str:
    """Pick the lines that say what went wrong: errors and causes, without stack frames."""
    lines = [
        line.strip()
        for line in text.splitlines()
        if re.search(rf"\bERROR\b|Exception|Caused by|^Error|{BAD_OPTION}|Failed|failed", line)
        and not line.lstrip().startswith("at ")
    ]
    return "\n".join(dict.fromkeys(lines[-MOST_LINES:]))
