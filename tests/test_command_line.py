"""The commands: what they import, how they exit, what they say."""

from __future__ import annotations

import os
import pickle
import pty
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from support.disk import files_up_to
from support.tree import ROOT

from tosg import cli, errors
from tosg.cli import COMMANDS
from tosg.cli.report_view import console, table
from tosg.kg.server.connect import check_version

if TYPE_CHECKING:
    from tosg.kg.server import ServerInfo

HEAVY = ("torch", "neo4j", "polars", "pyarrow", "pandas", "anndata", "bioregistry", "numpy")


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tosg", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tosg.cli import tosg; "
        "tosg.main(['--help'], standalone_mode=False); "
        f"print(sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage:")


def every_command() -> dict[str, click.Command]:
    """Commands that do something, by the words that call them."""
    script = runpy.run_path(str(ROOT / "docs" / "scripts" / "write_commands.py"))
    return dict(script["commands"](cli.tosg, "tosg"))


def test_the_page_of_commands_is_their_help() -> None:
    """Help is this golden file: every command has its heading, options and examples in it."""
    script = runpy.run_path(str(ROOT / "docs" / "scripts" / "write_commands.py"))
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == script["write"](), "python docs/scripts/write_commands.py writes it again"
    headings = set(re.findall(r"^## `(.+)`$", page, re.MULTILINE))
    assert headings == {*every_command(), "tosg-export"}


@pytest.mark.parametrize("words", every_command())
def test_every_help_has_two_examples_and_every_result_a_json_form(words: str) -> None:
    command = every_command()[words]
    shown = [line for line in (command.epilog or "").splitlines() if line.startswith("  tosg")]
    assert len(shown) >= 2
    called = ("tosg-export" if words == "tosg export" else words).split()
    assert all(line.split()[: len(called)] == called for line in shown)
    if not isinstance(command, click.Group):
        assert "--json" in {name for p in command.params for name in p.opts}
    assert (command.help or "").strip().endswith(".")


def examples_of(words: str) -> list[str]:
    """The lines of a command's examples; one that ends in a backslash goes on in the next."""
    epilog = every_command()[words].epilog or ""
    lines = re.sub(r"\\\n\s*", "", epilog).splitlines()
    return [line.strip() for line in lines if line.startswith("  tosg")]


@pytest.mark.parametrize("words", every_command())
def test_every_example_parses(words: str) -> None:
    """Up to the command's own code, which is not run: options, choices and arguments are right."""
    for line in examples_of(words):
        name, *rest = shlex.split(line)
        command: click.Command = cli.tosg
        if name == "tosg-export":
            command = every_command()["tosg export"]
        context = command.make_context(name, list(rest), resilient_parsing=False)
        while isinstance(command, click.Group):
            given = [*context._protected_args, *context.args]
            found, inner, left = command.resolve_command(context, given)
            assert inner is not None, line
            command, context = inner, inner.make_context(found, left, parent=context)
        assert not context.args, line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tosg que", ["query"]),
        ("tosg cells at", ["attach"]),
        ("tosg load hetio", ["hetionet"]),
        ("tosg build open-h", ["open-human", "open-human-full"]),
        ("tosg query signed", ["signed_paths"]),
        ("tosg embed --type GeneF", ["GeneFamily"]),
        ("tosg stats --no-so", ["--no-sources"]),
    ],
)
def test_the_shell_completes(line: str, expected: list[str]) -> None:
    words = line.split()
    done = run(_TOSG_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert done.returncode == 0, done.stderr
    assert [answer.split(",")[1] for answer in done.stdout.split()] == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_to_read(shell: str) -> None:
    done = run(_TOSG_COMPLETE=f"{shell}_source")
    assert done.returncode == 0, done.stderr
    assert f"_TOSG_COMPLETE={shell}_complete" in done.stdout
    last = "sta" if shell == "fish" else "1"
    answered = run(_TOSG_COMPLETE=f"{shell}_complete", COMP_WORDS="tosg sta", COMP_CWORD=last)
    assert {"status", "stats"} <= set(re.split(r"[\s,]", answered.stdout))
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.stdout, text=True, check=False)
        assert checked.returncode == 0


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_without_no_color(no_color: str, coloured: bool) -> None:
    code = (
        "from tosg.cli.report_view import console, table; t = table('a'); "
        "t.add_row('x', style='red'); console().print(t)"
    )
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": no_color}
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=environ, check=True)
    shown = os.read(ours, 65536)
    os.close(ours)
    os.close(theirs)
    assert (b"\x1b[31m" in shown) is coloured
    piped = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environ, check=True
    )
    assert b"\x1b" not in piped.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line(tmp_path: Path, unbuffered: str) -> None:
    with (tmp_path / "statements").open("w") as out, files_up_to(10):
        done = subprocess.run(
            [sys.executable, "-m", "tosg", "query", "--list"],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr.splitlines() == ["error: File too large"]
    assert done.returncode == 1


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def broken() -> None:
        Path("/no/such/folder").read_text()

    with pytest.raises(SystemExit) as caught:
        cli._run(broken, [])
    assert caught.value.code == 1
    out, err = capsys.readouterr()
    assert err.splitlines() == ["error: No such file or directory", "  where:    /no/such/folder"]
    assert out == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_error(unbuffered: str) -> None:
    """As in ``tosg query --list | head -0``."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tosg", "query", "--list"],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_files_say_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    shown = table("example")
    shown.add_row("benzo[a]pyrene, Act[/b]ivation, :smile:")
    console().print(shown)
    assert "benzo[a]pyrene, Act[/b]ivation, :smile:" in capsys.readouterr().out


def test_a_server_that_is_too_old_is_told() -> None:
    check_version((5, 26, 28), "bolt://h")
    check_version((2026, 9, 0), "bolt://h")
    with pytest.raises(errors.DatabaseError, match="too old") as caught:
        check_version((5, 25, 1), "bolt://h")
    assert "5.25.1" in str(caught.value)


def test_a_terminal_without_utf_8_is_written_to() -> None:
    done = run("schema", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "Gene" in done.stdout


def test_unknown_command_is_wrong_usage() -> None:
    done = run("exprot")
    assert done.returncode == 2
    assert "exprot" in done.stderr
    assert done.stdout == ""


def test_a_server_that_is_not_there_exits_with_3(tmp_path: Path) -> None:
    done = run("stats", NEO4J_URI="bolt://127.0.0.1:9", NEO4J_PASSWORD="x")
    assert done.returncode == 3
    assert "bolt://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.neo4j
def test_a_refused_password_exits_with_3_and_is_not_shown(server: ServerInfo) -> None:
    done = run("stats", NEO4J_URI=server.uri, NEO4J_USERNAME="neo4j", NEO4J_PASSWORD="not-this-one")
    assert done.returncode == 3
    assert "refuses the user name or password" in done.stderr
    assert server.uri in done.stderr
    assert "NEO4J_PASSWORD" in done.stderr
    assert "not-this-one" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_uri_exits_with_2() -> None:
    done = run("stats", NEO4J_URI="http://127.0.0.1")
    assert done.returncode == 2
    assert "bolt://" in done.stderr


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "tosg.toml").write_text('usernam = "neo4j"\n')
    done = subprocess.run(
        [sys.executable, "-m", "tosg", "stats"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean username" in done.stderr


def _classes(root: type[errors.TosgError]) -> list[type[errors.TosgError]]:
    found = [root, *(c for child in root.__subclasses__() for c in _classes(child))]
    return [c for c in found if c.__module__ == errors.__name__]


@pytest.mark.parametrize("cls", _classes(errors.TosgError))
def test_errors_cross_process_borders(cls: type[errors.TosgError]) -> None:
    error = cls("it broke", where="a.tsv:3", found="x", expected="y", hint="mend it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == str(error)
    assert all(part in str(again) for part in ("it broke", "a.tsv:3", "x", "y", "mend it"))
    assert cls.exit_code in (1, 2, 3)
