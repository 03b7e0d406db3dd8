"""The managed server: start, find, stop, and what it does not do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tosg.cli import tosg
from tosg.errors import QueryError, TosgWarning
from tosg.graph import KnowledgeGraph
from tosg.kg import server as managed

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.server import ServerInfo
    from tosg.settings import Settings

pytestmark = pytest.mark.lts


@pytest.mark.usefixtures("server")
def test_a_started_server_is_found_and_reused(settings: Settings) -> None:
    up = managed.ensure_server(settings)  # an earlier test may have moved it to another process
    assert managed.status(settings) == up
    assert managed.ensure_server(settings) == up


def test_the_password_is_private_and_not_shown(settings: Settings, server: ServerInfo) -> None:
    assert server.password not in repr(server)
    assert server.password_file.stat().st_mode & 0o777 == 0o600
    assert server.password_file.read_text() == server.password


def test_another_bound_on_memory_than_the_servers_is_told(settings: Settings) -> None:
    info = managed.ensure_server(settings)
    other = KnowledgeGraph(replace(settings, memory="7777m"))
    with pytest.warns(TosgWarning, match="the memory stays as it was"):
        assert other.up() == info
    assert KnowledgeGraph(replace(settings, memory=info.memory)).up() == info


def test_the_database_answers_and_is_the_wanted_version(
    settings: Settings, database: Database
) -> None:
    assert database.version == tuple(int(part) for part in settings.neo4j_version.split("."))
    assert database.rows("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_the_commands_agree_with_the_library(
    settings: Settings, server: ServerInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOSG_HOME", str(settings.home))
    monkeypatch.setenv("TOSG_CACHE", str(settings.cache))
    monkeypatch.setenv("TOSG_NEO4J_VERSION", settings.neo4j_version)
    runner = CliRunner()
    info = managed.ensure_server(settings)
    shown = runner.invoke(tosg, ["up", "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["uri"] == info.uri
    assert "already up" in shown.stderr
    assert info.password not in shown.output
    lines = runner.invoke(tosg, ["up", "--env"]).stdout.splitlines()
    assert f"export NEO4J_PASSWORD={info.password}" in lines
    assert json.loads(runner.invoke(tosg, ["status", "--json"]).stdout)["pid"] == info.pid
    monkeypatch.setenv("TOSG_HOME", str(settings.home / "nothing here"))
    nothing = runner.invoke(tosg, ["status", "--json"])
    assert nothing.exit_code == 3
    assert json.loads(nothing.stdout)["running"] is False
    assert json.loads(runner.invoke(tosg, ["down", "--json"]).stdout)["stopped"] is False


def test_files_and_networks_are_out_of_reach_of_cypher(database: Database) -> None:
    for address in ("file:///etc/hostname", "http://127.0.0.1:9/x.csv", "https://192.0.2.1/x.csv"):
        with pytest.raises(QueryError, match="refuses") as caught:
            database.rows(f"LOAD CSV FROM '{address}' AS row RETURN row")
        assert "configuration property" in (caught.value.found or "")
