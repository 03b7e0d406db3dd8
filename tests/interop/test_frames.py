"""Data frames of tables; the answers of the named statements are compared in test_statements."""

from __future__ import annotations

import pyarrow as pa

from tosg.interop.frames import to_frame


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
