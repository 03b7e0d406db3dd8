"""The items of a list inside a large JSON document, one after the other and never all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ijson

from tosg.errors import DataError
from tosg.loaders.formats.opening import check_utf8, open_bytes, strip_bom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


def read_items(path: Path, place: str) -> Iterator[Any]:
    """Read the items at a place of a document.

    Parameters
    ----------
    path : Path
        JSON, also compressed.
    place : str
        As ijson names it: ``nodes.item`` are the items of the list ``nodes``.

    Raises
    ------
    DataError
        It is not JSON, is cut off, or is no UTF-8.
    """
    with open_bytes(path) as stream:
        try:
            yield from ijson.items(_Text(stream, path), place, use_float=True)
        except ijson.JSONError as error:
            raise DataError(
                "the file is not JSON, or is cut off",
                where=path,
                found=error,
                hint="download it again; see `tosg sources`",
            ) from error


class _Text:
    """The bytes of a stream without a byte order mark, checked to be UTF-8 line by line."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self.stream, self.path = stream, path
        self.line, self.byte = 1, 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        if size > 0 and data and not data.endswith(b"\n"):
            data += self.stream.readline(1 << 20)  # so that no character is cut in two
        if not self.byte:
            data = strip_bom(data, self.path)
        check_utf8(data, self.path, first_line=self.line, first_byte=self.byte)
        self.line += data.count(b"\n")
        self.byte += len(data)
        return data
