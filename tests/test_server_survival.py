"""The managed server and its clients are killed, started twice, moved, damaged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from support.servers import managed_settings

from tosg.errors import ConfigError, ServerError
from tosg.kg import server as managed
from tosg.kg.database.connection import Database
from tosg.kg.server.connect import connect
from tosg.kg.server.layout import read_state, write_state
from tosg.kg.server.lifecycle import layout_of
from tosg.settings import Settings

ENSURE = """
import json, sys
from pathlib import Path
from tosg.kg import server
from tosg.settings import Settings
values = json.loads(sys.argv[1])
settings = Settings(**{**values, "home": Path(values["home"]), "cache": Path(values["cache"])})
print(server.ensure_server(settings).pid)
"""


#: An import whose client waits before the swap: `sleeping` says that it has come there.
PREPARED = ENSURE.replace(
    "server.ensure_server(settings).pid",
    "server.import_full(settings, sys.argv[3:], lambda _info: "
    "(Path(sys.argv[2]).touch(), __import__('time').sleep(120)))",
)

IMPORT = ENSURE.replace(
    "server.ensure_server(settings)", "server.import_full(settings, sys.argv[2:])"
)


def client(settings: Settings, code: str = ENSURE, *more: str) -> subprocess.Popen[str]:
    """Another process that asks for the server."""
    values = json.dumps(asdict(settings), default=str)
    command = [sys.executable, "-c", code, values, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def own(server: managed.ServerInfo, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a server of this test's own, not started yet."""
    settings = managed_settings(tmp_path / "home")
    yield settings
    managed.stop(settings)


def servers_of(settings: Settings) -> list[psutil.Process]:
    token = f"-Dtosg.home={layout_of(settings).root}"
    return [p for p in psutil.process_iter() if token in _command(p)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_two_processes_at_once_get_one_server(own: Settings) -> None:
    clients = [client(own) for _ in range(3)]
    pids = {c.communicate(timeout=200)[0].strip() for c in clients}
    assert all(c.returncode == 0 for c in clients)
    assert len(pids) == 1
    assert len(servers_of(own)) == 1
    info = managed.status(own)
    assert info is not None
    assert {str(info.pid)} == pids


@pytest.mark.lts
def test_a_killed_server_is_started_again_with_its_data(settings: Settings) -> None:
    first = managed.ensure_server(settings)
    with connect(settings) as db:
        db.write("MERGE (n:Kept {key: 1})")
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: managed.status(settings) is None)
    second = managed.ensure_server(settings)
    assert second.pid != first.pid
    assert second.uri == first.uri  # the ports stay where they are free
    with connect(settings) as db:
        assert db.rows("MATCH (n:Kept) RETURN count(n) AS n") == [{"n": 1}]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("at once", marks=pytest.mark.slow),
        pytest.param("has a number", marks=pytest.mark.slow),
        "half way",
        pytest.param("listens", marks=pytest.mark.slow),
    ],
)
def test_a_client_killed_while_starting_leaves_a_server_that_is_found(
    own: Settings, moment: str
) -> None:
    layout = layout_of(own)
    starter = client(own)
    waits = {
        "at once": lambda: layout.state.exists(),
        "has a number": lambda: layout.pid.exists(),
        "half way": lambda: layout.log.exists(),
        "listens": lambda: layout.log.exists() and "Bolt enabled" in layout.log.read_text(),
    }
    wait_for(waits[moment])
    starter.kill()
    starter.communicate()
    info = managed.ensure_server(own)
    with connect(own) as db:
        assert db.rows("RETURN 1 AS n") == [{"n": 1}]
    assert [p.pid for p in servers_of(own)] == [info.pid]


@pytest.mark.parametrize("moment", ["importing", pytest.param("swapped", marks=pytest.mark.slow)])
def test_a_client_killed_in_a_bulk_load_leaves_old_or_new_data(
    settings: Settings, database: Database, tmp_path: Path, moment: str
) -> None:
    database.write("CREATE (:Old)")
    layout = layout_of(settings)
    old = layout.current_data()
    nodes = tmp_path / "nodes.csv"
    nodes.write_text("id:ID\n" + "".join(f"{i}\n" for i in range(300_000)))
    loader = client(settings, IMPORT, f"--nodes=New={nodes}")

    def importing() -> bool:
        return any(
            path != old and (path / "databases/neo4j").is_dir()
            for path in layout.root.glob("data-*")
        )

    wait_for(importing if moment == "importing" else lambda: layout.data.resolve() != old)
    loader.kill()
    loader.communicate()
    with connect(settings) as db:
        rows = db.rows("MATCH (n) RETURN labels(n)[0] AS label, count(*) AS n")
    expected = {"label": "Old", "n": 1} if moment == "importing" else {"label": "New", "n": 300_000}
    assert rows == [expected]
    assert list(layout.root.glob("data-*")) == [layout.data.resolve()]
    assert not any(
        part.startswith(f"@{layout.run}/admin")
        for process in psutil.process_iter()
        for part in _command(process)
    )


@pytest.mark.slow
def test_a_client_killed_before_the_swap_leaves_the_old_data(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    """The server on the new data runs then, and must not be taken for the graph's."""
    database.write("CREATE (:Old)")
    nodes, there = tmp_path / "nodes.csv", tmp_path / "there"
    nodes.write_text("id:ID\n1\n")
    loader = client(settings, PREPARED, str(there), f"--nodes=New={nodes}")
    wait_for(there.exists, 120)
    loader.kill()
    loader.communicate()
    assert managed.status(settings) is None
    with connect(settings) as db:
        assert db.rows("MATCH (n) RETURN labels(n)[0] AS label") == [{"label": "Old"}]
    layout = layout_of(settings)
    assert list(layout.root.glob("data-*")) == [layout.data.resolve()]


@pytest.mark.slow
def test_a_stale_record_is_not_believed(settings: Settings) -> None:
    info = managed.ensure_server(settings)
    layout = layout_of(settings)
    state = read_state(layout)
    assert state is not None
    assert managed.stop(settings)
    assert not managed.stop(settings)
    # The number now belongs to somebody else (this very process), as after a reboot.
    layout.pid.write_text(f"{os.getpid()}\n")
    write_state(layout, replace(state, boot="another boot", ready=True))
    assert managed.status(settings) is None
    assert managed.ensure_server(settings).pid not in (info.pid, os.getpid())


def test_data_open_on_another_host_is_left_alone(settings: Settings) -> None:
    managed.ensure_server(settings)
    layout = layout_of(settings)
    state = read_state(layout)
    assert state is not None
    elsewhere = replace(state, host="elsewhere", token="0" * 32)
    write_state(layout, elsewhere)
    assert managed.status(settings) is None
    for action in (managed.ensure_server, managed.stop):
        with pytest.raises(ServerError, match="open in another Neo4j") as caught:
            action(settings)
        assert "elsewhere" in str(caught.value)
    write_state(layout, state)
    assert managed.stop(settings)
    # That host was switched off: nothing holds the data any more.
    write_state(layout, elsewhere)
    assert managed.ensure_server(settings).pid > 0


@pytest.mark.slow
def test_a_damaged_store_is_reported_in_the_servers_words(own: Settings) -> None:
    managed.ensure_server(own)
    managed.stop(own)
    data = layout_of(own).current_data()
    (data / "databases/neo4j/neostore").write_bytes(b"not a store")
    with pytest.raises(ServerError, match="cannot open its database") as caught:
        managed.ensure_server(own)
    assert "neo4j" in (caught.value.found or "")
    assert "damaged" in (caught.value.hint or "")


def test_too_much_memory_is_reported(own: Settings) -> None:
    with pytest.raises(ServerError, match="ended before it was ready") as caught:
        managed.ensure_server(replace(own, memory="900t"))
    assert "TOSG_NEO4J_MEMORY" in (caught.value.hint or "")
    assert managed.status(own) is None


def test_options_of_java_reach_it(own: Settings) -> None:
    with pytest.raises(ServerError) as caught:
        managed.ensure_server(replace(own, jvm="-Dtosg.note='two words' -XX:NoSuchOption"))
    assert "NoSuchOption" in (caught.value.found or "")
    assert "TOSG_NEO4J_JVM" in (caught.value.hint or "")
    with pytest.raises(ServerError, match="ended before") as caught:
        managed.ensure_server(
            replace(own, jvm="-XX:+UseParallelGC")
        )  # beside the one that we choose
    assert "Multiple garbage collectors" in (caught.value.found or "")
    assert "-XX:-UseG1GC" in (caught.value.hint or "")
    with pytest.raises(ConfigError, match="do not parse"):
        managed.ensure_server(replace(own, jvm="-Dtosg.note='open"))


def test_a_home_that_cannot_be_written_is_reported(own: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServerError, match="cannot be written") as caught:
        managed.ensure_server(replace(own, home=tmp_path / "file" / "home"))
    assert "TOSG_HOME" in (caught.value.hint or "")
