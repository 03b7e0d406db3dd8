"""Downloading the files of sources: what is planned, in parallel, kept by source and release.

The cache has ``SOURCE/RELEASE/NAME``. A release is what the files say, else the day on which the
server says that they changed, else the day on which they were fetched.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from tosg.errors import DataError
from tosg.files import hash_file, write_text
from tosg.kg.claims.releases import release_key
from tosg.loaders.pipeline.download import TIMEOUT_SECONDS, Downloaded, download_file
from tosg.progress import Progress, Tally, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tosg.loaders.base import FileSpec, Loader

#: Files that are downloaded at once.
PARALLEL = 4

#: Name of the file in each folder of the cache that says where its files are from.
RECORD = ".fetched.json"

_INCOMING = ".incoming"
_NON_COMMERCIAL = re.compile(r"(?i)\bNC\b|-NC-|non-?commercial|LicenseRef-(CTD|TTD)|academic")


@dataclass(frozen=True)
class PlannedFile:
    """One file that a build or a fetch needs.

    Attributes
    ----------
    source : str
    key, name, help : str
        Of its `FileSpec`.
    url : str or None
        None where the file has to be downloaded by hand.
    license : str
    bytes : int or None
        As the server says; None where it does not, or was not asked.
    path : Path or None
        Where it is in the cache; None where it has to be fetched.
    newer : bool
        Whether the address has another file than the cache.
    """

    source: str
    key: str
    name: str
    help: str
    url: str | None
    license: str
    bytes: int | None = None
    path: Path | None = None
    newer: bool = False


def cache_folder() -> Path:
    """Where fetched files are kept: ``sources`` in the user's cache folder."""
    return Path(platformdirs.user_cache_dir("tosg", appauthor=False)) / "sources"


def is_non_commercial(license_: str) -> bool:
    """Whether a licence forbids commercial use, as its name says.

    >>> is_non_commercial("CC BY-NC-SA 4.0"), is_non_commercial("CC BY-SA 4.0")
    (True, False)
    """
    return bool(_NON_COMMERCIAL.search(license_))


def plan_fetch(
    loaders: Sequence[type[Loader]], cache: Path, *, ask: bool = True
) -> list[PlannedFile]:
    """What the sources need, what of it is in the cache, and how large the rest is.

    Parameters
    ----------
    loaders : sequence of type
        Classes of the sources' loaders.
    cache : Path
        See `cache_folder`.
    ask : bool
        Whether the servers are asked for sizes and for newer files.
    """
    planned = [
        _planned(loader, spec, cached(loader, cache)) for loader in loaders for spec in loader.files
    ]
    if not ask:
        return planned
    with ThreadPoolExecutor(PARALLEL, "tosg-ask") as pool:
        return list(pool.map(_asked, planned))


def fetch_planned(
    planned: Iterable[PlannedFile],
    loaders: Sequence[type[Loader]],
    cache: Path,
    *,
    newer: bool = False,
    progress: Progress = silent,
) -> dict[str, dict[str, Path]]:
    """Download what is not in the cache; optional files that are not available are left out.

    Returns
    -------
    dict
        Source -> key of the file -> its path.

    Raises
    ------
    DataError
        A required file cannot be downloaded; whole files and parts of others stay in the cache.
    """
    by_name = {loader.name: loader for loader in loaders}
    planned = list(planned)
    wanted = [f for f in planned if f.url and (f.path is None or (newer and f.newer))]
    # A file that several sources read (a table of gene symbols) is fetched once.
    urls = {f.url: f for f in reversed(wanted)}
    tally = Tally(progress, "downloading", None)
    with ThreadPoolExecutor(PARALLEL, "tosg-fetch") as pool:
        tasks = {url: pool.submit(_fetch_one, f, cache, tally) for url, f in urls.items()}
        got = {url: task.exception() or task.result() for url, task in tasks.items()}
    found: dict[str, dict[str, Path]] = {}
    said: dict[Path, Downloaded] = {}
    for file in planned:
        spec = next(s for s in by_name[file.source].files if s.key == file.key)
        place = file.path
        answer = got.get(file.url or "")
        if isinstance(answer, BaseException):
            if spec.required or not isinstance(answer, DataError):
                raise answer
        elif answer is not None:
            place = _own(answer[0], cache / file.source / _INCOMING / file.name)
            said[place] = answer[1]
        if place is not None:
            found.setdefault(file.source, {})[file.key] = place
    return {
        source: _settled(by_name[source], files, said, cache) for source, files in found.items()
    }


def fetch(
    loader: type[Loader], folder: Path, *, progress: Progress = silent
) -> list[tuple[FileSpec, Path | None, str]]:
    """Download the files of a source that are not there yet into a folder.

    Parameters
    ----------
    loader : type
        Class of the source's loader.
    folder : Path
        Where the files go; made when missing.
    progress : Progress
        Called with each file and how many of its bytes have come.

    Returns
    -------
    list of (FileSpec, Path or None, str)
        Per file its place and "fetched", "there already" or, without a path, "to be downloaded by
        hand".

    Raises
    ------
    DataError
        A file cannot be downloaded or has another hash than expected; what came before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results: list[tuple[FileSpec, Path | None, str]] = []
    for spec in loader.files:
        path = folder / spec.filename
        if spec.url is None:
            results.append((spec, None, "to be downloaded by hand"))
        elif path.exists() and spec.sha256 in (None, hash_file(path)):
            results.append((spec, path, "there already"))
        else:
            download_file(spec.url, path, sha256=spec.sha256, progress=progress)
            results.append((spec, path, "fetched"))
    return results


def cached(loader: type[Loader], cache: Path) -> dict[str, Path]:
    """Files of the newest release of a source in the cache, by key."""
    folder = cache / loader.name
    releases = sorted(
        (p for p in folder.glob("*") if p.is_dir() and p.name != _INCOMING),
        key=lambda p: release_key(p.name),
        reverse=True,
    )
    for release in releases:
        files = {s.key: release / s.filename for s in loader.files}
        there = {key: path for key, path in files.items() if path.exists()}
        if all(s.key in there for s in loader.files if s.required and s.url):
            return there
    return {}


def _planned(loader: type[Loader], spec: FileSpec, there: Mapping[str, Path]) -> PlannedFile:
    return PlannedFile(
        loader.name,
        spec.key,
        spec.filename,
        spec.help,
        spec.url,
        spec.license or loader.license,
        path=there.get(spec.key),
    )


def _asked(file: PlannedFile) -> PlannedFile:
    """The same file with what the server says about it; silence is no error here."""
    import requests

    if file.url is None:
        return file
    try:
        response = requests.head(file.url, allow_redirects=True, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
    except OSError:
        return file
    said = response.headers
    size = said.get("Content-Length", "")
    newer = False
    if file.path is not None:
        known = _record_of(file.path).get(file.path.name, {})
        marks = (("etag", said.get("ETag", "")), ("modified", said.get("Last-Modified", "")))
        newer = any(known.get(mark) and now and known[mark] != now for mark, now in marks)
    told = {**asdict(file), "bytes": int(size) if size.isdecimal() else None, "newer": newer}
    return PlannedFile(**told)


def _fetch_one(file: PlannedFile, cache: Path, tally: Tally) -> tuple[Path, Downloaded]:
    folder = cache / file.source / _INCOMING
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    came = [0.0]

    def told(_: str, done: float | None = None, _of: float = 1.0, /, *, unit: str = "") -> None:
        if done is not None and unit:
            tally.add(done - came[0])
            came[0] = done

    return path, download_file(file.url or "", path, progress=told)


def _own(came: Path, place: Path) -> Path:
    """The place of a source's own copy of a file that was fetched once for several."""
    if came != place:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(came, place)
        except OSError:  # a file system without hard links
            shutil.copyfile(came, place)
    return place


def _settled(
    loader: type[Loader],
    files: Mapping[str, Path],
    said: Mapping[Path, Downloaded],
    cache: Path,
) -> dict[str, Path]:
    """Move what came into the folder of its release, beside what was there of it."""
    incoming = cache / loader.name / _INCOMING
    fresh = {key: path for key, path in files.items() if path.parent == incoming}
    if not fresh:
        return dict(files)
    release = _release(loader, files, [said[p] for p in fresh.values() if p in said])
    folder = cache / loader.name / release
    folder.mkdir(parents=True, exist_ok=True)
    record = _record_of(folder / "any")
    placed = dict(files)
    for key, path in fresh.items():
        record[path.name] = asdict(said[path]) if path in said else {}
        placed[key] = path.replace(folder / path.name)
    write_text(folder / RECORD, json.dumps(record, indent=1, sort_keys=True))
    return placed


def _release(loader: type[Loader], files: Mapping[str, Path], said: Sequence[Downloaded]) -> str:
    stated = next((d.release for d in said if d.release), "") or loader().release(files)
    if not stated:
        days = [email.utils.parsedate(d.modified) for d in said if d.modified]
        found = [datetime.date(*day[:3]).isoformat() for day in days if day]
        stated = max(found, default=datetime.datetime.now(datetime.UTC).date().isoformat())
    return re.sub(r"[^\w.+-]+", "_", stated).strip(".") or "unknown"


def _record_of(path: Path) -> dict[str, dict[str, str]]:
    try:
        record: dict[str, dict[str, str]] = json.loads(
            (path.parent / RECORD).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return record
