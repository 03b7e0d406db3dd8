"""Python environments: of development, of a release that is tried out, of another Python.

``python -m support.environments PLACE WHAT...`` makes one; that is how ``make`` does it, so nothing
but the standard library is imported here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.commands import run, say

#: uv reads no settings of pip, so those that say where packages come from are handed over.
#: Name of pip's setting -> variable of uv.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
}


def make_environment(place: Path, *packages: object, of: object = sys.executable) -> Path:
    """Make an environment, install packages into it, and return its Python.

    uv installs: it downloads in parallel and links files instead of copying them, so an environment
    with PyTorch takes one minute instead of six. Where uv is not available or fails (for example
    because only pip has the password of an index), pip installs. Nothing is compiled to bytecode,
    since little of it is imported.

    Parameters
    ----------
    place : Path
        Its folder; brought up to date where it is there.
    *packages : str or Path
        What to install, and options of the installer.
    of : str or Path
        The Python that it is made of.
    """
    python = place / "bin" / "python"
    if not _has_pip(python):
        run(of, "-m", "venv", place)
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    if uv := _find_uv(place):
        words = [uv, "pip", "install", "--quiet", "--python", python, *packages]
        done = subprocess.run(
            [*map(str, words)], env=_uv_settings(pip), capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            run(uv, "pip", "check", "--quiet", "--python", python)
            return python
        say(f"uv could not install, so pip does; uv said:\n{done.stderr.strip()}")
    # Older versions do not know groups of dependencies.
    run(*pip, "install", "--quiet", "--no-compile", "--upgrade", "pip>=25.1")
    run(*pip, "install", "--quiet", "--no-compile", *packages)
    run(*pip, "check")
    return python


def _has_pip(python: Path) -> bool:
    """Whether an environment is there and whole."""
    asked = [str(python), "-m", "pip", "--version"]
    return (
        python.exists() and not subprocess.run(asked, capture_output=True, check=False).returncode
    )


def _find_uv(place: Path) -> str | Path | None:
    """uv on the path, beside the Python that runs this, or put into the environment; or None."""
    if found := shutil.which("uv"):
        return found
    beside, inside = Path(sys.executable).parent / "uv", place / "bin" / "uv"
    if beside.exists():
        return beside
    words = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "uv>=0.8"]
    if not inside.exists() and subprocess.run([*map(str, words)], check=False).returncode:
        return None
    return inside


def _uv_settings(pip: tuple[object, ...]) -> dict[str, str]:
    """The variables under which uv installs from where pip would."""
    settings = {}
    for line in run(*pip, "config", "list").splitlines():
        name, _, value = line.partition("=")
        if variable := SETTINGS.get(name.rpartition(".")[2]):
            settings[variable] = value.strip("'\"")
    # The user's own settings of uv take precedence.
    return {**settings, **os.environ, "UV_NO_PROGRESS": "1"}


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]), *sys.argv[2:])
