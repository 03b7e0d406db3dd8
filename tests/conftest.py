"""Fixtures: one real managed server for the session, an empty database for each test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.servers import give, in_ci, managed_settings, missing, wipe

from tosg.errors import ServerError
from tosg.kg import server as managed
from tosg.kg.database.connection import Database, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.settings import Settings

#: Files that take minutes: begun first where several processes share the tests.
LONGEST = (
    "biology/test_biology.py",
    "loading/test_pipeline.py",
    "loaders/test_contract.py",
    "dashboard/test_page.py",
    "loading/test_breaks.py",
    "loading/test_build.py",
    "test_server_survival.py",
    "export/test_bad_input.py",
    "test_bolt_writer.py",
    "test_pages.py",
    "test_statements.py",
    "test_user_query.py",
)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--graph NAME``: the managed graph that `tests/biology` asks, instead of making one;
    ``--first-cases``: each test once, with the first of its parameters."""
    parser.addoption("--graph", help="managed graph that tests/biology asks")
    parser.addoption("--first-cases", action="store_true", help="each test with one parameter")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; mark those that ask for the server, or for the
    embedding model."""
    if config.getoption("first_cases"):
        first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        items[:] = [item for item in items if first[item.nodeid.partition("[")[0]] is item]
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.neo4j)
        if "model" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.extras)
    places = {str(Path(__file__).parent / name): i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(str(item.path), len(places)))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, where everything has to be there, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if in_ci() and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def server_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the session's managed server, in a home of its own."""
    return managed_settings(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def server(server_settings: Settings) -> Iterator[managed.ServerInfo]:
    """A real managed server that runs; the jars are shared with other sessions."""
    try:
        info = managed.ensure_server(server_settings)
    except ServerError as error:
        if not error.retryable:
            raise
        missing(f"no Neo4j: {error}")
    yield info
    managed.stop(server_settings)


@pytest.fixture
def settings(server_settings: Settings, server: managed.ServerInfo) -> Settings:
    """Settings of the running managed server."""
    return server_settings


@pytest.fixture
def connection(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    """The session's database as the last test left it, for fixtures that `give` it a graph."""
    info = managed.ensure_server(server_settings)  # a test may have stopped or moved the server
    with Database(Target(info.uri, info.username, info.password)) as database:
        yield database


@pytest.fixture
def database(connection: Database) -> Database:
    """A database without nodes, with the schema's constraints and indexes and no others."""
    give(connection, "nothing")
    return connection


@pytest.fixture
def bare_database(database: Database) -> Database:
    """A database with nothing in it: no nodes, no constraints, no indexes."""
    wipe(database, schema=False)
    return database


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real source files beside the checkout."""
    if not SHARED_DATA.is_dir():
        missing(f"there is no folder {SHARED_DATA} with the original files")
    return SHARED_DATA
