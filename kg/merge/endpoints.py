"""Resolving the ends of relationship claims to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.merge.pending import PENDING
from tosg.kg.merge.relationships import RESOLVED

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from tosg.kg.merge.identity_records import Identity
    from tosg.kg.schema.kinds import RelationshipType

NO_END = "end not in the graph"
AMBIGUOUS_END = "end is ambiguous"
SELF_LOOP = "self-loop"
SELF_LOOP_BY_IDENTITY = "self-loop by identity"


class EndpointResolver:
    """What the ends of relationships may say, and which node each means.

    Parameters
    ----------
    identities : dict of str to Identity
        By label.
    nodes : DataFrame
        The class table: ``type, id``; row numbers are codes.
    """

    def __init__(self, identities: dict[str, Identity], nodes: pl.DataFrame) -> None:
        coded = nodes.select("type", "id").with_row_index("code")
        self._aliases = {}
        self._unclear = {}
        for label, identity in identities.items():
            codes = coded.filter(pl.col("type") == label).select("id", "code")
            self._aliases[label] = identity.aliases.join(codes, on="id").select(
                "alias", "code", (pl.col("alias") == pl.col("id")).alias("own")
            )
            self._unclear[label] = sorted({a.what for a in identity.ambiguous})

    def names_of(self, label: str, codes: NDArray[np.bool_]) -> pl.Series:
        """Everything that an end of one type may say for some nodes.

        Parameters
        ----------
        label : str
            The type.
        codes : (n,) bool
            Which nodes, by code.
        """
        aliases = self._aliases[label]
        return aliases["alias"].filter(pl.Series(codes[aliases["code"].to_numpy()]))

    def resolve(
        self,
        rtype: RelationshipType,
        pair: tuple[str, str],
        claims: pl.DataFrame,
        refuse: Callable[[str, pl.DataFrame], None],
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Resolve the claims of one relationship type between two types.

        Parameters
        ----------
        rtype : RelationshipType
            Their type.
        pair : (str, str)
            Labels of start and end.
        claims : DataFrame
            ``start, end`` as the source gave them, and the columns of a claim.
        refuse : callable
            Told the kind and the rows of what cannot be stored.

        Returns
        -------
        resolved : DataFrame
            Columns `RESOLVED`.
        waiting : DataFrame
            Columns `PENDING`: what could be stored once other claims are there.
        """
        for end, label in zip(("start", "end"), pair, strict=True):
            aliases = self._aliases[label].rename(
                {"alias": end, "code": f"{end}_code", "own": f"{end}_own"}
            )
            claims = claims.join(aliases, on=end, how="left", maintain_order="left")
        waiting = []
        lost = claims["start_code"].is_null() | claims["end_code"].is_null()
        if lost.any():
            waiting.append(claims.filter(lost))
            self._refuse_lost(pair, waiting[-1], refuse)
            claims = claims.filter(~lost)
        if pair[0] == pair[1] and not rtype.self_loops:
            loop = claims["start_code"] == claims["end_code"]
            if loop.any():
                own = pl.col("start") == pl.col("end")
                loops = claims.filter(loop)
                refuse(SELF_LOOP, loops.filter(own))
                waiting.append(loops.filter(~own))
                refuse(SELF_LOOP_BY_IDENTITY, waiting[-1])
                claims = claims.filter(~loop)
        resolved = claims.select(
            pl.col("start_code").alias("start"),
            pl.col("end_code").alias("end"),
            pl.when(~pl.col("start_own")).then("start").alias("start_as"),
            pl.when(~pl.col("end_own")).then("end").alias("end_as"),
            *list(RESOLVED)[4:],
        )
        left = pl.concat(waiting) if waiting else claims.clear()
        left = left.with_columns(
            pl.lit(rtype.name).alias("type"),
            pl.lit(pair[0]).alias("start_type"),
            pl.lit(pair[1]).alias("end_type"),
        )
        return resolved, left.select(list(PENDING))

    def _refuse_lost(
        self, pair: tuple[str, str], lost: pl.DataFrame, refuse: Callable[[str, pl.DataFrame], None]
    ) -> None:
        unclear = pl.any_horizontal(
            pl.col(end).is_in(self._unclear[label]) & pl.col(f"{end}_code").is_null()
            for end, label in zip(("start", "end"), pair, strict=True)
        )
        refuse(AMBIGUOUS_END, lost.filter(unclear))
        refuse(NO_END, lost.filter(~unclear))
