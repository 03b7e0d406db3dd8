"""The blocks of code of the documentation, and what it takes to run them.

A block that cannot be run says so on its page, in the line before it: ``*Not run by the tests: it
needs Docker.*`` A line of the shell that downloads gigabytes says so in its comment: ``# fetches``.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from support.tree import ROOT
from tosg.cli import tosg
from tosg.cli.export import export
from tosg.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click
    import pytest

    from tosg.kg.database.connection import Database

DOCS = ROOT / "docs"

COMMANDS: dict[str, click.Command] = {"tosg": tosg, "tosg-export": export}

#: What is shown, and not code: what a command prints, the layout of a folder, a pattern.
SHOWN = "text"

#: Line before a block that is not run.
NOT_RUN = re.compile(r"^\*Not run by the tests: (.+)\.\*\n\n\Z", re.MULTILINE)

#: Comment of a line of the shell that is not run.
FETCHES = re.compile(r"#\s+(fetches .+)$")

#: Line of the shell -> the file that runs it in a place of its own, and words of that file.
ELSEWHERE = {
    "make demo": ("tests/test_demo.py", '["demo", "--seeds"'),
    "make test": (".ci/run", "make test"),
    "make setup": (".ci/run", "make setup"),
    "make check": (".ci/run", "make check"),
    "make test-pythons": ("Makefile", "tests/other_pythons.py"),
    "make test-long": ("Makefile", '"slow or deep"'),
    "pip install": ("tests/release_check.py", "make_environment("),
    ".venv/bin/python -m pytest": ("Makefile", "-m pytest"),
    "python docs/scripts/write_commands.py": ("tests/test_command_line.py", "write_commands.py"),
    "python docs/scripts/draw_map.py": ("tests/test_rooms.py", "draw_map"),
    "tosg demo": ("tests/test_demo.py", '["demo", "--seeds"'),
    "tosg build open-human": ("tests/test_recipe.py", 'read_recipe("open-human")'),
    "tosg fetch": ("tests/loaders/test_fetch.py", "fetch"),
    "tosg dashboard": ("tests/support/browser.py", '"dashboard", "--no-browser"'),
    "tosg mcp": ("tests/interop/test_mcp.py", '"mcp"'),
    "tosg up": ("tests/test_server.py", "ensure_server"),
    "tosg status": ("tests/test_server.py", "status"),
}

#: Where the session's server stands for the one that a page names.
OF_THE_SESSION = ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD", "TOSG_GRAPH")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    page : Path
    line : int
        Of its first line.
    language : str
    text : str
    before : str
        What the page says since the block before it.
    """

    page: Path
    line: int
    language: str
    text: str
    before: str

    @property
    def not_run(self) -> str | None:
        """Why it is not run, as the page says."""
        found = NOT_RUN.search(self.before)
        return None if found is None else found[1]

    def lines(self) -> list[str]:
        """Lines of a shell, those that end in a backslash joined, without comments alone."""
        joined = self.text.replace("\\\n", " ").splitlines()
        return [line for line in joined if line.strip() and not line.startswith("#")]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found, end = [], 0
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text[: match.start()].count("\n") + 2
        found.append(Block(page, line, match[1], match[2], text[end : match.start()]))
        end = match.end()
    return found


def run_elsewhere(line: str) -> tuple[str, str] | None:
    """Which file runs a line of the shell, and by which words."""
    for start, place in ELSEWHERE.items():
        if line == start or line.startswith((f"{start} ", f"{start}\t")):
            return place
    return None


def run_line(line: str, place: str, env: pytest.MonkeyPatch) -> None:
    """Run a line of the shell in this process."""
    if FETCHES.search(line) or run_elsewhere(line) is not None:
        return
    words = shlex.split(os.path.expandvars(line), comments=True)
    setting = words[0] == "export"
    while words and (setting or "=" in words[0]):
        name, _, value = words.pop(0).partition("=")
        if value and name not in OF_THE_SESSION:
            env.setenv(name, value)
    if not words:
        return
    run_command(words, place)


def run_command(words: list[str], place: str) -> None:
    """Run a command of tosg; it succeeds, and has an answer."""
    assert words[0] in COMMANDS, f"{place}: who runs {words}?"
    done = CliRunner().invoke(COMMANDS[words[0]], [_on_this_machine(word) for word in words[1:]])
    assert done.exit_code == 0, f"{place}: {words}\n{done.output}\n{done.exception!r}"
    assert "no rows" not in done.output, f"{place}: {words}\n{done.output}"


def run_block(
    block: Block,
    database: Database,
    env: pytest.MonkeyPatch,
    names: dict[str, Any],
    params: Mapping[str, Any],
) -> None:
    """Run a block in the current folder.

    YAML becomes the file that the text before it names, or is read; Cypher has an answer on the
    graph; a table of settings is read as settings; Python goes on with `names`.
    """
    place, text = str(block), block.text
    if block.language == "sh":
        for line in block.lines():
            run_line(line, place, env)
    elif block.language == "yaml":
        named = re.findall(r"`([\w.]+\.yaml)`", block.before)
        assert named, f"{place}: which file is it?"
        Path(named[-1]).write_text(text, encoding="utf-8")
    elif block.language == "python":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of other libraries, at import
            exec(compile(_on_this_machine(text), place, "exec"), names)  # noqa: S102
    elif block.language == "cypher":
        for statement in filter(str.strip, text.split(";")):
            used = {name: params[name] for name in re.findall(r"\$(\w+)", statement)}
            assert database.rows(statement, **used), f"{place}: no rows"
    elif block.language == "toml":
        _read_toml(text)
    elif block.language == "json":
        for server in json.loads(text)["mcpServers"].values():
            run_command([server["command"], *server["args"], "--list"], place)
    else:
        raise AssertionError(f"{place}: who runs {block.language!r}?")


def _on_this_machine(text: str) -> str:
    """The same on the session's server, and on the CPU where there is no GPU."""
    text = text.replace("bolt://localhost:7687", os.environ["NEO4J_URI"])
    text = text.replace('"secret"', repr(os.environ["NEO4J_PASSWORD"]))
    if "cuda" in text and "is_available" not in text and not _has_gpu():
        text = text.replace('"cuda"', '"cpu"')
        text = "cpu" if text == "cuda" else text
    return text


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _read_toml(text: str) -> None:
    """Settings are read as such; a part of pyproject.toml names what a package offers."""
    document = tomllib.loads(text)
    if "project" in document:
        assert document["project"]["entry-points"]["tosg.sources"]
        return
    folder = Path("settings")
    folder.mkdir()
    (folder / "tosg.toml").write_text(text, encoding="utf-8")
    assert load_settings(environ={}, folder=folder).uri == document["uri"]
