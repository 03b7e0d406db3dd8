"""What follows when a worker of an export dies: how often it may, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.export.write.workspace import remove_temporary_files

if TYPE_CHECKING:
    from tosg.export.write.plan import ExportPlan

#: How often workers may die without a task being finished in between.
MOST_DEATHS = 3


def forget_dead(plan: ExportPlan) -> None:
    """Remove the temporary files that workers left which died."""
    for one in (plan, *plan.others):
        remove_temporary_files(one.folder)
