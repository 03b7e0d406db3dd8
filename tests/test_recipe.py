"""Recipes: what they may say, and how each mistake is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tosg.errors import DataError, TosgError, UsageError
from tosg.loaders import registry
from tosg.loaders.pipeline.recipe import packaged, read_recipe

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
title: A graph
exclude_licenses: ["CC BY-NC*"]
embed: false
sources:
  - hgnc
  - source: hetionet
    files: [hetionet]
    options: {release: "1.0"}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_is_read(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, GOOD))
    assert (recipe.name, recipe.title, recipe.embed) == ("mine", "A graph", False)
    assert recipe.exclude_licenses == ("CC BY-NC*",)
    assert [s.name for s in recipe.sources] == ["hgnc", "hetionet"]
    assert recipe.sources[1].options == {"release": "1.0"}
    assert recipe.sources[1].where.endswith("mine.yaml, line 7")


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert len(read_recipe(path).sources) == 2


@pytest.mark.parametrize("name", sorted(packaged()))
def test_recipes_that_come_with_the_package_are_right(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert {s.name for s in recipe.sources} <= set(registry.names())


def test_open_human_has_every_source_of_the_first_graph() -> None:
    named = {s.name for s in read_recipe("open-human").sources}
    assert {
        *("hetionet", "ncbi_gene", "hgnc", "uniprot", "goa", "pathways"),
        *("disease_ontology", "drugcentral", "intact", "trrust", "mondo", "cl", "uberon"),
    } <= named


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", DataError, "the recipe is empty"),
        ("# only a remark\n", DataError, "the recipe is empty"),
        ("sources: [hgnc", DataError, "mine.yaml, line 1, column 15"),
        ("a: b: c", DataError, "not YAML"),
        ("just text", DataError, "the recipe has a wrong value"),
        ("title: x", DataError, "names no sources"),
        ("sources: []", DataError, "names no sources"),
        ("sources: hgnc", DataError, "expected: a list"),
        ("source:\n  - hgnc", UsageError, "did you mean sources"),
        ("sources:\n  - hgcn", UsageError, "did you mean hgnc"),
        ("sources:\n  - source: hgnc\n    file: [x]", UsageError, "did you mean files"),
        ("sources:\n  - files: [x]", DataError, "has no name"),
        ("sources:\n  - source: [hgnc]", DataError, "line 2"),
        ("sources:\n  - source: hgnc\n    files: x", DataError, "expected: a list"),
        ("sources:\n  - source: hgnc\n    files: [/etc/x]", DataError, "below the data folder"),
        ("sources:\n  - source: hgnc\n    files: [../x]", DataError, "below the data folder"),
        ("sources:\n  - source: hgnc\n    options: [x]", DataError, "keys and values"),
        ("sources:\n  - source: hgnc\n    options: {releas: x}", UsageError, "releas"),
        ("sources: [hgnc, hgnc]", DataError, "in the recipe twice"),
        ("sources: [hgnc]\nsources: [uniprot]", DataError, "given twice"),
        ("sources: [hgnc]\nembed: maybe", DataError, "true or false"),
        ("sources: [hgnc]\nexclude_licenses: CC", DataError, "expected: a list"),
        ("sources: [hgnc]\ntitle: {a: 1}", DataError, "a text"),
    ],
)
def test_mistakes_are_named_with_file_and_line(
    tmp_path: Path, text: str, error: type[TosgError], said: str
) -> None:
    with pytest.raises(error) as caught:
        read_recipe(write(tmp_path, text))
    assert said in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_an_unknown_name_lists_the_recipes() -> None:
    with pytest.raises(UsageError) as caught:
        read_recipe("open-humans")
    assert "did you mean open-human" in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such recipe file"):
        read_recipe(tmp_path / "none.yaml")
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_recipe(folder)
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\nsources: [hgnc]")
    with pytest.raises(DataError, match="cannot be read"):
        read_recipe(tmp_path / "latin.yaml")


def test_a_missing_source_file_names_the_recipes_line(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, GOOD))
    with pytest.raises(DataError) as caught:
        recipe.sources[1].locate(tmp_path)
    assert "mine.yaml, line 7" in str(caught.value)
