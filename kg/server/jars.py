"""Install the server's jars: download through jgo, check against the lock, keep a receipt.

The jars are shared by all homes of a user and live in the cache folder. A folder of jars
appears under its final name only when every jar in it has matched the lock, so a killed or
failed installation leaves nothing that a later start would take for a server.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.errors import ServerError
from tosg.files import hash_file
from tosg.kg.server.locking import held
from tosg.progress import ProgressBar, Tally

if TYPE_CHECKING:
    from jgo.maven import MavenContext

    from tosg.kg.server.versions import Jar, Release

RECEIPT = "receipt.json"
DOWNLOAD_ATTEMPTS = 3
DOWNLOADS_AT_ONCE = 8
HTTP_TIMEOUT = 60

#: called with the bytes that just arrived
Advance = Callable[[float], None]


def jar_folder(cache: Path, release: Release) -> Path:
    """Return where the jars of a release belong."""
    return cache / f"neo4j-{release.version}"


def installed(folder: Path, release: Release, *, content: bool = False) -> bool:
    """Whether the folder holds the jars of the release.

    By its receipt and the files' sizes; with `content` also by their sums, a quarter of a second.
    """
    try:
        receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if receipt.get("lock") != release.fingerprint():
        return False
    try:
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
    except OSError:
        return False
    same = all(sizes.get(jar.filename) == jar.size for jar in release.jars())
    return same and (not content or all(_as_locked(folder, jar) for jar in release.jars()))


def _as_locked(folder: Path, jar: Jar) -> bool:
    try:
        return hash_file(folder / jar.filename) == jar.sha256
    except OSError:
        return False


def install(cache: Path, release: Release) -> list[Path]:
    """Return the jars of a release in class path order, downloading what is missing or damaged.

    Each is compared with the lock: this is called before something is started from them.

    Parameters
    ----------
    cache : Path
        The cache folder; jars go to ``neo4j-<version>`` inside it.
    release : Release
        Which Neo4j.

    Raises
    ------
    ServerError
        No network, no space, a folder that cannot be written, or a jar whose content is not
        what the lock says; nothing is installed then.
    """
    folder = jar_folder(cache, release)
    if not installed(folder, release, content=True):
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with held(cache / f"neo4j-{release.version}.lock", "the download of Neo4j"):
                if not installed(folder, release, content=True):
                    _install(cache, folder, release)
        except OSError as error:
            raise ServerError(
                "the server's jars cannot be stored",
                where=error.filename or cache,
                found=error.strerror or error,
                hint="free space there, or set TOSG_CACHE to a folder with 300 MB to spare",
            ) from error
    return paths(folder, release)


def paths(folder: Path, release: Release) -> list[Path]:
    """Return where the jars of a release lie, in class path order."""
    return [folder / jar.filename for jar in release.jars()]


def _install(cache: Path, folder: Path, release: Release) -> None:
    partial = cache / f"neo4j-{release.version}.partial"
    ready = partial / "jars"
    ready.mkdir(parents=True, exist_ok=True)
    jars = release.jars()
    for jar in jars:  # one damaged jar is no reason to download the others
        if _as_locked(folder, jar):
            shutil.copy2(folder / jar.filename, ready / jar.filename)
    with _show_download(release, sum(jar.size for jar in jars)) as advance:
        _download_all(jars, partial / "repository", ready, advance)
    receipt = {"lock": release.fingerprint(), "version": release.version, "jars": len(jars)}
    (ready / RECEIPT).write_text(json.dumps(receipt), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    ready.rename(folder)
    shutil.rmtree(partial)


def _download_all(jars: tuple[Jar, ...], repository: Path, ready: Path, advance: Advance) -> None:
    logging.getLogger("jgo").setLevel(logging.ERROR)  # our own check is the stricter one
    context = maven(repository, advance)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE, "tosg-jars") as pool:
        tasks = [pool.submit(_obtain, jar, context, ready, advance) for jar in jars]
        try:
            done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        except BaseException:  # Ctrl-C: those under way end, the others are not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        failed = [task for task in done if task.exception() is not None]
        if failed:
            pool.shutdown(wait=True, cancel_futures=True)
            failed[0].result()


def maven(repository: Path, advance: Advance | None = None) -> MavenContext:
    """Make jgo's view of Maven with its own local repository.

    Parameters
    ----------
    repository : Path
        Where jgo keeps what it downloads; not the user's ``~/.m2``, whose files other tools
        may be writing.
    advance : callable, optional
        Called with the number of bytes that arrived.
    """
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def one_file(_name: str, _size: int) -> Iterator[Advance]:
        yield advance or (lambda _n: None)

    return MavenContext(
        resolver=PythonResolver(progress_callback=one_file),
        repo_cache=repository,
        timeout=HTTP_TIMEOUT,
    )


def _obtain(jar: Jar, context: MavenContext, ready: Path, advance: Advance) -> None:
    target = ready / jar.filename
    if _as_locked(ready, jar):  # left by an earlier, killed try
        advance(jar.size)
        return
    path = download_jar(context, jar.coordinate)
    found = hash_file(path)
    if found != jar.sha256:
        path.unlink()
        raise ServerError(
            "a downloaded jar of the server is not the one that tosg was tested with",
            where=jar.coordinate,
            found=f"sha256 {found}",
            expected=f"sha256 {jar.sha256}",
            hint="nothing was installed; try again, and if this stays so, find out who changes "
            "files between you and the Maven repository",
        )
    path.replace(target)


def download_jar(context: MavenContext, coordinate: str) -> Path:
    """Have jgo download one artifact, trying again when the network fails.

    Raises
    ------
    ServerError
        It cannot be downloaded.
    """
    from requests import RequestException

    group, name, version, *classifier = coordinate.split(":")
    component = context.project(group, name).at_version(version)
    artifact = component.artifact(classifier[0] if classifier else "", "jar")
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)  # half a file, from a killed try
        try:
            return Path(artifact.resolve())
        except (RequestException, RuntimeError) as error:
            # requests' errors are OSErrors too, but a full disk is not a network problem
            if attempt == DOWNLOAD_ATTEMPTS:
                raise _unreachable(coordinate, error) from error
    raise AssertionError("unreachable")


def _unreachable(coordinate: str, error: Exception) -> ServerError:
    return ServerError(
        "a jar of the managed server cannot be downloaded",
        where=coordinate,
        found=str(error)[:400],
        expected="access to Maven Central, at the first start only",
        hint="connect to the network (HTTPS_PROXY is honoured) and try again; or copy the "
        "cache folder from another machine and set TOSG_CACHE; or set NEO4J_URI to a "
        "Neo4j that already runs",
        retryable=True,
    )


@contextmanager
def _show_download(release: Release, total: int) -> Iterator[Advance]:
    """Show a bar on a terminal, and one line where stderr is not one."""
    title = f"downloading Neo4j {release.version} Community"
    if not sys.stderr.isatty():
        print(f"{title} ({total / 1e6:.0f} MB), once", file=sys.stderr)  # noqa: T201
    with ProgressBar() as bar:
        yield Tally(bar, title, total, unit="B").add


def without_implied(jars: Sequence[Path]) -> list[Path]:
    """Leave out the jars that another jar's manifest puts on the class path by itself.

    An archive made with such a jar named twice does not fit the class path it was made from.
    """
    names = {jar.name for jar in jars}
    implied: set[str] = set()
    for jar in jars:
        with zipfile.ZipFile(jar) as file:
            try:
                manifest = file.read("META-INF/MANIFEST.MF").decode("utf-8", errors="replace")
            except KeyError:
                continue
        unfolded = manifest.replace("\r\n", "\n").replace("\n ", "")
        for line in unfolded.split("\n"):
            if line.startswith("Class-Path:"):
                implied.update(set(line.removeprefix("Class-Path:").split()) & names)
    return [jar for jar in jars if jar.name not in implied]
