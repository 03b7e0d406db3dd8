"""Progress of long work: what is called with it, and the bar that shows it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Protocol, Self

from tosg.closing import Closing

#: Seconds that a stage takes before a bar is drawn: short work shows none.
DELAY_SECONDS = 0.5

#: Seconds between redraws of a stage that reports nothing, so that its clock runs.
REDRAW_SECONDS = 1.0

# Bars of a share of 1, of a count, and of a stage whose length is unknown.
_SHARE = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
_COUNT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{unit} {elapsed}<{remaining}"
_UNKNOWN = "{desc} ... {elapsed}"


class Progress(Protocol):
    """Called with the current stage and how much of it is done."""

    def __call__(
        self, stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = ""
    ) -> None:
        """Report progress.

        Parameters
        ----------
        stage : str
            What is going on, as in "writing nodes".
        done : float, optional
            How much of it is done, of `total`; None where that is unknown.
        total : float
            How much there is in all; with 1, `done` is a share.
        unit : str
            Of both; "B" for bytes, which are shown in kB, MB and GB.
        """
        ...


def silent(stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = "") -> None:
    """Show nothing: the `Progress` for work that nobody watches."""


class Tally:
    """Adds up the amounts of one stage, from any number of threads.

    Parameters
    ----------
    progress : Progress
        Called with each new sum.
    stage : str
        The stage.
    total : float, optional
        What the amounts will add up to; None where that is unknown.
    unit : str
        Of the amounts, as in `Progress`.
    """

    def __init__(
        self, progress: Progress, stage: str, total: float | None, *, unit: str = ""
    ) -> None:
        self.done = 0.0
        self._progress = progress
        self._stage = stage
        self._total = total
        self._unit = unit
        self._lock = threading.Lock()

    def add(self, amount: float) -> None:
        """Add an amount and report the sum."""
        with self._lock:
            self.done += amount
            if self._total is None:
                self._progress(self._stage)
            else:
                self._progress(self._stage, self.done, self._total, unit=self._unit)


class ProgressBar(Closing):
    """A `Progress` that is a bar: on a terminal or, in a notebook, as a widget; else silent.

    A context manager. One stage is shown at a time, with an estimate of the time that it will
    take, and its bar goes away with it. Terminal bars go to stderr.

    Attributes
    ----------
    shown : bool
        Whether there is a place to show it.
    """

    def __init__(self) -> None:
        self._notebook = _in_notebook()
        self.shown = self._notebook or sys.stderr.isatty()
        self._bar: Any = None
        self._stage: str | None = None
        self._done: float | None = None
        self._total = 1.0
        self._unit = ""
        self._begun = 0.0
        self._lock = threading.RLock()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        if self.shown and not self._notebook:
            threading.Thread(target=self._redraw, name="tosg-progress", daemon=True).start()
        return self

    def __call__(
        self, stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = ""
    ) -> None:
        """Show a stage; see `Progress`."""
        if not self.shown:
            return
        with self._lock:
            if stage != self._stage:
                self._remove()
                self._stage, self._begun = stage, time.monotonic()
            self._done, self._total, self._unit = done, total, unit
            self._draw()

    def close(self) -> None:
        """Take the bar away."""
        with self._lock:
            self._closed.set()
            self._remove()

    def _draw(self) -> None:
        since = time.monotonic() - self._begun
        if self._stage is None or since < DELAY_SECONDS or self._closed.is_set():
            return
        counted = self._done is not None and self._total > 0
        layout = _UNKNOWN if not counted else _SHARE if self._total == 1 else _COUNT
        if self._bar is None:
            self._bar = self._make(layout, since)
        self._bar.bar_format = layout
        if counted:
            if self._bar.total != self._total:
                self._bar.reset(self._total)
            self._bar.update(min(self._done or 0, self._total) - self._bar.n)

    def _make(self, layout: str, since: float) -> Any:
        from tqdm.auto import tqdm

        # tqdm's own thread for slow bars is not needed, and would outlive the bar.
        tqdm.monitor_interval = 0
        bar = tqdm(
            desc=self._stage,
            total=self._total,
            unit=self._unit,
            unit_scale=self._unit == "B",
            bar_format=layout,
            leave=False,
            dynamic_ncols=True,
        )
        bar.start_t -= since
        return bar

    def _remove(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _redraw(self) -> None:
        while not self._closed.wait(REDRAW_SECONDS):
            with self._lock:
                self._draw()
                if self._bar is not None:
                    self._bar.refresh()


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    return "ipykernel.zmqshell" in sys.modules
