"""The documentation: commands that exist, Cypher that plans, links that lead somewhere.

`test_pages` runs all of it; here it is looked at without a graph, page by page.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from tosg.cli import tosg
from tosg.cli.export import export
from tosg.kg.database import indexes as ddl

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

ROOT = Path(__file__).resolve().parents[1]
FRONT = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
PAGES = sorted([*FRONT, *(ROOT / "docs").rglob("*.md")])
COMMANDS = {"tosg": tosg, "tosg-export": export}


@dataclass(frozen=True)
class Example:
    """A fenced block of one page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples(page: Path) -> list[Example]:
    text = page.read_text()
    return [
        Example(page, text[: m.start()].count("\n") + 2, m[1], m[2])
        for m in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


EXAMPLES = [e for page in PAGES for e in examples(page)]


def of_language(language: str) -> list[Example]:
    return [e for e in EXAMPLES if e.language == language]


def command_lines() -> list[tuple[str, list[str]]]:
    """Every ``tosg`` line of the unnamed and shell blocks, as words."""
    found = []
    for example in EXAMPLES:
        if example.language not in ("", "sh"):
            continue
        for line in example.text.replace("\\\n", " ").splitlines():
            words = re.split(r"\s{3,}", line)[0] if example.language == "" else line
            if line.startswith(tuple(f"{name} " for name in COMMANDS)):
                found.append((str(example), shlex.split(words, comments=True)))
    return found


@pytest.mark.parametrize(
    ("place", "words"), [pytest.param(*c, id=f"{c[0]} {' '.join(c[1])}") for c in command_lines()]
)
def test_commands_are_understood(place: str, words: list[str]) -> None:
    command: click.Command = COMMANDS[words[0]]
    rest, parent = words[1:], None
    while isinstance(command, click.Group):
        # Not called: only what it would be called with is looked at.
        parent = command.make_context(words[0], list(rest[:1]), parent=parent)
        found = command.get_command(parent, rest[0])
        assert found is not None, f"{place}: there is no command {rest[0]!r}"
        command, rest = found, rest[1:]
    try:
        command.make_context(words[0], list(rest), parent=parent)
    except click.BadParameter as error:
        if "does not exist" not in error.message:  # the reader's files are not here
            raise AssertionError(place) from error


def test_there_are_commands_to_look_at() -> None:
    assert len(command_lines()) > 20
    assert {len(of_language(name)) > 0 for name in ("python", "cypher", "yaml")} == {True}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("example", of_language("yaml"), ids=str)
def test_yaml_reads(example: Example) -> None:
    assert yaml.safe_load(example.text)


def test_citation_and_forms_are_what_their_readers_take() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 4
    for form in forms:
        found = yaml.safe_load(form.read_text())
        if form.name != "config.yml":
            assert {"name", "description", "body"} <= set(found)
            kinds = {part["type"] for part in found["body"]}
            assert kinds <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}


#: Folders beside the repository, and paths of one machine: a stranger has neither.
ELSEWHERE = re.compile(r"\.\./(shared|work)|/work/|/root/|/home/\w+/")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_name_no_folder_that_a_stranger_lacks(page: Path) -> None:
    assert not ELSEWHERE.search(page.read_text())


@pytest.mark.neo4j
def test_cypher_plans(database: Database) -> None:
    ddl.ensure_schema(database)
    for example in of_language("cypher"):
        for statement in filter(str.strip, example.text.split(";")):
            names = set(re.findall(r"\$(\w+)", statement))
            database.rows(f"EXPLAIN {statement}", **dict.fromkeys(names))


@pytest.mark.parametrize("example", of_language("python"), ids=str)
def test_python_compiles(example: Example) -> None:
    compile(example.text, str(example), "exec")
