"""One export on its way: its folder, its bookmark, and what may go wrong with both."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import ExportError, TosgError
from tosg.export.format.manifest import MANIFEST, read_manifest
from tosg.export.selection import compare_selections
from tosg.export.write.workspace import DiskFullError, disk_errors
from tosg.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tosg.export.selection import Selection
    from tosg.export.write.engines import Engine
    from tosg.export.write.growth import OldSet
    from tosg.export.write.plan import ExportPlan, Receipt, Task
    from tosg.export.write.workspace import Workspace
    from tosg.kg.database.connection import Database
    from tosg.progress import Progress


class GraphMovedError(ExportError):
    """The graph changed under the export."""


class ResumeError(ExportError):
    """An export cannot be resumed; what there is stays."""


@dataclass
class ExportJob:
    """One attempt at one training set."""

    db: Database
    selection: Selection
    space: Workspace
    engine: Engine
    timeout: float | None
    progress: Progress
    bookmark: str
    started: float = field(default_factory=time.time)
    old: OldSet | None = None

    def was_ready(self) -> bool:
        """Whether the earlier export was killed with only the renaming left to do."""
        if not (self.space.folder / MANIFEST).is_file():
            return False
        manifest = read_manifest(self.space.folder)
        same = manifest.content["selection"] == self.selection.as_dict()
        return same and bool(manifest.run["bookmark"] == self.bookmark)

    def check_plan(self, *, resume: bool) -> bool:
        """Write down what is asked of which graph, or check it against what was.

        Returns
        -------
        bool
            Whether there was an earlier export to go on with.
        """
        from tosg.version import VERSION

        asked = {"bookmark": self.bookmark, "tosg": VERSION}
        if self.old is not None:
            asked["grows"] = self.old.manifest.digest
        selection = self.selection.as_dict()
        was = self.space.receipt("plan") if resume else None
        if was is None:
            self.space.clear()
            self.space.sign("plan", {**asked, "selection": selection})
            return False
        hint = f"ask for the same, or remove {self.space.folder} and export again"
        differs = compare_selections(selection, was["selection"])
        if differs:
            raise ResumeError(
                "the export to resume asked for something else",
                where=self.space.folder,
                found="; ".join(f"{k}: {json_text(now)}" for k, (now, _) in differs.items()),
                expected="; ".join(f"{k}: {json_text(then)}" for k, (_, then) in differs.items()),
                hint=hint,
            )
        for key, what in (
            ("bookmark", "the graph has changed"),
            ("tosg", "tosg has changed"),
            ("grows", "the training set that grows is another one"),
        ):
            if was.get(key) != asked.get(key):
                raise ResumeError(
                    f"{what} since the export to resume began",
                    where=self.space.folder,
                    found=f"{key} {asked.get(key)}",
                    expected=f"{key} {was.get(key)}",
                    hint=f"remove {self.space.folder} and export again",
                )
        return True

    def sign(self, name: str, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a piece of work that has no receipt yet, and sign it."""
        receipt = self.space.receipt(name)
        if receipt is None:
            with disk_errors(self.space.folder):
                receipt = write()
                self.space.sign(name, receipt)
        return receipt

    def run(self, plan: ExportPlan, task: Task, stage: str, count: int) -> dict[int, Receipt]:
        """Run the tasks of a plan on the job's engine."""
        from tosg.kg.cells.files.opening import keep_open

        receipts: dict[int, Receipt] = {}
        self.progress(stage, 0, count)
        with keep_open():
            for k, receipt in self.engine.run(plan, task, count):
                receipts[k] = receipt
                self.progress(stage, len(receipts), count)
        return receipts

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Call a failure to read by its cause, where the graph has changed meanwhile.

        A data set that is taken away while it is read shows as cells that are missing; the next
        attempt does not see it.
        """
        try:
            yield
        except (GraphMovedError, DiskFullError):
            raise
        except TosgError as error:
            try:
                now = self.db.bookmark()
            except TosgError:  # the database is gone, and that is what `error` says
                now = self.bookmark
            if now == self.bookmark:
                raise
            raise self._moved(now, f"; reading failed with: {error.what}") from error

    def check_unmoved(self) -> None:
        """Refuse a graph that has changed since the job began."""
        now = self.db.bookmark()
        if now != self.bookmark:
            raise self._moved(now)

    def _moved(self, now: str, more: str = "") -> GraphMovedError:
        return GraphMovedError(
            "the graph changed under the export",
            found=f"bookmark {now}{more}",
            expected=f"bookmark {self.bookmark}",
            hint="export again when nobody writes",
        )
