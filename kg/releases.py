"""The order of releases: which of two releases of one source is the newer.

Releases are dates or versions as the source writes them. Numbers inside compare as numbers, so
``1.9`` is older than ``1.10``; the unknown release "" is older than any other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS = re.compile(r"(\d+)|(\D+)")


def release_key(release: str) -> tuple[tuple[int, int, str], ...]:
    """Key by which releases of one source sort, oldest first."""
    parts = [
        (1, int(digits), "") if digits else (0, 0, text) for digits, text in _PARTS.findall(release)
    ]
    return (*parts, (-1, 0, release))


def release_ranks(releases: Iterable[str]) -> dict[str, int]:
    """Rank of each release, 0 the oldest."""
    return {r: i for i, r in enumerate(sorted(set(releases), key=release_key))}
