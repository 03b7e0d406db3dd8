"""``tosg graphs``, ``tosg down`` and ``tosg doctor``: what is on this machine."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from tosg import machine
from tosg.cli import tosg
from tosg.kg import server as managed

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings


def run(settings: Settings, *arguments: str, **environ: str) -> Result:
    """Run a command with these settings in the environment."""
    env: dict[str, str | None] = {
        "TOSG_HOME": str(settings.common_home),
        "TOSG_CACHE": str(settings.cache),
        "TOSG_NEO4J_VERSION": settings.neo4j_version,
        "TOSG_NEO4J_MEMORY": settings.memory,
        "TOSG_GRAPH": settings.graph,
        "NEO4J_URI": None,
        **environ,
    }
    return CliRunner().invoke(tosg, list(arguments), env=env)


@pytest.mark.neo4j
def test_graphs_have_names_states_and_sizes(settings: Settings) -> None:
    """The session's server is the graph without a name; another is only a folder here."""
    info = managed.ensure_server(settings)
    other = settings.named("other")
    folder = other.home / settings.neo4j_version
    folder.mkdir(parents=True)
    try:
        assert [g["name"] for g in json.loads(run(settings, "graphs", "--json").stdout)] == [
            "default"
        ]
        (folder / "data").mkdir()
        (folder / "data" / "file").write_bytes(b"x" * 1000)
        first, second = json.loads(run(settings, "--graph", "other", "graphs", "--json").stdout)
        assert first["running"] == [settings.neo4j_version]
        assert first["bytes"] > 10_000
        assert not first["chosen"]
        assert second == {
            "name": "other",
            "home": str(other.home),
            "versions": [settings.neo4j_version],
            "running": [],
            "bytes": 1000,
            "chosen": True,
        }
        shown = run(settings, "graphs").stdout
        assert "default *" in shown
        assert "other" in shown
        # `down` of the other graph leaves this one, and says how to stop it.
        down = run(settings, "down", "--graph", "other")
        assert "was not running" in down.stdout
        assert f"{info.data.parents[1]}; stop it with: tosg --graph default down" in down.stderr
        assert managed.status(settings) is not None
    finally:
        shutil.rmtree(other.home)


def test_how_to_stop_a_server(tmp_path: Path) -> None:
    from tosg.settings import Settings

    here = Settings(home=tmp_path)
    version = here.neo4j_version
    commands = {
        managed.RunningServer(1, tmp_path, version): "tosg down",
        managed.RunningServer(1, tmp_path / "demo", version): "tosg --graph demo down",
        managed.RunningServer(1, tmp_path / "a b" / "c", version): (
            f"TOSG_HOME='{tmp_path}/a b/c' tosg down"
        ),
        managed.RunningServer(1, tmp_path, "5.26.28"): "TOSG_NEO4J_VERSION=5.26.28 tosg down",
    }
    for found, command in commands.items():
        assert found.stop_command(here) == command
    unnamed = managed.RunningServer(1, tmp_path, version)
    assert unnamed.stop_command(here.named("demo")) == "tosg --graph default down"


@pytest.mark.neo4j
def test_doctor(settings: Settings, tmp_path: Path) -> None:
    info = managed.ensure_server(settings)
    found = run(settings, "doctor", "--json")
    conditions = json.loads(found.stdout)
    assert found.exit_code == any(c["state"] == "problem" for c in conditions)
    names = {c["name"] for c in conditions}
    assert names >= {"tosg", "packages", "graph", "servers", "disk", "memory", "gpu", "model"}
    (graph,) = (c for c in conditions if c["name"] == "graph")
    assert graph["found"].endswith(", running")
    servers = [c["found"] for c in conditions if c["name"] == "servers" and c["state"] == "ok"]
    assert servers == [f"Neo4j {info.version} of {settings.home} (process {info.pid})"]
    # Nothing is started, and what is missing is said with what to do.
    fresh = replace(settings, home=tmp_path / "none", cache=tmp_path / "cache")
    said = {c.name: c for c in machine.examine(fresh)}
    assert said["graph"].state == "note"
    assert "tosg up" in said["graph"].do
    assert not fresh.home.exists()
    away = run(settings, "doctor", "--uri", "bolt://127.0.0.1:1")
    assert away.exit_code == 1
    assert "! graph" in away.stdout


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tosg.settings import Settings

    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 1 << 60)
    here = Settings(home=tmp_path, cache=tmp_path)
    disk = [c for c in machine.examine(here) if c.name == "disk"]
    assert [c.state for c in disk] == ["problem", "problem"]
    assert "TOSG_HOME" in disk[0].do
