"""Whose texts and names count where several sources describe one thing."""

from __future__ import annotations

import polars as pl

from tosg.kg.schema.types import SOURCE_RANK


def source_rank(claims: pl.DataFrame) -> pl.Expr:
    """Column ``rank``: 0 the best; sources that the schema does not rank come by name.

    Claims of one source rank by its parts: "" first, then by name.

    Parameters
    ----------
    claims : DataFrame
        ``source, part`` of the frame that the expression is for.
    """
    listed = {source: i for i, source in enumerate(SOURCE_RANK)}
    others = sorted(set(claims["source"].unique().to_list()) - set(listed))
    ranks = {**listed, **{source: len(listed) + i for i, source in enumerate(others)}}
    parts = {part: i for i, part in enumerate(sorted({"", *claims["part"].unique()}))}
    source = pl.col("source").replace_strict(ranks, return_dtype=pl.Int64)
    part = pl.col("part").replace_strict(parts, return_dtype=pl.Int64)
    return (source * len(parts) + part).alias("rank")
