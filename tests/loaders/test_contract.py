"""What holds for every loader: the same for good files, one clear error for each bad one."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from support.sources import FILES, compress, read_source, write_source

from tosg.errors import DataError, UsageError
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.schemas import ENTITY_CLAIMS, RELATIONSHIP_CLAIMS
from tosg.kg.claims.spool import Spool
from tosg.loaders import base, registry

SOURCES = registry.names()
EVERY_FILE = [(source, key) for source in SOURCES for key in FILES[source]]


def test_every_loader_has_files_here() -> None:
    assert set(FILES) == set(SOURCES)
    for source in SOURCES:
        assert set(FILES[source]) == {spec.key for spec in registry.loader_class(source).files}


@pytest.mark.parametrize("source", SOURCES)
def test_description(source: str) -> None:
    loader = registry.loader_class(source)
    assert loader.name == source
    assert loader.title
    # A source without any address comes with the package.
    fetched = any(spec.url for spec in loader.files)
    assert loader.homepage.startswith("https://" if fetched else "tosg/")
    assert loader.license
    assert any(spec.required for spec in loader.files)
    for spec in loader.files:
        assert spec.help
        if spec.url is not None:
            assert spec.url.startswith("https://")
            assert len(spec.sha256 or "") == 64


@pytest.mark.parametrize("source", SOURCES)
def test_claims_pass_the_schema(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    batches, log = read_source(source, tmp_path)
    assert batches
    with Spool() as spool:
        for batch in batches:
            assert batch.schema in (ENTITY_CLAIMS, RELATIONSHIP_CLAIMS)
            batch.validate(full=True)
            assert set(batch.column("source").to_pylist()) <= {source}
            spool.add(batch)
        assert spool.rejections() == []
    for file in log.files.values():
        assert file.rows_read == file.rows_parsed + file.rows_rejected
        assert file.rows_parsed > 0
        for rejection in file.rejections.values():
            assert rejection.line >= 1
            assert rejection.count >= 1
    assert log.as_dict()["source"] == source


@pytest.mark.parametrize("source", SOURCES)
def test_read_twice_is_the_same(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    first, second = read_source(source, tmp_path), read_source(source, tmp_path)
    assert first[0] == second[0]
    assert first[1].as_dict() == second[1].as_dict()


@pytest.mark.parametrize("source", SOURCES)
def test_windows_line_ends_change_nothing(source: str, tmp_path: Path) -> None:
    unix = {k: t.replace("\r\n", "\n").encode() for k, (_, t) in FILES[source].items()}
    dos = {k: data.replace(b"\n", b"\r\n") for k, data in unix.items()}
    write_source(source, tmp_path / "unix", unix)
    write_source(source, tmp_path / "dos", dos)
    first, second = read_source(source, tmp_path / "unix"), read_source(source, tmp_path / "dos")
    if source == "intact":  # a line end inside a quoted field is part of the value
        assert [b.drop_columns(["evidence"]) for b in first[0]] == [
            b.drop_columns(["evidence"]) for b in second[0]
        ]
    else:
        assert first[0] == second[0]
        assert first[1].as_dict() == second[1].as_dict()


@pytest.mark.parametrize("source", SOURCES)
def test_small_batches(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_source(source, tmp_path)
    whole, _ = read_source(source, tmp_path)
    monkeypatch.setattr(base, "BATCH_ROWS", 2)
    small, _ = read_source(source, tmp_path)
    assert max(batch.num_rows for batch in small) <= 2
    assert [r for b in small for r in b.to_pylist()] == [r for b in whole for r in b.to_pylist()]


@pytest.mark.parametrize("source", SOURCES)
def test_loader_and_log_cross_process_borders(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    loader = pickle.loads(pickle.dumps(registry.make(source, {"release": "7"})))
    log = SourceLog(source)
    batches = list(loader.claims(loader.locate([tmp_path]), log))
    assert log.release == "7"
    assert {r for batch in batches for r in batch.column("release").to_pylist()} == {"7"}
    assert pickle.loads(pickle.dumps(log)) == log


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
def test_missing_file(source: str, key: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    name = FILES[source][key][0]
    spec = next(s for s in registry.loader_class(source).files if s.key == key)
    (tmp_path / name).unlink()
    if not spec.required:
        assert read_source(source, tmp_path)[0]
        return
    with pytest.raises(DataError) as caught:
        read_source(source, tmp_path)
    text = str(caught.value)
    assert spec.filename in text
    assert (spec.url or registry.loader_class(source).homepage) in text
    assert str(tmp_path) in text


def _error(source: str, key: str, folder: Path, data: bytes) -> DataError:
    """The error for a file with other content; it names the file."""
    write_source(source, folder)
    path = folder / FILES[source][key][0]
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_source(source, folder)
    assert path.name in str(caught.value.where)
    return caught.value


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
def test_empty_file(source: str, key: str, tmp_path: Path) -> None:
    assert "empty" in _error(source, key, tmp_path / "a", b"").what
    name = FILES[source][key][0]
    _error(source, key, tmp_path / "b", compress(name, b""))
    _error(source, key, tmp_path / "c", compress(name, b"\n\n"))


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_compressed_and_cut_off(source: str, key: str, ending: str, tmp_path: Path) -> None:
    whole = compress(f"x{ending}", FILES[source][key][1].encode())
    error = _error(source, key, tmp_path, whole[: len(whole) * 2 // 3])
    assert "cut off" in error.what


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
@pytest.mark.parametrize(
    "data",
    [
        b"name,age,height\nx,1,2\ny,3,4\n",
        b"one\ttwo\tthree\tfour\tfive\nx\t1\t2\t3\t4\n",
        b'{"some": "json"}\n',
        b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n",
        b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 4,
        b"\x7fELF\x02\x01\x01" + bytes(64),
    ],
    ids=["csv", "tsv", "json", "html", "hdf5", "binary"],
)
def test_another_file(source: str, key: str, data: bytes, tmp_path: Path) -> None:
    _error(source, key, tmp_path, compress(FILES[source][key][0], data))


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
def test_another_encoding(source: str, key: str, tmp_path: Path) -> None:
    name, text = FILES[source][key]
    lines = text.encode().split(b"\n")
    middle = len(lines) // 2
    lines[middle] += b"\xe9"
    error = _error(source, key, tmp_path / "latin", compress(name, b"\n".join(lines)))
    assert f"line {middle + 1}" in str(error.where)
    wide = _error(source, key, tmp_path / "wide", compress(name, text.encode("utf-16")[:-1]))
    if wide.what == "the file is not UTF-8 text":
        assert "iconv -f UTF-16" in str(wide.hint)


@pytest.mark.parametrize("source", SOURCES)
def test_unknown_option(source: str) -> None:
    with pytest.raises(UsageError, match="unknown option"):
        registry.make(source, {"releese": "1"})


def test_unknown_source() -> None:
    with pytest.raises(UsageError) as caught:
        registry.make("hetionett")
    assert "hetionet" in str(caught.value.hint)


def test_files_by_other_names_and_unclear_ones(tmp_path: Path) -> None:
    write_source("indications", tmp_path)
    loader = registry.make("indications")
    renamed = (tmp_path / "indications.tsv").rename(tmp_path / "mine.txt")
    assert loader.locate([renamed]) == {"indications": renamed}
    with pytest.raises(DataError, match=r"needs a file that is not there"):
        loader.locate([tmp_path])
    with pytest.raises(DataError, match="no such file"):
        loader.locate([tmp_path / "nowhere"])
    other = tmp_path / "other.txt"
    other.write_text("x")
    with pytest.raises(DataError, match="no use for"):
        loader.locate([renamed, other])
    for folder in ("old", "new"):
        write_source("indications", tmp_path / folder)
    with pytest.raises(DataError, match="several files"):
        loader.locate([tmp_path])
    chosen = tmp_path / "new" / "indications.tsv"
    assert loader.locate([tmp_path, chosen]) == {"indications": chosen}


def test_a_file_of_which_no_row_is_any_good(tmp_path: Path) -> None:
    write_source("uberon", tmp_path, {"terms": b"x\ty\tz\n" * 3})
    with pytest.raises(DataError, match="no row of the file could be used"):
        read_source("uberon", tmp_path)
