"""How long the rest takes, said at most every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two estimates, so that a log does not fill with them.
PAUSE = 10.0


class Estimate:
    """Progress of embedding, measured in characters, since long texts take longer.

    Parameters
    ----------
    texts, characters : int
        All that is to be done.
    tell : callable
        Gets the stage and the share that is done.
    """

    def __init__(
        self, texts: int, characters: int, tell: Callable[[str, float | None], None]
    ) -> None:
        self._texts, self._characters = texts, max(characters, 1)
        self._tell = tell
        self._done_texts = self._done = 0
        self._begun = self._said = time.monotonic()
        self._stage = f"embedding {texts:,} texts"
        tell(self._stage, 0.0)

    def advance(self, texts: int, characters: int) -> None:
        """Note that so much more is done, and tell."""
        self._done_texts += texts
        self._done += characters
        now = time.monotonic()
        if now - self._said >= PAUSE:
            self._said = now
            left = (now - self._begun) * (self._characters / max(self._done, 1) - 1)
            self._stage = (
                f"embedding: {self._done_texts:,} of {self._texts:,} texts, {in_words(left)} left"
            )
        self._tell(self._stage, self._done / self._characters)


def in_words(seconds: float) -> str:
    """Seconds as people say them: "about 40 s", "about 12 min", "about 2.5 h"."""
    if seconds < 60:
        return f"about {max(1, round(seconds))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
