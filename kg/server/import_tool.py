"""Load a whole database at once with ``neo4j-admin database import full``.

The import writes a new generation of the data folder while the old one stays as it is. The
server is started on it and its indexes are filled; then one rename of the link ``data`` makes it
current. Whatever is killed, and whenever, the next start finds either the old data or the new,
never a mix, and never a graph whose indexes cannot be filled.
"""

from __future__ import annotations

import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.errors import ServerError
from tosg.files import write_text
from tosg.kg.server import class_archive
from tosg.kg.server.admin import end_leftover, run_admin
from tosg.kg.server.failure import tail, telling
from tosg.kg.server.jars import install
from tosg.kg.server.layout import ServerLayout, read_state
from tosg.kg.server.lifecycle import (
    announce,
    ensure_locked,
    guarded,
    layout_of,
    refuse_if_open,
    start_on,
    stop_locked,
)
from tosg.kg.server.memory import MIB, sizes
from tosg.kg.server.versions import release

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tosg.kg.server.info import ServerInfo
    from tosg.settings import Settings

DATABASE = "neo4j"
#: what of the old generation is the server's own and not the graph
SERVER_OWN = ("databases/system", "transactions/system", "dbms", "server_id")
IMPORTED = re.compile(r"(\d+) (nodes|relationships|properties)\b")
HEAP_AT_MOST = 2048 * MIB


@dataclass(frozen=True)
class ImportResult:
    """A bulk load that went through.

    Attributes
    ----------
    server : ServerInfo
        The server that now runs on the new data.
    nodes, relationships, properties : int
        As the tool counted what it stored.
    import_seconds, seconds : float
        Time of the tool alone; of everything, with the server's stop and start.
    output : str
        What the tool printed.
    """

    server: ServerInfo
    nodes: int
    relationships: int
    properties: int
    import_seconds: float
    seconds: float
    output: str


def import_full(
    settings: Settings,
    arguments: Sequence[str],
    prepare: Callable[[ServerInfo], None] | None = None,
) -> ImportResult:
    """Replace the managed server's database by what ``neo4j-admin`` imports.

    Stops the server, imports into a new data folder, starts the server on it, calls `prepare`,
    and makes the folder the current one. Bolt connections that are open break.

    Parameters
    ----------
    settings : Settings
        Of the managed server.
    arguments : sequence of str
        As after ``neo4j-admin database import full neo4j``: ``--nodes=...``,
        ``--relationships=...``, ``--array-delimiter=U+001F``. A bound on memory and the place
        of the tool's report are added where they are not given. Paths are absolute: the tool
        refuses bare names.
    prepare : callable, optional
        Called with the server on the new data, which no other command sees yet.

    Raises
    ------
    ServerError
        The import failed, with the tool's own words. After this and after any error of `prepare`
        the old database is as it was, and its server runs again if it ran before.
    """
    begun = time.monotonic()
    layout = layout_of(settings)
    layout.prepare()
    jars = install(settings.cache, release(settings.neo4j_version))
    with guarded(layout):
        was_up = stop_locked(layout)
        old = layout.current_data()
        refuse_if_open(read_state(layout), old)
        end_leftover(layout)
        layout.sweep()
        new = layout.next_data()
        with ExitStack() as undo:
            if was_up:
                undo.callback(ensure_locked, settings, layout, jars)
            undo.callback(shutil.rmtree, new, ignore_errors=True)
            started = time.monotonic()
            output = _import(settings, layout, jars, new, arguments)
            import_seconds = time.monotonic() - started
            _keep_own(old, new)
            undo.callback(stop_locked, layout)
            server = start_on(settings, layout, jars, new)
            if prepare is not None:
                prepare(server)
            layout.swap_data(new)
            undo.pop_all()
        announce(layout, server)
    counts = {name: int(number) for number, name in IMPORTED.findall(output)}
    return ImportResult(
        server=server,
        nodes=counts.get("nodes", 0),
        relationships=counts.get("relationships", 0),
        properties=counts.get("properties", 0),
        import_seconds=import_seconds,
        seconds=time.monotonic() - begun,
        output=output,
    )


def _import(
    settings: Settings,
    layout: ServerLayout,
    jars: Sequence[Path],
    new: Path,
    arguments: Sequence[str],
) -> str:
    size = sizes(settings.memory)
    conf = layout.run / "conf-import"
    conf.mkdir(exist_ok=True)
    write_text(
        conf / "neo4j.conf",
        f"server.directories.data={new}\nserver.directories.logs={layout.logs}\n"
        f"server.directories.import={layout.imports}\ndb.tx_log.preallocate=false\n",
        private=True,
    )
    report = layout.logs / "import.report"
    report.unlink(missing_ok=True)
    printed = layout.logs / "import.log"
    heap = min(size.heap, HEAP_AT_MOST)
    options = {
        "--max-off-heap-memory": str(size.heap + size.page_cache - heap),
        "--report-file": str(report),
    }
    given = {argument.split("=")[0] for argument in arguments}
    added = [f"{name}={value}" for name, value in options.items() if name not in given]
    if "--verbose" not in given:
        added.append("--verbose")  # without it, 5.26 does not say why it failed
    code = run_admin(
        layout,
        jars,
        ["database", "import", "full", DATABASE, *added, *arguments],
        conf=conf,
        heap=heap,
        output=printed,
        java_options=class_archive.archive_options(
            class_archive.archive_path(settings.cache, release(settings.neo4j_version))
        ),
    )
    output = printed.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        raise _refused(code, printed, output, report)
    return output


def _refused(code: int, printed: Path, output: str, report: Path) -> ServerError:
    plain = [line for line in output.splitlines() if line.strip() and not _noise(line)]
    words = dict.fromkeys([*telling("\n".join(plain)).splitlines(), *plain[-6:]])
    bad = tail(report, 2_000).splitlines()[:10]
    return ServerError(
        "neo4j-admin could not import; the database is as it was",
        where=printed,
        found="\n".join([f"exit {code}", *words, *bad])[-4000:],
        hint="the whole output is in the file above; a full disk or too little memory "
        "(TOSG_NEO4J_MEMORY) show there too",
    )


def _noise(line: str) -> bool:
    """Whether a line is a stack frame, a remark of Java's, or on the folder thrown away."""
    return line.lstrip().startswith(("at ", "... ", "[", "WARNING Import failed"))


def _keep_own(old: Path, new: Path) -> None:
    """Copy the system database (users, passwords, names) into the new generation."""
    if not (old / "databases/system").is_dir():
        return  # never started; the next start sets the password
    for name in SERVER_OWN:
        source, target = old / name, new / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
