"""The server's process is known from the moment it has written its number."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import psutil

from tosg.kg.server import process
from tosg.kg.server.layout import ServerLayout

LAUNCHES = 40


def test_a_process_is_known_while_its_program_changes(tmp_path: Path) -> None:
    """The shell becomes the program, and in between has no command line.

    Without a second look, most of these launches are seen as ended.
    """
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nsleep 5\n")
    program.chmod(0o755)
    layout = ServerLayout(tmp_path / "home")
    layout.prepare()
    for _ in range(LAUNCHES):
        token = secrets.token_hex(16)
        process.launch(layout, token, [str(program)], {"PATH": os.environ["PATH"]})
        deadline = time.monotonic() + 20
        while not layout.pid.exists():
            assert time.monotonic() < deadline
        found = psutil.Process(int(layout.pid.read_text()))
        until = time.monotonic() + 0.03
        while time.monotonic() < until:
            assert process.has_token(found, token)
        assert not process.has_token(found, "0" * 32)
        process.end(found, token, 10)
        assert not process.has_token(found, token)


def test_a_process_that_ended_is_not_known(tmp_path: Path) -> None:
    layout = ServerLayout(tmp_path / "home")
    layout.prepare()
    token = secrets.token_hex(16)
    process.launch(layout, token, ["/bin/true"], {"PATH": os.environ["PATH"]})
    deadline = time.monotonic() + 20
    while not layout.pid.exists() or list(process.processes_with(token)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not list(process.processes_with(token))
