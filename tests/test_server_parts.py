"""Parts of the managed server that need no server: locks, sizes, settings, installation."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
import yaml
from support.servers import missing

from tosg.errors import ConfigError, ServerError, UsageError
from tosg.files import hash_file
from tosg.kg.server import class_archive, jars, memory
from tosg.kg.server.admin import environment
from tosg.kg.server.config import neo4j_conf, quoted, server_arguments
from tosg.kg.server.layout import (
    ServerLayout,
    State,
    password,
    read_state,
    write_state,
)
from tosg.kg.server.versions import RELEASES, Jar, Release, parse_lock, release
from tosg.settings import Settings

GIB = 1 << 30


@pytest.mark.parametrize("version", RELEASES)
def test_a_lock_names_each_jar_once_and_no_address(version: str) -> None:
    kind = release(version)
    locked = kind.jars()
    assert len(locked) > 200
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
    coordinates = {jar.coordinate for jar in locked}
    assert f"org.neo4j:neo4j:{version}" in coordinates
    assert f"org.neo4j.app:neo4j-server:{version}" in coordinates
    assert "//" not in kind.lock_text
    assert 100e6 < sum(jar.size for jar in locked) < 200e6


def test_an_unknown_version_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="version of the managed server") as caught:
        release("5.26.27")
    assert "5.26.28" in str(caught.value)


def test_a_damaged_lock_is_refused() -> None:
    with pytest.raises(ServerError, match="damaged") as caught:
        parse_lock("a:b:1 12 abc\n")
    assert caught.value.where == "line 1"


# -- installation --------------------------------------------------------------------------


class SmallRelease(Release):
    """A release of one small jar that Maven Central really has."""

    text = ""

    @property
    def lock_text(self) -> str:
        return self.text


SMALL = next(j for j in RELEASES["2026.09.0"].jars() if ":javax.annotation-api:" in j.coordinate)


def small(jar: Jar) -> SmallRelease:
    kind = SmallRelease("test", "none")
    object.__setattr__(kind, "text", f"{jar.coordinate} {jar.size} {jar.sha256}\n")
    return kind


def obtain(cache: Path, kind: Release) -> list[Path]:
    try:
        return jars.install(cache, kind)
    except ServerError as error:
        if error.retryable:
            missing(f"no network: {error.found}")
        raise


def test_an_installation_is_whole_and_is_not_repeated(tmp_path: Path) -> None:
    kind = small(SMALL)
    (path,) = obtain(tmp_path, kind)
    assert hash_file(path) == SMALL.sha256
    made = path.stat().st_mtime_ns
    assert jars.install(tmp_path, kind) == [path]
    assert path.stat().st_mtime_ns == made
    assert not list(tmp_path.glob("*.partial"))
    for damage in (b"cut short", b"0" * SMALL.size):
        path.write_bytes(damage)
        assert not jars.installed(path.parent, kind, content=True)
        obtain(tmp_path, kind)
        assert hash_file(path) == SMALL.sha256


def test_a_jar_with_another_sum_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    wrong = small(Jar(SMALL.coordinate, SMALL.size, "0" * 64))
    with pytest.raises(ServerError, match="not the one") as caught:
        obtain(tmp_path, wrong)
    assert caught.value.where == SMALL.coordinate
    assert SMALL.sha256 in (caught.value.found or "")
    assert not (tmp_path / "neo4j-test").exists()
    assert not list(tmp_path.rglob("*.jar"))


def test_half_a_download_of_a_killed_try_is_replaced(tmp_path: Path) -> None:
    group, name, version = SMALL.coordinate.split(":")
    repository = tmp_path / "neo4j-test.partial" / "repository"
    half = repository.joinpath(*group.split("."), name, version, SMALL.filename)
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    (path,) = obtain(tmp_path, small(SMALL))
    assert hash_file(path) == SMALL.sha256


def test_without_a_network_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ServerError, match="cannot be downloaded") as caught:
        jars.install(tmp_path, small(SMALL))
    assert caught.value.retryable
    assert "TOSG_CACHE" in (caught.value.hint or "")
    assert not (tmp_path / "neo4j-test").exists()


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServerError, match="cannot be stored") as caught:
        jars.install(tmp_path / "file" / "cache", small(SMALL))
    assert "TOSG_CACHE" in (caught.value.hint or "")


# -- memory --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"), [("2g", 2 * GIB), ("1500m", 1500 << 20), ("1.5G", 3 * GIB // 2)]
)
def test_the_bound_holds_for_heap_and_page_cache_together(text: str, size: int) -> None:
    sizes = memory.sizes(text)
    assert sizes.heap + sizes.page_cache == size
    assert sizes.heap > sizes.page_cache > 0


@pytest.mark.parametrize("text", ["", "lots", "-1g", "100m", "2 gigs"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="memory for the managed server"):
        memory.sizes(text)


def cgroup(root: Path, path: str, limit: str, used: int, cached: int) -> None:
    folder = root / "sys/fs/cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(limit)
    (folder / "memory.current").write_text(str(used))
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


def test_the_tightest_cgroup_above_the_process_counts(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/user/job/step\n")
    cgroup(tmp_path, "user/job/step", "max", 0, 0)
    cgroup(tmp_path, "user/job", str(GIB), 600 << 20, 100 << 20)
    cgroup(tmp_path, "user", str(4 * GIB), 0, 0)
    assert memory.available(tmp_path) == GIB - (500 << 20)


def test_without_cgroups_the_machine_counts(tmp_path: Path) -> None:
    assert memory.available(tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


# -- files ---------------------------------------------------------------------------------


def test_private_files_are_private_from_the_start(tmp_path: Path) -> None:
    layout = ServerLayout(tmp_path)
    before = os.umask(0)
    try:
        first = password(layout)
    finally:
        os.umask(before)
    assert layout.password.stat().st_mode & 0o777 == 0o600
    assert password(layout) == first
    assert len(first) == 40
    assert first.isalnum()
    assert [p.name for p in tmp_path.iterdir()] == ["password"]


@pytest.mark.parametrize("version", RELEASES)
def test_nothing_is_reported_and_no_file_or_network_is_read(version: str, tmp_path: Path) -> None:
    sizes = memory.Sizes(1 << 29, 1 << 28)
    text = neo4j_conf(
        ServerLayout(tmp_path), release(version), tmp_path / "d", sizes, bolt=1, http=2
    )
    lines = text.splitlines()
    for wanted in (
        "dbms.usage_report.enabled=false",
        "dbms.security.allow_csv_import_from_file_urls=false",
        "internal.dbms.cypher_ip_blocklist=0.0.0.0/0,::/0",
        "server.bolt.listen_address=127.0.0.1:1",
        "server.http.listen_address=127.0.0.1:2",
        "server.memory.heap.max_size=536870912",
        "server.memory.pagecache.size=268435456",
    ):
        assert wanted in lines
    listening = [line for line in lines if "listen_address=" in line]
    assert len(listening) == 3
    assert all("=127.0.0.1" in line for line in listening)


@pytest.mark.parametrize(("heap", "region"), [(307, 2), (3072, 16), (7372, 16), (64, 1)])
def test_a_heap_has_regions_that_long_lists_fit_in(heap: int, region: int, tmp_path: Path) -> None:
    sizes = memory.Sizes(heap * memory.MIB, memory.MIB)
    lines = server_arguments(ServerLayout(tmp_path), release(next(iter(RELEASES))), [], sizes)
    assert f"-XX:G1HeapRegionSize={region * memory.MIB}" in lines


def test_an_argument_file_keeps_odd_paths_whole() -> None:
    assert quoted('/a b/"c"\\d') == '"/a b/\\"c\\"\\\\d"'


def test_the_data_folder_changes_in_one_step(tmp_path: Path) -> None:
    layout = ServerLayout(tmp_path / "home with space")
    layout.prepare()
    first = layout.current_data()
    second, third = layout.next_data(), layout.next_data()
    assert len({first, second, third}) == 3
    layout.swap_data(second)
    assert layout.current_data() == second
    layout.sweep()
    assert sorted(layout.root.glob("data-*")) == [second]


def test_what_a_killed_load_left_is_removed(tmp_path: Path) -> None:
    layout = ServerLayout(tmp_path)
    layout.prepare()
    ours = layout.run / f"import-{os.getpid()}-x"
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = layout.run / f"import-{dead.pid}-x"
    for folder in (ours, left):
        folder.mkdir()
        (folder / "nodes.csv").write_text("x")
    layout.current_data()
    layout.sweep()
    assert ours.exists()
    assert not left.exists()


@pytest.mark.parametrize("variable", ["LC_ALL", "LANG"])
def test_java_reads_paths_as_utf_8(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert environment()["LC_ALL"].endswith("UTF-8")
    monkeypatch.setenv(variable, "C")
    assert environment()["LC_ALL"].endswith("UTF-8")
    monkeypatch.setenv(variable, "de_DE.utf8")
    assert environment()["LC_ALL"] == "de_DE.utf8"


def test_a_record_of_an_earlier_tosg_is_read(tmp_path: Path) -> None:
    layout = ServerLayout(tmp_path)
    state = State("token", "host", "boot", bolt=1, http=2, ready=True)
    values = asdict(state)
    del values["memory"]
    layout.state.write_text(json.dumps(values))
    assert read_state(layout) == state
    write_state(layout, replace(state, memory="2g"))
    assert read_state(layout) == replace(state, memory="2g")


def test_an_archive_is_made_for_one_java_and_one_lock(tmp_path: Path) -> None:
    paths = {class_archive.archive_path(tmp_path, kind) for kind in RELEASES.values()}
    assert len(paths) == len(RELEASES)
    assert class_archive.archive_options(next(iter(paths))) == []


def test_compose_starts_the_same_version_with_no_default_password() -> None:
    path = Path(__file__).resolve().parents[1] / "docker-compose.yml"
    service = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]["neo4j"]
    assert service["image"] == f"neo4j:{Settings().neo4j_version}-community"
    assert service["environment"]["NEO4J_AUTH"].startswith("neo4j/${NEO4J_PASSWORD:?")
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "RETURN 1" in service["healthcheck"]["test"][1]
    # Settings are written as in neo4j.conf, with _ for . and __ for _.
    named = {
        name.removeprefix("NEO4J_").replace("__", "-").replace("_", ".").replace("-", "_")
        for name in service["environment"]
    }
    assert "dbms.usage_report.enabled" in named
    assert "internal.dbms.cypher_ip_blocklist" in named
