"""Cleaning the texts and identifiers of entity claims; what is changed or left out is counted.

The rules hold for all sources, so that no loader has to know what a database cannot store. Texts
are in composed characters (NFC), a name has a letter or a digit, an identifier is
``prefix:local`` with a letter or a digit in its local part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tosg.kg.schema.indexes import LONGEST_INDEXED_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.claims.counters import NoteCounter

#: What an identifier must look like to enter the graph at all: ``prefix:local``, with nothing in
#: it that would need escaping inside JSON.
CURIE = r'^[A-Za-z0-9_.\-]+:[^\s"\\\x00-\x1f]*[\p{L}\p{N}][^\s"\\\x00-\x1f]*$'

_NAMES = ("name", "symbol")
_NAME_LISTS = ("synonyms", "previous")
_ID_LISTS = ("xrefs", "same_as", "replaces")

#: Control characters except tab and line ends, and what is no character.
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\x{FFFE}\x{FFFF}]"
#: A literal of RDF with its language: ``"lupus"@en``.
_LANGUAGE_TAG = r'(?s)^"(.*)"@[A-Za-z]+(?:-[A-Za-z0-9]+)*$'
_NOT_A_NAME = r"^[^\p{L}\p{N}]*$"

#: Texts that may need a rule below: few, and found in one pass.
_DOUBTFUL = rf'[^\x00-\x7F]|{_CONTROL}|^\s|\s$|"@|{_NOT_A_NAME}'

_VALUE = pl.col("value")
_NOTHING = pl.lit(None, pl.String)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which values, what they become, and how they are counted ("": not at all)."""

    found: pl.Expr
    becomes: pl.Expr
    kind: str = ""


_TEXT_RULES = (
    _Rule(_VALUE.str.contains(r"[^\x00-\x7F]"), _VALUE.str.normalize("NFC")),
    _Rule(
        _VALUE.str.contains(_CONTROL),
        _VALUE.str.replace_all(_CONTROL, " "),
        "character that cannot be stored, replaced by a blank",
    ),
    _Rule(_VALUE.str.contains(r"^\s|\s$"), _VALUE.str.strip_chars()),
    _Rule(
        _VALUE.str.contains(_LANGUAGE_TAG),
        _VALUE.str.replace(_LANGUAGE_TAG, "${1}"),
        "language tag of a text, left out",
    ),
    _Rule(_VALUE == "", _NOTHING),
)
_NAME_RULES = (
    *_TEXT_RULES,
    _Rule(_VALUE.str.contains(_NOT_A_NAME), _NOTHING, "name without letter or digit, left out"),
)


def is_id(column: str) -> pl.Expr:
    """Whether the values of a column look like identifiers; see `CURIE`."""
    return pl.col(column).str.contains(CURIE)


def is_too_long(column: str) -> pl.Expr:
    """Whether the values of a column are too long for the index that the column has."""
    return pl.col(column).str.len_bytes() > LONGEST_INDEXED_BYTES


def clean_entities(claims: pl.DataFrame, notes: NoteCounter) -> pl.DataFrame:
    """Clean the texts and the lists of entity claims.

    A name or symbol that is too long for its index becomes part of the description, in front of
    it; so nothing of it is lost.

    Parameters
    ----------
    claims : DataFrame
        Columns of `ENTITY_CLAIMS`.
    notes : NoteCounter
        Counts what is changed or left out.
    """
    for column in _NAMES:
        claims = _clean_texts(claims, column, _NAME_RULES, notes)
    claims = _clean_texts(claims, "description", _TEXT_RULES, notes)
    for column in _NAME_LISTS:
        claims = _clean_list(claims, column, _NAME_RULES, notes)
    for column in _ID_LISTS:
        rule = _Rule(~is_id("value"), _NOTHING, f"bad identifier in {column}, left out")
        claims = _clean_list(claims, column, (rule,), notes)
    for column in _NAMES:
        claims = _move_long_names(claims, column, notes)
    return claims


def _clean_texts(
    claims: pl.DataFrame, column: str, rules: Sequence[_Rule], notes: NoteCounter
) -> pl.DataFrame:
    values = pl.DataFrame({"row": pl.int_range(claims.height, eager=True), "value": claims[column]})
    changed = _changed(claims, values, rules, notes)
    if changed is None:
        return claims
    return claims.with_columns(_put(claims[column], changed["row"], changed["value"]))


def _clean_list(
    claims: pl.DataFrame, column: str, rules: Sequence[_Rule], notes: NoteCounter
) -> pl.DataFrame:
    rows = claims.select(pl.int_range(pl.len()).alias("row"), pl.col(column).alias("value"))
    values = rows.filter(pl.col("value").list.len() > 0).explode("value")
    values = values.with_row_index("at")
    changed = _changed(claims, values, rules, notes)
    if changed is None:
        return claims
    flat = _put(values["value"], changed["at"], changed["value"])
    kept = values.with_columns(flat).drop_nulls("value")
    lists = kept.group_by("row", maintain_order=True).agg("value")
    touched = pl.DataFrame({"row": changed["row"].unique()})
    new = touched.join(lists, on="row", how="left").with_columns(
        pl.col("value").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )
    joined = rows.join(new, on="row", how="left", suffix="_new", maintain_order="left")
    return claims.with_columns(
        joined.select(pl.coalesce("value_new", "value").alias(column)).to_series()
    )


def _put(values: pl.Series, rows: pl.Series, new: pl.Series) -> pl.Series:
    """Values with those of some rows replaced, by null too (which `Series.scatter` does not do)."""
    take = np.arange(len(values))
    take[rows.to_numpy()] = len(values) + np.arange(len(rows))
    return pl.concat([values, new]).gather(take).alias(values.name)


def _changed(
    claims: pl.DataFrame, values: pl.DataFrame, rules: Sequence[_Rule], notes: NoteCounter
) -> pl.DataFrame | None:
    """Apply rules to values (``row, value``); None where they change nothing."""
    texts = len(rules) > 1
    if texts:
        values = values.filter(_VALUE.str.contains(_DOUBTFUL))
    changed = False
    for rule in rules:
        found = values.select(rule.found.fill_null(False)).to_series()
        if not found.any():
            continue
        changed = True
        if rule.kind:
            some = values.filter(found)
            notes.add(rule.kind, claims[some["row"]], some["value"])
        values = values.with_columns(
            pl.when(found).then(rule.becomes).otherwise("value").alias("value")
        )
    return values if changed else None


def _move_long_names(claims: pl.DataFrame, column: str, notes: NoteCounter) -> pl.DataFrame:
    long = claims.select(is_too_long(column).fill_null(False)).to_series()
    if not long.any():
        return claims
    some = claims.filter(long)
    notes.add(f"{column} too long for an index, moved to the description", some, some[column])
    both = pl.concat_str(column, "description", separator="\n", ignore_nulls=True)
    return claims.with_columns(
        pl.when(long).then(both).otherwise("description").alias("description"),
        pl.when(~long).then(column).alias(column),
    )
