"""One file over HTTP: resumed after a break, and checked before it is put in its place.

Bytes go to ``.NAME.part`` beside the file, with what the server said about them in
``.NAME.part.json``: a later attempt, also of another process, asks for the rest only, and only if
the file at the address is still the same (``If-Range``).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.files import hash_file, sync_folder
from tosg.loaders.formats.opening import read_through
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    import requests

#: Seconds without an answer or a byte after which an attempt is given up.
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 14  # what came of a chunk when the line breaks is lost
#: Attempts in a row that bring no new byte before the download fails.
ATTEMPTS = 4
#: Seconds before the second attempt; doubled for each further one.
PAUSE_SECONDS = 0.5

_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Downloaded:
    """What the server said about a file that came whole.

    Attributes
    ----------
    url : str
        Asked for; redirects are followed.
    bytes : int
    etag, modified : str
        Of the response; "" where it has none.
    release : str
        UniProt's release header; "" elsewhere.
    """

    url: str
    bytes: int
    etag: str
    modified: str
    release: str


def download_file(
    url: str, path: Path, *, sha256: str | None = None, name: str = "", progress: Progress = silent
) -> Downloaded:
    """Download a file to its place.

    Parameters
    ----------
    url : str
    path : Path
        Where it goes; what is there stays until the new file is whole and checked.
    sha256 : str, optional
        What it must have.
    name : str
        For progress; by default the file's.
    progress : Progress
        Called with the bytes that have come.

    Raises
    ------
    DataError
        It cannot be downloaded, is shorter than the server says, is cut off inside, is a web page,
        or has another hash. What came of an interrupted file stays for the next attempt.
    """
    part = path.with_name(f".{path.name}.part")
    stage = f"downloading {name or path.name}"
    failed, pause, wrong = 0, PAUSE_SECONDS, ""
    while failed < ATTEMPTS:
        before = part.stat().st_size if part.exists() else 0
        done, wrong = _attempt(url, part, stage, progress)
        if done is not None:
            _check(part, path, url, sha256)
            _record(part).unlink(missing_ok=True)
            part.replace(path)
            sync_folder(path.parent)
            return done
        failed = 0 if part.exists() and part.stat().st_size > before else failed + 1
        if failed and failed < ATTEMPTS:
            time.sleep(pause)
            pause *= 2
    raise _failure(url, path, wrong)


def _attempt(url: str, part: Path, stage: str, progress: Progress) -> tuple[Downloaded | None, str]:
    """Ask once for the file or its rest; the result, or why there is none."""
    import requests

    kept = _kept(part, url)
    start = part.stat().st_size if kept else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": kept["etag"] or kept["modified"]}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code == 416 or not _continues(response, start):
                _forget(part)
                return None, "the server does not answer ranges as it should"
            if response.status_code in _AGAIN:
                return None, f"{response.status_code} {response.reason}"
            response.raise_for_status()
            start = start if response.status_code == 206 else 0
            total = _total(response, start)
            said = _said(url, response)
            _record(part).write_text(json.dumps(asdict(said)), encoding="utf-8")
            came = start + _receive(response, part, start, total, stage, progress)
    except requests.HTTPError as error:
        raise _failure(url, part, str(error)) from error
    except (requests.exceptions.InvalidURL, requests.TooManyRedirects) as error:
        raise _failure(url, part, str(error)) from error
    except OSError as error:  # all of requests' network errors, and a full disk
        if error.errno == 28:
            raise _failure(url, part, str(error)) from error
        return None, str(error) or type(error).__name__
    if total is not None and came < total:
        return None, f"{came:,} of the {total:,} bytes that the server promises"
    return Downloaded(url, came, said.etag, said.modified, said.release), ""


def _receive(
    response: requests.Response,
    part: Path,
    start: int,
    total: int | None,
    stage: str,
    progress: Progress,
) -> int:
    came = 0
    with part.open("ab" if start else "wb") as out:
        for chunk in response.iter_content(CHUNK_BYTES):
            out.write(chunk)
            came += len(chunk)
            if total is None:
                progress(stage)
            else:
                progress(stage, start + came, total, unit="B")
    return came


def _continues(response: requests.Response, start: int) -> bool:
    """Whether a partial answer begins where it was asked to."""
    if response.status_code != 206:
        return True
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _total(response: requests.Response, start: int) -> int | None:
    if response.status_code == 206:
        whole = response.headers.get("Content-Range", "").rpartition("/")[2]
        return int(whole) if whole.isdecimal() else None
    size = response.headers.get("Content-Length", "")
    return start + int(size) if size.isdecimal() else None


def _said(url: str, response: requests.Response) -> Downloaded:
    found = response.headers
    etag = found.get("ETag", "")
    return Downloaded(
        url,
        0,
        "" if etag.startswith("W/") else etag,  # a weak one does not name the bytes
        found.get("Last-Modified", ""),
        found.get("X-UniProt-Release", ""),
    )


def _record(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _kept(part: Path, url: str) -> dict[str, Any]:
    """What is known about the part of the file that is there; empty where it is of no use."""
    try:
        said: dict[str, Any] = json.loads(_record(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = {}
    usable = part.exists() and said.get("url") == url and (said.get("etag") or said.get("modified"))
    if not usable:
        _forget(part)
    return said if usable else {}


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _record(part).unlink(missing_ok=True)


def _check(part: Path, path: Path, url: str, sha256: str | None) -> None:
    """Look into the file: a page, an empty or a cut-off one is refused, and so is another hash."""
    try:
        read_through(part)
    except DataError as error:
        _forget(part)
        raise DataError(
            error.what,
            where=url,
            found=error.found,
            hint=f"open the address in a browser, and put the file at {path}",
        ) from error
    if sha256 is not None and (found := hash_file(part)) != sha256:
        _forget(part)
        raise DataError(
            "the download has another hash than expected",
            where=url,
            found=f"sha256 {found}",
            expected=f"sha256 {sha256}",
            hint=f"try again; if this stays so, download the file by hand and put it at {path}",
        )


def _failure(url: str, path: Path, wrong: str) -> DataError:
    shown = path.with_name(path.name.removeprefix(".").removesuffix(".part"))
    return DataError(
        f"the file cannot be downloaded: {shown.name}",
        where=url,
        found=wrong,
        hint="try again (what came is kept), or download it by hand from there and put it at "
        f"{shown}",
    )
