"""XML documents: parsed whole or element by element, with one kind of error that names the line.

Nothing outside of a document is ever fetched. A document that is parsed whole and declares entities
of its own is refused: no format here needs them, and a few lines of them can fill the memory. OWL
does declare them; there expat bounds how far they expand.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tosg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class XmlFormat:
    """A format in XML, in the words of its errors.

    Attributes
    ----------
    what : str
        A document, as ``the map``.
    name : str
        The format, as ``a map in KGML``.
    tag : str
        Of the root element.
    begin : str
        How a document begins, as ``<pathway name="path:hsa04010" ...>``.
    hint : str
        Where to get the right file.
    """

    what: str
    name: str
    tag: str
    begin: str
    hint: str = "is this the right file? see `tosg sources`"

    def wrong_root(self, root: ET.Element, where: str | Path) -> DataError:
        """Error of a document with the root element of another format."""
        return DataError(
            f"the file is not {self.name}",
            where=where,
            found=f"<{root.tag}>",
            expected=self.begin,
            hint=self.hint,
        )

    @contextmanager
    def errors(self, where: str | Path) -> Iterator[None]:
        """Turn a fault of a document into a `DataError` that names the line."""
        try:
            yield
        except ET.ParseError as error:
            raise DataError(
                f"{self.what} is not XML, or is cut off",
                where=f"{where}, line {error.position[0]}",
                found=error,
                expected=self.name,
                hint="download it again; see `tosg sources`",
            ) from error


def parse_xml(data: bytes, where: str | Path, format_: XmlFormat) -> ET.Element:
    """Read a whole document, and return its root element.

    Parameters
    ----------
    data : bytes
        The whole document.
    where : str or Path
        File (and member) for errors.
    format_ : XmlFormat

    Raises
    ------
    DataError
        It is no XML, is cut off, declares entities, or has another root element.
    """
    before, declared, _ = data.partition(b"<!ENTITY")
    if declared:
        line = before.count(b"\n") + 1
        raise DataError(
            f"{format_.what} declares XML entities of its own",
            where=f"{where}, line {line}",
            expected=f"{format_.name}, without <!ENTITY",
            hint=format_.hint,
        )
    with format_.errors(where):
        root = ET.fromstring(data)  # noqa: S314 - entities are refused above
    if root.tag != format_.tag:
        raise format_.wrong_root(root, where)
    return root


def parse_elements(stream: BinaryIO, where: str | Path, format_: XmlFormat) -> Iterator[ET.Element]:
    """Children of the root element, one after the other; each is cleared after its use.

    Parameters
    ----------
    stream : file
        Of bytes.
    where : str or Path
        File for errors.
    format_ : XmlFormat

    Raises
    ------
    DataError
        It is no XML, is cut off, or has another root.
    """
    depth = 0
    with format_.errors(where):
        # expat fetches nothing, and bounds how far entities expand.
        for event, element in ET.iterparse(stream, events=("start", "end")):  # noqa: S314
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1 and element.tag != format_.tag:
                raise format_.wrong_root(element, where)
            if event == "end" and depth == 1:
                yield element
                element.clear()
