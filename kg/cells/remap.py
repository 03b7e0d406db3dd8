"""Detaches data sets, and maps them again to a graph that has new identifiers."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.html_text import facts_html
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.stored import staging, switch
from tosg.kg.cells.stored.dataset import datasets, read_expression, read_totals
from tosg.kg.cells.stored.regroup import Labels, is_current, regroup
from tosg.kg.cells.stored.regroup_writer import MOST, GroupWriter, write_report
from tosg.kg.cells.values.normalise import Normaliser
from tosg.kg.cells.values.pseudobulk import GroupEdges, GroupSums
from tosg.kg.cells.var.entity_names import read_names
from tosg.kg.cells.var.matching import match_variables
from tosg.kg.cells.var.variables import variable_of
from tosg.kg.database.lease import Lease, hold_lease

if TYPE_CHECKING:
    from tosg.kg.cells.stored.dataset import DatasetInfo
    from tosg.kg.cells.stored.regroup import Group
    from tosg.kg.database.connection import Database


@dataclass(frozen=True)
class RemapReport:
    """What mapping a data set again changed.

    Attributes
    ----------
    dataset, status : str
        ``remapped`` or ``unchanged``.
    mapped : int
        Variables that stand for an entity now.
    gained, lost, moved : dict
        Variable -> entity, for those that had none, that have none now, and that have another.
    expresses : int
        EXPRESSES relationships that were made.
    links : int
        Groups whose cell type, tissue or disease got another name or link.
    """

    dataset: str
    status: str
    mapped: int
    gained: dict[str, str]
    lost: dict[str, str]
    moved: dict[str, str]
    expresses: int = 0
    links: int = 0

    def _repr_html_(self) -> str:
        return facts_html(
            f"{self.dataset}: {self.status}",
            [
                ("variables mapped", self.mapped),
                ("gained", len(self.gained)),
                ("lost", len(self.lost)),
                ("moved", len(self.moved)),
                ("EXPRESSES made", self.expresses),
                ("links of groups made", self.links),
            ],
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything, as plain JSON content."""
        return asdict(self)


def detach(db: Database, dataset: str) -> int:
    """Remove a data set with its cells and groups, and give the number of cells.

    Raises
    ------
    UsageError
        It is not attached; names the nearest ones.
    """
    with hold_lease(db, f"tosg cells detach {dataset}", wait=staging.WAIT) as lease:
        stage = staging.Stage(db, lease)
        switch.recover(stage)
        info = datasets(db, [dataset])[0]
        switch.remove(stage, dataset)
    return info.n_cells


def remap(db: Database, dataset: str, *, lease: Lease | None = None) -> RemapReport:
    """Map a data set's variables, groups and labels again, to the graph as it is now.

    Expression itself is not touched: its indices are positions in the data set's variables.

    Parameters
    ----------
    db : Database
    dataset : str
        Its id.
    lease : Lease, optional
        The right to write, where the caller holds it.

    Raises
    ------
    UsageError
        The data set is not attached; names the nearest ones.
    DataError
        The linked file that new means would be read from is missing or has changed.
    """
    holding = (
        hold_lease(db, f"tosg cells remap {dataset}", wait=staging.WAIT)
        if lease is None
        else nullcontext(lease)
    )
    with holding as held:
        stage = staging.Stage(db, held)
        switch.recover(stage)
        return _remap(stage, datasets(db, [dataset])[0])


def _remap(stage: staging.Stage, info: DatasetInfo) -> RemapReport:
    db = stage.db
    row = db.rows(
        "CYPHER 5 MATCH (d:Dataset {id: $id}) "
        "RETURN d.variable_names AS names, d.min_fraction AS min_fraction, d.report AS report",
        id=info.id,
    )[0]
    variables = [variable_of(v) for v in row["names"]]
    found = match_variables(variables, read_names(db, variables))
    old, new = info.variable_entities, found.entities
    pairs = list(zip(info.variables, old, new, strict=True))
    gained = {v: b for v, a, b in pairs if a is None and b is not None}
    lost = {v: a for v, a, b in pairs if a is not None and b is None}
    moved = {v: b for v, a, b in pairs if a is not None and b is not None and a != b}
    changed = np.array([a != b for _, a, b in pairs], bool)
    labels = Labels(db)
    before = AttachReport.of(json.loads(row["report"]))
    report = replace(
        before,
        variables=before.variables | found.as_dict(),
        fields=labels.fields(before.fields),
    )
    if not changed.any() and is_current(db, info.id, labels):
        if report != before:
            write_report(stage, info.id, report)
        return RemapReport(info.id, "unchanged", found.n_mapped, gained, lost, moved)
    groups, gone = regroup(db, info.id, labels)
    mapped = np.array([e is not None for e in new], bool)
    sums = _sums(db, info, groups, mapped, changed)

    entities = np.array(new, object)

    def edges(position: int, of: npt.NDArray[np.bool_]) -> GroupEdges:
        chosen = entities.copy()
        chosen[~of] = None
        return sums.edges(position, groups[position].id, chosen, row["min_fraction"])

    writer = GroupWriter(stage, info.id)
    for group in groups:
        writer.move(group)
    made = 0
    for position, group in enumerate(groups):
        if group.changed:
            rebuilt = edges(position, mapped) if group.rebuilt else None
            writer.update(group, rebuilt, donors="donor_id" in report.fields)
            made += len(rebuilt.ids) if rebuilt else 0
    kept = [str(new[i]) for i in np.flatnonzero(mapped & ~changed).tolist()]
    others = [i for i, group in enumerate(groups) if not group.rebuilt and changed.any()]
    size = max(1, MOST // max(1, 2 * int(changed.sum())))
    for start in range(0, len(others), size):
        part = [edges(i, mapped & changed) for i in others[start : start + size]]
        writer.express(part, kept)
        made += sum(len(e.ids) for e in part)
    for name in gone:
        writer.remove(name)
    writer.finish([e or "" for e in new], report)
    linked = sum(group.changed for group in groups)
    return RemapReport(info.id, "remapped", found.n_mapped, gained, lost, moved, made, linked)


def _sums(
    db: Database,
    info: DatasetInfo,
    groups: list[Group],
    mapped: npt.NDArray[np.bool_],
    changed: npt.NDArray[np.bool_],
) -> GroupSums:
    """Sums per group of the variables that it needs EXPRESSES of; z-scores have none.

    Only what a group needs is read: a rebuilt one needs all variables, the others those whose
    entity changed.
    """
    sums = GroupSums(len(groups), len(info.variables))
    if info.unit == "scaled":
        return sums
    needed = mapped & changed
    reading = [i for i, group in enumerate(groups) if group.rebuilt or needed.any()]
    chosen = mapped if any(group.rebuilt for group in groups) else needed
    cells = [np.array([n for p in groups[i].parts for n in p.idx], np.int64) for i in reading]
    idx = np.concatenate([np.empty(0, np.int64), *cells])
    codes = np.repeat(np.array(reading, np.int64), [len(c) for c in cells])
    order = np.argsort(idx)
    idx, codes = idx[order], codes[order]
    normaliser = Normaliser(info.unit, info.modalities)
    sizes = read_totals(db, info, idx) if info.library_size else None
    start = 0
    for block in read_expression(db, info, idx):
        stop = start + len(block)
        totals = None if sizes is None else sizes[start:stop]
        mapped_only = normaliser.normalise(block, totals).keep(chosen[block.indices])
        sums.add(codes[start:stop], mapped_only)
        start = stop
    return sums
