"""Cells that are attached already under another id: they would count twice.

A split could put a cell into training and its copy into the test. Meta-cells of a file may stand
beside its cells, since an export knows that they share the file and keeps their donors together.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tosg.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database


def refuse_same_files(
    db: Database, dataset: str, sha256s: Sequence[str], *, metacells: bool
) -> None:
    """Refuse files that another data set was made of, in the same way.

    All files have to be the same: folders of 10x share their features.

    Raises
    ------
    DataError
        Another data set has the same files, and both or neither are meta-cells.
    """
    rows = db.rows(
        "CYPHER 5 MATCH (d:Dataset) WHERE d.id <> $id AND size(d.sha256s) = $n "
        "AND all(h IN d.sha256s WHERE h IN $sha256s) RETURN d.id AS id, d.report AS report",
        id=dataset,
        n=len(sha256s),
        sha256s=list(sha256s),
    )
    for row in rows:
        report = json.loads(row["report"])
        if metacells == (report["measured_cells"] != report["cells"]):
            raise _same(dataset, row["id"], "the same files")


def note_same_cells(db: Database, dataset: str, fingerprint: str, n_cells: int) -> list[str]:
    """Say which data sets have cells of the same names with the same values.

    They are not refused: a small difference in the file may be meant.
    """
    query = (
        "CYPHER 5 MATCH (d:Dataset) WHERE d.id <> $id AND d.fingerprint = $fingerprint "
        "RETURN d.id AS id ORDER BY id"
    )
    others = [row["id"] for row in db.rows(query, id=dataset, fingerprint=fingerprint)]
    if not others:
        return []
    note = (
        f"{n_cells:,} cells of the same names and values are attached as "
        f"{', '.join(others)}: a split may put a cell into training and its copy into the test; "
        f"`tosg cells detach {others[0]}` takes one of them away"
    )
    return [note]


def _same(dataset: str, other: str, what: str) -> DataError:
    return DataError(
        "these cells are attached already, as another data set",
        where=f"dataset {dataset}",
        found=f"{what}, attached as {other}",
        expected="every cell once",
        hint=f"--id {other} --replace attaches them again with other options; "
        f"`tosg cells detach {other}` takes them away first",
    )
