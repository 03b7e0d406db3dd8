"""Values of ``donor_id`` that are no person: pools, doublets and cells without an assignment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: What demultiplexing tools and CELLxGENE write where a cell is of no one person: vireo (doublet,
#: unassigned), HTODemux (Negative, Doublet, Singlet), souporcell and demuxlet (ambiguous), BD
#: Rhapsody (Multiplet, Undetermined), pooled samples.
_WORDS = frozenset(
    {
        *("pooled", "pool", "mixed", "mixture", "multiple", "multi", "several", "various"),
        *("singlet", "singlets", "sng"),  # a class of cells, in place of a name
        *("negative", "neg", "negatives", "unmapped", "undetermined", "unidentified"),
        *("ambiguous", "amb", "ambient", "empty", "blank", "debris", "noise", "invalid"),
        *("no call", "uncalled", "no hash", "no assignment", "not assigned", "not determined"),
        *("unresolved", "inconclusive", "unclassified", "undefined", "unclear", "uncertain"),
        *("mixed donors", "pooled donors", "multiple donors", "several donors", "unknown donor"),
    }
)
#: Words that say so wherever they stand: ``doublet_D1_D2``, ``cross-sample doublet``.
_ANYWHERE = frozenset({"doublet", "doublets", "dbl", "multiplet", "multiplets", "unassigned"})
_MARKS = re.compile(r"[\s_-]+")
#: ``pool1``, ``Pool_A``, ``donor pool 2``: several donors that were sequenced together.
_POOL = re.compile(r"(?:(?:donors?|samples?|pooled) )?pool(?:ed)?(?: ?(?:\d+|[a-z]))?")
#: demuxlet's ``AMB-D1-D2``; its doublets are ``DBL-D1-D2``.
_DEMUXLET = re.compile(r"amb .+ .+")

#: What stands between two donors in the name of a doublet; ``/`` is souporcell's ``0/1``.
_PAIR = re.compile(r"[/,;|+&_]| and | x ")

#: Stands between the parts of a donor that several columns make: a name has it rarely.
JOINT = "/"


def is_no_person(text: str) -> bool:
    """Whether a donor's name, or a part of it, says that the cells are of no one person."""
    return any(_says_so(_MARKS.sub(" ", part).strip().lower()) for part in text.split(JOINT))


def _says_so(part: str) -> bool:
    return (
        part in _WORDS
        or not _ANYWHERE.isdisjoint(re.findall(r"[a-z]+", part))
        or bool(_POOL.fullmatch(part) or _DEMUXLET.fullmatch(part))
    )


def two_persons(names: Collection[str]) -> frozenset[str]:
    """Find names that are two other names of the column together: doublets of two donors.

    souporcell writes ``0/1`` for a doublet of its donors 0 and 1, hashing tools ``HTO-A_HTO-B``;
    in ``study/0/1`` the donors are ``study/0`` and ``study/1``.
    """
    known = set(names)
    return frozenset(name for name in known if any(_halves(name, known)))


def _halves(name: str, known: set[str]) -> Iterator[tuple[str, str]]:
    for mark in _PAIR.finditer(name):
        first, second = name[: mark.start()].strip(), name[mark.end() :].strip()
        study = first[: first.rfind(JOINT) + 1]
        if first in known and first != second and (second in known or study + second in known):
            yield first, second
