"""Start, find and stop the managed server."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from tosg.deadline import Deadline
from tosg.errors import ServerError
from tosg.files import write_text
from tosg.kg.server import class_archive, process
from tosg.kg.server.admin import end_leftover, environment, run_admin
from tosg.kg.server.config import LOOPBACK, java, jvm_options, neo4j_conf, server_arguments
from tosg.kg.server.failure import PortTakenError, explain, is_out_of_space
from tosg.kg.server.health import check_online
from tosg.kg.server.info import ServerInfo
from tosg.kg.server.jars import install, installed, jar_folder, paths
from tosg.kg.server.layout import (
    ServerLayout,
    State,
    password,
    read_state,
    unwritable,
    write_state,
)
from tosg.kg.server.locking import held
from tosg.kg.server.memory import MIB, sizes
from tosg.kg.server.versions import Release, release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

    from tosg.settings import Settings

USERNAME = "neo4j"
START_PATIENCE = 180.0
#: a shell writes the number first of all, but a loaded machine may be slow to run it
NUMBER_PATIENCE = 20.0
#: seconds between looks into the log of a server that is not ready
LOOK_AT_LOG = 5.0
STOP_PATIENCE = 90.0
KILLED_PATIENCE = 20.0
#: another program may take a port between our look and the server's
PORT_ATTEMPTS = 3


def layout_of(settings: Settings) -> ServerLayout:
    """Return where the server of these settings keeps its things."""
    return ServerLayout(settings.home / release(settings.neo4j_version).version)


def status(settings: Settings) -> ServerInfo | None:
    """Return the managed server if it is up, without waiting for anything."""
    layout = layout_of(settings)
    state = read_state(layout)
    if state is None or not state.ready or not layout.runs_on_current(state):
        return None
    found = process.find(layout, state)
    if found is None or not process.answers(state.bolt):
        return None
    return _info(settings, layout, state, found)


def is_installed(settings: Settings) -> bool:
    """Whether the managed server's jars are on this machine."""
    kind = release(settings.neo4j_version)
    return installed(jar_folder(settings.cache, kind), kind)


def ensure_server(settings: Settings) -> ServerInfo:
    """Return the managed server, starting it (and at first installing it) where needed.

    Two processes at once get one server; one waits for the other.

    Raises
    ------
    ServerError
        It cannot be installed or started; the error has the log's own words.
    """
    info = status(settings)
    if info is not None:
        return info
    layout = layout_of(settings)
    layout.prepare()
    jars = install(settings.cache, release(settings.neo4j_version))
    with guarded(layout):
        return ensure_locked(settings, layout, jars)


def stop(settings: Settings) -> bool:
    """Stop the managed server; False where none was running.

    Raises
    ------
    ServerError
        It runs on another host.
    """
    layout = layout_of(settings)
    if not layout.root.is_dir():
        return False
    kind = release(settings.neo4j_version)
    with guarded(layout):
        stopped = stop_locked(layout)
        folder = jar_folder(settings.cache, kind)
        if stopped and installed(folder, kind):
            archive = class_archive.archive_path(settings.cache, kind)
            with contextlib.suppress(OSError):  # nothing depends on it
                class_archive.make_in_background(layout, archive, paths(folder, kind))
        return stopped


def set_data_aside(settings: Settings) -> Path:
    """Stop the managed server and move its data out of the way; the next start begins an empty one.

    Returns
    -------
    Path
        Where the data are now.

    Raises
    ------
    ServerError
        The data are open in another Neo4j.
    """
    layout = layout_of(settings)
    with guarded(layout):
        stop_locked(layout)
        return layout.set_data_aside()


@contextlib.contextmanager
def guarded(layout: ServerLayout) -> Iterator[None]:
    """Hold the server's lock, and turn errors of its files into ours."""
    try:
        with held(layout.lock, "the managed server is being started, stopped or loaded"):
            yield
    except OSError as error:
        raise unwritable(layout.root, error) from error


def ensure_locked(settings: Settings, layout: ServerLayout, jars: list[Path]) -> ServerInfo:
    """Do the work of `ensure_server` while the lock is held."""
    state = read_state(layout)
    found = process.find(layout, state) if state is not None else None
    if state is not None and found is not None:
        if layout.runs_on_current(state):  # ready by now, or its client was killed
            return announce(layout, _await(settings, layout, state, found))
        process.end(found, state.token, STOP_PATIENCE)  # an import was killed before its swap
    data = layout.current_data()
    refuse_if_open(state, data)
    end_leftover(layout)
    layout.sweep()
    return announce(layout, start_on(settings, layout, jars, data))


def start_on(settings: Settings, layout: ServerLayout, jars: list[Path], data: Path) -> ServerInfo:
    """Start the server on a generation of data; only its starter knows of it until `announce`."""
    archive = class_archive.archive_path(settings.cache, release(settings.neo4j_version))
    set_first_password(layout, jars, data, archive)
    last = read_state(layout)
    for attempt in range(1, PORT_ATTEMPTS + 1):
        try:
            return _start(settings, layout, jars, data, last)
        except PortTakenError:
            if attempt == PORT_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def announce(layout: ServerLayout, info: ServerInfo) -> ServerInfo:
    """Let other commands use the server, which runs on the data in use; no others are needed."""
    layout.sweep_data()
    state = read_state(layout)
    if state is not None:
        write_state(layout, replace(state, ready=True))
    return info


def stop_locked(layout: ServerLayout) -> bool:
    """Do the work of `stop` while the lock is held."""
    state = read_state(layout)
    if state is None:
        return False
    found = process.find(layout, state)
    if found is None:
        refuse_if_open(state, layout.current_data())
    else:
        process.end(found, state.token, STOP_PATIENCE)
    with contextlib.suppress(OSError):  # a full disk; `find` is not misled by what stays
        write_state(layout, replace(state, ready=False))
    layout.pid.unlink(missing_ok=True)
    return found is not None


def set_first_password(layout: ServerLayout, jars: list[Path], data: Path, archive: Path) -> None:
    """Give a data folder that was never started the password that we keep.

    It is written before the server sees the folder, so there is no moment with a default
    password; a kill between the two steps repeats them with the same password.
    """
    if (data / "databases" / "system").exists():
        return
    conf = layout.run / "conf-password"
    conf.mkdir(exist_ok=True)
    write_text(conf / "neo4j.conf", f"server.directories.data={data}\n", private=True)
    output = layout.run / "password.log"
    arguments = ["dbms", "set-initial-password", password(layout)]
    quick = [
        "-XX:TieredStopAtLevel=1",
        *class_archive.archive_options(archive),
    ]  # it runs for a second or two
    code = run_admin(
        layout, jars, arguments, conf=conf, heap=128 * MIB, output=output, java_options=quick
    )
    if code != 0:
        raise ServerError(
            "the managed server's first password cannot be set",
            where=data,
            found=output.read_text(encoding="utf-8", errors="replace")[-1000:],
        )


def _start(
    settings: Settings, layout: ServerLayout, jars: list[Path], data: Path, last: State | None
) -> ServerInfo:
    kind: Release = release(settings.neo4j_version)
    wanted = (last.bolt, last.http) if last is not None else (0, 0)
    bolt, http = process.free_ports(wanted)
    memory = settings.memory or (last.memory if last is not None else None)
    size = sizes(memory)
    write_text(
        layout.conf / "neo4j.conf",
        neo4j_conf(layout, kind, data, size, bolt=bolt, http=http),
        private=True,
    )
    arguments = layout.run / "server.args"
    shared = class_archive.use_or_note(layout, class_archive.archive_path(settings.cache, kind))
    options = [*shared, *jvm_options(settings.jvm)]
    lines = server_arguments(layout, kind, jars, size, options)
    write_text(arguments, "\n".join(lines) + "\n", private=True)
    for log in (layout.log, layout.debug):  # what an earlier start said explains no later one
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
    state = State(
        token=secrets.token_hex(16),
        host=process.host(),
        boot=process.boot(),
        bolt=bolt,
        http=http,
        ready=False,
        memory=memory,
        data=data.name,
    )
    write_state(layout, state)
    process.launch(layout, state.token, [str(java()), f"@{arguments}"], environment())
    return _await(settings, layout, state, None)


def _await(
    settings: Settings, layout: ServerLayout, state: State, found: psutil.Process | None
) -> ServerInfo:
    """Wait until the server takes connections, or its process ends."""
    deadline = Deadline(START_PATIENCE)
    grace = Deadline(NUMBER_PATIENCE)  # for the process to write its number
    look = Deadline(LOOK_AT_LOG)
    while not deadline.passed:
        numbered = layout.pid.exists()
        if found is None and numbered:
            found = process.find(layout, state)
        gone = found is None or not process.has_token(found, state.token)
        if gone and (numbered or grace.passed):
            raise explain(layout, "ended before it was ready")
        if found is not None and not gone and process.listens(found, state.bolt):
            info = _info(settings, layout, state, found)
            check_online(info, layout, deadline)
            return info
        if look.passed:
            look = Deadline(LOOK_AT_LOG)
            if found is not None and is_out_of_space(layout):  # it would never be ready
                process.end(found, state.token, KILLED_PATIENCE)
                raise explain(layout, "found no space")
        deadline.sleep(0.05)
    if found is not None:
        process.end(found, state.token, KILLED_PATIENCE)
    raise explain(layout, f"was not ready after {START_PATIENCE:.0f} s")


def _info(
    settings: Settings, layout: ServerLayout, state: State, found: psutil.Process
) -> ServerInfo:
    return ServerInfo(
        uri=f"bolt://{LOOPBACK}:{state.bolt}",
        http_uri=f"http://{LOOPBACK}:{state.http}",
        username=USERNAME,
        password=password(layout),
        version=settings.neo4j_version,
        pid=found.pid,
        data=layout.root / state.data if state.data else layout.data.resolve(),
        log=layout.log,
        password_file=layout.password,
        memory=state.memory,
    )


def refuse_if_open(state: State | None, data: Path) -> None:
    """Raise where a Neo4j that is not ours to stop has the data open.

    A server that was just killed may hold its files for a moment, while the kernel takes its
    memory apart; so a holder on this host is given time to go.
    """
    here = state is None or state.host == process.host()
    deadline = Deadline(KILLED_PATIENCE if here else 0.0)
    while process.store_open(data):
        if deadline.passed:
            raise _in_use(state, data)
        deadline.sleep(0.05)


def _in_use(state: State | None, data: Path) -> ServerError:
    elsewhere = state is not None and state.host != process.host()
    where = f"host {state.host}" if state is not None and elsewhere else "this host"
    return ServerError(
        "the managed server's data is open in another Neo4j",
        where=data,
        found=f"started on {where}; this is host {process.host()} (process {os.getpid()})",
        hint="run `tosg down` there, or set TOSG_HOME to another folder here",
        retryable=True,
    )
