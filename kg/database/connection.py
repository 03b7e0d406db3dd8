"""A connection to one Neo4j database: sessions, plain reads and writes, errors in our words.

Bulk reads do not go through here but through `tosg.kg.reader.bulk`.
"""

from __future__ import annotations

import random
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import neo4j
from neo4j import exceptions as ne

from tosg.closing import Closing
from tosg.errors import DatabaseError, QueryError, QueryTimeoutError, TosgError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


Row = dict[str, Any]
_Result = TypeVar("_Result")

#: How often a transaction that the database gives up (a deadlock) is tried.
TRANSACTION_ATTEMPTS = 20


@dataclass(frozen=True)
class Target:
    """Where a database is and how to get in; what crosses process borders."""

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = "neo4j"


class Database(Closing):
    """One Neo4j database. Opens its driver at first use; pickles as its `Target` alone.

    Parameters
    ----------
    target : Target
        Where it is.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._driver: neo4j.Driver | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.target,))

    def close(self) -> None:
        """Close the driver; a later call opens it again."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    @property
    def driver(self) -> neo4j.Driver:
        """The official driver, opened at first use."""
        if self._driver is None:
            with translated(self.target.uri):
                self._driver = neo4j.GraphDatabase.driver(
                    self.target.uri,
                    auth=(self.target.username, self.target.password),
                    notifications_min_severity="OFF",
                    connection_timeout=15,
                )
        return self._driver

    def verify(self) -> None:
        """Check that the database answers.

        Raises
        ------
        DatabaseError
            The server is not there or refuses the password.
        """
        with self.session() as session:
            session.run("RETURN 1").consume()

    @cached_property
    def version(self) -> tuple[int, ...]:
        """Version of the Neo4j kernel, as (2026, 9, 0)."""
        rows = self.rows("CALL dbms.components() YIELD name, versions RETURN name, versions")
        kernel = next(r for r in rows if r["name"] == "Neo4j Kernel")
        return tuple(int(part) for part in re.findall(r"\d+", kernel["versions"][0])[:3])

    @contextmanager
    def session(self, *, write: bool = False, **config: Any) -> Iterator[neo4j.Session]:
        """Open a session with read or write access; driver errors become tosg's."""
        access = neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS
        with (
            translated(self.target.uri),
            self.driver.session(
                database=self.target.database, default_access_mode=access, **config
            ) as session,
        ):
            yield session

    def rows(self, query: str, *, timeout: float | None = None, **parameters: Any) -> list[Row]:
        """Run a small read and return its rows as dicts."""
        with self.session() as session:
            return _dicts(session.run(_query(query, timeout), parameters))

    def write(self, query: str, *, timeout: float | None = None, **parameters: Any) -> list[Row]:
        """Run a small write in its own transaction and return its rows as dicts."""
        with self.session(write=True) as session:
            return until_done(lambda: _dicts(session.run(_query(query, timeout), parameters)))

    def bookmark(self) -> str:
        """Bookmark of the database now: changes whenever any client has written anything."""
        with self.session() as session:
            session.run("RETURN 1").consume()
            return ",".join(sorted(session.last_bookmarks().raw_values))


def until_done(transaction: Callable[[], _Result]) -> _Result:
    """Run a transaction, again as long as the database gives it up in favour of another.

    Two processes can be in each other's way even where both make the same constraint. The
    transaction must be safe to run again after a rollback. A connection that is lost is not tried
    again: whether the transaction was committed is not known then.
    """
    for attempt in range(TRANSACTION_ATTEMPTS - 1):
        try:
            return transaction()
        except ne.TransientError:
            time.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 6)))  # noqa: S311
    return transaction()


def _dicts(result: neo4j.Result) -> list[Row]:
    # Not `result.data()`: it walks through byte values byte by byte.
    return [dict(record) for record in result]


def _query(text: str, timeout: float | None) -> neo4j.Query:
    return neo4j.Query(text, timeout=timeout)


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turn the driver's errors into `DatabaseError` and `QueryError`."""
    try:
        yield
    except TosgError:
        raise
    except ne.AuthError as error:
        raise DatabaseError(
            "the database refuses the user name or password",
            where=uri,
            found=error.message,
            hint="set NEO4J_USERNAME and NEO4J_PASSWORD (or username, password in tosg.toml)",
        ) from error
    except (ne.ServiceUnavailable, ne.SessionExpired, OSError) as error:
        raise DatabaseError(
            "the database cannot be reached or went away",
            where=uri,
            found=" ".join(str(error).split()),  # the driver lists every address on a line
            hint="check NEO4J_URI, or `tosg status` for the managed server",
            retryable=True,
        ) from error
    except ne.Neo4jError as error:
        raise _neo4j_error(error, uri) from error
    except (ne.DriverError, ne.ConfigurationError) as error:
        raise DatabaseError("the Neo4j driver refuses the call", where=uri, found=error) from error


def is_of_the_query(error: ne.Neo4jError) -> bool:
    """Whether the query is at fault, or a procedure that it calls, and not the server."""
    return any(kind in (error.code or "") for kind in (".Statement.", ".Procedure."))


def _neo4j_error(error: ne.Neo4jError, uri: str) -> TosgError:
    code, message = error.code or "", error.message or str(error)
    if "TransactionTimedOut" in code:
        return QueryTimeoutError(
            "the query ran past its time limit",
            hint="raise --timeout or narrow the query",
        )
    if is_of_the_query(error):
        return QueryError("Neo4j refuses the query", found=message)
    return DatabaseError(
        "the database reports an error",
        where=uri,
        found=f"{code}: {message}",
        retryable=error.is_retryable(),
    )
