"""What a loader tells about the files it read: rows, rejections by kind, things worth a note.

For each file the rows add up: read = parsed + rejected. A rejection keeps its kind, how often it
happened, and the first place and example of it, so that the record stays small whatever the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

#: Kind of rejection of a row whose identifier does not fit its prefix.
BAD_ID = "bad identifier"

#: How many examples of one kind of note are kept.
NOTE_EXAMPLES = 5
_EXAMPLE_LENGTH = 200


@dataclass(slots=True)
class Rejection:
    """Rows of one file that were not used, for one reason.

    Attributes
    ----------
    kind : str
        The reason in a few words, as "bad identifier".
    source : str
        Loader that read the file.
    file : str
        Base name of the file.
    line : int
        First line (or record) it happened at, counted from 1; 0 where there is none.
    example : str
        What stood there, shortened.
    count : int
        How many rows.
    """

    kind: str
    source: str
    file: str
    line: int
    example: str
    count: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.kind,
            "source": self.source,
            "file": self.file,
            "line": self.line,
            "example": self.example,
            "count": self.count,
        }


@dataclass(slots=True)
class Note:
    """Something worth knowing that is no rejection: duplicates, ambiguous names, self-loops."""

    kind: str
    source: str
    file: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.kind,
            "source": self.source,
            "file": self.file,
            "count": self.count,
            "examples": list(self.examples),
        }


@dataclass(slots=True)
class FileLog:
    """Rows of one file: read = parsed + rejected.

    ``rows_stated`` is what the file itself, or one beside it, says that it has; None where nothing
    does.
    """

    source: str
    path: Path
    rows_read: int = 0
    rows_parsed: int = 0
    rejections: dict[str, Rejection] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    rows_stated: int | None = None

    @property
    def name(self) -> str:
        """Base name of the file."""
        return self.path.name

    @property
    def rows_rejected(self) -> int:
        """Rows that were not used."""
        return sum(r.count for r in self.rejections.values())

    def read(self, n: int = 1) -> None:
        """Count rows that were read."""
        self.rows_read += n

    def parsed(self, n: int = 1) -> None:
        """Count rows that were understood and used."""
        self.rows_parsed += n

    def reject(self, kind: str, line: int, example: object, n: int = 1) -> None:
        """Count rows that were not used; the earliest line's example is kept."""
        text = shorten(example)
        known = self.rejections.get(kind)
        if known is None:
            self.rejections[kind] = Rejection(kind, self.source, self.name, line, text, n)
            return
        known.count += n
        if line < known.line:
            known.line, known.example = line, text

    def note(self, kind: str, n: int = 1, examples: object = ()) -> None:
        """Count something that is no rejection; the first few examples are kept."""
        known = self.notes.setdefault(kind, Note(kind, self.source, self.name))
        known.count += n
        given = [examples] if isinstance(examples, str) else list(examples)  # type: ignore[call-overload]
        for example in given:
            if len(known.examples) >= NOTE_EXAMPLES:
                break
            text = shorten(example)
            if text not in known.examples:
                known.examples.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; kinds in alphabetical order."""
        return {
            "source": self.source,
            "file": self.name,
            "read": self.rows_read,
            "parsed": self.rows_parsed,
            "rejected": self.rows_rejected,
            **({} if self.rows_stated is None else {"stated": self.rows_stated}),
            "rejections": [self.rejections[k].as_dict() for k in sorted(self.rejections)],
            "notes": [self.notes[k].as_dict() for k in sorted(self.notes)],
        }


@dataclass(slots=True)
class SourceLog:
    """The logs of all files that one loader read, in the order it read them."""

    source: str
    release: str = ""
    files: dict[Path, FileLog] = field(default_factory=dict)

    def file(self, path: Path) -> FileLog:
        """Log of one file; made at the first call."""
        return self.files.setdefault(path, FileLog(self.source, path))

    @property
    def rejections(self) -> list[Rejection]:
        """All rejections, by file as read and then by kind."""
        return [f.rejections[k] for f in self.files.values() for k in sorted(f.rejections)]

    @property
    def notes(self) -> list[Note]:
        """All notes, by file as read and then by kind."""
        return [f.notes[k] for f in self.files.values() for k in sorted(f.notes)]

    def check_sums(self) -> None:
        """Make sure that every row is parsed or rejected, and that a file has some of use.

        Raises
        ------
        DataError
            The rows of a file do not add up, or none could be used.
        """
        for path, file in self.files.items():
            if file.rows_stated not in (None, file.rows_read):
                text = f"{file.rows_stated:,} stated, {file.rows_read:,} read"
                file.note("another number of rows than the file states", 1, text)
            if file.rows_read != file.rows_parsed + file.rows_rejected:
                raise DataError(
                    "rows of a file do not add up; this is a fault in tosg",
                    where=path,
                    found=f"{file.rows_parsed} parsed + {file.rows_rejected} rejected",
                    expected=f"{file.rows_read} read",
                )
            if file.rows_read and not file.rows_parsed:
                worst = max(file.rejections.values(), key=lambda r: (r.count, r.kind))
                raise DataError(
                    "no row of the file could be used",
                    where=f"{path}, line {worst.line}",
                    found=f"{worst.kind}: {worst.example}",
                    hint="is this the right file? see `tosg sources`",
                )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "source": self.source,
            "release": self.release,
            "files": [log.as_dict() for log in self.files.values()],
        }


def shorten(example: object) -> str:
    """One line of at most 200 characters; control characters are shown as escapes."""
    text = str(example)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _EXAMPLE_LENGTH else text[: _EXAMPLE_LENGTH - 3] + "..."
