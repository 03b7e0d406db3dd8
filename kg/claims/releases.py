"""The order of releases: which of two releases of one source is the newer.

Releases are dates or versions as the source writes them. The rule is one: the numbers in them
compare in their order, as numbers, so ``1.9`` is older than ``1.10``, and ``1.1`` and ``1.10`` are
two releases; eight digits that are a date count as year, month and day. Where all numbers are
equal, the texts compare. The unknown release "" is older than any other. Files of one source that
have releases of their own are its *parts*, and only releases of one part are compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    #: Source, part and release; relationships do not keep the part and are one of their own, None.
    Told = tuple[str, str | None, str]

_NUMBERS = re.compile(r"\d+")
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


def release_key(release: str) -> tuple[tuple[int, ...], str]:
    """Key by which releases of one source sort, oldest first."""
    numbers = _NUMBERS.findall(_DAY.sub(r"\1-\2-\3", release))
    return tuple(map(int, numbers)), release


def release_ranks(releases: Iterable[str]) -> dict[str, int]:
    """Rank of each release, 0 the oldest."""
    return {r: i for i, r in enumerate(sorted(set(releases), key=release_key))}


class ReleasesMet:
    """Releases that met in a merge: those that a load brings, and those that are stored."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._stored: dict[str, dict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, given: Iterable[Told], stored: Iterable[Told]) -> None:
        """Note releases of claims of the load and of stored claims."""
        for met, claims in ((self._given, given), (self._stored, stored)):
            for source, part, release in claims:
                met[source][part].add(release)

    def outdated(self) -> dict[str, set[str]]:
        """Stored releases of each source to which this load brings a newer one.

        What this load brings itself is not outdated, whichever file it is from, nor is what a file
        said that is not part of this load.
        """
        found = {}
        for source, given in sorted(self._given.items()):
            older: set[str] = set()
            for part, stored in self._stored[source].items():
                if part in given:
                    newest = max(map(release_key, given[part]))
                    older |= {r for r in stored if release_key(r) < newest}
            older -= set().union(*given.values())
            others = self._stored[source].items()
            older -= set().union(*(r for p, r in others if p is not None and p not in given))
            if older:
                found[source] = older
        return found

    def beside_unstated(self) -> dict[str, set[str]]:
        """Stored releases of each source that met claims of the same part without a release."""
        found = {
            source: set().union(
                *(self._stored[source][part] for part, r in given.items() if "" in r)
            )
            for source, given in sorted(self._given.items())
        }
        return {source: releases for source, releases in found.items() if releases}
