"""Values of ``donor_id`` that are no person: pools, doublets and cells without an assignment."""

from __future__ import annotations

import re

#: What demultiplexing tools and CELLxGENE write where a cell is of no one person: vireo (doublet,
#: unassigned), HTODemux (Negative, Doublet), souporcell and demuxlet (ambiguous), pooled samples.
_WORDS = frozenset(
    {
        *("pooled", "pool", "mixed", "mixture", "multiple"),
        *("doublet", "doublets", "dbl", "multiplet", "multiplets"),
        *("negative", "neg", "unassigned", "not assigned", "unmapped", "undetermined"),
        *("ambiguous", "amb", "ambient", "empty", "no call", "uncalled"),
    }
)
_MARKS = re.compile(r"[\s_-]+")

#: Stands between the parts of a donor that several columns make: a name has it rarely.
JOINT = "/"


def is_no_person(text: str) -> bool:
    """Whether a donor's name, or a part of it, says that the cells are of no one person."""
    return any(_MARKS.sub(" ", part).strip().lower() in _WORDS for part in text.split(JOINT))
