"""The folder that an export grows in: temporary names, receipts, one rename at the end.

``OUT.partial`` stands beside ``OUT`` and becomes it when all is done; its folder ``work`` has what
only the export itself needs. A receipt says that one piece of the work is on the disk, and is
written after it, so a killed export goes on from its receipts.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tosg.errors import ConfigError, ExportError
from tosg.export.format.manifest import MANIFEST
from tosg.files import TEMPORARY_FILES, hash_file, sync_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn errors of the file system into errors of tosg: disk full, no permission."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                "the disk is full",
                where=error.filename or where,
                found=error.strerror,
                hint="free space, or export to another disk; nothing was left behind",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise ConfigError(
                "the output folder cannot be written", where=where, found=error
            ) from error
        raise


class DiskFullError(ExportError):
    """The disk is full."""


def describe_file(path: Path) -> dict[str, Any]:
    """Size and hash of a file, as in the manifest."""
    return {"bytes": path.stat().st_size, "sha256": hash_file(path)}


#: File in the work folder of an export that ended with an error.
_FAILED = "failed"


class Workspace:
    """The partial folder of one export, held by a lock while this process works in it.

    Parameters
    ----------
    out : Path
        Where the training set will stand.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.with_name(out.name + ".partial")
        self.work = self.folder / "work"
        self._lock = FileLock(self.work / "lock", blocking=False, thread_local=False)

    def open(self) -> None:
        """Make the folder, or take it over from a process that is gone.

        Raises
        ------
        ExportError
            Another process is writing there, or the disk is full.
        """
        try:
            with disk_errors(self.folder):
                self.work.mkdir(parents=True, exist_ok=True)
                self._lock.acquire()
        except DiskFullError:
            self.discard()  # there is no lock yet, so nobody works in it
            raise
        except Timeout as error:
            raise self._busy() from error
        (self.work / _FAILED).unlink(missing_ok=True)
        remove_temporary_files(self.folder)  # of a killed process

    def check_idle(self) -> None:
        """Check that no process works in the folder.

        Raises
        ------
        ExportError
            One does.
        """
        if not (self.work / "lock").is_file():
            return
        try:
            with suppress(FileNotFoundError, PermissionError), self._lock:
                return
        except Timeout as error:
            raise self._busy() from error

    def _busy(self) -> ExportError:
        return ExportError(
            "another export is writing there", where=self.folder, hint="wait for it to end"
        )

    @property
    def held(self) -> bool:
        """Whether this process works in the folder."""
        return bool(self._lock.is_locked)

    def release(self) -> None:
        """Let go of the lock."""
        self._lock.release()

    @property
    def failed(self) -> bool:
        """Whether the export that left the folder ended with an error that was reported."""
        return (self.work / _FAILED).is_file()

    def keep(self) -> None:
        """Leave a failed export so that --resume can continue it and a new export replaces it."""
        (self.work / _FAILED).touch()
        self.release()

    def clear(self) -> None:
        """Throw away everything but the lock."""
        for path in self.folder.iterdir():
            if path != self.work:
                _remove(path)
        for path in self.work.iterdir():
            if path.name != "lock":
                _remove(path)

    def discard(self) -> None:
        """Throw the folder away."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def receipt(self, name: str) -> dict[str, Any] | None:
        """Read the receipt of a piece of work, None where it is not done."""
        try:
            document = json.loads((self.work / f"{name}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def sign(self, name: str, receipt: Mapping[str, Any]) -> None:
        """Write the receipt of a piece of work."""
        write_receipt(self.work, name, receipt)

    def has_receipts(self) -> bool:
        """Whether there is work that is worth going on from."""
        finished = (self.folder / MANIFEST).is_file()
        return finished or any(path.name != "plan.json" for path in self.work.glob("*.json"))

    def finish(self) -> None:
        """Rename the folder to its place; the manifest must be written.

        Raises
        ------
        ConfigError
            Something came into the place meanwhile; the folder stays as it is.
        """
        try:
            if self.out.exists():
                self.out.rmdir()  # an empty folder that the user made
            self.folder.replace(self.out)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise ConfigError(
                "the output folder is not empty",
                where=self.out,
                found=_some(self.out),
                expected="an empty folder, as at the start",
                hint=f"remove what is there; then --resume finishes, all is in {self.folder}",
            ) from error
        # Last: whatever fails before, the export can still be resumed.
        self.tidy()
        self.release()
        sync_folder(self.out.parent)

    def tidy(self) -> None:
        """Remove the folder of the work from a training set that stands."""
        shutil.rmtree(self.out / self.work.name, ignore_errors=True)


def remove_temporary_files(folder: Path) -> None:
    """Remove what killed processes left half written below a folder."""
    for left in folder.rglob(TEMPORARY_FILES):
        left.unlink(missing_ok=True)


def write_receipt(work: Path, name: str, receipt: Mapping[str, Any]) -> None:
    """Write a receipt into the work folder; used by workers, which hold no lock."""
    write_bytes(work / f"{name}.json", json.dumps(receipt, sort_keys=True).encode())


def check_output(out: Path, *, resume: bool) -> bool:
    """Check where the training set is to stand.

    Returns
    -------
    bool
        True where a finished training set stands there already (only with `resume`).

    Raises
    ------
    ConfigError
        The folder is not empty, or cannot be replaced.
    ExportError
        Another process is writing there.
    """
    space = Workspace(out)
    finished = (out / MANIFEST).is_file()
    if out.exists() and not out.is_dir():
        raise ConfigError("the output is a file", where=out, expected="a new or an empty folder")
    if out.is_dir() and any(out.iterdir()) and not (resume and finished):
        raise ConfigError(
            "the output folder is not empty",
            where=out,
            found=_some(out),
            expected="a new or an empty folder",
            hint="name another folder, or remove what is there",
        )
    if os.path.ismount(out):
        raise ConfigError(
            "the output folder is a mount point", where=out, hint="name a folder inside it"
        )
    if space.folder.exists() and not resume:
        space.check_idle()
        if space.has_receipts() and not space.failed:
            raise ConfigError(
                "an earlier export to this folder was killed before it ended",
                where=space.folder,
                expected="no such folder",
                hint="add --resume to the same command to go on with it; to start over: "
                f"rm -r {shlex.quote(str(space.folder))}",
            )
    return finished


def _some(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir())
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
