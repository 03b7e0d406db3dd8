"""Python is told what the command line is told: every note of a command has its place in Python."""

from __future__ import annotations

import ast
import importlib
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from support.tree import parsed

from tosg import KnowledgeGraph
from tosg.cli.options import warnings_as_notes
from tosg.errors import TosgWarning

#: Notes that only somebody at a terminal needs: what is asked there, and what a command just did.
TERMINAL = "terminal"

#: Module and first words of each note of a command -> where Python has it.
PLACES = {
    ("query", "note: only the first"): "tosg.graph.asking.query:limit",
    ("query", "note: no rows"): "pyarrow.Table.num_rows",
    ("query", "error.where"): "tosg.errors.AmbiguousNameError",
    ("query", "number"): "tosg.errors.AmbiguousNameError",
    ("cells", "no cells are attached"): "tosg.graph.cells.datasets",
    ("export", "warning:"): "tosg.export.write.result.ExportResult.warnings",
    ("demo", "stage"): "tosg.progress.Progress",
    ("inspect", "the graph agrees with"): "tosg.graph.loading.check",
    ("sources", "some files have no address"): "tosg.catalog.fetch",
    ("mcp", "serving the graph over stdin"): TERMINAL,
    ("training_set", "warning:"): "tosg.training_sets.show_training_set",
    ("training_set", "len(report.findings)"): "tosg.training_sets.VerifyReport.findings",
    ("training_set", "report.folder"): "tosg.training_sets.VerifyReport.files",
    ("dashboard", "the dashboard runs until"): TERMINAL,
    ("repair", "the data that could not be"): "tosg.loaders.pipeline.repair.RepairReport.set_aside",
    ("repair", "left:"): "tosg.loaders.pipeline.repair.RepairReport.left",
    ("embed", "report.seconds"): "tosg.kg.embed.info.EmbedReport.seconds",
    ("embed", "vector indexes made"): "tosg.kg.embed.info.EmbedReport.indexes",
    ("embed", "note:"): "tosg.kg.search.hybrid.ambiguity_of",
    ("load", "line"): "tosg.loaders.pipeline.build.BuildResult.lines",
    ("load", "file.source"): "tosg.graph.loading.build:confirm",
    ("load", "len(files)"): "tosg.graph.loading.build:confirm",
    ("load", "nothing was written"): "tosg.graph.loading.preview",
    ("server", "already up"): "tosg.graph.server.status",
    ("server", "still running"): "tosg.machine.servers",
    ("server", "no managed graph yet"): "tosg.machine.graphs",
    ("server", "* is the one"): "tosg.kg.server.running.ManagedGraph.chosen",
    ("server", "note: other commands use"): "tosg.settings.Settings.managed",
    ("options", "note:"): "tosg.errors.TosgWarning",
}


def first_words(node: ast.expr) -> str:
    """What a note begins with: its first words, or the expression that it begins with."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.FormattedValue | ast.IfExp):
        node = node.value if isinstance(node, ast.FormattedValue) else node.body
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)


def notes() -> set[tuple[str, str]]:
    """Module and first words of every note that a command gives."""
    return {
        (module.removeprefix("tosg.cli."), first_words(node.args[0]))
        for module, tree in parsed()
        if module.startswith("tosg.cli.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note"
    }


def key_of(module: str, words: str) -> tuple[str, str]:
    found = [key for key in PLACES if key[0] == module and words.startswith(key[1])]
    assert found, f"tosg.cli.{module}: where does Python have {words!r}?"
    return max(found, key=lambda key: len(key[1]))


def test_every_note_has_its_place_in_python() -> None:
    assert {key_of(*found) for found in notes()} == set(PLACES)


@pytest.mark.parametrize("place", sorted(set(PLACES.values()) - {TERMINAL}))
def test_the_place_exists(place: str) -> None:
    dotted, _, parameter = place.partition(":")
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        break
    for name in parts[cut:]:
        fields = getattr(value, "__dataclass_fields__", {})
        value = fields[name] if name in fields else getattr(value, name)
    assert not parameter or parameter in inspect.signature(value).parameters


def warned(function: Callable[..., Any]) -> bool:
    return "warn_caller(" in inspect.getsource(function)


@pytest.mark.parametrize(
    "name", [n for n, f in inspect.getmembers(KnowledgeGraph, inspect.isfunction) if warned(f)]
)
def test_a_method_that_warns_says_when(name: str) -> None:
    assert "Warns\n-----" in (inspect.getdoc(getattr(KnowledgeGraph, name)) or "")


def test_a_command_prints_warnings_as_notes(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings_as_notes():
        warnings.warn("half of it is there", TosgWarning, stacklevel=1)
    assert capsys.readouterr().err == "note: half of it is there\n"
