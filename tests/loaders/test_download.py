"""Downloads from a real server on this machine that does what servers do to people."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.progress import Recorder

from tosg.cli.sources import fetch as fetch_command
from tosg.errors import DataError, UsageError
from tosg.kg.claims.log import SourceLog
from tosg.loaders import registry
from tosg.loaders.base import FileSpec
from tosg.loaders.pipeline import build as builds
from tosg.loaders.pipeline import download as downloads
from tosg.loaders.pipeline import fetch as fetching
from tosg.loaders.pipeline import inputs
from tosg.loaders.pipeline.download import download_file
from tosg.loaders.pipeline.recipe import read_recipe
from tosg.loaders.sources.indications import Indications
from tosg.progress import silent
from tosg.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.loaders.base import Loader

DATA = b"".join(b"%d\trow of a table\n" % n for n in range(20_000))
PAGE = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str = ""
    data: bytes = DATA
    etag: str = '"one"'
    modified: str = "Wed, 05 Aug 2026 10:00:00 GMT"
    asked: list[tuple[str, str, str]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    site: Site


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        site, data = self.server.site, self.server.site.data
        asked = self.headers.get("Range", "")
        site.asked.append((self.command, self.path, asked))
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        fresh = not asked or self.headers.get("If-Range") == site.etag
        if self.path == "/moved.tsv":
            self._head(302, {"Location": "/whole.tsv", "Content-Length": "0"})
            return
        if self.path == "/round.tsv":
            self._head(302, {"Location": "/round.tsv", "Content-Length": "0"})
            return
        if self.path == "/gone.tsv":
            self._head(404, {"Content-Length": "0"})
            return
        if self.path == "/busy.tsv" and len(site.asked) < 3:
            self._head(503, {"Content-Length": "0"})
            return
        if self.path == "/page.tsv":
            data = PAGE
        if self.path == "/empty.tsv":
            data = b""
        if self.path in ("/packed.tsv.gz", "/cut.tsv.gz"):
            data = gzip.compress(DATA, mtime=0)
            data = data[: len(data) // 2] if self.path == "/cut.tsv.gz" else data
        rest = data[start:] if asked and fresh else data
        said = {"ETag": site.etag, "Last-Modified": site.modified}
        said["Content-Length"] = str(len(rest) + (5000 if self.path == "/lies.tsv" else 0))
        if asked and fresh and self.path != "/ignores.tsv":
            first = 0 if self.path == "/wrong.tsv" else start
            said["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            self._head(206, said)
        else:
            rest = data
            said["Content-Length"] = str(len(rest) + (5000 if self.path == "/lies.tsv" else 0))
            self._head(200, said)
        if not body:
            return
        breaks = self.path in ("/breaks.tsv", "/ignores.tsv", "/wrong.tsv", "/changes.tsv")
        often = 4 if self.path == "/breaks.tsv" else 1
        if breaks and len([a for a in site.asked if a[0] == "GET"]) <= often:
            self.wfile.write(rest[: len(DATA) // 6])
            self.close_connection = True
            if self.path == "/changes.tsv":
                site.data, site.etag = DATA[::-1], '"two"'
            return
        self.wfile.write(rest)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 0.01)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["whole.tsv", "moved.tsv", "busy.tsv", "ignores.tsv", "wrong.tsv"])
def test_it_comes_whole(name: str, site: Site, tmp_path: Path) -> None:
    """Also where it is moved, busy at first, and ranges are ignored or answered wrongly."""
    path = tmp_path / "t.tsv"
    done = download_file(f"{site.url}/{name}", path)
    assert path.read_bytes() == DATA
    assert done.bytes == len(DATA)
    assert [p.name for p in tmp_path.iterdir()] == ["t.tsv"]


def test_an_interrupted_download_goes_on(site: Site, tmp_path: Path) -> None:
    path, progress = tmp_path / "t.tsv", Recorder()
    download_file(f"{site.url}/breaks.tsv", path, progress=progress)
    assert path.read_bytes() == DATA
    starts = [int(asked.strip("bytes=-") or 0) for _, _, asked in site.asked]
    assert len(starts) == 5
    assert starts == sorted(set(starts))
    assert all(n * (len(DATA) // 6 - downloads.CHUNK_BYTES) <= s for n, s in enumerate(starts))
    assert progress.calls[-1] == ("downloading t.tsv", len(DATA), len(DATA))


def test_a_later_process_goes_on(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    part = tmp_path / ".t.tsv.part"
    said = downloads.Downloaded(f"{site.url}/whole.tsv", 0, site.etag, "", "")
    part.write_bytes(DATA[:1000])
    downloads._record(part).write_text(json.dumps(asdict(said)))
    download_file(f"{site.url}/whole.tsv", path)
    assert path.read_bytes() == DATA
    assert site.asked == [("GET", "/whole.tsv", "bytes=1000-")]


def test_a_file_that_changed_in_between_is_not_glued(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    download_file(f"{site.url}/changes.tsv", path)
    assert path.read_bytes() == DATA[::-1]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("page.tsv", "web page"),
        ("empty.tsv", "empty"),
        ("cut.tsv.gz", "cut off"),
        ("gone.tsv", "404"),
        ("round.tsv", "redirects"),
        ("lies.tsv", "promises|IncompleteRead|cannot be downloaded"),
    ],
)
def test_what_goes_wrong_replaces_nothing(name: str, what: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / f"t{'.tsv.gz' if name.endswith('.gz') else '.tsv'}"
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match=what) as caught:
        download_file(f"{site.url}/{name}", path)
    assert path.read_bytes() == b"mine"
    assert site.url in str(caught.value.where)
    assert str(path) in str(caught.value.hint)


def test_another_hash(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another hash"):
        download_file(f"{site.url}/whole.tsv", tmp_path / "t.tsv", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []
    right = hashlib.sha256(DATA).hexdigest()
    download_file(f"{site.url}/whole.tsv", tmp_path / "t.tsv", sha256=right)


def _source(name: str, *specs: FileSpec, license_: str = "CC0 1.0") -> type[Loader]:
    return type(name, (Indications,), {"name": name, "files": specs, "license": license_})


def test_the_cache_keeps_files_by_source_and_release(site: Site, tmp_path: Path) -> None:
    shared = FileSpec("symbols", ("s.tsv",), "symbols", url=f"{site.url}/whole.tsv")
    one = _source("one", FileSpec("a", ("a.tsv.gz",), "a", url=f"{site.url}/packed.tsv.gz"), shared)
    two = _source(
        "two",
        shared,
        FileSpec("more", ("m.tsv",), "more", required=False, url=f"{site.url}/gone.tsv"),
        FileSpec("hand", ("h.tsv",), "by hand", required=False),
    )
    planned = fetching.plan_fetch([one, two], tmp_path)
    assert [(f.source, f.key, f.path is None) for f in planned] == [
        ("one", "a", True),
        ("one", "symbols", True),
        ("two", "symbols", True),
        ("two", "more", True),
        ("two", "hand", True),
    ]
    assert [f.bytes for f in planned][1:3] == [len(DATA)] * 2
    found = fetching.fetch_planned(planned, [one, two], tmp_path)
    day = "2026-08-05"  # that of Last-Modified: the files say none
    assert found["one"]["a"] == tmp_path / "one" / day / "a.tsv.gz"
    assert found["two"] == {"symbols": tmp_path / "two" / day / "s.tsv"}
    assert len([a for a in site.asked if a[:2] == ("GET", "/whole.tsv")]) == 1
    site.asked.clear()
    again = fetching.plan_fetch([one, two], tmp_path)
    assert not any(f.newer for f in again)
    assert fetching.fetch_planned(again, [one, two], tmp_path) == found
    site.etag, site.modified = '"three"', "Sat, 05 Sep 2026 10:00:00 GMT"
    new = fetching.plan_fetch([one, two], tmp_path)
    assert [f.key for f in new if f.newer] == ["a", "symbols", "symbols"]
    newer = fetching.fetch_planned(new, [one, two], tmp_path, newer=True)
    assert newer["one"]["a"] == tmp_path / "one" / "2026-09-05" / "a.tsv.gz"
    assert fetching.cached(one, tmp_path) == newer["one"]


def test_fetch_shows_what_is_new(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _source(
        "one",
        FileSpec("a", ("a.tsv",), "a", url=f"{site.url}/whole.tsv"),
        FileSpec("hand", ("h.tsv",), "by hand", required=False),
    )
    monkeypatch.setattr(registry, "loader_class", lambda _: one)
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)

    def states() -> list[str]:
        done = CliRunner().invoke(fetch_command, ["one", "--check", "--json"])
        assert done.exit_code == 0, done.output
        return [row["state"] for row in json.loads(done.stdout)]

    assert states() == ["not fetched", "to be downloaded by hand"]
    fetching.fetch_planned(fetching.plan_fetch([one], tmp_path), [one], tmp_path)
    assert states() == ["in the cache", "to be downloaded by hand"]
    site.etag = '"four"'
    assert states() == ["newer at its address", "to be downloaded by hand"]


def test_a_required_file_that_is_gone(site: Site, tmp_path: Path) -> None:
    one = _source("one", FileSpec("a", ("a.tsv",), "a", url=f"{site.url}/gone.tsv"))
    with pytest.raises(DataError, match="404"):
        fetching.fetch_planned(fetching.plan_fetch([one], tmp_path), [one], tmp_path)


def test_non_commercial_licences() -> None:
    for license_ in ("CC BY-NC 4.0", "CC BY-NC-SA 4.0", "LicenseRef-TFLink-non-commercial"):
        assert fetching.is_non_commercial(license_)
    for license_ in ("CC BY 4.0", "CC BY-SA 4.0", "MIT", "CC0 1.0", "NCBI", "Apache-2.0"):
        assert not fetching.is_non_commercial(license_)
    for source in read_recipe("open-human").sources:
        assert not fetching.is_non_commercial(registry.loader_class(source.name).license)
    full = {s.name for s in read_recipe("open-human-full").sources}
    assert full > {s.name for s in read_recipe("open-human").sources}


def test_recipes_name_sources_and_no_folders() -> None:
    for name in ("open-human", "open-human-full", "signaling"):
        assert all(s.files == () for s in read_recipe(name).sources)


def test_a_build_that_is_not_confirmed_fetches_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _source("one", FileSpec("a", ("a.tsv",), "a", url=f"{site.url}/whole.tsv"))
    free = _source("nc", FileSpec("b", ("b.tsv",), "b", url=f"{site.url}/x"), license_="CC BY-NC 4")
    classes = {"indications": one, "sider": free}
    monkeypatch.setattr(inputs, "loader_class", lambda name: classes[name])
    path = tmp_path / "r.yaml"
    path.write_text("sources: [indications, sider]\n", encoding="utf-8")
    asked: list[str] = []

    def refuse(files: list[fetching.PlannedFile]) -> bool:
        asked.extend(f"{f.source} {f.name} {f.bytes} {f.license}" for f in files)
        return False

    with pytest.raises(UsageError, match="nothing was fetched"):
        builds.build(Settings(), path, confirm=refuse, cache=tmp_path / "cache")
    assert asked == [f"one a.tsv {len(DATA)} CC0 1.0"]
    assert not any(command == "GET" for command, _, _ in site.asked)


# `tosg build` without --data, from the same server.

TABLE = "doid_id\tdrugbank_id\tdisease\tdrug\tcategory\tn_curators\tn_resources\n" + "".join(
    f"DOID:{n}\tDB{n:05d}\tdisease {n}\tdrug {n}\tDM\t1\t1\n" for n in range(1, 4001)
)


def _recipe(
    site: Site, page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, data: str = TABLE
) -> Path:
    """A recipe of one source whose file is at an address of the server."""
    site.data = data.encode()
    spec = FileSpec("indications", ("indications.tsv",), "pairs", url=f"{site.url}/{page}")
    monkeypatch.setattr(inputs, "loader_class", lambda _: _source("indications", spec))
    path = folder / "r.yaml"
    path.write_text("sources: [indications]\nembed: false\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "page", ["whole.tsv", "breaks.tsv", "ignores.tsv", "wrong.tsv", "moved.tsv", "busy.tsv"]
)
def test_a_build_gets_its_files(
    page: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over breaks, ranges that are ignored or answered wrongly, and redirects."""
    recipe = read_recipe(_recipe(site, page, tmp_path, monkeypatch))
    found, left = inputs.fetch_inputs(recipe, tmp_path / "cache", (), lambda _: True, silent)
    path = found["indications"].files["indications"]
    assert path.read_text(encoding="utf-8") == TABLE
    assert left == {}
    assert path.parent == tmp_path / "cache" / "indications" / "2026-08-05"
    site.asked.clear()
    again, _ = inputs.fetch_inputs(recipe, tmp_path / "cache", (), None, silent)
    assert again["indications"].files == found["indications"].files
    assert not any(command == "GET" for command, _, _ in site.asked)


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("page.tsv", "web page"),
        ("lies.tsv", "promises|IncompleteRead|cannot be downloaded"),
        ("round.tsv", "redirects"),
        ("gone.tsv", "404"),
        ("empty.tsv", "empty"),
    ],
)
def test_a_build_stops_where_a_file_cannot_be_had(
    page: str, what: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of the database: these settings lead to none."""
    path, cache = _recipe(site, page, tmp_path, monkeypatch), tmp_path / "cache"
    with pytest.raises(DataError, match=what) as caught:
        builds.build(Settings(), path, confirm=lambda _: True, cache=cache)
    assert site.url in str(caught.value.where)
    assert [p for p in cache.rglob("*") if p.is_file() and p.name[0] != "."] == []


def test_a_file_of_another_source_is_told_by_its_columns(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe(_recipe(site, "whole.tsv", tmp_path, monkeypatch, "a\tb\n1\t2\n"))
    found, _ = inputs.fetch_inputs(recipe, tmp_path / "cache", (), None, silent)
    given = found["indications"]
    with pytest.raises(DataError, match="other columns than this source's"):
        list(given.loader.claims(given.files, SourceLog("indications")))


@pytest.mark.neo4j
def test_a_build_from_a_server_that_breaks_off(
    site: Site,
    tmp_path: Path,
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = _recipe(site, "breaks.tsv", tmp_path, monkeypatch)
    result = builds.build(
        settings, path, confirm=lambda _: True, cache=tmp_path / "cache", way="bolt", embed=False
    )
    assert result.loaded == ["indications"]
    assert len([a for a in site.asked if a[0] == "GET"]) > 1
    (row,) = database.rows("MATCH (:Drug)-[r:TREATS]->(:Disease) RETURN count(r) AS n")
    assert row["n"] == 4000
