"""What one merge works on: the claims of a load, the stored graph, and what is left out of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tosg.kg.claims.counters import RejectionCounter
    from tosg.kg.claims.releases import Told
    from tosg.kg.claims.spool import Spool
    from tosg.kg.merge.digests import SourceDigests

    Int64s = NDArray[np.int64]

EXCLUDED = "license excluded"


class Ledger(Protocol):
    """The claims that a stored graph holds; `tosg.kg.write.ledger` reads them from Neo4j."""

    @property
    def entity_types(self) -> list[str]:
        """Labels of which there are nodes."""

    @property
    def relationship_types(self) -> list[str]:
        """Relationship types between knowledge nodes of which there are some."""

    @property
    def unfinished(self) -> bool:
        """Whether an earlier load stopped half way, so that nothing stored may be relied on."""

    def entities(self, label: str) -> pl.DataFrame:
        """Stored nodes of one type: ``idx``, then `ENTITY_COLUMNS`; sorted by idx."""

    def relationships(
        self, name: str, touched: Int64s | None, affected: Int64s | None
    ) -> pl.DataFrame:
        """Stored relationships of one type.

        Parameters
        ----------
        name : str
            Relationship type.
        touched : (n,) int64 or None
            Those between two of these nodes are wanted; None: all.
        affected : (m,) int64 or None
            Those with any end among these nodes are wanted; None: all.

        Returns
        -------
        DataFrame
            ``start_idx, end_idx`` (Int64), then the type's properties; each relationship once.
        """

    def relationship_batches(
        self, name: str, touched: Int64s | None, affected: Int64s | None
    ) -> Iterator[pl.DataFrame]:
        """The same in frames of bounded size."""

    def relationships_from(self, name: str, starts: Int64s) -> Iterator[pl.DataFrame]:
        """Stored relationships of one type that start at some nodes, in the same way."""

    def count(self, name: str) -> int:
        """How many relationships of one type there are."""

    def digests(self, name: str) -> dict[str, SourceDigests]:
        """What the graph is known to hold of one type, by source."""

    def pending(self) -> pl.DataFrame:
        """All waiting claims, columns `PENDING`."""


@dataclass(frozen=True)
class Load:
    """What one merge works on.

    Attributes
    ----------
    spool : Spool
        Claims of this load.
    ledger : Ledger or None
        The stored graph; None for an empty one.
    excluded : tuple of str
        Licences in lower case: claims of this load under them are left out before merging.
    pruned : tuple of str
        Sources whose stored claims are withdrawn unless this load repeats them.
    """

    spool: Spool
    ledger: Ledger | None
    excluded: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()

    def keep_unpruned(self, stored: pl.DataFrame) -> pl.DataFrame:
        """Leave out stored claims (with a column ``source``) that this load withdraws."""
        if not self.pruned:
            return stored
        return stored.filter(~pl.col("source").is_in(list(self.pruned)))

    def keep_licensed(self, given: pl.DataFrame, refused: RejectionCounter) -> pl.DataFrame:
        """Leave out claims of this load whose licence is excluded, and count them."""
        if not self.excluded:
            return given
        out = given["license"].str.to_lowercase().is_in(list(self.excluded))
        refused.add(EXCLUDED, given.filter(out))
        return given.filter(~out)


def list_releases(claims: pl.DataFrame) -> list[Told]:
    """Distinct sources, parts and releases of some claims; the part of relationships is None."""
    part = "part" if "part" in claims.columns else pl.lit(None, pl.String).alias("part")
    return claims.select("source", part, "release").unique().rows()
