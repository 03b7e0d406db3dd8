"""Arrow tables as pandas data frames that keep whole numbers whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tosg.interop.extras import missing_extra

if TYPE_CHECKING:
    import pandas as pd


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Make a data frame of a table, without loss.

    pyarrow makes floats of a column of whole numbers with nulls, and large ones lose digits; here
    it becomes ``Int64``, and one of truth values ``boolean``. Columns without nulls, and all other
    columns, are as pyarrow makes them.

    Parameters
    ----------
    table : pyarrow.Table
        Any number of rows and columns.

    Raises
    ------
    ConfigError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise missing_extra("pandas", "pandas", error) from error

    nullable: dict[pa.DataType, Any] = {
        pa.int64(): pd.Int64Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    with_gaps = {
        name: nullable[column.type]
        for name, column in zip(table.column_names, table.columns, strict=True)
        if column.type in nullable and column.null_count
    }
    plain = [name for name in table.column_names if name not in with_gaps]
    frame = table.select(plain).to_pandas() if plain else pd.DataFrame(index=range(table.num_rows))
    for name, dtype in with_gaps.items():
        values = dtype.__from_arrow__(table[name])
        frame.insert(table.column_names.index(name), name, values)
    made: pd.DataFrame = frame
    return made
