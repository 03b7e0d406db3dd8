"""Progress: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import contextlib
import fcntl
import inspect
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from typing import TYPE_CHECKING, Any

import click
import pytest

from tosg.cli import tosg
from tosg.progress import ProgressBar, Tally

if TYPE_CHECKING:
    from tosg.kg.server import ServerInfo

WORK = """
import fcntl, struct, sys, termios, time
from tosg import progress
if sys.stderr.isatty():
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
progress.DELAY_SECONDS = progress.REDRAW_SECONDS = 0.05
with progress.ProgressBar() as bar:
    bar("starting")
    time.sleep(0.3)
    for n in range(20):
        bar("writing nodes", n, 20)
        time.sleep(0.02)
    tally = progress.Tally(bar, "downloading", 2e6, unit="B")
    for n in range(20):
        tally.add(1e5)
        time.sleep(0.02)
print("result")
"""


def test_terminal_shows_a_bar_per_stage_and_leaves_none() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WORK], stdout=subprocess.PIPE, stderr=theirs, check=True
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so where macOS gives nothing
            break
        if not part:
            break
        shown += part
    os.close(ours)
    lines = [line.strip() for line in shown.decode().replace("\n", "\r").split("\r")]
    assert done.stdout == b"result\n"
    assert "starting ... 00:00" in lines
    assert any(line.startswith("writing nodes:") and "/20 00:00<00:0" in line for line in lines)
    assert any(line.startswith("downloading:") and "MB 00:00<" in line for line in lines)
    assert lines[-1] == ""  # the last bar was wiped


def on_a_terminal(*arguments: str, environ: dict[str, str]) -> tuple[bytes, str]:
    """Run a command of tosg; its result, and what it says on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    done = subprocess.run(
        [sys.executable, "-m", "tosg", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, **environ},
        check=True,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so where macOS gives nothing
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    return done.stdout, shown.decode()


@pytest.mark.neo4j
def test_a_question_that_takes_long_shows_a_clock(server: ServerInfo) -> None:
    environ = {"NEO4J_URI": server.uri, "NEO4J_PASSWORD": server.password}
    shown, rows = "", 4_000_000
    while "asking ... 00:0" not in shown and rows < 1e9:  # how many are slow depends on the machine
        slow = f"UNWIND range(1, {rows}) AS i RETURN sum(sqrt(i)) > 0 AS ok"
        result, shown = on_a_terminal("query", slow, "--json", environ=environ)
        assert b"true" in result
        rows *= 4
    assert "asking ... 00:0" in shown


#: Commands that take longer than a second on a graph of real size.
LONG = (
    "build", "cells attach", "check", "demo", "embed", "export", "fetch", "load", "query",
    "repair", "search", "stats",
)  # fmt: skip


@pytest.mark.parametrize("words", LONG)
def test_what_takes_long_has_a_bar(words: str) -> None:
    command: Any = tosg
    for word in words.split():
        command = command.get_command(click.Context(command), word)
    used = inspect.getsource(inspect.getmodule(inspect.unwrap(command.callback)))  # type: ignore[arg-type]
    body = used[used.index(f"def {inspect.unwrap(command.callback).__name__}(") :]
    assert "with ProgressBar() as " in body[: body.find("\n\n\ndef ")]


def test_nothing_is_shown_where_stderr_is_piped() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"result\n", b"")


def test_closed_bar_draws_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        pass
    bar("late", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_tally_adds_up_from_many_threads() -> None:
    said: list[tuple[str, float | None, float, str]] = []

    def progress(
        stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = ""
    ) -> None:
        said.append((stage, done, total, unit))

    tally = Tally(progress, "reading", 4000, unit="B")

    def work() -> None:
        for _ in range(1000):
            tally.add(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [("reading", n, 4000, "B") for n in range(1, 4001)]
    Tally(progress, "reading", None).add(5)
    assert said[-1] == ("reading", None, 1.0, "")
