"""The documentation's examples: commands that exist, Cypher that plans, Python that runs."""

from __future__ import annotations

import re
import shlex
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml
from click.testing import CliRunner
from support import cells
from support.tree import docstrings

from tosg.cli import tosg
from tosg.cli.export import export
from tosg.cli.query import query
from tosg.errors import TosgWarning
from tosg.graph import KnowledgeGraph
from tosg.kg.database import indexes as ddl
from tosg.loaders.pipeline import build as builds

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.server import ServerInfo
    from tosg.settings import Settings

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


@pytest.mark.neo4j
def test_the_readmes_python_and_queries_run(
    settings: Settings,
    server: ServerInfo,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a folder with a training set and a user's file of cells, on the demo's graph."""
    import torch
    from support.training_sets import write_training_set

    write_training_set(tmp_path / "OUT")
    cells.write(tmp_path / "mine.h5ad", cells.counts())
    builds.build(settings, "demo", ROOT / "src" / "tosg" / "demo" / "data", way="bolt", embed=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password)
    first, second = (e for e in of_language("python") if e.page.name == "README.md")
    if not torch.cuda.is_available():
        assert 'device="cuda"' in first.text
    found: dict[str, object] = {}
    for example in (first, second):
        text = example.text
        if not torch.cuda.is_available():
            text = text.replace('device="cuda"', 'device="cpu"')
        with warnings.catch_warnings():
            # The graph here has no vectors.
            warnings.filterwarnings("ignore", "found by words alone", TosgWarning)
            exec(compile(text, str(example), "exec"), found)  # noqa: S102
    graph = found["graph"]
    assert isinstance(graph, KnowledgeGraph)
    calls = {
        call for _, text in docstrings() for call in re.findall(r"``(graph\.query\(.+?\))``", text)
    }
    assert calls
    for call in sorted(calls):
        assert eval(call, {"graph": graph}).num_rows > 0, call  # noqa: S307
    graph.close()
    assert found["graphs"] is not None
    help_ = [line.strip() for line in (query.epilog or "").splitlines()]
    queries = [words for place, words in command_lines() if place.startswith("README.md")]
    queries += [shlex.split(line) for line in help_ if line.startswith("tosg query")]
    queries = [words for words in queries if words[:2] == ["tosg", "query"]]
    assert len(queries) == 7
    for words in queries:
        done = CliRunner().invoke(tosg, words[1:])
        assert done.exit_code == 0, done.output
        assert "no rows" not in done.output, words
