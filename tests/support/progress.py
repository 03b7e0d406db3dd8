"""Progress, recorded."""

from __future__ import annotations


class Recorder:
    """A `Progress` that keeps what it is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float | None, float]] = []

    def __call__(
        self, stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = ""
    ) -> None:
        """Keep one call."""
        del unit
        self.calls.append((stage, done, total))
