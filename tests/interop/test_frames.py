"""Every query's answer as Arrow and as a pandas data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from support.fixture_graph import opened
from test_statements import CASES

from tosg.interop.frames import to_frame
from tosg.kg.query.run import run_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    """The graph that the cases of the statements are about."""
    with opened(server_settings, more=True) as db:
        yield db


@pytest.mark.neo4j
def test_every_statement_comes_as_arrow_and_as_pandas(graph: Database) -> None:
    seen = set()
    for name, cases in CASES.items():
        for params, rows in cases:
            table = run_query(graph, name, params, timeout=60)
            plain, kept = table.to_pandas(), to_frame(table)
            assert list(plain.columns) == list(kept.columns) == table.column_names
            assert len(plain) == len(kept) == len(rows)
            for column, values in zip(table.column_names, table.columns, strict=True):
                if pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
                    back = [None if pd.isna(v) else v for v in kept[column].tolist()]
                    assert back == values.to_pylist(), (name, column)
                elif pa.types.is_string(values.type):
                    assert kept[column].tolist() == values.to_pylist()
            seen.add(name)
    assert seen == set(CASES)


def test_large_whole_numbers_with_gaps_stay() -> None:
    big = 2**53 + 1
    table = pa.table({"n": pa.array([big, None]), "b": [True, None], "s": ["a", None], "i": [1, 2]})
    frame = to_frame(table)
    assert list(frame.columns) == ["n", "b", "s", "i"]
    assert frame["n"][0] == big
    assert frame["n"].isna().tolist() == [False, True]
    assert str(frame["b"].dtype) == "boolean"
    assert str(frame["i"].dtype) == "int64"
    only = to_frame(pa.table({"n": pa.array([None, big])}))
    assert only["n"][1] == big
