"""Whose texts and names count where several sources describe one thing."""

from __future__ import annotations

import polars as pl

from tosg.kg.schema import SOURCE_RANK


def source_rank(sources: pl.Series) -> pl.Expr:
    """Column ``rank``: 0 the best source; those that the schema does not rank come by name.

    Parameters
    ----------
    sources : Series
        The column ``source`` of the frame that the expression is for.
    """
    listed = {source: i for i, source in enumerate(SOURCE_RANK)}
    others = sorted(set(sources.unique().to_list()) - set(listed))
    ranks = {**listed, **{source: len(listed) + i for i, source in enumerate(others)}}
    return pl.col("source").replace_strict(ranks, return_dtype=pl.Int64).alias("rank")
