"""A point in time after which waiting ends."""

from __future__ import annotations

import time


class Deadline:
    """A number of seconds from now, on the monotonic clock.

    Parameters
    ----------
    seconds : float
        How long it is away; 0 or less has passed already.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it, at least 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether it is in the past."""
        return time.monotonic() >= self._end

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds, but not beyond the deadline."""
        time.sleep(min(seconds, self.left))
