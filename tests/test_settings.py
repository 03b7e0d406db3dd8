"""Settings: where they come from, which wins, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.errors import ConfigError, UsageError
from tosg.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

TOML = 'uri = "bolt://toml:1"\nusername = "toml"\npassword = "toml"\n'


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "tosg.toml").write_text(TOML)
    found = load_settings(
        {"uri": "bolt://flag:3", "username": None},
        environ={"NEO4J_URI": "bolt://environment:2", "NEO4J_USERNAME": "environment"},
        folder=tmp_path,
    )
    assert (found.uri, found.username, found.password) == ("bolt://flag:3", "environment", "toml")
    assert not found.managed
    assert "toml" not in repr(found).partition("password=")[2].partition(",")[0]


def test_without_any_the_managed_server_is_meant(tmp_path: Path) -> None:
    found = load_settings(environ={"NEO4J_URI": "", "TOSG_HOME": "~/tosg"}, folder=tmp_path)
    assert found.managed
    assert found.home.is_absolute()
    assert "~" not in str(found.home)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "tosg.toml").write_text(TOML, encoding="utf-8-sig")
    assert load_settings(environ={}, folder=tmp_path).uri == "bolt://toml:1"


@pytest.mark.parametrize(
    ("toml", "error", "message"),
    [
        ('url = "bolt://h"', UsageError, "unknown setting"),
        ("uri = 7", ConfigError, "not a string"),
        ("uri = bolt", ConfigError, "does not parse"),
    ],
)
def test_a_wrong_file_is_refused(
    tmp_path: Path, toml: str, error: type[ConfigError], message: str
) -> None:
    (tmp_path / "tosg.toml").write_text(toml)
    with pytest.raises(error, match=message) as caught:
        load_settings(environ={}, folder=tmp_path)
    assert "tosg.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("localhost:7687", "no scheme"),
        ("bolt", "no scheme"),
        ("http://localhost:7474", "no scheme"),
        ("bolt://", "no host"),
        ("bolt://host:port", "port"),
        ("bolt://host:99999", "port"),
        ("bolt://host:0", "port"),
        ("neo4j+s://me:secret@host", "user name"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(uri: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings({"uri": uri}, environ={}, folder=tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("uri", ["neo4j://host?region=eu", "bolt://[::1]:7687", "neo4j+s://h.io"])
def test_addresses_of_the_driver_are_taken(uri: str, tmp_path: Path) -> None:
    assert load_settings({"uri": uri}, environ={}, folder=tmp_path).uri == uri


@pytest.mark.parametrize("flag", ["username", "password", "database"])
def test_what_only_another_server_has_is_refused_for_the_managed_one(
    flag: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="managed server") as caught:
        load_settings({flag: "mine"}, environ={}, folder=tmp_path)
    assert flag in str(caught.value)
    # For other programs: a compose file wants them.
    environ = {"NEO4J_USERNAME": "me", "NEO4J_PASSWORD": "secret", "NEO4J_DATABASE": "neo4j"}
    assert load_settings(environ=environ, folder=tmp_path).managed


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_data_dir", nowhere)
    with pytest.raises(ConfigError, match="no home folder") as caught:
        Settings()
    assert "TOSG_HOME" in str(caught.value)


def test_a_graph_has_a_name_and_a_folder(tmp_path: Path) -> None:
    environ = {"TOSG_HOME": str(tmp_path), "TOSG_GRAPH": "first"}
    found = load_settings({"graph": "second"}, environ=environ, folder=tmp_path)
    assert (found.graph, found.home, found.common_home) == (
        "second",
        tmp_path / "second",
        tmp_path,
    )
    assert found.named("third").home == tmp_path / "third"
    assert found.named("default").home == tmp_path
    assert found.named("default").graph is None
    (tmp_path / "tosg.toml").write_text('graph = "fourth"')
    assert load_settings(environ={"TOSG_HOME": str(tmp_path)}, folder=tmp_path).graph == "fourth"


def test_a_named_graph_and_a_server_are_rivals(tmp_path: Path) -> None:
    """The higher place counts; one place cannot name both."""
    (tmp_path / "tosg.toml").write_text('uri = "bolt://toml:1"\ndatabase = "mine"\n')
    graph = load_settings(environ={"TOSG_GRAPH": "demo"}, folder=tmp_path)
    assert graph.managed
    assert graph.database is None
    server = load_settings({"uri": "bolt://h:1"}, environ={"TOSG_GRAPH": "demo"}, folder=tmp_path)
    assert (server.uri, server.graph) == ("bolt://h:1", None)
    with pytest.raises(ConfigError, match="are given"):
        load_settings({"uri": "bolt://h:1", "graph": "demo"}, environ={}, folder=tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "..", "2026.09.0", "reports", "training-sets", "ä"])
def test_names_that_no_graph_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot have this name"):
        load_settings({"graph": name}, environ={}, folder=tmp_path)
