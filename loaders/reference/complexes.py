"""Complexes as nodes with members: one ``Complex``, and ``MEMBER_OF`` from each of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tosg.loaders.base import Origin


@dataclass(frozen=True, slots=True)
class ComplexRecord:
    """One complex of a source.

    Attributes
    ----------
    id : str
        Its CURIE in the source, or `members_id` where the source names it by its members only.
    line : int
        Line of the file.
    members : tuple of (str, str)
        Type (``Protein`` or ``Complex``) and CURIE of each part.
    name, description : str or None
    synonyms, xrefs : tuple of str
    evidence : str or None
        Of the memberships.
    """

    id: str
    line: int
    members: tuple[tuple[str, str], ...]
    name: str | None = None
    description: str | None = None
    synonyms: tuple[str, ...] = ()
    xrefs: tuple[str, ...] = ()
    evidence: str | None = None


def members_id(members: Sequence[str]) -> str:
    """CURIE of a complex that has no other name than its members.

    >>> members_id(["uniprot:P15692", "uniprot:P01127"])
    'tosg:complex.P01127.P15692'
    """
    return "tosg:complex." + ".".join(sorted({m.partition(":")[2] for m in members}))


def complex_claims(complexes: Sequence[ComplexRecord], origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of the complexes, then of their members."""
    yield origin.entities(
        len(complexes),
        pa.array([c.line for c in complexes], pa.int64()),
        type="Complex",
        id=pa.array([c.id for c in complexes], pa.string()),
        name=pa.array([c.name for c in complexes], pa.string()),
        description=pa.array([c.description for c in complexes], pa.string()),
        synonyms=[list(c.synonyms) for c in complexes],
        xrefs=[list(c.xrefs) for c in complexes],
    )
    rows = [(c, type_, member) for c in complexes for type_, member in dict.fromkeys(c.members)]
    yield origin.relationships(
        len(rows),
        pa.array([c.line for c, _, _ in rows], pa.int64()),
        type="MEMBER_OF",
        start_type=pa.array([type_ for _, type_, _ in rows], pa.string()),
        start=pa.array([member for _, _, member in rows], pa.string()),
        end_type="Complex",
        end=pa.array([c.id for c, _, _ in rows], pa.string()),
        evidence=pa.array([c.evidence for c, _, _ in rows], pa.string()),
    )
