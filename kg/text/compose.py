"""Texts from columns: a pure function of the entities of one type and the facts about them.

Everything is done on whole columns. The same entities give the same texts in whatever order they
and their facts come, since each list is sorted before anything is chosen from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.claims.schemas import LIST_SEPARATOR
from tosg.kg.schema.templates import BOUND, KNOWN, NAME_BOUND
from tosg.kg.schema.types import entity_types

if TYPE_CHECKING:
    from tosg.kg.schema.templates import Section

ENTITIES = pl.Schema(
    {
        "idx": pl.Int64(),
        "id": pl.String(),
        "name": pl.String(),
        "symbol": pl.String(),
        "synonyms": pl.List(pl.String()),
        "description": pl.String(),
    }
)

#: ``item`` is the name of what stands at the other end; ``score`` that of the relationship.
FACTS = pl.Schema(
    {"idx": pl.Int64(), "section": pl.String(), "item": pl.String(), "score": pl.Float64()}
)

_HARD_SPACE = "\xa0"  # a blank at which no sentence ends
_ABBREVIATIONS = r"(\b(?:e\.g|i\.e|etc|cf|vs|al|Fig|No|St|Dr|approx|ca|sp|spp|[A-Z])\.) "


def compose(label: str, entities: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Compose the texts of the entities of one type.

    Parameters
    ----------
    label : str
        The type.
    entities : DataFrame
        In the schema `ENTITIES`; `idx` is unique.
    facts : DataFrame
        In the schema `FACTS`; those about other entities are ignored.

    Returns
    -------
    DataFrame
        ``idx`` and ``text``, ascending by idx. No text is null or empty, none is longer than
        `BOUND` characters.
    """
    template = entity_types()[label].template
    texts = (
        entities.sort("idx")
        .with_columns(_clean(pl.col(c)) for c in ("id", "name", "symbol", "description"))
        .with_columns(_lead(template.noun).alias("text"))
    )
    texts = _add_list(texts, "Also known as", _synonyms(texts), template.synonyms, colon=False)
    texts = _add_description(texts, template.description)
    for section in (*template.sections, KNOWN):
        texts = _add_list(texts, section.heading, _items(texts, facts, section), section.share)
    return texts.select("idx", "text")


def is_bare(label: str) -> pl.Expr:
    """Whether a text of the column ``text`` says no more than what kind of thing it is."""
    return pl.col("text").str.ends_with(f" is {entity_types()[label].template.noun}.")


def _clean(column: pl.Expr) -> pl.Expr:
    """One blank for every run of white space and control characters; null for nothing."""
    text = column.str.replace_all(r"[\s\p{Cc}]+", " ").str.strip_chars()
    return pl.when(text != "").then(text)


def _lead(noun: str) -> pl.Expr:
    """Write the sentence that every entity has: "CD3D (CD3d molecule) is a gene."."""
    name, symbol = pl.col("name"), pl.col("symbol")
    both = symbol.is_not_null() & name.is_not_null() & (symbol != name)
    label = (
        pl.when(both)
        .then(pl.format("{} ({})", symbol, name))
        .otherwise(pl.coalesce(symbol, name, pl.col("id")))
    )
    cut = label.str.slice(0, NAME_BOUND).str.replace(r"\s\S*$", "")
    label = pl.when(label.str.len_chars() > NAME_BOUND).then(cut).otherwise(label)
    return pl.format("{} is {}.", label, pl.lit(noun))


def _synonyms(texts: pl.DataFrame) -> pl.DataFrame:
    """Other names, one per row, without those that are the name or the symbol."""
    names = (
        texts.select("idx", "name", "symbol", item="synonyms")
        .explode("item", empty_as_null=True, keep_nulls=False)
        .with_columns(_clean(pl.col("item")))
        .drop_nulls("item")
    )
    folded = pl.col("item").str.to_lowercase()
    same = [folded.eq_missing(pl.col(c).str.to_lowercase()) for c in ("name", "symbol")]
    return names.filter(~pl.any_horizontal(same)).select(
        "idx", "item", score=pl.lit(None, pl.Float64)
    )


def _items(texts: pl.DataFrame, facts: pl.DataFrame, section: Section) -> pl.DataFrame:
    return (
        facts.filter(pl.col("section") == section.key)
        .join(texts.select("idx"), on="idx", how="semi")
        .select("idx", _clean(pl.col("item")), "score")
        .drop_nulls("item")
    )


def _add_list(
    texts: pl.DataFrame, heading: str, items: pl.DataFrame, share: int, *, colon: bool = True
) -> pl.DataFrame:
    """Add "Heading: a; b; c." with whole items only, the best scored first, then by name.

    An item that is longer than all the room is left out and takes no other's place.
    """
    before = f" {heading}{':' if colon else ''} "
    # Signed: there may be less than no room.
    room = BOUND - pl.col("text").str.len_chars().cast(pl.Int64) - len(before) - 1
    # Spellings that differ in case only are one item, in the spelling that sorts first.
    chosen = (
        items.sort("idx", "score", "item", descending=[False, True, False], nulls_last=True)
        .unique(["idx", pl.col("item").str.to_lowercase()], keep="first", maintain_order=True)
        .join(texts.select("idx", room=room.clip(upper_bound=share)), on="idx")
        .filter(pl.col("item").str.len_chars() <= pl.col("room"))
        .sort("idx", "score", "item", descending=[False, True, False], nulls_last=True)
        .with_columns(
            used=(pl.col("item").str.len_chars().cast(pl.Int64) + 2).cum_sum().over("idx") - 2
        )
        .filter(pl.col("used") <= pl.col("room"))
        .group_by("idx", maintain_order=True)
        .agg(pl.col("item").str.join("; "))
    )
    return _append(texts, chosen.select("idx", part=pl.lit(before) + pl.col("item") + "."))


def _add_description(texts: pl.DataFrame, share: int) -> pl.DataFrame:
    """Add the description, or as many of its first sentences as there is room for.

    What semicolons divide (genes are described by lists of names) counts as sentences.
    """
    described = texts.drop_nulls("description").filter(
        pl.col("description").str.to_lowercase().str.strip_chars_end(".")
        != pl.coalesce("name", "symbol", "id").str.to_lowercase().str.strip_chars_end(".")
    )
    room = (BOUND - pl.col("text").str.len_chars().cast(pl.Int64) - 1).clip(upper_bound=share)
    ended = pl.col("description").str.contains(r"[.!?]$")
    sentences = (
        described.select(
            "idx",
            room=room,
            sentence=pl.when(ended).then("description").otherwise(pl.col("description") + "."),
        )
        .with_columns(
            pl.col("sentence")
            .str.replace_all(_ABBREVIATIONS, f"${{1}}{_HARD_SPACE}")
            .str.replace_all(r"([.!?][)\]\x22]?) ([\p{Lu}\p{N}(])", f"${{1}}{LIST_SEPARATOR}${{2}}")
            .str.replace_all("; ", f";{LIST_SEPARATOR}")
            .str.split(LIST_SEPARATOR)
        )
        .explode("sentence", empty_as_null=True, keep_nulls=False)
        .with_columns(pl.col("sentence").str.replace_all(_HARD_SPACE, " "))
        .with_columns(
            used=(pl.col("sentence").str.len_chars().cast(pl.Int64) + 1).cum_sum().over("idx") - 1
        )
        .filter(pl.col("used") <= pl.col("room"))
        .group_by("idx", maintain_order=True)
        .agg(pl.col("sentence").str.join(" ").str.replace(";$", "."))
    )
    return _append(texts, sentences.select("idx", part=" " + pl.col("sentence")))


def _append(texts: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    return (
        texts.join(parts, on="idx", how="left", maintain_order="left")
        .with_columns(pl.col("text") + pl.col("part").fill_null(""))
        .drop("part")
    )
