"""Where the managed server keeps its things, and how its small files are written.

::

    <home>/<version>/
        lock            held while starting, stopping or importing
        server.json     what was last started: ports, token, host and boot
        pid             written by the server's own process before it becomes Java
        password        0600
        data -> data-000001     the generation in use; a bulk load makes the next one
        conf/ logs/ import/ run/ cds/
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import psutil

from tosg.errors import ServerError
from tosg.files import TEMPORARY_FILES, sync_folder, write_text

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "utf-8"
#: folders in ``run`` begin with it and the number of the process that works in them
SCRATCH = "import-"


@dataclass(frozen=True)
class ServerLayout:
    """Paths of one version's server in one home."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held while starting, stopping or importing."""
        return self.root / "lock"

    @property
    def state(self) -> Path:
        """What was last started."""
        return self.root / "server.json"

    @property
    def pid(self) -> Path:
        """The server's process number."""
        return self.root / "pid"

    @property
    def password(self) -> Path:
        """The password of user neo4j."""
        return self.root / "password"

    @property
    def data(self) -> Path:
        """Link to the generation of data in use."""
        return self.root / "data"

    @property
    def conf(self) -> Path:
        """Folder of neo4j.conf, written again at every start."""
        return self.root / "conf"

    @property
    def logs(self) -> Path:
        """Folder of the server's logs."""
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """The server's main log."""
        return self.logs / "neo4j.log"

    @property
    def debug(self) -> Path:
        """The server's log for its makers."""
        return self.logs / "debug.log"

    @property
    def console(self) -> Path:
        """What the process printed: errors of Java itself end up here."""
        return self.logs / "console.log"

    @property
    def imports(self) -> Path:
        """The only folder from which LOAD CSV could read, if it were allowed."""
        return self.root / "import"

    @property
    def admin(self) -> Path:
        """Token of the neo4j-admin process that runs now, or was left by a killed client."""
        return self.run / "admin.token"

    @property
    def run(self) -> Path:
        """Argument files and scratch."""
        return self.root / "run"

    def prepare(self) -> None:
        """Make the folders, readable by their owner alone.

        Raises
        ------
        ServerError
            They cannot be made or written.
        """
        try:
            for folder in (self.root, self.conf, self.logs, self.imports, self.run):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            probe = self.run / f"probe-{os.getpid()}"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise unwritable(self.root, error) from error

    # -- generations of data ---------------------------------------------------------------

    def current_data(self) -> Path:
        """Return the data folder in use, making the first one where there is none."""
        if not self.data.is_symlink():
            self.swap_data(self.root / "data-000001")
        target = self.data.resolve()
        target.mkdir(mode=0o700, exist_ok=True)
        return target

    def runs_on_current(self, state: State) -> bool:
        """Whether the server that was last started has the generation in use."""
        return state.data is None or state.data == self.data.resolve().name

    def next_data(self) -> Path:
        """Make an empty folder for the next generation.

        Its name has a random part, so that a process left over from a killed load cannot
        write into the folder of a later one.
        """
        numbers = [int(path.name.split("-")[1]) for path in self.root.glob("data-[0-9]*")]
        folder = self.root / f"data-{max(numbers, default=0) + 1:06d}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        return folder

    def swap_data(self, target: Path) -> None:
        """Point ``data`` at another generation, in one rename."""
        link = self.run / "data.new"
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)  # relative to where the link ends up
        link.replace(self.data)
        sync_folder(self.root)

    def set_data_aside(self) -> Path:
        """Move the generation in use out of the way, and forget that there was one."""
        aside = self.root / f"set-aside-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        self.data.resolve().rename(aside)
        self.data.unlink()
        return aside

    def sweep(self) -> None:
        """Remove what killed or finished work left; called with the lock held."""
        half_written = (f.glob(TEMPORARY_FILES) for f in (self.root, self.conf, self.run))
        for path in chain(self.run.glob("*.args"), *half_written):
            path.unlink(missing_ok=True)
        for path in self.run.glob(f"{SCRATCH}[0-9]*"):
            if not psutil.pid_exists(int(path.name.split("-")[1])):
                shutil.rmtree(path, ignore_errors=True)
        self.sweep_data()

    def sweep_data(self) -> None:
        """Remove the generations that are not in use; called with the lock held."""
        if not self.data.is_symlink():
            return
        keep = self.data.resolve()
        for path in self.root.glob("data-[0-9]*"):
            if path != keep:
                shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class State:
    """What was last started, as kept in ``server.json``.

    ``token`` stands on the command line of the server's process: a process that has both the
    number in ``pid`` and the token is the server, whatever was rebooted or reused since.
    ``memory`` is the bound that it was started with, and that it is started with again. ``data``
    names the generation that it runs on; that of an import is not in use until it is swapped in.
    """

    token: str
    host: str
    boot: str
    bolt: int
    http: int
    ready: bool
    memory: str | None = None
    data: str | None = None


def read_state(layout: ServerLayout) -> State | None:
    """Return what was last started, or None where nothing (readable) is recorded."""
    try:
        return State(**json.loads(layout.state.read_text(encoding=TEXT)))
    except OSError:
        return None
    except (ValueError, TypeError):
        return None  # cannot be half written; another version of tosg wrote it


def write_state(layout: ServerLayout, state: State) -> None:
    """Record what is being started."""
    write_text(layout.state, json.dumps(asdict(state)), private=True)


def password(layout: ServerLayout) -> str:
    """Return the server's password, making one at first."""
    try:
        return layout.password.read_text(encoding=TEXT).strip()
    except FileNotFoundError:
        write_text(layout.password, secrets.token_hex(20), private=True)
        return layout.password.read_text(encoding=TEXT).strip()


def unwritable(where: Path, error: OSError) -> ServerError:
    """Build the error for a home that cannot be written."""
    return ServerError(
        "the managed server's folder cannot be written",
        where=error.filename or where,
        found=error.strerror or error,
        hint="free space there, or set TOSG_HOME to a folder of yours",
    )
