"""Merging the claims of one relationship type into one row per key.

Rows are sorted once by whole numbers that stand for the ends; a key's claims then lie side by
side, and its list columns are slices of the sorted columns. Nothing loops over rows in Python but
the uniting of evidence where one source says one thing twice in different words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from tosg.kg.claims import evidence as ev
from tosg.kg.claims.releases import release_ranks
from tosg.kg.merge.agreement import (
    NO_SIGN,
    agreed_signs,
    any_in_runs,
    ends_to_swap,
    greatest_scores,
)

if TYPE_CHECKING:
    from tosg.kg.schema.kinds import RelationshipType

Dtype = pl.DataType | type[pl.DataType]

#: A claim whose ends are resolved: ``start`` and ``end`` are codes of the class table;
#: ``start_as`` and ``end_as`` the ends as the source gave them, where they differ from the class.
RESOLVED: dict[str, Dtype] = {
    "start": pl.UInt32,
    "end": pl.UInt32,
    "start_as": pl.String,
    "end_as": pl.String,
    "sign": pl.Int8,
    "action": pl.String,
    "score": pl.Float64,
    "evidence": pl.String,
    "source": pl.String,
    "license": pl.String,
    "release": pl.String,
}

#: Columns of the merged rows after the ends and key properties.
ARRAYS: dict[str, Dtype] = {
    "sources": pl.List(pl.String),
    "licenses": pl.List(pl.String),
    "releases": pl.List(pl.String),
    "scores": pl.List(pl.Float64),
    "evidence": pl.List(pl.String),
    "score": pl.Float64,
}

_PROVENANCE = ["source", "license"]


def property_columns(rtype: RelationshipType) -> dict[str, Dtype]:
    """Names and types of a merged relationship's properties, key properties first."""
    keys: dict[str, Dtype] = {k: pl.Int8 if k == "sign" else pl.String for k in rtype.keys}
    derived: dict[str, Dtype] = {} if "sign" in rtype.keys else {"sign": pl.Int8}
    return {**keys, **ARRAYS, **derived}


def unite_claims(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Make one row per (key, source, license, sign, action): the newest release of a source.

    Of rows of one identity and release the score is the maximum and evidence is united, so that
    the result does not depend on order.

    Parameters
    ----------
    rows : DataFrame
        Claims with the columns ``sign, action, score, evidence, source, license, release``.
    key : list of str
        Columns that make one source's statement: the ends as given and the key properties.

    Returns
    -------
    DataFrame
        Sorted by key, source, license, sign, action.
    """
    releases = rows.select("source", "release").unique()
    if releases.height > releases["source"].n_unique():
        ranks = release_ranks(releases["release"].to_list())
        newest = pl.col("release").replace_strict(ranks, return_dtype=pl.Int64)
        rows = rows.filter(newest == newest.max().over(*key, "source"))
    identity = [*key, *_PROVENANCE, *(c for c in ("sign", "action") if c not in key)]
    varying = [c for c in identity if _varies(rows[c])] or identity[:1]
    rows = rows.sort(varying, nulls_last=False)
    same = rows.select(
        pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in varying)
        & (pl.int_range(pl.len()) > 0)
    ).to_series()
    if not same.any():
        return rows
    following = same.shift(-1, fill_value=False)
    many = same | following
    united = (
        rows.filter(many)
        .group_by(identity, maintain_order=True)
        .agg(
            pl.col("score").max(),
            pl.col("evidence").unique(),
            pl.exclude(*identity, "score", "evidence").first(),
        )
        .with_columns(
            pl.when(pl.col("evidence").list.len() == 1)
            .then(pl.col("evidence").list.first())
            .otherwise(
                pl.col("evidence").map_elements(
                    lambda texts: ev.unite(texts), return_dtype=pl.String
                )
            )
            .alias("evidence")
        )
    )
    return pl.concat([rows.filter(~many), united.select(rows.columns)]).sort(varying)


def _varies(column: pl.Series) -> bool:
    return len(column) > 0 and not column.eq_missing(column[0]).all()


def merge_relationships(rtype: RelationshipType, rows: pl.DataFrame) -> pl.DataFrame:
    """Merge resolved claims of one type into one row per key.

    Parameters
    ----------
    rtype : RelationshipType
        Their type. Ends of undirected types are put in order here.
    rows : DataFrame
        Columns of `RESOLVED`.

    Returns
    -------
    DataFrame
        ``start, end`` (codes), then `property_columns`. Sorted by start, end, keys. ``scores`` is
        null where no source gives one, ``evidence`` where none has any.
    """
    keys = list(rtype.keys)
    if "sign" in keys:
        rows = rows.with_columns(pl.col("sign").fill_null(0))
    if not rtype.directed:
        rows = oriented(rows)
    rows = rows.with_columns(
        (pl.col("start").cast(pl.UInt64) * 2**32 + pl.col("end").cast(pl.UInt64)).alias("ends")
    )
    rows = unite_claims(rows, ["ends", *keys, "start_as", "end_as"])
    # The arrays are sorted by source within one key, whatever the ends were called.
    if any(_varies(rows[c]) for c in ("start_as", "end_as")):
        order = ["ends", *keys, *_PROVENANCE, "start_as", "end_as", "sign", "action"]
        rows = rows.sort(list(dict.fromkeys(order)))
    return _grouped(rtype, rows)


def oriented(rows: pl.DataFrame) -> pl.DataFrame:
    """Put the ends of undirected claims (columns of `RESOLVED`) in order."""
    turned = pl.Series(ends_to_swap(rows["start"].to_numpy(), rows["end"].to_numpy(), True))
    if not turned.any():
        return rows
    swap = {"start": "end", "end": "start", "start_as": "end_as", "end_as": "start_as"}
    return rows.with_columns(
        pl.when(turned).then(pl.col(other)).otherwise(pl.col(column)).alias(column)
        for column, other in swap.items()
    )


def _grouped(rtype: RelationshipType, rows: pl.DataFrame) -> pl.DataFrame:
    keys = list(rtype.keys)
    changed = pl.any_horizontal(
        pl.col(c).ne_missing(pl.col(c).shift(1)) for c in ("ends", *keys)
    ) | (pl.int_range(pl.len()) == 0)
    firsts = np.flatnonzero(rows.select(changed).to_series().to_numpy())
    offsets = np.append(firsts, rows.height).astype(np.int64)
    heads = rows[firsts] if len(firsts) < rows.height else rows
    stored = _stored_evidence(rows, keys)
    scores = rows["score"].fill_null(float("nan")).to_numpy()
    best = greatest_scores(scores, firsts)
    has_evidence = (stored != "").to_numpy()
    columns = {
        "start": heads["start"],
        "end": heads["end"],
        **{key: heads[key] for key in keys},
        "sources": _lists(rows["source"], offsets),
        "licenses": _lists(rows["license"], offsets),
        "releases": _lists(rows["release"], offsets),
        "scores": _lists(pl.Series(scores), offsets, ~np.isnan(best)),
        "evidence": _lists(stored, offsets, any_in_runs(has_evidence, firsts)),
        "score": pl.Series(best).fill_nan(None),
    }
    if "sign" not in keys:
        columns["sign"] = _agreed_sign(rows["sign"], firsts)
    schema = {"start": pl.UInt32, "end": pl.UInt32, **property_columns(rtype)}
    return pl.DataFrame(columns, schema=schema)


def _stored_evidence(rows: pl.DataFrame, keys: list[str]) -> pl.Series:
    nothing = pl.lit(None, pl.String)
    kept = {
        name: pl.col(column)
        if column not in keys and rows[column].null_count() < rows.height
        else None
        for name, column in (
            ("start", "start_as"),
            ("end", "end_as"),
            ("sign", "sign"),
            ("action", "action"),
        )
    }
    if all(column is None for column in kept.values()):
        return rows["evidence"]
    columns = [nothing if column is None else column for column in kept.values()]
    return rows.select(ev.with_reserved(pl.col("evidence"), *columns).alias("x")).to_series()


def _lists(values: pl.Series, offsets: np.ndarray, keep: np.ndarray | None = None) -> pl.Series:
    """Slices of `values` as a list column; null where `keep` is false."""
    flat = values.to_arrow(compat_level=pl.CompatLevel.newest())
    mask = None if keep is None or keep.all() else pa.array(~keep)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), flat, mask=mask)
    return pl.Series(pl.from_arrow(lists))


def _agreed_sign(signs: pl.Series, firsts: np.ndarray) -> pl.Series:
    if signs.null_count() == len(signs):
        return pl.Series([None] * 0, dtype=pl.Int8).extend_constant(None, len(firsts))
    agreed = pl.Series(agreed_signs(signs.fill_null(NO_SIGN).to_numpy(), firsts), dtype=pl.Int8)
    return agreed.set(agreed == NO_SIGN, None)


def claims_of(rtype: RelationshipType, stored: pl.DataFrame) -> pl.DataFrame:
    """Undo the merge: one row per claim.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    stored : DataFrame
        ``start, end`` as any ids, and `property_columns`.

    Returns
    -------
    DataFrame
        ``start, end`` as they were, then the other columns of `RESOLVED`.
    """
    keys = list(rtype.keys)
    n = pl.col("sources").list.len()
    filled = stored.with_columns(
        pl.col("scores").fill_null(pl.lit(None, pl.Float64).repeat_by(n)),
        pl.col("evidence").fill_null(pl.lit("").repeat_by(n)),
    )
    arrays = ["sources", "licenses", "releases", "scores", "evidence"]
    rows = filled.select("start", "end", *keys, *arrays).explode(arrays)
    rows = rows.rename({"start": "start_class", "end": "end_class"})
    key_columns = [rows[key] for key in keys]
    rows = ev.split_reserved(rows.drop(keys)).with_columns(key_columns)
    return rows.select(
        pl.col("start_class").alias("start"),
        pl.col("end_class").alias("end"),
        pl.col("start").alias("start_as"),
        pl.col("end").alias("end_as"),
        pl.col("sign").cast(pl.Int8),
        "action",
        pl.col("scores").fill_nan(None).alias("score"),
        "evidence",
        pl.col("sources").alias("source"),
        pl.col("licenses").alias("license"),
        pl.col("releases").alias("release"),
    )


def claims_as_given(
    rtype: RelationshipType, stored: pl.DataFrame, nodes: pl.DataFrame
) -> pl.DataFrame:
    """Claims of stored relationships, with the ends as the sources gave them.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    stored : DataFrame
        ``start_idx, end_idx``, then `property_columns`.
    nodes : DataFrame
        ``idx, type, id`` of the stored nodes.

    Returns
    -------
    DataFrame
        As `claims_of`, with ``start_type`` and ``end_type``.
    """
    claims = claims_of(rtype, stored.rename({"start_idx": "start", "end_idx": "end"}))
    for end in ("start", "end"):
        of_end = nodes.rename({"idx": end, "type": f"{end}_type", "id": f"{end}_id"})
        claims = claims.join(of_end, on=end, how="left", maintain_order="left")
    return claims.with_columns(
        pl.coalesce("start_as", "start_id").alias("start"),
        pl.coalesce("end_as", "end_id").alias("end"),
    )


def with_explicit_ends(
    rtype: RelationshipType, stored: pl.DataFrame, ids: pl.DataFrame
) -> pl.DataFrame:
    """Evidence of stored relationships that names both ends as they were claimed.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    stored : DataFrame
        ``start_idx, end_idx``, then `property_columns`.
    ids : DataFrame
        ``idx, id`` of the stored nodes.

    Returns
    -------
    DataFrame
        ``start_idx, end_idx``, the key properties, ``evidence``.
    """
    keys = list(rtype.keys)
    columns = ["start_idx", "end_idx", *keys]
    numbered = stored.rename({"start_idx": "start", "end_idx": "end"}).with_row_index("row")
    n = numbered["sources"].list.len()
    rows = claims_of(rtype, numbered.drop("row"))
    rows = rows.with_columns(numbered["row"].gather(np.repeat(np.arange(len(n)), n.to_numpy())))
    for end in ("start", "end"):
        of_end = ids.rename({"idx": end, "id": f"{end}_id"})
        rows = rows.join(of_end, on=end, how="left", maintain_order="left")
    nothing = pl.lit(None, pl.String)
    spelled = ev.with_reserved(
        pl.col("evidence"),
        pl.coalesce("start_as", "start_id"),
        pl.coalesce("end_as", "end_id"),
        pl.lit(None, pl.Int8) if "sign" in keys else pl.col("sign"),
        nothing if "action" in keys else pl.col("action"),
    )
    lists = rows.group_by("row", maintain_order=True).agg(spelled.alias("evidence"))
    return stored.select(columns).with_columns(lists["evidence"])
