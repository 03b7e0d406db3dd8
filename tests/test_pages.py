"""The pages and notebooks that teach are run: every command and every block of code, in order.

A page's YAML becomes the file that the text before it names; its Cypher is planned by
``test_docs.py`` and run here. What a machine of the tests cannot do is listed in `ELSEWHERE`.
"""

from __future__ import annotations

import json
import re
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from IPython.core.interactiveshell import InteractiveShell
from support.servers import wipe

from tosg.cli import tosg
from tosg.cli.export import export
from tosg.errors import TosgWarning

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.server import ServerInfo

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

#: In this order: training goes on with the cells that were attached.
NOTEBOOKS = ("ask", "attach", "train", "explain")

#: In this order: the guides go on from the tutorial.
PAGES = ("tutorial.md", "guides/ask.md", "guides/train.md", "guides/keep.md", "guides/notebooks.md")

#: Lines that are not run, and why.
ELSEWHERE = {
    'pip install "tosg[demo]"': "tests/wheel_check.py installs the wheel",
    "export TOSG_GRAPH=tutorial": "the tests' own server stands for it",
    "tosg status": "it looks at the managed server, which does not run here: exit code 3",
}

#: A block, with the text since the one before.
BLOCK = re.compile(r"(.*?)^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_command(line: str, place: str) -> None:
    """Run a line of the shell in this process."""
    words = shlex.split(line, comments=True)
    command = {"tosg": tosg, "tosg-export": export}[words[0]]
    done = CliRunner().invoke(command, words[1:])
    assert done.exit_code == 0, f"{place}: {line}\n{done.output}"
    assert "no rows" not in done.output, f"{place}: {line}\n{done.output}"


def run_page(name: str, found: dict[str, Any], database: Database) -> int:
    """Run a page's blocks in the current folder; how many there were."""
    blocks = BLOCK.findall((DOCS / name).read_text())
    for before, language, text in blocks:
        if language == "sh":
            for line in filter(None, text.replace("\\\n", " ").splitlines()):
                if line not in ELSEWHERE:
                    run_command(line, name)
        elif language == "yaml":
            Path(re.findall(r"`([\w.]+\.yaml)`", before)[-1]).write_text(text)
        elif language == "python":
            exec(compile(text, name, "exec"), found)  # noqa: S102
        elif language == "cypher":
            assert database.rows(text)
        else:
            raise AssertionError(f"{name}: who runs {language!r}?")
    return len(blocks)


@pytest.mark.neo4j
def test_the_tutorial_the_guides_and_the_notebooks_run(
    server: ServerInfo,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wipe(database, schema=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOSG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password)
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=TosgWarning)  # told to the reader
        warnings.filterwarnings("ignore", module="(scanpy|anndata)")
        for page in PAGES:
            assert run_page(page, found, database) > 0
            if "graph" in found:  # a reader's Python ends with the page
                found.pop("graph").close()
    accuracy = float(re.findall(r"test cells: ([\d.]+)", capsys.readouterr().out)[-1])
    assert accuracy > 0.5  # the largest class alone would be 0.34

    # The notebooks ask for the same graph with no cells attached.
    run_command("tosg cells detach mine", "notebooks")
    for name in NOTEBOOKS:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        run_notebook(name)


def run_notebook(name: str) -> None:
    """Run a notebook's cells in a shell of IPython."""
    shell = InteractiveShell()
    notebook = json.loads((ROOT / "examples" / f"{name}.ipynb").read_text())
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in codes:
        shell.run_cell("".join(cell["source"])).raise_error()


def test_every_notebook_is_run_and_kept_without_results() -> None:
    paths = sorted((ROOT / "examples").glob("*.ipynb"))
    assert {p.stem for p in paths} == set(NOTEBOOKS)
    for path in paths:
        cells = json.loads(path.read_text())["cells"]
        assert all(not cell.get("outputs") for cell in cells), path.name


def test_what_is_not_run_is_still_on_a_page() -> None:
    texts = "\n".join((DOCS / page).read_text() for page in PAGES).splitlines()
    assert set(ELSEWHERE) <= set(texts)
