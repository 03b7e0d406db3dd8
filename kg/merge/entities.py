"""Merging the claims about entities of one type into one row per class of equivalents."""

from __future__ import annotations

import polars as pl

from tosg.kg.claims.ranks import source_rank
from tosg.kg.claims.releases import release_ranks
from tosg.kg.merge.identity_records import Identity, joined_text

#: Fields of one claim in the ledger, in the order in which its JSON has them.
CLAIM_TEXTS = ("id", "name", "symbol", "description")
CLAIM_LISTS = ("synonyms", "previous", "xrefs", "same_as", "replaces")
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

#: Claims whose JSON is decoded at once.
_DECODED_CLAIMS = 20_000

_IDENTITY = ["id", "source", "part", "license"]
_CONTENT = [*CLAIM_TEXTS[1:], *CLAIM_LISTS, "release"]

_TEXT = pl.String
_LIST = pl.List(pl.String)

#: Columns of a merged entity, and the node's properties of the same names.
ENTITY_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": _TEXT,
    "name": _TEXT,
    "symbol": _TEXT,
    "synonyms": _LIST,
    "previous": _LIST,
    "xrefs": _LIST,
    "description": _TEXT,
    "sources": _LIST,
    "licenses": _LIST,
    "releases": _LIST,
    "joined": _LIST,
    "claims": _LIST,
}


def unite_entity_claims(claims: pl.DataFrame) -> pl.DataFrame:
    """Keep one row per (id, source, part, license): the best record of a part's newest release.

    Of several records the one that says most is kept whole, then the one whose text sorts first.
    So nothing is mixed from two records, and the result depends neither on the order of the
    claims nor on the loads that they came in.

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
        *(_tidy(column) for column in CLAIM_LISTS),
        *CLAIM_SOURCE,
    )
    repeated = pl.struct("id", "source", "part").is_duplicated()
    many = claims.filter(repeated)
    if many.height:
        best = _keep_newest(many).with_columns(_fullness().alias("full"), _text().alias("text"))
        best = best.sort("full", "text", descending=[True, False])
        best = best.unique(_IDENTITY, keep="first", maintain_order=True)
        claims = pl.concat([claims.filter(~repeated), best.select(claims.columns)])
    return claims.sort(_IDENTITY)


def find_second_records(given: pl.DataFrame, united: pl.DataFrame) -> pl.Series:
    """Mask of the claims that say something else than the record that was kept instead of them.

    Parameters
    ----------
    given : DataFrame
        Columns of `CLAIM`.
    united : DataFrame
        As `unite_entity_claims` makes of these and maybe other claims.
    """
    kept = united.select(*_IDENTITY, *(pl.col(c).alias(f"kept_{c}") for c in _CONTENT))
    both = given.with_columns(_tidy(c) for c in CLAIM_LISTS).join(
        kept, on=_IDENTITY, how="left", maintain_order="left"
    )
    texts = [
        pl.col(c).is_not_null() & pl.col(c).ne_missing(pl.col(f"kept_{c}")) for c in CLAIM_TEXTS[1:]
    ]
    lists = [pl.col(c).list.set_difference(pl.col(f"kept_{c}")).list.len() > 0 for c in CLAIM_LISTS]
    same_release = pl.col("release") == pl.col("kept_release")
    other = (same_release & pl.any_horizontal(*texts, *lists)).fill_null(False)
    return both.select(other.alias("second")).to_series()


def _keep_newest(claims: pl.DataFrame) -> pl.DataFrame:
    ranks = release_ranks(claims["release"].to_list())
    newest = pl.col("release").replace_strict(ranks, return_dtype=pl.Int64)
    return claims.filter(newest == newest.max().over("id", "source", "part"))


def _fullness() -> pl.Expr:
    """How many texts and list items a claim has."""
    texts = [pl.col(c).is_not_null().cast(pl.Int64) for c in CLAIM_TEXTS]
    return pl.sum_horizontal(*texts, *(pl.col(c).list.len().cast(pl.Int64) for c in CLAIM_LISTS))


def _tidy(column: str) -> pl.Expr:
    nothing = pl.lit([], dtype=_LIST)
    # Most lists are empty; the costly part is only for the others.
    tidy = pl.col(column).list.unique().list.sort()
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
        _previous(claims, merged),
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
    """Every name and symbol that was not chosen."""
    values = pl.concat([_exploded(claims, "synonyms"), *_primary_names(claims)])
    return _gather(_without_chosen(values, merged), "synonyms")


def _previous(claims: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """Names and symbols that some source has, or had before, as the name itself."""
    return _gather(_without_chosen(pl.concat(_primary_names(claims)), merged), "previous")


def _primary_names(claims: pl.DataFrame) -> list[pl.DataFrame]:
    single = [claims.select("class", pl.col(c).alias("value")) for c in ("name", "symbol")]
    return [*single, _exploded(claims, "previous")]


def _without_chosen(values: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    chosen = [merged.select("class", pl.col(c).alias("value")) for c in ("name", "symbol")]
    return values.join(pl.concat(chosen), on=["class", "value"], how="anti")


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
    rows = claims.select("class", *_IDENTITY, _text().alias("claims")).sort(
        "class", "source", "license", "id", "part"
    )
    return rows.group_by("class", maintain_order=True).agg("claims")


def _text() -> pl.Expr:
    """One claim as canonical JSON."""
    parts = [_json_field(column, pl.col(column).is_not_null()) for column in CLAIM_TEXTS]
    parts += [_json_field(column, pl.col(column).list.len() > 0) for column in CLAIM_LISTS]
    parts += [_json_field(column, pl.col(column) != "") for column in CLAIM_SOURCE]
    body = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return pl.concat_str(pl.lit("{"), body, pl.lit("}"))


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
    # Decoding takes many times the memory of what it gives.
    parts = rows.iter_slices(_DECODED_CLAIMS) if rows.height else [rows]
    return pl.concat([_decoded(part) for part in parts], rechunk=True)


def _decoded(rows: pl.DataFrame) -> pl.DataFrame:
    decoded = rows.with_columns(pl.col("claims").str.json_decode(CLAIM)).unnest("claims")
    return decoded.with_columns(
        *(pl.col(c).fill_null(pl.lit([], dtype=_LIST)) for c in CLAIM_LISTS),
        *(pl.col(c).fill_null("") for c in CLAIM_SOURCE),
    )
