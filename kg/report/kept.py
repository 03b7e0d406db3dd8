"""Where reports are kept: in the graph, and as a file below the home folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tosg.errors import DatabaseError, DataError, unknown
from tosg.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database
    from tosg.kg.report.load_report import LoadReport
    from tosg.settings import Settings

#: Reports that stay in the graph; files are never removed.
KEPT = 100


def write_file(settings: Settings, report: LoadReport) -> Path:
    """Keep the report as a file under ``settings.home/reports``, whole or not at all."""
    folder = settings.home / "reports"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{report.id}.json"
        write_text(path, json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
    except OSError as error:
        raise DatabaseError(
            "the load is done, but its report cannot be saved as a file",
            where=error.filename or folder,
            found=error.strerror or error,
            hint="`tosg report` shows it from the graph",
        ) from error
    return path


def write_node(db: Database, report: LoadReport) -> None:
    """Keep the report in the graph; the oldest beyond `KEPT` are removed."""
    db.write(
        "CYPHER 5 MERGE (r:TosgReport {id: $id}) "
        "SET r.json = $json, r.way = $way, r.revision = $revision, r.changed = $changed",
        id=report.id,
        json=json.dumps(report.as_dict(), ensure_ascii=False, separators=(",", ":")),
        way=report.way,
        revision=report.written.revision,
        changed=report.changed,
    )
    db.write(
        "CYPHER 5 MATCH (r:TosgReport) WITH r ORDER BY r.id DESC SKIP $kept DELETE r", kept=KEPT
    )


def report_ids(db: Database) -> list[str]:
    """Names of the loads whose reports the graph keeps, latest first."""
    return [
        str(r["id"])
        for r in db.rows("CYPHER 5 MATCH (r:TosgReport) RETURN r.id AS id ORDER BY id DESC")
    ]


def was_loaded(db: Database, sha256: str) -> bool:
    """Whether a report that the graph keeps names a file with this hash."""
    query = "CYPHER 5 MATCH (r:TosgReport) WHERE r.json CONTAINS $sha256 RETURN count(r) > 0 AS yes"
    return bool(db.rows(query, sha256=sha256)[0]["yes"])


def read_report(db: Database, id_: str | None = None) -> dict[str, Any]:
    """Read one report from the graph, by default the latest.

    Raises
    ------
    UsageError
        There is no such report.
    DataError
        It is damaged.
    """
    query = "CYPHER 5 MATCH (r:TosgReport) WHERE $id IS NULL OR r.id = $id "
    rows = db.rows(query + "RETURN r.json AS json ORDER BY r.id DESC LIMIT 1", id=id_)
    if not rows:
        raise unknown("report", id_ or "(the latest)", report_ids(db))
    try:
        document: dict[str, Any] = json.loads(str(rows[0]["json"]))
    except ValueError as error:
        raise DataError(
            "a report that the graph keeps is damaged",
            where=f"report {id_ or '(the latest)'}",
            found=error,
            hint="the file of it below `reports` in the home folder is another copy; the next "
            "load writes a new report",
        ) from error
    return document
