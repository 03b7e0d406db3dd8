"""First load of an empty managed database: merged claims to CSV to ``neo4j-admin``.

The old data folder stays as it is until the import has gone through; then the new one is swapped
in by one rename. So a load that is killed, or finds the disk full, has changed nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.errors import DatabaseError, ServerError
from tosg.kg import server
from tosg.kg.database import counts as stats
from tosg.kg.database import indexes as ddl
from tosg.kg.database.connection import Database, Target
from tosg.kg.schema.types import ENTITY, SCHEMA_VERSION
from tosg.kg.server.layout import SCRATCH
from tosg.kg.server.lifecycle import layout_of
from tosg.kg.write.counts import Changes, WriteCounts
from tosg.kg.write.digests import import_frame
from tosg.kg.write.import_files import SUPPORT_SPACE, ImportFiles
from tosg.kg.write.shared_ids import refuse_shared_ids
from tosg.kg.write.stored import encode_columns
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.merged import Merged
    from tosg.settings import Settings

#: Called with the name of the stage and the share of it that is done (None: unknown).

#: Frames of relationships that may wait for their file at once.
WAITING_FRAMES = 1


@dataclass
class Imported:
    """What an import did, and where its time went.

    Attributes
    ----------
    counts : WriteCounts
        Everything is made; nothing was there before.
    seconds : dict of str to float
        ``files`` (merging relationships and writing CSV, which overlap), ``import`` (neo4j-admin
        alone), ``indexes`` (counting and filling indexes), ``server`` (its stop and start).
    """

    counts: WriteCounts
    seconds: dict[str, float] = field(default_factory=dict)


def write_import(
    settings: Settings,
    merged: Merged,
    *,
    first_idx: int = 0,
    revision: int = 1,
    lease: Lease | None = None,
    progress: Progress = silent,
) -> Imported:
    """Replace the empty database of the managed server by the merged graph.

    Parameters
    ----------
    settings : Settings
        Of the managed server.
    merged : Merged
        What to write.
    first_idx : int
        ``idx`` of the first node: the old graph's ``next_idx``, since numbers are never reused.
    revision : int
        Revision of the new graph.
    lease : Lease, optional
        The right to write, which goes on in the new database.
    progress : Progress
        Called with the stage and how much of it is done.

    Raises
    ------
    DatabaseError
        The disk is full, the import failed or an index cannot be filled; the old database is as
        it was.
    SchemaError
        One id stands for nodes of two types.
    """
    layout = layout_of(settings)
    layout.prepare()
    with _scratch(layout.run) as folder:
        start = time.perf_counter()
        files, counts = write_files(
            folder, merged, first_idx=first_idx, revision=revision, lease=lease, progress=progress
        )
        written = time.perf_counter()
        progress("importing", None)
        indexes = 0.0

        def prepare(info: server.ServerInfo) -> None:
            nonlocal indexes
            begun = time.perf_counter()
            with Database(Target(info.uri, info.username, info.password)) as db:
                _check(db, counts)
                progress("making constraints and indexes", None)
                ddl.ensure_schema(db, progress=progress)
                if lease is not None:
                    lease.carry_on(db)
            indexes = time.perf_counter() - begun

        result = server.import_full(settings, files.arguments(), prepare)
    seconds = {
        "files": written - start,
        "import": result.import_seconds,
        "indexes": indexes,
        "server": result.seconds - result.import_seconds - indexes,
    }
    return Imported(counts, seconds)


def write_files(
    folder: Path,
    merged: Merged,
    *,
    first_idx: int = 0,
    revision: int = 1,
    lease: Lease | None = None,
    progress: Progress = silent,
) -> tuple[ImportFiles, WriteCounts]:
    """Write the merged graph as files for the import; see `write_import`."""
    files, counts = ImportFiles(folder), WriteCounts(revision=revision)
    refuse_shared_ids(merged)
    numbered = merged.number(first_idx)
    _write_nodes(files, merged, counts, progress)
    _write_relationships(files, merged, counts, progress)
    meta = {"next_idx": first_idx + numbered, "revision": revision}
    made = {name: changes.made for name, changes in counts.relationships.items()}
    _write_support(files, merged, made, meta | (lease.carried() if lease else {}))
    return files, counts


@contextmanager
def _scratch(run: Path) -> Iterator[Path]:
    """Make a folder on the disk of the database; what the disk refuses becomes our error.

    The next start of the server removes what a killed load left of it.
    """
    # The importer takes a comma in a name for the next file's.
    place = run if "," not in str(run) else None
    try:
        with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=place) as name:
            yield Path(name)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise DatabaseError(
            "the files for the import cannot be written; the database is as it was",
            where=run,
            found=error,
            hint="free space there, or set TOSG_HOME to a folder on a larger disk",
        ) from error


def _write_nodes(
    files: ImportFiles, merged: Merged, counts: WriteCounts, progress: Progress
) -> None:
    """Write the nodes of all types."""
    labels = merged.entity_types
    for n, label in enumerate(labels):
        progress("writing nodes", n, len(labels))
        frame = merged.entities(label)
        files.add_nodes(f"{ENTITY}:{label}", encode_columns(frame))
        counts.nodes[label] = Changes(made=frame.height)


def _write_relationships(
    files: ImportFiles, merged: Merged, counts: WriteCounts, progress: Progress
) -> None:
    """Write the relationships: the file of one part while the next one is merged."""
    names = merged.relationship_types
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1, "tosg-csv") as pool:
        for n, name in enumerate(names):
            progress("writing relationships", n, len(names))
            changes = counts.relationships[name] = Changes()
            for part in merged.relationship_parts(name):
                changes.made += part.rows.height
                waiting.append(pool.submit(_write_type, files, name, part.rows))
                while len(waiting) > WAITING_FRAMES:
                    waiting.pop(0).result()
        for task in waiting:
            task.result()


def _write_type(files: ImportFiles, name: str, frame: pl.DataFrame) -> None:
    ends = frame.drop("start", "end", "start_type", "end_type")
    files.add_relationships(name, encode_columns(ends))


def _write_support(
    files: ImportFiles, merged: Merged, made: dict[str, int], more: dict[str, Any]
) -> None:
    always = {"idx": 0, "key": "graph", "schema_version": SCHEMA_VERSION, "unsettled": True}
    files.add_nodes("TosgMeta", pl.DataFrame([always | more]), space=SUPPORT_SPACE)
    pending = merged.pending_nodes()
    if pending:
        frame = pl.DataFrame(pending)
        frame = frame.with_columns(pl.int_range(1, 1 + frame.height, dtype=pl.Int64).alias("idx"))
        files.add_nodes("TosgPending", frame, space=SUPPORT_SPACE)
    digests = merged.digests()
    if digests:
        frame = import_frame(digests, made)
        numbers = pl.int_range(1 + len(pending), 1 + len(pending) + frame.height, dtype=pl.Int64)
        files.add_nodes("TosgDigest", frame.with_columns(numbers.alias("idx")), space=SUPPORT_SPACE)


def _check(db: Database, counts: WriteCounts) -> None:
    """Compare what the import was given with what the database holds."""
    stored = stats.count(db)
    pairs = ((counts.nodes, stored.nodes), (counts.relationships, stored.relationships))
    wrong = [
        f"{stored_of.get(name, 0)} of {name}, given {change.made}"
        for given, stored_of in pairs
        for name, change in given.items()
        if change.made != stored_of.get(name, 0)
    ]
    if wrong:
        raise ServerError(
            "neo4j-admin did not store what it was given; the database is as it was",
            found="; ".join(wrong[:10]),
            hint="run the load again; if this stays so, load over Bolt (way='bolt') and report it",
        )
