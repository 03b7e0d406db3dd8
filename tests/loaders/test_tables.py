"""Tables: every line is a row or a counted rejection, and lines are numbered as in the file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog
from tosg.loaders.formats import tables
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

AB = Layout(("a", "b"))
CSV = Layout(("a", "b"), delimiter=",", quoted=True)


def read(path: Path, layout: Layout = AB) -> tuple[list[tuple[str, str, int]], FileLog]:
    log = FileLog("test", path)
    rows = []
    for batch in read_table(path, layout, log):
        log.parsed(batch.num_rows)
        rows += [(r["a"], r["b"], r["line"]) for r in batch.to_pylist()]
    assert log.rows_read == log.rows_parsed + log.rows_rejected
    return rows, log


def written(folder: Path, data: bytes, name: str = "t.tsv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_rows_with_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, b"b\tx\ta\n1\t2\t3\n\t\t\n4\t5\t\xc3\x9f\n")
    assert read(path)[0] == [("3", "1", 2), ("", "", 3), ("ß", "4", 4)]


def test_rejected_lines_keep_the_numbers_of_the_others_right(tmp_path: Path) -> None:
    path = written(tmp_path, b"a\tb\n1\t2\n\n1\t2\t3\n1\n4\x00\t5\n6\r7\t8\n9\t10\n\n\n")
    rows, log = read(path)
    assert rows == [("1", "2", 2), ("9", "10", 8)]
    assert {k: (r.count, r.line, r.example) for k, r in log.rejections.items()} == {
        "blank line": (1, 3, ""),
        "wrong number of fields": (2, 4, "1\\t2\\t3"),
        "control character": (2, 6, "4\\x00\\t5"),
    }
    assert log.rows_read == 7  # empty lines at the end are nothing


def test_quotes_are_text(tmp_path: Path) -> None:
    path = written(tmp_path, b'a\tb\n"x\ty"\n""\t"\n')
    assert read(path)[0] == [('"x', 'y"', 2), ('""', '"', 3)]


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfa\tb\r\n1\t2\r\n3\t4\r\n")
    assert read(path)[0] == [("1", "2", 2), ("3", "4", 3)]
    rows, log = read(written(tmp_path, b"a\tb\r\n1\t2\r\n3\t4"))
    assert rows[1] == ("3", "4", 3)
    assert [n.examples for n in log.notes.values()] == [["line 3"]]  # it may be cut off


def test_quoted_csv_over_lines(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n"1,\n""x""",2\n3,"4"\n5,6,7\n8,9\n')
    rows, log = read(path, CSV)
    assert rows == [('1,\n"x"', "2", 2), ("3", "4", 4), ("8", "9", 6)]
    assert log.rejections["wrong number of fields"].line == 5


def test_enclosed_values(tmp_path: Path) -> None:
    path = written(tmp_path, b'a\tb\n"say \\"x\\""\t"back\\\\slash\\tn"\nplain\t""\n')
    rows, _ = read(path, Layout(("a", "b"), enclosed=True))
    assert rows == [('say "x"', "back\\slash n", 2), ("plain", "", 3)]


@pytest.mark.parametrize(
    ("data", "layout", "what", "where"),
    [
        (b"", AB, "empty", ""),
        (b"a\tb\n", AB, "no rows", ""),
        (b"a\tb", AB, "no rows", ""),
        (b"a\tc\n1\t2\n", AB, "other columns", "line 1"),
        (b"a\tb\ta\n1\t2\t3\n", AB, "a column twice", "line 1"),
        (b"a\tb\r1\t2\r", AB, "carriage return", ""),
        (b"a\tb\n1\t2\n\xe9t\xe9\t2\n", AB, "not UTF-8", "line 3, byte 8"),
        (b"\xff\xfea\x00\t\x00b\x00\n\x00", AB, "not UTF-8", "line 1"),
        (b"a\tb\n1\t2\n3", AB, "cut off", "line 3"),
        (b'a,b\n1,"2\n3,4\n', CSV, "not closed", ""),
        (b"1\t2\t3\n", Layout(("a", "b"), header=False), "number of columns", "line 1"),
        (b"\x89HDF\r\n\x1a\n\x00\x00", AB, "not UTF-8", "line 1"),
    ],
)
def test_wrong_files(tmp_path: Path, data: bytes, layout: Layout, what: str, where: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(DataError) as caught:
        read(path, layout)
    assert what in caught.value.what
    assert str(path) in str(caught.value.where)
    assert where in str(caught.value.where)


def test_compression_is_told_by_content(tmp_path: Path) -> None:
    data = b"a\tb\n1\t2\n"
    assert read(written(tmp_path, gzip.compress(data), "t.tsv"))[0] == [("1", "2", 2)]
    assert read(written(tmp_path, data, "t.tsv.gz"))[0] == [("1", "2", 2)]
    with pytest.raises(DataError, match="not what its name says"):
        read(written(tmp_path, b"\x00\x01\x02\x03\x04\x05\x06", "t.tsv.gz"))
    whole = gzip.compress(data * 500)
    with pytest.raises(DataError, match="cut off or damaged"):
        read(written(tmp_path, whole[: len(whole) // 2], "t.tsv.gz"))
    spoiled = bytearray(whole)
    spoiled[20] ^= 0xFF
    with pytest.raises(DataError, match="cut off or damaged"):
        read(written(tmp_path, bytes(spoiled), "t.tsv.gz"))


_FIELD = st.text(st.characters(exclude_characters="\t\n\r\0", codec="utf-8"), max_size=6)
_RELAXED = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@_RELAXED
@given(rows=st.lists(st.tuples(_FIELD, _FIELD), min_size=1), block=st.integers(1, 40))
def test_any_rows_come_back_whatever_the_blocks(
    tmp_path: Path, rows: Sequence[tuple[str, str]], block: int
) -> None:
    text = "a\tb\n" + "".join(f"{a}\t{b}\n" for a, b in rows)
    path = written(tmp_path, text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK_BYTES", block)
        found, log = read(path)
    assert found == [(a, b, n) for n, (a, b) in enumerate(rows, 2)]
    assert log.rows_rejected == 0


@_RELAXED
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from('xy",\n'), min_size=1, max_size=5)] * 2), min_size=1
    ),
    block=st.integers(1, 40),
)
def test_any_quoted_rows_come_back(
    tmp_path: Path, rows: Sequence[tuple[str, str]], block: int
) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    text = "a,b\n" + "".join(f"{quoted(a)},{quoted(b)}\n" for a, b in rows)
    lines, line = [], 2
    for a, b in rows:
        lines.append(line)
        line += 1 + a.count("\n") + b.count("\n")
    path = written(tmp_path, text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK_BYTES", block)
        found, _ = read(path, CSV)
    assert found == [(a, b, n) for (a, b), n in zip(rows, lines, strict=True)]
