"""The files that a source wants: their names, where they are got, how a whole one is known."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file that a loader wants.

    Attributes
    ----------
    key : str
        Name in the mapping that the loader is given.
    names : tuple of str
        File names or patterns (as ``edges*.sif.gz``), the most wanted first.
    help : str
        What is in it.
    required : bool
        Whether the source cannot be read without it.
    url : str or None
        Where users get it.
    sha256 : str or None
        Of the file at ``url``.
    release : str
        Release of the file with that hash, for files that do not say it themselves.
    known : mapping
        sha256 -> release, of other files that do not say their release.
    license : str
        Licence of this file where it is another than the source's.
    whole_bytes : int
        Size that the whole file has at least, compressed or not; a smaller one is an excerpt.
        0: unknown.
    states_rows : str
        Where the file, or one beside it, says how many rows it has; "" where nothing does. The
        loader tells its `FileLog`, and a different number is noted in the report.
    many : bool
        Whether all files that fit are read, where a source publishes a table in several parts;
        see `Loader.parts`.
    """

    key: str
    names: tuple[str, ...]
    help: str
    required: bool = True
    url: str | None = None
    sha256: str | None = None
    release: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    license: str = ""
    whole_bytes: int = 0
    states_rows: str = ""
    many: bool = False

    @property
    def filename(self) -> str:
        """Name under which it is stored when fetched."""
        return self.names[0]

    def matches(self, name: str) -> int | None:
        """Position of the first pattern that fits a file name, None where none does."""
        for position, pattern in enumerate(self.names):
            if fnmatch.fnmatchcase(name, pattern):
                return position
        return None
