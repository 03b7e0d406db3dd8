"""Fetching over HTTP from a real server on this machine, and the two commands."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from click.testing import CliRunner
from support.progress import Recorder

from tosg.cli.sources import fetch as fetch_command
from tosg.cli.sources import sources as sources_command
from tosg.errors import DataError, UsageError
from tosg.loaders import registry
from tosg.loaders.base import FileSpec
from tosg.loaders.pipeline import fetch as fetching
from tosg.loaders.sources.indications import Indications

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"doid_id\tdrugbank_id\n" * 1000


class _Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/cut.tsv":  # says more than it sends
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA[:100])
            return
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "indications.tsv").write_bytes(DATA)
    _Quiet.asked.clear()
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def source(url: str | None, sha256: str | None) -> type[Indications]:
    spec = FileSpec("indications", ("indications.tsv",), "pairs", url=url, sha256=sha256)
    return type("Other", (Indications,), {"files": (spec,)})


def test_fetched_once_with_checked_hash(site: str, tmp_path: Path) -> None:
    loader = source(f"{site}/indications.tsv", hashlib.sha256(DATA).hexdigest())
    progress = Recorder()

    folder = tmp_path / "new" / "folder"
    ((_, path, what),) = fetching.fetch(loader, folder, progress=progress)
    assert path is not None
    assert (path.read_bytes(), what) == (DATA, "fetched")
    assert progress.calls[-1] == ("downloading indications.tsv", len(DATA), len(DATA))
    ((_, _, what),) = fetching.fetch(loader, folder, progress=progress)
    assert what == "there already"
    assert _Quiet.asked == ["/indications.tsv"]
    path.write_bytes(b"spoiled")
    ((_, _, what),) = fetching.fetch(loader, folder, progress=progress)
    assert (path.read_bytes(), what) == (DATA, "fetched")


@pytest.mark.parametrize(
    ("page", "sha256", "what"),
    [
        ("indications.tsv", "0" * 64, "another hash"),
        ("nothing.tsv", None, "cannot be downloaded"),
        ("cut.tsv", hashlib.sha256(DATA).hexdigest(), "cannot be downloaded|another hash"),
    ],
)
def test_what_goes_wrong_replaces_nothing(
    site: str, page: str, sha256: str | None, what: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "indications.tsv").write_bytes(b"mine")
    with pytest.raises(DataError, match=what) as caught:
        fetching.fetch(source(f"{site}/{page}", sha256 or "1" * 64), folder)
    assert site in str(caught.value.where)
    assert str(folder) in str(caught.value.hint)
    # What came of an interrupted file stays, hidden, for the next attempt.
    assert [p.name for p in folder.iterdir() if p.name[0] != "."] == ["indications.tsv"]
    assert (folder / "indications.tsv").read_bytes() == b"mine"


def test_no_network(tmp_path: Path) -> None:
    loader = source("http://127.0.0.1:9/indications.tsv", None)
    with pytest.raises(DataError, match="cannot be downloaded") as caught:
        fetching.fetch(loader, tmp_path)
    assert "by hand" in str(caught.value.hint)
    ((_, path, what),) = fetching.fetch(source(None, None), tmp_path)
    assert (path, what) == (None, "to be downloaded by hand")


def test_sources_command() -> None:
    result = CliRunner().invoke(sources_command, ["--json"])
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert [s["name"] for s in listed] == registry.names()
    for one in listed:
        assert one["files"]
        assert one["license"]
    text = CliRunner().invoke(sources_command, ["trrust"]).stdout
    assert "needs trrust_rawdata.human.tsv" in text
    assert "needs hgnc_complete_set.txt" in text
    unknown = CliRunner().invoke(sources_command, ["trust"])
    assert isinstance(unknown.exception, UsageError)


def test_fetch_command(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = source(f"{site}/indications.tsv", hashlib.sha256(DATA).hexdigest())
    monkeypatch.setattr(registry, "loader_class", lambda _: loader)
    target = tmp_path / "data"
    result = CliRunner().invoke(fetch_command, ["indications", "--to", str(target), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {
            "source": "indications",
            "file": "indications.tsv",
            "path": str(target / "indications.tsv"),
            "result": "fetched",
        }
    ]
    again = CliRunner().invoke(fetch_command, ["indications", "--to", str(target)])
    assert "there already" in again.stdout
