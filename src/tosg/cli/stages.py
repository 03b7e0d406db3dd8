"""Progress of long commands on stderr: a bar in a terminal, a line per stage elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tosg.cli.options import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[str, float | None], None]

#: Seconds that a command may take without saying anything where there is no terminal.
PATIENCE = 2.0


@contextmanager
def stages(*, at_once: bool = False) -> Iterator[Progress]:
    """Give a function that is told the stage and the share of it that is done (None: unknown).

    Where there is no terminal, it says nothing in the first seconds, except `at_once`.
    """
    if sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _lines(0.0 if at_once else PATIENCE)


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(stage: str, share: float | None) -> None:
            total = None if share is None else 1.0
            bar.update(task, description=stage, total=total, completed=share or 0.0)

        yield tell


def _lines(patience: float) -> Progress:
    begun = time.monotonic()
    shown = ""

    def tell(stage: str, _share: float | None) -> None:
        nonlocal shown
        if stage != shown and time.monotonic() - begun >= patience:
            shown = stage
            note(f"{stage} ...")

    return tell
