"""A result as Arrow and as a data frame, compared value by value."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from tosg.interop.frames import to_frame


def check_frame(table: pa.Table) -> None:
    """Whether the frame of a table has its columns, its rows, its numbers and its gaps."""
    frame = to_frame(table)
    assert list(frame.columns) == list(table.to_pandas().columns) == table.column_names
    assert len(frame) == table.num_rows
    for column, values in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
            back = [None if pd.isna(v) else v for v in frame[column].tolist()]
            assert back == values.to_pylist(), column
        elif pa.types.is_string(values.type):
            assert frame[column].tolist() == values.to_pylist(), column
