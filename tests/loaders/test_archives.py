"""Zip archives of several members: which is read, and a download is looked at as a whole."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from support.fixtures.biogrid import FIXTURE

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog, SourceLog
from tosg.loaders import registry
from tosg.loaders.formats.opening import open_bytes, read_through
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from pathlib import Path


def packed(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_DOT_", "."), text)
    return path


def test_the_first_pattern_that_fits_decides(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", human_DOT_txt="a\tb\n1\t2\n", mouse_DOT_txt="a\tb\n3\t4\n")
    layout = Layout(("a", "b"), members=("rat.txt", "human.txt", "*"))
    (batch,) = read_table(path, layout, FileLog("test", path))
    assert batch.to_pylist() == [{"a": "1", "b": "2", "line": 2}]
    with pytest.raises(DataError, match="unclear which file") as caught, open_bytes(path):
        raise AssertionError("it was opened")
    assert caught.value.found == "human.txt, mouse.txt"
    with pytest.raises(DataError, match="unclear which file"), open_bytes(path, ("rat.txt",)):
        raise AssertionError("it was opened")


def test_biogrid_reads_the_table_of_people(tmp_path: Path) -> None:
    human = FIXTURE.files["interactions"][1]
    name = "BIOGRID-ORGANISM-{}-5.0.250.tab3_DOT_txt"
    texts = {name.format("Homo_sapiens"): human, name.format("Mus_musculus"): "other\tcolumns\n"}
    path = packed(tmp_path / "BIOGRID-ORGANISM-LATEST.tab3.zip", **texts)
    loader = registry.make("biogrid")
    batches = list(loader.claims(loader.locate([path]), SourceLog("biogrid")))
    assert sum(batch.num_rows for batch in batches) > 0


def test_a_damaged_member_is_found(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", one="1" * 10_000, two="".join(map(str, range(5000))))
    read_through(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match="cut off or damaged"):
        read_through(path)
    path.write_bytes(bytes(data[:-30]))  # the directory at the end is gone
    with pytest.raises(DataError, match="cut off or damaged"):
        read_through(path)
