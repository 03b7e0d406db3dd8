"""Relationships one by one, for sources whose rows have to be taken apart in Python.

Tables of millions of rows stay in Arrow; what is drawn, nested or expanded is easier as facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tosg.loaders.base import Origin

#: An entity by its type and its CURIE.
Ref = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """One claimed relationship.

    Attributes
    ----------
    type : str
        Relationship type.
    start, end : (str, str)
        Entity type and CURIE.
    line : int
        Line (or record) of the file.
    sign : int or None
        -1, 0, 1; None where the source gives none.
    score : float or None
        0 to 1.
    action : str or None
        Of a drug on its target.
    evidence : str or None
        As `tosg.loaders.base.evidence_json` writes it.
    """

    type: str
    start: Ref
    end: Ref
    line: int
    sign: int | None = None
    score: float | None = None
    action: str | None = None
    evidence: str | None = None


#: Facts that are gathered before they become claims: memory does not grow with the file.
FACTS_AT_ONCE = 50_000


def fact_claims(facts: Sequence[Fact], origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of the facts: one batch, none where there are no facts."""
    if not facts:
        return
    yield origin.relationships(
        len(facts),
        pa.array([f.line for f in facts], pa.int64()),
        type=[f.type for f in facts],
        start_type=[f.start[0] for f in facts],
        start=[f.start[1] for f in facts],
        end_type=[f.end[0] for f in facts],
        end=[f.end[1] for f in facts],
        sign=pa.array([f.sign for f in facts], pa.int8()),
        score=pa.array([f.score for f in facts], pa.float64()),
        action=pa.array([f.action for f in facts], pa.string()),
        evidence=pa.array([f.evidence for f in facts], pa.string()),
    )
