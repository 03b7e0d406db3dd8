"""CSV for neo4j-admin: what goes in comes out, whatever characters it has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tosg.errors import DataError
from tosg.kg import server as managed
from tosg.kg.claims.schemas import LIST_SEPARATOR
from tosg.kg.database.connection import Database
from tosg.kg.server.connect import connect
from tosg.kg.write.import_files import ImportFiles, flatten

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings

NASTY = [
    'he said "hi"',
    '"',
    "line\nline\r\nline\rline",
    "tab\ttab",
    "a,b;c|d",
    " blanks around ",
    "back\\slash \\\" 'single'",
    "é 𝄞 \u2028 \ufeff",
    "NaN",
    "null",
    "-",
    "'",
    "=1+1",
]


def fetch(settings: Settings, query: str) -> list[dict[str, object]]:
    with connect(settings) as database:
        return database.rows(query)


@pytest.mark.neo4j
def test_values_survive_the_import(settings: Settings, database: Database, tmp_path: Path) -> None:
    database.close()
    files = ImportFiles(tmp_path)
    n = len(NASTY)
    nodes = pl.DataFrame(
        {
            "idx": range(10, 10 + n),
            "id": [f"x:{i}" for i in range(n)],
            "name": NASTY,
            "synonyms": [[a, b] for a, b in zip(NASTY, reversed(NASTY), strict=True)],
            "none": pl.Series([None] * n, dtype=pl.String),
            "empties": [["", "a", ""]] * n,
        }
    )
    files.add_nodes("Entity:Gene", nodes)
    ties = pl.DataFrame(
        {
            "start_idx": [10, 11],
            "end_idx": [11, 10],
            "scores": [[0.1, math.nan], [1e-300]],
            "score": [1 / 3, None],
            "sign": pl.Series([-1, None], dtype=pl.Int8),
        }
    )
    files.add_relationships("REGULATES", ties)
    support = pl.DataFrame({"idx": [0], "source": ["s"], "rows": [bytes(range(256))]})
    files.add_nodes("TosgPending", support, space="Tosg")
    result = managed.import_full(settings, files.arguments())
    assert (result.nodes, result.relationships) == (n + 1, 2)

    rows = fetch(settings, "MATCH (n:Gene) RETURN properties(n) AS p ORDER BY n.idx")
    for row, expected in zip(rows, nodes.iter_rows(named=True), strict=True):
        assert row["p"] == {k: v for k, v in expected.items() if v is not None}
    rows = fetch(settings, "MATCH (a)-[r]->(b) RETURN a.idx AS a, properties(r) AS p ORDER BY a")
    first, second = (row["p"] for row in rows)
    assert isinstance(first, dict)
    assert first["score"] == 1 / 3
    assert first["sign"] == -1
    assert first["scores"][0] == 0.1
    assert math.isnan(first["scores"][1])
    assert second == {"scores": [1e-300]}
    rows = fetch(settings, "MATCH (n:TosgPending) RETURN properties(n) AS p")
    assert rows == [{"p": {"source": "s", "rows": bytes(range(256))}}]


TEXT = st.text(st.characters(exclude_characters=LIST_SEPARATOR, exclude_categories=["Cs"]))


@given(st.lists(st.lists(TEXT, min_size=2), min_size=1))
def test_lists_can_be_split_again(values: list[list[str]]) -> None:
    frame = pl.DataFrame({"v": pl.Series(values, dtype=pl.List(pl.String))})
    flat, longest = flatten(frame, where="test")
    assert [text.split(LIST_SEPARATOR) for text in flat["v"]] == values
    assert longest == max(len(text.encode()) for text in flat["v"])


@pytest.mark.parametrize("bad", [[""], ["a\x1fb"], ["", "\x1f"]])
def test_what_cannot_be_split_again_is_refused(bad: list[str]) -> None:
    with pytest.raises(DataError, match="cannot be stored"):
        flatten(pl.DataFrame({"v": [bad, ["a"]]}), where="test")


def test_nothing_is_absent() -> None:
    frame = pl.DataFrame({"a": ["", None], "b": pl.Series([[], None], dtype=pl.List(pl.String))})
    flat, longest = flatten(frame, where="test")
    assert flat.rows() == [(None, None), (None, None)]
    assert longest == 0


def test_long_fields_raise_the_buffer(tmp_path: Path) -> None:
    files = ImportFiles(tmp_path)
    files.add_nodes("Entity:Gene", pl.DataFrame({"idx": [1], "text": ["x" * 5_000_000]}))
    (buffer,) = (a for a in files.arguments() if a.startswith("--read-buffer-size="))
    assert int(buffer.split("=")[1]) > 10_000_000
