"""Which classes of identifiers have names in common, as tables."""

from __future__ import annotations

import polars as pl

from tosg.kg.claims.ranks import source_rank
from tosg.kg.schema.folding import fold_names


def read_own_names(claims: pl.DataFrame) -> pl.DataFrame:
    """Rows ``id, name, source, own``: what each source calls each id, names folded.

    An id's ``own`` name is that of its best-ranked source, and there of the best-ranked part,
    since others may be outdated.

    Parameters
    ----------
    claims : DataFrame
        ``id, name, synonyms, previous, source, part``.
    """
    names = claims.select(
        "id", fold_names(pl.col("name")).alias("name"), "source", source_rank(claims)
    )
    names = names.filter(pl.col("name").is_not_null())
    own = names.sort("rank", "name").unique("id", keep="first").select("id", "name", own=True)
    names = names.drop("rank").join(own, on=["id", "name"], how="left")
    others = []
    for column in ("synonyms", "previous"):
        some = claims.filter(pl.col(column).list.len() > 0)
        rows = some.select("id", pl.col(column).alias("name"), "source").explode("name")
        name = fold_names(pl.col("name")).alias("name")
        others.append(rows.select("id", name, "source", own=False))
    return pl.concat([names.with_columns(pl.col("own").fill_null(value=False)), *others])


def count_shared_names(called: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Count the names that two classes share, where one of them has that name as its own.

    Parameters
    ----------
    called : DataFrame
        ``class, name, own``.
    prefixes : DataFrame
        ``class, prefix``.

    Returns
    -------
    DataFrame
        ``class, other, n``: each pair of classes without a common prefix, in both directions.
    """
    names = called.select("class", "name").unique()
    theirs = names.rename({"class": "other"})
    pairs = called.filter("own").select("class", "name").join(theirs, on="name")
    pairs = pairs.select("class", "other").filter(pl.col("class") != pl.col("other"))
    pairs = pl.concat([pairs, _turned(pairs)]).unique()
    alike = pairs.join(prefixes, on="class").join(
        prefixes.rename({"class": "other"}), on=["other", "prefix"], how="semi"
    )
    return (
        pairs.join(alike, on=["class", "other"], how="anti")
        .join(names, on="class")
        .join(theirs, on=["other", "name"], how="semi")
        .group_by("class", "other")
        .agg(n=pl.len())
    )


def find_nearest_names(
    shared: pl.DataFrame, prefixes: pl.DataFrame
) -> tuple[pl.DataFrame, list[tuple[str, tuple[str, ...]]]]:
    """Pairs of classes that are nearest to each other, and classes as near to several.

    Parameters
    ----------
    shared : DataFrame
        As `count_shared_names` returns.
    prefixes : DataFrame
        ``class, prefix``. Classes with a prefix in common are rivals: a third joins one at most.

    Returns
    -------
    best : DataFrame
        ``class, other``, in both directions.
    ties : list of (str, tuple of str)
        Class, and those that it is as near to.
    """
    near = shared.join(prefixes.rename({"class": "other"}), on="other")
    most = near.filter(pl.col("n") == pl.col("n").max().over("class", "prefix"))
    tied = pl.len().over("class", "prefix") > 1
    ties = most.filter(tied).group_by("class", "prefix").agg("other")
    pair = ["class", "other"]
    beaten = near.join(most.filter(~tied), on=[*pair, "prefix"], how="anti")
    best = shared.select(pair).join(beaten, on=pair, how="anti")
    best = best.join(_turned(best), on=pair, how="semi")
    found = ties.select("class", "other").iter_rows()
    return best, [(cls, tuple(sorted(others))) for cls, others in found]


def _turned(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select(pl.col("other").alias("class"), pl.col("class").alias("other"))
