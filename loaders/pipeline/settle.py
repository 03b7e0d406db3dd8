"""What follows from a graph that has changed: texts, and the mapping of cells to its entities.

A load marks the graph as unsettled in the transaction that ends it, and the mark goes when both
have followed: a load that is killed in between is made up for by the next one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.kg.database.bookkeeping import mark_settled
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.report.load_report import LoadReport


def settle(
    db: Database,
    lease: Lease,
    report: LoadReport | None = None,
    progress: Progress = silent,
) -> int:
    """Compose the texts that changed and map the attached cells again.

    A data set that cannot be mapped (the file that it is linked to is gone) stays as it is and is
    named in the report: it must not keep a graph from being loaded.

    Parameters
    ----------
    db : Database
        The graph.
    lease : Lease
        The right to write.
    report : LoadReport, optional
        Is told ``texts``, ``remapped``, ``not_remapped`` and the seconds.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    int
        Texts that were composed.
    """
    from tosg.kg.cells.remap import remap
    from tosg.kg.cells.stored.dataset import datasets
    from tosg.kg.cells.stored.staging import Stage
    from tosg.kg.cells.stored.switch import recover
    from tosg.kg.text.refresh import refresh

    started = time.perf_counter()
    progress("composing texts", None)
    texts = refresh(db, lease=lease, progress=progress)
    composed = time.perf_counter()
    remapped: dict[str, int] = {}
    not_remapped: dict[str, str] = {}
    recover(Stage(db, lease))  # before the list: it may bring a data set or take one away
    for dataset in datasets(db):
        progress(f"mapping the genes of {dataset.id}", None)
        try:
            result = remap(db, dataset.id, lease=lease)
        except DataError as error:
            not_remapped[dataset.id] = str(error).splitlines()[0]
            continue
        if result.status == "remapped":
            remapped[dataset.id] = result.mapped
    with lease.transaction() as tx:
        mark_settled(tx)
    if report is not None:
        report.texts, report.remapped, report.not_remapped = texts, remapped, not_remapped
        report.seconds["texts"] = composed - started
        report.seconds["cells"] = time.perf_counter() - composed
    return texts
