"""Run neo4j-admin, which is a class in the server's own jars."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tosg.files import write_text
from tosg.kg.server.config import ADMIN_JVM_OPTIONS, class_path, java
from tosg.kg.server.process import TOKEN_OPTION, end, processes_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tosg.kg.server.layout import ServerLayout

ADMIN_CLASS = "org.neo4j.cli.AdminTool"

#: taken over into the server's processes; nothing else is, so that a user's JAVA_TOOL_OPTIONS,
#: NEO4J_* or CLASSPATH cannot change what runs
PASSED_ON = ("PATH", "HOME", "TMPDIR", "TZ")


def environment(**more: str) -> dict[str, str]:
    """Return the environment for the server's processes.

    Java reads paths by the locale, which in containers is often none: then it is UTF-8.
    """
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    if "utf8" not in locale.lower().replace("-", ""):
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    return {**kept, "LC_ALL": locale, **more}


@contextmanager
def argument_file(layout: ServerLayout, name: str, lines: Sequence[str]) -> Iterator[Path]:
    """Write a private argument file for the time of the block."""
    path = layout.run / f"{name}-{os.getpid()}.args"
    write_text(path, "\n".join(lines) + "\n", private=True)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def run_admin(
    layout: ServerLayout,
    jars: Sequence[Path],
    arguments: Sequence[str],
    *,
    conf: Path,
    heap: int,
    output: Path,
    java_options: Sequence[str] = (),
) -> int:
    """Run neo4j-admin and return its exit status.

    Parameters
    ----------
    layout : ServerLayout
        Where the server's things are.
    jars : sequence of Path
        The server's jars.
    arguments : sequence of str
        As after ``neo4j-admin``. They stand in a private file, not on the command line.
    conf : Path
        Folder with the neo4j.conf to obey.
    heap : int
        Bytes of Java heap at most.
    output : Path
        File that gets what it prints.
    java_options : sequence of str
        More options for Java.
    """
    memory = f"-Xmx{heap}"
    options = [*ADMIN_JVM_OPTIONS, memory, *java_options, *class_path(jars), ADMIN_CLASS]
    env = environment(NEO4J_HOME=str(layout.root), NEO4J_CONF=str(conf))
    token = secrets.token_hex(16)
    write_text(layout.admin, token, private=True)
    with (
        argument_file(layout, "admin-java", options) as java_file,
        argument_file(layout, "admin", [_picocli(a) for a in arguments]) as file,
        output.open("wb") as printed,
    ):
        code = subprocess.run(
            [str(java()), TOKEN_OPTION + token, f"@{java_file}", f"@{file}"],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=layout.run,
            check=False,
        ).returncode
    layout.admin.unlink(missing_ok=True)
    return code


def end_leftover(layout: ServerLayout) -> None:
    """End a neo4j-admin whose client was killed; called with the server's lock held."""
    try:
        token = layout.admin.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    for found in processes_with(token):
        end(found, token, patience=0.0)
    layout.admin.unlink(missing_ok=True)


def _picocli(argument: str) -> str:
    """Quote one argument for the argument files of neo4j-admin."""
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'
