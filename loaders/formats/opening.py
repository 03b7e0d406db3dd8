"""Opening source files: compression by content, and clear errors for what cannot be read."""

from __future__ import annotations

import bz2
import fnmatch
import gzip
import itertools
import lzma
import re
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from tosg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader
    from pathlib import Path

#: What to do about a file that came damaged.
_AGAIN = "download it again; see `tosg sources`"

_MAGIC = {b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2", b"PK\x03\x04": "zip"}

#: Bytes that are looked at to recognise a web page or a pointer under the name of a data file.
_HEAD_BYTES = 512

#: Files beside the data in a published zip archive.
_BESIDE = re.compile(r"(?i)(^|/)(readme|licen[cs]e|created|version|__macosx|\.)")


@contextmanager
def open_bytes(path: Path, members: Sequence[str] = ("*",)) -> Iterator[BinaryIO]:
    """Open a plain, gzip, xz, bzip2 or zip file, told apart by its first bytes, not its name.

    Parameters
    ----------
    path : Path
        The file.
    members : sequence of str
        Patterns of the member of a zip archive to read: the first that fits a member decides, and
        must fit only one. READMEs and licences do not count.

    Raises
    ------
    DataError
        Missing, a folder, empty, unreadable, cut off or damaged; also while reading inside. A web
        page or a Git LFS pointer under the name of a data file.
    """
    with _as_data_errors(path):
        with path.open("rb") as raw:
            head = raw.read(6)
        if not head:
            raise DataError("the file is empty", where=path, hint=_AGAIN)
        with _open(path, head, members) as stream:
            refuse_page(stream, path)
            yield stream


def read_through(path: Path) -> None:
    """Read a file to its end, every member of a zip archive too, and refuse what is damaged.

    Raises
    ------
    DataError
        As `open_bytes`.
    """
    if not zipfile.is_zipfile(path):
        with open_bytes(path) as stream:
            while stream.read(1 << 20):
                pass
        return
    with _as_data_errors(path), zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise zipfile.BadZipFile(f"the member {damaged} has another checksum")


def refuse_page(stream: BinaryIO, path: Path) -> None:
    """Refuse what servers and repositories send instead of a file."""
    head = (
        cast("BufferedReader", stream).peek(_HEAD_BYTES)[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \r\n")
    )
    if head.lower().startswith((b"<!doctype html", b"<html")):
        raise DataError(
            "this is a web page, not the file",
            where=path,
            found=head[:60].decode("latin-1"),
            hint="its address asks for a login or has moved; open it in a browser (`tosg sources`)",
        )
    if head.startswith(b"version https://git-lfs"):
        raise DataError(
            "this is a Git LFS pointer, not the file",
            where=path,
            found=head.split(b"\n")[0].decode("latin-1"),
            hint="`git lfs pull` in its repository, or download the file itself",
        )


def read_bytes(path: Path) -> bytes:
    """Whole content of a file, decompressed."""
    with open_bytes(path) as stream:
        data = stream.read()
    if not data.strip():
        raise DataError("the file is empty", where=path, hint=_AGAIN)
    return data


def read_text(path: Path) -> str:
    """Whole content of a UTF-8 file, decompressed, Unix line ends, no byte order mark."""
    data = strip_bom(read_bytes(path), path)
    check_utf8(data, path, first_line=1)
    return data.decode("utf-8").replace("\r\n", "\n")


def read_start(path: Path, size: int = 1 << 16) -> str:
    """Start of a text file, decompressed, no byte order mark; what is not UTF-8 is replaced."""
    with open_bytes(path) as stream:
        return strip_bom(stream.read(size), path).decode("utf-8", "replace").replace("\r\n", "\n")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 file with their numbers, decompressed, one after the other.

    Yields
    ------
    (int, str)
        Number of the line, from 1, and its text without its end and without a byte order mark.

    Raises
    ------
    DataError
        As `open_bytes`; it is not UTF-8, or has nothing but blanks.
    """
    empty = True
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            data = strip_bom(raw, path) if number == 1 else raw
            check_utf8(data, path, first_line=number)
            empty = empty and not data.strip()
            yield number, data.decode("utf-8").rstrip("\r\n")
    if empty:
        raise DataError("the file is empty", where=path, hint=_AGAIN)


def read_preamble(path: Path, comment: str = "#") -> list[str]:
    """Comment lines at the start of a file, without the comment's character."""
    lines = read_start(path, 8 << 20).splitlines()
    said = itertools.takewhile(lambda line: line.startswith(comment), lines)
    return [line.lstrip(comment).strip() for line in said]


def strip_bom(data: bytes, path: Path) -> bytes:
    """Drop a UTF-8 byte order mark; UTF-16 and UTF-32 are refused."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _encoding_error(path, 1, 0, data, "UTF-16 or UTF-32 text")
    return data.removeprefix(b"\xef\xbb\xbf")


def check_utf8(data: bytes, path: Path, *, first_line: int, first_byte: int = 0) -> None:
    """Refuse bytes that are not UTF-8, naming the line and the byte.

    Parameters
    ----------
    data : bytes
        A part of the file that starts at the beginning of a line.
    path : Path
        Where it is from.
    first_line, first_byte : int
        Line (from 1) and byte (from 0) of the decompressed file at which ``data`` starts.
    """
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise _encoding_error(path, line, first_byte + error.start, data[error.start :]) from None


def _encoding_error(
    path: Path, line: int, byte: int, rest: bytes, found: str | None = None
) -> DataError:
    shown = rest[:24].decode("latin-1").encode("unicode_escape").decode("ascii")
    # A mark at the start says so; else every other byte of Western text is 0.
    wide = found is not None or b"\0" in rest[:24]
    return DataError(
        "the file is not UTF-8 text",
        where=f"{path}, line {line}, byte {byte}",
        found=found or f"byte 0x{rest[0]:02x} before {shown!r}",
        expected="UTF-8",
        hint=f"convert it, as in `iconv -f {'UTF-16' if wide else 'ISO-8859-1'} -t UTF-8`",
    )


def _open(path: Path, head: bytes, members: Sequence[str]) -> BinaryIO:
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    named = {".gz": "gz", ".xz": "xz", ".bz2": "bz2", ".zip": "zip"}.get(path.suffix)
    if kind is None and named is not None and not _texty(head):
        raise DataError(
            "the file is not what its name says",
            where=path,
            found=f"first bytes {head.hex(' ')}",
            expected=f"{named}-compressed data",
            hint=_AGAIN,
        )
    if kind == "gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if kind == "xz":
        return cast("BinaryIO", lzma.open(path, "rb"))
    if kind == "bz2":
        return cast("BinaryIO", bz2.open(path, "rb"))
    if kind == "zip":
        return cast("BinaryIO", _open_member(path, members))
    return path.open("rb")


def _open_member(path: Path, patterns: Sequence[str]) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    names = [n for n in archive.namelist() if not n.endswith("/") and not _BESIDE.search(n)]
    fits = (
        [n for n in names if fnmatch.fnmatchcase(n.rpartition("/")[2], pattern)]
        for pattern in patterns
    )
    fitting = next((found for found in fits if found), [])
    if len(fitting) != 1:
        raise DataError(
            "it is unclear which file of the zip archive is meant",
            where=path,
            found=", ".join(names[:5]) or "no file",
            expected=f"one file named {' or '.join(patterns)}"
            if patterns != ("*",)
            else "one file",
            hint="unpack the archive and give the file itself",
        )
    return archive.open(fitting[0])


def _texty(head: bytes) -> bool:
    # Browsers unpack some downloads and keep the name: text under a .gz name is taken as it is.
    return all(b >= 0x20 or b in b"\t\r\n" for b in head)


@contextmanager
def _as_data_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=path, hint="see `tosg sources`") from error
    except IsADirectoryError as error:
        raise DataError("this is a folder, not a file", where=path) from error
    except (
        EOFError,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            "the compressed file is cut off or damaged",
            where=path,
            found=error,
            expected="a whole file",
            hint="download it again; `tosg fetch` checks the hash",
        ) from error
    except OSError as error:
        raise DataError("the file cannot be read", where=path, found=error) from error
