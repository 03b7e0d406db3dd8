"""The real managed server for the tests, and a fast way to empty its database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tosg.kg.database import indexes as ddl
from tosg.kg.schema.indexes import definitions
from tosg.settings import Settings, default_cache

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

BATCH = 10_000


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


def wipe(database: Database, *, schema: bool = True) -> None:
    """Remove all nodes and relationships, and all constraints and indexes but the schema's.

    Those stay, or are made: making sixty indexes for each test takes most of the server's time,
    and makes it plan each statement again. Without `schema` they are removed too.
    """
    kept = {d.name for d in definitions()} if schema else set()
    for row in database.rows("SHOW CONSTRAINTS YIELD name RETURN name"):
        if row["name"] not in kept:
            database.write(f"DROP CONSTRAINT `{row['name']}` IF EXISTS")
    indexes = "SHOW INDEXES YIELD name, type, state WHERE type <> 'LOOKUP' RETURN name, state"
    for row in database.rows(indexes):
        if row["name"] not in kept or row["state"] == "FAILED":
            database.write(f"DROP INDEX `{row['name']}` IF EXISTS")
    while database.write(
        "MATCH (n) WITH n LIMIT $most DETACH DELETE n RETURN count(*) AS n", most=BATCH
    )[0]["n"]:
        pass
    if schema:
        ddl.ensure_schema(database)
