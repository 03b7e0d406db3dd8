"""The real managed server for the tests, and fast ways to a database with a known graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tosg.kg.database import indexes as ddl
from tosg.kg.schema.indexes import definitions
from tosg.settings import Settings, default_cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from tosg.kg.database.connection import Database, Row

BATCH = 10_000

#: Address of a server -> the graph that a test was given, and the bookmark of that moment.
_given: dict[str, tuple[str, str]] = {}

#: Address of a server -> its constraints and indexes when the schema was last made sure of.
_schemas: dict[str, list[Row]] = {}

_SCHEMA = (
    "SHOW INDEXES YIELD name, type, state, labelsOrTypes, properties, options, owningConstraint "
    "WHERE type <> 'LOOKUP' "
    "RETURN name, type, state, labelsOrTypes, properties, options, owningConstraint ORDER BY name"
)


def in_ci() -> bool:
    """Whether this is a CI run, where a missing service is a failure."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def missing(reason: str) -> NoReturn:
    """Skip with the reason, or fail where the run has to have everything."""
    if in_ci():
        pytest.fail(f"needed in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def managed_settings(home: Path, *, version: str | None = None) -> Settings:
    """Settings of a managed server for tests: own home, shared jars, little memory."""
    cache = os.environ.get("TOSG_CACHE")
    chosen = version or os.environ.get("TOSG_NEO4J_VERSION") or Settings().neo4j_version
    return Settings(
        home=home,
        cache=Path(cache) if cache else default_cache(),
        neo4j_version=chosen,
        memory=os.environ.get("TOSG_NEO4J_MEMORY") or "1g",
        jvm=os.environ.get("TOSG_NEO4J_JVM"),
    )


def give(database: Database, graph: str, make: Callable[[Database], object] | None = None) -> None:
    """Put a graph into the database: at once where it is there and nobody has written since.

    Parameters
    ----------
    database : Database
        One of the session's server.
    graph : str
        Its name: one name, one graph.
    make : callable, optional
        Writes it into a database that is empty but for the schema.
    """
    uri = database.target.uri
    if _given.get(uri) == (graph, database.bookmark()):
        return
    _given.pop(uri, None)
    wipe(database)
    if make is not None:
        make(database)
    _given[uri] = (graph, database.bookmark())


def wipe(database: Database, *, schema: bool = True) -> None:
    """Remove all nodes and relationships, and all constraints and indexes but the schema's.

    Those stay, or are made: making sixty indexes for each test takes most of the server's time,
    and makes it plan each statement again. Without `schema` they are removed too.
    """
    kept = {d.name for d in definitions()} if schema else set()
    # In this edition of Neo4j each constraint has an index of its name.
    there = database.rows(_SCHEMA)
    for row in there:
        if row["owningConstraint"] is not None and row["name"] not in kept:
            database.write(f"DROP CONSTRAINT `{row['owningConstraint']}` IF EXISTS")
        elif row["name"] not in kept or row["state"] == "FAILED":
            database.write(f"DROP INDEX `{row['name']}` IF EXISTS")
    while (
        database.write(
            "MATCH (n) WITH n LIMIT $most DETACH DELETE n RETURN count(*) AS n", most=BATCH
        )[0]["n"]
        == BATCH
    ):
        pass
    if schema and there != _schemas.get(database.target.uri):
        ddl.ensure_schema(database)
        _schemas[database.target.uri] = database.rows(_SCHEMA)
