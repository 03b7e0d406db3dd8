"""Files: hashes, and writing whole or not at all."""

from __future__ import annotations

import hashlib
import stat
import threading
from pathlib import Path

import pytest

from tosg.files import TEMPORARY_FILES, hash_file, write_bytes, write_text, writing


def test_hash_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a" * 3_000_000)
    assert hash_file(path) == hashlib.sha256(b"a" * 3_000_000).hexdigest()


def test_what_stood_there_stays_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_text(path, "old")
    with pytest.raises(IsADirectoryError), writing(path) as temporary:
        fail_half_way(path, temporary)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def fail_half_way(path: Path, temporary: Path) -> None:
    temporary.write_text("half")
    assert path.read_text() == "old"
    path.parent.read_bytes()


def test_temporary_file_stands_beside_and_fits_its_pattern(tmp_path: Path) -> None:
    with writing(tmp_path / "x") as temporary:
        assert list(tmp_path.glob(TEMPORARY_FILES)) == [temporary]


def test_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    with writing(tmp_path / "x", private=True) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    write_text(tmp_path / "y", "1")
    (tmp_path / "plain").write_text("1")
    assert (tmp_path / "y").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    contents = [bytes([65 + i]) * 200_000 for i in range(8)]
    threads = [threading.Thread(target=write_bytes, args=(path, c)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
