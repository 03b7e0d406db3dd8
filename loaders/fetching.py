"""Downloading the files of a source, with progress and checked hashes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tosg.kg.errors import DataError
from tosg.loaders.base import FileSpec, Loader, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_SECONDS = 30


class Bar(Protocol):
    """What pooch wants of a progress bar: counts of bytes."""

    total: int | None

    def update(self, amount: int) -> None:
        """Say that more bytes came."""

    def reset(self) -> None:
        """Start again from nothing."""

    def close(self) -> None:
        """Finish."""


def fetch(
    loader: type[Loader], folder: Path, bar: Callable[[FileSpec], Bar | None]
) -> list[tuple[FileSpec, Path | None, str]]:
    """Download the files of a source that are not there yet.

    Parameters
    ----------
    loader : type
        Class of the source's loader.
    folder : Path
        Where the files go; made when missing.
    bar : callable
        Gives a progress bar for a file, or None.

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
        if path.exists() and spec.sha256 in (None, sha256_of(path)):
            results.append((spec, path, "there already"))
            continue
        _download(spec, spec.url, path, bar(spec))
        results.append((spec, path, "fetched"))
    return results


def _download(spec: FileSpec, url: str, path: Path, bar: Bar | None) -> None:
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        downloader = pooch.HTTPDownloader(progressbar=bar or False, timeout=TIMEOUT_SECONDS)
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
