"""Downloading the files of a source, with progress and checked hashes."""

from __future__ import annotations

import contextlib
import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tosg.errors import DataError
from tosg.files import hash_file
from tosg.progress import Progress, Tally, silent

if TYPE_CHECKING:
    from tosg.loaders.base import FileSpec, Loader

TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16


def fetch(
    loader: type[Loader], folder: Path, *, progress: Progress = silent
) -> list[tuple[FileSpec, Path | None, str]]:
    """Download the files of a source that are not there yet.

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
        Per file its place and "fetched", "there already" or, without a path, "to be got by hand".

    Raises
    ------
    DataError
        A file cannot be downloaded or has another hash than expected; what came before stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results: list[tuple[FileSpec, Path | None, str]] = []
    for spec in loader.files:
        if spec.url is None:
            results.append((spec, None, "to be got by hand"))
            continue
        path = folder / spec.filename
        if path.exists() and spec.sha256 in (None, hash_file(path)):
            results.append((spec, path, "there already"))
            continue
        _download(spec, spec.url, path, progress)
        results.append((spec, path, "fetched"))
    return results


def _download(spec: FileSpec, url: str, path: Path, progress: Progress) -> None:
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        downloader = functools.partial(_stream, progress, spec.filename)
        # Into a file of its own first: a wrong or broken download replaces nothing.
        part = f"{path.name}.part"
        (path.parent / part).unlink(missing_ok=True)
        got = pooch.retrieve(url, spec.sha256, fname=part, path=path.parent, downloader=downloader)
        Path(got).replace(path)
    except ValueError as error:  # pooch's way to say that the hash differs
        raise DataError(
            "the download has another hash than expected",
            where=url,
            found=str(error).splitlines()[0],
            expected=f"sha256 {spec.sha256}",
            hint=f"try again; if it stays, get the file by hand and put it at {path}",
        ) from error
    except OSError as error:  # network errors of requests, and a full disk
        raise DataError(
            f"a file cannot be downloaded: {spec.help}",
            where=url,
            found=str(error) or type(error).__name__,
            hint=f"get it by hand from that address and put it at {path}",
        ) from error
    finally:
        logger.setLevel(level)


def _stream(
    progress: Progress, name: str, url: str, output_file: str | Path | BinaryIO, _: object
) -> None:
    """Download for pooch: unlike its own way, the connection is closed whatever happens."""
    import requests

    with (
        requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response,
        contextlib.ExitStack() as stack,
    ):
        response.raise_for_status()
        size = response.headers.get("Content-Length", "")
        total = int(size) if size.isdecimal() else None
        tally = Tally(progress, f"downloading {name}", total, unit="B")
        out = (
            stack.enter_context(Path(output_file).open("wb"))
            if isinstance(output_file, str | Path)
            else output_file
        )
        for chunk in response.iter_content(CHUNK_BYTES):
            out.write(chunk)
            tally.add(len(chunk))
