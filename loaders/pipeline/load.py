"""One load: loaders to spool to merge to graph, then indexes, the count check and the report.

The first load of an empty managed database goes through ``neo4j-admin``; every other load goes
over Bolt and writes only what differs. Both give the same graph.
"""

from __future__ import annotations

import fnmatch
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DatabaseError, DataError, TosgError
from tosg.files import hash_file
from tosg.kg.cells.stored.staging import Stage
from tosg.kg.cells.stored.switch import recover
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.releases import release_key
from tosg.kg.database import counts as stats
from tosg.kg.database import indexes as ddl
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.database.excerpts import note_excerpts
from tosg.kg.database.lease import PATIENCE, AnotherWriterError, continue_lease, hold_lease
from tosg.kg.report import kept
from tosg.kg.report import load_report as reports
from tosg.kg.schema.indexes import definitions
from tosg.kg.schema.types import EXCERPT_OF
from tosg.kg.server.connect import connect
from tosg.kg.write.stored import UNSTATED
from tosg.loaders.pipeline import receipts
from tosg.loaders.pipeline.settle import settle
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.spool import Spool
    from tosg.kg.database.bookkeeping import Meta
    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease
    from tosg.kg.merge.merged import Merged
    from tosg.kg.report.load_report import LoadReport
    from tosg.loaders.base import Loader
    from tosg.settings import Settings

Way = Literal["auto", "import", "bolt"]

#: Claims from which an import pays, which stops and starts the server.
LEAST_IMPORTED = 100_000


@dataclass(frozen=True)
class SourceInput:
    """A loader and the files it found.

    Attributes
    ----------
    loader : Loader
    files : mapping
        As `Loader.locate` returns.
    """

    loader: Loader
    files: Mapping[str, Path]

    @classmethod
    def locate(cls, loader: Loader, paths: Sequence[Path]) -> SourceInput:
        """Find the loader's files; a missing one is a `DataError`."""
        return cls(loader, loader.locate(paths))


@dataclass
class Clock:
    """Seconds per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; the same name again adds up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Add to one stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


def load(
    settings: Settings,
    sources: Sequence[SourceInput],
    *,
    exclude_licenses: Sequence[str] = (),
    prune: Sequence[str] = (),
    settle: bool = True,
    way: Way = "auto",
    whole: bool = False,
    progress: Progress = silent,
) -> LoadReport:
    """Load sources into the graph.

    Parameters
    ----------
    settings : Settings
        Which graph.
    sources : sequence of SourceInput
        What to load; the graph does not depend on their order.
    exclude_licenses : sequence of str
        Patterns (``CC BY-NC*``, ``unstated``; case does not matter) of licences whose claims are
        left out. One that fits none is in the report's ``unmatched``.
    prune : sequence of str
        Sources whose earlier claims are withdrawn unless this load repeats them.
    settle : bool
        Whether texts and the mapping of cells follow at once; where not, they follow with the next
        load that does, or with `tosg.loaders.pipeline.settle.settle`.
    way : {"auto", "import", "bolt"}
        ``auto`` imports where the managed database is empty and `LEAST_IMPORTED` claims or more
        were read.
    whole : bool
        Whether to go over everything stored, as after a load that stopped half way.
    progress : Progress

    Returns
    -------
    LoadReport
        Whose sums were checked, and compared with the database.

    Raises
    ------
    DataError
        A file is wrong; nothing was written.
    SchemaError
        Sources give one id to things of two types; nothing was written.
    DatabaseError
        The database is not there, went away, or does not hold what was written.
    """
    from tosg.kg.claims.spool import Spool

    report = reports.LoadReport(reports.new_id())
    clock = Clock(report.seconds)
    with Spool() as spool:
        with clock.stage("read"):
            licenses = _read_sources(spool, sources, report, progress)
        excluded = matching(licenses, exclude_licenses)
        report.licenses = sorted(name or UNSTATED for name in licenses)
        report.unmatched = [p for p in exclude_licenses if not matching(licenses, [p])]
        work = _Work(settings, spool, excluded, prune, report, clock, progress, settle, whole)
        progress("opening the database", None)
        owner = _owner(sources, prune)
        with _writing(settings, owner) as (db, held):
            report.recovered = recover(Stage(db, held))
            report.before = stats.count(db)
            report.way = chosen(way, settings, db, _count_claims(spool))
            if report.way == "import":
                _load_by_import(work, read_meta(db), held)
                held.leave()
            else:
                _load_by_bolt(work, db, held)
                _finish(work, db, held)
    if report.way == "import":  # the server is another one, at another address
        with connect(settings) as db, continue_lease(db, held) as held:
            _finish(work, db, held)
    kept.write_file(settings, report)
    return report


@contextmanager
def _writing(settings: Settings, owner: str) -> Iterator[tuple[Database, Lease]]:
    """Hold the right to write for a ``with`` block.

    Whoever waits for it may lose the server to an import, and asks the one that comes after.
    """
    with ExitStack() as stack:
        for last in (False, False, True):
            try:
                db = stack.enter_context(connect(settings))
                held = stack.enter_context(hold_lease(db, owner, wait=PATIENCE))
                break
            except DatabaseError as error:
                stack.close()
                gone = error.retryable and not isinstance(error, AnotherWriterError)
                if last or not (settings.managed and gone):
                    raise
        yield db, held


@dataclass(frozen=True)
class _Work:
    """What the steps of one load share."""

    settings: Settings
    spool: Spool
    excluded: Sequence[str]
    prune: Sequence[str]
    report: LoadReport
    clock: Clock
    progress: Progress
    settle: bool
    whole: bool


def _owner(sources: Sequence[SourceInput], prune: Sequence[str]) -> str:
    names = dict.fromkeys([*(s.loader.source for s in sources), *prune])
    return f"tosg load {', '.join(names)}" if names else "tosg repair"


def _read_sources(
    spool: Spool, sources: Sequence[SourceInput], report: LoadReport, progress: Progress
) -> set[str]:
    """Fill the spool; returns the licences that claims were made under."""
    licenses: set[str] = set()
    with ThreadPoolExecutor(1, "tosg-hash") as pool:
        paths = {str(p): p for s in sources for p in s.files.values()}
        hashes = {name: pool.submit(hash_file, path) for name, path in paths.items()}
        for n, source in enumerate(sources):
            progress(f"reading {source.loader.source}", n, len(sources))
            log = SourceLog(source.loader.source)
            report.sources.append(log)
            for batch in source.loader.claims(source.files, log):
                spool.add(batch)
                licenses.update(batch.column("license").unique().to_pylist())
                _note_excerpt(report, source.loader.source, batch)
        report.hashes = {name: task.result() for name, task in hashes.items()}
    return licenses


def _note_excerpt(report: LoadReport, source: str, batch: pa.RecordBatch) -> None:
    """Note the types that a source claims in a release of which only an excerpt was read."""
    releases = batch.column("release").unique().to_pylist()
    if partial := [r for r in releases if r.startswith(EXCERPT_OF)]:
        types = batch.column("type").filter(
            pc.is_in(batch.column("release"), pa.array(partial, pa.string()))
        )
        report.excerpts.setdefault(source, set()).update(types.unique().to_pylist())


def matching(licenses: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Licences that a pattern names; ``*`` and ``?`` stand for anything, case does not matter.

    No licence is named as the graph shows it: ``unstated``.
    """
    folded = [p.casefold() for p in patterns]
    return sorted(
        name
        for name in licenses
        if any(fnmatch.fnmatchcase((name or UNSTATED).casefold(), p) for p in folded)
    )


def unmatched_line(reports: Sequence[LoadReport]) -> str | None:
    """Name the patterns of licences that left nothing out in any of some loads, if there are."""
    missed = set.intersection(*(set(r.unmatched) for r in reports)) if reports else set()
    if not missed:
        return None
    shown = ", ".join(repr(pattern) for pattern in sorted(missed))
    there = ", ".join(sorted({name for r in reports for name in r.licenses})) or "none"
    return f"no claim has a licence like {shown}; licences of what was read: {there}"


def _count_claims(spool: Spool) -> int:
    return sum(n for counts in spool.given().values() for n in counts.values())


def chosen(way: Way, settings: Settings, db: Database, claims: int | None = None) -> str:
    """Which way a load goes: ``import`` or ``bolt``; see `load`. `claims` where they are known."""
    free = settings.managed and stats.is_empty(db) and not _own_definitions(db)
    if way == "import" and not free:
        raise DataError(
            "only an empty managed database can be imported into",
            found="a graph" if settings.managed else settings.uri,
            hint="load without asking for the import",
        )
    if way == "auto" and claims is not None and claims < LEAST_IMPORTED:
        return "bolt"
    return "import" if way != "bolt" and free else "bolt"


def _own_definitions(db: Database) -> bool:
    """Whether a user made indexes or constraints here, which an import would drop."""
    ours = {d.name for d in definitions()}
    return any(
        f.name not in ours and f.kind != "LOOKUP" and not f.name.endswith("_embedding")
        for f in ddl.found(db)
    )


def _load_by_import(work: _Work, meta: Meta, held: Lease) -> None:
    from tosg.kg.merge.merged import merge
    from tosg.kg.write.bulk_import import write_import

    clock, progress = work.clock, work.progress
    progress("merging", None)
    with clock.stage("merge"):
        merged = merge(work.spool, None, exclude_licenses=work.excluded)
    done = write_import(
        work.settings,
        merged,
        first_idx=meta.next_idx,
        revision=meta.revision + 1,
        lease=held,
        progress=progress,
    )
    for stage, seconds in done.seconds.items():
        clock.add(stage, seconds)
    work.report.written = done.counts
    _take_over(work.report, merged)


def _load_by_bolt(work: _Work, db: Database, held: Lease) -> None:
    from tosg.kg.merge.merged import merge
    from tosg.kg.write.bolt import write_bolt
    from tosg.kg.write.ledger import only_in, open_ledger
    from tosg.kg.write.shared_ids import refuse_shared_ids

    clock, progress = work.clock, work.progress
    progress("making constraints and indexes", None)
    with clock.stage("indexes"):
        ddl.ensure_schema(db)
    progress("merging", None)
    with clock.stage("merge"):
        ledger = open_ledger(db, held, work.spool, whole=work.whole)
        merged = merge(work.spool, ledger, exclude_licenses=work.excluded, prune=work.prune)
        refuse_shared_ids(merged, db)
    _forget_builds(work, db)
    with clock.stage("write"):
        work.report.written = write_bolt(db, merged, held, progress=progress)
    work.report.left_alone = dict(sorted(ledger.left_alone.items()))
    _take_over(work.report, merged)
    for source, releases in merged.releases.outdated().items():
        gone = only_in(db, source, releases)
        if any(gone.values()):
            work.report.disappeared[source] = gone
    _note_undated(work, db, merged)
    with clock.stage("indexes"):
        ddl.wait_online(db)


def _note_undated(work: _Work, db: Database, merged: Merged) -> None:
    """Name files that state no release where claims of other files are stored."""
    for source, stored in merged.releases.beside_unstated().items():
        names = work.spool.unstated()[source]
        logs = (log for log in work.report.sources if log.source == source)
        files = [
            path.name
            for path in (path for log in logs for path in log.files)
            if path.name in names and not kept.was_loaded(db, work.report.hashes[str(path)])
        ]
        if files:
            releases = sorted(stored, key=release_key)
            work.report.undated[source] = reports.Undated(sorted(files), releases)


def _take_over(report: LoadReport, merged: Merged) -> None:
    """Note in the report what the merge says about the claims."""
    report.rejections = merged.rejections()
    for note in merged.notes():
        logs = (log for log in report.sources if log.source == note.source)
        files = (file for log in logs for file in log.files.values() if file.name == note.file)
        for file in itertools.islice(files, 1):
            file.note(note.kind, note.count, note.examples)
    report.identity = reports.identity_of(merged.joins, merged.ambiguous)
    report.pending = merged.pending.height
    report.claims = merged.counts()
    report.check_sums()


def _forget_builds(work: _Work, db: Database) -> None:
    """What a build remembers of these sources does not hold once they are loaded or withdrawn."""
    receipts.forget(db, {*work.prune, *(log.source for log in work.report.sources)})


def _finish(work: _Work, db: Database, held: Lease) -> None:
    """Count, let texts and cells follow, keep the report; all of it under the lease."""
    _check(work, db)
    loaded = {*work.prune, *(log.source for log in work.report.sources)}
    note_excerpts(held, db, work.report.excerpts, loaded)
    # An earlier load may have been stopped before it came here.
    if work.settle and read_meta(db).unsettled:
        settle(db, held, work.report, work.progress)
    kept.write_node(db, work.report)


def _check(work: _Work, db: Database) -> None:
    """Count the database and compare; a report that does not agree is kept as a file."""
    work.progress("checking the counts", None)
    with work.clock.stage("check"):
        work.report.after = stats.count(db)
        try:
            work.report.check_graph()
        except TosgError:
            kept.write_file(work.settings, work.report)
            raise
