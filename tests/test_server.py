"""The managed server: install, start, find, stop, survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.kg import server as managed

if TYPE_CHECKING:
    from tosg.kg.database import Database
    from tosg.kg.server import ServerInfo
    from tosg.kg.settings import Settings

pytestmark = pytest.mark.lts


def test_a_started_server_is_found_and_reused(settings: Settings, server: ServerInfo) -> None:
    assert managed.status(settings) == server
    assert managed.ensure(settings) == server


def test_the_password_is_private_and_not_shown(settings: Settings, server: ServerInfo) -> None:
    assert server.password not in repr(server)
    assert server.password_file.stat().st_mode & 0o777 == 0o600
    assert server.password_file.read_text() == server.password


def test_the_database_answers_and_is_the_wanted_version(
    settings: Settings, database: Database
) -> None:
    assert database.version == tuple(int(part) for part in settings.neo4j_version.split("."))
    assert database.rows("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
