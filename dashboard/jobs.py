"""Exports started from the page: one process each, with the command line that the page shows.

A process of its own outlives the visitor's session and a restart of the page; what it says stands
in a log beside the training set.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError
from tosg.export.selection import Selection
from tosg.settings import ENVIRONMENT

if TYPE_CHECKING:
    from tosg.settings import Settings

#: Options of tosg-export by field of a selection; a field without a name of its own is `--name`.
_OPTIONS = {"edge_types": "--edge-type", "params": "--param"}


@dataclass(frozen=True, slots=True)
class Job:
    """An export that was started.

    Attributes
    ----------
    out : Path
        Folder of the training set.
    log : Path
        What the command said.
    process : subprocess.Popen
    """

    out: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def code(self) -> int | None:
        """Exit code; None while it runs."""
        return self.process.poll()

    def read_log(self, characters: int = 4_000) -> str:
        """The end of what it said."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return text.replace("\r", "\n")[-characters:]


def folder_of(settings: Settings) -> Path:
    """Where the page writes training sets."""
    return settings.home / "training-sets"


def finished(settings: Settings) -> list[Path]:
    """The training sets that the page can show, newest first."""
    found = folder_of(settings).glob("*/manifest.json")
    return [p.parent for p in sorted(found, key=lambda p: -p.stat().st_mtime)]


def out_folder(settings: Settings, name: str) -> Path:
    """Folder of a new training set.

    Raises
    ------
    ConfigError
        The name is not one plain folder name, or is taken.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise ConfigError(
            "not a name for a training set",
            where="name",
            found=name,
            expected="letters, digits, dots, dashes and underscores",
        )
    out = folder_of(settings) / name
    if out.exists():
        raise ConfigError("a folder of this name is there already", where=out, hint="rename it")
    return out


def arguments(out: Path, selection: Selection) -> list[str]:
    """The command line of an export, as a list.

    Only what differs from the defaults is named, so that the line is short.
    """
    line = ["tosg-export", str(out)]
    for field in fields(Selection):
        value = getattr(selection, field.name)
        default = getattr(Selection(), field.name)
        if value == default:
            continue
        option = _OPTIONS.get(field.name, "--" + field.name.replace("_", "-"))
        line += _option(field.name, option, value)
    return line


def _option(name: str, option: str, value: Any) -> list[str]:
    if name == "cells" and value is False:
        return ["--no-cells"]
    if name == "primary_only":
        return ["--all-cells"]
    if name == "params":
        return [part for k, v in value.items() for part in (option, f"{k}={_text(v)}")]
    if name == "edge_types":
        return [part for v in value for part in (option, v)]
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return [option, str(value)]


def _text(value: Any) -> str:
    from tosg.json_text import json_text

    return value if isinstance(value, str) else json_text(value)


def shell_line(out: Path, selection: Selection) -> str:
    """The command line as it can be copied into a shell."""
    return shlex.join(arguments(out, selection))


def start(settings: Settings, out: Path, selection: Selection) -> Job:
    """Start an export.

    Parameters
    ----------
    settings : Settings
        Which graph; passed on in the environment, so that no password stands on a command line.
    out : Path
        As `out_folder` gives it.
    selection : Selection
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    log = out.with_suffix(".log")
    given = {
        variable: str(value)
        for name, variable in ENVIRONMENT.items()
        if (value := getattr(settings, name)) is not None
    }
    command = [sys.executable, "-m", "tosg", "export", *arguments(out, selection)[1:]]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **given},
            start_new_session=True,
        )
    return Job(out, log, process)
