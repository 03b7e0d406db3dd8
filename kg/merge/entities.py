"""Merging the claims about entities of one type into one row per class of equivalents."""

from __future__ import annotations

import polars as pl

from tosg.kg.claims.ranks import source_rank
from tosg.kg.claims.releases import release_ranks
from tosg.kg.claims.schemas import LIST_SEPARATOR
from tosg.kg.merge.identity import Identity, joined_text

#: Fields of one claim in the ledger, in the order in which its JSON has them.
CLAIM_TEXTS = ("id", "name", "symbol", "description")
CLAIM_LISTS = ("synonyms", "xrefs", "same_as", "replaces")
CLAIM_SOURCE = ("source", "part", "license", "release")
CLAIM_COLUMNS = [*CLAIM_TEXTS, *CLAIM_LISTS, *CLAIM_SOURCE]

#: One stored claim, as the JSON of a node's property ``claims`` decodes.
CLAIM = pl.Struct(
    {
        **dict.fromkeys(CLAIM_TEXTS, pl.String),
        **dict.fromkeys(CLAIM_LISTS, pl.List(pl.String)),
        **dict.fromkeys(CLAIM_SOURCE, pl.String),
    }
)

_IDENTITY = ["id", "source", "part", "license"]

_TEXT = pl.String
_LIST = pl.List(pl.String)

#: Columns of a merged entity, and the node's properties of the same names.
ENTITY_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": _TEXT,
    "name": _TEXT,
    "symbol": _TEXT,
    "synonyms": _LIST,
    "xrefs": _LIST,
    "description": _TEXT,
    "sources": _LIST,
    "licenses": _LIST,
    "releases": _LIST,
    "joined": _LIST,
    "claims": _LIST,
}


def unite_entity_claims(claims: pl.DataFrame) -> pl.DataFrame:
    """Make one row per (id, source, part, license): the newest release of a part, rows united.

    Of rows of one identity and release lists are united, and the smallest text is kept, so that
    the result does not depend on order.

    Parameters
    ----------
    claims : DataFrame
        Columns of `CLAIM`.

    Returns
    -------
    DataFrame
        Sorted by id, source, part, license; lists sorted, distinct, never null.
    """
    claims = claims.select(
        *CLAIM_TEXTS,
        *(_clean(column) for column in CLAIM_LISTS),
        *CLAIM_SOURCE,
    )
    repeated = pl.struct("id", "source", "part").is_duplicated()
    many = claims.filter(repeated)
    if many.height:
        ranks = release_ranks(many["release"].to_list())
        newest = pl.col("release").replace_strict(ranks, return_dtype=pl.Int64)
        many = many.filter(newest == newest.max().over("id", "source", "part"))
        united = many.group_by(_IDENTITY).agg(
            *(pl.col(c).min() for c in CLAIM_TEXTS[1:]),
            *(pl.col(c).explode().drop_nulls().unique().sort() for c in CLAIM_LISTS),
            pl.col("release").first(),
        )
        claims = pl.concat([claims.filter(~repeated), united.select(claims.columns)])
    return claims.sort(_IDENTITY)


def _clean(column: str) -> pl.Expr:
    text = pl.element().str.replace_all(LIST_SEPARATOR, " ", literal=True).str.strip_chars()
    items = pl.col(column).list.eval(text.filter(text.str.len_bytes() > 0))
    tidy = items.list.unique().list.sort()
    nothing = pl.lit([], dtype=_LIST)
    # Most lists are empty; the costly part is only for the others.
    return pl.when(pl.col(column).list.len() > 0).then(tidy).otherwise(nothing).alias(column)


def merge_entities(claims: pl.DataFrame, identity: Identity) -> pl.DataFrame:
    """Merge united claims into one row per class, sorted by id; see `ENTITY_COLUMNS`.

    Parameters
    ----------
    claims : DataFrame
        As `unite_entity_claims` gives them.
    identity : Identity
        Of the same claims.
    """
    classes = identity.aliases.select(pl.col("alias").alias("id"), pl.col("id").alias("class"))
    claims = claims.join(classes, on="id", how="left").with_columns(
        source_rank(claims), (pl.col("id") != pl.col("class")).alias("other")
    )
    merged = claims.select(pl.col("class").unique().sort())
    for column in ("name", "symbol", "description"):
        best = (
            claims.filter(pl.col(column).is_not_null())
            .sort("rank", "other", column)
            .unique("class", keep="first", maintain_order=True)
            .select("class", column)
        )
        merged = merged.join(best, on="class", how="left")
    for lists in (
        _synonyms(claims, merged),
        _xrefs(claims),
        _provenance(claims),
        _joined(identity),
        _ledger(claims),
    ):
        merged = merged.join(lists, on="class", how="left")
    return (
        merged.with_columns(
            pl.col(name).fill_null(pl.lit([], dtype=_LIST))
            for name, dtype in ENTITY_COLUMNS.items()
            if dtype == _LIST
        )
        .rename({"class": "id"})
        .select(list(ENTITY_COLUMNS))
        .sort("id")
    )


def _gather(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Lists of distinct sorted ``value`` by class."""
    rows = rows.filter(pl.col("value").is_not_null()).unique().sort("class", "value")
    return rows.group_by("class", maintain_order=True).agg(pl.col("value").alias(name))


def _exploded(claims: pl.DataFrame, column: str) -> pl.DataFrame:
    some = claims.filter(pl.col(column).list.len() > 0)
    return some.select("class", pl.col(column).alias("value")).explode("value")


def _synonyms(claims: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """Synonyms, and the names and symbols that were not chosen."""
    rows = [
        _exploded(claims, "synonyms"),
        claims.select("class", pl.col("name").alias("value")),
        claims.select("class", pl.col("symbol").alias("value")),
    ]
    chosen = pl.concat(
        [merged.select("class", pl.col(c).alias("value")) for c in ("name", "symbol")]
    )
    return _gather(pl.concat(rows).join(chosen, on=["class", "value"], how="anti"), "synonyms")


def _xrefs(claims: pl.DataFrame) -> pl.DataFrame:
    """Every other identifier that a claim names: own, equivalent, obsolete, cross-reference."""
    rows = [_exploded(claims, c) for c in ("xrefs", "same_as", "replaces")]
    rows.append(claims.select("class", pl.col("id").alias("value")))
    return _gather(pl.concat(rows).filter(pl.col("value") != pl.col("class")), "xrefs")


def _provenance(claims: pl.DataFrame) -> pl.DataFrame:
    told = ("class", "source", "license", "release")
    rows = claims.select(told).unique().sort(told)
    return rows.group_by("class", maintain_order=True).agg(
        pl.col("source").alias("sources"),
        pl.col("license").alias("licenses"),
        pl.col("release").alias("releases"),
    )


def _joined(identity: Identity) -> pl.DataFrame:
    lines = joined_text(identity.joins)
    return pl.DataFrame(
        {"class": list(lines), "joined": list(lines.values())},
        schema={"class": pl.String, "joined": _LIST},
    )


def _ledger(claims: pl.DataFrame) -> pl.DataFrame:
    """The claims themselves, one canonical JSON each: empty fields left out, fixed order."""
    parts = [_json_field(column, pl.col(column).is_not_null()) for column in CLAIM_TEXTS]
    parts += [_json_field(column, pl.col(column).list.len() > 0) for column in CLAIM_LISTS]
    parts += [_json_field(column, pl.col(column) != "") for column in CLAIM_SOURCE]
    body = pl.concat_str(parts, separator=",", ignore_nulls=True)
    rows = claims.select(
        "class",
        *_IDENTITY,
        pl.concat_str(pl.lit("{"), body, pl.lit("}")).alias("claims"),
    ).sort("class", "source", "license", "id", "part")
    return rows.group_by("class", maintain_order=True).agg("claims")


def _json_field(column: str, where: pl.Expr) -> pl.Expr:
    text = pl.struct(column).struct.json_encode()
    return pl.when(where).then(text.str.slice(1).str.head(-1))


def parse_claims(frame: pl.DataFrame) -> pl.DataFrame:
    """Undo the ledger: one row per stored claim.

    Parameters
    ----------
    frame : DataFrame
        With a list column ``claims``; the other columns are repeated for each claim.
    """
    rows = frame.explode("claims").filter(pl.col("claims").is_not_null())
    decoded = rows.with_columns(pl.col("claims").str.json_decode(CLAIM)).unnest("claims")
    return decoded.with_columns(
        *(pl.col(c).fill_null(pl.lit([], dtype=_LIST)) for c in CLAIM_LISTS),
        *(pl.col(c).fill_null("") for c in CLAIM_SOURCE),
    )
