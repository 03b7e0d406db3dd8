"""The public API: typed, and documented with shapes, units and errors."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, get_type_hints

import click
import pytest
from support.tree import docstrings, module_files, parsed

import tosg
from tosg import catalog, inputs, training_sets
from tosg.cli import tosg as tosg_command
from tosg.cli.export import export
from tosg.export.selection import Selection
from tosg.graph import KnowledgeGraph
from tosg.graph.training_sets import UNSET
from tosg.kg.cells.options import AttachOptions

#: Results that are arrays or tables: what says their shape and type of numbers.
ARRAYS = re.compile(r"Tensor|NDArray|CellGraphs|Batch|Table|Hetero|Shard")
SHAPE = re.compile(r"\(([A-Z]|n|n_\w+|e|datasets)\b[^)]*\)|[Rr]ow|[Cc]olumn|[Bb]atches")


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Functions of `tosg`, its catalogue and its inputs, and methods of the public classes."""
    yield "tosg.connect", tosg.connect
    for module in (catalog, inputs, training_sets):
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__:
                yield f"{module.__name__}.{name}", value
    for cls in (tosg.KnowledgeGraph, tosg.TrainingSet):
        for name, value in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                yield f"tosg.{cls.__name__}.{name}", value


def public_properties() -> Iterator[tuple[str, Callable[..., Any]]]:
    for cls in (tosg.KnowledgeGraph, tosg.TrainingSet):
        for name in dir(cls):
            value = inspect.getattr_static(cls, name)
            if isinstance(value, property) and value.fget is not None:
                yield f"tosg.{cls.__name__}.{name}", value.fget
            elif isinstance(value, cached_property):
                yield f"tosg.{cls.__name__}.{name}", value.func


FUNCTIONS = dict(public_functions())
PROPERTIES = dict(public_properties())


def sections(docstring: str) -> dict[str, str]:
    """Sections of a numpy docstring by their titles; what comes before the first is ""."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", docstring, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def documented(section: str) -> set[str]:
    """Names that a section of parameters describes."""
    heads = re.findall(r"^(\*{0,2}\w+(?:, \w+)*)(?: : .*)?$", section, flags=re.MULTILINE)
    return {name.strip(" *") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_typed_and_documented(name: str) -> None:
    function = FUNCTIONS[name]
    found = sections(inspect.getdoc(function) or "")
    assert found[""].strip(), "no summary"
    parameters = [
        p
        for place, p in enumerate(inspect.signature(function).parameters.values())
        if place > 0 or p.name not in ("self", "graph")
    ]
    assert documented(found.get("Parameters", "")) == {p.name for p in parameters}
    assert all(p.annotation is not inspect.Parameter.empty for p in parameters)
    loose = [p for p in parameters if p.kind is p.VAR_KEYWORD and p.annotation in ("Any", Any)]
    assert not loose or name == "tosg.KnowledgeGraph.query"  # parameters of the query itself
    returned = inspect.signature(function).return_annotation
    assert returned is not inspect.Signature.empty
    if parameters:
        assert "Raises" in found
        assert returned == "None" or "Returns" in found
    if ARRAYS.search(returned):
        assert SHAPE.search(found.get("Returns", found[""])), "no shape"


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_says_what_it_holds(name: str) -> None:
    function = PROPERTIES[name]
    text = inspect.getdoc(function) or ""
    assert text.strip()
    if ARRAYS.search(str(inspect.signature(function).return_annotation)):
        assert SHAPE.search(text), "no shape"


@pytest.mark.parametrize("name", [name for name in tosg.__all__ if name != "connect"])
def test_class_is_documented(name: str) -> None:
    cls = getattr(tosg, name)
    assert inspect.isclass(cls)
    assert (inspect.getdoc(cls) or "").strip()
    assert cls.__doc__ != cls.__base__.__doc__


def test_options_are_those_of_the_library() -> None:
    """Typed a second time in the facade: they must not drift apart."""
    attach = inspect.signature(KnowledgeGraph.attach_cells).parameters
    for option in dataclasses.fields(AttachOptions):
        assert attach[option.name].default == option.default, option.name
    export = inspect.signature(KnowledgeGraph.export).parameters
    for selected in dataclasses.fields(Selection):
        assert export[selected.name].default is UNSET, selected.name
    types, own = get_type_hints(Selection), inspect.signature(KnowledgeGraph.export)
    assert str(own.parameters["seed"].annotation) == types["seed"].__name__


WITH_EXAMPLES = sorted({place for place, text in docstrings(having=">>> ") if ">>> " in text})


@pytest.mark.parametrize("place", WITH_EXAMPLES)
def test_examples_in_docstrings_run(place: str) -> None:
    name = next(n for n in sorted(module_files(), reverse=True) if f"{place}.".startswith(f"{n}."))
    module = importlib.import_module(name)
    inner = place.removeprefix(name).strip(".")
    found = doctest.DocTestFinder(recurse=False).find(
        getattr(module, inner) if inner else module, inner or name, module, vars(module)
    )
    assert found
    for test in found:
        assert doctest.DocTestRunner().run(test).failed == 0


def commands_named() -> Iterator[tuple[str, str]]:
    """Every ``tosg ...`` between backticks in the strings of the package, with its module."""
    for name, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for line in re.findall(r"`(tosg(?:-export)? [a-z][^`]*)`", node.value):
                    yield name, " ".join(line.split())


def find_command(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """Find what a line calls, and the rest of the line."""
    command: click.Command | None = export if words[0] == "tosg-export" else tosg_command
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
    return command, rest


def test_commands_in_hints_exist() -> None:
    """One test: as many as there are hints would read the whole package in each process."""
    named = sorted(set(commands_named()))
    assert len(named) > 50
    assert [told for told in named if not is_command(told[1])] == []


def is_command(line: str) -> bool:
    """Whether a line calls a command with options that it has."""
    command, rest = find_command(line.split())
    if command is None:
        return False
    known = {opt for p in command.params for opt in (*p.opts, *p.secondary_opts)}
    return {word.split("=")[0] for word in rest if word.startswith("-")} <= known | {"--help"}
