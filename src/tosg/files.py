"""Files: their hash, and writing one whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Pattern of the temporary files of `writing`: a killed process leaves one behind.
TEMPORARY_FILES = ".*.tmp"


def hash_file(path: str | os.PathLike[str]) -> str:
    """Compute the sha256 of a file, 64 lower-case hexadecimal digits.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def writing(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[Path]:
    """Write a file whole or not at all.

    Gives the path of a temporary file in the same folder, empty, to write to. At the end it is
    flushed to disk and renamed to `path`, which it replaces. After an error it is removed, and
    what stood at `path` stays.

    Parameters
    ----------
    path : path
        Where the file goes. Several processes may write it at once: the last one wins.
    private : bool
        Only the owner may read it (mode 0600); else as the umask says.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    mode = 0o600 if private else 0o666
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes, *, private: bool = False) -> None:
    """Write bytes to a file, whole or not at all; see `writing`."""
    with writing(path, private=private) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str, *, private: bool = False) -> None:
    """Write text to a file as UTF-8, whole or not at all; see `writing`."""
    write_bytes(path, text.encode(), private=private)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Flush a folder's list of names to disk, so that a rename in it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
