"""The members of an archive, or the files of a folder, one after the other."""

from __future__ import annotations

import fnmatch
import tarfile
import zipfile
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.formats.opening import refuse_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Read the members whose name fits a pattern, sorted by name.

    Parameters
    ----------
    path : Path
        A tar archive (also compressed), a zip archive, a folder, or one file.
    pattern : str
        As ``*.gpml``; compared with the member's base name.

    Yields
    ------
    (str, bytes)
        Base name and content.

    Raises
    ------
    DataError
        The archive is damaged or cut off, or has no such member.
    """
    if path.is_file():
        with path.open("rb") as stream:
            refuse_page(stream, path)
    found = False
    try:
        for name, data in _members(path, pattern):
            found = True
            yield name, data
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(
            "the archive is cut off or damaged",
            where=path,
            found=error,
            hint="download it again; see `tosg sources`",
        ) from error
    if not found:
        raise DataError(
            "the archive has no such member",
            where=path,
            expected=pattern,
            hint="see `tosg sources`",
        )


def _members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob(pattern)):
            yield file.name, file.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], pattern):
                    yield name.rsplit("/", 1)[-1], archive.read(name)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            members = [m for m in archive.getmembers() if m.isfile()]
            for member in sorted(members, key=lambda m: m.name):
                base = member.name.rsplit("/", 1)[-1]
                stream = archive.extractfile(member)
                if fnmatch.fnmatchcase(base, pattern) and stream is not None:
                    yield base, stream.read()
    elif fnmatch.fnmatchcase(path.name, pattern):
        yield path.name, path.read_bytes()
