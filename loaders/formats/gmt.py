"""GMT: a set of genes per line: its name, a text or address, and its members, between tabs.

The format is that of GSEA's gene matrix transposed files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tosg.errors import DataError
from tosg.loaders.formats.opening import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class GeneSet(NamedTuple):
    """A line: number, name, address, and the members as they are written, each once."""

    line: int
    name: str
    address: str
    members: tuple[str, ...]


def read_gmt(path: Path) -> Iterator[GeneSet]:
    """Read the sets of a file, one at a time; empty lines are passed over.

    Raises
    ------
    DataError
        A line has no members, or no address in its second column.
    """
    for line, text in read_lines(path):
        if not text.strip():
            continue
        name, address, *members = [*(part.strip() for part in text.split("\t")), ""]
        if not any(members) or "://" not in address:
            raise DataError(
                "a line is not a set of genes",
                where=f"{path}, line {line}",
                found=text[:80],
                expected="a name, an address and members, separated by tabs",
                hint="is this the right file? see `tosg sources`",
            )
        yield GeneSet(line, name, address, tuple(dict.fromkeys(m for m in members if m)))
