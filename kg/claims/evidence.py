"""Evidence of a relationship claim: a JSON object of the source's own numbers and references.

Stored evidence also carries, in front of the source's own keys, what the stored relationship
alone would lose: the ends as the source gave them where identity renamed them, and sign and
action where they are not part of the key. These four keys are reserved.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Keys that a source may not use in its evidence, in the order in which they are stored.
RESERVED_KEYS = ("start", "end", "sign", "action")

_PREFIX = (
    r'^\{(?:"start":"(?P<start>[^"]*)",?)?(?:"end":"(?P<end>[^"]*)",?)?'
    r'(?:"sign":(?P<sign>-?\d),?)?(?:"action":"(?P<action>(?:[^"\\]|\\.)*)",?)?'
)


def parse_evidence(text: str) -> dict[str, Any]:
    """Parse evidence; "" is the empty object.

    Raises
    ------
    DataError
        It is not a JSON object.
    """
    if not text:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            "evidence is not JSON", found=text[:200], expected="a JSON object"
        ) from error
    if not isinstance(value, dict):
        raise DataError("evidence is not a JSON object", found=text[:200])
    return value


def dump(value: dict[str, Any]) -> str:
    """Write evidence in its canonical form; the empty object is ""."""
    if not value:
        return ""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def has_reserved_key(text: str) -> bool:
    """Whether the object has one of the reserved keys at its top level, or does not parse."""
    try:
        return not parse_evidence(text).keys().isdisjoint(RESERVED_KEYS)
    except DataError:
        return True


def unite(texts: Iterable[str]) -> str:
    """Unite several evidences of one claim, independent of their order.

    Values of one key that differ become a sorted list of the distinct ones; lists are united.
    """
    distinct = sorted(set(texts) - {""})
    if len(distinct) <= 1:
        return distinct[0] if distinct else ""
    values: dict[str, dict[str, Any]] = {}
    for text in distinct:
        for key, value in parse_evidence(text).items():
            for item in value if isinstance(value, list) else [value]:
                values.setdefault(key, {})[json.dumps(item, sort_keys=True)] = item
    lists = {k for t in distinct for k, v in parse_evidence(t).items() if isinstance(v, list)}
    united = {
        key: [items[k] for k in sorted(items)]
        if key in lists or len(items) > 1
        else next(iter(items.values()))
        for key, items in values.items()
    }
    return dump(united)


def with_reserved(
    evidence: pl.Expr, start: pl.Expr, end: pl.Expr, sign: pl.Expr, action: pl.Expr
) -> pl.Expr:
    """Put the reserved keys (null where there is nothing to keep) in front of the evidence."""
    head = pl.concat_str(
        pl.format('"start":"{}"', start),
        pl.format('"end":"{}"', end),
        pl.format('"sign":{}', sign),
        # The struct is only there to have the text escaped as JSON.
        pl.when(action.is_not_null()).then(
            pl.struct(action.alias("action")).struct.json_encode().str.slice(1).str.head(-1)
        ),
        separator=",",
        ignore_nulls=True,
    )
    tail = pl.when(evidence != "").then(pl.concat_str(pl.lit(","), evidence.str.slice(1)))
    return (
        pl.when(head == "")
        .then(evidence)
        .otherwise(pl.concat_str(pl.lit("{"), head, tail.fill_null("}")))
    )


def split_reserved(frame: pl.DataFrame) -> pl.DataFrame:
    """Undo `with_reserved`: column ``evidence`` becomes start, end, sign, action and evidence.

    Columns ``start`` and ``end`` are null where the source gave the stored end; ``sign`` and
    ``action`` where the evidence has none.
    """
    has = pl.col("evidence").str.contains(r'^\{"(start|end|sign|action)":')
    if not frame.select(has.any()).item():
        return frame.with_columns(
            pl.lit(None, pl.String).alias("start"),
            pl.lit(None, pl.String).alias("end"),
            pl.lit(None, pl.Int8).alias("sign"),
            pl.lit(None, pl.String).alias("action"),
        )
    groups = pl.col("evidence").str.extract_groups(_PREFIX)
    kept = pl.when(has).then(groups)
    rest = pl.col("evidence").str.replace(_PREFIX, "")
    action = pl.concat_str(pl.lit('"'), kept.struct.field("action"), pl.lit('"'))
    return frame.with_columns(
        kept.struct.field("start"),
        kept.struct.field("end"),
        kept.struct.field("sign").cast(pl.Int8),
        action.str.json_decode(pl.String).alias("action"),
        pl.when(~has)
        .then(pl.col("evidence"))
        .when(rest == "}")
        .then(pl.lit(""))
        .otherwise(pl.concat_str(pl.lit("{"), rest))
        .alias("evidence"),
    )
