"""The difference between what is to be stored and what is: only that is written over Bolt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.relationships import property_columns

if TYPE_CHECKING:
    from tosg.kg.schema.kinds import RelationshipType


#: Nodes that are compared at once.
_COMPARED_NODES = 100_000


@dataclass(frozen=True, slots=True)
class EntityChanges:
    """What has to be written of the nodes of one type (columns ``idx`` and `ENTITY_COLUMNS`).

    Attributes
    ----------
    made, changed : DataFrame
        New nodes, and stored ones with other values.
    renamed : DataFrame
        ``idx, id``: those of the changed whose id is another one.
    unchanged : int
        Stored nodes that stay as they are.
    """

    made: pl.DataFrame
    changed: pl.DataFrame
    renamed: pl.DataFrame
    unchanged: int


@dataclass(frozen=True, slots=True)
class RelationshipChanges:
    """What has to be written of the relationships of one type.

    Attributes
    ----------
    made, changed : DataFrame
        ``start_idx, end_idx``, then the type's properties.
    removed : DataFrame
        ``start_idx, end_idx`` and key properties of those that are to go.
    repeated : DataFrame
        ``start_idx, end_idx`` and key properties of those stored more than once.
    unchanged : int
        Stored relationships that stay as they are.
    """

    made: pl.DataFrame
    changed: pl.DataFrame
    removed: pl.DataFrame
    repeated: pl.DataFrame
    unchanged: int


def compare_entities(merged: pl.DataFrame, stored: pl.DataFrame | None) -> EntityChanges:
    """Compare merged nodes with the stored ones, by ``idx``.

    Parameters
    ----------
    merged : DataFrame
        ``idx`` (null for new nodes), then `ENTITY_COLUMNS`.
    stored : DataFrame or None
        The same columns; None where nothing is stored.
    """
    if stored is None or not stored.height:
        nothing = merged.clear()
        return EntityChanges(merged, nothing, nothing.select("idx", "id"), 0)
    made: list[pl.DataFrame] = []
    changed: list[pl.DataFrame] = []
    renamed: list[pl.DataFrame] = []
    unchanged = 0
    for part in merged.iter_slices(_COMPARED_NODES):  # beside each other they would fill memory
        old = stored.join(part.select("idx"), on="idx", how="semi")
        old = old.rename({name: f"old_{name}" for name in ENTITY_COLUMNS})
        known = part.join(old, on="idx", how="inner", maintain_order="left")
        made.append(part.join(old.select("idx"), on="idx", how="anti", maintain_order="left"))
        differs = known.select(
            pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"old_{n}")) for n in ENTITY_COLUMNS)
        ).to_series()
        other = known.filter(differs)
        changed.append(other.select(merged.columns))
        renamed.append(other.filter(pl.col("id") != pl.col("old_id")).select("idx", "id"))
        unchanged += known.height - other.height
    none = merged.clear()
    return EntityChanges(
        pl.concat([none, *made]),
        pl.concat([none, *changed]),
        pl.concat([none.select("idx", "id"), *renamed]),
        unchanged,
    )


def compare_relationships(
    rtype: RelationshipType, merged: pl.DataFrame, stored: pl.DataFrame
) -> RelationshipChanges:
    """Compare merged relationships with the stored ones, by ends and key properties.

    Parameters
    ----------
    rtype : RelationshipType
        Their type.
    merged, stored : DataFrame
        ``start_idx, end_idx``, then the type's properties.
    """
    key = ["start_idx", "end_idx", *rtype.keys]
    columns = [*key, *(c for c in property_columns(rtype) if c not in rtype.keys)]
    merged = merged.select(columns)
    if not stored.height:
        none = merged.clear()
        return RelationshipChanges(merged, none, none.select(key), none.select(key), 0)
    repeated = stored.filter(stored.select(key).is_duplicated())
    stored = stored.unique(key, keep="first", maintain_order=True)
    values = [c for c in columns if c not in key]
    old = stored.rename({name: f"old_{name}" for name in values})
    both = merged.join(old, on=key, how="left", nulls_equal=True, maintain_order="left")
    new = both["old_sources"].is_null()
    differs = both.select(
        pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"old_{n}")) for n in values)
    ).to_series()
    if repeated.height:
        again = repeated.select(key).unique().with_columns(pl.lit(True).alias("again"))
        more = both.select(key).join(
            again, on=key, how="left", nulls_equal=True, maintain_order="left"
        )
        differs |= more["again"].fill_null(False)
    return RelationshipChanges(
        made=merged.filter(new),
        changed=merged.filter(differs & ~new),
        removed=stored.join(merged, on=key, how="anti", nulls_equal=True).select(key),
        repeated=repeated.select(key).unique(maintain_order=True),
        unchanged=int((~differs & ~new).sum()),
    )
