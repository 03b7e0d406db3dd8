"""Every error that tosg raises on purpose, and the exit code of each.

::

    TosgError               exit 1
    ├── ConfigError         exit 2   a setting, option or argument is wrong or missing
    │   └── UsageError      exit 2   a name the user gave is unknown (lists the nearest ones)
    │       └── AmbiguousNameError   several entities have it (lists them)
    ├── DatabaseError       exit 3   unreachable, refused, gone; ``retryable``: a retry may help
    │   └── ServerError     exit 3   the managed server cannot be installed, started or stopped
    ├── QueryError          exit 1   Cypher that does not parse, writes, times out, finds no node
    ├── SchemaError         exit 1   the graph or a statement does not fit the schema
    ├── DataError           exit 1   a source, cell or recipe file is wrong
    └── ExportError         exit 1   a selection or training set is wrong, or the graph moved

A message says what, where, what was found, what was expected and what to do.

`TosgWarning` is the category of every warning: the result is there, but not all that was asked.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class TosgError(Exception):
    """The root of all errors that tosg raises on purpose.

    Parameters
    ----------
    what : str
        One sentence: what went wrong.
    where : str, optional
        File with line, column or key; statement; option.
    found, expected : str, optional
        The two sides of what did not fit.
    hint : str, optional
        What to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        found: object = None,
        expected: object = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.found = None if found is None else str(found)
        self.expected = None if expected is None else str(expected)
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        for label in ("where", "found", "expected"):
            value = getattr(self, label)
            if value is not None:
                lines.append(f"  {label + ':':<10}{value}")
        if self.hint is not None:
            lines.append(f"  {'do:':<10}{self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not pickle by themselves, and errors
        # cross process borders (export workers, data loader workers).
        return (_rebuild, (type(self), self.what, dict(self.__dict__)))


def _rebuild(cls: type[TosgError], what: str, state: dict[str, Any]) -> TosgError:
    error = cls.__new__(cls)
    Exception.__init__(error, what)
    error.__dict__.update(state)
    return error


class ConfigError(TosgError):
    """A setting, option or argument is wrong or missing."""

    exit_code = 2


class UsageError(ConfigError):
    """A name that the user gave is unknown."""


#: Candidates that an `AmbiguousNameError` lists.
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several entities that have a name."""

    id: str
    type: str | None
    name: str | None
    relationships: int

    def __str__(self) -> str:
        name = self.name or "no name"
        return f"{self.id} ({name}, {self.type}, {self.relationships:,} relationships)"


class AmbiguousNameError(UsageError):
    """A name that several entities have.

    ``where`` is the parameter that has the name, ``found`` the name.

    Attributes
    ----------
    candidates : tuple of Candidate
        Those with most relationships first; ``expected`` lists them.
    """

    def __init__(self, what: str, *, candidates: Iterable[Candidate] = (), **parts: Any) -> None:
        super().__init__(what, **parts)
        self.candidates = tuple(candidates)
        listed = [str(c) for c in self.candidates[:_LISTED]]
        if len(self.candidates) > _LISTED:
            listed.append(f"and {len(self.candidates) - _LISTED:,} more")
        if listed:
            self.expected = "one of these:\n            " + "\n            ".join(listed)


class DatabaseError(TosgError):
    """The database is unreachable, refuses, or went away in the middle."""

    exit_code = 3
    retryable: bool = False

    def __init__(self, what: str, *, retryable: bool = False, **parts: Any) -> None:
        super().__init__(what, **parts)
        self.retryable = retryable


class ServerError(DatabaseError):
    """The managed server cannot be installed, started or stopped."""


class QueryError(TosgError):
    """A user's Cypher does not parse, writes, runs past its limit, or returns what is not asked."""


class QueryTimeoutError(QueryError):
    """A query ran past its time limit."""


class SchemaError(TosgError):
    """The graph, a claim or a statement does not fit the schema."""


class DataError(TosgError):
    """A source file, cell file or recipe is wrong."""


class ExportError(TosgError):
    """A selection or a training set is wrong, or the graph changed under the export."""


class TosgWarning(UserWarning):
    """The result is there, but it is partial, or less than what was asked for.

    ``warnings.simplefilter("error", tosg.TosgWarning)`` makes errors of these warnings. The
    command line prints them on stderr.
    """


@contextmanager
def at(where: str) -> Iterator[None]:
    """Say where, in the errors from inside that do not: an option, a statement."""
    try:
        yield
    except TosgError as error:
        error.where = error.where or where
        raise


def unknown(
    kind: str, name: object, known: Iterable[str], *, where: str | Path | None = None
) -> UsageError:
    """Build the error for an unknown name, listing the nearest valid ones.

    Parameters
    ----------
    kind : str
        What the name is of, as in "label" or "split field".
    name : object
        The name that was given.
    known : iterable of str
        All valid names.
    where : str or Path, optional
        Where the name was given.
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    shown = ", ".join(names) if len(names) <= 30 else ", ".join(names[:30]) + ", ..."
    return UsageError(
        f"unknown {kind}",
        where=where,
        found=name,
        expected=shown or f"(there is no {kind} yet)",
        hint=f"did you mean {' or '.join(near)}?" if near else None,
    )
