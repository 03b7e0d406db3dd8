"""Start the server's process detached, find it again, end it.

The process is known by a random token on its command line together with the number it wrote
itself, so neither a reused process number nor a reboot nor a killed client can mislead.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tosg.deadline import Deadline
from tosg.kg.server.config import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tosg.kg.server.layout import ServerLayout, State

TOKEN_OPTION = "-Dtosg.token="  # noqa: S105  (names the process; opens nothing)

#: names the folder of the server, for those who look for servers
HOME_OPTION = "-Dtosg.home="

#: how long one program may take to make way for the next in a process
EXEC_PATIENCE = 1.0

#: The shell writes its number and then becomes Java, so the number is on disk before the
#: server exists; being in the background of a shell that ends, it belongs to no client.
LAUNCH = 'umask 077; (exec /bin/sh -c "$TOSG_BECOME" sh "$@") &'
BECOME = 'echo $$ >"$TOSG_PID.new" && mv "$TOSG_PID.new" "$TOSG_PID"; exec "$@"'


@cache
def host() -> str:
    """Return the name of this machine, as far as it knows it."""
    return platform.node() or "localhost"


@cache
def boot() -> str:
    """Return what changes when this machine is started again."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(int(psutil.boot_time()))


def launch(
    layout: ServerLayout, token: str, command: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Start a command detached: it outlives this process and is no child of it.

    Parameters
    ----------
    layout : ServerLayout
        Where the process writes its number and its output.
    token : str
        What it can be found by.
    command : sequence of str
        The Java binary first; the token is put behind it.
    environment : mapping
        Its whole environment.
    """
    layout.pid.unlink(missing_ok=True)
    arguments = [command[0], TOKEN_OPTION + token, f"{HOME_OPTION}{layout.root}", *command[1:]]
    with layout.console.open("wb") as console:
        subprocess.run(
            ["/bin/sh", "-c", LAUNCH, "sh", *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd=layout.root,
            env={**environment, "TOSG_PID": str(layout.pid), "TOSG_BECOME": BECOME},
            start_new_session=True,
        )


def find(layout: ServerLayout, state: State) -> psutil.Process | None:
    """Return the process of the server that was last started, if it lives here and now."""
    if state.host == host() and state.boot != boot():
        return None
    try:
        process = psutil.Process(int(layout.pid.read_text(encoding="ascii")))
        return process if has_token(process, state.token) else None
    except FileNotFoundError:
        # Its client was killed while starting it: look for the token.
        return next(processes_with(state.token), None)
    except (ValueError, psutil.Error):
        return None


def processes_with(token: str) -> Iterator[psutil.Process]:
    """Yield the processes of this machine that have the token on their command line."""
    return (found for found in psutil.process_iter() if has_token(found, token))


def has_token(process: psutil.Process, token: str) -> bool:
    """Whether the process lives and is the one that was started with the token.

    A zombie has no command line any more, so it does not count. Nor, for a moment, has a
    process in which one program makes way for the next, as the shell of `launch` does for
    Java: that one is looked at again. A thread of the kernel never has one, and no file.
    """
    deadline = Deadline(EXEC_PATIENCE)
    try:
        while not (words := process.cmdline()) and process.exe() and not deadline.passed:
            deadline.sleep(0.001)
    except psutil.Error:  # gone, or not ours to look at
        return False
    return TOKEN_OPTION + token in words


def end(process: psutil.Process, token: str, patience: float) -> None:
    """Ask the server to stop, and make it stop when it does not within ``patience`` seconds."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 30.0)):
        if not has_token(process, token):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        deadline = Deadline(seconds)
        while not deadline.passed:
            if not has_token(process, token):
                return
            deadline.sleep(0.02)


def store_open(data: Path) -> bool:
    """Whether some Neo4j, on any host that shares the folder, has the data open."""
    path = data / "databases" / "store_lock"
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def answers(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def listens(server: psutil.Process, port: int) -> bool:
    """Whether it is this very process that takes connections on the port.

    Two servers that start at once may have chosen one port; only one of them gets it.
    """
    try:
        connections = server.net_connections(kind="tcp4") + server.net_connections(kind="tcp6")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def free_ports(wanted: Sequence[int]) -> list[int]:
    """Return free ports on 127.0.0.1: the wanted ones where they are free, else others."""
    with contextlib.ExitStack() as stack:
        ports = []
        for port in wanted:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((LOOPBACK, port))
            except OSError:
                listener.bind((LOOPBACK, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports
