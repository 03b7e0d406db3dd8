"""Option values are text until the declared type reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tosg.errors import ConfigError, UsageError
from tosg.kg.claims.releases import release_key
from tosg.loaders import registry
from tosg.loaders.options import Option
from tosg.loaders.pipeline.recipe import read_recipe

if TYPE_CHECKING:
    from pathlib import Path

TEXT = Option("text", "a text", "")
WHOLE = Option("whole", "a whole number", 3, least=1, most=9)
NUMBER = Option("number", "a number", 0.5, least=0, most=1)
FLAG = Option("flag", "a flag", False)
LIST = Option("list", "a list", ("a",))
CHOICE = Option("choice", "one of two", "x", choices=("x", "y"))

#: What YAML, JSON and Python read as something else than text.
LOOKALIKES = [
    "1.10",
    "010",
    "1_000",
    "12:30",
    "yes",
    "no",
    "on",
    "null",
    "~",
    "0x10",
    "1e3",
    "true",
]


@pytest.mark.parametrize("given", LOOKALIKES)
def test_text_stays_text(given: str, tmp_path: Path) -> None:
    assert TEXT.parse(given, "s") == given
    assert registry.make("trrust", {"release": given}).release({}) == given
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        f"sources:\n- source: trrust\n  options: {{release: {given}}}\n", encoding="utf-8"
    )
    assert read_recipe(recipe).sources[0].options == {"release": given}


def test_a_release_keeps_its_place_in_the_order() -> None:
    old, new = (registry.make("trrust", {"release": r}).release({}) for r in ("1.9", "1.10"))
    assert release_key(old) < release_key(new)


@pytest.mark.parametrize(
    ("option", "given", "read"),
    [
        (TEXT, 7, "7"),
        (WHOLE, "7", 7),
        (WHOLE, 7, 7),
        (NUMBER, "0.25", 0.25),
        (NUMBER, 1, 1.0),
        (FLAG, "true", True),
        (FLAG, "False", False),
        (FLAG, True, True),
        (LIST, "a, b,,c", ("a", "b", "c")),
        (LIST, ["a", "b"], ("a", "b")),
        (CHOICE, "y", "y"),
    ],
)
def test_values_of_the_declared_type(option: Option[Any], given: object, read: object) -> None:
    assert option.parse(given, "s") == read


@pytest.mark.parametrize(
    ("option", "given"),
    [
        (TEXT, 1.1),
        (TEXT, True),
        (TEXT, None),
        (WHOLE, "1_0"),
        (WHOLE, "0x10"),
        (WHOLE, "7.0"),
        (WHOLE, "0"),
        (WHOLE, "10"),
        (WHOLE, True),
        (NUMBER, "1_0"),
        (NUMBER, "nan"),
        (NUMBER, "1.5"),
        (NUMBER, "much"),
        (FLAG, "yes"),
        (FLAG, 1),
        (LIST, [1.1]),
        (LIST, {"a": 1}),
        (CHOICE, "z"),
    ],
)
def test_other_values_are_refused(option: Option[Any], given: object) -> None:
    with pytest.raises(ConfigError) as caught:
        option.parse(given, "some_source")
    text = str(caught.value)
    assert option.name in text
    assert "some_source" in text
    assert repr(given) in text
    assert "expected" in text


def test_an_option_of_no_source() -> None:
    with pytest.raises(UsageError, match="unknown option"):
        registry.make("trrust", {"relaese": "1"})
