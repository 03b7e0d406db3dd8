"""Connect to the graph of the settings: a Neo4j that they name, or the managed server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.errors import DatabaseError
from tosg.kg.database.connection import Database, Target
from tosg.kg.server.lifecycle import ensure_server

if TYPE_CHECKING:
    from tosg.settings import Settings

#: The oldest Neo4j that knows all that is asked of it.
OLDEST = (5, 26)


def connect(settings: Settings) -> Database:
    """Connect as the settings say, starting the managed server where no URI is set.

    Parameters
    ----------
    settings : Settings
        Which graph.

    Returns
    -------
    Database
        It has answered. A context manager; close it after use.

    Raises
    ------
    DatabaseError
        The server cannot be reached, refuses the password or is too old.
    """
    database = Database(_target(settings))
    try:
        database.verify()
        if settings.uri is not None:
            check_version(database.version, settings.uri)
    except BaseException:
        database.close()
        raise
    return database


def _target(settings: Settings) -> Target:
    if settings.uri is None:
        info = ensure_server(settings)
        return Target(info.uri, info.username, info.password)
    return Target(
        settings.uri,
        settings.username or "neo4j",
        settings.password or "",
        settings.database or "neo4j",
    )


def check_version(version: tuple[int, ...], uri: str) -> None:
    """Refuse a server that does not know the Cypher of our statements.

    Raises
    ------
    DatabaseError
        It is older than `OLDEST`.
    """
    if version < OLDEST:
        raise DatabaseError(
            "the server is too old",
            where=uri,
            found="Neo4j " + ".".join(map(str, version)),
            expected="Neo4j " + ".".join(map(str, OLDEST)) + " or newer",
            hint="upgrade it, or set no URI and use the managed server",
        )
