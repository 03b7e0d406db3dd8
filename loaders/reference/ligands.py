"""Pairs of ligands and receptors: one relationship, with complexes as nodes of their members.

A ligand acts on its receptor: ``REGULATES`` with sign 0 (a direction, no sign), between proteins
where the source names accessions, and between genes where it names symbols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.loaders.reference.complexes import complex_claims
from tosg.loaders.reference.facts import Fact, fact_claims
from tosg.loaders.reference.participants import NamedByMembers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tosg.loaders.base import Origin
    from tosg.loaders.reference.facts import Ref


class LigandPairs:
    """Pairs of one file, with the complexes that they name by their members."""

    def __init__(self) -> None:
        self.complexes = NamedByMembers()
        self.facts: list[Fact] = []

    def add(
        self,
        ligand: Sequence[Ref],
        receptor: Sequence[Ref],
        line: int,
        evidence: str | None,
        score: float | None = None,
    ) -> None:
        """Add a pair; several members of one side are a complex."""
        start = self.complexes.ref(list(ligand), line)
        end = self.complexes.ref(list(receptor), line)
        if start != end:
            self.facts.append(Fact("REGULATES", start, end, line, 0, score, None, evidence))

    def claims(self, origin: Origin) -> Iterator[pa.RecordBatch]:
        """Complexes, their members and the pairs."""
        if self.complexes.records:
            yield from complex_claims(list(self.complexes.records.values()), origin)
        yield from fact_claims(self.facts, origin)


def pair_types(member: str) -> tuple[tuple[str, str, str], ...]:
    """What a source of pairs claims, for its declaration; ``member`` is Gene or Protein."""
    ends = (member, "Complex")
    return (
        *((a, "REGULATES", b) for a in ends for b in ends),
        (member, "MEMBER_OF", "Complex"),
    )
