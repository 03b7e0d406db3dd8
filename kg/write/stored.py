"""How merged values are stored as properties, the same by import and over Bolt.

``neo4j-admin`` reads an array of one empty string as no array at all, and the parallel arrays of
a relationship would come apart. So no stored array holds an empty string: what a source leaves
unsaid is written out. Empty scalars and empty arrays are absent, not empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: A licence or release that the source does not state.
UNSTATED = "unstated"


#: list column -> what stands for "" inside it
PLACEHOLDERS = {"licenses": UNSTATED, "releases": UNSTATED}


def encode_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn a merged frame into its stored form: placeholders for "", null for what is empty.

    Parameters
    ----------
    frame : pl.DataFrame
        As `Merged` gives it; columns are told apart by name and type.
    """
    import polars as pl

    changed = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype == pl.String:
            changed.append(pl.when(column != "").then(column).alias(name))
        elif name in PLACEHOLDERS:
            changed.append(_replace(column, "", PLACEHOLDERS[name]))
        elif dtype == pl.List(pl.String):
            changed.append(pl.when(column.list.len() > 0).then(column).alias(name))
    return frame.with_columns(changed)


def decode_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Undo `encode_columns` for the placeholders (columns that are not there are passed over)."""
    import polars as pl

    return frame.with_columns(
        _replace(pl.col(name), stands, "")
        for name, stands in PLACEHOLDERS.items()
        if name in frame.columns
    )


def _replace(column: pl.Expr, old: str, new: str) -> pl.Expr:
    import polars as pl

    element = pl.element()
    return column.list.eval(pl.when(element == old).then(pl.lit(new)).otherwise(element))
