"""Participants of interactions as sources write them: accessions, isoforms, complexes of parts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curie
from tosg.loaders.reference.complexes import ComplexRecord, members_id

if TYPE_CHECKING:
    from tosg.loaders.reference.facts import Ref

#: What sources of proteins and complexes that act on each other claim.
PARTNERS = tuple(
    (a, kind, b)
    for kind in ("REGULATES", "INTERACTS_WITH")
    for a in ("Protein", "Complex")
    for b in ("Protein", "Complex")
)

#: What follows an accession: an isoform's number, or a chain's.
_PART = re.compile(r"(?:-\d+|[-_:]PRO_?\d+)$")


@lru_cache(1 << 16)
def protein_ref(text: str) -> Ref | None:
    """A protein by its accession; an isoform or a chain counts for its protein.

    >>> protein_ref("P04637-2")
    ('Protein', 'uniprot:P04637')
    """
    found = curie(_PART.sub("", text.strip()), "uniprot")
    return None if found is None else ("Protein", found)


def without_parts(values: pa.Array) -> pa.Array:
    """Accessions of the proteins that isoforms and chains belong to, column by column."""
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(values), _PART.pattern, "")


class NamedByMembers:
    """Complexes that a source names by their members only, each made once.

    Attributes
    ----------
    records : dict
        CURIE -> the complex.
    """

    def __init__(self) -> None:
        self.records: dict[str, ComplexRecord] = {}

    def ref(self, members: list[Ref], line: int, name: str | None = None) -> Ref:
        """The complex of these members; one member is itself."""
        parts = tuple(sorted(set(members)))
        if len(parts) == 1:
            return parts[0]
        id_ = members_id([m for _, m in parts])
        self.records.setdefault(id_, ComplexRecord(id_, line, parts, name=name))
        return "Complex", id_
