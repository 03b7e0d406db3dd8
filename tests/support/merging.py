"""A merge of a few claims with everything asked for, so that no spool stays open."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from support.claims import fill
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.claims import Claim

Row = dict[str, Any]


class Merging:
    """What a merge of claims gives."""

    def __init__(self, claims: Sequence[Claim], exclude_licenses: Sequence[str] = ()) -> None:
        with Spool() as spool:
            merged = merge(fill(spool, claims), exclude_licenses=exclude_licenses)
            self._rows = {
                name: list(merged.relationships(name).iter_rows(named=True))
                for name in merged.relationship_types
            }
            self._nodes = {
                label: {r["id"]: r for r in merged.entities(label).iter_rows(named=True)}
                for label in merged.entity_types
            }
            self.joins, self.ambiguous = merged.joins, merged.ambiguous
            self.pending, self.pending_nodes = merged.pending, merged.pending_nodes()
            self.counts = {s: c.as_dict() for s, c in merged.counts().items()}
            self.rejected = Counter[str]()
            for rejection in merged.rejections():
                self.rejected[rejection.kind] += rejection.count

    def rows(self, name: str) -> list[Row]:
        """Relationships of one type."""
        return self._rows.get(name, [])

    def nodes(self, label: str) -> dict[str, Row]:
        """Nodes of one type by id."""
        return self._nodes[label]
