"""Make a graph whole again, whatever state it was left in.

What is damaged is mended first, so that indexes can be filled and the claims read. Then a load
without claims goes over the whole graph: it ends a load that stopped half way, makes what follows
from the claims, and lets texts and cells follow.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import DatabaseError
from tosg.html_text import facts_html
from tosg.kg import server
from tosg.kg.database import counts as stats
from tosg.kg.database.bookkeeping import merge_meta, write_nothing
from tosg.kg.database.lease import PATIENCE, hold_lease
from tosg.kg.report.check import check
from tosg.kg.server.connect import connect
from tosg.kg.write.mend import mend
from tosg.loaders.pipeline.load import load
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.report.findings import Finding
    from tosg.kg.report.load_report import LoadReport
    from tosg.settings import Settings


@dataclass(frozen=True)
class RepairReport:
    """What a repair did.

    Attributes
    ----------
    mended : dict of str to int
        What was mended, in words, with its number.
    load : LoadReport
        Of the load that went over the whole graph.
    left : list of Finding
        What `tosg check` still finds: data of other programs, and what only a load of their
        sources can bring back.
    set_aside : Path or None
        Where the data of the managed server went that it could not open.
    """

    mended: dict[str, int]
    load: LoadReport
    left: list[Finding] = field(default_factory=list)
    set_aside: Path | None = None

    @property
    def changed(self) -> bool:
        """Whether anything in the graph is other than before."""
        return bool(self.mended) or self.load.changed or self.set_aside is not None

    def _repr_html_(self) -> str:
        return facts_html(
            "The graph was changed" if self.changed else "Nothing had to be repaired",
            self.mended.items(),
            [f"left: {f.count:,} {f.what} ({f.example})" for f in self.left],
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "mended": self.mended,
            "load": self.load.as_dict(),
            "left": [finding.as_dict() for finding in self.left],
            "set_aside": None if self.set_aside is None else str(self.set_aside),
        }


def repair(
    settings: Settings, *, start_over: bool = False, progress: Progress = silent
) -> RepairReport:
    """Make a graph whole again.

    Parameters
    ----------
    settings : Settings
        Which graph.
    start_over : bool
        Where the managed server cannot open its data, set them aside and begin an empty graph.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    RepairReport
        What was done, and what is left.

    Raises
    ------
    DatabaseError
        The server cannot be reached, or cannot open its data; another writer is at work.
    """
    progress("opening the database", None)
    set_aside = _restart(settings, start_over=start_over)
    with connect(settings) as db:
        merge_meta(db)
        with hold_lease(db, "tosg repair", wait=PATIENCE) as lease:
            progress("mending", None)
            mended = mend(db, lease, sorted(stats.count(db).knowledge))
    report = load(settings, [], way="bolt", whole=True, progress=progress)
    with connect(settings) as db:
        progress("checking", None)
        return RepairReport(mended, report, check(db), set_aside)


def _restart(settings: Settings, *, start_over: bool) -> Path | None:
    """Start the managed server again where it runs and its database does not answer."""
    if not settings.managed:
        return None
    try:
        with connect(settings) as db:
            write_nothing(db)
        return None
    except DatabaseError:
        with suppress(DatabaseError):
            server.stop(settings)
            with connect(settings) as db:
                write_nothing(db)
            return None
        if not start_over:
            raise
    return server.set_data_aside(settings)
