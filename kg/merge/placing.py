"""Which stored node is which class of equivalents, and which relationships that may move.

A stored node goes with the class that holds its present id; of several stored nodes in one class
the lowest ``idx`` stays and the others are merged into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from tosg.kg.merge.identity_records import Identity


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the stored nodes of one type go.

    Attributes
    ----------
    kept : DataFrame
        ``idx, id``: stored nodes that stay, with the id that they are to have.
    absorbed : DataFrame
        ``idx, into``: stored nodes that are merged into another.
    dropped : list of int
        ``idx`` of nodes that nobody claims any more.
    affected : set of int
        ``idx`` of nodes whose relationships may have to move or be written differently.
    """

    kept: pl.DataFrame
    absorbed: pl.DataFrame
    dropped: list[int]
    affected: set[int]


def place(
    stored: pl.DataFrame, old_claims: pl.DataFrame, before: Identity, after: Identity
) -> Placing:
    """Find where the stored nodes of one type go.

    Parameters
    ----------
    stored : DataFrame
        ``idx, id`` of the stored nodes.
    old_claims : DataFrame
        ``idx, id`` of their claims, withdrawn ones left out.
    before, after : Identity
        Of the stored claims alone, and of all.
    """
    classes = after.aliases.filter(pl.col("how") == "claimed").select(
        pl.col("alias").alias("id"), pl.col("id").alias("class")
    )
    by_claims = old_claims.join(classes, on="id").group_by("idx").agg(pl.col("class").min())
    homes = (
        stored.join(classes, on="id", how="left")
        .join(by_claims.rename({"class": "other"}), on="idx", how="left")
        .with_columns(pl.coalesce("class", "other").alias("class"))
        .sort("idx")
    )
    dropped = homes.filter(pl.col("class").is_null())["idx"].to_list()
    homes = homes.filter(pl.col("class").is_not_null())
    kept = homes.unique("class", keep="first", maintain_order=True)
    absorbed = homes.join(kept, on="idx", how="anti").join(
        kept.select("class", pl.col("idx").alias("into")), on="class"
    )
    affected = {*dropped, *absorbed["idx"], *absorbed["into"]}
    affected |= set(kept.filter(pl.col("id") != pl.col("class"))["idx"])
    affected |= _moved_aliases(stored, kept, before, after)
    return Placing(
        kept.select("idx", pl.col("class").alias("id")),
        absorbed.select("idx", "into"),
        dropped,
        affected,
    )


def _moved_aliases(
    stored: pl.DataFrame, kept: pl.DataFrame, before: Identity, after: Identity
) -> set[int]:
    """Nodes that an alias used to mean and no longer does, and those that it means now."""
    was = before.aliases.join(stored.select("id", pl.col("idx").alias("was")), on="id")
    now = after.aliases.join(
        kept.select(pl.col("class").alias("id"), pl.col("idx").alias("now")), on="id"
    )
    both = was.select("alias", "was").join(now.select("alias", "now"), on="alias", how="left")
    moved = both.filter(pl.col("was").ne_missing(pl.col("now")))
    return set(moved["was"]) | set(moved["now"].drop_nulls())
